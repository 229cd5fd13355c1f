"""Which engine runs a program."""

from collections.abc import Mapping
from functools import cache, lru_cache

import numpy as np
from numpy.typing import DTypeLike

from noria.compiler.program import Program
from noria.engines.seam import Kernel
from noria.errors import EngineError, ShapeError, UnknownNameError

ENGINES = ("auto", "native", "reference")


def bind(
    program: Program, sizes: Mapping[str, int], dtype: DTypeLike = np.float32, engine: str = "auto"
) -> Kernel:
    """Bind ``program`` to sizes and a dtype.

    Parameters
    ----------
    program : Program
    sizes : mapping of size symbol to int
        ``{"D": 4, "H": 7}``; free sizes of the cell that are not named (``"H_c"``) are as wide as ``H``.
    dtype : {float32, float64, complex128}
    engine : {"auto", "native", "reference"}
        ``"auto"`` is the native engine where it can run, else the reference engine.

    Raises
    ------
    ShapeError
        If a size is missing, unknown, or not a positive whole number.
    UnknownNameError
        If there is no such engine.
    EngineError
        If the native engine is asked for and cannot run here.
    """
    cell = program.forward.cell
    if engine not in ENGINES:
        raise UnknownNameError(f"engine '{engine}' does not exist. There are: {', '.join(ENGINES)}.")
    for symbol in sizes:
        if symbol not in cell.sizes and symbol != "D":
            raise ShapeError(f"{cell.name}: has no size '{symbol}'. Its sizes are: {', '.join(cell.sizes)}.")
    full = {}
    for symbol in cell.sizes:
        value: object = sizes.get(symbol, sizes.get("H") if symbol.startswith("H_") else None)
        if value is None:
            raise ShapeError(
                f"{cell.name}: expected a value for size '{symbol}', got none. Pass it in sizes."
            )
        if not isinstance(value, int | np.integer) or value < 1:
            raise ShapeError(
                f"{cell.name}: expected size '{symbol}' to be a whole number from 1, got {value!r}."
            )
        full[symbol] = int(value)
    if "D" in sizes and "D" not in full and sizes["D"] != full["H"]:
        raise ShapeError(
            f"{cell.name}: joins the input to the state element by element, so rows of {full['H']} features "
            f"were expected, got {sizes['D']}. "
            f"Put a linear layer in front, or choose hidden_size={sizes['D']}."
        )
    kind = np.dtype(dtype)
    if engine == "auto":
        engine = "reference" if why_not_native(kind) else "native"
    elif engine == "native" and (reason := why_not_native(kind)):
        raise EngineError(f"{cell.name}: the native engine cannot run here: {reason}")
    return _bind(program, tuple(full.items()), kind, engine)


def why_not_native(dtype: DTypeLike = np.float32) -> str:
    """Say why the native engine cannot run; empty where it can.

    Parameters
    ----------
    dtype : {float32, float64, complex128}
    """
    if np.dtype(dtype) not in (np.float32, np.float64):
        return f"it computes in float32 and float64, not in {np.dtype(dtype)}."
    return _why_not_here()


@cache
def _why_not_here() -> str:
    from noria.engines.native.host import host

    try:
        host()
    except EngineError as error:
        return str(error)
    return ""


@lru_cache(maxsize=256)
def _bind(program: Program, sizes: tuple[tuple[str, int], ...], dtype: np.dtype, engine: str) -> Kernel:
    if engine == "native":
        from noria.engines.native.kernel import NativeKernel

        return NativeKernel(program, dict(sizes), dtype)
    from noria.engines.reference import ReferenceKernel

    return ReferenceKernel(program, dict(sizes), dtype)
