"""What parameters are before training: a table from the name of a law to a function.

Each takes the shape, a generator, and the law's own numbers, and gives float64 values. The shape of a
matrix is (rows, columns) = (outputs, inputs); a matrix that meets several parts, as in ``W @ [h, x]``, is
one matrix.
"""

from collections.abc import Callable
from inspect import signature

import numpy as np

from noria.arrays import Array
from noria.equations import Initial
from noria.errors import OptionError, UnknownNameError

Shape = tuple[int, ...]


def zero(shape: Shape, rng: np.random.Generator) -> Array:
    """Fill with zeros."""
    return np.zeros(shape)


def constant(shape: Shape, rng: np.random.Generator, value: float) -> Array:
    """Fill with one number."""
    return np.full(shape, float(value))


def normal(shape: Shape, rng: np.random.Generator, deviation: float = 1.0) -> Array:
    """Draw from a normal distribution around zero."""
    return deviation * rng.standard_normal(shape)


def uniform(shape: Shape, rng: np.random.Generator, low: float, high: float | None = None) -> Array:
    """Draw evenly from [low, high); with one number `a`, from [-a, a)."""
    return rng.uniform(-low, low, shape) if high is None else rng.uniform(low, high, shape)


def xavier(shape: Shape, rng: np.random.Generator, gain: float = 1.0) -> Array:
    """Draw evenly, with variance ``2 gain^2 / (inputs + outputs)`` (Glorot & Bengio 2010, equation 16)."""
    rows, columns = _matrix(shape, "xavier")
    limit = gain * np.sqrt(6.0 / (rows + columns))
    return rng.uniform(-limit, limit, shape)


def he(shape: Shape, rng: np.random.Generator, gain: float = 1.0) -> Array:
    """Draw from a normal distribution with variance ``2 gain^2 / inputs`` (He et al. 2015, equation 10)."""
    _, columns = _matrix(shape, "he")
    return np.asarray(gain * np.sqrt(2.0 / columns) * rng.standard_normal(shape))


def orthogonal(shape: Shape, rng: np.random.Generator, gain: float = 1.0) -> Array:
    """Draw evenly from the orthogonal matrices (Saxe et al. 2013).

    Where the sides differ, the vectors along the longer one are orthonormal. The factor Q of a
    normal matrix is evenly distributed only once the signs of R's diagonal are fixed.
    """
    rows, columns = _matrix(shape, "orthogonal")
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.where(np.diagonal(r) < 0.0, -1.0, 1.0)
    return gain * (q if rows >= columns else q.T)


def identity(shape: Shape, rng: np.random.Generator, scale: float = 1.0) -> Array:
    """Fill with a multiple of the identity matrix (Le, Jaitly & Hinton 2015)."""
    return scale * np.eye(*_matrix(shape, "identity"))


def chrono(shape: Shape, rng: np.random.Generator, longest: float) -> Array:
    """Draw a forget gate's bias for memories of up to `longest` steps (Tallec & Ollivier 2018).

    The law is log(U(1, longest - 1)).
    """
    if longest <= 2:
        raise OptionError(
            f"The initial value 'chrono' needs a longest memory of more than 2 steps. Got {longest}."
        )
    return np.log(rng.uniform(1.0, longest - 1.0, shape))


INITIALISERS: dict[str, Callable[..., Array]] = {
    "zero": zero,
    "constant": constant,
    "normal": normal,
    "uniform": uniform,
    "xavier": xavier,
    "he": he,
    "orthogonal": orthogonal,
    "identity": identity,
    "chrono": chrono,
}


def initialise(initial: Initial, shape: Shape, rng: np.random.Generator) -> Array:
    """Give the initial values of a parameter of the given shape.

    Raises
    ------
    UnknownNameError
        If there is no such law.
    OptionError
        If the law needs other numbers, or a matrix and the parameter is a vector.
    """
    try:
        function = INITIALISERS[initial.kind]
    except KeyError:
        known = ", ".join(INITIALISERS)
        raise UnknownNameError(f"unknown initial value '{initial.kind}'; there are {known}.") from None
    try:
        signature(function).bind(shape, rng, *initial.arguments)
    except TypeError:
        got = ", ".join(f"{number:g}" for number in initial.arguments) or "none"
        raise OptionError(f"The initial value '{initial.kind}' takes other numbers. Got {got}.") from None
    return function(shape, rng, *initial.arguments)


def _matrix(shape: Shape, law: str) -> tuple[int, int]:
    if len(shape) != 2:
        raise OptionError(
            f"The initial value '{law}' is for matrices. Got a parameter of shape {shape}.\n"
            "  Use zero, constant, normal or uniform for a vector."
        )
    return shape[0], shape[1]
