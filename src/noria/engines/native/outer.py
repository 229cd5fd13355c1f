"""Sums over many rows: of outer products (gradients of weights), by symbol, and of the rows themselves."""

from collections.abc import Callable

from llvmlite import ir

from noria.engines.native.code import INDEX, Code, Numbers
from noria.engines.native.counts import greatest, least, part_of, pieces
from noria.engines.native.edges import first_lanes, load_part, store_part
from noria.engines.native.signatures import SIGNATURES, arguments, symbol
from noria.engines.native.tiles import TileShape, call_tile, find_tile

ROWS = 384
"""Rows in one block of the sum, at most."""
TILES = 20
"""Tiles of A packed together, at most."""
PANELS = 1 << 20
"""Bytes of packed B, at most."""
ABREAST = 4
"""Vectors of columns that are summed at a time, so that one addition need not wait for the one before."""


def panels_of_b(numbers: Numbers, shape: TileShape) -> int:
    """Give how many panels of B are packed together, at most."""
    return PANELS // (ROWS * shape.vectors * numbers.lanes * numbers.size)


def work_size(numbers: Numbers, shape: TileShape, columns: int) -> int:
    """Give how many numbers ``outer`` needs to work in, for so many columns of B."""
    width = shape.vectors * numbers.lanes
    panels = min(panels_of_b(numbers, shape), -(-columns // width))
    return ROWS * panels * width + TILES * _tile_size(numbers, shape) + shape.rows * width


def _tile_size(numbers: Numbers, shape: TileShape) -> int:
    return numbers.padded(ROWS * shape.rows) + numbers.padded(shape.rows)


def write_outer(module: ir.Module, numbers: Numbers, shape: TileShape, table: ir.GlobalVariable) -> None:
    """Write ``outer``, ``add_rows`` and ``sum_rows`` into a module.

    Blocks of B and of A are packed so that all tiles read them in order, and a tile of C is read and written
    once for each block of rows (Goto and van de Geijn 2008).
    """
    parts = (
        _pack_b(module, numbers, shape),
        _pack_a(module, numbers, shape),
        _add_part(module, numbers, shape),
    )
    _outer(module, numbers, shape, table, parts)
    _add_rows(module, numbers)
    _sum_rows(module, numbers)


def _outer(
    module: ir.Module,
    numbers: Numbers,
    shape: TileShape,
    table: ir.GlobalVariable,
    parts: tuple[ir.Function, ir.Function, ir.Function],
) -> None:
    code = Code(module, numbers, symbol("outer", numbers.size), arguments(SIGNATURES["outer"]))
    b, lanes = code.b, numbers.lanes
    A, lda, group, stride, m0, m1, B, ldb, columns, rows, index, C, ldc, work = code.given.values()
    pack_b, pack_a, add_part = parts
    width, one = shape.vectors * lanes, code.index(1)
    most = panels_of_b(numbers, shape) * width
    widest = least(code, columns, code.index(most))
    room = b.mul(pieces(code, widest, width), code.index(width * ROWS))
    scratch, packed_b = work, code.at(work, shape.rows * width)
    packed_a = code.at(packed_b, room)
    cuts = pieces(code, rows, ROWS)
    with code.each(columns, step=most) as n, code.each(cuts) as cut:
        first_k, count = part_of(code, cut, rows, cuts)
        n_count = least(code, b.sub(columns, n), code.index(most))
        vectors = pieces(code, n_count, lanes)
        b.call(pack_b, [code.at(B, n), ldb, index, first_k, count, n_count, packed_b])
        with code.each(pieces(code, m1, group), start=b.sdiv(m0, group)) as g:
            begin = greatest(code, m0, b.mul(g, group))
            end = least(code, m1, b.mul(b.add(g, one), group))
            length = b.sub(end, begin)
            blocks = pieces(code, length, TILES * shape.rows)
            with code.each(blocks) as block:
                offset, height = part_of(code, block, length, blocks)
                m = b.add(begin, offset)
                tiles = pieces(code, height, shape.rows)
                column = b.add(b.mul(g, stride), b.sub(m, b.mul(g, group)))
                source = code.at(A, b.add(b.mul(first_k, lda), column))
                b.call(pack_a, [source, lda, count, height, packed_a])
                with code.each(vectors, step=shape.vectors) as vector:
                    wide = least(code, b.sub(vectors, vector), code.index(shape.vectors))
                    before = b.mul(vector, code.index(lanes))
                    left = b.sub(n_count, before)
                    weights = code.at(packed_b, b.mul(before, count))
                    partial = b.icmp_signed("<", left, b.mul(wide, code.index(lanes)))
                    with code.each(tiles) as tile:
                        row, high = part_of(code, tile, height, tiles)
                        function = find_tile(code, table, shape, high, wide)
                        a = code.at(packed_a, b.mul(tile, code.index(_tile_size(numbers, shape))))
                        c = code.at(C, b.add(b.mul(b.add(m, row), ldc), b.add(n, before)))
                        given = [a, one, high, count, weights]
                        panel = b.mul(wide, code.index(lanes))
                        following = code.at(weights, b.mul(panel, count))  # the next panel, line by line
                        then_on = [following, panel, code.at(following, lanes), panel]
                        with b.if_else(partial) as (then, otherwise):
                            with then:
                                into = [scratch, code.index(width), code.index(0)]
                                call_tile(code, function, [*given, *into, *then_on])
                                b.call(add_part, [scratch, high, left, c, ldc])
                            with otherwise:
                                call_tile(code, function, [*given, c, ldc, one, *then_on])
    code.done()


def _pack_b(module: ir.Module, numbers: Numbers, shape: TileShape) -> ir.Function:
    """Write ``pack_b(B, ldb, index, first, count, columns, P)``: panels of the rows B[index[first + k]]."""
    code = Code(module, numbers, "pack_b", arguments("B* ldb index* first count columns P*"), internal=True)
    b, lanes = code.b, numbers.lanes
    B, ldb, index, first, count, columns, P = code.given.values()
    straight = b.icmp_unsigned("==", b.ptrtoint(index, INDEX), code.index(0))
    vectors = pieces(code, columns, lanes)
    full = b.sdiv(columns, code.index(lanes))
    mask = first_lanes(code, b.srem(columns, code.index(lanes)))
    with code.each(count) as k:
        before = b.block
        at_k = b.add(first, k)
        with b.if_then(b.not_(straight)):
            gathered = code.load_index(index, at_k)
            inside = b.block
        row = b.phi(INDEX)
        row.add_incoming(at_k, before)
        row.add_incoming(gathered, inside)
        source = code.at(B, b.mul(row, ldb))

        def place(vector: ir.Value, k: ir.Value = k) -> ir.Value:
            panel = b.and_(vector, code.index(-shape.vectors))
            wide = least(code, b.sub(vectors, panel), code.index(shape.vectors))
            inner = b.add(b.mul(k, wide), b.sub(vector, panel))
            return b.mul(b.add(b.mul(panel, count), inner), code.index(lanes))

        with code.each(full) as vector:
            code.store(code.load(source, b.mul(vector, code.index(lanes))), P, place(vector))
        with code.each(vectors, start=full) as vector:
            value = load_part(code, mask, source, b.mul(vector, code.index(lanes)))
            code.store(value, P, place(vector))
    code.done()
    return code.function


def _pack_a(module: ir.Module, numbers: Numbers, shape: TileShape) -> ir.Function:
    """Write ``pack_a(A, lda, count, height, P)``: tiles of columns of A, each row of a tile dense.

    Whole vectors are stored over the beginning of the next row, which is written after; behind the last row
    of a tile there is room.
    """
    code = Code(module, numbers, "pack_a", arguments("A* lda count height P*"), internal=True)
    b, lanes = code.b, numbers.lanes
    A, lda, count, height, P = code.given.values()
    tiles = pieces(code, height, shape.rows)
    each, more = b.sdiv(height, tiles), b.srem(height, tiles)
    parts = range(-(-shape.rows // lanes))

    def copy(k: ir.Value, start: ir.Value, stop: ir.Value, border: ir.Value, high: ir.Value) -> None:
        masks = [first_lanes(code, b.sub(high, code.index(part * lanes))) for part in parts]
        source, target = code.at(A, b.add(b.mul(k, lda), border)), code.at(P, b.mul(k, high))
        with code.each(b.sub(stop, start)) as tile:
            own = b.mul(b.add(start, tile), code.index(_tile_size(numbers, shape)))
            for part in parts:
                value = load_part(
                    code, masks[part], source, b.add(b.mul(tile, high), code.index(part * lanes))
                )
                code.store(value, target, b.add(own, code.index(part * lanes)))

    with code.each(count) as k:
        higher = b.add(each, code.index(1))
        copy(k, code.index(0), more, code.index(0), higher)
        copy(k, more, tiles, b.mul(more, higher), each)
    code.done()
    return code.function


def _add_part(module: ir.Module, numbers: Numbers, shape: TileShape) -> ir.Function:
    """Write ``add_part(S, rows, columns, C, ldc)``: C += S where S is a tile and C has fewer columns."""
    code = Code(module, numbers, "add_part", arguments("S* rows columns C* ldc"), internal=True)
    b, lanes = code.b, numbers.lanes
    S, rows, columns, C, ldc = code.given.values()
    masks = [first_lanes(code, b.sub(columns, code.index(v * lanes))) for v in range(shape.vectors)]
    with code.each(rows) as row:
        for v, mask in enumerate(masks):
            place = code.at(C, b.add(b.mul(row, ldc), code.index(v * lanes)))
            value = code.load(
                S, b.mul(b.add(b.mul(row, code.index(shape.vectors)), code.index(v)), code.index(lanes))
            )
            store_part(code, code.add(load_part(code, mask, place), value), mask, place)
    code.done()
    return code.function


def _add_rows(module: ir.Module, numbers: Numbers) -> None:
    code = Code(module, numbers, symbol("add_rows", numbers.size), arguments(SIGNATURES["add_rows"]))
    b, lanes = code.b, numbers.lanes
    T, ldt, ids, count, R, ldr, c0, c1 = code.given.values()
    with code.each(count) as i:
        target = code.at(T, b.mul(code.load_index(ids, i), ldt))
        source = code.at(R, b.mul(i, ldr))
        with code.each(c1, start=c0, step=lanes) as c:
            code.store(code.add(code.load(target, c), code.load(source, c)), target, c)
    code.done()


def _sum_rows(module: ir.Module, numbers: Numbers) -> None:
    code = Code(module, numbers, symbol("sum_rows", numbers.size), arguments(SIGNATURES["sum_rows"]))
    b, lanes = code.b, numbers.lanes
    R, ldr, rows, columns, sums = code.given.values()
    whole, full = b.and_(columns, code.index(-ABREAST * lanes)), b.and_(columns, code.index(-lanes))
    mask = first_lanes(code, b.sub(columns, full))

    def added_up(c: ir.Value, abreast: int, load: Callable[[ir.Value, int], ir.Value]) -> list[ir.Value]:
        def step(k: ir.Value, totals: list[ir.Value]) -> list[ir.Value]:
            row = code.at(R, b.add(b.mul(k, ldr), c))
            return [code.add(total, load(row, v * lanes)) for v, total in enumerate(totals)]

        return code.loop(rows, step, [code.constant(0.0)] * abreast)

    for begin, end, abreast in ((code.index(0), whole, ABREAST), (whole, full, 1)):
        with code.each(end, start=begin, step=abreast * lanes) as c:
            place = code.at(sums, c)
            for v, total in enumerate(added_up(c, abreast, code.load)):
                code.store(code.add(code.load(place, v * lanes), total), place, v * lanes)
    with code.each(columns, start=full, step=lanes) as c:  # once or never
        (total,) = added_up(c, 1, lambda row, v: load_part(code, mask, row, v))
        store_part(code, code.add(load_part(code, mask, sums, c), total), mask, sums, c)
    code.done()
