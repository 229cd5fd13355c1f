"""Pairs of a source and a target: two files line by line, two columns of a table, or lists."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from noria.data.delimited import Dialect, read_delimited, sniff
from noria.data.lines import Lines
from noria.data.table_rows import Row, Table
from noria.data.tables import FORMATS, DelimitedTable, open_table
from noria.data.text import normalised
from noria.errors import DataError

SOURCES = (
    *("source", "src", "input", "question", "from", "written", "foreign", "original", "x"),
    *("es", "de", "fr", "it", "spanish", "german", "french", "italian", "text", "sentence"),
)
"""What columns of sources are called, the likeliest first."""
TARGETS = (
    *("target", "tgt", "trg", "output", "answer", "to", "reference", "translation", "y"),
    *("en", "english"),
)
"""What columns of targets are called, the likeliest first."""
_LANGUAGE_NAMES = """
    af am ar az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fo fr fy ga gd gl gu ha he hi hr
    ht hu hy id ig is it ja ka kk km kn ko ku ky la lb lo lt lv mg mi mk ml mn mr ms mt my nb ne nl nn
    no oc pa pl ps pt ro ru rw sd si sk sl sm sn so sq sr sv sw ta te tg th tk tl tr tt ug uk ur uz vi
    xh yi yo zh zu ara ces dan deu ell eng est fin fra heb hin hun ita jpn kor lat nld nor pol por ron
    rus spa swe tur ukr vie zho arabic chinese czech danish dutch english finnish french german greek
    hindi hungarian italian japanese korean latin norwegian polish portuguese romanian russian spanish
    swedish turkish ukrainian
"""
_LANGUAGES = frozenset(_LANGUAGE_NAMES.split())
_PARTS = _LANGUAGES.union(SOURCES, TARGETS)
_NO_TEXT = (".parquet",)
_OBJECTS = (".jsonl", ".ndjson")


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
        sources, whose `targets` come with them. The first line of two columns of text is a pair itself where
        neither field is what columns are called and none is asked for by name; a note says so.
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
        return _of_table(_table(data, encoding, source_column, target_column), source_column, target_column)
    items = list(data) if isinstance(data, Iterable) else []
    if items and all(isinstance(item, os.PathLike) for item in items):
        if len(items) == 1:
            return open_pairs(
                str(items[0]), source_column=source_column, target_column=target_column, encoding=encoding
            )
        if len(items) == 2:
            for item in items:
                _refuse_folder(Path(item), "a file with a sentence in each line")
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
    if isinstance(source, Path):
        _refuse_folder(source, "a file with a source in each line, or a table with a column of them")
    if isinstance(source, Path) and source.suffix.lower() in FORMATS:
        table = _table(source, encoding, source_column)
        column = source_column or table.guessed(SOURCES) or table.columns[0]
        table.column(column, "source_column")
        for row in table.rows(blank=True):
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


def _refuse_folder(path: Path, expected: str) -> None:
    if not path.is_dir():
        return
    inside = sorted(str(entry) for entry in path.iterdir() if entry.is_file())[:4]
    there = f"Name a file in it: {', '.join(inside)}." if inside else "There is no file in it."
    raise DataError(f"{path}: expected {expected}, got a folder.\n  {there}")


def _table(data: Any, encoding: str | None, *asked: str) -> Table:
    """Open a table; one or two columns of text need no names, unless they are asked for by them."""
    path = Path(data) if isinstance(data, str | os.PathLike) else None
    if path is not None:
        _refuse_folder(path, "a table of two columns, or two files line by line")
    if path is None or path.suffix.lower() in _NO_TEXT:
        return open_table(data)
    lines = Lines(path, encoding=encoding or None)
    head = lines.head()
    if path.suffix.lower() in _OBJECTS or "".join(head[:1]).lstrip().startswith("{"):
        return open_table(lines, kind="jsonl")
    dialect = sniff(head)
    _, first = next(read_delimited(lines, dialect, lines.source), (0, []))
    if any(asked) or len(first) not in (1, 2) or _are_names(first):
        return DelimitedTable(lines, dialect)
    return _Unnamed(lines, dialect, len(first))


def _are_names(fields: Sequence[str]) -> bool:
    """Whether a first line names columns: one as they are called here, or all languages."""
    names = [field.strip().lower().replace(" ", "_") for field in fields]
    if any(name in SOURCES or name in TARGETS for name in names):
        return True
    if any("_" in field and not {*field.strip().lower().split("_")}.isdisjoint(_PARTS) for field in fields):
        return True  # "source_text", "sentence_nl"
    return len({*names}) == len(names) and _LANGUAGES.issuperset(names)


class _Unnamed(Table):
    """A file of values with a sign between them that has no line with names."""

    def __init__(self, lines: Lines, dialect: Dialect, columns: int) -> None:
        self._lines, self._dialect = lines, dialect
        said = "no header: the first line is a pair (if not: --source-column names its column)"
        super().__init__(lines.source, ("source", "target")[:columns], (*lines.notes, *dialect.notes(), said))

    def rows(self, *, blank: bool = False) -> Iterator[Row]:
        """Give all rows, the first line among them."""
        expected = len(self.columns)
        for line, found in read_delimited(self._lines, self._dialect, self.source, blank=blank):
            fields = found or [""] * expected
            if len(fields) != expected:
                raise DataError(
                    f"{self.source}, line {line}, column {min(len(fields), expected) + 1}: expected "
                    f"{expected} fields, as the first line has, got {len(fields)}.\n"
                    '  A field that holds the sign between fields stands in quotation marks: "a, b".'
                )
            yield Row(self, f"line {line}", dict(zip(self.columns, fields, strict=True)))


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
    guessed = not all(asked) and not isinstance(table, _Unnamed)
    said = (f"column {names[0]!r} holds the sources, {names[1]!r} the targets (guessed)",) if guessed else ()
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
