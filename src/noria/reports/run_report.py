"""The report of a run: what was trained on what, how it learnt, what it came to beside the figure to beat."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noria.reports.document import Block, Command, Document, Paragraph, References, Section
from noria.reports.fit import FIT_SENTENCES
from noria.reports.folder import refuse_other, write_report_folder
from noria.reports.gates import GATE_WORDS
from noria.reports.looking import inside
from noria.reports.machine import MACHINE, machine, versions
from noria.reports.prose import LANGUAGES, Prose
from noria.reports.reported_run import ReportedRun
from noria.reports.run_learning import learning, tables
from noria.reports.run_network import made_of, made_with
from noria.reports.run_opening import opening, sentences
from noria.reports.run_tasks import answers, own_text
from noria.reports.run_words import RUN_WORDS
from noria.training.files import write_atomically

FORMAT = 1
READ = 120
"""Characters of its own writing that a model of text is looked at with."""
TABLES = (RUN_WORDS, FIT_SENTENCES, GATE_WORDS, MACHINE)


@dataclass(frozen=True, eq=False)
class LookedAt:
    """An input that gates and gradients are drawn of.

    Attributes
    ----------
    data, target : Any
        As ``model.explain`` takes them.
    row : int
    said : str
        What it is, in words; empty: as the model says.
    """

    data: Any
    target: Any = None
    row: int = 0
    said: str = ""


def write_run_report(
    run: Path, out: Path | None = None, *, language: str = "en", looked_at: LookedAt | None = None
) -> tuple[Path, list[str]]:
    """Write the report of a run: report.html, report.md, report.pdf, results.json and figures.

    Parameters
    ----------
    run : Path
        The folder of a run.
    out : Path, optional
        Where it goes; ``report`` in the run's folder if left out. An earlier report there is replaced.
    language : {"en", "es"}
    looked_at : LookedAt, optional
        Left out: a model of text is looked at with what it writes itself, a forecaster with the end of its
        series, others are not looked into.

    Returns
    -------
    folder : Path
    sentences : list of str
        What it comes to, the most important first.

    Raises
    ------
    RunError
        If it is no run, the run is damaged, or the folder holds something else.
    DataError
        If the input cannot be read.
    """
    say, place = Prose(language, *TABLES), out or run / "report"
    told = ReportedRun.open(run, place)
    refuse_other(place)
    document = _document(told, looked_at or _own_input(told, say), say)
    write_report_folder(place, document, _results(told))
    if told.cell_text:
        write_atomically(told.cell_file, told.cell_text.encode())
    return place, sentences(told, say)


def _own_input(run: ReportedRun, say: Prose) -> LookedAt | None:
    """Give what is there to be looked at without anybody naming it."""
    if run.model.task == "forecast":
        return LookedAt(None)
    written = own_text(run.model, READ) if run.model.task == "text" else ""
    return LookedAt(written, said=say("own_text")) if written else None


def _document(run: ReportedRun, looked_at: LookedAt | None, say: Prose) -> Document:
    cells = ", ".join(dict.fromkeys(run.model.summary.cells)) or say("no_cell")
    parts: dict[str, list[Block]] = {
        "learning": learning(run, say),
        "results": tables(run, say),
        "answers": list(answers(run.model, run.figures, say)),
        "inside": _inside(run, looked_at, say),
        "made_of": made_of(run, say),
        "go_on": [Command("\n".join(run.next_commands))],
        "made_with": [made_with(run, say)],
        "references": [References(tuple(run.references))],
    }
    sections = tuple(Section(say(name), tuple(blocks)) for name, blocks in parts.items())
    title = say("title", say(run.model.task), cells, run.source)
    return Document(title, say.language, tuple(opening(run, say)), sections)


def _inside(run: ReportedRun, looked_at: LookedAt | None, say: Prose) -> list[Block]:
    model = run.model
    if not model.summary.cells:
        return []
    if looked_at is None:
        known = run.config.get("data", {}).get("builtin", "FILE")
        return [Paragraph(say("not_inside", shlex.quote(str(run.folder.path)), known))]
    explanation = model.explain(looked_at.data, looked_at.target, row=looked_at.row)
    gradient = model.gradient_through_time(looked_at.data, looked_at.target, row=looked_at.row)
    return inside(explanation, gradient, looked_at.said or explanation.source, say)


def _results(run: ReportedRun) -> dict[str, Any]:
    """Give all figures, for results.json."""
    figures, curve = run.figures, run.figures.curve
    return {
        "format": FORMAT,
        "kind": "run",
        "run": str(run.folder.path),
        "task": run.model.task,
        "metric": figures.key,
        "part": figures.part,
        "value": figures.value,
        "to_beat": figures.to_beat,
        "better_by": figures.better_by,
        "test": figures.test,
        "validation": figures.validation,
        "train": figures.train,
        "baseline": figures.baseline,
        "fit": {**vars(figures.fit), "verdict": figures.fit.verdict},
        "metric_fit": vars(figures.metric_fit) if figures.metric_fit else None,
        "curve": {
            "steps": curve.steps.tolist(),
            "train": curve.train.tolist(),
            "validation": {key: values.tolist() for key, values in curve.validation.items()},
            "measured": {key: values.tolist() for key, values in curve.measured.items()},
        },
        "steps": figures.steps,
        "planned": figures.planned,
        "best_step": figures.best_step,
        "seconds": figures.report.get("seconds"),
        "parameters": run.model.summary.parameters,
        "options": run.options,
        "data": run.config.get("data", {}),
        "conclusions": {one: sentences(run, Prose(one, *TABLES)) for one in LANGUAGES},
        "command": run.command,
        "next": run.next_commands,
        "versions": versions(),
        "machine": machine(),
        "references": [{"text": text, "url": url} for text, url in run.references],
    }
