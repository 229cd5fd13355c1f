"""Why a gradient is wrong: which mistake in the textbook's backward would give the very same numbers."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import combinations

import numpy as np

from noria.arrays import Array
from noria.inspection.mistakes import mistakes
from noria.inspection.own_code import SIZES, Arrays
from noria.inspection.own_gradients import STATE_NAMES, Given, close
from noria.inspection.own_report import Cause
from noria.inspection.tape import Tape
from noria.inspection.tape_changes import RIGHT, Mistake
from noria.inspection.tape_operations import Trace
from noria.inspection.textbook import Textbook
from noria.inspection.textbook_slips import other_conventions

SCALES = ("T", "B", "T*B", "D", "H", "T*H", "V")


class Causes:
    """What may be wrong with a backward that gives some gradients.

    Parameters
    ----------
    problem : Given
    book : Textbook or None
        Whose backward it ought to be; without one, gradients are looked at by themselves alone.
    right, found : mapping
        Gradients by name; what was found is None where none was given.
    """

    def __init__(
        self, problem: Given, book: Textbook | None, right: Arrays, found: Mapping[str, Array | None]
    ) -> None:
        self._problem, self._book, self._right = problem, book, right
        self._found = {name: value for name, value in found.items() if value is not None}

    def of(self, wrong: list[str]) -> dict[str, tuple[Cause, ...]]:
        """Name the causes of each gradient that is wrong, the likeliest first."""
        whole = self._of_all(wrong)
        if whole is not None:
            return dict.fromkeys(wrong, whole)
        found = {name: self._of_one(name) for name in wrong}
        shared = Counter(cause for causes in found.values() for cause in causes)
        return {name: _likeliest(causes, shared) for name, causes in found.items()}

    def _of_all(self, wrong: list[str]) -> tuple[Cause, ...] | None:
        """Find one mistake, or two, that give every gradient as it is."""
        plain = {self._plain(name) for name in wrong}
        if len(plain) == 1 and (first := plain.pop()) is not None:
            return (first,)
        for factor in (False, True):
            for mistake, gradients in self._simulated:
                if all(self._is(name, gradients, factor=factor) for name in self._found):
                    return self._with_factors(mistake, gradients, factor=factor)
        usual = [mistake for mistake, _ in self._simulated if mistake.usual]
        for one, other in combinations(usual, 2):
            try:
                gradients = self._run(Mistake("", (), one.change.joined(other.change)))
            except (ValueError, IndexError):
                continue
            if all(self._is(name, gradients) for name in self._found):
                return Cause(one.key, one.words), Cause(other.key, other.words)
        return None

    def _with_factors(self, mistake: Mistake, gradients: Arrays, *, factor: bool) -> tuple[Cause, ...]:
        causes = [Cause(mistake.key, mistake.words)]
        if factor:
            for name, value in self._found.items():
                if not close(value, gradients[name]):
                    scale = _scale(value, gradients[name])
                    assert scale is not None
                    causes.append(scale)
        return tuple(dict.fromkeys(causes))

    def _of_one(self, name: str) -> list[Cause]:
        """Find what a single gradient looks like, whatever the others are."""
        plain = self._plain(name)
        if plain is not None:
            return [plain]
        causes = [
            Cause(mistake.key, mistake.words)
            for mistake, gradients in self._simulated
            if self._is(name, gradients)
        ]
        return list(dict.fromkeys(causes))

    def _is(self, name: str, gradients: Arrays, *, factor: bool = False) -> bool:
        value = self._found[name]
        if close(value, gradients[name]):
            return True
        return factor and name in self._problem.params and _scale(value, gradients[name]) is not None

    def _plain(self, name: str) -> Cause | None:
        """Recognise a gradient by itself: zero, another's, transposed, of the wrong size or sign."""
        value, right = self._found[name], self._right[name]
        if not np.isfinite(value).all():
            return Cause("not_finite")
        if not value.any():
            all_zero = not any(one.any() for one in self._found.values())
            return None if all_zero else Cause("zero", certain=False)
        scale = _scale(value, right)
        if scale is not None:
            return scale
        if value.ndim == 2 and value.shape[0] == value.shape[1] and close(value.T, right):
            return Cause("gradient_transposed")
        if value.shape[-1:] == right.shape[-1:] and name == "x" and close(value[::-1], right):
            return Cause("reversed_in_time")
        for other, array in self._right.items():
            if other != name and array.shape == value.shape and close(value, array):
                return Cause("of_another", (other,))
        return None

    # What mistakes would give.

    @cached_property
    def _simulated(self) -> list[tuple[Mistake, Arrays]]:
        """What each mistake would give, where that is not what is right anyway."""
        return [] if self._book is None else list(self._each(self._book))

    def _each(self, book: Textbook) -> Iterator[tuple[Mistake, Arrays]]:
        for mistake in mistakes(book.tape):
            with np.errstate(all="ignore"):
                gradients = self._run(mistake)
            if any(not close(gradients[name], right) for name, right in self._right.items()):
                yield mistake, gradients
        for words, tape in other_conventions(book):
            mistake = Mistake("other_convention", words, RIGHT)
            yield mistake, self._run(mistake, tape, tape.retraced(self._trace, book.tape))

    @cached_property
    def _trace(self) -> Trace:
        """The textbook's run on the same numbers."""
        assert self._book is not None
        return self._book.trace(self._problem.x, self._problem.states, self._problem.params)

    def _run(self, mistake: Mistake, tape: Tape | None = None, trace: Trace | None = None) -> Arrays:
        """Give what a mistake would give, on the way back through the book's operations or others."""
        assert self._book is not None
        problem, book = self._problem, self._book
        names = book.cell.states if len(problem.outputs) > 1 else ("y",)
        weights = dict(zip(names, problem.weights, strict=False))
        gradients = (tape or book.tape).backward(trace or self._trace, weights, mistake.change)
        states = {name: gradients[state] for name, state in zip(STATE_NAMES, book.cell.states, strict=False)}
        return {"x": gradients["x"], **states, **book.as_own(gradients, problem.params)}


def _likeliest(causes: list[Cause], shared: Counter[Cause]) -> tuple[Cause, ...]:
    """Name first what explains the most gradients; it is certain where nothing else gives the numbers."""
    if not causes:
        return (Cause("unknown", (), certain=False),)
    best = sorted(causes, key=lambda cause: -shared[cause])[:2]
    return tuple(replace(cause, certain=len(causes) == 1) for cause in best)


def _scale(value: Array, right: Array) -> Cause | None:
    """Recognise a gradient that is right but for a factor."""
    norm = float((right * right).sum())
    factor = float((value * right).sum()) / norm if norm else 0.0
    if not factor or not close(value, factor * right) or abs(factor - 1.0) < 1e-5:
        return None
    if abs(factor + 1.0) < 1e-5:
        return Cause("sign")
    for name in SCALES:
        size = float(np.prod([SIZES[letter] for letter in name.split("*")]))
        for key, known in (("divided", 1.0 / size), ("multiplied", size)):
            if abs(factor / known - 1.0) < 1e-5:
                return Cause(key, (name,))
    return Cause("scaled", (f"{factor:.4g}",))
