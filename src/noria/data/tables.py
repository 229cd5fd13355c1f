"""Tables: rows with named columns, read one after the other from whatever file they lie in."""

import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from noria.data.decimals import Decimals
from noria.data.delimited import Dialect, read_delimited, sniff
from noria.data.lines import Lines
from noria.data.table_rows import Row, Table
from noria.data.text import missing_file
from noria.errors import DataError, MissingExtraError

FORMATS = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".parquet")
"""The ends of the names of files that are tables."""
_TOGETHER = 1024  # rows that are taken out of a Parquet file at once


def open_table(
    source: str | os.PathLike[str] | io.BufferedIOBase | Iterable[str] | Lines | Any,
    *,
    encoding: str | None = None,
    kind: str | None = None,
) -> Table:
    """Open a table: its columns are known then, its rows are read when they are asked for.

    Parameters
    ----------
    source : path, file, Lines, mapping of columns, or data frame
        A file of values with commas, tabs, semicolons or bars between them (``.csv``, ``.tsv``), of one JSON
        object in each line (``.jsonl``), or a Parquet file (``.parquet``); of another name, what its first
        line looks like. Columns have their names in the first line, or are the keys. A frame of pandas, or
        anything with ``columns`` and columns by name, is one too.
    encoding : str, optional
        Of a file of text; left out, it is detected.
    kind : {"csv", "jsonl", "parquet"}, optional
        What the file is, whatever its name says.

    Raises
    ------
    DataError
        If the file cannot be read or has no names of columns, or has one twice.
    MissingExtraError
        If it is a Parquet file and pyarrow is not installed.
    """
    if isinstance(source, Mapping) or hasattr(source, "columns"):
        return FrameTable(source)
    path = Path(source) if isinstance(source, str | os.PathLike) else None
    suffix = path.suffix.lower() if path is not None else ""
    if path is not None and (kind == "parquet" or (kind is None and suffix == ".parquet")):
        return ParquetTable(path)
    lines = source if isinstance(source, Lines) else Lines(source, encoding=encoding)
    if kind is None:
        first = "".join(lines.head()[:1]).lstrip()
        kind = "jsonl" if suffix in (".jsonl", ".ndjson") or first.startswith("{") else "csv"
    return JsonTable(lines) if kind == "jsonl" else DelimitedTable(lines)


class DelimitedTable(Table):
    """A file of values with a sign between them; the first line has the names of the columns."""

    def __init__(self, lines: Lines, dialect: Dialect | None = None) -> None:
        self._lines = lines
        self._dialect = dialect or sniff(lines.head())
        rows = read_delimited(lines, self._dialect, lines.source, blank=True)
        line, names = _first_line(rows)
        self.is_stream = lines.is_stream
        self._rest = rows if lines.is_stream else None  # a file is opened anew: held, it would stay open
        if not names:
            raise DataError(f"{lines.source}: expected a first line with the names of columns, got none.")
        columns = [name.strip() or f"column {number}" for number, name in enumerate(names, 1)]
        for number, name in enumerate(columns):
            if name in columns[:number]:
                raise DataError(
                    f"{lines.source}, line {line}, column {number + 1}: expected each column once, got "
                    f"{name!r} again.\n  The first line has the names of the columns. Does it?"
                )
        notes = (*lines.notes, *self._dialect.notes())
        super().__init__(lines.source, columns, notes)
        self.decimals = Decimals(commas=self._dialect.delimiter == ";")

    def rows(self, *, blank: bool = False) -> Iterator[Row]:
        """Give the rows; each has as many fields as there are columns."""
        rows = self._rest
        if rows is None:
            rows = read_delimited(self._lines, self._dialect, self.source, blank=True)
            _first_line(rows)
        expected = len(self.columns)
        for line, found in rows:
            if not found and not blank:
                continue
            fields = found or [""] * expected
            if len(fields) != expected:
                first = min(len(fields), expected)
                what = f"{expected} fields, as the first line has, got {len(fields)}"
                got = f": {_shown(fields[first])} is one too many" if len(fields) > expected else ""
                raise DataError(
                    f"{self.source}, line {line}, column {first + 1}: expected {what}{got}.\n"
                    '  A field that holds the sign between fields stands in quotation marks: "a, b".'
                )
            yield Row(self, f"line {line}", dict(zip(self.columns, fields, strict=True)))


class JsonTable(Table):
    """One JSON object in each line; the columns are the keys of the first."""

    def __init__(self, lines: Lines) -> None:
        self._lines, self.source, self.is_stream = lines, lines.source, lines.is_stream
        objects, head = self._read(), list[tuple[int, dict[str, Any] | None]]()
        for one in objects:
            head.append(one)
            if one[1]:
                break
        if not head or not head[-1][1]:
            raise DataError(f"{lines.source}: expected one JSON object in each line, got nothing.")
        self._rest = chain(head, objects) if lines.is_stream else None
        super().__init__(lines.source, tuple(head[-1][1]), lines.notes)

    def rows(self, *, blank: bool = False) -> Iterator[Row]:
        """Give the rows; what an object does not have is empty."""
        for line, values in self._read() if self._rest is None else self._rest:
            if blank or values is not None:
                yield Row(self, f"line {line}", values or {})

    def _read(self) -> Iterator[tuple[int, dict[str, Any] | None]]:
        """Give the object of each line, None of a blank one."""
        for number, line in enumerate(self._lines, 1):
            if not line.strip():
                yield number, None
                continue
            try:
                values = json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(
                    f"{self.source}, line {number}, column {error.colno}: expected a JSON object, got what "
                    f"is none: {error.msg}."
                ) from None
            if not isinstance(values, dict):
                raise DataError(
                    f"{self.source}, line {number}, column 1: expected a JSON object, got "
                    f"{_shown(line.strip())}."
                )
            yield number, values


class ParquetTable(Table):
    """A Parquet file, read a thousand rows at a time."""

    def __init__(self, path: Path) -> None:
        try:
            from pyarrow import lib, parquet
        except ImportError:
            raise MissingExtraError(
                f"{path}: Parquet files need pyarrow, which is not installed.\n  pip install 'noria[parquet]'"
            ) from None
        if not path.exists():
            raise DataError(missing_file(path))
        try:
            with parquet.ParquetFile(path) as file:
                names = file.schema_arrow.names
        except (lib.ArrowException, OSError) as error:
            raise DataError(f"{path}: expected a Parquet file, got what is none: {error}.") from None
        self._path = path
        super().__init__(str(path), names)

    def rows(self, *, blank: bool = False) -> Iterator[Row]:
        """Give the rows by their numbers."""
        from pyarrow import parquet

        number = 0
        with parquet.ParquetFile(self._path) as file:
            for batch in file.iter_batches(batch_size=_TOGETHER):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(self, f"row {number}", values)


class FrameTable(Table):
    """A data frame, or a mapping from names to columns."""

    def __init__(self, frame: Any) -> None:
        columns = list(frame) if isinstance(frame, Mapping) else list(frame.columns)
        super().__init__("data frame", [str(column) for column in columns])
        self._values = [list(frame[column]) for column in columns]
        lengths = {len(values) for values in self._values}
        if len(lengths) > 1:
            raise DataError(f"data frame: expected columns of one length, got {sorted(lengths)}.")

    def rows(self, *, blank: bool = False) -> Iterator[Row]:
        """Give the rows by their numbers."""
        for number, values in enumerate(zip(*self._values, strict=True), 1):
            yield Row(self, f"row {number}", dict(zip(self.columns, values, strict=True)))


def _first_line(rows: Iterator[tuple[int, list[str]]]) -> tuple[int, list[str]]:
    """Take the first line that is not blank, which has the names."""
    return next((row for row in rows if row[1]), (0, []))


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "...")
