"""Is somebody's backward right? And where it is not: which gradient, how far, from which step, and why."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from noria.arrays import Array
from noria.errors import DataError
from noria.inspection.conventions import ORDINARY
from noria.inspection.mistakes import Mistake, mistakes
from noria.inspection.own_code import SIZES, Arrays, OwnCode
from noria.inspection.own_gradients import (
    LARGE,
    SMALL,
    STATE_NAMES,
    TOLERANCE,
    Given,
    OwnBackward,
    error,
    given,
    slopes,
    weighted,
)
from noria.inspection.own_report import Cause, OwnReport, OwnRow
from noria.inspection.tape import RIGHT, Tape, Trace
from noria.inspection.textbook import (
    AGREES,
    Textbook,
    candidates,
    declared_cell,
    default_parameters,
    other_conventions,
    slips,
)

SAME = 1e-6
"""Largest error at which a gradient is taken for what a mistake would give."""

SCALES = ("T", "B", "T*B", "D", "H", "T*H", "V")


def check_own_code(
    path: str | Path, *, rng: np.random.Generator | None = None, tolerance: float = TOLERANCE
) -> OwnReport:
    """Check the backward that somebody wrote against central differences of their forward.

    Parameters
    ----------
    path : path
        A Python file of the protocol of :mod:`noria.inspection.own_code`, or ``FILE.py:Class``. It is run.
    rng : numpy.random.Generator, optional
        Where the numbers come from; seeded with 0 if left out.
    tolerance : float, default 1e-6
        Largest error allowed, relative to the norm of the tensor.

    Returns
    -------
    OwnReport

    Raises
    ------
    DataError
        If the file cannot be read, raises, hangs, or gives something of the wrong kind or shape.
    """
    rng = rng if rng is not None else np.random.default_rng(0)
    code = OwnCode(path)
    params = _parameters(code, rng)
    books = candidates(code, params)
    problem = given(code, params, _states(code, books), rng)
    book, forward, notes = _forward(code, problem, [one for one in books if _fits(one, problem)])
    looked = _Looked(code, problem, book, tolerance)
    rows = looked.rows()
    if forward is not None:
        rows = [forward, *rows]
    name, variant = (book.cell.name, book.variant) if book is not None else ("", "")
    if looked.backward.changed_its_input:
        notes = [*notes, Cause("changes_input")]
    return OwnReport(str(path), name, variant, SIZES["T"], tuple(rows), tuple(notes))


def _parameters(code: OwnCode, rng: np.random.Generator) -> Arrays:
    params = code.draw_parameters(rng)
    if params is not None:
        return params
    cell = declared_cell(code)
    if cell is None:
        raise DataError(
            f"{code.path}: expected SHAPES = {{'W': 'H D', ...}}, a function parameters(D, H, rng), or CELL, "
            "so that parameters can be made. See noria check --help."
        )
    return default_parameters(cell, rng)


def _states(code: OwnCode, books: list[Textbook]) -> int:
    if code.states is not None:
        return int(code.states)
    cell = declared_cell(code)
    if cell is not None:
        return len(cell.states)
    return len(books[0].cell.states) if books else 1


def _fits(book: Textbook, problem: Given) -> bool:
    return len(book.cell.states) == len(problem.states) >= len(problem.outputs)


def _forward(
    code: OwnCode, problem: Given, books: list[Textbook]
) -> tuple[Textbook | None, OwnRow | None, list[Cause]]:
    """Find the textbook's cell that the forward is; where it is none, say from which step it differs."""
    apart = [(_apart(book, problem), place) for place, book in enumerate(books)]
    shape = problem.outputs[0].shape
    same = next((book for (differs, _), book in zip(apart, books, strict=True) if differs == 0), None)
    if same is not None:
        notes = [] if same.variant == ORDINARY else [Cause(f"variant_{same.variant}")]
        return same, OwnRow("forward", shape, 0.0, AGREES), notes
    for book in books:
        for slip in slips(book):
            if _apart(slip, problem) == 0:
                return slip, _differing(book, problem, Cause(*slip.slip)), []
        if _apart(book, problem, without_start=True) == 0:
            return None, _differing(book, problem, Cause("start_ignored")), []
    if not books or code.cell is None:
        return None, None, [Cause("own_cell")] if code.cell is None else []
    nearest = books[max(apart)[1]]
    return None, _differing(nearest, problem, Cause("forward_differs", (nearest.cell.name,), False)), []


def _differing(book: Textbook, problem: Given, cause: Cause) -> OwnRow:
    right = book.outputs(book.trace(problem.x, problem.states, problem.params), len(problem.outputs))
    off = error(problem.outputs[0], right[0])
    step = _apart(book, problem)
    return OwnRow("forward", problem.outputs[0].shape, off, AGREES, step, (cause,))


def _apart(book: Textbook, problem: Given, *, without_start: bool = False) -> int:
    """Give the first step, from 1, at which outputs are not the textbook's; 0: they are."""
    states = [np.zeros_like(state) for state in problem.states] if without_start else problem.states
    with np.errstate(all="ignore"):
        trace = book.trace(problem.x, states, problem.params)
        right = book.outputs(trace, len(problem.outputs))
    if any(a.shape != b.shape for a, b in zip(right, problem.outputs, strict=True)):
        return 1
    for step in range(len(problem.x)):
        if any(error(a[step], b[step]) > AGREES for a, b in zip(problem.outputs, right, strict=True)):
            return step + 1
    return 0


class _Looked:
    """The gradients of somebody's backward beside the right ones."""

    def __init__(self, code: OwnCode, problem: Given, book: Textbook | None, tolerance: float) -> None:
        self._problem, self._book, self._tolerance = problem, book, tolerance
        self._arrays = problem.arrays()
        self.backward = OwnBackward(code, problem)
        self._slopes = slopes(code, problem)
        self.right = weighted(self._slopes, problem.weights, self._arrays)
        self.first = self.backward(problem.weights)
        self.second = self.backward(problem.weights)
        self.found = self._in_linear_range()

    def _scaled(self, factor: float) -> dict[str, Array | None]:
        given = self.backward([factor * weight for weight in self._problem.weights])
        return {name: None if value is None else value / factor for name, value in given.items()}

    def _in_linear_range(self) -> dict[str, Array | None]:
        """Give the gradients as they are before anything is cut off."""
        self.large, self.small = self._scaled(LARGE), self._scaled(SMALL)
        return self.small if self._same(self.first, self.second) else self.first

    def _same(self, one: Mapping[str, Array | None], other: Mapping[str, Array | None]) -> bool:
        return all(_equal(one[name], other[name]) for name in self._arrays)

    def rows(self) -> list[OwnRow]:
        """Compare every gradient, and name causes for those that are wrong."""
        kept = not self._same(self.first, self.second)
        wrong: list[str] = []
        rows: dict[str, OwnRow] = {}
        for name, right in self.right.items():
            one = self.first[name]
            if one is None and name in self._problem.params:
                rows[name] = OwnRow(name, right.shape, 1.0, self._tolerance, 1, (Cause("not_given"),))
                continue
            if one is None:
                rows[name] = OwnRow(name, right.shape, 0.0, self._tolerance, given=False)
                continue
            causes: tuple[Cause, ...] = ()
            seen = [one]
            again, large, found = self.second[name], self.large[name], self.found[name]
            assert again is not None
            assert large is not None
            assert found is not None
            if kept and not _equal(one, again):
                seen.append(again)
                causes = (Cause("kept_between_calls"),)
            elif not kept and not _equal(large, found):
                seen.append(large)
                causes = (self._clipped(large),)
            off = max(error(value, right) for value in seen)
            step = 0
            if off > self._tolerance:
                step = 1 if causes else self._from_step(name)
            if error(found, right) > self._tolerance:
                wrong.append(name)
            rows[name] = OwnRow(name, right.shape, off, self._tolerance, step, causes)
        for name, causes in self._causes(wrong).items():
            rows[name] = replace(rows[name], causes=(*rows[name].causes, *causes))
        return list(rows.values())

    def _clipped(self, large: Array) -> Cause:
        biggest = float(np.abs(large).max() * LARGE)
        at_bound = np.isclose(np.abs(large) * LARGE, biggest).sum()
        return Cause("clipped", (f"{biggest:.3g}",)) if at_bound > 1 else Cause("not_linear")

    def _from_step(self, name: str) -> int:
        """Give the first step whose output alone has a wrong gradient."""
        if not hasattr(self, "_of_steps"):
            self._of_steps = [
                (self.backward(alone), weighted(self._slopes, alone, self._arrays))
                for alone in (self.backward.only_step(step) for step in range(len(self._problem.x)))
            ]
        for step, (answer, right) in enumerate(self._of_steps):
            value = answer[name]
            if value is not None and error(value, right[name]) > self._tolerance:
                return step + 1
        return 0

    # Causes.

    def _causes(self, wrong: list[str]) -> dict[str, tuple[Cause, ...]]:
        if not wrong:
            return {}
        whole = self._of_all(wrong)
        if whole is not None:
            return dict.fromkeys(wrong, whole)
        found = {name: self._of_one(name) for name in wrong}
        shared = Counter(cause for causes in found.values() for cause in causes)
        return {name: self._likeliest(causes, shared) for name, causes in found.items()}

    def _of_all(self, wrong: list[str]) -> tuple[Cause, ...] | None:
        """Find one mistake, or two, that give every gradient as it is."""
        plain = {name: self._plain(name) for name in wrong}
        first = plain[wrong[0]]
        if first is not None and all(cause == first for cause in plain.values()):
            return (first,)
        for factor in (False, True):
            for mistake, gradients in self._simulated():
                if all(self._is(name, gradients, factor=factor) for name in self._known()):
                    return self._with_factors(mistake, gradients, factor=factor)
        if self._book is None:
            return None
        usual = [mistake for mistake, _ in self._simulated() if mistake.usual]
        for one, other in combinations(usual, 2):
            try:
                gradients = self._run(Mistake("", (), one.change.joined(other.change)))
            except (ValueError, IndexError):
                continue
            if all(self._is(name, gradients) for name in self._known()):
                return Cause(one.key, one.words), Cause(other.key, other.words)
        return None

    def _with_factors(self, mistake: Mistake, gradients: Arrays, *, factor: bool) -> tuple[Cause, ...]:
        causes = [Cause(mistake.key, mistake.words)]
        if factor:
            for name in self._known():
                value = self.found[name]
                assert value is not None
                if not _close(value, gradients[name]):
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
            for mistake, gradients in self._simulated()
            if self._is(name, gradients)
        ]
        return list(dict.fromkeys(causes))

    def _likeliest(self, causes: list[Cause], shared: Counter[Cause]) -> tuple[Cause, ...]:
        """Name first what explains the most gradients; it is certain where nothing else gives the numbers."""
        if not causes:
            return (Cause("unknown", (), certain=False),)
        best = sorted(causes, key=lambda cause: -shared[cause])[:2]
        return tuple(replace(cause, certain=len(causes) == 1) for cause in best)

    def _known(self) -> list[str]:
        return [name for name in self.right if self.found[name] is not None]

    def _is(self, name: str, gradients: Arrays, *, factor: bool = False) -> bool:
        value = self.found[name]
        assert value is not None
        if _close(value, gradients[name]):
            return True
        return factor and name in self._problem.params and _scale(value, gradients[name]) is not None

    def _plain(self, name: str) -> Cause | None:
        """Recognise a gradient by itself: zero, another's, transposed, of the wrong size or sign."""
        value, right = self.found[name], self.right[name]
        assert value is not None
        if not np.isfinite(value).all():
            return Cause("not_finite")
        if not value.any():
            return None if self._all_zero() else Cause("zero", certain=False)
        scale = _scale(value, right)
        if scale is not None:
            return scale
        if value.ndim == 2 and value.shape[0] == value.shape[1] and _close(value.T, right):
            return Cause("gradient_transposed")
        if value.shape[-1:] == right.shape[-1:] and name == "x" and _close(value[::-1], right):
            return Cause("reversed_in_time")
        for other, array in self.right.items():
            if other != name and array.shape == value.shape and _close(value, array):
                return Cause("of_another", (other,))
        return None

    def _all_zero(self) -> bool:
        return all(value is None or not value.any() for value in self.found.values())

    def _simulated(self) -> list[tuple[Mistake, Arrays]]:
        """Give what each mistake would give, where that is not what is right anyway."""
        if not hasattr(self, "_computed"):
            self._computed = list(self._each())
        return self._computed

    def _each(self) -> Iterator[tuple[Mistake, Arrays]]:
        if self._book is None:
            return
        self._trace = self._book.trace(self._problem.x, self._problem.states, self._problem.params)
        for mistake in mistakes(self._book.tape):
            with np.errstate(all="ignore"):
                gradients = self._run(mistake)
            if any(not _close(gradients[name], right) for name, right in self.right.items()):
                yield mistake, gradients
        for words, tape in other_conventions(self._book):
            mistake = Mistake("other_convention", words, RIGHT)
            yield mistake, self._run(mistake, tape, tape.retraced(self._trace, self._book.tape))

    def _run(self, mistake: Mistake, tape: Tape | None = None, trace: Trace | None = None) -> Arrays:
        """Give what a mistake would give, on the way back through the book's operations or others."""
        assert self._book is not None
        problem, book = self._problem, self._book
        names = book.cell.states if len(problem.outputs) > 1 else ("y",)
        weights = dict(zip(names, problem.weights, strict=False))
        gradients = (tape or book.tape).backward(trace or self._trace, weights, mistake.change)
        states = {name: gradients[state] for name, state in zip(STATE_NAMES, book.cell.states, strict=False)}
        return {"x": gradients["x"], **states, **book.as_own(gradients, problem.params)}


def _equal(one: Array | None, other: Array | None) -> bool:
    if one is None or other is None:
        return one is other
    return _close(one, other)


def _close(one: Array, other: Array) -> bool:
    norm = max(float(np.linalg.norm(one)), float(np.linalg.norm(other)))
    return bool(np.linalg.norm(one - other) <= SAME * norm) or norm < 1e-9


def _scale(value: Array, right: Array) -> Cause | None:
    """Recognise a gradient that is right but for a factor."""
    norm = float((right * right).sum())
    factor = float((value * right).sum()) / norm if norm else 0.0
    if not factor or not _close(value, factor * right) or abs(factor - 1.0) < 1e-5:
        return None
    if abs(factor + 1.0) < 1e-5:
        return Cause("sign")
    for name in SCALES:
        size = float(np.prod([SIZES[letter] for letter in name.split("*")]))
        for key, known in (("divided", 1.0 / size), ("multiplied", size)):
            if abs(factor / known - 1.0) < 1e-5:
                return Cause(key, (name,))
    return Cause("scaled", (f"{factor:.4g}",))
