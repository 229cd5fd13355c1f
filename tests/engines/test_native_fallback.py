"""Without LLVM the reference engine takes over and says why; the native one, asked for by name, refuses."""

import numpy as np
import pytest

from child_process import output_of
from noria.compiler import compile_cell
from noria.engines import bind
from noria.engines.binding import why_not_native
from noria.equations import cells
from noria.errors import EngineError

WITHOUT = """
import sys
sys.modules["llvmlite"] = None
sys.modules["llvmlite.binding"] = None
import numpy as np
from noria.compiler import compile_cell
from noria.engines import bind
from noria.engines.binding import why_not_native
from noria.equations import cells
from noria.errors import EngineError

kernel = bind(compile_cell(cells.lstm), {"D": 3, "H": 5})
print(kernel.engine)
states = {state: np.zeros((1, 5), np.float32) for state in "hc"}
run = kernel.start(np.zeros(kernel.size, np.float32), states, np.array([1]))
print(run.forward(np.ones((1, 3), np.float32)).shape)
print(why_not_native())
try:
    bind(compile_cell(cells.lstm), {"D": 3, "H": 5}, engine="native")
except EngineError as error:
    print(error)
from noria.engines.fused import is_native
print(is_native(np.dtype(np.float32)))
"""


def test_without_llvm():
    engine, shape, reason, error, fused = output_of(WITHOUT).splitlines()
    assert engine == "reference"
    assert shape == "(1, 5)"
    assert "llvmlite cannot be loaded" in reason
    assert "pip install llvmlite" in reason
    assert error == f"lstm: the native engine cannot run here: {reason}"
    assert fused == "False"


def test_with_llvm_the_native_engine_is_chosen():
    program = compile_cell(cells.lstm)
    for dtype in (np.float32, np.float64):
        assert why_not_native(dtype) == ""
        assert bind(program, {"D": 3, "H": 5}, dtype).engine == "native"


def test_complex_numbers_are_the_reference_engines():
    program = compile_cell(cells.lstm)
    assert bind(program, {"D": 3, "H": 5}, np.complex128).engine == "reference"
    assert "not in complex128" in why_not_native(np.complex128)
    with pytest.raises(EngineError, match=r"lstm: the native engine cannot run here: .* not in complex128"):
        bind(program, {"D": 3, "H": 5}, np.complex128, "native")


def test_parameters_lie_alike_in_both_engines():
    for name in cells.names():
        program = compile_cell(cells[name])
        sizes = {"D": 3, "H": 5}
        ours, theirs = (bind(program, sizes, np.float64, engine) for engine in ("native", "reference"))
        assert ours.layout == theirs.layout
        assert ours.size == theirs.size
