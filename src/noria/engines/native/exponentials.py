"""exp, sigmoid and tanh on vectors: range reduction, one polynomial, few instructions.

The polynomials are minimax fits of our own. Errors are in units in the last place (ulp) of the exact result,
the largest that were found among 10^8 float32 and 10^6 float64 in each range. NaN passes on.

References
----------
Muller, Elementary Functions, 3rd edition 2016, chapters 3 (polynomials) and 11 (range reduction).
"""

from collections.abc import Sequence
from typing import NamedTuple

from llvmlite import ir

from noria.engines.native.code import Code, Numbers


class Format(NamedTuple):
    """A binary format.

    Bits of its fraction, bias of its exponent, and the arguments beyond which results do not change any more.
    """

    fraction: int
    bias: int
    exp_low: float
    exp_high: float
    sigmoid_low: float
    sigmoid_high: float
    tanh_high: float


FORMATS = {
    4: Format(23, 127, -104.0, 89.0, -88.0, 20.0, 10.0),
    8: Format(52, 1023, -746.0, 710.0, -709.0, 40.0, 20.0),
}
"""By the size of a number in bytes."""

LOG2_E = 1.4426950408889634
LN_2 = {4: (0.6931471824645996, -1.9046542121259336e-09), 8: (0.6931471805599453, 2.3190468138462996e-17)}
"""The logarithm of 2 in two parts, each rounded to the precision."""

EXPONENTIAL = {
    4: (1.0, 0.5, 0.16666533052921295, 0.04166721925139427, 0.00836757943034172, 0.0013865570072084665),
    8: (
        1.0,
        0.5,
        0.16666666666666433,
        0.04166666666660371,
        0.008333333333500443,
        0.001388888892690625,
        0.0001984126946562548,
        2.4801508533456764e-05,
        2.7557641079387957e-06,
        2.7625250287811913e-07,
        2.4978425001382573e-08,
    ),
}
"""(exp(r) - 1) / r for abs(r) <= log(2) / 2, lowest power first; off by 2^-28 and 2^-57 of exp(r)."""

TANGENT_FROM = 0.625
TANGENT = {
    4: (
        -0.3333328068256378,
        0.13331416249275208,
        -0.05373793840408325,
        0.02063411846756935,
        -0.005700091831386089,
    ),
    8: (
        -0.33333333333332854,
        0.13333333333261974,
        -0.05396825393122386,
        0.021869487575253272,
        -0.008863220993117513,
        0.00359198910615833,
        -0.0014549585667378265,
        0.0005863156152136071,
        -0.00022856249581174311,
        7.714256264200701e-05,
        -1.6071747876811538e-05,
    ),
}
"""(tanh(x) / x - 1) / x^2 in powers of x^2, abs(x) <= 0.625; off by 2^-28 and 2^-56 of the tangent."""


def format_of(numbers: Numbers) -> Format:
    """Give the format of the numbers."""
    return FORMATS[numbers.size]


def polynomial(code: Code, x: ir.Value, coefficients: Sequence[float]) -> ir.Value:
    """Give a polynomial, lowest power first, by Horner's rule."""
    result: ir.Value = code.constant(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        result = code.fma(result, x, code.constant(coefficient))
    return result


def at_most(code: Code, x: ir.Value, limit: float) -> ir.Value:
    """Give min(x, limit). The operands stand so that NaN fails the comparison and passes on."""
    bound = code.constant(limit)
    return code.where(code.compare("<", bound, x), bound, x)


def at_least(code: Code, x: ir.Value, limit: float) -> ir.Value:
    """Give max(x, limit), NaN for NaN."""
    bound = code.constant(limit)
    return code.where(code.compare(">", bound, x), bound, x)


def nearest_whole(code: Code, x: ir.Value, factor: float, offset: int) -> tuple[ir.Value, ir.Value]:
    """Round x * factor to a whole number n.

    The sum with 1.5 * 2^fraction has a last place of 1, so that adding rounds. No conversion to integers is
    needed, which would be undefined for NaN.

    Returns
    -------
    n : vector
    bits : vector of integers
        The lowest half of its bits holds n + offset.
    """
    fraction = format_of(code.numbers).fraction
    magic = code.constant(1.5 * 2.0**fraction + offset)
    shifted = code.fma(x, code.constant(factor), magic)
    return code.sub(shifted, magic), code.b.bitcast(shifted, code.numbers.wholes)


def power_of_two(code: Code, bits: ir.Value) -> ir.Value:
    """Give 2^(k - bias), where the lowest bits hold k in [0, 2 bias + 1); k = 0 gives 0."""
    exponent = code.b.shl(bits, code.wholes(format_of(code.numbers).fraction))
    return code.b.bitcast(exponent, code.numbers.vector)


def _scaled(code: Code, p: ir.Value, n: ir.Value, bits: ir.Value) -> ir.Value:
    """Give p * 2^n, rounded once, for results that overflow or lose digits to underflow too.

    ``bits`` hold n + 2 bias. The factor itself may be out of range, therefore it is applied in two halves.
    """
    numbers, b = code.numbers, code.b
    if numbers.lanes * numbers.size == 64:  # vectors of AVX-512, which has an instruction for it
        mask, rounding = ir.Constant(ir.IntType(numbers.lanes), -1), ir.Constant(ir.IntType(32), 4)
        name = f"llvm.x86.avx512.mask.scalef.{'ps' if numbers.size == 4 else 'pd'}.512"
        return code.call(name, [p, n, p, mask, rounding], numbers.vector)
    half = b.lshr(bits, code.wholes(1))
    product = code.mul(p, power_of_two(code, half))
    return code.mul(product, power_of_two(code, b.sub(bits, half)))


def exp_of_sum(code: Code, a: ir.Value, low: ir.Value | None = None) -> ir.Value:
    """Give exp(a + low), where low is small beside a's last places or beside 1."""
    numbers, form = code.numbers, format_of(code.numbers)
    high_part, low_part = LN_2[numbers.size]
    a = at_most(code, at_least(code, a, form.exp_low), form.exp_high)
    n, bits = nearest_whole(code, a, LOG2_E, 2 * form.bias)
    r = code.fma(n, code.constant(-high_part), a)
    r = code.fma(n, code.constant(-low_part), r)
    if low is not None:
        r = code.add(r, low)
    p = code.fma(r, polynomial(code, r, EXPONENTIAL[numbers.size]), code.constant(1.0))
    return _scaled(code, p, n, bits)


def exp(code: Code, a: ir.Value) -> ir.Value:
    """Give exp(a); inf and 0 where it leaves the range, gradual underflow included.

    Error up to 0.9 ulp.
    """
    return exp_of_sum(code, a)


def _reciprocal(code: Code, a: ir.Value) -> ir.Value:
    """Give 1 / a to at least 14 bits, for a divisor in [1/2, 2^31] whose quotient is refined afterwards."""
    numbers = code.numbers
    if numbers.size == 4 and numbers.lanes == 16:  # AVX-512: a quarter of the time of a division
        mask = ir.Constant(ir.IntType(16), -1)
        return code.call("llvm.x86.avx512.rcp14.ps.512", [a, a, mask], numbers.vector)
    return code.div(code.constant(1.0), a)


def sigmoid(code: Code, a: ir.Value) -> ir.Value:
    """Give 1 / (1 + exp(-a)).

    With a = n log 2 - r it is 2^n / (2^n + 1 + q), where q = exp(r) - 1: nothing overflows. One step of
    Newton on the quotient takes the divisor in its parts and so takes back the rounding of their sum as well.

    Error up to 1.7 ulp. The lower tail keeps its relative accuracy down to the least normal number and is 0
    soon after: below -87.7 in float32, -708.8 in float64.
    """
    numbers, form = code.numbers, format_of(code.numbers)
    high_part, low_part = LN_2[numbers.size]
    a = at_most(code, at_least(code, a, form.sigmoid_low), form.sigmoid_high)
    n, bits = nearest_whole(code, a, LOG2_E, form.bias)
    scale = power_of_two(code, bits)
    r = code.fma(n, code.constant(high_part), code.b.fneg(a))
    r = code.fma(n, code.constant(low_part), r)
    slope = polynomial(code, r, EXPONENTIAL[numbers.size])
    above = code.add(scale, code.constant(1.0))
    inverse = _reciprocal(code, code.fma(r, slope, above))
    quotient = code.mul(scale, inverse)
    minus = code.b.fneg(quotient)
    rest = code.fma(code.mul(minus, r), slope, code.fma(minus, above, scale))
    return code.fma(rest, inverse, quotient)


def tanh(code: Code, a: ir.Value) -> ir.Value:
    """Give tanh(a): a polynomial around 0, 1 - 2 sigmoid(-2 abs(a)) elsewhere.

    With -2 abs(a) = n log 2 - 2r the sigmoid is 2^n / (2^n + exp(2r)).

    Error up to 0.8 ulp below 0.625, 1.3 ulp above.
    """
    numbers, form = code.numbers, format_of(code.numbers)
    one = code.constant(1.0)
    z = code.mul(a, a)
    inner = code.fma(code.mul(a, z), polynomial(code, z, TANGENT[numbers.size]), a)

    size = at_most(code, code.intrinsic("fabs", a), form.tanh_high)
    # In one part log 2 is good enough here: its error grows with n, its weight falls with 2^n.
    n, bits = nearest_whole(code, size, -2 * LOG2_E, form.bias)
    scale = power_of_two(code, bits)
    r = code.fma(n, code.constant(LN_2[numbers.size][0] / 2), size)
    doubled = [c * 2.0**k for k, c in enumerate(EXPONENTIAL[numbers.size], start=1)]
    divisor = code.fma(r, polynomial(code, r, doubled), code.add(one, scale))
    quotient = code.div(scale, divisor)
    outer = code.fma(quotient, code.constant(-2.0), one)
    result = code.where(code.compare(">", size, code.constant(TANGENT_FROM)), outer, inner)
    return code.intrinsic("copysign", result, a)
