"""How a run learnt, in its report: curves on both parts, what their gap says, and the table of figures."""

import math
from collections.abc import Iterator
from functools import partial

from noria.reports.curves import drawn_metric, number
from noria.reports.document import Block, Figure, Paragraph, Table
from noria.reports.prose import MISSING, Prose, capitalised
from noria.reports.reported_run import ReportedRun
from noria.reports.run_pictures import draw_curves
from noria.reports.run_words import baseline_name

NO_FIGURE = "bleu_order"
"""Says of how many words in a row a figure is, not how well anything was done."""


def learning(run: ReportedRun, say: Prose) -> list[Block]:
    """Give the curves, and a sentence on over-fitting."""
    figures, curve = run.figures, run.figures.curve
    if len(curve.steps) < 2:
        return [Paragraph(say("no_curve"))]
    key = drawn_metric([curve], figures.key)
    words = {name: say(name) for name in ("step", "loss", "train", "kept")}
    words |= {"metric": say.metric(key), "validation": say("validation_part"), "baseline": say("to_beat")}
    draw = partial(
        draw_curves,
        curve=curve,
        key=key,
        words=words,
        kept=float(figures.best_step or math.nan),
        baseline=number(figures.baseline.get(key)) if figures.part == "test" else math.nan,
    )
    caption, alternative = (" ".join(parts(run, key, say)) for parts in (_caption, _alternative))
    return [Paragraph(fit_said(run, say)), Figure("curves", caption, alternative, draw)]


def _caption(run: ReportedRun, key: str, say: Prose) -> Iterator[str]:
    curve, metric = run.figures.curve, say.metric(run.figures.key)
    drawn = list(dict.fromkeys((say.metric("loss"), say.metric(key))))
    yield capitalised(say("curves_caption", say.listed(drawn)))
    yield say("measured" if curve.is_measured else "running")
    if key not in (run.figures.key, "loss"):
        yield say("in_its_place", metric, say.metric(key))
    elif not any(map(math.isfinite, curve.on_train(key))):
        yield capitalised(say("not_on_train", metric))


def _alternative(run: ReportedRun, key: str, say: Prose) -> Iterator[str]:
    curve = run.figures.curve

    def ends(name: str) -> list[str]:
        parts = (curve.on_train(name), curve.on_validation(name))
        return [short(float(values[place])) for values in parts for place in (0, -1)]

    yield say("curves_alt", say.number(float(curve.steps[-1])), *ends("loss"))
    if key != "loss" and any(map(math.isfinite, curve.on_train(key))):
        yield say("curves_alt_metric", capitalised(say.metric(key)), *ends(key))


def fit_said(run: ReportedRun, say: Prose) -> str:
    """Say what the gap between the training and the validation part shows, of the loss and of the metric."""
    figures = run.figures
    loss, metric = figures.fit.said(say, ".3g"), figures.metric_fit
    return loss if metric is None else f"{loss} {metric.said(say, figures.form)}"


def tables(run: ReportedRun, say: Prose) -> list[Block]:
    """Give the figures of the weights that were kept, on each part, beside those to beat."""
    figures = run.figures
    columns = {"part_test": figures.test, "part_validation": figures.validation, "part_train": figures.train}
    shown = {say(title): found for title, found in columns.items() if found}
    if figures.baseline:
        shown[baseline_name(str(figures.baseline.get("name", "")), say.language)] = figures.baseline
    keys = [key for key in {**figures.test, **figures.validation} if key != NO_FIGURE]
    rows = [(say.metric(key), *(short(number(found.get(key))) for found in shown.values())) for key in keys]
    if not rows:
        return []
    marked = tuple(place for place, key in enumerate(keys) if key == figures.key)
    note = say("measured") if figures.train else ""
    return [Table(say("figures_caption"), ((say("figure"), *shown), *rows), marked, note)]


def short(value: float) -> str:
    """Write a figure in a table; what is not finite is a dash."""
    if not math.isfinite(value):
        return MISSING
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
