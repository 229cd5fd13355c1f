"""Which textbook's cell a forward is; where it is none, what makes it another, and from which step."""

import numpy as np

from noria.inspection.conventions import ORDINARY
from noria.inspection.own_code import OwnCode
from noria.inspection.own_gradients import Given, error
from noria.inspection.own_report import Cause, OwnRow
from noria.inspection.textbook import Textbook
from noria.inspection.textbook_slips import slips

AGREES = 1e-7
"""Largest difference of outputs, relative to their norm, between two forwards that are the same."""


def recognised(
    code: OwnCode, problem: Given, books: list[Textbook]
) -> tuple[Textbook | None, OwnRow | None, list[Cause]]:
    """Find the textbook's cell that the forward is; where it is none, say from which step it differs.

    Parameters
    ----------
    code : OwnCode
    problem : Given
    books : list of Textbook
        What it may be, the likeliest first.

    Returns
    -------
    book : Textbook or None
        Whose backward its own has to be.
    row : OwnRow or None
        What the comparison came to, where there was something to compare with.
    notes : list of Cause
        What is to be said and is no mistake.
    """
    books = [book for book in books if _fits(book, problem)]
    apart = [_apart(book, problem) for book in books]
    if 0 in apart:
        same = books[apart.index(0)]
        notes = [] if same.variant == ORDINARY else [Cause(f"variant_{same.variant}")]
        return same, OwnRow("forward", problem.outputs[0].shape, 0.0, AGREES), notes
    for book in books:
        for slip in slips(book):
            if _apart(slip, problem) == 0:
                return slip, _differing(book, problem, Cause(*slip.slip)), []
        if _apart(book, problem, without_start=True) == 0:
            return None, _differing(book, problem, Cause("start_ignored")), []
    if not books or code.cell is None:
        return None, None, [Cause("own_cell")] if code.cell is None else []
    nearest = books[max(range(len(books)), key=lambda place: (apart[place], place))]
    return None, _differing(nearest, problem, Cause("forward_differs", (nearest.cell.name,), False)), []


def _fits(book: Textbook, problem: Given) -> bool:
    return len(book.cell.states) == len(problem.states) >= len(problem.outputs)


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
