"""The figures of a report, drawn before anything is written."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from noria.reports.document import Figure


@dataclass(frozen=True)
class Picture:
    """A figure as it is written: for pages, and for where lines are not drawn."""

    svg: bytes
    png: bytes


def drawn(figures: Iterable[Figure]) -> dict[str, Picture]:
    """Draw figures; give them by their names."""
    pictures = {}
    with tempfile.TemporaryDirectory(prefix="noria-") as folder:
        for figure in figures:
            svg, png = sorted(figure.draw(Path(folder) / figure.name), key=lambda file: file.suffix != ".svg")
            pictures[figure.name] = Picture(svg.read_bytes(), png.read_bytes())
    return pictures
