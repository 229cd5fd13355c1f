"""Tables with a text and a label in each row: ``text,label``."""

from collections.abc import Iterator, Sequence

from noria.data.records import Record, Records
from noria.data.tables import Row, Table
from noria.data.text import normalised
from noria.errors import DataError

TEXTS = (
    *("text", "review", "sentence", "content", "comment", "message", "tweet", "document", "body", "title"),
    *("headline", "phrase", "description", "question", "sms", "name", "word", "string", "sequence"),
)
"""What columns of texts are called, the likeliest first."""
LABELS = (
    *("label", "class", "sentiment", "category", "target", "polarity", "topic", "intent", "emotion"),
    *("language", "genre", "tag", "type", "rating", "stars", "score", "y"),
)
"""What columns of labels are called, the likeliest first."""


def text_column(table: Table, asked: str, taken: Sequence[str] = ()) -> str | None:
    """Give the column that holds texts: the one asked for, the likeliest name, or None.

    Raises
    ------
    DataError
        If the one asked for is not there.
    """
    if asked:
        return table.column(asked, "text_column")
    found = table.guessed([name for name in TEXTS if name not in taken])
    others = [name for name in table.columns if name not in taken]
    return found or (others[0] if len(table.columns) == 2 and len(others) == 1 else None)


def label_column(table: Table, asked: str, *, needed: bool) -> str | None:
    """Give the column that holds labels: the one asked for, or the likeliest name; None if there is none.

    Raises
    ------
    DataError
        If the one asked for is not there, or none is found where one is needed.
    """
    if asked and (needed or asked in table.columns):
        return table.column(asked, "label_column")
    found = None if asked else table.guessed(LABELS)
    if found is None and needed:
        raise DataError(
            f"{table.source}: expected a column of labels, got {_listed(table)}.\n"
            "  Name it: label_column (--label-column). The first line has to name the columns."
        )
    return found


def read_labelled(
    table: Table, text: str, label: str | None, extras: Sequence[str] = (), *, guessed: Sequence[str] = ()
) -> Records:
    """Read a text, a label and further numbers from each row.

    Parameters
    ----------
    table : Table
    text : str
        The column of texts.
    label : str or None
        The column of labels; None: they are not known.
    extras : sequence of str
        Columns of numbers.
    guessed : sequence of str
        Which of the columns were guessed, to be said.

    Raises
    ------
    DataError
        While it is read: if a field is empty or no number; says in which line and column.
    """
    for extra in extras:
        table.column(extra, "extra_columns")
    notes = list(table.notes)
    if guessed:
        labels = "" if label is None else f", {label!r} the labels"
        unused = [name for name in table.columns if name not in (text, label, *extras)]
        rest = f"; not read: {', '.join(map(repr, unused))}" if unused else ""
        notes.append(f"column {text!r} holds the texts{labels} (guessed from the names{rest})")
    return Records(
        "texts", table.source, _Rows(table, text, label, tuple(extras)), (), tuple(extras), tuple(notes)
    )


class _Rows:
    """The records of a table, read each time one goes through them."""

    def __init__(self, table: Table, text: str, label: str | None, extras: tuple[str, ...]) -> None:
        self._table, self._text, self._label, self._extras = table, text, label, extras

    def __iter__(self) -> Iterator[Record]:
        for row in self._table.rows():
            yield self._record(row)

    def _record(self, row: Row) -> Record:
        label = None if self._label is None else row.text(self._label).strip()
        extras = tuple(row.number(name) for name in self._extras)
        return Record(normalised(row.text(self._text)), label, f"{row.table.source}, {row.place}", extras)


def _listed(table: Table) -> str:
    return ", ".join(repr(name) for name in table.columns)
