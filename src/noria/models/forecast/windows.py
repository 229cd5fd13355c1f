"""Windows of series: what a network is shown at an origin, and what it is to find."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from noria.arrays import Array, Float
from noria.data.series_calendar import calendar_names
from noria.data.series_transforms import continued
from noria.models.forecast.options import DIRECT, SEQ2SEQ
from noria.models.forecast.schema import ForecastSchema
from noria.models.forecast.views import SeriesView, begun

Example: TypeAlias = tuple[int, int]
"""A series, by its number, and an origin: the last step that is known."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Windows side by side; B of them, L steps back, h ahead, C channels.

    What is to be found is how far the levels lie from where their differences alone would lead, in units of
    the scale, so that zero is the forecast of the rule.

    Attributes
    ----------
    inputs : array of shape (B, L, D)
        Step by step: differences, whether they were observed, covariates; and of the next step what is known
        beforehand, and the difference of a season before.
    ahead : array of shape (B, h, A)
        What is known beforehand of each step that is forecast.
    lagged : array of shape (B, h, C)
        The differences one season, or the least number of seasons that is known, before each; empty (C = 0)
        where there is none.
    base : array of shape (B, h, C)
        Where the differences alone would lead.
    history : array of shape (B, R, C)
        As many of the last levels as the differences reach back, one at least.
    spread, mean, centre : arrays of shape (B, 1, C)
        Of each window's series: ``levels = base + centre + spread * output``.
    targets : array of shape (B, h, C)
        NaN where nothing was observed, or nothing is known yet.
    """

    inputs: Float[Array, "B L D"]
    ahead: Float[Array, "B h A"]
    lagged: Float[Array, "B h S"]
    base: Float[Array, "B h C"]
    history: Float[Array, "B R C"]
    spread: Float[Array, "B 1 C"]
    mean: Float[Array, "B 1 C"]
    centre: Float[Array, "B 1 C"]
    targets: Float[Array, "B h C"]

    def levels(self, outputs: Float[Array, "B h C"]) -> Float[Array, "B h C"]:
        """Give the levels that outputs stand for."""
        return np.asarray(self.base + self.centre + self.spread * outputs)


class Windows:
    """The windows of some series.

    Parameters
    ----------
    views : sequence of SeriesView
        Each with `horizon` steps of what is known beforehand behind its end, where it is to be forecast
        beyond that.
    schema : ForecastSchema
    horizon : int
    """

    def __init__(self, views: Sequence[SeriesView], schema: ForecastSchema, horizon: int) -> None:
        self.views, self.schema, self.horizon = tuple(views), schema, horizon
        rows = [len(view) + horizon for view in views]  # of each series, its future included
        self._starts = np.concatenate([[0], np.cumsum(rows)])[:-1]
        self._levels = self._laid([view.levels for view in views])
        self._differences = self._laid([view.inputs for view in views])
        self._values = self._laid([np.where(view.observed > 0, view.levels, np.nan) for view in views])
        self._ahead = self._laid([view.ahead for view in views])
        marks = [view.observed if schema.marks_gaps else view.observed[:, :0] for view in views]
        own = [self._differences, self._laid(marks), self._laid([view.past for view in views])]
        self._inputs = np.concatenate([*own, _next(self._ahead)], axis=1)
        self._spread = np.stack([view.scale.spread for view in views])
        self._mean = np.stack([view.scale.mean for view in views])

    @property
    def first_origin(self) -> int:
        """The first step with a whole window behind it."""
        return self.schema.warm_up + self.schema.lookback - 1

    def origins(self, series: int, begin: int, end: int) -> list[Example]:
        """Give the origins of a series whose targets all lie in ``[begin, end)``, one observed at least.

        At each of them every channel has been observed: before, it has no level to go on from.
        """
        observed = self.views[series].observed.max(axis=1) > 0
        first = max(begin - 1, self.first_origin, begun(self.views[series].observed))
        return [
            (series, origin)
            for origin in range(first, end - self.horizon)
            if observed[origin + 1 : origin + 1 + self.horizon].any()
        ]

    def batch(self, examples: Sequence[Example]) -> Batch:
        """Gather windows."""
        chosen = np.asarray(examples, dtype=np.int64).reshape(-1, 2)
        series, places = chosen[:, 0], self._starts[chosen[:, 0]] + chosen[:, 1]
        schema, steps = self.schema, np.arange(1, self.horizon + 1)
        back = places[:, None] + np.arange(1 - schema.lookback, 1)
        front = places[:, None] + steps
        inputs = self._inputs[back]
        lagged = np.zeros((*front.shape, 0))
        if schema.season_lag:
            seasons = -(-steps // schema.season_lag) * schema.season_lag
            lagged = self._differences[front - seasons]
            inputs = np.concatenate([inputs, self._differences[back + 1 - schema.season_lag]], axis=2)
        reach = max(sum(schema.lags), 1)
        history = self._levels[places[:, None] + np.arange(1 - reach, 1)]
        base = continued(history, schema.lags, self.horizon)
        spread, mean = self._spread[series][:, None], self._mean[series][:, None]
        centre = np.zeros_like(mean) if schema.lags else mean
        targets = (self._values[front] - base - centre) / spread
        return Batch(inputs, self._ahead[front], lagged, base, history, spread, mean, centre, targets)

    def values(self, levels: Float[Array, "B h C"]) -> Float[Array, "B h C"]:
        """Give the values in the unit of the series that levels stand for."""
        return np.exp(levels) if self.schema.log else levels

    def histories(self, examples: Sequence[Example], reach: int) -> Float[Array, "B R C"]:
        """Give the last `reach` values at each origin, gaps filled; NaN before the beginning of a series."""
        chosen = np.asarray(examples, dtype=np.int64).reshape(-1, 2)
        steps = chosen[:, 1:] + np.arange(1 - reach, 1)
        places = self._starts[chosen[:, :1]] + np.maximum(steps, 0)
        levels = np.where((steps >= 0)[..., None], self._levels[places], np.nan)
        return self.values(levels)

    def firsts(self, examples: Sequence[Example]) -> Float[Array, "B 1 C"]:
        """Give the first value of the series of each origin."""
        chosen = np.asarray(examples, dtype=np.int64).reshape(-1, 2)
        return self.values(self._levels[self._starts[chosen[:, :1]]])

    def _laid(self, parts: Sequence[Float[Array, "_ F"]]) -> Float[Array, "R F"]:
        """Lay the rows of all series one behind the other, NaN where there are none yet."""
        ends = [*self._starts[1:], self._starts[-1] + len(self.views[-1]) + self.horizon]
        laid = np.full((int(ends[-1]), parts[0].shape[1]), np.nan)
        for start, end, part in zip(self._starts, ends, parts, strict=True):
            count = min(len(part), end - start)  # it may know of more steps to come than windows reach
            laid[start : start + count] = part[:count]
        return laid


def _next(rows: Float[Array, "R F"]) -> Float[Array, "R F"]:
    """Give beside each step what is there of the next one."""
    return np.concatenate([rows[1:], np.full((1, rows.shape[1]), np.nan)])


def input_size(schema: ForecastSchema) -> int:
    """Give the width of a step of a window."""
    channels = len(schema.channels)
    marks = channels if schema.marks_gaps else 0
    return channels + marks + len(schema.past) + ahead_size(schema) + lagged_size(schema)


def ahead_size(schema: ForecastSchema) -> int:
    """Give how many numbers are known beforehand of a step."""
    cycles = len(calendar_names(schema.frequency)) if schema.calendar else 0
    return 2 * cycles + len(schema.known)


def lagged_size(schema: ForecastSchema) -> int:
    """Give how many numbers of a season before stand beside a step."""
    return len(schema.channels) if schema.season_lag else 0


def beside_size(schema: ForecastSchema, strategy: str, horizon: int) -> int:
    """Give how many numbers the output sees beside the last state, or each step of a decoder sees."""
    if strategy == SEQ2SEQ:
        return ahead_size(schema) + lagged_size(schema)
    several = horizon * (len(schema.known) + lagged_size(schema)) if strategy == DIRECT and horizon > 1 else 0
    return several + (schema.lookback * len(schema.channels) if schema.linear else 0)
