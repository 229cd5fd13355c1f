"""Reading series: long tables, wide tables, data frames and arrays become series on a regular grid."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from noria.arrays import Array, Float, Int, Shaped
from noria.data.series import Series, SeriesSet
from noria.data.series_columns import Roles, SeriesColumns, roles_of
from noria.data.series_dates import read_times
from noria.data.series_frequency import Frequency, Time, infer_frequency
from noria.data.series_table import SeriesTable, of_columns, read_stream, read_table
from noria.data.series_transforms import forward_filled
from noria.errors import DataError

SeriesData: TypeAlias = Any
"""A path, an open text, a pandas data frame, an array (T,) or (T, C), a list of arrays or a mapping."""


def read_series(
    data: SeriesData, columns: SeriesColumns | None = None, *, encoding: str | None = None
) -> SeriesSet:
    """Read series from wherever they are.

    Parameters
    ----------
    data : path, text stream, data frame, array, list of arrays, mapping, or SeriesSet
        A file (:func:`noria.data.series_table.read_table`): a long table with columns of names, dates and
        values, or a wide one of dates and a column for each series. An array (T,) is one series, the columns
        of an array (T, C), the arrays of a list and of a mapping are one each; their times are steps.
    columns : SeriesColumns, optional
        Which column is what, where it cannot be guessed.
    encoding : str, optional
        Of a text file.

    Returns
    -------
    SeriesSet
        Dates in order, a row for each step: gaps are filled with rows of NaN, and said.

    Raises
    ------
    DataError
        If there is no such file or column, a date does not parse, repeats or lies off the grid, or a cell is
        no number: says file, line and column.
    """
    if isinstance(data, SeriesSet):
        return data
    asked = columns or SeriesColumns()
    table = _table(data, encoding)
    if not (isinstance(data, str | PathLike) or hasattr(data, "columns") or hasattr(data, "read")):
        asked = _of_arrays(table, asked)
    roles = roles_of(table, asked)
    notes = [*table.notes, *roles.notes]
    times, note = _times(table, roles, asked)
    notes += [note] * bool(note)
    groups = [_sorted(table, roles, name, rows, times) for name, rows in _groups(table, roles)]
    frequency = Frequency(asked.frequency) if asked.frequency else _frequency(table, groups, times)
    if frequency.counted != (times.dtype.kind in "iu"):
        there = "dates" if frequency.counted else "whole numbers"
        raise DataError(
            f"{table.source}: expected times that fit the 'frequency' {asked.frequency!r}, got {there}.\n"
            "  Leave 'frequency' out, or set it to 'D', 'MS', 'h', ... for dates, '1', '10', ... for numbers."
        )
    notes.append(f"frequency: {frequency.title}, season {frequency.season}")
    made = [
        series
        for name, rows in groups
        for series in _gridded(table, roles, asked, name, rows, times[rows], frequency)
    ]
    gaps = sum(series.gaps for series in made)
    if gaps:
        whole = sum(series.values.size for series in made)
        notes.append(
            f"gaps: {gaps:,} of {whole:,} values are missing; they are not trained on, and as inputs they "
            "are filled with what was known before them, and marked"
        )
    several = len(roles.targets) > 1 and not asked.multivariate
    return SeriesSet(
        tuple(made),
        frequency,
        ("y",) if several else roles.targets,
        roles.known,
        roles.past,
        roles.time or "ds",
        roles.id or "unique_id",
        table.source,
        tuple(notes),
    )


def _table(data: SeriesData, encoding: str | None) -> SeriesTable:
    if isinstance(data, str | PathLike):
        return read_table(Path(data), encoding)
    if hasattr(data, "read"):
        return read_stream(data)
    if hasattr(data, "columns") and hasattr(data, "iloc"):
        frame = data.reset_index(drop=not (data.index.name or "DatetimeIndex" in type(data.index).__name__))
        frame.columns = [str(name) for name in frame.columns]
        return SeriesTable(frame.rename(columns={"index": "ds"}), "data frame")
    if isinstance(data, Mapping):
        return of_columns(data, "mapping")
    if isinstance(data, list | tuple) and data and np.ndim(data[0]) == 1:
        return of_columns({str(number): one for number, one in enumerate(data)}, "list of arrays")
    array = np.asarray(data, dtype=np.float64)
    if array.ndim not in (1, 2) or not array.size:
        raise DataError(
            "series: expected an array (T,) or (T, C) of numbers, a list of arrays (T,), a data frame or the "
            f"name of a file, got an array of shape {array.shape}."
        )
    if array.ndim == 1:
        return of_columns({"y": array}, "array")
    return of_columns({str(number): column for number, column in enumerate(array.T)}, "array")


def _of_arrays(table: SeriesTable, asked: SeriesColumns) -> SeriesColumns:
    """Take every column for a target that is not named as something else."""
    others = (asked.time, asked.id, *asked.known, *asked.past)
    if asked.target or any(name.lower() in ("ds", "y") for name in table.columns):
        return asked
    return replace(asked, target=tuple(name for name in table.columns if name not in others))


def _times(table: SeriesTable, roles: Roles, asked: SeriesColumns) -> tuple[Shaped[Array, " n"], str]:
    if roles.time:
        return read_times(table, roles.time, asked.date_format)
    if not roles.id:
        return np.arange(len(table.frame)), ""
    return np.asarray(table.frame.groupby(roles.id, sort=False).cumcount()), ""


def _groups(table: SeriesTable, roles: Roles) -> Iterator[tuple[str, Int[Array, " n"]]]:
    """Give the rows of each series, in the order in which the series first come."""
    if not roles.id:
        yield "", np.arange(len(table.frame))
        return
    groups = table.frame.groupby(roles.id, sort=False, dropna=False)
    for name in groups.groups:
        yield str(name), np.sort(groups.indices[name])


def _sorted(
    table: SeriesTable, roles: Roles, name: str, rows: Int[Array, " n"], times: Shaped[Array, " N"]
) -> tuple[str, Int[Array, " n"]]:
    """Put the rows of a series in the order of their times, each of which may stand there once."""
    ordered = rows[np.argsort(times[rows], kind="stable")]
    again = times[ordered[1:]] == times[ordered[:-1]]
    if again.any():
        first = int(np.argmax(again))
        labels = table.frame.index
        row, before = int(labels[ordered[first + 1]]), int(labels[ordered[first]])
        hint = "" if roles.id else "\n  If there are several series, name what tells them apart: 'id_column'."
        of_series = f" of series {name!r}" if roles.id else ""
        other = table.place(before, roles.time).removeprefix(f"{table.source}, ").rpartition(",")[0]
        cell = table.frame[roles.time].iloc[ordered[first + 1]]
        raise DataError(
            f"{table.place(row, roles.time)}: expected each time{of_series} once, got {str(cell)!r} again "
            f"(first in {other}).{hint}"
        )
    return name, ordered


def _frequency(
    table: SeriesTable, groups: Sequence[tuple[str, Int[Array, " n"]]], times: Shaped[Array, " N"]
) -> Frequency:
    found = infer_frequency([times[rows] for _, rows in groups])
    if found is None:
        raise DataError(
            f"{table.source}: expected two times or more in a series to find its step, got one.\n"
            "  Set 'frequency' ('D', 'MS', 'h', ...)."
        )
    return found


def _gridded(
    table: SeriesTable,
    roles: Roles,
    asked: SeriesColumns,
    name: str,
    rows: Int[Array, " n"],
    times: Shaped[Array, " n"],
    frequency: Frequency,
) -> Iterator[Series]:
    """Lay the rows of a series on its grid, and cut off what is empty before and behind."""
    places = frequency.places(times)
    if (places < 0).any():
        row = int(np.argmax(places < 0))
        raise DataError(
            f"{table.place(int(table.frame.index[rows[row]]), roles.time)}: expected times that are "
            f"{frequency.title}, got {str(table.frame[roles.time].iloc[rows[row]])!r}.\n"
            "  Set 'frequency' if the step is another one ('D', 'MS', 'h', ...), or correct the date."
        )

    def laid(names: Sequence[str]) -> Float[Array, "T C"]:
        grid = np.full((int(places[-1]) + 1, len(names)), np.nan)
        for index, column in enumerate(names):
            grid[places, index] = table.numbers(column)[rows]
        return grid

    values, known, past = laid(roles.targets), laid(roles.known), laid(roles.past)
    _check_known(table, roles, name, known[places])
    known = forward_filled(known)
    whole = (
        [list(range(len(roles.targets)))] if asked.multivariate else [[c] for c in range(len(roles.targets))]
    )
    for channels in whole:
        own = values[:, channels]
        observed = np.flatnonzero(~np.isnan(own).all(axis=1))
        title = name if len(whole) == 1 else "-".join([name] * bool(name) + [roles.targets[channels[0]]])
        if not observed.size:
            raise DataError(
                f"{table.source}: expected values in series {title!r}, got none.\n  Leave it out."
            )
        begin, end = int(observed[0]), int(observed[-1]) + 1
        start: Time = frequency.after(times[0] if not frequency.counted else int(times[0]), begin)
        yield Series(title, start, own[begin:end], known[begin:], past[begin:end])


def _check_known(table: SeriesTable, roles: Roles, name: str, known: Float[Array, "n K"]) -> None:
    """Refuse rows without what is to be known beforehand; where there is no row, it stays as it was."""
    missing = np.isnan(known).any(axis=0)
    if missing.any():
        column = roles.known[int(np.argmax(missing))]
        raise DataError(
            f"{table.source}: expected {column!r} to be known at every time{_of(name)}, got "
            f"{int(np.isnan(known[:, int(np.argmax(missing))]).sum())} without it.\n"
            "  Fill it in, or name it among 'past_covariates'."
        )


def _of(name: str) -> str:
    return f" of series {name!r}" if name else ""
