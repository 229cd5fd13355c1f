"""A series as the network sees it: every transform applied once, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Float
from noria.data.series import Series
from noria.data.series_calendar import calendar_features
from noria.data.series_transforms import (
    Scale,
    differenced,
    filled,
    forward_filled,
    logarithm,
)
from noria.errors import DataError
from noria.models.forecast.metrics import naive_error
from noria.models.forecast.schema import ForecastSchema


@dataclass(frozen=True, eq=False)
class SeriesView:
    """One series, transformed; T steps, C channels.

    Attributes
    ----------
    series : Series
    scale : Scale
        Of the differences.
    naive : array of shape (C,)
        The unit of MASE.
    levels : array of shape (T, C)
        Logarithms, or the values themselves; gaps filled with what was known before them.
    inputs : array of shape (T, C)
        Their differences, scaled.
    observed : array of shape (T, C)
        1 where a value was, 0 in gaps.
    past : array of shape (T, P)
    ahead : array of shape (T + future, A)
        What is known beforehand of each step: its place in the calendar, then the known covariates.
    """

    series: Series
    scale: Scale
    naive: Float[Array, " C"]
    levels: Float[Array, "T C"]
    inputs: Float[Array, "T C"]
    observed: Float[Array, "T C"]
    past: Float[Array, "T P"]
    ahead: Float[Array, "S A"]

    def __len__(self) -> int:
        """Give the number of steps, T."""
        return len(self.levels)


def levels_of(series: Series, log: bool, lags: tuple[int, ...]) -> Float[Array, "T C"]:
    """Give the logarithms, or the values themselves, gaps filled from before."""
    return filled(logarithm(series.values, series.name) if log else series.values, lags)


def check_channels(series: Series, channels: Sequence[str], source: str = "", where: str = "") -> None:
    """Refuse a series with a channel of which nothing was observed."""
    empty = np.isnan(series.values).all(axis=0)
    if len(series) and empty.any():
        title = f"series {series.name!r}" if series.name else "the series"
        raise DataError(
            f"{source}expected values of {channels[int(np.argmax(empty))]!r} in {title}{where}, got none.\n"
            "  Leave the column out, or give rows in which it was observed."
        )


def begun(observed: Float[Array, "T C"]) -> int:
    """Give the first step at which every channel was observed or had been."""
    return int((observed > 0).argmax(axis=0).max())


def view_of(series: Series, schema: ForecastSchema, future: int, *, measured: bool = False) -> SeriesView:
    """Transform a series as the training part was, with what is known of `future` steps behind its end.

    Parameters
    ----------
    series : Series
    schema : ForecastSchema
    future : int
    measured : bool, default False
        Whether forecasts from origins inside the series are compared with it. The scale of a series that was
        not trained on is then taken from what is known at the first of them, and else from all of it. Of a
        channel that does not vary there, it is the usual one of the training series.
    """
    check_channels(series, schema.channels)
    observed = (~np.isnan(series.values)).astype(np.float64)
    levels = levels_of(series, schema.log, schema.lags)
    changes = differenced(levels, schema.lags)
    memory = schema.memory.get(series.name)
    if memory is None:
        seen = max(schema.reach, begun(observed) + 1) if measured else len(series)
        scale, naive = _own_units(changes[:seen], series.values[:seen], schema)
    else:
        scale, naive = memory.scale, memory.naive
    count = len(series)
    ahead = [schema.known_scale.apply(series.known[: count + future])]
    rows = len(ahead[0]) if schema.known else count + future
    if schema.calendar:
        ahead.insert(0, calendar_features(schema.frequency, series.start, rows))
    known = [part for part in ahead if part.shape[1]]
    return SeriesView(
        series,
        scale,
        naive,
        levels,
        scale.apply(changes),
        observed,
        schema.past_scale.apply(forward_filled(series.past)),
        np.concatenate(known, axis=1) if known else np.zeros((rows, 0)),
    )


def _own_units(
    changes: Float[Array, "T C"], values: Float[Array, "T C"], schema: ForecastSchema
) -> tuple[Scale, Float[Array, " C"]]:
    """Give the scale and the unit of MASE of a series by itself, as far as it has any."""
    scale, naive = Scale.of(changes), naive_error(values, schema.season)
    span = np.nanmax(changes, axis=0, initial=-np.inf) - np.nanmin(changes, axis=0, initial=np.inf)
    of_scale = span > 1e-12 * np.maximum(np.abs(scale.mean), 1.0)
    usual = list(schema.memory.values())
    spread = np.median([memory.scale.spread for memory in usual], axis=0)
    steps = np.abs(values[schema.season :] - values[: -schema.season])
    of_naive = np.nansum(steps, axis=0) > 0
    unit = np.median([memory.naive for memory in usual], axis=0)
    return Scale(scale.mean, np.where(of_scale, scale.spread, spread)), np.where(of_naive, naive, unit)
