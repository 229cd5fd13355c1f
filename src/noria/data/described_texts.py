"""Tables with a text in each row, and columns that say something of it: a name and its country."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from noria.data.conditions import is_written_number
from noria.data.tables import open_table
from noria.data.text import Text
from noria.errors import DataError


class WrittenNumber(float):
    """A number of a file, which as text is what stands there.

    Whether it is a number or a label ("3" beside "3+") is not for one file to say: a model that was trained
    on labels reads every file as labels.
    """

    __slots__ = ("written",)

    written: str

    def __new__(cls, written: str) -> "WrittenNumber":
        """Read it."""
        made = super().__new__(cls, written)
        made.written = written
        return made

    def __str__(self) -> str:
        """Give it as it is written."""
        return self.written


class DescribedTexts(NamedTuple):
    """The texts of a table, and what is known of each.

    Attributes
    ----------
    texts : list of str
    columns : dict of list, or None
        Labels or numbers (:class:`WrittenNumber`) by the names of the columns; None where none is asked for.
    about : Text
        Source and notes; without a text of its own.
    """

    texts: list[str]
    columns: dict[str, list[Any]] | None
    about: Text


def read_described(
    source: str | os.PathLike[str], text: str, described_by: Sequence[str], encoding: str | None = None
) -> DescribedTexts:
    """Read the texts of a table.

    Parameters
    ----------
    source : path
    text : str
        The column of texts.
    described_by : sequence of str
        Columns that are known of each text: of numbers where every value is one, of labels otherwise. The
        text of a number is what is written, so that a model of labels takes it for its label.
    encoding : str, optional

    Raises
    ------
    DataError
        If a column is missing, a field is empty, or there is no row: says which, and where.
    """
    table = open_table(source, encoding=encoding)
    table.column(text, "text_column")
    for name in described_by:
        table.column(name, "condition_columns")
    texts: list[str] = []
    known: dict[str, list[str]] = {name: [] for name in described_by}
    no_number: dict[str, str] = {}  # where the first value stands that is none
    for row in table.rows():
        texts.append(row.text(text))
        for name in described_by:
            value = row.text(name)
            known[name].append(value)
            if name not in no_number and not is_written_number(value):
                no_number[name] = f"{value!r} ({row.place})"
    if not texts:
        raise DataError(f"{table.source}: expected at least one row, got none.")
    columns: dict[str, list[Any]] = {
        name: list(values) if name in no_number else [WrittenNumber(value) for value in values]
        for name, values in known.items()
    }
    notes = [
        f"column {name!r} holds labels, not numbers: {first} is no number, most others are"
        for name, first in no_number.items()
        if 2 * sum(map(is_written_number, known[name])) > len(texts)
    ]
    return DescribedTexts(texts, columns or None, Text("", table.source, "table", (*table.notes, *notes)))
