"""A table as it lies in a file or a data frame, each cell with a place that a message can name."""

import gzip
import io
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from noria.arrays import Array, Float
from noria.data.encodings import decode
from noria.errors import DataError, MissingExtraError

Frame: TypeAlias = Any
"""A pandas data frame; pandas is imported where it is used."""

MISSING = ("", "na", "n/a", "nan", "null", "none", "-", ".", "?", "#n/a")
"""What stands for a missing number, whatever its case."""

_GROUPED = r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?"
_COMMA = re.compile(rf"{_GROUPED}|[+-]?\d*,\d+")


@dataclass(frozen=True, eq=False)
class SeriesTable:
    """A table before anybody knows what its columns mean.

    Attributes
    ----------
    frame : pandas.DataFrame
        Text in all cells where it was read from a text file, otherwise whatever it holds.
    source : str
    first_line : int
        Where in a file its first row stands; 0 if it comes from elsewhere.
    decimal_comma : bool
        Whether numbers are written 3,14.
    notes : tuple of str
    """

    frame: Frame
    source: str
    first_line: int = 0
    decimal_comma: bool = False
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return [str(name) for name in self.frame.columns]

    def place(self, row: int, column: str) -> str:
        """Say where a cell is, for messages; `row` is its label in the frame."""
        where = f"line {row + self.first_line}" if self.first_line else f"row {row}"
        return f"{self.source}, {where}, column {column!r}"

    def numbers(self, column: str) -> Float[Array, " n"]:
        """Give a column as numbers, NaN where one is missing.

        Raises
        ------
        DataError
            If a cell holds something else: says where.
        """
        import pandas

        cells = self.frame[column]
        if pandas.api.types.is_numeric_dtype(cells) or pandas.api.types.is_bool_dtype(cells):
            return self._finite(column, cells.to_numpy(np.float64, na_value=np.nan))
        text = cells.astype(str).str.strip()
        missing = np.asarray(cells.isna() | text.str.lower().isin(MISSING))
        if self.decimal_comma:  # points stand between thousands, and nowhere else
            text = text.where(~text.str.contains(".", regex=False) | text.str.fullmatch(_GROUPED), "wrong")
            text = text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
        found = pandas.to_numeric(text.where(~missing), errors="coerce").to_numpy(np.float64, na_value=np.nan)
        wrong = np.isnan(found) & ~missing
        if wrong.any():
            row = int(np.argmax(wrong))
            comma = " with a decimal comma, as other columns have them" if self.decimal_comma else ""
            raise DataError(
                f"{self.place(int(self.frame.index[row]), column)}: expected a number{comma}, got "
                f"{str(cells.iloc[row])!r}.\n  An empty cell or NaN stands for a missing one."
            )
        return self._finite(column, found)

    def is_numeric(self, column: str) -> bool:
        """Whether every cell of a column is a number or missing, and one of them a number."""
        try:
            return not np.isnan(self.numbers(column)).all()
        except DataError:
            return False

    def _finite(self, column: str, found: Float[Array, " n"]) -> Float[Array, " n"]:
        if np.isinf(found).any():
            row = int(np.argmax(np.isinf(found)))
            raise DataError(
                f"{self.place(int(self.frame.index[row]), column)}: expected a finite number, got "
                f"{found[row]}."
            )
        return found


def read_table(path: Path, encoding: str | None = None) -> SeriesTable:
    """Read a table with a line of column names.

    Parameters
    ----------
    path : path
        ``.csv``, ``.tsv``, ``.txt`` (commas, semicolons or tabs; also packed as ``.gz`` or ``.zip``),
        ``.jsonl`` or ``.parquet``.
    encoding : str, optional
        Of a text file; left out, it is detected.

    Raises
    ------
    DataError
        If there is no such file, it is empty, or its lines do not have as many cells as there are columns.
    MissingExtraError
        If the file is ``.parquet`` and pyarrow is not installed.
    """
    if not path.is_file():
        raise DataError(f"no such file: {os.fspath(path)!r}.")
    if path.suffix == ".parquet":
        return SeriesTable(_parquet(path), path.name)
    inner, raw = _unpacked(path)
    decoded = decode(raw, path.name, encoding)
    return _of_text(decoded.text, path.name, decoded.notes, inner.endswith((".jsonl", ".ndjson")))


def read_stream(stream: io.TextIOBase) -> SeriesTable:
    """Read a table from an open text, as standard input is; objects of JSON are known by their brace."""
    text = stream.read()
    name = getattr(stream, "name", "text")
    source = "standard input" if name == "<stdin>" else str(name)
    return _of_text(text, source, (), text.lstrip().startswith("{"))


def _of_text(text: str, source: str, notes: tuple[str, ...], is_json: bool) -> SeriesTable:
    if not text.strip():
        raise DataError(f"{source}: expected a line of column names and lines of values, got nothing.")
    if is_json:
        return SeriesTable(_json_lines(text, source), source, 1, notes=notes)
    return _separated(text, source, notes)


def _unpacked(path: Path) -> tuple[str, bytes]:
    """Give the name and the bytes of the file, or of the one that is packed in it."""
    try:
        raw = path.read_bytes()
        if path.suffix == ".gz":
            return path.stem, gzip.decompress(raw)
        if path.suffix != ".zip":
            return path.name, raw
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if len(names) != 1:
                raise DataError(f"{path.name}: expected an archive of one file, got {len(names)}.")
            if names[0] == path.name:  # an archive in an archive of the same name
                return "", archive.read(names[0])
            return names[0], archive.read(names[0])
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: could not be read: {error}.") from None


def _separated(text: str, source: str, notes: tuple[str, ...]) -> SeriesTable:
    import pandas

    head = text.lstrip("\n\r").split("\n", 1)[0]
    separator = max((";", "\t", ","), key=head.count)
    first_line = text[: text.index(head)].count("\n") + 2
    try:
        frame = pandas.read_csv(
            io.StringIO(text.lstrip("\n\r")),
            sep=separator,
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
            skipinitialspace=True,
            index_col=False,
        )
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError) as error:
        raise DataError(f"{source}: {_ragged(str(error), first_line)}") from None
    frame.columns = [str(name).strip() for name in frame.columns]
    blank = (frame.fillna("") == "").all(axis=1)
    frame = frame[~blank].fillna("")
    said = list(notes)
    comma = separator != "," and _writes_commas(frame)
    if comma:
        said.append("numbers are written with a decimal comma")
    if frame.empty:
        raise DataError(f"{source}: expected lines of values below the column names, got none.")
    return SeriesTable(frame, source, first_line, comma, tuple(said))


def _writes_commas(frame: Frame) -> bool:
    """Whether the numbers of a table have decimal commas: in one column all commas are such."""
    commas = False
    for name in frame.columns:
        cells = frame[name].str.strip()
        with_comma = cells.str.contains(",", regex=False)
        if with_comma.any() and bool(cells[with_comma].str.fullmatch(_COMMA).all()):
            commas = True
    return commas


def _ragged(complaint: str, first_line: int) -> str:
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", complaint)
    if not found:
        return f"is not a table: {complaint.strip()}."
    expected, line, got = (int(number) for number in found.groups())
    return (
        f"line {line + first_line - 2}: expected {expected} cells as in the line of column names, got {got}."
        "\n  Put quotes round a cell that has the separator in it."
    )


def _json_lines(text: str, source: str) -> Frame:
    import json

    import pandas

    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            row = json.loads(line) if line.strip() else None
        except json.JSONDecodeError as error:
            raise DataError(
                f"{source}, line {number}, column {error.colno}: is not JSON: {error.msg}."
            ) from None
        if row is not None and not isinstance(row, dict):
            raise DataError(f"{source}, line {number}: expected an object of names and values, got {line!r}.")
        rows.append({} if row is None else row)
    frame = pandas.DataFrame(rows)
    return frame[~frame.isna().all(axis=1)]


def _parquet(path: Path) -> Frame:
    import pandas

    try:
        return pandas.read_parquet(path)
    except ImportError:
        raise MissingExtraError(
            "reading .parquet needs the library 'pyarrow', which is not installed.\n"
            "  pip install 'noria[parquet]'"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: could not be read: {error}.") from None


def of_columns(columns: Mapping[str, Sequence[Any] | Array], source: str) -> SeriesTable:
    """Make a table of columns, as an array or a dictionary of arrays has them; shorter ones end in NaN."""
    import pandas

    return SeriesTable(pandas.DataFrame({name: pandas.Series(one) for name, one in columns.items()}), source)
