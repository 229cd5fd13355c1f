"""The product of rows with a packed matrix: which tiles, in which order."""

from llvmlite import ir

from noria.engines.native.abreast import multiply_abreast, write_abreast
from noria.engines.native.code import INDEX, POINTER, Code, Numbers
from noria.engines.native.counts import greatest, least, part_of, pieces
from noria.engines.native.signatures import SIGNATURES, arguments, symbol
from noria.engines.native.tiles import TileShape, call_tile, find_tile, is_row

DEEP = 1 << 18
"""Bytes of a panel, at most, that are multiplied in one go."""
BLOCK = 1 << 17
"""Bytes of rows, about, that are multiplied with one panel after the other."""


def write_multiply(module: ir.Module, numbers: Numbers, shape: TileShape, table: ir.GlobalVariable) -> None:
    """Write ``multiply`` and ``multiply_ahead`` into a module.

    A block of rows stays in the second-level cache while all panels pass, and a panel in the first or second
    while the block's tiles pass it. Very long rows are cut; the sums so far wait in C. What is multiplied
    next always lies right behind, where the tiles ask for it in time. With a few rows only, several panels
    are read abreast, and what is left of them comes by tiles.

    The tiles of a panel ask for the next one, each for its share: all of it at once would come no faster, and
    the tile would wait. Where there are several they also ask, evenly, for what is needed when the product
    is done.
    """
    abreast = write_abreast(module, numbers, shape)
    _multiply_ahead(module, numbers, shape, table, abreast)
    code = Code(module, numbers, symbol("multiply", numbers.size), arguments(SIGNATURES["multiply"]))
    code.call(
        symbol("multiply_ahead", numbers.size),
        [*code.given.values(), ir.Constant(POINTER, None), code.index(0)],
    )
    code.done()


def _multiply_ahead(
    module: ir.Module,
    numbers: Numbers,
    shape: TileShape,
    table: ir.GlobalVariable,
    abreast: list[ir.Function],
) -> None:
    name = symbol("multiply_ahead", numbers.size)
    code = Code(module, numbers, name, arguments(SIGNATURES["multiply_ahead"]))
    b, lanes = code.b, numbers.lanes
    zero, one = code.index(0), code.index(1)
    A, lda, rows, K, P, first_panel, last_panel, vectors, C, ldc, add, ahead, wanted = code.given.values()
    first_panel = multiply_abreast(code, shape, abreast)
    panel_numbers = shape.vectors * lanes
    cuts = greatest(code, pieces(code, K, DEEP // (panel_numbers * numbers.size)), one)
    height = b.sdiv(code.index(BLOCK // numbers.size), greatest(code, K, one))
    blocks = pieces(code, rows, greatest(code, height, code.index(4 * shape.rows)))
    place, asked = b.alloca(POINTER), b.alloca(INDEX)
    b.store(zero, asked)
    with code.each(blocks) as block:
        first_row, block_rows = part_of(code, block, rows, blocks)
        tiles = pieces(code, block_rows, shape.rows)
        low = b.sdiv(block_rows, tiles)
        high, border = b.add(low, one), b.mul(b.srem(block_rows, tiles), b.add(low, one))
        several = b.icmp_signed(">", tiles, one)
        all_k = b.mul(b.mul(blocks, tiles), b.mul(b.sub(last_panel, first_panel), K))
        evenly = pieces(code, wanted, greatest(code, all_k, one))
        with code.each(last_panel, start=first_panel) as panel, code.each(cuts) as cut:
            before = b.mul(panel, code.index(shape.vectors))
            width = least(code, b.sub(vectors, before), code.index(shape.vectors))
            column = b.mul(before, code.index(lanes))
            first_k, count = part_of(code, cut, K, cuts)
            numbers_wide = b.mul(width, code.index(lanes))
            weights = code.at(P, b.add(b.mul(column, K), b.mul(first_k, numbers_wide)))
            next_weights = code.at(weights, b.mul(count, numbers_wide))
            corner = code.at(A, b.add(b.mul(first_row, lda), first_k))
            result = code.at(C, b.add(b.mul(first_row, ldc), column))
            row_added = b.add(add, b.mul(column, code.index(numbers.size)))
            adding = b.select(is_row(code, add), row_added, add)
            adding = b.select(b.icmp_signed("!=", cut, zero), one, adding)
            pace = pieces(code, numbers_wide, tiles)
            b.store(next_weights, place)
            for start, stop, step in ((zero, border, high), (border, block_rows, low)):
                with code.when(b.icmp_signed("<", start, stop)):
                    tile = find_tile(code, table, shape, step, width)
                    with code.each(stop, start=start, step=step) as row:
                        a, c = code.at(corner, b.mul(row, lda)), code.at(result, b.mul(row, ldc))
                        following, so_far = b.load(place, typ=POINTER), b.load(asked, typ=INDEX)
                        b.store(code.at(following, b.mul(pace, count)), place)
                        further = b.and_(several, b.icmp_signed("<", so_far, wanted))
                        b.store(b.add(so_far, b.select(further, b.mul(evenly, count), zero)), asked)
                        beyond = b.select(further, code.at(ahead, so_far), code.at(following, lanes))
                        asking = [following, pace, beyond, b.select(further, evenly, pace)]
                        call_tile(code, tile, [a, lda, one, count, weights, c, ldc, adding, *asking])
    code.done()
