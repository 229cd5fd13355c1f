"""Intervals that follow a series: as its values arrive, a miss makes them wider, and a hit narrower.

What was measured on a validation part holds for as long as a series goes on as it did there. So the width of
the intervals of each step ahead is multiplied, whenever a value arrives that had been forecast, by

    exp(RATE / sqrt(step) * (missed - (1 - level)))

whereby in the long run just the share of misses remains that was promised, whatever the series does: the
logarithm of the width tracks the quantile of how wide the intervals had to be. That is exact one step ahead;
further ahead a width is as old as the last value that could be compared. Forecasts of several steps err alike
from one origin to the next, so that a miss says less there.

Only values up to an origin enter the intervals that are given at it. The rate was found on made series whose
noise is constant, drifts or jumps, and on the part of a traffic series that no forecaster is tested on.

References
----------
Gibbs & Candes 2021, Adaptive conformal inference under distribution shift; of the width, not the level:
Angelopoulos, Candes & Tibshirani 2023, Conformal PID control for time series prediction (quantile tracking).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Float, Int
from noria.data.series import Series
from noria.models.forecast.continuing import first_new_step
from noria.models.forecast.intervals import Intervals
from noria.models.forecast.network import Members
from noria.models.forecast.outputs import Output
from noria.models.forecast.rolling import Precision, forecast_outputs
from noria.models.forecast.schema import ForecastSchema
from noria.models.forecast.views import begun
from noria.models.forecast.windows import Example, Windows

RATE = 0.05
"""How much wider a miss makes an interval, about: the logarithm of the factor."""

FOLLOWED_BACK = 500
"""From how many steps at most a series that was not trained on is followed to its end, for one forecast."""


@dataclass(frozen=True, eq=False)
class Followed:
    """A series as far as it is known, and how wide its intervals have become.

    Attributes
    ----------
    series : Series
    widths : array of shape (h, C)
        After all forecasts of which every value has arrived.
    """

    series: Series
    widths: Float[Array, "h C"]


def path_of(scores: Float[Array, "n h C"], start: Float[Array, "h C"], level: float) -> Float[Array, "m h C"]:
    """Give the widths after the forecasts of none, one, ... of n origins.

    Parameters
    ----------
    scores : array of shape (n, h, C)
        How wide intervals had to be (:meth:`Intervals.scores`), origin by origin; NaN changes nothing.
    start : array of shape (h, C)
    level : float

    Returns
    -------
    array of shape (n + 1, h, C)
    """
    rates = RATE / np.sqrt(np.arange(1, len(start) + 1))[:, None]
    wider, narrower = np.exp(rates * level), np.exp(-rates * (1.0 - level))
    path = np.empty((len(scores) + 1, *start.shape))
    path[0] = start
    known = ~np.isnan(scores)
    for place, score in enumerate(scores):
        change = np.where(score > path[place], wider, narrower)
        path[place + 1] = path[place] * np.where(known[place], change, 1.0)
    return path


def in_force(path: Float[Array, "m h C"], places: Int[Array, " k"]) -> Float[Array, "k h C"]:
    """Give the widths of the intervals at some origins, by their places.

    What was forecast j steps ahead j - 1 origins ago, or later, is not known there.
    """
    steps = np.arange(path.shape[1])
    return path[np.maximum(places[:, None] - steps, 0), steps]


def widths_of(
    windows: Windows, examples: Sequence[Example], scores: Float[Array, "n h C"], intervals: Intervals
) -> tuple[Float[Array, "n h C"], dict[str, Float[Array, "h C"]]]:
    """Follow series through origins, in their order.

    Parameters
    ----------
    windows : Windows
    examples : sequence of Example
        All origins of each series from one on; those without any value to come may be missing.
    scores : array of shape (n, h, C)
    intervals : Intervals

    Returns
    -------
    widths : array of shape (n, h, C)
        Of the intervals at each origin.
    ends : dict of str to array of shape (h, C)
        Behind the last origin of each series, by its name.
    """
    chosen = np.asarray(examples, np.int64).reshape(-1, 2)
    widths, ends = np.ones_like(scores), {}
    for number in np.unique(chosen[:, 0]):
        own = chosen[:, 0] == number
        series, steps = windows.views[number].series, scores.shape[1]
        before = chosen[own, 1].min() - (steps - 1)  # as old as the widths of the furthest step there
        places = chosen[own, 1] - before
        grid = np.full((places.max() + 1, *scores.shape[1:]), np.nan)
        grid[places] = scores[own]
        path = path_of(grid, np.ones(scores.shape[1:]), intervals.level)
        # of all that the run has followed its own widths know more: its data may have begun earlier
        behind = max(_rows_of_run(series, windows.schema) - steps - before, 0)
        if series.name in intervals.widths and behind < len(path):
            path[behind:] = path_of(grid[behind:], intervals.widths[series.name], intervals.level)
        widths[own], ends[series.name] = in_force(path, places), path[-1]
    return widths, ends


def followed_from(
    series: Series, schema: ForecastSchema, intervals: Intervals
) -> tuple[int, Float[Array, "h C"]]:
    """Give the origin from which a series is to be followed up to its end, and the widths before it.

    A series that was trained on is followed from where the data of the run ended, or, if it ends before, from
    where its test part begins; another one over its last :data:`FOLLOWED_BACK` steps.
    """
    if series.name not in schema.memory:
        return len(series) - 1 - FOLLOWED_BACK, np.ones(intervals.low.shape)
    rows = _rows_of_run(series, schema)
    if rows <= len(series):
        return rows - len(intervals.low), intervals.of_series(series.name)
    return first_new_step(series, schema) - 1, np.ones(intervals.low.shape)


def followed_to_end(
    network: Members,
    windows: Windows,
    output: Output,
    intervals: Intervals,
    dtype: Precision,
    first: int,
    start: Float[Array, "h C"],
) -> tuple[Float[Array, "1 h C Q"], Float[Array, "1 h C"], Float[Array, "h C"]]:
    """Forecast what comes behind the end of a series, and what had come before, to know how wide to be.

    Parameters
    ----------
    network, windows, output, intervals, dtype
        Who forecasts, of windows of one series, and how it is read.
    first, start
        As :func:`followed_from` gives them.

    Returns
    -------
    outputs : array of shape (1, h, C, Q)
    widths : array of shape (1, h, C)
        Of their intervals.
    settled : array of shape (h, C)
        Those of :class:`Followed`.
    """
    view = windows.views[0]
    last = len(view) - 1
    earliest = min(max(first, windows.first_origin, begun(view.observed)), last)
    examples = [(0, origin) for origin in range(earliest, last + 1)]
    outputs = forecast_outputs(network, windows, examples, output, dtype)
    scores = intervals.scores(output, outputs, windows.batch(examples).targets)
    path = path_of(scores, start, intervals.level)
    settled = max(last + 1 - windows.horizon - earliest, 0)
    return outputs[-1:], path[-1:], path[settled]


def _rows_of_run(series: Series, schema: ForecastSchema) -> int:
    """Give how many rows of a series the run had; one more than there are, if it had later ones."""
    memory = schema.memory.get(series.name)
    if memory is None:
        return 0
    end = memory.end
    last = schema.frequency.after(end.start, len(end) - 1)
    times = schema.frequency.times(series.start, len(series))
    return len(series) + 1 if times[-1] < last else int((times <= last).sum())
