"""One pass over flat vectors: the squares of a gradient, and the update rules of optimisers.

A pass reads each number once and writes it once, so that on large models it runs at the speed of the memory;
the factor by which clipping shortens the gradient is applied on the way.
"""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir

from noria.engines.native.code import INDEX, POINTER, Code, Numbers
from noria.engines.native.edges import first_lanes, load_part, store_part
from noria.engines.native.host import compile_module

DOUBLE = ir.DoubleType()
CHAINS = 4
"""Sums that are added to in turn, so that one addition need not wait for the one before."""

Vectors = Mapping[str, ir.Value]
Formula = Callable[[Code, Vectors, Vectors], Vectors]


@dataclass(frozen=True)
class Rule:
    """An update rule: the vectors and constants it takes, and how new values come from old ones.

    Attributes
    ----------
    vectors : tuple of str
        In the order in which they are passed.
    constants : tuple of str
        The same.
    formula : callable
        ``(code, vectors, constants) -> changed``: values of one vector's lanes by name.
    """

    vectors: tuple[str, ...]
    constants: tuple[str, ...]
    formula: Formula


def _gradient(code: Code, v: Vectors, c: Vectors) -> ir.Value:
    """Give the gradient, shortened by clipping, with that of an L2 penalty on the values."""
    return code.add(code.mul(v["gradients"], c["scale"]), code.mul(v["values"], c["l2"]))


def _down(code: Code, values: ir.Value, step: ir.Value, c: Vectors) -> ir.Value:
    return code.sub(values, code.mul(step, c["rate"]))


def _sgd(code: Code, v: Vectors, c: Vectors) -> Vectors:
    return {"values": _down(code, v["values"], _gradient(code, v, c), c)}


def _momentum(code: Code, v: Vectors, c: Vectors) -> Vectors:
    velocity = code.add(code.mul(v["velocity"], c["momentum"]), _gradient(code, v, c))
    return {"values": _down(code, v["values"], velocity, c), "velocity": velocity}


def _nesterov(code: Code, v: Vectors, c: Vectors) -> Vectors:
    gradient = _gradient(code, v, c)
    velocity = code.add(code.mul(v["velocity"], c["momentum"]), gradient)
    ahead = code.add(code.mul(velocity, c["momentum"]), gradient)
    return {"values": _down(code, v["values"], ahead, c), "velocity": velocity}


def _adagrad(code: Code, v: Vectors, c: Vectors) -> Vectors:
    gradient = _gradient(code, v, c)
    squares = code.add(v["squares"], code.mul(gradient, gradient))
    step = code.div(gradient, code.add(code.intrinsic("sqrt", squares), c["epsilon"]))
    return {"values": _down(code, v["values"], step, c), "squares": squares}


def _by_mean_square(code: Code, v: Vectors, c: Vectors) -> tuple[ir.Value, ir.Value]:
    gradient = _gradient(code, v, c)
    square = code.mul(code.mul(gradient, gradient), c["rest"])
    mean_square = code.add(code.mul(v["mean_square"], c["alpha"]), square)
    return code.div(gradient, code.add(code.intrinsic("sqrt", mean_square), c["epsilon"])), mean_square


def _rmsprop(code: Code, v: Vectors, c: Vectors) -> Vectors:
    step, mean_square = _by_mean_square(code, v, c)
    return {"values": _down(code, v["values"], step, c), "mean_square": mean_square}


def _rmsprop_momentum(code: Code, v: Vectors, c: Vectors) -> Vectors:
    step, mean_square = _by_mean_square(code, v, c)
    velocity = code.add(code.mul(v["velocity"], c["momentum"]), step)
    values = _down(code, v["values"], velocity, c)
    return {"values": values, "mean_square": mean_square, "velocity": velocity}


def _adam(code: Code, v: Vectors, c: Vectors) -> Vectors:
    gradient = _gradient(code, v, c)
    mean = code.add(code.mul(v["mean"], c["beta1"]), code.mul(gradient, c["rest1"]))
    square = code.mul(code.mul(gradient, gradient), c["rest2"])
    mean_square = code.add(code.mul(v["mean_square"], c["beta2"]), square)
    root = code.mul(code.intrinsic("sqrt", mean_square), c["correction"])
    step = code.div(mean, code.add(root, c["epsilon"]))
    values = _down(code, code.mul(v["values"], c["keep"]), step, c)
    return {"values": values, "mean": mean, "mean_square": mean_square}


def _towards(code: Code, v: Vectors, c: Vectors) -> Vectors:
    distance = code.sub(v["others"], v["values"])
    return {"values": code.add(v["values"], code.mul(distance, c["weight"]))}


ALWAYS = ("scale", "l2", "rate")
RULES: dict[str, Rule] = {
    "sgd": Rule(("values", "gradients"), ALWAYS, _sgd),
    "momentum": Rule(("values", "gradients", "velocity"), (*ALWAYS, "momentum"), _momentum),
    "nesterov": Rule(("values", "gradients", "velocity"), (*ALWAYS, "momentum"), _nesterov),
    "adagrad": Rule(("values", "gradients", "squares"), (*ALWAYS, "epsilon"), _adagrad),
    "rmsprop": Rule(("values", "gradients", "mean_square"), (*ALWAYS, "alpha", "rest", "epsilon"), _rmsprop),
    "rmsprop_momentum": Rule(
        ("values", "gradients", "mean_square", "velocity"),
        (*ALWAYS, "alpha", "rest", "epsilon", "momentum"),
        _rmsprop_momentum,
    ),
    "adam": Rule(
        ("values", "gradients", "mean", "mean_square"),
        (*ALWAYS, "keep", "beta1", "rest1", "beta2", "rest2", "correction", "epsilon"),
        _adam,
    ),
    "towards": Rule(("values", "others"), ("weight",), _towards),
}


def update_function(name: str, numbers: Numbers) -> Any:
    """Compile a rule: ``function(vector addresses..., count, constants...)``, in place.

    Every number goes through the same instructions wherever it stands, so its bits do not depend on where a
    vector was cut into pieces.

    Parameters
    ----------
    name : str
        A key of :data:`RULES`.
    numbers : Numbers
    """
    rule = RULES[name]
    module = ir.Module(f"update_{name}")
    arguments = [(vector, POINTER) for vector in rule.vectors]
    arguments += [("count", INDEX), *((constant, DOUBLE) for constant in rule.constants)]
    code = Code(module, numbers, name, arguments)
    constants = {constant: code.spread(narrowed(code, code.given[constant])) for constant in rule.constants}
    count = code.given["count"]
    full = whole(code, count, numbers.lanes)

    def changed(vectors: Vectors) -> Vectors:
        new = rule.formula(code, vectors, constants)
        return {
            vector: value if vector == "values" else _normal(code, value) for vector, value in new.items()
        }

    with code.each(full, step=numbers.lanes) as k:
        vectors = {vector: code.load(code.given[vector], k) for vector in rule.vectors}
        for vector, value in changed(vectors).items():
            code.store(value, code.given[vector], k)
    mask = first_lanes(code, code.b.sub(count, full))
    with code.each(count, start=full, step=numbers.lanes) as k:  # once or never
        vectors = {vector: load_part(code, mask, code.given[vector], k) for vector in rule.vectors}
        for vector, value in changed(vectors).items():
            store_part(code, value, mask, code.given[vector], k)
    code.done()
    kinds = [ctypes.c_void_p] * len(rule.vectors) + [ctypes.c_int64]
    return compile_module(module).function(name, kinds + [ctypes.c_double] * len(rule.constants))


def squares_function(numbers: Numbers) -> Any:
    """Compile ``function(address, count) -> sum of squares``, summed in float64.

    Single-precision squares are exact in float64 and cannot leave its range.
    """
    module = ir.Module("sum_of_squares")
    code = Code(module, numbers, "squares", [("x", POINTER), ("count", INDEX)], result=DOUBLE)
    x, count, lanes = code.given["x"], code.given["count"], numbers.lanes
    wide = ir.VectorType(DOUBLE, lanes)
    fma = f"llvm.fma.v{lanes}f64"

    def added(total: ir.Value, vector: ir.Value) -> ir.Value:
        vector = widened(code, vector)
        return code.call(fma, (vector, vector, total), wide)

    sums = code.loop(
        whole(code, count, CHAINS * lanes),
        lambda k, sums: [
            added(total, code.load(x, code.b.add(k, code.index(chain * lanes))))
            for chain, total in enumerate(sums)
        ],
        [ir.Constant(wide, [0.0] * lanes)] * CHAINS,
        step=CHAINS * lanes,
    )
    sums = [in_pairs(code.b.fadd, sums)]
    full = whole(code, count, lanes)
    sums = code.loop(
        full,
        lambda k, sums: [added(sums[0], code.load(x, k))],
        sums,
        start=whole(code, count, CHAINS * lanes),
        step=lanes,
    )
    mask = first_lanes(code, code.b.sub(count, full))
    sums = code.loop(
        count,
        lambda k, sums: [added(sums[0], load_part(code, mask, x, k))],
        sums,
        start=full,
        step=lanes,
    )
    code.done(code.total(sums[0]))
    kinds = [ctypes.c_void_p, ctypes.c_int64]
    return compile_module(module).function("squares", kinds, ctypes.c_double)


@cache
def update_of(name: str, dtype: np.dtype) -> Any:
    """Give the compiled rule for this processor; compiled when it is first asked for."""
    return update_function(name, Numbers(dtype))


@cache
def squares_of(dtype: np.dtype) -> Any:
    """Give the compiled sum of squares for this processor; compiled when it is first asked for."""
    return squares_function(Numbers(dtype))


def in_pairs(combined: Callable[[ir.Value, ir.Value], ir.Value], values: Sequence[ir.Value]) -> ir.Value:
    """Combine values, neighbours first; their number is a power of two."""
    while len(values) > 1:
        values = [combined(low, high) for low, high in zip(values[::2], values[1::2], strict=True)]
    return values[0]


def whole(code: Code, count: ir.Value, step: int) -> ir.Value:
    """Give the largest multiple of ``step``, a power of two, that is no more than ``count``."""
    return code.b.and_(count, code.index(-step))


def widened(code: Code, vector: ir.Value) -> ir.Value:
    """Give a vector's numbers in float64."""
    wide = ir.VectorType(DOUBLE, code.numbers.lanes)
    return vector if vector.type == wide else code.b.fpext(vector, wide)


def narrowed(code: Code, value: ir.Value) -> ir.Value:
    """Give a float64 in the precision of the numbers."""
    return value if value.type == code.numbers.real else code.b.fptrunc(value, code.numbers.real)


def _normal(code: Code, value: ir.Value) -> ir.Value:
    """Give zero for numbers so small that they have lost digits.

    A running mean whose gradient has become zero ends among them and, rounded, never leaves: every step would
    then cost ten times as much.
    """
    tiny = code.constant(float(np.finfo(code.numbers.dtype).tiny))
    return code.where(code.compare("<", code.intrinsic("fabs", value), tiny), code.constant(0.0), value)
