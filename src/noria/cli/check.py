"""``noria check``: are gradients right? Those derived from a cell, or those that a user wrote by hand."""

import contextlib
import sys
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from noria.cli.cell_files import open_cell
from noria.cli.common import Debug, Json
from noria.cli.compiling import compilation_said
from noria.cli.console import give, give_json, say, table

if TYPE_CHECKING:
    from noria.inspection.own_report import OwnReport

WRONG = 1
PYTHON = ".py"

WHAT = """The name of a cell that ships, a file of equations, or a Python file of your own (FILE.py or
FILE.py:Class), which is run, so name only files that you would run.

A Python file holds two functions, or one class with both as methods:

forward(x, h0, params), which returns (h, cache);

backward(d_h, cache), which returns (d_x, d_h0, d_params).

x is (T, B, D): steps, sequences, values. h0 is the state before the first step, (B, H), of an LSTM the
tuple (h0, c0). h holds the outputs of all steps, (T, B, H), or is a tuple with one array for each state;
d_h is the gradient with respect to it, of the same kind. params and d_params are dictionaries of arrays.
d_x and d_h0 may be None: they are not looked at then.

The file may set:

CELL = "gru", the cell that is meant: name, file or equations.

SHAPES = {"W": "H D", "U": "H H", "b": "H"}, of the parameters, also "4H D" or "H H+D"; left out, those of
CELL by its own names. In its place: a function parameters(D, H, rng).

NAMES = {"W_z": "Wxz"}, what CELL's parameters are called here, where it is not seen.

LAYOUT = "TBD", the order of the axes of x and h: "BTD" has sequences first, "TDB" column vectors, "TD" one
sequence.

STATES = 2, how many states there are, where no cell says it."""
PROTOCOL = "\n\n".join(" ".join(part.split("\n")) for part in WHAT.split("\n\n"))


def check(
    what: Annotated[
        str,
        Parameter(help=PROTOCOL),
    ],
    /,
    *,
    dtype: Annotated[
        Literal["float64", "float32"], Parameter(help="The precision that is checked; of cells.")
    ] = "float64",
    engine: Annotated[str, Parameter(help="The engine that is checked; of cells.")] = "auto",
    seed: Annotated[int, Parameter(help="Where the random numbers start from.")] = 0,
    language: Annotated[
        Literal["en", "es"], Parameter(help="In which what is said of a Python file is written.")
    ] = "en",
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Check gradients against the definition of a derivative.

    Of a cell: every parameter, the input and every initial state, on random ragged sequences. Of a Python
    file: the gradients of an implementation in NumPy, with the step from which they are wrong and the likely
    cause. The exit code is 0 only if all of them agree.

    noria check lstm

    noria check my_lstm.py:Network
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    if what.endswith(PYTHON) or f"{PYTHON}:" in what:
        from noria.inspection.own_check import check_own_code

        with contextlib.redirect_stdout(sys.stderr):  # what the file itself prints is no result
            own = check_own_code(what, rng=rng)
        return _give_own(own, language, as_json=json)

    from noria.inspection import check_gradients

    with compilation_said():
        report = check_gradients(open_cell(what), dtype=dtype, engine=engine, rng=rng)
    if json:
        about = {"cell": report.cell, "dtype": report.dtype, "engine": report.engine, "ok": report.ok}
        names = ("name", "shape", "error", "tolerance", "ok")
        give_json(about | {"rows": [{name: getattr(row, name) for name in names} for row in report.rows]})
        return 0 if report.ok else WRONG
    lines = [("gradient of", "shape", "error", "allowed", "")]
    for row in report.rows:
        shape = " x ".join(map(str, row.shape))
        verdict = "ok" if row.ok else "WRONG"
        lines.append((row.name, shape, f"{row.error:.1e}", f"{row.tolerance:.0e}", verdict))
    give(table(lines, right=[2, 3]) + "\n")
    wrong = sum(not row.ok for row in report.rows)
    verdict = "all agree" if report.ok else f"{wrong} of {len(report.rows)} are wrong"
    about_it = f"{report.cell} · {report.dtype} · engine {report.engine}"
    say("Check", f"{about_it} · against the complex step: {verdict}")
    return 0 if report.ok else WRONG


def _give_own(report: "OwnReport", language: str, *, as_json: bool) -> int:
    """Show what was found in a file: a table, then each cause with the gradients that it explains."""
    from noria.inspection.sentences import sentence

    if as_json:
        give_json(report.to_score(language))
        return 0 if report.ok else WRONG
    titles = ("gradient_of", "shape", "error", "allowed", "from_step")
    lines = [(*(sentence(title, (), language) for title in titles), "")]
    for row in report.rows:
        shape = " x ".join(map(str, row.shape))
        verdict = sentence(
            "ok" if row.ok and row.given else "wrong" if row.given else "not_looked_at", (), language
        )
        numbers = (f"{row.error:.1e}", f"{row.tolerance:.0e}") if row.given else ("", "")
        lines.append((row.name, shape, *numbers, str(row.from_step or ""), verdict))
    give(table(lines, right=[2, 3, 4]) + "\n")
    for cause in report.causes:
        names = ", ".join(row.name for row in report.rows if cause in row.causes)
        said = cause.said(language)
        give(f"\n{names}:\n  {said if cause.certain else sentence('likely', [said], language)}\n")
    for note in report.notes:
        give(f"\n{note.said(language)}\n")
    rows = [row for row in report.rows if row.given]
    wrong = sum(not row.ok for row in rows)
    verdict = sentence("all_agree" if report.ok else "some_wrong", (str(wrong), str(len(rows))), language)
    cell = report.cell or sentence("no_cell", (), language)
    say("Check", f"{report.path} · {cell} · {sentence('against', (), language)}: {verdict}")
    return 0 if report.ok else WRONG
