"""Register tiles: a few rows times a few vectors of columns, summed over k without leaving the registers.

Every product of the engine is made of them. A tile of m rows and w vectors keeps m * w accumulators, loads w
vectors of the packed matrix and spreads m numbers for each k, and so multiplies far more often than it loads
(Goto and van de Geijn 2008, Anatomy of high-performance matrix multiplication).
"""

from dataclasses import dataclass

from llvmlite import ir

from noria.engines.native.code import POINTER, VOID, Code, Numbers
from noria.engines.native.edges import prefetch
from noria.engines.native.signatures import arguments

FEW = 3
"""Up to so many rows, panels come as fast as the second-level cache gives them, and asking ahead costs."""


@dataclass(frozen=True)
class TileShape:
    """The largest tile.

    Attributes
    ----------
    rows : int
    vectors : int
        Vectors side by side; a panel of a packed matrix is as wide.
    """

    rows: int
    vectors: int


def tile_shape(numbers: Numbers) -> TileShape:
    """Choose the largest tile: its accumulators take three quarters of the registers.

    Two vectors wide, and high: a panel of several hundred rows then stays in the first-level cache, and
    little has to come from the second.
    """
    return TileShape(numbers.registers * 3 // 8, 2)


def splits(numbers: Numbers, rows: int, vectors: int) -> int:
    """Choose how many partial sums over k a tile keeps for each accumulator.

    Few accumulators wait for each other: a sum of products is ready only four cycles later, and two begin in
    every cycle.
    """
    parts = 1
    while rows <= FEW and rows * vectors * parts < 8 and parts < 4:
        parts *= 2
    return parts if rows * vectors * parts <= numbers.registers // 2 else 1


def write_tiles(module: ir.Module, numbers: Numbers, shape: TileShape) -> ir.GlobalVariable:
    """Write the tiles of all heights and widths into a module, and a table of them.

    Each is ``tile(A, row_stride, k_stride, K, P, C, ldc, add, ahead, pace, beyond, pace_beyond)`` and makes
    ``C = A P``, plus C itself where ``add`` is 1, plus the row at the address ``add`` where it is neither 0
    nor 1. Number (r, k) of A lies at ``r * row_stride + k * k_stride``, and row k of P is one row of vectors.
    Meanwhile it asks for what lies at ``ahead`` and at ``beyond``, so many numbers for each k.

    Returns
    -------
    global array of pointers
        Tile of m rows and w vectors at index ``(m - 1) * shape.vectors + w - 1``.
    """
    nothing = ir.GlobalVariable(module, ir.ArrayType(numbers.real, shape.vectors * numbers.lanes), "nothing")
    nothing.linkage, nothing.global_constant = "internal", True
    nothing.initializer, nothing.type = ir.Constant(nothing.value_type, None), POINTER
    tiles: list[ir.Function] = []
    for rows in range(1, shape.rows + 1):
        for vectors in range(1, shape.vectors + 1):
            highest = -(-shape.rows * vectors // shape.vectors)
            if rows <= highest:
                tiles.append(_tile(module, numbers, rows, vectors, nothing))
            else:
                lower = tiles[(highest - 1) * shape.vectors + vectors - 1]
                upper = tiles[(rows - highest - 1) * shape.vectors + vectors - 1]
                tiles.append(_pile(module, numbers, rows, vectors, highest, (lower, upper)))
    kind = ir.ArrayType(POINTER, len(tiles))
    table = ir.GlobalVariable(module, kind, "tiles")
    table.linkage = "internal"
    table.global_constant = True
    table.initializer = ir.Constant(
        kind, [ir.FormattedConstant(POINTER, tile.get_reference()) for tile in tiles]
    )
    table.type = POINTER
    return table


ARGUMENTS = arguments("A* row_stride k_stride K P* C* ldc add ahead* pace beyond* pace_beyond")
TILE = ir.FunctionType(VOID, [kind for _, kind in ARGUMENTS])
"""What every tile looks like to its caller."""


def find_tile(
    code: Code, table: ir.GlobalVariable, shape: TileShape, rows: ir.Value, vectors: ir.Value
) -> ir.Value:
    """Look a tile up in the table, in generated code."""
    b = code.b
    index = b.add(b.mul(rows, code.index(shape.vectors)), vectors)
    return code.load_pointer(table, b.sub(index, code.index(shape.vectors + 1)))


def call_tile(code: Code, tile: ir.Value, arguments: list[ir.Value]) -> None:
    """Call a tile that was looked up."""
    code.call_at(tile, TILE, arguments)


def is_row(code: Code, add: ir.Value) -> ir.Value:
    """Tell whether ``add`` is the address of a row that is added to every row."""
    return code.b.icmp_unsigned(">", add, code.index(1))


def _pile(
    module: ir.Module,
    numbers: Numbers,
    rows: int,
    vectors: int,
    lower_rows: int,
    tiles: tuple[ir.Function, ir.Function],
) -> ir.Function:
    """Write a high, narrow tile as two lower ones: it is rare, and every kind takes time to compile."""
    code = Code(module, numbers, f"tile_{rows}_{vectors}", ARGUMENTS, internal=True)
    A, row_stride, k_stride, K, P, C, ldc, add, *asked = code.given.values()
    for tile, first in zip(tiles, (0, lower_rows), strict=True):
        a = code.at(A, code.b.mul(row_stride, code.index(first)))
        c = code.at(C, code.b.mul(ldc, code.index(first)))
        code.b.call(tile, [a, row_stride, k_stride, K, P, c, ldc, add, *asked])
    code.done()
    return code.function


def _tile(
    module: ir.Module, numbers: Numbers, rows: int, vectors: int, nothing: ir.GlobalVariable
) -> ir.Function:
    code = Code(module, numbers, f"tile_{rows}_{vectors}", ARGUMENTS, internal=True)
    b, width = code.b, vectors * numbers.lanes
    A, row_stride, k_stride, K, P, C, ldc, add, ahead, pace, beyond, pace_beyond = code.given.values()
    parts = splits(numbers, rows, vectors)
    starts = [code.at(A, b.mul(row_stride, code.index(r))) for r in range(rows)]
    adding = b.icmp_signed("==", add, code.index(1))
    if rows > FEW:
        with code.each(rows) as row:
            for v in range(vectors):
                prefetch(code, code.at(C, b.mul(row, ldc)), v * numbers.lanes)
    # Where nothing is added, zeros are: one way out of the tile is half the code.
    before = b.select(adding, C, b.select(is_row(code, add), b.inttoptr(add, POINTER), nothing))
    before_stride = b.select(adding, ldc, code.index(0))

    def multiply(k: ir.Value, offset: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
        row = b.mul(k, code.index(width))
        columns = [code.load(code.at(P, row), v * numbers.lanes) for v in range(vectors)]
        if rows > FEW:
            for place, speed in ((ahead, pace), (beyond, pace_beyond)):
                prefetch(code, place, b.mul(k, speed), level=2)
        news = []
        for r, start in enumerate(starts):
            a = code.spread_at(start, offset)
            for v, column in enumerate(columns):
                news.append(code.intrinsic("fmuladd", a, column, sums[r * vectors + v]))
        return news

    def several(k: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
        offset, sums, news = carried[0], carried[1:], []
        for part in range(parts):
            own = sums[part * rows * vectors : (part + 1) * rows * vectors]
            news += multiply(b.add(k, code.index(part)), offset, own)
            offset = b.add(offset, k_stride)
        return [offset, *news]

    def one(k: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
        return [b.add(carried[0], k_stride), *multiply(k, carried[0], carried[1:])]

    zero = b.bitcast(ir.Constant(ir.IntType(8 * numbers.size * numbers.lanes), 0), numbers.vector)
    zeros = [zero] * (rows * vectors)
    whole = K if parts == 1 else b.and_(K, code.index(-parts))
    offset, *sums = code.loop(whole, several, [code.index(0), *zeros * parts], step=parts)
    while len(sums) > rows * vectors:
        half = len(sums) // 2
        sums = [code.add(low, high) for low, high in zip(sums[:half], sums[half:], strict=True)]
    if parts > 1:
        _, *sums = code.loop(K, one, [offset, *sums], start=whole)
    for r in range(rows):
        place = code.at(C, b.mul(ldc, code.index(r)))
        old = code.at(before, b.mul(before_stride, code.index(r)))
        for v in range(vectors):
            value = code.add(code.load(old, v * numbers.lanes), sums[r * vectors + v])
            code.store(value, place, v * numbers.lanes)
    code.done()
    return code.function
