"""Packing: matrices laid out as the register tiles read them, and the transpositions this takes.

A packed matrix B of K rows has its columns in panels of a few vectors. Panel p is contiguous, K rows of
``width`` vectors, at offset ``p * panel * lanes * K``; only the last panel may be narrower.
"""

from llvmlite import ir

from noria.engines.native.code import POINTER, Code, Numbers
from noria.engines.native.counts import least
from noria.engines.native.edges import first_lanes, load_part, store_part
from noria.engines.native.signatures import SIGNATURES, arguments, symbol
from noria.engines.native.tiles import TileShape

I32 = ir.IntType(32)


def write_packing(module: ir.Module, numbers: Numbers, shape: TileShape) -> None:
    """Write ``pack_transposed``, ``pack_straight``, ``transpose`` and ``add_transposed`` into a module."""
    square = _square(module, numbers)
    slab = _slab(module, numbers, square)
    _pack_transposed(module, numbers, shape, slab)
    _pack_straight(module, numbers, shape)
    _transpose(module, numbers, slab)
    _add_transposed(module, numbers, square)


def find_vector(
    code: Code, shape: TileShape, K: ir.Value, vector: ir.Value, vectors: ir.Value
) -> list[ir.Value]:
    """Find a vector of columns in a packed matrix: where its first row is, and how far it is to the next."""
    b, lanes = code.b, code.numbers.lanes
    panel = b.sdiv(vector, code.index(shape.vectors))
    before = b.mul(panel, code.index(shape.vectors))
    width = least(code, b.sub(vectors, before), code.index(shape.vectors))
    offset = b.add(b.mul(before, K), b.sub(vector, before))
    return [b.mul(offset, code.index(lanes)), b.mul(width, code.index(lanes))]


def _shuffle(code: Code, first: ir.Value, second: ir.Value, lanes: list[int]) -> ir.Value:
    return code.b.shuffle_vector(first, second, ir.Constant(ir.VectorType(I32, len(lanes)), lanes))


def transposed(code: Code, rows: list[ir.Value]) -> list[ir.Value]:
    """Transpose as many vectors as they have lanes, in registers.

    Blocks off the diagonal change places, halves first, then quarters, down to single numbers (Eklundh
    1972, A fast computer method for matrix transposing).
    """
    lanes = code.numbers.lanes
    rows = list(rows)
    step = lanes // 2
    while step:
        low = [lanes + i - step if i & step else i for i in range(lanes)]
        high = [lanes + i if i & step else i + step for i in range(lanes)]
        for i in range(lanes):
            if not i & step:
                first, second = rows[i], rows[i + step]
                rows[i] = _shuffle(code, first, second, low)
                rows[i + step] = _shuffle(code, first, second, high)
        step //= 2
    return rows


def _square(module: ir.Module, numbers: Numbers) -> ir.Function:
    """Write ``square(S, lds, T, ldt)``: T[i, r] = S[r, i] for a whole square of one vector by one vector."""
    code = Code(module, numbers, "square", arguments("S* lds T* ldt"), internal=True)
    S, lds, T, ldt = code.given.values()
    rows = [code.load(S, code.b.mul(lds, code.index(r))) for r in range(numbers.lanes)]
    for i, row in enumerate(transposed(code, rows)):
        code.store(row, T, code.b.mul(ldt, code.index(i)))
    code.done()
    return code.function


def _slab(module: ir.Module, numbers: Numbers, square: ir.Function) -> ir.Function:
    """Write ``slab(S, lds, rows, columns, T, ldt)``: T[i, r] = S[r, i], and zeros up to the next vector of r.

    At most one vector of rows. Squares at the edges pass through a buffer, so that nothing foreign is read.
    """
    code = Code(module, numbers, "slab", arguments("S* lds rows columns T* ldt"), internal=True)
    b, lanes = code.b, numbers.lanes
    S, lds, rows, columns, T, ldt = code.given.values()
    edge, result = _squares(code)
    complete = b.icmp_signed("==", rows, code.index(lanes))
    whole = b.select(complete, b.and_(columns, code.index(-lanes)), code.index(0))
    with code.each(whole, step=lanes) as i:
        b.call(square, [code.at(S, i), lds, code.at(T, b.mul(i, ldt)), ldt])
    with code.each(columns, start=whole, step=lanes) as i:
        count = least(code, b.sub(columns, i), code.index(lanes))
        mask = first_lanes(code, count)
        with code.each(rows) as r:
            value = load_part(code, mask, S, b.add(b.mul(r, lds), i))
            code.store(value, edge, b.mul(r, code.index(lanes)))
        with code.each(lanes, start=rows) as r:
            code.store(code.constant(0.0), edge, b.mul(r, code.index(lanes)))
        b.call(square, [edge, code.index(lanes), result, code.index(lanes)])
        with code.each(count) as r:
            code.store(code.load(result, b.mul(r, code.index(lanes))), T, b.mul(b.add(i, r), ldt))
    code.done()
    return code.function


def _pack_transposed(module: ir.Module, numbers: Numbers, shape: TileShape, slab: ir.Function) -> None:
    code = Code(
        module, numbers, symbol("pack_transposed", numbers.size), arguments(SIGNATURES["pack_transposed"])
    )
    b, lanes = code.b, numbers.lanes
    W, ldw, outs, K, P, first, vectors = code.given.values()
    with code.each(outs, step=lanes) as row:
        vector = b.add(first, b.sdiv(row, code.index(lanes)))
        offset, stride = find_vector(code, shape, K, vector, vectors)
        rows = least(code, b.sub(outs, row), code.index(lanes))
        b.call(slab, [code.at(W, b.mul(row, ldw)), ldw, rows, K, code.at(P, offset), stride])
    code.done()


def _pack_straight(module: ir.Module, numbers: Numbers, shape: TileShape) -> None:
    code = Code(
        module, numbers, symbol("pack_straight", numbers.size), arguments(SIGNATURES["pack_straight"])
    )
    b, lanes = code.b, numbers.lanes
    W, ldw, rows, columns, P, k_offset, k_padded, K_total, vectors = code.given.values()
    with code.each(vectors) as vector:
        offset, stride = find_vector(code, shape, K_total, vector, vectors)
        target = code.at(P, b.add(offset, b.mul(k_offset, stride)))
        column = b.mul(vector, code.index(lanes))
        source, left = code.at(W, column), b.sub(columns, column)
        with b.if_else(b.icmp_signed(">=", left, code.index(lanes))) as (complete, partial):
            with complete, code.each(rows) as k:
                code.store(code.load(source, b.mul(k, ldw)), target, b.mul(k, stride))
            with partial:
                mask = first_lanes(code, left)
                with code.each(rows) as k:
                    code.store(load_part(code, mask, source, b.mul(k, ldw)), target, b.mul(k, stride))
        with code.each(k_padded, start=rows) as k:
            code.store(code.constant(0.0), target, b.mul(k, stride))
    code.done()


def _transpose(module: ir.Module, numbers: Numbers, slab: ir.Function) -> None:
    code = Code(module, numbers, symbol("transpose", numbers.size), arguments(SIGNATURES["transpose"]))
    b, lanes = code.b, numbers.lanes
    W, ldw, rows, columns, T, ldt = code.given.values()
    with code.each(rows, step=lanes) as row:
        count = least(code, b.sub(rows, row), code.index(lanes))
        b.call(slab, [code.at(W, b.mul(row, ldw)), ldw, count, columns, code.at(T, row), ldt])
    code.done()


def _add_transposed(module: ir.Module, numbers: Numbers, square: ir.Function) -> None:
    name = symbol("add_transposed", numbers.size)
    code = Code(module, numbers, name, arguments(SIGNATURES["add_transposed"]))
    b, lanes = code.b, numbers.lanes
    W, ldw, rows, columns, T, ldt = code.given.values()
    copy, result = _squares(code)
    with code.each(rows, step=lanes) as row, code.each(columns, step=lanes) as column:
        high = least(code, b.sub(rows, row), code.index(lanes))
        wide = least(code, b.sub(columns, column), code.index(lanes))
        mask = first_lanes(code, wide)
        with code.each(high) as r:
            value = load_part(code, mask, W, b.add(b.mul(b.add(row, r), ldw), column))
            code.store(value, copy, b.mul(r, code.index(lanes)))
        b.call(square, [copy, code.index(lanes), result, code.index(lanes)])
        mask = first_lanes(code, high)
        with code.each(wide) as i:
            place = b.add(b.mul(b.add(column, i), ldt), row)
            value = code.load(result, b.mul(i, code.index(lanes)))
            store_part(code, code.add(load_part(code, mask, T, place), value), mask, T, place)
    code.done()


def _squares(code: Code) -> list[ir.Value]:
    """Make room for two squares of one vector by one vector."""
    numbers = code.numbers
    buffers = [code.b.alloca(ir.ArrayType(numbers.vector, numbers.lanes)) for _ in range(2)]
    for buffer in buffers:
        buffer.align, buffer.type = numbers.lanes * numbers.size, POINTER
    return buffers
