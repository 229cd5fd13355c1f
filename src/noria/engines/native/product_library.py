"""The matrix products of the native engine as one module of machine code."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field

from llvmlite import ir

from noria.engines.native import outer
from noria.engines.native.code import POINTER, Numbers
from noria.engines.native.gemm import write_multiply
from noria.engines.native.host import Library, compiled
from noria.engines.native.packing import write_packing
from noria.engines.native.signatures import SIGNATURES, arguments, symbol
from noria.engines.native.tiles import TileShape, tile_shape, write_tiles


@dataclass(frozen=True, eq=False)
class ProductLibrary:
    """Compiled products in one precision. All functions are reentrant; none allocates memory.

    Attributes
    ----------
    numbers : Numbers
    shape : TileShape
    symbols : dict of str to int
        Addresses by symbol name, for modules that call them.
    functions : dict of str to callable
        The same for Python, by the name without prefix and suffix.
    """

    numbers: Numbers
    shape: TileShape
    symbols: dict[str, int]
    functions: dict[str, Callable[..., None]]
    code: Library = field(repr=False)

    @property
    def panel(self) -> int:
        """Vectors in a panel of a packed matrix."""
        return self.shape.vectors

    @property
    def tile_rows(self) -> int:
        """Rows of the largest tile."""
        return self.shape.rows

    def packed_size(self, K: int, vectors: int) -> int:
        """Give how many numbers a packed matrix of K rows and so many vectors of columns takes."""
        return K * vectors * self.numbers.lanes

    def work_size(self, columns: int) -> int:
        """Give how many numbers ``outer`` works in, for so many columns of B."""
        return outer.work_size(self.numbers, self.shape, columns)


def write_library(numbers: Numbers, shape: TileShape) -> ir.Module:
    """Write the module of all products."""
    module = ir.Module(f"products_f{8 * numbers.size}")
    table = write_tiles(module, numbers, shape)
    write_packing(module, numbers, shape)
    write_multiply(module, numbers, shape, table)
    outer.write_outer(module, numbers, shape, table)
    return module


def build(numbers: Numbers, shape: TileShape | None = None) -> ProductLibrary:
    """Compile the products for numbers of one kind, with the largest tile that suits or another."""
    shape = shape or tile_shape(numbers)
    code = compiled(
        lambda: write_library(numbers, shape),
        asked=f"products {numbers.suffix} {numbers.registers} {shape}",
        effort=2,
    )
    functions = {}
    for name, text in SIGNATURES.items():
        kinds = [ctypes.c_void_p if kind is POINTER else ctypes.c_int64 for _, kind in arguments(text)]
        functions[name] = code.function(symbol(name, numbers.size), kinds)
    names = (symbol(name, numbers.size) for name in SIGNATURES)
    return ProductLibrary(numbers, shape, {name: code.address(name) for name in names}, functions, code)
