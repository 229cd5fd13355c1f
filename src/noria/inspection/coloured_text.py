"""Text coloured by what a neuron did at each symbol, for a browser and for a terminal."""

from collections.abc import Sequence
from html import escape

import numpy as np

from noria.arrays import Array, Float
from noria.errors import ShapeError
from noria.models.explanation import RecordedLayer

LOW, HIGH = (0, 114, 178), (230, 159, 0)  # blue and orange: Okabe & Ito 2008
PAPER = (255, 255, 255)

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font-family: sans-serif; margin: 2em; max-width: 60em; color: #000; background: #fff }}
p.text {{ font-family: monospace; font-size: 1.1em; line-height: 1.7; white-space: pre-wrap; \
overflow-wrap: anywhere }}
span {{ border-radius: 2px }}
</style></head><body>
<h1>{title}</h1>
<p>{legend}</p>
{parts}
</body></html>
"""


def ansi(labels: Sequence[str], values: Float[Array, " T"]) -> str:
    """Colour symbols for a terminal with 24-bit colours: blue where the value is low, orange where high.

    Parameters
    ----------
    labels : sequence of str
        T symbols.
    values : array of shape (T,)
    """
    coloured = []
    for text, (red, green, blue) in zip(labels, _colours(labels, values), strict=True):
        shown = "".join(one if one == "\n" or one.isprintable() else "\u2423" for one in text)
        before, newline, after = shown.partition("\n")
        body = before + ("\u21b5" if newline else "")
        coloured.append(f"\x1b[30;48;2;{red};{green};{blue}m{body}\x1b[0m{newline}{after}")
    return "".join(coloured)


def html(labels: Sequence[str], values: Float[Array, " T"]) -> str:
    """Colour symbols as spans of HTML; the value of each is its title."""
    spans = []
    for text, colour, value in zip(labels, _colours(labels, values), values, strict=True):
        shown = escape("".join("\u2423" if not (one.isprintable() or one in "\n\t") else one for one in text))
        red, green, blue = colour
        spans.append(f'<span style="background:rgb({red},{green},{blue})" title="{value:.3f}">{shown}</span>')
    return "".join(spans)


def page(layer: RecordedLayer, name: str, units: Sequence[int]) -> str:
    """Write a page with the text once for each chosen unit.

    Raises
    ------
    UnknownNameError
        If there is no such value or unit.
    """
    values = layer.neurons(name, units)
    largest = float(np.abs(values).max(initial=0.0))
    labels = spaced(layer.steps)
    parts = [
        f'<h2>unit {unit}</h2>\n<p class="text">{html(labels, column)}</p>'
        for unit, column in zip(units, values.T, strict=True)
    ]
    title = escape(f"{name} of {layer.path} ({layer.cell})")
    legend = (
        f"Blue: below 0. Orange: above 0. White: 0. The strongest colour of each unit is its largest value; "
        f"of all units here that is {largest:.3g}. Hover over a symbol for its value."
    )
    return _PAGE.format(title=title, legend=legend, parts="\n".join(parts))


def spaced(labels: Sequence[str]) -> list[str]:
    """Set words apart; characters follow each other as they are."""
    words = any(len(one) > 1 for one in labels[1:])
    return [f"{one} " for one in labels] if words else list(labels)


def _colours(labels: Sequence[str], values: Float[Array, " T"]) -> list[tuple[int, int, int]]:
    if values.ndim != 1 or len(values) != len(labels):
        raise ShapeError(f"expected a value for each of {len(labels)} symbols, got shape {values.shape}.")
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    return [_mixed(float(value) / largest) for value in values]


def _mixed(share: float) -> tuple[int, int, int]:
    end, weight = (HIGH if share > 0 else LOW), abs(share)
    red, green, blue = (round(p + (e - p) * weight) for p, e in zip(PAPER, end, strict=True))
    return red, green, blue
