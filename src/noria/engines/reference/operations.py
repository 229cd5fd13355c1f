"""What each operation of a program computes, in NumPy; float32, float64 and complex.

Each function takes its arguments and then the array to write into. Functions with a kink decide by the real
part, so that the complex step (``Im f(x + ih) / h``) sees the derivative of the side that the real
computation takes.
"""

from collections.abc import Callable

import numpy as np

from noria.arrays import Array

Operation = Callable[..., object]


def _sigmoid(a: Array, out: Array) -> None:
    np.negative(a, out)
    np.exp(out, out)
    np.add(out, 1.0, out)
    np.reciprocal(out, out)


def _softplus(a: Array, out: Array) -> None:
    """log(1 + exp(a)), from the side where the exponential is small."""
    negative = np.where(a.real > 0, -a, a)
    np.log1p(np.exp(negative), out)
    out += np.where(a.real > 0, a, 0.0)


def _relu(a: Array, out: Array) -> None:
    # NaN is neither above nor below zero and has to pass on.
    np.copyto(out, a)
    np.copyto(out, 0.0, where=np.real(a) < 0)


def _absolute(a: Array, out: Array) -> None:
    np.copyto(out, np.where(np.real(a) < 0, np.negative(a), a))


def _not_less(a: Array, b: Array, out: Array) -> None:
    np.copyto(out, np.real(a) >= np.real(b))


def _not_greater(a: Array, b: Array, out: Array) -> None:
    np.copyto(out, np.real(a) <= np.real(b))


def _maximum(a: Array, b: Array, out: Array) -> None:
    np.copyto(out, np.where((np.real(a) >= np.real(b)) | np.isnan(a), a, b))


def _minimum(a: Array, b: Array, out: Array) -> None:
    np.copyto(out, np.where((np.real(a) <= np.real(b)) | np.isnan(a), a, b))


def _positive(a: Array, out: Array) -> None:
    np.copyto(out, np.real(a) > 0)


def _sign(a: Array, out: Array) -> None:
    np.copyto(out, np.sign(np.real(a)))


def _rsqrt(a: Array, out: Array) -> None:
    np.sqrt(a, out)
    np.reciprocal(out, out)


def _sum(a: Array, out: Array) -> None:
    out[...] = np.add.reduce(a, axis=-1, keepdims=True)


def copy(a: Array, out: Array) -> None:
    """Write ``a``, spread over the units where it is one number per row."""
    np.copyto(out, a)


def product(operand: Array, transposed_weight: Array, out: Array) -> None:
    """``operand @ W.T`` for rows; token ids stand for one-hot rows, whose product is a look-up."""
    if operand.dtype.kind in "iu":
        np.copyto(out, transposed_weight[operand])
    else:
        np.matmul(operand, transposed_weight, out)


def power(exponent: float) -> Operation:
    """Make ``a ** exponent``."""

    def apply(a: Array, out: Array) -> None:
        np.power(a, exponent, out)

    return apply


OPERATIONS: dict[str, Operation] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "relu": _relu,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "rsqrt": _rsqrt,
    "abs": _absolute,
    "softplus": _softplus,
    "sin": np.sin,
    "cos": np.cos,
    "max": _maximum,
    "min": _minimum,
    "positive": _positive,
    "sign": _sign,
    "not_less": _not_less,
    "not_greater": _not_greater,
    "sum": _sum,
    "spread": copy,
    "copy": copy,
}
"""Operation to function; ``power`` and the products are made by the functions above."""
