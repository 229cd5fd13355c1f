"""Is somebody's backward right? And where it is not: which gradient, how far, from which step, and why."""

from pathlib import Path

import numpy as np

from noria.errors import DataError
from noria.inspection.own_code import SIZES, Arrays, OwnCode
from noria.inspection.own_comparison import Comparison
from noria.inspection.own_forward import recognised
from noria.inspection.own_gradients import TOLERANCE, given
from noria.inspection.own_report import Cause, OwnReport
from noria.inspection.textbook import Textbook, declared_cell, default_parameters
from noria.inspection.textbook_parameters import candidates


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
    book, forward, notes = recognised(code, problem, books)
    comparison = Comparison(code, problem, book, tolerance)
    rows = [*([] if forward is None else [forward]), *comparison.rows()]
    name, variant = (book.cell.name, book.variant) if book is not None else ("", "")
    if comparison.changed_its_input:
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
