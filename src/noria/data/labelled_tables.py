"""Tables with a text and a label in each row: ``text,label``."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from noria.data.column_guess import IDS, TIMES, Look, looked_over
from noria.data.records import Record, Records
from noria.data.table_rows import Row, Table
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
    """Give the column of texts: the one asked for, the likeliest name, or the only one that can be meant.

    Raises
    ------
    DataError
        If the one asked for is not there.
    """
    if asked:
        return table.column(asked, "text_column")
    found = table.guessed(TEXTS, taken)
    others = [name for name in table.columns if name not in taken]
    if found is not None or (len(table.columns) == 2 and len(others) == 1):
        return found or others[0]
    looks = looked_over(table, _unnamed(table, taken))
    wordy = [name for name, look in looks.items() if not look.are_numbers]
    if len(wordy) < len(looks) and table.guessed(IDS, taken):  # a long table, whose rows are steps
        return None
    spaced = [name for name in wordy if looks[name].are_words]
    return next((names[0] for names in (wordy, spaced) if len(names) == 1), None)


def label_column(
    table: Table, asked: str, *, needed: bool, numbers: bool = False, taken: Sequence[str] = ()
) -> str | None:
    """Give the column of labels: the one asked for, the likeliest name, or the only one that can be meant.

    Parameters
    ----------
    table : Table
    asked : str
        Its name; empty: none.
    needed : bool
        Whether there has to be one.
    numbers : bool, default False
        Whether numbers are to be told, and not labels.
    taken : sequence of str
        Columns that are something else.

    Returns
    -------
    str or None
        None if there is none, and none is needed.

    Raises
    ------
    DataError
        If the one asked for is not there or something else, or none is found where one is needed: names those
        that may be it.
    """
    if asked in taken and needed:
        raise DataError(
            f"{table.source}: expected {'numbers to be told' if numbers else 'labels'} in a column of their "
            f"own, got {asked!r}, which is read as something else, too.\n  Name another: label_column "
            "(--label-column), or leave it out of the other columns."
        )
    if asked and (needed or asked in table.columns):
        return table.column(asked, "label_column")
    found = None if asked else _named_label(table, taken)
    if found is not None or not needed:
        return found
    looks = _looks_of_labels(table, taken)
    able = [name for name, look in looks.items() if (look.may_be_targets if numbers else look.may_be_labels)]
    short = [name for name in able if not looks[name].are_words]  # texts that come again are no labels
    for names in (able, short):
        if len(names) == 1:
            return names[0]
    counted = ", ".join(f"{name!r} ({len(looks[name].values)} different values)" for name in short or able)
    raise DataError(
        f"{table.source}: expected a column of {'numbers to be told' if numbers else 'labels'}, got "
        f"{_listed(table)}.\n  {f'It may be {counted}. ' if able else ''}"
        "Name it: label_column (--label-column). The first line has to name the columns."
    )


def read_labelled(
    table: Table,
    text: str,
    label: str | None,
    extras: Sequence[str] = (),
    *,
    guessed: Sequence[str] = (),
    numbers: bool = False,
    known: bool = True,
    blank: bool = False,
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
    numbers : bool, default False
        Whether the labels are numbers.
    known : bool, default True
        Whether each row has to have a text and a label; otherwise a text may be empty, and a label None.
    blank : bool, default False
        Whether blank lines are rows, too.

    Raises
    ------
    DataError
        While it is read: if a field is empty or no number; says in which line and column.
    """
    for extra in extras:
        table.column(extra, "extra_columns")
    notes = list(table.notes)
    if guessed:
        what = "numbers to be told" if numbers else "labels"
        labels = "" if label is None else f", {label!r} the {what}"
        unused = [name for name in table.columns if name not in (text, label, *extras)]
        rest = f"; not read: {', '.join(map(repr, unused))}" if unused else ""
        source = "names" if _are_named(table, text, label, extras) else "names and contents"
        notes.append(f"column {text!r} holds the texts{labels} (guessed from the {source}{rest})")
    notes += table.comma_notes([*extras, *([label] if numbers and label is not None else [])])
    rows = _Rows(table, text, label, tuple(extras), numbers, known, blank)
    return Records("texts", table.source, rows, (), tuple(extras), tuple(notes))


@dataclass(frozen=True)
class _Rows:
    """The records of a table, read each time one goes through them."""

    table: Table
    text: str
    label: str | None
    extras: tuple[str, ...]
    numbers: bool
    known: bool
    blank: bool

    def __iter__(self) -> Iterator[Record]:
        column = "" if self.label is None else self.table.named(self.label)
        for row in self.table.rows(blank=self.blank):
            place = f"{self.table.source}, {row.place}"
            if not self.known and not row.has(self.text):
                yield Record("", None, place)
                continue
            extras = tuple(row.number(name) for name in self.extras)
            yield Record(normalised(row.text(self.text)), self._target(row), place, extras, column)

    def _target(self, row: Row) -> Any:
        return target_of(row, self.label, numbers=self.numbers, known=self.known)


def target_of(row: Row, label: str | None, *, numbers: bool, known: bool) -> Any:
    """Give what is to be told of a row; None where nobody says it, or, if it need not be known, cannot."""
    if label is None:
        return None
    with suppress(*(() if known else (DataError,))):
        return row.number(label) if numbers else row.text(label).strip()
    return None


def _looks_of_labels(table: Table, taken: Sequence[str]) -> dict[str, Look]:
    """Look at the columns that may hold labels; in a long table they are the same throughout a sequence."""
    texts = table.guessed(TEXTS, taken)
    sequence = table.guessed(IDS, taken) if texts is None else None
    return looked_over(table, _unnamed(table, [*taken, *([texts] if texts else [])]), sequence)


def _unnamed(table: Table, taken: Sequence[str]) -> list[str]:
    """Give the columns of which it is not known what they hold."""
    named = {*taken, table.guessed(IDS, taken), table.guessed(TIMES, taken)}
    return [name for name in table.columns if name not in named]


def _named_label(table: Table, taken: Sequence[str]) -> str | None:
    """Give the column that is called as labels are; a y beside an x is a coordinate."""
    return table.guessed([name for name in LABELS if name != "y" or table.guessed(["x"]) is None], taken)


def _are_named(table: Table, text: str, label: str | None, extras: Sequence[str]) -> bool:
    """Whether texts and labels were found by their names."""
    others = [*extras, *([] if label is None else [label])]
    return text == table.guessed(TEXTS, others) and label in (None, _named_label(table, extras))


def _listed(table: Table) -> str:
    return ", ".join(repr(name) for name in table.columns)
