"""The first screen of the report of a run: what it came to, whether it over-fits, what it cost, how again."""

import math
from collections.abc import Mapping
from typing import Any

from noria.reports.curves import number
from noria.reports.document import Block, Command, Facts, Paragraph
from noria.reports.prose import Prose, capitalised
from noria.reports.reported_run import ReportedRun
from noria.reports.run_learning import fit_said, short
from noria.reports.run_words import baseline_name

COUNTS = ("tokens", "characters", "bleu_order")
"""Figures that say how much was measured, not how well."""


def sentences(run: ReportedRun, say: Prose) -> list[str]:
    """Say what a run came to, the most important first."""
    figures = run.figures
    if not figures.part:
        return [say("no_figures")]
    value, metric = figures.written(figures.value), say.metric(figures.key)
    words = (capitalised(metric), value, say(f"{figures.part}_part"))
    if math.isfinite(figures.to_beat):
        name = baseline_name(str(figures.baseline.get("name", "")), say.language)
        key = "beats" if figures.better_by > 0 else "equals" if figures.better_by == 0 else "misses"
        said = [say(key, *words, name, figures.written(figures.to_beat))]
    else:
        said = [say("no_baseline", *words)]
    if figures.part == "validation":
        said.append(say("chosen_on"))
    said.append(fit_said(run, say))
    if figures.steps < figures.planned:
        said.append(say("unfinished", say.number(figures.steps), say.number(figures.planned)))
    return said


def opening(run: ReportedRun, say: Prose) -> list[Block]:
    """Give the first screen."""
    figures = run.figures
    first, *others = sentences(run, say)
    rows = []
    for part, found in (("test", figures.test), ("validation", figures.validation)):
        if part == figures.part:
            rows.append((say(part), _listed(run, found, say)))
    if math.isfinite(figures.to_beat):
        name = baseline_name(str(figures.baseline["name"]), say.language)
        better = figures.better_by
        size = figures.written(abs(better))
        by = say("better_by" if better > 0 else "worse_by", size) if better else say("level")
        rows += [(say("baseline"), f"{name}: {_listed(run, figures.baseline, say)}"), (say("by"), by)]
    compare = run.compare_command
    rows.append((say("spread"), say("one_run", compare) if compare else say("one_run_plain")))
    if figures.part:
        rows.append((say("fit"), fit_said(run, say)))
    rows.append((say("cost"), _cost(run, say)))
    again = say("see_below") if run.command else _from_python(run, say)
    rows.append((say("again"), again))
    lines = [line for line in others if line != fit_said(run, say)]
    blocks: list[Block] = [Paragraph(first, lead=True), *map(Paragraph, lines), Facts(tuple(rows))]
    return [*blocks, *([Command(run.command)] if run.command else [])]


def _from_python(run: ReportedRun, say: Prose) -> str:
    return say("from_python", run.figures.steps, run.options.get("seed", 0))


def _listed(run: ReportedRun, found: Mapping[str, Any], say: Prose) -> str:
    """Write the plain figures of a part, the metric first."""
    figures = run.figures
    keys = [figures.key, *(key for key in found if key not in (figures.key, *COUNTS))]
    values = [(key, number(found.get(key))) for key in keys if not isinstance(found.get(key), bool)]
    shown = [
        f"{say.metric(key)} {figures.written(value) if key == figures.key else short(value)}"
        for key, value in values
        if math.isfinite(value)
    ]
    return ", ".join(shown)


def _cost(run: ReportedRun, say: Prose) -> str:
    figures = run.figures
    seconds, tokens = (number(figures.report.get(key)) for key in ("seconds", "tokens"))
    rate = tokens / seconds if seconds else math.nan
    return say(
        "costs",
        say.number(figures.steps),
        say.duration(seconds),
        say.number(tokens),
        say.number(rate),
        say.number(run.model.summary.parameters),
        say.number(figures.best_step),
    )
