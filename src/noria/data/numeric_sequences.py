"""Sequences of numbers in long tables, of which every row is one step."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from noria.data.labelled_tables import target_of
from noria.data.records import Record, Records
from noria.data.table_rows import Row, Table
from noria.errors import DataError


def read_long_table(
    table: Table,
    sequence: str,
    label: str | None,
    *,
    time: str | None = None,
    features: Sequence[str] = (),
    extras: Sequence[str] = (),
    numbers: bool = False,
    known: bool = True,
) -> Records:
    """Read sequences of which every row is one step.

    Parameters
    ----------
    table : Table
        With the rows of each sequence together, in the order of time.
    sequence : str
        The column that says which sequence a row belongs to.
    label : str or None
        The column with its label, the same in all its rows; None: it is not known.
    time : str, optional
        A column that has to rise within a sequence.
    features : sequence of str, optional
        The columns of numbers; left out, all others.
    extras : sequence of str
        Columns of numbers that are the same in all rows of a sequence.
    numbers : bool, default False
        Whether the labels are numbers.
    known : bool, default True
        Whether each sequence has to have its label.

    Raises
    ------
    DataError
        If there is no column of numbers; while it is read, if a field is empty or no number, time does not
        rise, a label changes within a sequence, or a sequence comes back: says in which line and column.
    """
    named = (sequence, time, label, *extras)
    chosen = tuple(features) or tuple(name for name in table.columns if name not in named)
    for name in (*chosen, *extras):
        table.column(name)
    if not chosen:
        raise DataError(f"{table.source}: expected columns of numbers beside {sequence!r}, got none.")
    told = "" if label is None else f"; {'numbers to be told' if numbers else 'labels'} in {label!r}"
    said = f"{len(chosen)} channels: {', '.join(chosen)}; a sequence for each {sequence!r}{told}"
    of_numbers = [*chosen, *extras, *([label] if numbers and label is not None else [])]
    rows = _LongTable(table, sequence, label, time, chosen, tuple(extras), numbers, known)
    notes = (*table.notes, said, *table.comma_notes(of_numbers))
    return Records("series", table.source, rows, chosen, tuple(extras), notes)


@dataclass(frozen=True, eq=False)
class _LongTable:
    """The sequences of a long table, read each time one goes through them."""

    table: Table
    sequence: str
    label: str | None
    time: str | None
    features: tuple[str, ...]
    extras: tuple[str, ...]
    numbers: bool
    known: bool

    def __iter__(self) -> Iterator[Record]:
        ended: dict[str, str] = {}
        rows: list[Row] = []
        for row in self.table.rows():
            name = row.text(self.sequence)
            if rows and name != rows[0].text(self.sequence):
                ended[rows[0].text(self.sequence)] = rows[-1].place
                yield self._record(rows)
                rows = []
            if name in ended:
                raise row.fault(
                    self.sequence,
                    f"expected the rows of a sequence together, got {name!r} again, which ended in "
                    f"{ended[name]}.\n  Sort the file by this column.",
                )
            rows.append(row)
        if rows:
            yield self._record(rows)

    def _record(self, rows: list[Row]) -> Record:
        first = rows[0]
        target = target_of(first, self.label, numbers=self.numbers, known=self.known)
        if self.known and self.label is not None:
            self._check_label(rows, self.label)
        if self.time is not None:
            self._check_time(rows, self.time)
        values = np.array([[row.number(name) for name in self.features] for row in rows], dtype=np.float32)
        extras = tuple(first.number(name) for name in self.extras)
        column = "" if self.label is None else self.table.named(self.label)
        return Record(values, target, f"{self.table.source}, {first.place}", extras, column)

    @staticmethod
    def _check_label(rows: list[Row], column: str) -> None:
        label = rows[0].text(column).strip()
        for row in rows[1:]:
            if row.text(column).strip() != label:
                got = f"got {row.text(column)!r} behind {label!r}"
                raise row.fault(column, f"expected one label for all rows of a sequence, {got}.")

    @staticmethod
    def _check_time(rows: list[Row], time: str) -> None:
        written = [row.text(time) for row in rows]
        times: list[Any] = list(written)
        with suppress(ValueError):  # dates sort as they are written, where the year comes first
            times = [float(moment) for moment in written]
        for row, before, now in zip(rows[1:], times, times[1:], strict=False):
            if not now > before:
                raise row.fault(time, f"expected time to rise within a sequence, got {now} behind {before}.")
