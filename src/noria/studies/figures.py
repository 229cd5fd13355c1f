"""The figures of a study: its learning curves, the figures of all seeds, how far gradients reach."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from noria.arrays import Array
from noria.inspection.figures import COLOURS, DASHES, figure, powers_of_ten, written
from noria.models.gradient_reach import TENTH, THOUSANDTH
from noria.reports.curves import Curve
from noria.studies.results import Results

MARKS = ("o", "s", "^", "D", "v", "P", "X")

LEAST = 1e-6
"""Share of the gradient below which nothing is drawn."""

ROW, BESIDE = 105, 8
"""Characters of a row of a legend, and what the line beside a name takes of it."""

Words = Mapping[str, str]


def draw_figures(path: Path, results: Results, words: Words) -> list[Path]:
    """Draw the metric of every seed as a point, and beside them the mean with its interval.

    Parameters
    ----------
    path : Path
        Where the pictures go, without an ending.
    results : Results
    words : mapping
        ``metric`` stands at the axis.
    """
    lines = [line for line in results.lines if line.by_seed]
    with figure(7.2, 0.9 + 0.42 * max(1, len(lines))) as drawn:
        axes = drawn.subplots()
        for place, line in enumerate(lines):
            values = list(line.by_seed.values())
            look = {"color": COLOURS[place % len(COLOURS)], "alpha": 0.5, "markersize": 5.5}
            axes.plot(values, [place] * len(values), MARKS[place % len(MARKS)], **look)
            half = line.half_width if math.isfinite(line.half_width) else 0.0
            axes.errorbar(line.figure, place, xerr=half, fmt="|", color="black", capsize=3, markersize=12)
        axes.set_yticks(range(len(lines)), [line.name for line in lines])
        axes.set_ylim(max(1, len(lines)) - 0.4, -0.6)
        if results.baseline_name and math.isfinite(results.baseline):
            axes.axvline(results.baseline, color="black", linestyle=":", linewidth=1)
        axes.set_xlabel(words["metric"])
        return written(drawn, path)


def draw_curves(path: Path, results: Results, words: Words) -> list[Path]:
    """Draw loss and metric over the steps, on the training part and on the validation part.

    Lines are means over the seeds, shaded between the lowest and the highest. Panels of one figure share
    their scale, so that a gap between training and validation is seen as one.

    Parameters
    ----------
    path, results
        As for :func:`draw_figures`.
    words : mapping
        ``step``, ``loss``, ``metric`` (that is drawn), ``train``, ``validation`` and ``unmeasured``.
    """
    curves = {name: [Curve.of_points(one) for one in many] for name, many in results.curves.items() if many}
    keys = list(dict.fromkeys(("loss", results.drawn_metric)))
    with figure(7.2, 2.0 * len(keys) + 0.7) as drawn:
        panels = drawn.subplots(len(keys), 2, squeeze=False, sharex=True, sharey="row")
        for row, key in zip(panels, keys, strict=True):
            for panel, part in zip(row, ("train", "validation"), strict=True):
                _panel(panel, curves, key, part)
                if not panel.lines:
                    panel.text(0.5, 0.5, words["unmeasured"], ha="center", transform=panel.transAxes)
            row[0].set_ylabel(words["loss"] if key == "loss" else words["metric"])
        for panel, part in zip(panels[0], ("train", "validation"), strict=True):
            panel.set_title(words[part])
        for panel in panels[-1]:
            panel.set_xlabel(words["step"])
        _legend(drawn, panels[0, 1])
        return written(drawn, path)


def _panel(panel: Any, curves: Mapping[str, Sequence[Curve]], key: str, part: str) -> None:
    for place, (name, many) in enumerate(curves.items()):
        read = Curve.on_train if part == "train" else Curve.on_validation
        steps, values = together([(one.steps, read(one, key)) for one in many])
        if not len(steps):
            continue
        look = _look(place, len(steps))
        panel.plot(steps, values.mean(axis=0), label=name, **look)
        if len(values) > 1:
            ends = values.min(axis=0), values.max(axis=0)
            panel.fill_between(steps, *ends, color=look["color"], alpha=0.15, linewidth=0)


def draw_reach(path: Path, results: Results, words: Words) -> list[Path]:
    """Draw the norm of the gradient in the state against the steps back, a line for each variant.

    Parameters
    ----------
    path, results
        As for :func:`draw_figures`.
    words : mapping
        ``back``, ``norm``, ``tenth`` and ``thousandth``.
    """
    with figure(7.2, 3.2) as drawn:
        panel, far = drawn.subplots(), 1
        for place, line in enumerate(results.lines):
            if line.gradient is None:
                continue
            norms = np.asarray(line.gradient["norm"], float)
            shares = norms / norms[0]
            distances = line.gradient["distance"]
            look = _look(place, len(distances))
            panel.semilogy(distances, np.where(shares > 0, shares, np.nan), label=line.name, **look)
            far = max(far, distances[int(np.flatnonzero(shares >= LEAST)[-1])])
        for share, name in ((TENTH, "tenth"), (THOUSANDTH, "thousandth")):
            panel.axhline(share, color="0.5", linewidth=0.7, linestyle=(0, (2, 3)))
            end = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "bottom"}
            panel.annotate(words[name], (0.995, share), fontsize=8, **end)
        panel.set_ylim(bottom=max(panel.get_ylim()[0], LEAST))
        panel.set_xlim(-0.02 * far, 1.04 * far)
        powers_of_ten(panel.yaxis)
        panel.set_xlabel(words["back"])
        panel.set_ylabel(words["norm"])
        _legend(drawn, panel)
        return written(drawn, path)


def _legend(drawn: Any, panel: Any) -> None:
    """Say above a figure which line is whose, in as many columns as the names leave room for."""
    handles, names = panel.get_legend_handles_labels()
    if handles:
        columns = ROW // (max(map(len, names)) + BESIDE)
        drawn.legend(handles, names, loc="outside upper center", ncols=max(1, min(4, columns)), fontsize=8.5)


def together(curves: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Bring the curves of several seeds to the same steps, as far as all of them reach.

    Parameters
    ----------
    curves : sequence of (steps, values)

    Returns
    -------
    steps : array of shape (K,)
    values : array of shape (S, K)
        A line for each of the curves that has a value at all.
    """
    kept = [(steps[np.isfinite(values)], values[np.isfinite(values)]) for steps, values in curves]
    known = [(steps, values) for steps, values in kept if len(steps)]
    if not known:
        return np.empty(0), np.empty((0, 0))
    first, last = max(steps[0] for steps, _ in known), min(steps[-1] for steps, _ in known)
    inside = sorted({step for steps, _ in known for step in steps if first <= step <= last})
    steps = np.array(inside or [known[0][0][-1]])
    return steps, np.array([np.interp(steps, *one) for one in known])


def _look(place: int, points: int) -> dict[str, Any]:
    """Give how the line of a variant looks; not only its colour is its own."""
    count = len(COLOURS)
    return {
        "color": COLOURS[place % count],
        "linestyle": DASHES[(place + place // count) % len(DASHES)],
        "marker": MARKS[(place + place // count) % len(MARKS)],
        "markersize": 3.5,
        "markevery": max(1, points // 10),
        "linewidth": 1.4,
    }
