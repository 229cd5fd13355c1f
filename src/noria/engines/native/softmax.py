"""Softmax and cross-entropy of rows: maximum, exponentials, their sum and the gradient, row after row."""

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir

from noria.engines.native.code import INDEX, POINTER, Code, Numbers
from noria.engines.native.edges import first_lanes, load_part, store_part
from noria.engines.native.flat import CHAINS, DOUBLE, in_pairs, narrowed, whole, widened
from noria.engines.native.functions import OPERATIONS
from noria.engines.native.host import compile_module

ARGUMENTS = (
    ("logits", POINTER),
    ("stride", INDEX),
    ("ids", POINTER),
    ("rows", INDEX),
    ("symbols", INDEX),
    ("of_targets", POINTER),
    ("sums", POINTER),
    ("out", POINTER),
    ("out_stride", INDEX),
    ("totals", POINTER),
    ("hits", POINTER),
)
SPREADING = (("scales", POINTER), ("shares", POINTER), ("spreads", POINTER))
"""What comes behind the arguments where part of a row's target lies on all symbols."""

FLOOR = {4: -64.0, 8: -600.0}
"""By the size of a number in bytes: symbols whose logits lie so far below the maximum get no share.

It would be 1e-28 at most in single precision. Shares that underflow cost as much as a dozen others.
"""


def softmax_function(numbers: Numbers, *, gradient: bool, spread: bool = False) -> Any:
    """Compile the pass over rows of logits.

    ``function(logits, stride, ids, rows, symbols, of_targets, sums, out, out_stride, totals, hits)`` writes
    for each row, in float64, the target's logit less the row's maximum into ``of_targets``, and the sum of
    exp(logit - maximum) into ``sums``. Strides count numbers. With a gradient it also writes
    ``totals[row] * softmax - hits[row] * one_hot`` into ``out``, which may be ``logits``. Only a row's own
    numbers are read or written. A row with a NaN, with an infinite logit or with nothing but minus infinities
    has a NaN as its sum.

    Where the target is spread, ``shares`` (numbers, one for each symbol) times ``scales[row]`` is taken from
    the gradient too, and ``spreads`` gets the sum of ``shares * (logit - maximum)``.

    Parameters
    ----------
    numbers : Numbers
    gradient, spread : bool
    """
    module = ir.Module("softmax")
    arguments = (*ARGUMENTS, *SPREADING) if spread else ARGUMENTS
    code = Code(module, numbers, "softmax", arguments)
    given, b = code.given, code.b
    lanes, symbols = numbers.lanes, given["symbols"]
    full, chained = whole(code, symbols, lanes), whole(code, symbols, CHAINS * lanes)
    mask = first_lanes(code, b.sub(symbols, full))
    lowest, none, floor = code.constant(-np.inf), code.constant(0.0), code.constant(FLOOR[numbers.size])
    nothing = ir.Constant(ir.VectorType(DOUBLE, lanes), [0.0] * lanes)
    with code.each(given["rows"]) as row:
        x = code.at(given["logits"], b.mul(row, given["stride"]))
        out = code.at(given["out"], b.mul(row, given["out_stride"]))
        target = code.load_index(given["ids"], row)

        # Maximum. A NaN is passed over here: it makes the sum NaN.
        def higher(old: ir.Value, new: ir.Value) -> ir.Value:
            return code.where(code.compare(">", new, old), new, old)

        tops = code.loop(
            chained,
            lambda k, tops: [
                higher(top, code.load(x, b.add(k, code.index(chain * lanes))))
                for chain, top in enumerate(tops)
            ],
            [lowest] * CHAINS,
            step=CHAINS * lanes,
        )
        tops = [in_pairs(higher, tops)]
        tops = code.loop(
            full, lambda k, tops: [higher(tops[0], code.load(x, k))], tops, start=chained, step=lanes
        )
        tops = code.loop(
            symbols,
            lambda k, tops: [higher(tops[0], code.where(mask, load_part(code, mask, x, k), lowest))],
            tops,
            start=full,
            step=lanes,
        )
        top = _in_all_lanes(code, tops[0], higher)

        highest = b.extract_element(top, ir.Constant(ir.IntType(32), 0))
        of_target = code.sub(code.load_one(x, target), highest)
        _store_double(code, of_target, given["of_targets"], row)

        if spread:  # before a gradient takes the place of the logits
            shares = given["shares"]

            def share_out(k: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
                shifted = code.sub(code.load(x, k), top)
                return [b.fadd(sums[0], widened(code, code.mul(code.load(shares, k), shifted)))]

            def share_last(k: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
                shifted = code.sub(load_part(code, mask, x, k), top)
                products = code.mul(load_part(code, mask, shares, k), shifted)
                return [b.fadd(sums[0], widened(code, code.where(mask, products, none)))]

            sums = code.loop(full, share_out, [nothing], step=lanes)
            sums = code.loop(symbols, share_last, sums, start=full, step=lanes)
            _store_double(code, code.total(sums[0]), given["spreads"], row)

        # Exponentials and their sum: a few are added in their own precision, the rest in float64.
        def exponentials(vector: ir.Value) -> ir.Value:
            shifted = code.sub(vector, top)
            lost = code.compare("<", shifted, floor)
            return code.where(lost, none, OPERATIONS["exp"](code, code.where(lost, floor, shifted)))

        def added(total: ir.Value, powers: ir.Value) -> ir.Value:
            return b.fadd(total, widened(code, powers))

        def add_chains(k: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
            powers = []
            for chain in range(CHAINS):
                place = b.add(k, code.index(chain * lanes))
                powers.append(exponentials(code.load(x, place)))
                if gradient:
                    code.store(powers[-1], out, place)
            return [added(sums[0], in_pairs(code.add, powers))]

        def add_whole(k: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
            powers = exponentials(code.load(x, k))
            if gradient:
                code.store(powers, out, k)
            return [added(sums[0], powers)]

        def add_last(k: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
            powers = exponentials(load_part(code, mask, x, k))
            if gradient:
                store_part(code, powers, mask, out, k)
            return [added(sums[0], code.where(mask, powers, none))]

        sums = code.loop(chained, add_chains, [nothing], step=CHAINS * lanes)
        sums = code.loop(full, add_whole, sums, start=chained, step=lanes)
        sums = code.loop(symbols, add_last, sums, start=full, step=lanes)
        total = code.total(sums[0])
        _store_double(code, total, given["sums"], row)

        if gradient:
            factor = code.spread(narrowed(code, b.fdiv(_load_double(code, given["totals"], row), total)))
            scale = none
            if spread:
                scale = code.spread(narrowed(code, _load_double(code, given["scales"], row)))

            def of_softmax(powers: ir.Value, share: ir.Value) -> ir.Value:
                d_logit = code.mul(powers, factor)
                return code.sub(d_logit, code.mul(share, scale)) if spread else d_logit

            with code.each(full, step=lanes) as k:
                share = code.load(given["shares"], k) if spread else none
                code.store(of_softmax(code.load(out, k), share), out, k)
            with code.each(symbols, start=full, step=lanes) as k:
                share = load_part(code, mask, given["shares"], k) if spread else none
                store_part(code, of_softmax(load_part(code, mask, out, k), share), mask, out, k)
            hit = narrowed(code, _load_double(code, given["hits"], row))
            code.store_one(code.sub(code.load_one(out, target), hit), out, target)
    code.done()
    kinds = {POINTER: ctypes.c_void_p, INDEX: ctypes.c_int64}
    return compile_module(module).function("softmax", [kinds[kind] for _, kind in arguments])


@cache
def softmax_of(dtype: np.dtype, gradient: bool, spread: bool) -> Any:
    """Give the compiled pass for this processor; compiled when it is first asked for."""
    return softmax_function(Numbers(dtype), gradient=gradient, spread=spread)


def _in_all_lanes(
    code: Code, vector: ir.Value, combined: Callable[[ir.Value, ir.Value], ir.Value]
) -> ir.Value:
    """Combine all lanes, and give the outcome in each of them."""
    lanes = code.numbers.lanes
    kind = ir.VectorType(ir.IntType(32), lanes)
    step = lanes // 2
    while step:
        partners = ir.Constant(kind, [lane ^ step for lane in range(lanes)])
        vector = combined(vector, code.b.shuffle_vector(vector, vector, partners))
        step //= 2
    return vector


def _store_double(code: Code, value: ir.Value, pointer: ir.Value, place: ir.Value) -> None:
    """Store one number as a float64 into an array of such."""
    wide = value if value.type == DOUBLE else code.b.fpext(value, DOUBLE)
    code.b.store(wide, code.b.gep(pointer, [place], source_etype=DOUBLE), align=8)


def _load_double(code: Code, pointer: ir.Value, place: ir.Value) -> ir.Value:
    """Load one number from an array of float64."""
    return code.b.load(code.b.gep(pointer, [place], source_etype=DOUBLE), align=8, typ=DOUBLE)
