"""The processor at hand: what LLVM says of it, and how modules become functions that run on it."""

import ctypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from noria.errors import EngineError

if TYPE_CHECKING:
    from llvmlite import ir

WIDTHS = (("avx512f", 64, 32), ("avx2", 32, 16), ("neon", 16, 32), ("sse2", 16, 16))
"""Feature, bytes in a vector register, number of registers; the first that the processor has counts."""

NAMES = {"avx512f": "AVX-512", "avx2": "AVX2", "neon": "NEON", "sse2": "SSE2"}
"""How people call the vectors of ``WIDTHS``."""

Watch: TypeAlias = Callable[[], AbstractContextManager[object]]

_watch: ContextVar[Watch] = ContextVar("watch", default=nullcontext)


@dataclass(frozen=True)
class Host:
    """The processor: its name and features as LLVM spells them, and its vector registers."""

    cpu: str
    features: str
    vector_bytes: int
    registers: int

    @property
    def vectors(self) -> str:
        """What its vector instructions are called: ``"AVX-512"``."""
        shape = self.vector_bytes, self.registers
        return next((NAMES[name] for name, *widths in WIDTHS if tuple(widths) == shape), "vectors")


@cache
def host() -> Host:
    """Look at the processor.

    Raises
    ------
    EngineError
        If LLVM is not installed, or knows no vectors of this processor.
    """
    try:
        import llvmlite.binding as llvm
    except (ImportError, OSError) as error:
        raise EngineError(
            f"llvmlite cannot be loaded ({error}). Install it: python -m pip install llvmlite"
        ) from error
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features()
    for feature, size, registers in WIDTHS:
        if features.get(feature) and (feature != "avx2" or features.get("fma")):
            return Host(cpu, features.flatten(), size, registers)
    raise EngineError(f"no vector instructions are known of this processor, '{cpu}'.")


def processor(dtype: DTypeLike = np.float32) -> str:
    """Say what the engine computes with: ``"AVX-512, 16 float32 at once, emeraldrapids, LLVM 22"``.

    Parameters
    ----------
    dtype : {float32, float64}

    Raises
    ------
    EngineError
        As :func:`host`.
    """
    here, kind = host(), np.dtype(dtype)
    import llvmlite.binding as llvm

    lanes = here.vector_bytes // kind.itemsize
    return f"{here.vectors}, {lanes} {kind} at once, {here.cpu}, LLVM {llvm.llvm_version_info[0]}"


@contextmanager
def watch_compilation(watch: Watch) -> Iterator[None]:
    """Let ``watch()`` be entered around every compilation inside the block, whatever asks for it."""
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)


class Library:
    """Compiled functions. The code lives as long as the library."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def address(self, name: str) -> int:
        """Give where a function begins."""
        address = int(self._engine.get_function_address(name))
        if not address:
            raise EngineError(f"the compiled code has no function '{name}'.")
        return address

    def function(self, name: str, arguments: Sequence[Any], result: Any = None) -> Any:
        """Give a function that can be called from Python, without the interpreter's lock.

        Parameters
        ----------
        name : str
        arguments, result : ctypes types
        """
        function: Any = ctypes.CFUNCTYPE(result, *arguments)(self.address(name))
        function.library = self  # so that the code outlives whoever made the library
        return function


def compile_module(module: "ir.Module", symbols: Mapping[str, int] | None = None) -> Library:
    """Turn a module into machine code for this processor; see :func:`compiled`."""
    return compiled(lambda: module, symbols)


def compiled(
    write: "Callable[[], ir.Module]",
    symbols: Mapping[str, int] | None = None,
    *,
    asked: str = "",
    effort: int = 1,
) -> Library:
    """Turn a module into machine code for this processor, or load what was made of it before.

    The code is written as it shall run; LLVM's passes over a module would take longer than everything else
    and find nothing. What remains is the choice of instructions, registers and their order.

    Parameters
    ----------
    write : callable
        Writes the module, where it has to be compiled.
    symbols : mapping of str to int
        Addresses of the functions that the module declares and does not define.
    asked : str
        All that the module depends on besides source and processor; left out, nothing is kept on disk.
    effort : int
        How hard to look for a good order, from 0 to 3. It pays only for long loops without memory traffic.
    """
    import llvmlite.binding as llvm

    from noria.engines.native import cache

    with _watch.get()():
        for name, address in (symbols or {}).items():
            llvm.add_symbol(name, address)
        place = cache.name_of(asked) if asked else ""
        known = cache.load(place) if asked else None
        if known is not None:
            engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine(effort))
            engine.add_object_file(llvm.ObjectFileRef.from_data(known))
        else:
            engine = llvm.create_mcjit_compiler(_parsed(write()), _machine(effort))
            if asked:
                engine.set_object_cache(lambda _, code: cache.store(place, code), lambda _: None)
        engine.finalize_object()
    return Library(engine)


def assembly(module: "ir.Module") -> str:
    """Give the assembly that :func:`compile_module` makes of a module; it is made again, to be read."""
    return str(_machine(1).emit_assembly(_parsed(module)))


def _machine(effort: int) -> Any:
    import llvmlite.binding as llvm

    here = host()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=here.cpu, features=here.features, opt=effort, jit=True
    )


def _parsed(module: "ir.Module") -> Any:
    import llvmlite.binding as llvm

    parsed = llvm.parse_assembly(str(module))
    parsed.verify()
    return parsed
