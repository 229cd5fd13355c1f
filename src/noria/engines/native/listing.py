"""The machine code of a kernel, to be read: what is generated, and what LLVM makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import DTypeLike

from noria.compiler.program import Program
from noria.engines.binding import bind
from noria.engines.native.host import assembly, processor
from noria.engines.native.kernel import NativeKernel
from noria.engines.native.products import library


@dataclass(frozen=True)
class Listing:
    """One compiled kernel.

    Attributes
    ----------
    engine, processor : str
    sizes : dict of str to int
    dtype : str
    tile : tuple of int
        The largest register tile of its matrix products: rows, and vectors side by side.
    milliseconds : float
        That writing and compiling the kernel took.
    ir : str
        LLVM IR as generated: ``forward``, ``backward`` and what they call. The matrix products are a module
        of their own, compiled once for all kernels, and only declared here.
    assembly : str
    """

    engine: str
    processor: str
    sizes: dict[str, int]
    dtype: str
    tile: tuple[int, int]
    milliseconds: float
    ir: str
    assembly: str


def kernel_listing(program: Program, sizes: Mapping[str, int], dtype: DTypeLike = np.float32) -> Listing:
    """Compile the kernel of a program anew, for rows as input and with its backward, and list it.

    Parameters
    ----------
    program : Program
    sizes : mapping of size symbol to int
        As for :func:`noria.engines.bind`.
    dtype : {float32, float64}

    Raises
    ------
    EngineError
        If the native engine cannot run here.
    ShapeError
        If a size is missing, unknown, or not a positive whole number.
    """
    full = bind(program, sizes, dtype, "native").sizes
    kind = np.dtype(dtype)
    shape = library(kind).shape  # before the clock starts: it is compiled once in a process
    begun = perf_counter()
    module = NativeKernel(program, full, kind).variant(saves=True, symbols=False).driver.module
    milliseconds = 1e3 * (perf_counter() - begun)
    return Listing(
        engine="native",
        processor=processor(kind),
        sizes=dict(full),
        dtype=str(kind),
        tile=(shape.rows, shape.vectors),
        milliseconds=milliseconds,
        ir=str(module),
        assembly=assembly(module),
    )
