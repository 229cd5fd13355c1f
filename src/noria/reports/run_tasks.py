"""What the report of a run shows of its task: confusions, errors by horizon, samples, forecasts."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from noria.reports.curves import number
from noria.reports.document import Block, Figure, Passages, Table
from noria.reports.prose import MISSING, Prose
from noria.reports.run_figures import RunFigures
from noria.reports.run_pictures import draw_bars, draw_confusion, draw_forecast, draw_horizons
from noria.reports.run_words import baseline_name

MOST_ROWS = 20
THIRDS = ("exact_match_short", "exact_match_middle", "exact_match_long")
SAMPLES, LONGEST = 3, 700
"""Samples that are shown of a run, and their characters."""
PAST = 60
"""Steps of a series before what is forecast, at most."""


def answers(model: Any, figures: RunFigures, prose: Prose) -> Iterator[Block]:
    """Give the blocks that a task has of its own."""
    for task in (_classes, _attended, _horizons, _rules, _forecasts, _thirds, _samples):
        yield from task(model, figures, prose)


def _classes(model: Any, figures: RunFigures, prose: Prose) -> Iterator[Block]:
    classes: Mapping[str, Mapping[str, float]] = figures.report.get("classes") or {}
    confusion = figures.report.get("confusion")
    if confusion:
        yield _confusion(confusion["labels"], confusion["counts"], prose)
    if classes:
        worst = sorted(classes, key=lambda name: classes[name]["f1"])[:MOST_ROWS]
        named = list(classes) if len(classes) <= MOST_ROWS else worst
        columns = ("precision", "recall", "f1")
        head = (prose("class"), *map(prose, columns), prose("sequences"))
        rows = [
            (
                name,
                *(f"{classes[name][column]:.3f}" for column in columns),
                prose.number(number(classes[name].get("sequences", classes[name].get("count")))),
            )
            for name in named
        ]
        note = prose("worst", len(named), len(classes)) if len(named) < len(classes) else ""
        yield Table(prose("classes_caption"), (head, *rows), note=note)


def _confusion(labels: list[str], counts: list[list[int]], prose: Prose) -> Figure:
    table = np.asarray(counts)
    right, total = int(np.trace(table)), int(table.sum())
    wrong = table - np.diag(np.diag(table))
    row, column = (int(place) for place in np.unravel_index(wrong.argmax(), wrong.shape))
    key = "confusion_alt" if wrong.max() > 0 else "confusion_none"
    said = prose(key, len(labels), right, total, labels[row], labels[column], int(wrong.max()))
    words = {name: prose(name) for name in ("true", "told", "share")}
    return Figure(
        "confusion",
        prose("confusion_caption"),
        said,
        partial(draw_confusion, labels=labels, counts=counts, words=words),
    )


def _attended(model: Any, figures: RunFigures, prose: Prose) -> Iterator[Block]:
    attended: Mapping[str, list[tuple[str, float]]] = figures.report.get("attended") or {}
    if attended:
        rows = [
            (name, ", ".join(f"{symbol} {share:.1f}" for symbol, share in pairs[:6]) or MISSING)
            for name, pairs in list(attended.items())[:MOST_ROWS]
        ]
        yield Table(prose("attended_caption"), ((prose("class"), prose("symbols")), *rows))


def _horizons(model: Any, figures: RunFigures, prose: Prose) -> Iterator[Block]:
    evaluation = figures.baseline.get("evaluation") or {}
    horizons: Mapping[str, Mapping[str, float]] = evaluation.get("horizons") or {}
    if len(horizons) < 2:
        return
    steps, rules = list(horizons), evaluation["baselines"]
    best = min(rules, key=lambda name: float(rules[name]["rmse"]))
    ends = (horizons[steps[0]], horizons[steps[-1]])
    said = prose(
        "horizons_alt",
        steps[-1],
        *(f"{end['rmse']:.4g}" for end in ends),
        baseline_name(best, prose.language),
        *(f"{number(end.get(best)):.4g}" for end in ends),
    )
    words = {"ahead": prose("ahead"), "error": prose("error"), "model": prose("model")}
    yield Figure(
        "horizons", prose("horizons_caption"), said, partial(draw_horizons, horizons=horizons, words=words)
    )


def _rules(model: Any, figures: RunFigures, prose: Prose) -> Iterator[Block]:
    evaluation = figures.baseline.get("evaluation") or {}
    if not evaluation:
        return
    keys = [key for key in ("rmse", "mae", "smape", "mase", "coverage") if key in evaluation]
    rows = [(prose("model"), evaluation)]
    rows += [(baseline_name(name, prose.language), rule) for name, rule in evaluation["baselines"].items()]
    cells = [
        (name, *(f"{value:.4g}" if math.isfinite(value := number(one.get(key))) else MISSING for key in keys))
        for name, one in rows
    ]
    yield Table(prose("rules_caption"), ((prose("who"), *map(prose.metric, keys)), *cells), marked=(0,))


def _forecasts(model: Any, figures: RunFigures, prose: Prose) -> Iterator[Block]:
    if model.task != "forecast":
        return
    name, memory = next(iter(model.schema_.memory.items()))
    values = memory.end.values[:, 0]
    past = values[-PAST:].tolist()
    channel = model.schema_.channels[0]
    rows = [
        row
        for row in model.predict_rows(None)
        if row.get("unique_id", name) == name and row.get("channel", channel) == channel
    ]
    rows = rows[: model.horizon]
    words = {
        "step": prose("steps_from_end"),
        "value": name or channel,
        "observed": prose("observed"),
        "forecast": prose("forecasted"),
        "interval": prose("interval"),
    }
    told = prose.listed([f"{row['forecast']:.4g}" for row in rows])
    yield Figure(
        "forecast",
        prose("forecast_caption", name or channel, f"{100 * model.level:g}"),
        prose("forecast_alt", f"{past[-1]:.4g}", told),
        partial(draw_forecast, past=past, rows=rows, words=words),
    )


def _thirds(model: Any, figures: RunFigures, prose: Prose) -> Iterator[Block]:
    if all(key in figures.test for key in THIRDS):
        rows = [(prose.metric(key), float(figures.test[key])) for key in THIRDS]
        said = prose("bars_alt", ", ".join(f"{name} {value:.3f}" for name, value in rows))
        title = prose.metric("exact_match")
        yield Figure("thirds", prose("thirds_caption"), said, partial(draw_bars, rows=rows, title=title))


def _samples(model: Any, figures: RunFigures, prose: Prose) -> Iterator[Block]:
    """Show what the model wrote at the beginning, half-way and at the end, and what it writes now."""
    samples = figures.samples
    places = sorted({0, len(samples) // 2, len(samples) - 1}) if samples else []
    rows = [(prose("sample_step", prose.number(samples[place][0])), samples[place][1]) for place in places]
    if model.task == "text" and (written := own_text(model)):
        rows = [*rows[: SAMPLES - 1], (prose("sample_now"), written)]
    if rows:
        yield Passages(tuple((title, _cut(text)) for title, text in rows))


def own_text(model: Any, length: int = 300) -> str:
    """Let a model of text write; empty where it asks for more than a beginning."""
    from noria.errors import NoriaError

    write: Callable[..., str] = model.sample
    try:
        return write("", length=length, temperature=0.7, seed=0)
    except NoriaError:
        return ""


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
