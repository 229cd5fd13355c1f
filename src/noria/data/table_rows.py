"""A table and its rows: named columns, and values that know where they stand."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from noria.data.decimals import Decimals
from noria.data.records import is_missing
from noria.errors import DataError
from noria.training.option import did_you_mean

_LOOKED_AT = 1000  # rows in which decimal commas are looked for beforehand


@dataclass(frozen=True, eq=False, slots=True)
class Row:
    """One row of a table, which knows where it stands.

    Attributes
    ----------
    table : Table
    place : str
        ``"line 7"``, for people to read.
    values : mapping
        By the names of the columns; strings where the file has nothing else.
    """

    table: "Table"
    place: str
    values: Mapping[str, Any]

    def fault(self, column: str, message: str) -> DataError:
        """Make the error of one value: the file, the line, the column, and what is wrong."""
        return DataError(f"{self.table.source}, {self.place}, {self.table.named(column)}: {message}")

    def has(self, column: str) -> bool:
        """Whether there is anything in a column."""
        return not is_missing(self.values.get(column))

    def text(self, column: str) -> str:
        """Give what stands in a column as text.

        Raises
        ------
        DataError
            If there is nothing.
        """
        if not self.has(column):
            raise self.fault(column, "expected something, got an empty field.")
        value = self.values[column]
        if isinstance(value, float) and value.is_integer():  # numbers that a frame keeps as floats
            value = int(value)
        return str(value)

    def number(self, column: str) -> float:
        """Give the number in a column, whose decimals stand behind a point or behind a comma throughout.

        Raises
        ------
        DataError
            If it is none, not finite, or written in another way than those before it.
        """
        written = self.text(column).strip()
        try:
            return self.table.decimals.number(written, column, self.place)
        except ValueError as error:
            raise self.fault(column, str(error)) from None


class Table(ABC):
    """Rows with named columns; :func:`noria.data.tables.open_table` makes one.

    Attributes
    ----------
    source : str
        What it is called in messages.
    columns : tuple of str
        The names, in order.
    notes : tuple of str
        What was found out on the way: the encoding, the sign between fields.
    decimals : Decimals
        How the numbers of each column are written.
    is_stream : bool
        Whether the rows can be read once only.
    """

    is_stream = False

    def __init__(self, source: str, columns: Sequence[str], notes: Sequence[str] = ()) -> None:
        self.source, self.columns, self.notes = source, tuple(columns), tuple(notes)
        self.decimals = Decimals()

    @abstractmethod
    def rows(self, *, blank: bool = False) -> Iterator[Row]:
        """Give the rows from the first to the last; of a stream once.

        Parameters
        ----------
        blank : bool, default False
            Whether a blank line of a file is a row with nothing in it; otherwise it is passed over.
        """

    def named(self, column: str) -> str:
        """Name a column in messages: ``"column 2 ('label')"``."""
        number = f"{self.columns.index(column) + 1} " if column in self.columns else ""
        return f"column {number}({column!r})"

    def comma_notes(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Say in which columns of numbers decimals stand behind a comma, as far as the first rows show it."""
        if not self.is_stream:
            with suppress(DataError):  # whoever reads the rows in their order says it
                for row in islice(self.rows(), _LOOKED_AT):
                    for column in columns:
                        if row.has(column):
                            row.number(column)
                    if all(map(self.decimals.sign, columns)):
                        break
        found = [column for column in columns if self.decimals.sign(column) == ","]
        return (f"numbers with a decimal comma: {', '.join(found)}",) if found else ()

    def column(self, name: str, option: str = "column") -> str:
        """Give the name of a column that is asked for.

        Raises
        ------
        DataError
            If there is none of that name: names the nearest one.
        """
        if name in self.columns:
            return name
        raise DataError(
            f"{self.source}: expected a column {name!r} ({option}), got "
            f"{self._listed()}.{did_you_mean(name, self.columns)}"
        )

    def guessed(self, names: Sequence[str], taken: Sequence[str] = ()) -> str | None:
        """Give the first of the likely names that is a column's, however it is written; None if none is.

        Parameters
        ----------
        names : sequence of str
            In small letters, with ``_`` for blanks.
        taken : sequence of str, optional
            Columns that are something else.
        """
        free = [column for column in reversed(self.columns) if column not in taken]
        here = {column.strip().lower().replace(" ", "_"): column for column in free}
        return next((here[name] for name in names if name in here), None)

    def _listed(self) -> str:
        return ", ".join(repr(column) for column in self.columns)
