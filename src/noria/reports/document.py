"""What a report says, apart from how it looks: sections of blocks, which every form is written from."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Draw: TypeAlias = Callable[[Path], Sequence[Path]]
"""Draws a figure beside a path without an ending, and gives the files: SVG first, then PNG."""

_CONTROL = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | {127: 0x2421}
_CONTROL |= dict.fromkeys([*range(128, 160), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], 0xFFFD)


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of prose; the lead is what has to be read if nothing else is."""

    text: str
    lead: bool = False


@dataclass(frozen=True)
class Items:
    """Sentences, each on a line of its own."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """What is asked, and the answer."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """Rows of cells, the first of them the head.

    Attributes
    ----------
    caption : str
    rows : tuple of tuple of str
        The first column says what a row is of, all others are numbers.
    marked : tuple of int
        Rows that stand out, counted from 0 below the head.
    note : str
    """

    caption: str
    rows: tuple[tuple[str, ...], ...]
    marked: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True, eq=False)
class Figure:
    """A picture.

    Attributes
    ----------
    name : str
        Of its files.
    caption : str
        What it shows and how it is read.
    alternative : str
        What it shows, in words, for whoever does not see it.
    draw : callable
    """

    name: str
    caption: str
    alternative: str
    draw: Draw


@dataclass(frozen=True)
class Passages:
    """Texts with their titles, side by side where there is room; every character counts."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Command:
    """What is typed."""

    text: str


@dataclass(frozen=True)
class References:
    """What to read: text and address, empty where there is none."""

    rows: tuple[tuple[str, str], ...]


Block: TypeAlias = Paragraph | Items | Facts | Table | Figure | Passages | Command | References


@dataclass(frozen=True)
class Section:
    """Blocks under a heading."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes
    ----------
    title, language : str
    opening : tuple of Block
        The first screen: what came out, by how much, what it cost, how to do it again.
    sections : tuple of Section
        Those without blocks are left out.
    """

    title: str
    language: str
    opening: tuple[Block, ...]
    sections: tuple[Section, ...]

    def figures(self) -> Iterator[Figure]:
        """Give all figures, in the order in which they stand."""
        for block in (*self.opening, *(block for section in self.sections for block in section.blocks)):
            if isinstance(block, Figure):
                yield block

    def shown_sections(self) -> Iterator[Section]:
        """Give the sections that say something."""
        return (section for section in self.sections if section.blocks)


def visible(text: str) -> str:
    """Give a text as any form can hold it: control characters as pictures of themselves."""
    return text.replace("\r\n", "\n").translate(_CONTROL)
