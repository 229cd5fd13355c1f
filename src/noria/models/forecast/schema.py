"""What a forecaster knows of its series besides the weights: columns, step, scales, and how they end."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from noria.arrays import Array, Float
from noria.data.series import Series
from noria.data.series_frequency import Frequency, Time
from noria.data.series_transforms import Scale
from noria.errors import RunError
from noria.models.schema import Schema, entry


@dataclass(frozen=True, eq=False)
class SeriesMemory:
    """What is kept of one series.

    Attributes
    ----------
    scale : Scale
        Of its transformed values, on the training part.
    naive : array of shape (C,)
        Mean absolute error there of the seasonal naive forecast: the unit of MASE.
    until : datetime64 or int
        The first time of its test part: what a model may have learnt from lies before.
    end : Series
        Its last steps, from which a forecast goes on.
    """

    scale: Scale
    naive: Float[Array, " C"]
    until: Time
    end: Series


@dataclass(frozen=True, eq=False)
class ForecastSchema(Schema):
    """What was fitted on the training part of the series.

    Attributes
    ----------
    frequency : Frequency
    season : int
        1: none.
    lookback : int
    log : bool
    lags : tuple of int
        Of the differences, in their order.
    season_lag : int
        How far back the value lies that is shown beside each step; 0: none.
    linear : bool
        Whether a linear autoregression over the window stands beside the network.
    calendar, marks_gaps : bool
        Whether steps are told their place in the calendar, and whether they were observed.
    channels, known, past : tuple of str
        Columns.
    time, id : str
        What the columns of dates and of names are called.
    known_scale, past_scale : Scale
    memory : dict of str to SeriesMemory
        By the names of the series.
    """

    frequency: Frequency
    season: int
    lookback: int
    log: bool
    lags: tuple[int, ...]
    season_lag: int
    linear: bool
    calendar: bool
    marks_gaps: bool
    channels: tuple[str, ...]
    known: tuple[str, ...]
    past: tuple[str, ...]
    time: str
    id: str
    known_scale: Scale
    past_scale: Scale
    memory: dict[str, SeriesMemory]

    @property
    def warm_up(self) -> int:
        """Steps at the beginning of a series for which differences, or the season before, are not there."""
        return sum(self.lags) + max(self.season_lag - 1, 0)

    @property
    def reach(self) -> int:
        """Steps that a forecast needs to go on from."""
        return self.warm_up + self.lookback

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        return {
            "frequency": self.frequency.code,
            "season": self.season,
            "lookback": self.lookback,
            "log": self.log,
            "lags": list(self.lags),
            "season_lag": self.season_lag,
            "linear": self.linear,
            "calendar": self.calendar,
            "marks_gaps": self.marks_gaps,
            "channels": list(self.channels),
            "known": list(self.known),
            "past": list(self.past),
            "time": self.time,
            "id": self.id,
            "known_scale": _plain_scale(self.known_scale),
            "past_scale": _plain_scale(self.past_scale),
            "series": {name: _plain_memory(memory) for name, memory in self.memory.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> Self:
        """Undo :meth:`to_dict`; see :meth:`Schema.from_dict`."""

        def numbers(name: str) -> int:
            return int(entry(data, name, int, source))

        def names(name: str) -> tuple[str, ...]:
            return tuple(str(one) for one in entry(data, name, list, source))

        try:
            frequency = Frequency(entry(data, "frequency", str, source))
            return cls(
                frequency=frequency,
                season=numbers("season"),
                lookback=numbers("lookback"),
                log=bool(entry(data, "log", bool, source)),
                lags=tuple(int(lag) for lag in entry(data, "lags", list, source)),
                season_lag=numbers("season_lag"),
                linear=bool(entry(data, "linear", bool, source)),
                calendar=bool(entry(data, "calendar", bool, source)),
                marks_gaps=bool(entry(data, "marks_gaps", bool, source)),
                channels=names("channels"),
                known=names("known"),
                past=names("past"),
                time=str(entry(data, "time", str, source)),
                id=str(entry(data, "id", str, source)),
                known_scale=_scale(entry(data, "known_scale", dict, source)),
                past_scale=_scale(entry(data, "past_scale", dict, source)),
                memory={
                    str(name): _memory(str(name), one, frequency)
                    for name, one in entry(data, "series", dict, source).items()
                },
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RunError(
                f"{source}: the file is damaged: {error}.\n  Copy the run again from where it was made."
            ) from None

    def differences(self, here: Self) -> list[str]:
        """Say in which entries another schema is not this one; how much is kept of the ends is none of them.

        Runs of earlier versions keep less, and all values are compared by themselves
        (:meth:`noria.models.prepared.Prepared.content`).
        """
        ends = {name: memory.end for name, memory in self.memory.items()}
        memories = {
            name: replace(memory, end=ends.get(name, memory.end)) for name, memory in here.memory.items()
        }
        return super().differences(replace(here, memory=memories))

    def wiring_differences(self, here: Self) -> list[str]:
        """Say where another schema has a network of another shape, or gives its inputs another meaning."""
        apart = "series", "known_scale", "past_scale", "time", "id"
        there, other = self.to_dict(), here.to_dict()
        return [
            f"{name}: {there[name]!r} in the run, {other[name]!r} here"
            for name in there
            if name not in apart and there[name] != other[name]
        ]


def plain_time(time: Time) -> str | int:
    """Write a time as JSON has it."""
    return str(time.astype("datetime64[s]")) if isinstance(time, np.datetime64) else int(time)


def read_time(written: object, frequency: Frequency) -> Time:
    """Undo :func:`plain_time`."""
    return int(str(written)) if frequency.counted else np.datetime64(str(written), "s")


def _plain_scale(scale: Scale) -> dict[str, Any]:
    return {"mean": scale.mean.tolist(), "spread": scale.spread.tolist()}


def _scale(written: Mapping[str, Any]) -> Scale:
    return Scale(np.asarray(written["mean"], np.float64), np.asarray(written["spread"], np.float64))


def _plain_memory(memory: SeriesMemory) -> dict[str, Any]:
    end = memory.end
    return {
        **_plain_scale(memory.scale),
        "naive": memory.naive.tolist(),
        "until": plain_time(memory.until),
        "from": plain_time(end.start),
        **{name: _plain_array(getattr(end, name)) for name in ("values", "known", "past")},
    }


def _plain_array(array: Float[Array, "T F"]) -> list[list[float | None]]:
    """Write an array with None where a number is missing, which JSON has no sign for."""
    return [[None if np.isnan(value) else float(value) for value in row] for row in array]


def _memory(name: str, written: Mapping[str, Any], frequency: Frequency) -> SeriesMemory:
    rows = {
        key: np.array(
            [[np.nan if value is None else value for value in row] for row in written[key]], np.float64
        ).reshape(len(written[key]), len(written[key][0]))
        for key in ("values", "known", "past")
    }
    end = Series(name, read_time(written["from"], frequency), **rows)
    naive = np.asarray(written["naive"], np.float64)
    return SeriesMemory(_scale(written), naive, read_time(written["until"], frequency), end)
