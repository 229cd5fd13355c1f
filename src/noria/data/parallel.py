"""Pairs of a source and a target: two files line by line, two columns of a table, or lists."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from noria.data.lines import Lines
from noria.data.tables import FORMATS, Table, open_table
from noria.data.text import normalised
from noria.errors import DataError

SOURCES = (
    *("source", "src", "input", "question", "from", "written", "foreign", "original", "x"),
    *("es", "de", "fr", "it", "spanish", "german", "french", "italian"),
)
"""What columns of sources are called, the likeliest first."""
TARGETS = (
    *("target", "tgt", "trg", "output", "answer", "to", "reference", "translation", "y"),
    *("en", "english"),
)
"""What columns of targets are called, the likeliest first."""


@dataclass(frozen=True)
class Pair:
    """A source with its target, and where they stand.

    Attributes
    ----------
    source : str
    target : str
        Empty where only sources are read.
    place : str
        ``"a.txt, line 7"``.
    """

    source: str
    target: str
    place: str


class Pairs:
    """Pairs that are read one after the other, as often as one goes through them.

    Attributes
    ----------
    name : str
        Where they come from.
    notes : tuple of str
        What was found out on the way.
    """

    def __init__(self, name: str, pairs: Iterable[Pair], notes: Sequence[str] = ()) -> None:
        self.name, self.notes = name, tuple(notes)
        self._pairs = pairs

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._pairs)


def open_pairs(
    data: Any,
    targets: Any = None,
    *,
    source_column: str = "",
    target_column: str = "",
    encoding: str = "",
) -> Pairs:
    """Open pairs, wherever they are; a file is read when one goes through them.

    Parameters
    ----------
    data : path, two paths, data frame, list of str, list of pairs, or (sources, targets)
        A table (``.csv``, ``.tsv``, ``.jsonl``, ``.parquet``, or a frame) with two columns, or two files of
        which line n of the first belongs to line n of the second. A string is a path; strings in a list are
        sources, whose `targets` come with them.
    targets : iterable of str, optional
    source_column, target_column : str, optional
        Of a table; by default guessed from the names, or the two that there are.
    encoding : str, optional
        Of files of text; by default it is detected.

    Raises
    ------
    DataError
        If data are none of these, or a column is missing; while they are read, if a line or field is empty,
        or one file ends before the other: says where.
    """
    if targets is not None:
        return _of_lists(data, targets)
    if isinstance(data, tuple) and len(data) == 2 and not any(isinstance(d, str | os.PathLike) for d in data):
        return _of_lists(*data)
    if isinstance(data, str | os.PathLike) or hasattr(data, "columns") or isinstance(data, dict):
        return _of_table(open_table(data, encoding=encoding or None), source_column, target_column)
    items = list(data) if isinstance(data, Iterable) else []
    if items and all(isinstance(item, os.PathLike) for item in items):
        if len(items) == 1:
            return _of_table(open_table(items[0], encoding=encoding or None), source_column, target_column)
        if len(items) == 2:
            return _of_files(*(Lines(item, encoding=encoding or None) for item in items))
        raise DataError(
            f"expected two files line by line, or one table of two columns, got {len(items)} files."
        )
    if items and all(isinstance(item, tuple | list) and len(item) == 2 for item in items):
        return _of_lists([item[0] for item in items], [item[1] for item in items])
    raise DataError(
        f"expected two files, a table, a list of pairs, or sources and targets, got {_kind(data, items)}.\n"
        "  fit(sources, targets) takes two lists of strings; paths are pathlib.Path objects."
    )


def read_sources(
    source: Path | Iterable[str], source_column: str = "", encoding: str | None = None
) -> Iterator[str]:
    """Give the sources of a file of lines, of a table (as the end of its name says) or of a stream."""
    if isinstance(source, Path) and source.suffix.lower() in FORMATS:
        table = open_table(source, encoding=encoding)
        column = source_column or table.guessed(SOURCES) or table.columns[0]
        table.column(column, "source_column")
        for row in table.rows():
            yield normalised(row.text(column)) if row.has(column) else ""
        return
    for line in Lines(source, encoding=encoding if isinstance(source, Path) else None):
        yield normalised(line.rstrip("\r\n"))


def _of_files(sources: Lines, targets: Lines) -> Pairs:
    name = f"{sources.source} and {Path(targets.source).name}"
    return Pairs(name, _ParallelFiles(sources, targets), (*sources.notes, *targets.notes))


@dataclass(frozen=True)
class _ParallelFiles:
    sources: Lines
    targets: Lines

    def __iter__(self) -> Iterator[Pair]:
        counts = [0, 0]
        both = (self.sources, self.targets)
        for number, lines in enumerate(zip_longest(*both), 1):
            for side, line in enumerate(lines):
                counts[side] += line is not None
                if line is not None and None not in lines and not line.strip():
                    raise DataError(
                        f"{both[side].source}, line {number}, column 1: expected a sentence, got an empty "
                        "line.\n  Leave the line out of both files."
                    )
            if None not in lines:
                source, target = (normalised(line.rstrip("\r\n")) for line in lines)
                yield Pair(source, target, f"{self.sources.source}, line {number}")
        if counts[0] != counts[1]:
            raise DataError(
                f"{self.sources.source}, line {min(counts) + 1}: expected as many lines as in "
                f"{self.targets.source}, which has {counts[1]:,}, got {counts[0]:,}.\n"
                "  Line n of one file is the translation of line n of the other."
            )


def _of_table(table: Table, source: str, target: str) -> Pairs:
    asked = source and table.column(source, "source_column"), target and table.column(target, "target_column")
    names = [asked[0] or table.guessed(SOURCES), asked[1] or table.guessed(TARGETS)]
    rest = [name for name in table.columns if name not in names]
    if len(table.columns) == 2:  # whatever they are called
        names = [name or (rest.pop(0) if rest else None) for name in names]
    if None in names or names[0] == names[1]:
        listed = ", ".join(repr(name) for name in table.columns)
        raise DataError(
            f"{table.source}: expected a column of sources and one of targets, got {listed}.\n"
            "  Name them: source_column and target_column (--source-column, --target-column). The first "
            "line has to name the columns. Two files, line by line, are two names of files."
        )
    said = (
        () if all(asked) else (f"column {names[0]!r} holds the sources, {names[1]!r} the targets (guessed)",)
    )
    return Pairs(table.source, _Columns(table, str(names[0]), str(names[1])), (*table.notes, *said))


@dataclass(frozen=True)
class _Columns:
    table: Table
    source: str
    target: str

    def __iter__(self) -> Iterator[Pair]:
        for row in self.table.rows():
            source, target = (normalised(row.text(name)) for name in (self.source, self.target))
            yield Pair(source, target, f"{self.table.source}, {row.place}")


def _of_lists(sources: Any, targets: Any) -> Pairs:
    both = [[sources] if isinstance(sources, str) else list(sources)]
    both.append([targets] if isinstance(targets, str) else list(targets))
    if len(both[0]) != len(both[1]):
        raise DataError(
            f"expected a target for each source, got {len(both[0]):,} sources and {len(both[1]):,} targets."
        )
    for what, texts in zip(("source", "target"), both, strict=True):
        for number, text in enumerate(texts):
            if not isinstance(text, str) or not text.strip():
                got = "an empty one" if isinstance(text, str) else type(text).__name__
                raise DataError(f"{what} {number}: expected a string that is not empty, got {got}.")
    pairs = [
        Pair(normalised(source), normalised(target), f"pair {number}")
        for number, (source, target) in enumerate(zip(*both, strict=True))
    ]
    return Pairs(f"{len(pairs):,} pairs", pairs)


def _kind(data: object, items: Sequence[object]) -> str:
    if not isinstance(data, Iterable):
        return type(data).__name__
    if not items:
        return "nothing"
    return f"{type(data).__name__} of {type(items[0]).__name__}"
