"""The figures of a study: learning curves, and the figures of all seeds with their means and intervals."""

import io
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from noria.inspection.figures import COLOURS, DASHES, figure
from noria.studies.results import Results, number

MARKS = ("o", "s", "^", "D", "v", "P", "X")


def curves_picture(results: Results) -> str:
    """Draw the validation loss over the steps: the mean of the seeds, and between which it lies."""
    with figure(7.2, 3.4) as drawn:
        axes = drawn.subplots()
        for place, (name, curves) in enumerate(results.curves.items()):
            steps, middle, low, high = _together(curves)
            if not len(steps):
                continue
            colour, dashes = COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
            axes.plot(steps, middle, color=colour, linestyle=dashes, label=name)
            if len(curves) > 1:
                axes.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.set_xlabel("step")
        axes.set_ylabel("validation loss")
        if axes.lines:
            axes.legend(fontsize=8)
        return _svg(drawn, "curves")


def figures_picture(results: Results) -> str:
    """Draw the metric of every seed as a point, and beside them the mean with its interval."""
    lines = [line for line in results.lines if line.by_seed]
    with figure(7.2, 0.9 + 0.42 * max(1, len(lines))) as drawn:
        axes = drawn.subplots()
        for place, line in enumerate(lines):
            colour, mark = COLOURS[place % len(COLOURS)], MARKS[place % len(MARKS)]
            values = list(line.by_seed.values())
            axes.plot(values, [place] * len(values), mark, color=colour, alpha=0.45, markersize=5)
            half = line.half_width if math.isfinite(line.half_width) else 0.0
            axes.errorbar(line.figure, place, xerr=half, fmt="|", color="black", capsize=3, markersize=12)
        axes.set_yticks(range(len(lines)), [line.name for line in lines])
        axes.invert_yaxis()
        axes.margins(y=0.25)
        if results.baseline_name and math.isfinite(results.baseline):
            axes.axvline(results.baseline, color="black", linestyle=":", linewidth=1)
        axes.set_xlabel(f"{results.metric.replace('_', ' ')} on the test part")
        return _svg(drawn, "figures")


def _together(
    curves: Sequence[Sequence[Mapping[str, Any]]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Bring the curves of several seeds to the same steps, as far as all of them reach."""
    points = [
        [(point["step"], number(point["validation"].get("loss"))) for point in curve] for curve in curves
    ]
    known = [
        np.array(kept) for one in points if (kept := [point for point in one if math.isfinite(point[1])])
    ]
    if not known:
        return (np.empty(0),) * 4
    first, last = max(one[0, 0] for one in known), min(one[-1, 0] for one in known)
    inside = sorted({step for one in known for step in one[:, 0] if first <= step <= last})
    steps = np.array(inside or [known[0][-1, 0]])
    values = np.array([np.interp(steps, one[:, 0], one[:, 1]) for one in known])
    return steps, values.mean(axis=0), values.min(axis=0), values.max(axis=0)


def _svg(drawn: Any, salt: str) -> str:
    """Give a figure as the element of a page; its names are not those of another figure."""
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": f"noria-{salt}", "svg.fonttype": "none"}):
        drawn.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{salt}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{salt}-", text)
    return re.sub(r'\s(xmlns(:\w+)?|version)="[^"]*"', "", text, count=3).replace("xlink:href", "href")
