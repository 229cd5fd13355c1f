"""A series as the network sees it: every transform applied once, step by step."""

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


def view_of(series: Series, schema: ForecastSchema, future: int) -> SeriesView:
    """Transform a series as the training part was, with what is known of `future` steps behind its end.

    A series that was not trained on is measured by itself.
    """
    levels = levels_of(series, schema.log, schema.lags)
    changes = differenced(levels, schema.lags)
    memory = schema.memory.get(series.name)
    scale = Scale.of(changes) if memory is None else memory.scale
    naive = naive_error(series.values, schema.season) if memory is None else memory.naive
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
        (~np.isnan(series.values)).astype(np.float64),
        schema.past_scale.apply(forward_filled(series.past)),
        np.concatenate(known, axis=1) if known else np.zeros((rows, 0)),
    )
