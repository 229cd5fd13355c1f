"""Intervals that hold what they promise: measured by the errors on a part that was not trained on.

References
----------
Split conformal prediction: Papadopoulos et al. 2002; of quantiles, Romano, Patterson & Candes 2019, each end
by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from noria.arrays import Array, Float
from noria.errors import RunError
from noria.models.forecast.outputs import Output

INSIDE = 1.0 / 3.0
"""Which share of an interval lies on each side of where it grows from, at least; a half: both sides alike."""

NARROWEST = 1e-3
"""The least width, in the unit of :class:`~noria.models.forecast.outputs.Raw`: of none, no multiple grows."""


@dataclass(frozen=True, eq=False)
class Intervals:
    """How far each end of an interval lies from what the network gives, for each step ahead and channel.

    Attributes
    ----------
    low, high : arrays of shape (h, C)
        In the unit of :class:`~noria.models.forecast.outputs.Raw`.
    level : float
    errors : int
        How many were measured for each step; 0: the network's own answer is believed.
    widths : mapping of str to array of shape (h, C)
        How many times as wide they have become by the end of each series that was trained on, by its name
        (:mod:`noria.models.forecast.following`).
    """

    low: Float[Array, "h C"]
    high: Float[Array, "h C"]
    level: float
    errors: int
    widths: Mapping[str, Float[Array, "h C"]] = field(default_factory=dict)

    @classmethod
    def unmeasured(cls, output: Output, horizon: int, channels: int, level: float) -> "Intervals":
        """Believe the network; a point has no interval of its own (NaN)."""
        low, high = output.bounds(level)
        shape = horizon, channels
        return cls(np.full(shape, low), np.full(shape, high), level, 0)

    @classmethod
    def measured(
        cls, output: Output, outputs: Float[Array, "n h C Q"], targets: Float[Array, "n h C"], level: float
    ) -> "Intervals":
        """Measure where the values lay, step by step; NaN targets are left out."""
        raw = output.raw(outputs)
        below, above = (targets - raw.low) / raw.unit, (targets - raw.high) / raw.unit
        shape, tail = targets.shape[1:], (1.0 - level) / 2.0
        low, high = np.full(shape, np.nan), np.full(shape, np.nan)
        for place in np.ndindex(*shape):
            errors = below[:, *place], above[:, *place]
            low[place] = -_upper(-errors[0][~np.isnan(errors[0])], 1.0 - tail)
            high[place] = _upper(errors[1][~np.isnan(errors[1])], 1.0 - tail)
        return cls(low, high, level, int((~np.isnan(targets)).sum(axis=0).min()))

    def of_series(self, name: str) -> Float[Array, "h C"]:
        """Give how many times as wide they have become by the end of a series; 1 where nothing is known."""
        return self.widths.get(name, np.ones(self.low.shape))

    def around(
        self,
        output: Output,
        outputs: Float[Array, "n h C Q"],
        widths: Float[Array, "n h C"] | float = 1.0,
    ) -> tuple[Float[Array, "n h C"], Float[Array, "n h C"]]:
        """Give the lower and the upper ends.

        Parameters
        ----------
        widths : array of shape (n, h, C) or 1
            How many times as far from the forecast each end is to lie; where the forecast lies outside, or
            close to one end, from the nearest place that leaves a third of the interval on each side.
        """
        low, middle, high = self._measured_ends(output, outputs)
        return middle + widths * (low - middle), middle + widths * (high - middle)

    def scores(
        self, output: Output, outputs: Float[Array, "n h C Q"], targets: Float[Array, "n h C"]
    ) -> Float[Array, "n h C"]:
        """Give how many times as wide each interval had to be to hold its value; NaN where there is none."""
        low, middle, high = self._measured_ends(output, outputs)
        distance = np.abs(targets - middle)
        return np.asarray(distance / np.where(targets > middle, high - middle, middle - low))

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {
            "low": self.low.tolist(),
            "high": self.high.tolist(),
            "level": self.level,
            "errors": self.errors,
            "widths": {name: widths.tolist() for name, widths in self.widths.items()},
        }

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "Intervals":
        """Undo :meth:`to_dict`; runs of earlier versions have no widths."""
        low, high = (np.asarray(written[name], np.float64) for name in ("low", "high"))
        widths = {
            str(name): np.asarray(one, np.float64).reshape(low.shape)
            for name, one in written.get("widths", {}).items()
        }
        return cls(low, high, float(written["level"]), int(written["errors"]), widths)

    def _measured_ends(
        self, output: Output, outputs: Float[Array, "n h C Q"]
    ) -> tuple[Float[Array, "n h C"], Float[Array, "n h C"], Float[Array, "n h C"]]:
        """Give the ends as they were measured, and the place well between them nearest to the forecast.

        An end that lay on that place would stay there, however much wider the interval became.
        """
        raw, steps = output.raw(outputs), outputs.shape[1]
        ends = raw.low + self.low[:steps] * raw.unit, raw.high + self.high[:steps] * raw.unit
        # where quantiles are to come nearer by more than lay between them, the ends have changed places
        low, high = np.minimum(*ends), np.maximum(*ends)
        lacking = np.maximum(NARROWEST * raw.unit - (high - low), 0.0) / 2.0
        low, high = low - lacking, high + lacking
        margin = INSIDE * (high - low)
        return low, np.clip(output.centre(outputs), low + margin, high - margin), high


def stored_intervals(report: Mapping[str, Any], unmeasured: Intervals) -> Intervals:
    """Give the intervals of a run's report; unmeasured ones where it has none.

    Raises
    ------
    RunError
        If they are damaged.
    """
    written = (report.get("baseline") or {}).get("intervals")
    if written is None:
        return unmeasured
    try:
        return Intervals.from_dict(written)
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"report.json: the intervals are damaged: {error}.") from None


def _upper(errors: Float[Array, " n"], share: float) -> float:
    """Give the least number that holds a share of the errors and of one more to come."""
    if not errors.size:
        return np.nan
    rank = min(int(np.ceil((errors.size + 1) * share)), errors.size)
    return float(np.partition(errors, rank - 1)[rank - 1])
