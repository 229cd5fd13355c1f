"""Somebody's gradients beside the right ones: which of them is wrong, how far, and from which step."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from noria.arrays import Array
from noria.inspection.own_causes import Causes
from noria.inspection.own_code import Arrays, OwnCode
from noria.inspection.own_gradients import (
    LARGE,
    SMALL,
    Given,
    OwnBackward,
    close,
    error,
    slopes,
    weighted,
)
from noria.inspection.own_report import Cause, OwnRow
from noria.inspection.textbook import Textbook


class Comparison:
    """A backward, called a few times with other weightings of the outputs.

    Parameters
    ----------
    code : OwnCode
    problem : Given
    book : Textbook or None
        What its forward is, where that is known: causes are looked for in the textbook's backward.
    tolerance : float
        Largest error allowed, relative to the norm of the tensor.
    """

    def __init__(self, code: OwnCode, problem: Given, book: Textbook | None, tolerance: float) -> None:
        self._problem, self._book, self._tolerance = problem, book, tolerance
        self._arrays = problem.arrays()
        self._backward = OwnBackward(code, problem)
        self._slopes = slopes(code, problem)
        self._right = weighted(self._slopes, problem.weights, self._arrays)
        self._first = self._backward(problem.weights)
        self._second = self._backward(problem.weights)
        self._large, self._small = self._scaled(LARGE), self._scaled(SMALL)

    @property
    def changed_its_input(self) -> bool:
        """Whether the backward has changed the arrays that were handed in."""
        return self._backward.changed_its_input

    def _scaled(self, factor: float) -> dict[str, Array | None]:
        given = self._backward([factor * weight for weight in self._problem.weights])
        return {name: None if value is None else value / factor for name, value in given.items()}

    def rows(self) -> list[OwnRow]:
        """Compare every gradient, and name causes for those that are wrong."""
        kept = not self._same(self._first, self._second)
        linear = self._first if kept else self._small  # the gradients before anything is cut off
        wrong: list[str] = []
        rows: dict[str, OwnRow] = {}
        for name, right in self._right.items():
            one = self._first[name]
            if one is None and name in self._problem.params:
                rows[name] = OwnRow(name, right.shape, 1.0, self._tolerance, 1, (Cause("not_given"),))
                continue
            if one is None:
                rows[name] = OwnRow(name, right.shape, 0.0, self._tolerance, given=False)
                continue
            causes: tuple[Cause, ...] = ()
            seen = [one]
            again, large, found = self._second[name], self._large[name], linear[name]
            assert again is not None
            assert large is not None
            assert found is not None
            if kept and not close(one, again):
                seen.append(again)
                causes = (Cause("kept_between_calls"),)
            elif not kept and not close(large, found):
                seen.append(large)
                causes = (_clipped(large),)
            off = max(error(value, right) for value in seen)
            step = 0
            if off > self._tolerance:
                step = 1 if causes else self._from_step(name)
            if error(found, right) > self._tolerance:
                wrong.append(name)
            rows[name] = OwnRow(name, right.shape, off, self._tolerance, step, causes)
        if wrong:
            for name, causes in Causes(self._problem, self._book, self._right, linear).of(wrong).items():
                rows[name] = replace(rows[name], causes=(*rows[name].causes, *causes))
        return list(rows.values())

    def _same(self, one: Mapping[str, Array | None], other: Mapping[str, Array | None]) -> bool:
        return all(_equal(one[name], other[name]) for name in self._arrays)

    def _from_step(self, name: str) -> int:
        """Give the first step whose output alone has a wrong gradient."""
        for step, (answer, right) in enumerate(self._of_steps):
            value = answer[name]
            if value is not None and error(value, right[name]) > self._tolerance:
                return step + 1
        return 0

    @cached_property
    def _of_steps(self) -> list[tuple[dict[str, Array | None], Arrays]]:
        """The gradients from the output of each step alone, and the right ones."""
        steps = map(self._backward.only_step, range(len(self._problem.x)))
        return [(self._backward(alone), weighted(self._slopes, alone, self._arrays)) for alone in steps]


def _equal(one: Array | None, other: Array | None) -> bool:
    if one is None or other is None:
        return one is other
    return close(one, other)


def _clipped(large: Array) -> Cause:
    """Name why gradients of large outputs are not as many times larger: many lie at one bound, or not."""
    biggest = float(np.abs(large).max() * LARGE)
    at_bound = np.isclose(np.abs(large) * LARGE, biggest).sum()
    return Cause("clipped", (f"{biggest:.3g}",)) if at_bound > 1 else Cause("not_linear")
