"""Series on a regular grid of times: what a forecaster learns from, wherever it was read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from noria.arrays import Array, Float
from noria.data.series_frequency import Frequency, Time
from noria.data.series_transforms import forward_filled, settled
from noria.errors import DataError, ShapeError


@dataclass(frozen=True, eq=False)
class Series:
    """One series: a row for each time of its grid, from the first value that was observed to the last.

    Attributes
    ----------
    name : str
        What tells it from others; empty where there is only one.
    start : datetime64 or int
        The time of the first row.
    values : array of shape (T, C)
        What is to be forecast, a column for each channel; NaN where nothing was observed.
    known : array of shape (T + future, K)
        Covariates that are known beforehand, as holidays are; the rows behind the end of the values are what
        is known of the time to come.
    past : array of shape (T, P)
        Covariates that are known up to now only, as the weather is; NaN where nothing was observed.
    """

    name: str
    start: Time
    values: Float[Array, "T C"]
    known: Float[Array, "S K"]
    past: Float[Array, "T P"]

    def __len__(self) -> int:
        """Give the number of times, T."""
        return len(self.values)

    @property
    def gaps(self) -> int:
        """How many values are missing."""
        return int(np.isnan(self.values).sum())

    def head(self, steps: int) -> "Series":
        """Give the first steps; what is known beforehand stays."""
        return Series(self.name, self.start, self.values[:steps], self.known, self.past[:steps])

    def tail(self, steps: int, frequency: Frequency, lags: Sequence[int]) -> "Series":
        """Give the last steps, as many as there are of `steps`, and what is known behind them.

        Where they begin in a gap, or one comes soon behind, the tail is longer: what gaps are filled with, as
        differences at `lags` go on, is the same in the last `steps` steps as in the whole series.
        """
        begin = settled(self.values, lags, max(len(self) - steps, 0))
        start, past = frequency.after(self.start, begin), forward_filled(self.past)
        return Series(self.name, start, self.values[begin:], self.known[begin:], past[begin:])

    def advanced(
        self,
        values: float | Sequence[float],
        known: Sequence[Sequence[float]],
        past: Sequence[float],
        frequency: Frequency,
        steps: int,
        lags: Sequence[int],
    ) -> "Series":
        """Give the last `steps` steps of this series with one more; see :meth:`tail`.

        Parameters
        ----------
        values : float, or sequence of C floats
        known : rows of K floats
            What has become known of steps behind those that are known.
        past : sequence of P floats
        frequency : Frequency
        steps : int
        lags : sequence of int
            Of the differences.

        Raises
        ------
        ShapeError
            If the numbers are not as many as there are columns.
        """
        observed = [values] if isinstance(values, int | float) else list(values)
        added: dict[str, list[Sequence[float]]] = {"values": [observed], "known": list(known), "past": [past]}
        parts = {name: _appended(name, getattr(self, name), rows) for name, rows in added.items()}
        return Series(self.name, self.start, **parts).tail(steps, frequency, lags)


@dataclass(frozen=True, eq=False)
class SeriesSet:
    """Series that are forecast by one model.

    Attributes
    ----------
    series : tuple of Series
        At least one; they have the same columns.
    frequency : Frequency
        The step of their grids.
    channels, known, past : tuple of str
        The names of the columns.
    time, id : str
        What the columns of time and of names are called, for the tables that come out.
    source : str
        Where they come from, for people to read.
    notes : tuple of str
        What was understood and done: columns, frequency, gaps.
    """

    series: tuple[Series, ...]
    frequency: Frequency
    channels: tuple[str, ...]
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    time: str = "ds"
    id: str = "unique_id"
    source: str = "series"
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Give the number of series."""
        return len(self.series)

    @property
    def points(self) -> int:
        """How many values were observed, in all series and channels."""
        return sum(one.values.size - one.gaps for one in self.series)

    def with_series(self, series: Sequence[Series]) -> "SeriesSet":
        """Give the same with other series of the same columns."""
        return replace(self, series=tuple(series))

    def named(self, name: str) -> Series:
        """Find a series by its name."""
        for one in self.series:
            if one.name == name:
                return one
        raise DataError(f"{self.source}: there is no series {name!r}.")


def _appended(name: str, array: Float[Array, "T F"], rows: Sequence[Sequence[float]]) -> Float[Array, "S F"]:
    """Append rows, which have to be as wide."""
    for row in rows:
        if len(row) != array.shape[1]:
            raise ShapeError(
                f"series: expected {array.shape[1]} numbers for a step of '{name}', got {len(row)}."
            )
    return np.concatenate([array, np.asarray(rows, np.float64).reshape(len(rows), array.shape[1])])
