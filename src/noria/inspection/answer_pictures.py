"""Pictures of what a model says and where it looked: likeliest answers by position, maps of attention."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from noria.errors import DataError
from noria.inspection.figures import COLOURS, MAP, figure, label, written
from noria.inspection.gate_pictures import ROW, named
from noria.models.explanation import Explanation, RecordedAttention

SHOWN = 5
"""Answers that are drawn for each position."""
MOST = 200
"""Steps of a map of attention that are drawn; of more the last."""


def draw_answers(explanation: Explanation, path: str | PathLike[str]) -> list[Path]:
    """Draw the likeliest answers at each position, one below the other, dark where the model is sure.

    The answer that came is framed. Of more than 72 positions the last are drawn.

    Raises
    ------
    DataError
        If the answers are numbers, which have no probabilities.
    """
    entries = [entry for entry in explanation.predictions if "top" in entry][-ROW:]
    if not entries:
        raise DataError("the answers of this model are numbers, which have no probabilities to be drawn.")
    lines = min(SHOWN, max(len(entry["top"]) for entry in entries))
    chances = np.full((lines, len(entries)), np.nan)
    with figure(max(3.2, 1.6 + _column(entries) * len(entries)), 1.3 + 0.28 * lines) as drawn:
        panel = drawn.subplots()
        for column, entry in enumerate(entries):
            for line, (symbol, chance) in enumerate(entry["top"][:lines]):
                chances[line, column] = chance
                shown = label(str(symbol))
                ink = "black" if chance > 0.55 else "white"
                panel.text(column, line, shown, ha="center", va="center", color=ink, fontsize=7.5)
                if str(symbol) == str(entry.get("target")):
                    panel.add_patch(_frame(column, line))
        image = panel.imshow(chances, aspect="auto", cmap=MAP, vmin=0.0, vmax=1.0, interpolation="nearest")
        named(panel, [str(entry["step"]) for entry in entries])
        panel.set_yticks(range(lines), [str(line + 1) for line in range(lines)])
        panel.set_ylabel("rank")
        panel.set_xlabel("after reading")
        panel.set_title("likeliest answers; framed: what came")
        drawn.colorbar(image, ax=panel, label="probability")
        return written(drawn, path)


def draw_attention(one: RecordedAttention, path: str | PathLike[str]) -> list[Path]:
    """Draw where each step looked: a line for each, a column for each thing that was looked at."""
    weights, steps, seen = one.weights[-MOST:], one.steps[-MOST:], one.seen
    if one.steps == one.seen:
        weights, seen = weights[:, -MOST:], seen[-MOST:]
    width, height = (min(max(1.6, 0.16 * count), 16.0) for count in reversed(weights.shape))
    with figure(width + 2.2, height + 1.4) as drawn:
        panel = drawn.subplots()
        image = panel.imshow(weights, aspect="auto", cmap=MAP, vmin=0.0, interpolation="nearest")
        named(panel, seen)
        panel.set_yticks(range(len(steps)), [label(step) for step in steps], fontsize=7.5)
        panel.set_xlabel("looked at")
        panel.set_ylabel("step")
        panel.set_title(f"attention: {one.path}")
        drawn.colorbar(image, ax=panel, label="weight")
        return written(drawn, path)


def _column(entries: Sequence[dict[str, Any]]) -> float:
    """Give the width of a column in inches: that of the longest answer."""
    shown = [label(str(top[0])) for entry in entries for top in entry["top"][:SHOWN]]
    return 0.12 + 0.065 * max(map(len, shown))


def _frame(column: int, line: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.47, line - 0.45), 0.94, 0.9, fill=False, edgecolor=COLOURS[1], linewidth=1.6)
