"""sin and cos on vectors.

The argument loses the nearest multiple of pi in three fused steps, and one odd polynomial does the rest. The
error is at most 2.1 units in the last place for abs(a) up to 1e6 in float32 and 1e12 in float64. It grows
beyond; where the spacing of numbers comes near 1 (1e7 and 5e15), what is left is some number of size 1 or
less. sin(-0) is +0.

References
----------
Cody and Waite 1980, Software Manual for the Elementary Functions, chapter 8.
"""

from llvmlite import ir

from noria.engines.native.code import Code
from noria.engines.native.exponentials import at_least, at_most, format_of, nearest_whole, polynomial

PI = {
    4: (3.1415927410125732, -8.742277657347586e-08, -3.4302490200117637e-15),
    8: (3.141592653589793, 1.2246467991473532e-16, -2.9947698097183397e-33),
}
"""In three parts, each rounded to the precision: fused with n, the first difference x - n pi is exact."""

SINE = {
    4: (
        -0.1666666716337204,
        0.008333347737789154,
        -0.0001984260161407292,
        2.7599810437095584e-06,
        -2.5021007488135183e-08,
    ),
    8: (
        -0.16666666666666666,
        0.008333333333333241,
        -0.0001984126984123573,
        2.755731921756278e-06,
        -2.505210769440723e-08,
        1.6058999499930583e-10,
        -7.645482622979761e-13,
        2.7765277923085862e-15,
        -5.087918774465219e-18,
    ),
}
"""(sin(r) / r - 1) / r^2 in powers of r^2, abs(r) <= pi / 2; off by 2^-31 and 2^-61 of the sine."""


def _sine_of_rest(code: Code, a: ir.Value, n: ir.Value, bits: ir.Value) -> ir.Value:
    """Give sin(a - n pi), its sign turned over where the lowest bit is set."""
    numbers, b = code.numbers, code.b
    r = a
    for part in PI[numbers.size]:
        r = code.fma(n, code.constant(-part), r)
    # Numbers whose spacing comes near pi have no rest. The polynomial shall be bounded all the same.
    r = at_most(code, at_least(code, r, -1.75), 1.75)
    z = code.mul(r, r)
    sine = code.fma(code.mul(r, z), polynomial(code, z, SINE[numbers.size]), r)
    turned = b.shl(bits, code.wholes(8 * numbers.size - 1))
    return b.bitcast(b.xor(b.bitcast(sine, numbers.wholes), turned), numbers.vector)


def sin(code: Code, a: ir.Value) -> ir.Value:
    """Give sin(a); NaN at the infinities."""
    n, bits = nearest_whole(code, a, 0.3183098861837907, 0)
    return _sine_of_rest(code, a, n, bits)


def cos(code: Code, a: ir.Value) -> ir.Value:
    """Give cos(a) = (-1)^(k + 1) sin(a - (k + 1/2) pi); NaN at the infinities."""
    numbers = code.numbers
    magic = code.constant(1.5 * 2.0 ** format_of(numbers).fraction)
    quarter = code.fma(a, code.constant(0.3183098861837907), code.constant(-0.5))
    shifted = code.b.fadd(quarter, magic)
    k = code.b.fsub(shifted, magic)
    bits = code.b.not_(code.b.bitcast(shifted, numbers.wholes))
    return _sine_of_rest(code, a, code.add(k, code.constant(0.5)), bits)
