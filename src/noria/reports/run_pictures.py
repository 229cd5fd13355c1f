"""The figures of one run: its learning curves, and what its task gives to be drawn."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from noria.inspection.figures import COLOURS, DASHES, MAP, figure, label, written
from noria.reports.curves import Curve

MARKS = "osD^vPX"
MOST_CLASSES = 40
NUMBERED = 16
"""Classes, at most, of a confusion matrix in which the counts are written."""


def draw_curves(
    path: Path, curve: Curve, key: str, words: Mapping[str, str], *, kept: float, baseline: float
) -> list[Path]:
    """Draw loss and metric over the steps, on the training and on the validation part.

    Parameters
    ----------
    path : Path
        Where the pictures go, without an ending.
    curve : Curve
    key : str
        The figure that is drawn beside the loss; ``"loss"``: none.
    words : mapping
        ``step``, ``loss``, ``metric``, ``train``, ``validation``, ``kept``, ``baseline``.
    kept : float
        The step whose weights were kept.
    baseline : float
        The figure to beat; not a number where there is none.
    """
    keys = ["loss"] if key == "loss" else ["loss", key]
    with figure(7.2, 3.0) as drawn:
        panels = drawn.subplots(1, len(keys), squeeze=False)[0]
        for panel, one in zip(panels, keys, strict=True):
            parts = (("train", curve.on_train(one)), ("validation", curve.on_validation(one)))
            for place, (part, values) in enumerate(parts):
                if np.isfinite(values).any():
                    panel.plot(
                        curve.steps,
                        values,
                        color=COLOURS[place],
                        linestyle=DASHES[1 - place],
                        marker=MARKS[place],
                        markersize=3.5,
                        markevery=max(1, len(curve.steps) // 10),
                        label=words[part],
                    )
            if math.isfinite(kept):
                panel.axvline(kept, color="0.45", linewidth=0.9, linestyle=(0, (1, 2)), label=words["kept"])
            if one != "loss" and math.isfinite(baseline):
                panel.axhline(baseline, color="black", linestyle=":", linewidth=1.2, label=words["baseline"])
            panel.set_xlabel(words["step"])
            panel.set_ylabel(words["loss"] if one == "loss" else words["metric"])
        handles = {text: line for panel in panels for line, text in zip(*_legend(panel), strict=True)}
        drawn.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=4, fontsize=8.5)
        return written(drawn, path)


def _legend(panel: Any) -> tuple[list[Any], list[str]]:
    handles, labels = panel.get_legend_handles_labels()
    return handles, labels


def draw_confusion(
    path: Path, labels: Sequence[str], counts: Sequence[Sequence[int]], words: Mapping[str, str]
) -> list[Path]:
    """Draw how often each label, a row, was taken for each, a column: shares of the row, with the counts.

    Of many labels the most frequent are drawn. ``words`` are ``true``, ``told`` and ``share``.
    """
    table = np.asarray(counts, float)
    chosen = np.sort(np.argsort(-table.sum(axis=1), kind="stable")[:MOST_CLASSES])
    table, names = table[np.ix_(chosen, chosen)], [label(labels[place]) for place in chosen]
    totals = table.sum(axis=1, keepdims=True)
    shares = np.divide(table, totals, out=np.zeros_like(table), where=totals > 0)
    side = min(6.0, max(2.2, 0.34 * len(names)))
    with figure(side + 1.9, side + 0.9) as drawn:
        panel = drawn.subplots()
        image = panel.imshow(shares, cmap=MAP, vmin=0.0, vmax=1.0)
        long = any(len(name) > 3 for name in names)
        panel.set_xticks(range(len(names)), names, rotation=90 if long else 0)
        panel.set_yticks(range(len(names)), names)
        panel.set_xlabel(words["told"])
        panel.set_ylabel(words["true"])
        if len(names) <= NUMBERED:
            for row, column in np.ndindex(table.shape):
                ink = "black" if shares[row, column] > 0.55 else "white"
                panel.text(
                    column, row, f"{table[row, column]:.0f}", ha="center", va="center", color=ink, fontsize=8
                )
        drawn.colorbar(image, ax=panel, label=words["share"], fraction=0.046)
        return written(drawn, path)


def draw_bars(path: Path, rows: Sequence[tuple[str, float]], title: str) -> list[Path]:
    """Draw a bar for each name, its value written at its end."""
    names, values = zip(*rows, strict=True)
    with figure(6.4, 0.9 + 0.27 * len(rows)) as drawn:
        panel = drawn.subplots()
        bars = panel.barh(range(len(rows)), values, color=COLOURS[5], edgecolor="black", linewidth=0.6)
        panel.bar_label(bars, [f"{value:.3g}" for value in values], padding=3, fontsize=8.5)
        panel.set_yticks(range(len(rows)), names)
        panel.invert_yaxis()
        panel.margins(x=0.12)
        panel.set_xlabel(title)
        return written(drawn, path)


def draw_horizons(
    path: Path, horizons: Mapping[str, Mapping[str, float]], words: Mapping[str, str]
) -> list[Path]:
    """Draw the error of each step ahead, beside that of every rule.

    ``words`` are ``ahead``, ``error`` and ``model``; further entries of a horizon than figures of errors are
    rules.
    """
    ahead = [int(step) for step in horizons]
    names = {"rmse": words["model"]}
    first = next(iter(horizons.values()))
    names |= {name: name for name in first if name not in ("rmse", "mae", "smape", "mase", "coverage")}
    with figure(7.2, 3.2) as drawn:
        panel = drawn.subplots()
        for place, (key, name) in enumerate(names.items()):
            values = [horizons[str(step)].get(key, math.nan) for step in ahead]
            panel.plot(
                ahead,
                values,
                color=COLOURS[place % len(COLOURS)],
                linestyle=DASHES[place % len(DASHES)],
                marker=MARKS[place % len(MARKS)],
                markersize=4,
                linewidth=2.0 if key == "rmse" else 1.1,
                label=name,
            )
        panel.set_ylim(bottom=0)
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.set_xlabel(words["ahead"])
        panel.set_ylabel(words["error"])
        panel.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8.5)
        return written(drawn, path)


def draw_forecast(
    path: Path, past: Sequence[float], rows: Sequence[Mapping[str, Any]], words: Mapping[str, str]
) -> list[Path]:
    """Draw the end of a series, and what is forecast behind it with its intervals.

    ``words`` are ``step``, ``value``, ``observed``, ``forecast`` and ``interval``.
    """
    ahead = np.array([row["step"] for row in rows], float)
    centre = [row["forecast"] for row in rows]
    ends = [[row.get(name) for row in rows] for name in ("low", "high")]
    with figure(7.2, 3.0) as drawn:
        panel = drawn.subplots()
        panel.plot(range(1 - len(past), 1), past, color="black", linewidth=1.2, label=words["observed"])
        panel.plot(
            ahead, centre, color=COLOURS[1], linestyle="--", marker="o", markersize=4, label=words["forecast"]
        )
        if all(end is not None for one in ends for end in one):
            low, high = (np.array(one, float) for one in ends)
            if len(ahead) > 1:
                panel.fill_between(
                    ahead, low, high, color=COLOURS[1], alpha=0.2, linewidth=0, label=words["interval"]
                )
            else:
                panel.errorbar(
                    ahead,
                    centre,
                    yerr=[np.array(centre) - low, high - np.array(centre)],
                    color=COLOURS[1],
                    capsize=4,
                    label=words["interval"],
                )
        panel.axvline(0.5, color="0.5", linewidth=0.8, linestyle=":")
        panel.set_xlabel(words["step"])
        panel.set_ylabel(words["value"])
        panel.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8.5)
        return written(drawn, path)
