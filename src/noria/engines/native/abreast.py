"""Products with a few rows: several panels of a packed matrix are read abreast.

With so few rows a product is as fast as the weights come from the second-level cache. One accumulator for
each vector of a single panel would wait for its last sum; with several panels there are enough of them, each
spread number serves all, and the cache is asked at several places at once.
"""

from llvmlite import ir

from noria.engines.native.code import POINTER, Code, Numbers
from noria.engines.native.signatures import arguments
from noria.engines.native.tiles import FEW, TileShape, is_row

MOST = 4
"""Panels abreast, at most."""


def panels_abreast(numbers: Numbers, shape: TileShape, rows: int) -> int:
    """Choose how many panels a product of so many rows reads at once: as many as its accumulators allow."""
    return max(1, min(MOST, numbers.registers * 3 // 4 // (rows * shape.vectors)))


def write_abreast(module: ir.Module, numbers: Numbers, shape: TileShape) -> list[ir.Function]:
    """Write ``abreast(A, lda, K, P, C, ldc, add)`` for 1 to :data:`tiles.FEW` rows.

    Each makes ``C = A B`` for as many whole panels as :func:`panels_abreast` says, the first of which begins
    at P; ``add`` is that of a tile.
    """
    return [_abreast(module, numbers, shape, rows) for rows in range(1, FEW + 1)]


def _abreast(module: ir.Module, numbers: Numbers, shape: TileShape, rows: int) -> ir.Function:
    code = Code(module, numbers, f"abreast_{rows}", arguments("A* lda K P* C* ldc add"), internal=True)
    b, width = code.b, shape.vectors * numbers.lanes
    A, lda, K, P, C, ldc, add = code.given.values()
    panels = panels_abreast(numbers, shape, rows)
    starts = [code.at(P, b.mul(K, code.index(panel * width))) for panel in range(panels)]
    places = [code.at(C, b.mul(ldc, code.index(row))) for row in range(rows)]
    operands = [code.at(A, b.mul(lda, code.index(row))) for row in range(rows)]

    def multiply(k: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
        row = b.mul(k, code.index(width))
        spread = [code.spread_at(operand, k) for operand in operands]
        news = []
        for panel, start in enumerate(starts):
            for vector in range(shape.vectors):
                column = code.load(code.at(start, row), vector * numbers.lanes)
                for number, a in enumerate(spread):
                    before = sums[(panel * shape.vectors + vector) * rows + number]
                    news.append(code.intrinsic("fmuladd", a, column, before))
        return news

    zeros = [code.constant(0.0)] * (panels * shape.vectors * rows)
    sums = code.loop(K, multiply, zeros)
    adding = b.icmp_signed("!=", add, code.index(0))
    with b.if_else(adding) as (then, otherwise):
        for branch, adds in ((then, True), (otherwise, False)):
            with branch:
                for column in range(panels * shape.vectors):
                    for number, place in enumerate(places):
                        total = sums[column * rows + number]
                        if adds:
                            before = b.select(is_row(code, add), b.inttoptr(add, POINTER), place)
                            total = code.add(code.load(before, column * numbers.lanes), total)
                        code.store(total, place, column * numbers.lanes)
    code.done()
    return code.function


def multiply_abreast(code: Code, shape: TileShape, functions: list[ir.Function]) -> ir.Value:
    """Multiply as many panels as can be taken abreast; give the first that is left, in generated code.

    ``code`` writes a function that begins with the arguments of ``multiply``; see :mod:`.signatures`.
    """
    b, lanes = code.b, code.numbers.lanes
    A, lda, rows, K, P, first_panel, last_panel, vectors, C, ldc, add, *_ = code.given.values()
    left = b.alloca(first_panel.type)
    b.store(first_panel, left)
    whole = b.sdiv(vectors, code.index(shape.vectors))
    end = b.select(b.icmp_signed("<", whole, last_panel), whole, last_panel)
    for number, function in enumerate(functions, start=1):
        count = panels_abreast(code.numbers, shape, number)
        with code.when(b.icmp_signed("==", rows, code.index(number))):
            beyond = b.sub(end, code.index(count - 1))
            with code.each(beyond, start=first_panel, step=count) as panel:
                column = b.mul(panel, code.index(shape.vectors * lanes))
                weights = code.at(P, b.mul(column, K))
                row_added = b.add(add, b.mul(column, code.index(code.numbers.size)))
                adding = b.select(is_row(code, add), row_added, add)
                b.call(function, [A, lda, K, weights, code.at(C, column), ldc, adding])
                b.store(b.add(panel, code.index(count)), left)
    return b.load(left, typ=first_panel.type)
