"""What is done to a series before a network sees it, and undone behind it: logarithm, differences, scale."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Float
from noria.errors import DataError


def differenced(values: Float[Array, "T C"], lags: Sequence[int]) -> Float[Array, "T C"]:
    """Take differences at each lag in turn; the first ``sum(lags)`` rows are NaN.

    With lags 1 and s it is ``y[t] - y[t-1] - y[t-s] + y[t-s-1]``.
    """
    found = values
    for lag in lags:
        behind = np.full_like(found, np.nan)
        behind[lag:] = found[: len(found) - lag]
        found = found - behind
    return found


def continued(past: Float[Array, "B T C"], lags: Sequence[int], steps: int) -> Float[Array, "B steps C"]:
    """Go on as if all later differences were zero: what is forecast by the differences alone.

    Of lag 1 it is the last value, of lag s that of a season before, of both y[t-1] + y[t-s] - y[t-s-1] and
    so on; without lags there is nothing to go on from, and it is zero.

    Parameters
    ----------
    past : array of shape (B, T, C)
        At least ``sum(lags)`` steps.
    """
    weights = np.ones(1)
    for lag in lags:
        factor = np.zeros(lag + 1)
        factor[0], factor[lag] = 1.0, -1.0
        weights = np.convolve(weights, factor)
    reach = len(weights) - 1
    path = np.zeros((past.shape[0], reach + steps, past.shape[2]))
    if reach:
        path[:, :reach] = past[:, past.shape[1] - reach :]
        for step in range(reach, reach + steps):
            path[:, step] = -np.einsum("l,blc->bc", weights[:0:-1], path[:, step - reach : step])
    return path[:, reach:]


def filled(values: Float[Array, "T C"], lags: Sequence[int]) -> Float[Array, "T C"]:
    """Fill gaps with what was known before them: as the differences would go on, or else the last value.

    Nothing of what comes behind a gap enters it, or a forecast made inside it would have seen the future.
    Only a channel that begins later than others stands still at its first value before: no forecast is to be
    made there. One without any value stays NaN.
    """
    found, reach = values.copy(), sum(lags)
    for step in np.flatnonzero(np.isnan(values).any(axis=1)):
        missing = np.isnan(values[step])
        guess = found[max(int(step) - 1, 0)]
        if 0 < reach <= step:
            rule = continued(found[None, step - reach : step], lags, 1)[0, 0]
            guess = np.where(np.isnan(rule), guess, rule)
        found[step, missing] = guess[missing]
    for channel in found.T:
        observed = np.flatnonzero(~np.isnan(channel))
        if observed.size:
            channel[: observed[0]] = channel[observed[0]]
    return found


def settled(values: Float[Array, "T C"], lags: Sequence[int], step: int) -> int:
    """Give the last step up to `step` from which on :func:`filled` needs nothing that lies before.

    What it says of `step` and all that follow is then the same for the rest of the series as for the whole.
    """
    run = max(sum(lags), 1)  # so many observed steps, one behind the other, decide all later guesses
    begins = []
    for column in values[: step + run].T:
        passed = np.concatenate([[0], np.cumsum(np.isnan(column))])
        whole = np.flatnonzero(passed[run:] == passed[: len(passed) - run])
        whole = whole[whole <= step]
        begins.append(int(whole[-1]) if whole.size else 0)
    return min(begins, default=step)


def _forward(column: Float[Array, " T"]) -> Float[Array, " T"]:
    last = np.maximum.accumulate(np.where(np.isnan(column), 0, np.arange(len(column))))
    return np.asarray(column[last])


def forward_filled(values: Float[Array, "T F"]) -> Float[Array, "T F"]:
    """Let the last value of each column stand where one is missing; zero before the first."""
    columns = [np.nan_to_num(_forward(column)) for column in values.T]
    return np.stack(columns, axis=1) if columns else values


def logarithm(values: Float[Array, "T C"], name: str) -> Float[Array, "T C"]:
    """Give logarithms.

    Raises
    ------
    DataError
        If a value is not positive.
    """
    if (values <= 0).any():
        step = int(np.argmax((values <= 0).any(axis=1)))
        raise DataError(
            f"series {name!r}: expected positive values, whose logarithm is learnt, got "
            f"{np.nanmin(values[step]):g} at step {step}.\n  Train with log='off'."
        )
    return np.asarray(np.log(values))


@dataclass(frozen=True, eq=False)
class Scale:
    """Mean and standard deviation of each column, of a training part."""

    mean: Float[Array, " C"]
    spread: Float[Array, " C"]

    @classmethod
    def of(cls, values: Float[Array, "T C"], *, centred: bool = True) -> "Scale":
        """Measure what was observed; a column that does not vary keeps its unit."""
        count = np.maximum((~np.isnan(values)).sum(axis=0), 1)
        mean = np.nansum(values, axis=0) / count
        spread = np.sqrt(np.nansum((values - mean) ** 2, axis=0) / count)
        spread = np.where(spread > 1e-12 * np.maximum(np.abs(mean), 1.0), spread, 1.0)
        return cls(mean if centred else np.zeros_like(mean), spread)

    def apply(self, values: Float[Array, "... C"]) -> Float[Array, "... C"]:
        """Give (values - mean) / spread."""
        return np.asarray((values - self.mean) / self.spread)

    def undo(self, values: Float[Array, "... C"]) -> Float[Array, "... C"]:
        """Give values * spread + mean."""
        return np.asarray(values * self.spread + self.mean)
