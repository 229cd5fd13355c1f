"""What each elementwise operation of a program is in vector instructions.

The meaning of each is that of ``engines/reference/operations.py``. Only the order of operands may surprise:
with NaN no comparison holds, so the operand that may be NaN is the one chosen where the comparison fails. x86
has one instruction for such a pair of comparison and choice.
"""

from collections.abc import Callable

from llvmlite import ir

from noria.engines.native.circular import cos, sin
from noria.engines.native.code import Code
from noria.engines.native.exponentials import at_least, exp, sigmoid, tanh
from noria.engines.native.logarithms import log, softplus
from noria.engines.native.powers import power

__all__ = ["OPERATIONS", "power"]

Emitter = Callable[..., ir.Value]


def _negative(code: Code, a: ir.Value) -> ir.Value:
    return code.b.fneg(a)


def _relu(code: Code, a: ir.Value) -> ir.Value:
    return at_least(code, a, 0.0)


def _sqrt(code: Code, a: ir.Value) -> ir.Value:
    return code.intrinsic("sqrt", a)


def _rsqrt(code: Code, a: ir.Value) -> ir.Value:
    return code.div(code.constant(1.0), code.intrinsic("sqrt", a))


def _absolute(code: Code, a: ir.Value) -> ir.Value:
    return code.intrinsic("fabs", a)


def _maximum(code: Code, a: ir.Value, b: ir.Value) -> ir.Value:
    """Give the larger, a of equals; the choice passes a's NaN on, the last line b's."""
    larger = code.where(code.compare(">", b, a), b, a)
    return code.where(code.is_nan(b), b, larger)


def _minimum(code: Code, a: ir.Value, b: ir.Value) -> ir.Value:
    smaller = code.where(code.compare("<", b, a), b, a)
    return code.where(code.is_nan(b), b, smaller)


def _truth(code: Code, condition: ir.Value) -> ir.Value:
    return code.where(condition, code.constant(1.0), code.constant(0.0))


def _positive(code: Code, a: ir.Value) -> ir.Value:
    return _truth(code, code.compare(">", a, code.constant(0.0)))


def _sign(code: Code, a: ir.Value) -> ir.Value:
    zero = code.constant(0.0)
    below = code.where(code.compare("<", a, zero), code.constant(-1.0), a)  # a is 0 or NaN, or above
    return code.where(code.compare(">", a, zero), code.constant(1.0), below)


def _not_less(code: Code, a: ir.Value, b: ir.Value) -> ir.Value:
    return _truth(code, code.compare(">=", a, b))


def _not_greater(code: Code, a: ir.Value, b: ir.Value) -> ir.Value:
    return _truth(code, code.compare("<=", a, b))


def _copy(code: Code, a: ir.Value) -> ir.Value:
    return a


OPERATIONS: dict[str, Emitter] = {
    "add": Code.add,
    "sub": Code.sub,
    "mul": Code.mul,
    "div": Code.div,
    "neg": _negative,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": _relu,
    "exp": exp,
    "log": log,
    "sqrt": _sqrt,
    "rsqrt": _rsqrt,
    "abs": _absolute,
    "softplus": softplus,
    "sin": sin,
    "cos": cos,
    "max": _maximum,
    "min": _minimum,
    "positive": _positive,
    "sign": _sign,
    "not_less": _not_less,
    "not_greater": _not_greater,
    "copy": _copy,
}
"""Operation to emitter: ``emit(code, *arguments)`` on vectors. ``power`` takes its exponent as a number."""
