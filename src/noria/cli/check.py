"""``noria check``: are the derived gradients of a cell right? Compared with the complex step."""

from typing import Annotated, Literal

from cyclopts import Parameter

from noria.cli.cell_files import open_cell
from noria.cli.common import Debug, Json
from noria.cli.compiling import compilation_said
from noria.cli.console import give, give_json, say, table

WRONG = 1


def check(
    cell: Annotated[str, Parameter(help="The name of a cell that ships, or a file of equations.")],
    *,
    dtype: Annotated[
        Literal["float64", "float32"], Parameter(help="The precision that is checked.")
    ] = "float64",
    engine: Annotated[str, Parameter(help="The engine that is checked.")] = "auto",
    seed: Annotated[int, Parameter(help="Where the random numbers start from.")] = 0,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Check the gradients of a cell against the definition of a derivative.

    Every parameter, the input and every initial state, on random ragged sequences. The exit code is 0 only if
    all of them agree.
    """
    import numpy as np

    from noria.inspection import check_gradients

    with compilation_said():
        rng = np.random.default_rng(seed)
        report = check_gradients(open_cell(cell), dtype=dtype, engine=engine, rng=rng)
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
