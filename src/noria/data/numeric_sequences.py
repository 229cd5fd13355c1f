"""Sequences of numbers in files: long tables, and the ``.ts`` files of the time-series archives."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from noria.data.lines import Lines
from noria.data.records import Record, Records, checked_series
from noria.data.tables import Row, Table
from noria.errors import DataError
from noria.training.option import did_you_mean

IDS = ("id", "sequence_id", "series_id", "case_id", "sample_id", "unique_id", "series", "case", "sample")
"""What the column is called that says which sequence a row belongs to, the likeliest first."""
TIMES = ("time", "t", "step", "timestamp", "ds", "date", "datetime", "frame")
"""What the column of time is called."""


def read_long_table(
    table: Table,
    sequence: str,
    label: str | None,
    *,
    time: str | None = None,
    features: Sequence[str] = (),
    extras: Sequence[str] = (),
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
    notes = (*table.notes, f"{len(chosen)} channels: {', '.join(chosen)}; a sequence for each {sequence!r}")
    rows = _LongTable(table, sequence, label, time, chosen, tuple(extras))
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
        label = None if self.label is None else first.text(self.label).strip()
        for row in rows[1:]:
            if self.label is not None and row.text(self.label).strip() != label:
                got = f"got {row.text(self.label)!r} behind {label!r}"
                raise row.fault(self.label, f"expected one label for all rows of a sequence, {got}.")
        if self.time is not None:
            self._check_time(rows, self.time)
        values = np.array([[row.number(name) for name in self.features] for row in rows], dtype=np.float32)
        extras = tuple(first.number(name) for name in self.extras)
        return Record(values, label, f"{self.table.source}, {first.place}", extras)

    @staticmethod
    def _check_time(rows: list[Row], time: str) -> None:
        written = [row.text(time) for row in rows]
        times: list[Any] = list(written)
        with suppress(ValueError):  # dates sort as they are written, where the year comes first
            times = [float(moment) for moment in written]
        for row, before, now in zip(rows[1:], times, times[1:], strict=False):
            if not now > before:
                raise row.fault(time, f"expected time to rise within a sequence, got {now} behind {before}.")


def read_ts(source: Path | Iterable[str] | Lines) -> Records:
    """Read a ``.ts`` file of the UCR and UEA archives: one series or several channels, equally long or not.

    Raises
    ------
    DataError
        If the file is none, has time stamps, or while it is read, if a value is missing or none, channels
        have different lengths, or a class is not one that the file names: says in which line and column.

    References
    ----------
    Bagnall et al. 2018, The UEA multivariate time series classification archive.
    """
    file = _TsFile(source if isinstance(source, Lines) else Lines(source))
    channels = tuple(f"channel {number}" for number in range(1, file.dimensions + 1))
    return Records("series", file.lines.source, file, channels, notes=file.lines.notes)


class _TsFile:
    """The head of a ``.ts`` file, and its series each time one goes through them."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.entries: dict[str, list[str]] = {}
        self._rest = enumerate(lines, 1)
        for number, line in self._rest:
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if words[0].lower() == "@data":
                break
            if not words[0].startswith("@"):
                raise self._fault(number, 1, f"expected an entry such as @classLabel, got {words[0][:40]!r}")
            self.entries[words[0].lower()] = words[1:]
        else:
            raise DataError(f"{lines.source}: expected a line @data with series behind it, got none.")
        if self._entry("@timestamps") == "true":
            raise DataError(f"{lines.source}: series with time stamps are not read; give their values alone.")
        known = self.entries.get("@classlabel", ["false"])
        self.classes = tuple(known[1:]) if known[:1] and known[0].lower() == "true" else ()
        self.has_target = bool(self.classes) or self._entry("@targetlabel") == "true"
        univariate = self._entry("@univariate") == "true"
        stated = self._entry("@dimensions") or self._entry("@dimension")
        self.dimensions = 1 if univariate else int(stated) if stated.isdigit() else self._first_dimensions()

    def __iter__(self) -> Iterator[Record]:
        lines = self._rest if self.lines.is_stream else enumerate(self.lines, 1)
        behind = self.lines.is_stream
        for number, line in lines:
            text = line.strip()
            if behind and text and not text.startswith("#"):
                yield self._record(number, text)
            behind = behind or text.lower() == "@data"

    def _record(self, number: int, line: str) -> Record:
        parts = line.split(":")
        expected = self.dimensions + self.has_target
        if len(parts) != expected:
            classes = " and a label" if self.has_target else ""
            raise self._fault(
                number,
                len(line),
                f"expected {self.dimensions} channels{classes} with colons between, got {len(parts)} parts",
            )
        target = parts.pop().strip() if self.has_target else None
        if self.classes and target not in self.classes:
            near = did_you_mean(target or "", self.classes)
            raise self._fault(
                number,
                line.rfind(":") + 2,
                f"expected one of the classes {', '.join(self.classes[:8])}, got {target!r}.{near}",
            )
        column, channels = 1, []
        for part in parts:
            channels.append(self._values(part, number, column))
            column += len(part) + 1
            if len(channels[-1]) != len(channels[0]):
                raise self._fault(
                    number,
                    column - 1,
                    f"expected {len(channels[0])} steps in every channel, got {len(channels[-1])} in channel "
                    f"{len(channels)}",
                )
        place = f"{self.lines.source}, line {number}"
        return Record(checked_series(np.array(channels).T, place), target, place)

    def _values(self, part: str, number: int, column: int) -> list[float]:
        values = []
        for field in part.split(","):
            try:
                values.append(float(field))
            except ValueError:
                what = "a gap" if field.strip() == "?" else repr(field.strip()[:40])
                raise self._fault(number, column, f"expected a number, got {what}") from None
            column += len(field) + 1
        return values

    def _entry(self, name: str) -> str:
        return " ".join(self.entries.get(name, [])).lower()

    def _first_dimensions(self) -> int:
        """Count the channels of the first series, where the head does not say how many there are."""
        behind = False
        for line in () if self.lines.is_stream else self.lines:
            text = line.strip()
            if behind and text and not text.startswith("#"):
                return text.count(":") + 1 - self.has_target
            behind = behind or text.lower() == "@data"
        raise DataError(f"{self.lines.source}: expected a line @dimensions, or a series behind @data.")

    def _fault(self, line: int, column: int, message: str) -> DataError:
        return DataError(f"{self.lines.source}, line {line}, column {column}: {message.removesuffix('.')}.")
