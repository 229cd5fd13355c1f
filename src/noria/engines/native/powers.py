"""Powers with a constant exponent, on vectors."""

import math

from llvmlite import ir

from noria.engines.native.code import Code
from noria.engines.native.exponentials import LN_2, exp_of_sum, polynomial
from noria.engines.native.logarithms import LOGARITHM, exponent_and_rest

FEW = 8
"""Whole exponents up to this one are products."""


def power(code: Code, a: ir.Value, exponent: float) -> ir.Value:
    """Give a ** exponent, as ``numpy.power`` does, off by up to 1.5 ulp (4 as a product of many).

    Parameters
    ----------
    code : Code
    a : vector
    exponent : float
        Rounded to the precision of ``a``. 0 gives 1 whatever the base; a broken exponent gives NaN for bases
        below 0; the halves from -1/2 to 3/2 are square roots, also at -inf (NaN).
    """
    exponent = float(code.numbers.dtype.type(exponent))
    if exponent.is_integer() and abs(exponent) <= FEW:
        product = _product(code, a, int(abs(exponent)))
        return product if exponent >= 0 else code.div(code.constant(1.0), product)
    if exponent in (0.5, -0.5, 1.5):
        root = code.intrinsic("sqrt", a)
        if exponent == 1.5:
            return code.mul(a, root)
        return root if exponent > 0 else code.div(code.constant(1.0), root)
    return _general(code, a, exponent)


def _product(code: Code, a: ir.Value, times: int) -> ir.Value:
    """Multiply by squaring."""
    if times == 0:
        return code.constant(1.0)
    if times == 1:
        return a
    half = _product(code, a, times // 2)
    square = code.mul(half, half)
    return code.mul(square, a) if times % 2 else square


def _general(code: Code, a: ir.Value, exponent: float) -> ir.Value:
    """Give exp(exponent * log(abs(a))), the logarithm in two parts, and the sign and the limits aside."""
    b = code.b
    zero, size = code.constant(0.0), code.intrinsic("fabs", a)
    # Beyond this every base but 1 and -1 has left the range, and the exponent is even.
    bound = 2.0**40 if code.numbers.size == 4 else 2.0**70
    factor = code.constant(max(-bound, min(bound, exponent)))
    high, low = _log_in_two(code, size)
    product = b.fmul(factor, high)
    rest = code.fma(factor, low, code.fma(factor, high, b.fneg(product)))
    # Where the product is out of exp's range, its last places may be so too.
    far = code.compare(">", code.intrinsic("fabs", product), code.constant(1000.0))
    result = exp_of_sum(code, product, code.where(far, zero, rest))

    at_zero, at_infinity = (0.0, math.inf) if exponent > 0 else (math.inf, 0.0)
    if not exponent.is_integer():
        result = code.where(code.compare("<", a, zero), code.constant(math.nan), result)
    result = code.where(code.compare("==", size, zero), code.constant(at_zero), result)
    result = code.where(code.compare("==", size, code.constant(math.inf)), code.constant(at_infinity), result)
    if exponent.is_integer() and exponent % 2:
        result = code.intrinsic("copysign", result, a)
    return code.where(code.is_nan(a), a, result)


def _log_in_two(code: Code, a: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Give log(a) as an unevaluated sum of two numbers; the second holds what the rounding of the first lost.

    Sums and products are written without the liberty to fuse them: each must lose what the next line regains.

    References
    ----------
    Dekker 1971, A floating-point technique for extending the available precision.
    """
    b = code.b
    high_part, low_part = (code.constant(part) for part in LN_2[code.numbers.size])
    two = code.constant(2.0)
    e, f = exponent_and_rest(code, a)
    below = b.fadd(f, two)
    below_rest = b.fsub(f, b.fsub(below, two))
    s = b.fdiv(f, below)
    minus_s = b.fneg(s)
    s_rest = b.fdiv(code.fma(minus_s, below_rest, code.fma(minus_s, below, f)), below)
    z = b.fmul(s, s)
    tail = code.fma(b.fmul(s, z), polynomial(code, z, LOGARITHM[code.numbers.size]), b.fmul(two, s_rest))
    whole = b.fmul(e, high_part)
    whole_rest = code.fma(e, low_part, code.fma(e, high_part, b.fneg(whole)))
    head = b.fmul(two, s)
    high, rest = _exact_sum(code, whole, head)
    return _exact_sum(code, high, b.fadd(rest, b.fadd(whole_rest, tail)))


def _exact_sum(code: Code, a: ir.Value, b: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Give a + b and what its rounding lost, for a = 0 or abs(a) >= abs(b)."""
    total = code.b.fadd(a, b)
    return total, code.b.fsub(b, code.b.fsub(total, a))
