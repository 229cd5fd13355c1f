"""log and softplus on vectors: one division, one polynomial.

Errors are measured as in ``exponentials.py``. NaN passes on.
"""

import math

from llvmlite import ir

from noria.engines.native.code import Code
from noria.engines.native.exponentials import LN_2, Format, at_least, exp, format_of, polynomial

LOGARITHM = {
    4: (0.6666667461395264, 0.399989515542984, 0.2861509621143341, 0.21445326507091522, 0.24239516258239746),
    8: (
        0.6666666666666631,
        0.40000000000156155,
        0.2857142854796754,
        0.2222222396363298,
        0.181817441154764,
        0.153865562553722,
        0.13301017692106515,
        0.12105763319484995,
        0.0834141845323548,
        0.17016281661050703,
    ),
}
"""(log((1 + s) / (1 - s)) / s - 2) / s^2 in powers of s^2 <= 1/9; off by 2^-33 and 2^-59 of the logarithm."""


def log_one_plus(code: Code, f: ir.Value) -> ir.Value:
    """Give log(1 + f) for f in [-1/2, 1], as f - s (f - R(s^2)) with s = f / (2 + f).

    Error up to 0.9 ulp.
    """
    s = code.div(f, code.add(f, code.constant(2.0)))
    z = code.mul(s, s)
    inner = code.mul(z, polynomial(code, z, LOGARITHM[code.numbers.size]))
    return code.fma(s, code.sub(inner, f), f)


def exponent_and_rest(code: Code, a: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Split a positive finite number: a = 2^e (1 + f), e whole, 1 + f in [sqrt(1/2), sqrt(2)).

    Anything comes out for NaN, infinities, zeros and negative numbers.
    """
    numbers, form, b = code.numbers, format_of(code.numbers), code.b
    subnormal = code.compare("<", a, code.constant(2.0 ** (1 - form.bias)))
    lifted = code.where(subnormal, code.mul(a, code.constant(2.0 ** (form.fraction + 1))), a)
    first = code.wholes(_bits_of_root_half(form))
    above = b.sub(b.bitcast(lifted, numbers.wholes), first)
    rest = b.add(b.and_(above, code.wholes(2**form.fraction - 1)), first)
    # Written into the fraction of 1.5 * 2^fraction, the exponent becomes a float without a conversion.
    magic = 1.5 * 2.0**form.fraction
    exponent = b.add(
        b.ashr(above, code.wholes(form.fraction)), b.bitcast(code.constant(magic), numbers.wholes)
    )
    e = code.sub(
        b.bitcast(exponent, numbers.vector),
        code.where(subnormal, code.constant(magic + form.fraction + 1), code.constant(magic)),
    )
    return e, code.sub(b.bitcast(rest, numbers.vector), code.constant(1.0))


def _bits_of_root_half(form: Format) -> int:
    """Give the bits of sqrt(1/2): exponent -1, fraction sqrt(2) - 1."""
    return ((form.bias - 1) << form.fraction) + math.isqrt(2 << 2 * form.fraction) - (1 << form.fraction)


def log(code: Code, a: ir.Value) -> ir.Value:
    """Give log(a); -inf at 0, NaN below.

    Error up to 1.2 ulp between 1/2 and 2, 1.1 ulp elsewhere.
    """
    high_part, low_part = LN_2[code.numbers.size]
    e, f = exponent_and_rest(code, a)
    result = log_one_plus(code, f)
    result = code.fma(e, code.constant(low_part), result)
    result = code.fma(e, code.constant(high_part), result)
    zero, infinity = code.constant(0.0), code.constant(math.inf)
    # What is left is 0, below, inf and NaN: -inf, NaN, inf and NaN.
    special = code.where(code.compare("<", a, zero), code.constant(math.nan), a)
    special = code.where(code.compare("==", a, zero), code.constant(-math.inf), special)
    inside = code.b.and_(code.compare(">", a, zero), code.compare("<", a, infinity))
    return code.where(inside, result, special)


def softplus(code: Code, a: ir.Value) -> ir.Value:
    """Give log(1 + exp(a)) as max(a, 0) + log(1 + exp(-abs(a))).

    Error up to 1.7 ulp.
    """
    small = exp(code, code.b.fneg(code.intrinsic("fabs", a)))
    return code.add(at_least(code, a, 0.0), log_one_plus(code, small))
