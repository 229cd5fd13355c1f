"""Pictures of what a recurrent layer computes: gates of one step as bars, values over a text as maps."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from noria.arrays import Array, Float
from noria.errors import DataError
from noria.inspection.figures import COLOURS, MAP, figure, label, written
from noria.models.explanation import RecordedLayer

ROW = 72
"""Steps of one row of a map; what is longer goes on in the next."""
MOST_ROWS = 3
TICKS = 8


def draw_step(layer: RecordedLayer, step: int, path: str | PathLike[str]) -> list[Path]:
    """Draw every value of one step as bars, a panel for each name of the equations and a bar for each unit.

    Parameters
    ----------
    layer : RecordedLayer
    step : int
        From 0; negative ones count from the end.
    path : path
        Where the pictures go, without an ending.

    Returns
    -------
    list of Path
        The SVG and the PNG.
    """
    count = len(layer.steps)
    if not -count <= step < count:
        raise DataError(f"{layer.path}: expected a step from 0 to {count - 1}, got {step}.")
    step %= count
    names = list(layer.values)
    columns = min(len(names), 3)
    rows = -(-len(names) // columns)
    with figure(2.6 * columns + 0.4, 1.7 * rows + 0.6) as drawn:
        panels = drawn.subplots(rows, columns, squeeze=False).ravel()
        for panel, name in zip(panels, names, strict=False):
            values = layer.values[name][step]
            colour = COLOURS[0] if name in layer.states else COLOURS[1]
            panel.bar(np.arange(len(values)), values, width=0.85, color=colour)
            panel.axhline(0.0, color="0.3", linewidth=0.6)
            panel.set_ylim(*_limits(layer.values[name]))
            panel.set_title(f"{name} (state)" if name in layer.states else name)
            panel.set_xlabel("unit")
        for panel in panels[len(names) :]:
            panel.set_visible(False)
        drawn.suptitle(f"{layer.path} ({layer.cell}) after step {step + 1}: {label(layer.steps[step])}")
        return written(drawn, path)


def draw_map(layer: RecordedLayer, name: str, path: str | PathLike[str]) -> list[Path]:
    """Draw one value over the steps: a column for each, with what was read, and a line for each unit.

    Of what is longer than fits into three rows the last steps are drawn.
    """
    values = layer.value(name)
    shown, labels, first = _last(values, layer.steps)
    pieces = [slice(begin, begin + ROW) for begin in range(0, len(shown), ROW)]
    units = values.shape[1]
    height = min(max(0.9, 0.06 * units), 2.6)
    widest = min(len(shown), ROW)
    with figure(max(3.2, 1.4 + 0.125 * widest), (height + 0.55) * len(pieces) + 0.6) as drawn:
        panels = drawn.subplots(len(pieces), 1, squeeze=False)[:, 0]
        low, high = _limits(values)
        for panel, piece in zip(panels, pieces, strict=True):
            image = panel.imshow(
                shown[piece].T,
                aspect="auto",
                cmap=MAP,
                vmin=low,
                vmax=high,
                interpolation="nearest",
                extent=(-0.5, len(shown[piece]) - 0.5, units - 0.5, -0.5),
            )
            panel.set_xlim(-0.5, widest - 0.5)
            named(panel, labels[piece])
            panel.set_ylabel("unit")
        panels[-1].set_xlabel("what was read at each step" + (f" (from step {first + 1})" if first else ""))
        panels[0].set_title(f"{name} of {layer.path} ({layer.cell})")
        drawn.colorbar(
            image, ax=list(panels), label=f"value of {name}", fraction=0.03, aspect=18 * len(pieces)
        )
        return written(drawn, path)


def draw_neurons(
    layer: RecordedLayer, name: str, units: Sequence[int], path: str | PathLike[str]
) -> list[Path]:
    """Draw some units of a value over the steps as lines, with what was read on the axis."""
    values = layer.neurons(name, units)
    shown, labels, first = _last(values, layer.steps, rows=2)
    pieces = [slice(begin, begin + ROW) for begin in range(0, len(shown), ROW)]
    widest = min(len(shown), ROW)
    with figure(max(4.0, 1.4 + 0.125 * widest), 1.9 * len(pieces) + 0.5) as drawn:
        panels = drawn.subplots(len(pieces), 1, squeeze=False)[:, 0]
        for panel, piece in zip(panels, pieces, strict=True):
            for place, unit in enumerate(units):
                marker = "osD^vPX"[place % 7]
                panel.plot(
                    shown[piece, place],
                    color=COLOURS[place % len(COLOURS)],
                    marker=marker,
                    markersize=3,
                    linewidth=1.1,
                    label=f"unit {unit}",
                )
            panel.set_ylim(*_limits(values))
            panel.set_xlim(-0.5, widest - 0.5)
            named(panel, labels[piece])
            panel.set_ylabel(name)
        panels[0].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        panels[0].set_title(f"{name} of {layer.path} ({layer.cell})")
        panels[-1].set_xlabel("what was read at each step" + (f" (from step {first + 1})" if first else ""))
        return written(drawn, path)


def named(panel: Any, labels: Sequence[str]) -> None:
    """Put what was read on the axis of steps; words stand upright."""
    shown = [label(one) for one in labels]
    upright = any(len(one) > 1 for one in shown)
    panel.set_xticks(range(len(shown)), shown, rotation=90 if upright else 0)
    panel.tick_params(axis="x", length=0 if not upright else 2, labelsize=7.5)


def _last(
    values: Float[Array, "T H"], steps: Sequence[str], rows: int = MOST_ROWS
) -> tuple[Float[Array, "S H"], Sequence[str], int]:
    """Give the last steps that fit, and how many are left out."""
    first = max(0, len(values) - rows * ROW)
    return values[first:], steps[first:], first


def _limits(values: Array) -> tuple[float, float]:
    """Give the ends of the scale: 0 and 1 for a gate, and the same on both sides of 0 for what has a sign."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low >= 0.0:
        return 0.0, 1.0 if high <= 1.0 else high
    largest = max(-low, high)
    return (-1.0, 1.0) if 0.25 < largest <= 1.0 else (-largest, largest)
