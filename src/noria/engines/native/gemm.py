"""The product of rows with a packed matrix: which tiles, in which order."""

from llvmlite import ir

from noria.engines.native.abreast import multiply_abreast, write_abreast
from noria.engines.native.code import Code, Numbers
from noria.engines.native.counts import greatest, least, part_of, pieces
from noria.engines.native.signatures import SIGNATURES, arguments, symbol
from noria.engines.native.tiles import TileShape, call_tile, find_tile

DEEP = 1 << 18
"""Bytes of a panel, at most, that are multiplied in one go."""
BLOCK = 1 << 17
"""Bytes of rows, about, that are multiplied with one panel after the other."""


def write_multiply(module: ir.Module, numbers: Numbers, shape: TileShape, table: ir.GlobalVariable) -> None:
    """Write ``multiply`` into a module.

    A block of rows stays in the second-level cache while all panels pass, and a panel in the first or second
    while the block's tiles pass it. Very long rows are cut; the sums so far wait in C. What is multiplied
    next always lies right behind, where the tiles ask for it in time. With a few rows only, several panels
    are read abreast, and what is left of them comes by tiles.
    """
    abreast = write_abreast(module, numbers, shape)
    code = Code(module, numbers, symbol("multiply", numbers.size), arguments(SIGNATURES["multiply"]))
    b, lanes = code.b, numbers.lanes
    A, lda, rows, K, P, first_panel, last_panel, vectors, C, ldc, add = code.given.values()
    first_panel = multiply_abreast(code, shape, abreast)
    panel_numbers = shape.vectors * lanes
    cuts = greatest(code, pieces(code, K, DEEP // (panel_numbers * numbers.size)), code.index(1))
    height = b.sdiv(code.index(BLOCK // numbers.size), greatest(code, K, code.index(1)))
    blocks = pieces(code, rows, greatest(code, height, code.index(4 * shape.rows)))
    with code.each(blocks) as block:
        first_row, block_rows = part_of(code, block, rows, blocks)
        tiles = pieces(code, block_rows, shape.rows)
        low = b.sdiv(block_rows, tiles)
        high, border = b.add(low, code.index(1)), b.mul(b.srem(block_rows, tiles), b.add(low, code.index(1)))
        with code.each(last_panel, start=first_panel) as panel, code.each(cuts) as cut:
            before = b.mul(panel, code.index(shape.vectors))
            width = least(code, b.sub(vectors, before), code.index(shape.vectors))
            column = b.mul(before, code.index(lanes))
            first_k, count = part_of(code, cut, K, cuts)
            weights = code.at(P, b.add(b.mul(column, K), b.mul(b.mul(first_k, width), code.index(lanes))))
            corner = code.at(A, b.add(b.mul(first_row, lda), first_k))
            result = code.at(C, b.add(b.mul(first_row, ldc), column))
            adding = b.or_(add, cut)
            for start, stop, step in ((code.index(0), border, high), (border, block_rows, low)):
                with code.when(b.icmp_signed("<", start, stop)):
                    tile = find_tile(code, table, shape, step, width)
                    with code.each(stop, start=start, step=step) as row:
                        a, c = code.at(corner, b.mul(row, lda)), code.at(result, b.mul(row, ldc))
                        call_tile(code, tile, [a, lda, code.index(1), count, weights, c, ldc, adding])
    code.done()
