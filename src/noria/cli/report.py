"""``noria report``: what a run or a study came to, as a folder that a person would read."""

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from noria.cli.common import Debug, Json, Threads
from noria.cli.compiling import compilation_said
from noria.cli.console import give, give_json, say
from noria.cli.headings import heading


def report(
    run: Annotated[Path, Parameter(help="The folder of a run, or of a study.")],
    /,
    *,
    out: Annotated[
        Path | None, Parameter(help="The folder of the report; left out: report in the run's own.")
    ] = None,
    language: Annotated[
        Literal["en", "es"],
        Parameter(name=["--lang", "--language"], group=heading("Output"), help="Of the prose."),
    ] = "en",
    text: Annotated[
        str | None, Parameter(help="What gates and gradients are drawn of.", allow_leading_hyphen=True)
    ] = None,
    data: Annotated[
        str | None, Parameter(help="The same, in a file like the one it was trained on, or built-in data.")
    ] = None,
    row: Annotated[int, Parameter(help="Which input of the file, from 0.")] = 0,
    target: Annotated[str | None, Parameter(help="The right answer, where one is known.")] = None,
    threads: Threads = 0,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a report: report.html, report.md, report.pdf, results.json, and figures as SVG and PNG.

    Of a run it says what was trained on what, how it learnt, whether it over-fits, what it came to beside the
    figure to beat, what it cost, and how to do it again. Of a study, whose report lies in its own folder, it
    writes that one anew, in another language for one.
    """
    from noria.studies.folder import STUDY

    if (run / STUDY).exists():
        place, said = _study(run, out, language, text or data)
    else:
        place, said = _run(run, out, language, (text, data, target, row), threads)
    if json:
        give_json({"run": str(run), "report": str(place), "conclusions": said})
    else:
        give("\n".join(said) + "\n")
    say("Report", f"{place / 'report.html'} · report.md · report.pdf · results.json")


def _run(
    run: Path,
    out: Path | None,
    language: str,
    named: tuple[str | None, str | None, str | None, int],
    threads: int,
) -> tuple[Path, list[str]]:
    from noria.engines.threads import use_threads
    from noria.models import load
    from noria.reports.folder import refuse_other
    from noria.reports.run_report import write_run_report

    text, data, target, row = named
    refuse_other(out or run / "report")
    looked_at = None
    if text is not None or data is not None:
        model = load(run)
        looked_at = _looked_at(model, text, data, target, row)
    with compilation_said(), use_threads(threads):
        return write_run_report(run, out, language=language, looked_at=looked_at)


def _looked_at(model: Any, text: str | None, data: str | None, target: Any, row: int) -> Any:
    """Give the input that was named: a text, a file, or one of a built-in data set."""
    from noria.cli.looking import looked_at
    from noria.cli.tasks import builtin
    from noria.models.explaining import chosen_row
    from noria.reports.run_report import LookedAt

    if data is None or Path(data).exists() or text is not None or model.task == "forecast":
        said = f"{data}, {row}" if data is not None else repr(text)
        return LookedAt(looked_at(model, text, data, None), target, row, said)
    tested = builtin(model, data).tested
    pairs = zip(*tested, strict=True) if isinstance(tested, tuple) else ((one, None) for one in tested)
    one, right = chosen_row(pairs, row, data)
    return LookedAt(one, right if target is None else target, 0, f"{data}, {row}")


def _study(run: Path, out: Path | None, language: str, looked: str | None) -> tuple[Path, list[str]]:
    from noria.errors import OptionError
    from noria.studies.report import rewrite_report

    if looked is not None:
        raise OptionError("--text and --data are for the report of a run, not of a study.\n  Leave them out.")
    return rewrite_report(run, out, language=language)
