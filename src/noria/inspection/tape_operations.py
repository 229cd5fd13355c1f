"""What one operation of a step computes, its derivative, and the values of all of them over a run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array

STATE, INPUT, NUMBER, VECTOR, PRODUCT, JOIN, SOFTMAX = (
    "state",
    "input",
    "number",
    "vector",
    "product",
    "join",
    "softmax",
)
LEAVES = {STATE, INPUT, NUMBER, VECTOR}
SQUASHING = ("tanh", "sigmoid")


def sigmoid(a: Array) -> Array:
    """1 / (1 + exp(-a))."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * a)))


def softmax(a: Array) -> Array:
    """exp(a) / sum exp(a), over the last axis."""
    raised = np.exp(a - a.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


VALUES: dict[str, Callable[..., Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "power": np.power,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0.0),
    "exp": np.exp,
    "log": np.log,
    "softplus": lambda a: np.logaddexp(0.0, a),
    "softmax": softmax,
}

SLOPES: dict[str, Callable[[Array, Array], Array]] = {
    "sigmoid": lambda y, a: y * (1.0 - y),
    "tanh": lambda y, a: 1.0 - y * y,
    "relu": lambda y, a: (a > 0).astype(float),
    "exp": lambda y, a: y,
    "log": lambda y, a: 1.0 / a,
    "softplus": lambda y, a: sigmoid(a),
    "neg": lambda y, a: -np.ones_like(a),
}
"""Derivatives, from the value y and the argument a."""


@dataclass(frozen=True)
class Operation:
    """One operation of a step: its arguments by number, its name if it has one, the equation it stands in."""

    kind: str
    arguments: tuple[int, ...] = ()
    name: str = ""
    line: str = ""
    number: float = 0.0


@dataclass(frozen=True, eq=False)
class Trace:
    """The values of every operation at every step, and what they were computed from."""

    values: list[list[Array]]
    outputs: Array
    params: Mapping[str, Array]
