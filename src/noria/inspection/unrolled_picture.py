"""The network of a model, unrolled in time, as a picture."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from noria.inspection.figures import figure, written
from noria.inspection.unrolling import (
    BOTH,
    BOTH_LAST,
    FORWARD,
    LAST,
    LINKED,
    MEMORY,
    PAST,
    Part,
    Row,
    Unrolled,
)

COLUMNS = 4
"""Places in time: the first, the second, those between as dots, the last."""
DOTS = 2
WIDE, HIGH, APART = 1.25, 0.46, 1.0
MARGIN_RIGHT = 1.3

FILLS = {"recurrent": "#DCE9F5", "whole": "#FBE6D4", "attention": "#DDF0E6", "plain": "#F4F4F4"}


def draw_unrolled(network: Unrolled, path: str | PathLike[str]) -> list[Path]:
    """Draw a network; give the SVG and the PNG.

    Every layer is a line, with its path and its number of parameters on the left and the shape of what it
    gives on the right; steps stand from left to right.
    """
    tallest = max(len(part.rows) for part in network.parts)
    longest = max(len(row.path) for part in network.parts for row in part.rows)
    margin = max(1.6, 0.5 + 0.078 * longest)
    part_width = margin + COLUMNS * WIDE + MARGIN_RIGHT
    width, height = part_width * len(network.parts), (tallest + 2) * APART + 0.2
    with figure(width * 0.86, height * 0.8) as drawn:
        panel = drawn.subplots()
        panel.set_axis_off()
        panel.set_xlim(0, width)
        panel.set_ylim(-0.6, height - 0.6)
        attends = any(row.looks == MEMORY for row in network.parts[-1].rows)
        for number, part in enumerate(network.parts):
            gives = "y" if part is network.parts[-1] else "m" if attends else ""
            _Drawing(panel, part, number * part_width + margin, gives).draw()
        if len(network.parts) == 2:
            _join(panel, network, margin, part_width)
        panel.set_title(_title(network))
        return written(drawn, path)


def _broken(words: str, room: int) -> list[str]:
    """Break what is too long for a box where a part of it ends, as near to the middle as can be."""
    places = [place for place, symbol in enumerate(words) if symbol in " _"]
    if len(words) <= room or not places:
        return [words]
    middle = min(places, key=lambda place: abs(2 * place + 1 - len(words))) + 1
    return [words[:middle].rstrip(), words[middle:]]


def _title(network: Unrolled) -> str:
    count = f"{network.parameters:,} parameters"
    copies = f" \u00b7 {network.copies} networks like this side by side" if network.copies > 1 else ""
    between = f" ({network.between:,} between encoder and decoder)" if network.between else ""
    words = [network.title] * bool(network.title)
    return " \u00b7 ".join([*words, network.kind, f"{count}{between}{copies}"])


class _Drawing:
    """One part on its way onto the panel."""

    def __init__(self, panel: Any, part: Part, left: float, gives: str) -> None:
        self.panel, self.part, self.left, self.gives = panel, part, left, gives
        self.centres = [left + (column + 0.5) * WIDE for column in range(COLUMNS)]
        last = part.steps
        self.times = ["1", "2", "\u2026", last]

    def draw(self) -> None:
        """Draw input, rows, and arrows upwards."""
        part = self.part
        self._margins(0, f"{part.name} reads".strip(), part.reads, self._shape(part.width, whole=False))
        for column in self._columns():
            self._write(self.centres[column], 0.0, f"x({self.times[column]})")
        self._write(self.centres[DOTS], 0.0, "\u2026")
        whole_below = False
        for number, row in enumerate(part.rows, 1):
            first_state = row.path.endswith(".initial")
            below = number - 1
            if not first_state:
                self._upwards(below, number, row, whole_below=whole_below)
            self._row(number, row)
            counted = f"{row.parameters:,} parameters" if row.parameters else ""
            self._margins(number, row.path or row.title, counted, self._shape(row.size, whole=row.whole))
            whole_below = row.whole and not first_state
        top = len(part.rows) + 1
        columns = [COLUMNS - 1] if whole_below else self._columns()
        for column in columns if self.gives else ():
            self._arrow((self.centres[column], self._top(top - 1)), (self.centres[column], top - 0.3))
            shown = "y" if whole_below else f"{self.gives}({self.times[column]})"
            self._write(self.centres[column], top - 0.12, shown)

    def _row(self, number: int, row: Row) -> None:
        if row.whole:
            left, right = self.centres[0] - 0.5 * WIDE + 0.1, self.centres[-1] + 0.5 * WIDE - 0.1
            self._box(left, right, number, row.title, FILLS["whole"])
            return
        kind = "attention" if row.looks else "recurrent" if row.flow in (FORWARD, BOTH) else "plain"
        for column in self._columns():
            half = 0.5 * WIDE - 0.17
            centre = self.centres[column]
            self._box(centre - half, centre + half, number, row.title, FILLS[kind])
        self._write(self.centres[DOTS], number, "\u2026")
        if row.flow:
            self._through_time(number, row)
        if row.looks == PAST:
            for column in (1, COLUMNS - 1):
                self._arrow(
                    (self.centres[0] + 0.1, number - 0.5),
                    (self.centres[column] - 0.2, number - 0.5 * HIGH),
                    style="--",
                    bend=0.12,
                )
        if row.feeds:
            self._write(self.centres[DOTS], number + 0.38, "fed back to the next step", size=7)

    def _through_time(self, number: int, row: Row) -> None:
        for column in range(COLUMNS - 1):
            left = self.centres[column] + (0.5 * WIDE - 0.17 if column != DOTS else 0.15)
            right = self.centres[column + 1] - (0.5 * WIDE - 0.17 if column + 1 != DOTS else 0.15)
            up = 0.09 if row.flow == BOTH else 0.0
            if row.flow == LINKED:
                self.panel.plot([left, right], [number, number], color="0.2", linewidth=1.2)
                continue
            self._arrow((left, number + up), (right, number + up))
            if row.flow == BOTH:
                self._arrow((right, number - up), (left, number - up))

    def _upwards(self, below: int, number: int, row: Row, *, whole_below: bool) -> None:
        columns = [COLUMNS - 1] if whole_below else self._columns()
        if row.title.startswith(LAST):
            columns = [COLUMNS - 1]
        if row.title == BOTH_LAST:
            columns = [0, COLUMNS - 1]
        for column in columns:
            start = (self.centres[column], self._top(below))
            self._arrow(start, (self.centres[column], number - 0.5 * HIGH))

    def _top(self, number: int) -> float:
        return 0.18 if number == 0 else number + 0.5 * HIGH

    def _box(self, left: float, right: float, number: int, title: str, fill: str) -> None:
        from matplotlib.patches import FancyBboxPatch

        corner = (left, number - 0.5 * HIGH)
        box = FancyBboxPatch(
            corner,
            right - left,
            HIGH,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=fill,
            edgecolor="0.2",
            linewidth=1.0,
        )
        self.panel.add_patch(box)
        room = int((right - left) / 0.075)
        lines = _broken(title, room)
        size = 8.0 * min(1.0, room / max(map(len, lines)))
        self._write((left + right) / 2, number, "\n".join(lines), size=max(4.5, size))

    def _margins(self, number: int, name: str, more: str, shape: str) -> None:
        at = self.left - 0.1
        up = 0.12 if more else 0.0
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}  # arrows pass behind words
        at_right = {"ha": "right", "va": "center", "bbox": paper, "zorder": 5}
        self.panel.text(at, number + up, name, fontsize=8, weight="bold", **at_right)
        if more:
            self.panel.text(at, number - 0.15, more, fontsize=7.5, color="0.25", **at_right)
        right = self.centres[-1] + 0.5 * WIDE + 0.05
        self.panel.text(right, number, shape, ha="left", va="center", fontsize=8, family="monospace")

    def _shape(self, width: int, *, whole: bool) -> str:
        steps = "" if whole else self.part.steps
        inside = ", ".join(one for one in (steps, f"{width:,}" if width else "") if one)
        return f"({inside}{',' if ',' not in inside else ''})"

    def _columns(self) -> Sequence[int]:
        return [column for column in range(COLUMNS) if column != DOTS]

    def _write(self, x: float, y: float, words: str, *, size: float = 8.5) -> None:
        self.panel.text(x, y, words, ha="center", va="center", fontsize=size)

    def _arrow(
        self, start: tuple[float, float], end: tuple[float, float], *, style: str = "-", bend: float = 0.0
    ) -> None:
        arrow(self.panel, start, end, style=style, bend=bend)


def arrow(
    panel: Any, start: tuple[float, float], end: tuple[float, float], *, style: str = "-", bend: float = 0.0
) -> None:
    """Draw one arrow, bent or straight."""
    looks = {
        "arrowstyle": "-|>",
        "linestyle": style,
        "linewidth": 0.9,
        "color": "0.2",
        "shrinkA": 0,
        "shrinkB": 0,
        "mutation_scale": 8,
        "connectionstyle": f"arc3,rad={bend}",
    }
    panel.annotate("", end, start, arrowprops=looks)


def _join(panel: Any, network: Unrolled, margin: float, part_width: float) -> None:
    """Draw what goes from the encoder to the decoder: the last state, and the memory that is looked at."""
    encoder, decoder = network.parts
    from_x = margin + COLUMNS * WIDE - 0.17
    to_x = part_width + margin + 0.17
    flows = [
        [number for number, row in enumerate(part.rows, 1) if row.flow in (FORWARD, BOTH)]
        for part in network.parts
    ]
    if all(flows):
        start, end = (from_x, flows[0][-1] - 0.12), (to_x, flows[1][0] - 0.12)
        arrow(panel, start, end, bend=0.12)
        _on_arrow(panel, from_x + 0.95, start[1] - 0.4, "last state")
    for number, row in enumerate(decoder.rows, 1):
        if row.looks == MEMORY:
            top = len(encoder.rows) + 0.5 * HIGH
            arrow(panel, (from_x - 0.4, top), (to_x, number + 0.12), style="--", bend=-0.12)
            _on_arrow(panel, from_x + 0.95, top + 0.42, "memory m")


def _on_arrow(panel: Any, x: float, y: float, words: str) -> None:
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    panel.text(x, y, words, ha="center", va="center", fontsize=7.5, bbox=paper, zorder=5)
