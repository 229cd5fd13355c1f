"""The gradients of somebody's forward by central differences, step by step, and what their backward says.

A step of 3e-5 is exact to about 1e-9 in double precision.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array
from noria.errors import DataError
from noria.inspection.own_code import SIZES, Answer, Arrays, Like, OwnCode

WIDTH = 3e-5
TOLERANCE = 1e-6
SAME = 1e-6
"""Largest error at which a gradient is taken for what a mistake would give."""
LARGE, SMALL = 1e4, 1e-4
"""Factors on the gradient of the outputs: a backward is linear in it."""
STATE_NAMES = ("h0", "c0", "s0", "t0")


@dataclass(frozen=True, eq=False)
class Given:
    """The numbers that code is tried with: inputs, states, parameters and a weighting of the outputs."""

    x: Array
    states: list[Array]
    params: Arrays
    outputs: list[Array]
    weights: list[Array]
    several: bool

    @property
    def like(self) -> Like:
        """What gradients belong to."""
        return Like(self.x, self.states, self.params)

    def arrays(self) -> Arrays:
        """Give everything that has a gradient, by name."""
        states = dict(zip(STATE_NAMES, self.states, strict=False))
        return {"x": self.x, **states, **self.params}


def given(code: OwnCode, params: Arrays, states: int, rng: np.random.Generator) -> Given:
    """Draw the numbers, and run the forward once.

    Raises
    ------
    DataError
        If it gives other values when it is called again: what is random in it has no gradient to check.
    """
    batch = code.batch
    x = rng.standard_normal((SIZES["T"], batch, SIZES["D"]))
    first = [0.5 * rng.standard_normal((batch, SIZES["H"])) for _ in range(states)]
    outputs, _, several = code.forward(x, first, params)
    again, _, _ = code.forward(x, first, params)
    if any(not np.array_equal(a, b) for a, b in zip(outputs, again, strict=True)):
        raise DataError(
            f"{code.path}, forward: gives other values when it is called again with the same numbers.\n"
            "  Take what is random out of it, or give it the same seed each time."
        )
    if not all(np.isfinite(value).all() for value in outputs):
        raise DataError(f"{code.path}, forward: gives values that are not finite.")
    weights = [rng.standard_normal(value.shape) for value in outputs]
    return Given(x, first, params, outputs, weights, several)


def slopes(code: OwnCode, problem: Given) -> dict[str, list[Array]]:
    """Give the slopes of every output with respect to every number, by central differences.

    Returns
    -------
    dict
        By name, one array for each output: shape (T, B, F, number of values).
    """
    found: dict[str, list[Array]] = {}
    for name, array in problem.arrays().items():
        columns: list[list[Array]] = []
        for index in np.ndindex(array.shape):
            columns.append(_slope(code, problem, name, index))
        found[name] = [np.stack(column, axis=-1) for column in zip(*columns, strict=True)]
    return found


def _slope(code: OwnCode, problem: Given, name: str, index: tuple[int, ...]) -> list[Array]:
    def outputs(shift: float) -> list[Array]:
        arrays = dict(problem.arrays())
        moved = arrays[name].copy()
        moved[index] += shift
        arrays[name] = moved
        states = [arrays[state] for state in STATE_NAMES[: len(problem.states)]]
        return code.forward(arrays["x"], states, {own: arrays[own] for own in problem.params})[0]

    return [(a - b) / (2 * WIDTH) for a, b in zip(outputs(WIDTH), outputs(-WIDTH), strict=True)]


def weighted(slope: dict[str, list[Array]], weights: Sequence[Array], like: Arrays) -> Arrays:
    """Give the gradients of a weighted sum of the outputs."""
    return {
        name: np.sum(
            [np.tensordot(weight, one, axes=3) for weight, one in zip(weights, parts, strict=True)], axis=0
        ).reshape(like[name].shape)
        for name, parts in slope.items()
    }


class OwnBackward:
    """Somebody's backward on given numbers, called as often as is needed."""

    def __init__(self, code: OwnCode, problem: Given) -> None:
        self._code, self._problem = code, problem
        self.changed_its_input = False

    def __call__(self, weights: Sequence[Array]) -> dict[str, Array | None]:
        """Give the gradients by name; None where none was given."""
        problem = self._problem
        _, cache, several = self._code.forward(problem.x, problem.states, problem.params)
        answer, changed = self._code.backward(weights, several, cache, problem.like)
        self.changed_its_input = self.changed_its_input or changed
        return self._named(answer)

    def _named(self, answer: Answer) -> dict[str, Array | None]:
        nothing: list[Array | None] = [None] * len(self._problem.states)
        states = nothing if answer.d_states is None else answer.d_states
        of_states = dict(zip(STATE_NAMES, states, strict=False))
        of_params = {name: answer.d_params.get(name) for name in self._problem.params}
        return {"x": answer.d_x, **of_states, **of_params}

    def only_step(self, step: int) -> list[Array]:
        """Give the weighting of the outputs of one step alone."""
        alone = [np.zeros_like(weight) for weight in self._problem.weights]
        for kept, weight in zip(alone, self._problem.weights, strict=True):
            kept[step] = weight[step]
        return alone


def error(found: Array, right: Array) -> float:
    """Give the norm of the difference relative to the norm of the right one; of a zero, as it is."""
    difference = float(np.linalg.norm(found - right))
    norm = float(np.linalg.norm(right))
    relative = difference / norm if norm > 1e-9 else difference
    return relative if np.isfinite(relative) else float("inf")


def close(one: Array, other: Array) -> bool:
    """Whether two gradients are the same but for rounding."""
    norm = max(float(np.linalg.norm(one)), float(np.linalg.norm(other)))
    return bool(np.linalg.norm(one - other) <= SAME * norm) or norm < 1e-9
