"""Update rules of optimisers and running means, each in one pass over flat vectors, in place.

As in ``engines/fused.py``, machine code does the work where it can be had, and the obvious twins in NumPy
elsewhere.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from noria.arrays import Array
from noria.engines import fused
from noria.engines.pieces import split, together
from noria.engines.threads import NUMBERS_WORTH_SHARING, thread_count

ONLY_READ = ("gradients", "others")
"""Vectors that no rule changes."""


def sgd(
    values: Array,
    gradients: Array,
    velocity: Array | None = None,
    *,
    rate: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    scale: float = 1.0,
    l2: float = 0.0,
) -> None:
    """Take a step of gradient descent, with momentum if there is a velocity; in place.

    gradient = scale * gradients + l2 * values
    velocity' = momentum * velocity + gradient;  values' = values - rate * velocity'
    (Nesterov: values' = values - rate * (gradient + momentum * velocity'))

    Parameters
    ----------
    values, gradients, velocity : arrays of shape (P,)
    rate, momentum : float
    nesterov : bool
    scale : float
        What the gradients are multiplied by on the way; they stay as they are.
    l2 : float
        Twice the factor of a penalty on the squares of the values, whose gradient is added on the way.
    """

    def plain(values: Array, gradients: Array) -> None:
        values -= rate * gradients

    def with_momentum(values: Array, gradients: Array, velocity: Array) -> None:
        velocity *= momentum
        velocity += gradients
        values -= rate * (momentum * velocity + gradients if nesterov else velocity)

    vectors = {"values": values, "gradients": gradients}
    always = {"scale": scale, "l2": l2, "rate": rate}
    if velocity is None:
        _update("sgd", vectors, plain, always)
    else:
        vectors["velocity"] = velocity
        rule = "nesterov" if nesterov else "momentum"
        _update(rule, vectors, with_momentum, {**always, "momentum": momentum})


def adagrad(
    values: Array,
    gradients: Array,
    squares: Array,
    *,
    rate: float,
    epsilon: float,
    scale: float = 1.0,
    l2: float = 0.0,
) -> None:
    """Take a step of AdaGrad, in place.

    squares' = squares + gradient**2;  values' = values - rate * gradient / (sqrt(squares') + epsilon)

    Parameters
    ----------
    values, gradients, squares : arrays of shape (P,)
    rate, epsilon : float
    scale, l2 : float
        As in :func:`sgd`.
    """

    def twin(values: Array, gradients: Array, squares: Array) -> None:
        squares += gradients * gradients
        values -= rate * (gradients / (np.sqrt(squares) + epsilon))

    vectors = {"values": values, "gradients": gradients, "squares": squares}
    _update("adagrad", vectors, twin, {"scale": scale, "l2": l2, "rate": rate, "epsilon": epsilon})


def rmsprop(
    values: Array,
    gradients: Array,
    mean_square: Array,
    velocity: Array | None = None,
    *,
    rate: float,
    alpha: float,
    epsilon: float,
    momentum: float = 0.0,
    scale: float = 1.0,
    l2: float = 0.0,
) -> None:
    """Take a step of RMSProp, with momentum if there is a velocity; in place.

    mean_square' = alpha * mean_square + (1 - alpha) * gradient**2
    velocity' = momentum * velocity + gradient / (sqrt(mean_square') + epsilon)
    values' = values - rate * velocity'

    Parameters
    ----------
    values, gradients, mean_square, velocity : arrays of shape (P,)
    rate, alpha, epsilon, momentum : float
    scale, l2 : float
        As in :func:`sgd`.
    """
    rest = 1.0 - alpha

    def twin(values: Array, gradients: Array, mean_square: Array, velocity: Array | None = None) -> None:
        mean_square *= alpha
        mean_square += rest * (gradients * gradients)
        step = gradients / (np.sqrt(mean_square) + epsilon)
        if velocity is not None:
            velocity *= momentum
            velocity += step
            step = velocity
        values -= rate * step

    vectors = {"values": values, "gradients": gradients, "mean_square": mean_square}
    constants = {"scale": scale, "l2": l2, "rate": rate, "alpha": alpha, "rest": rest, "epsilon": epsilon}
    if velocity is None:
        _update("rmsprop", vectors, twin, constants)
    else:
        vectors["velocity"] = velocity
        _update("rmsprop_momentum", vectors, twin, {**constants, "momentum": momentum})


def adam(
    values: Array,
    gradients: Array,
    mean: Array,
    mean_square: Array,
    *,
    rate: float,
    beta1: float,
    beta2: float,
    correction: float,
    epsilon: float,
    keep: float = 1.0,
    scale: float = 1.0,
    l2: float = 0.0,
) -> None:
    """Take a step of Adam, in place; the corrections of the means' start at zero come from the caller.

    mean' = beta1 * mean + (1 - beta1) * gradient
    mean_square' = beta2 * mean_square + (1 - beta2) * gradient**2
    values' = keep * values - rate * mean' / (correction * sqrt(mean_square') + epsilon)

    Parameters
    ----------
    values, gradients, mean, mean_square : arrays of shape (P,)
    rate, beta1, beta2, correction, epsilon : float
    keep : float
        What decoupled weight decay leaves of the values.
    scale, l2 : float
        As in :func:`sgd`.
    """
    rest1, rest2 = 1.0 - beta1, 1.0 - beta2

    def twin(values: Array, gradients: Array, mean: Array, mean_square: Array) -> None:
        mean *= beta1
        mean += rest1 * gradients
        mean_square *= beta2
        mean_square += rest2 * (gradients * gradients)
        if keep != 1.0:
            values *= keep
        values -= rate * (mean / (correction * np.sqrt(mean_square) + epsilon))

    vectors = {"values": values, "gradients": gradients, "mean": mean, "mean_square": mean_square}
    always = {"scale": scale, "l2": l2, "rate": rate, "keep": keep}
    decays = {"beta1": beta1, "rest1": rest1, "beta2": beta2, "rest2": rest2}
    _update("adam", vectors, twin, {**always, **decays, "correction": correction, "epsilon": epsilon})


def towards(values: Array, others: Array, *, weight: float) -> None:
    """Move values towards others, in place: what keeps a running mean.

    values' = values + weight * (others - values)

    Parameters
    ----------
    values, others : arrays of shape (P,)
    weight : float
        1: all the way.
    """

    def twin(values: Array, others: Array) -> None:
        values += weight * (others - values)

    _pass("towards", {"values": values, "others": others}, twin, {"weight": weight})


def _update(
    rule: str, vectors: Mapping[str, Array], twin: Callable[..., None], constants: Mapping[str, float]
) -> None:
    """Apply the rule of an optimiser; its twin gets the gradients with scale and penalty already in them."""
    scale, l2 = constants["scale"], constants["l2"]

    def prepared(values: Array, gradients: Array, **slots: Array) -> None:
        if scale != 1.0:
            gradients = scale * gradients
        if l2:
            gradients = gradients + l2 * values
        twin(values, gradients, **slots)

    _pass(rule, vectors, prepared, constants)


def _pass(
    rule: str, vectors: Mapping[str, Array], twin: Callable[..., None], constants: Mapping[str, float]
) -> None:
    """Apply a rule piece by piece: its compiled form, or its twin."""
    size = vectors["values"].size
    changed = [array for name, array in vectors.items() if name not in ONLY_READ]
    fits = fused.are_flat(*vectors.values()) and all(array.flags.writeable for array in changed)
    if fused.is_native(vectors["values"].dtype) and fits:
        from noria.engines.native.flat import RULES, update_of
        from noria.engines.native.memory import address

        function = update_of(rule, vectors["values"].dtype)
        begins = [address(vectors[name]) for name in RULES[rule].vectors]
        numbers, width = [constants[name] for name in RULES[rule].constants], vectors["values"].itemsize

        def call(part: slice) -> Callable[[], None]:
            places = [begin + part.start * width for begin in begins]
            return partial(function, *places, part.stop - part.start, *numbers)

        # every number goes through the same instructions, whoever has it
        together([call(part) for part in split(size, thread_count() if size >= NUMBERS_WORTH_SHARING else 1)])
        return
    # A square may overflow in single precision; whoever trains looks at the loss, and a warning would say
    # less than its error.
    with np.errstate(over="ignore", under="ignore"):
        for part in split(size, 1 + size // fused.CHUNK):
            twin(**{name: array[part] for name, array in vectors.items()})
