"""Whether a series should be learnt as logarithms or as differences: found out on its training part.

References
----------
Kwiatkowski, Phillips, Schmidt & Shin 1992, Testing the null hypothesis of stationarity; Guerrero 1993,
Time-series analysis supported by power transformations; Hyndman & Khandakar 2008, section 3.1, for the order
of the decisions.
"""

from collections.abc import Callable, Sequence

import numpy as np

from noria.arrays import Array, Float
from noria.data.series_transforms import differenced

STATIONARY = 0.463  # the statistic of KPSS below which a level is not refused at 5 %
STEPS = 0.4  # how small steps must be beside the spread of a level that is said to wander
EVEN = 0.8  # how much steadier the relative spread must be than the absolute one
BLOCKS = 4


def wants_log(series: Sequence[Float[Array, "_ C"]], season: int) -> bool:
    """Whether the spread within a season grows with the level, in most series; all values positive."""
    if any(bool((values <= 0).any()) for values in series):
        return False
    return _most(series, lambda column: _spread_grows(column, max(season, 8)))


def wanted_lags(series: Sequence[Float[Array, "_ C"]], season: int) -> tuple[int, ...]:
    """Give the lags of the differences to take: none, 1, a season, or both.

    A season, if differences over it are smaller than from step to step; then 1, if that makes them smaller
    still. Where nothing repeats, 1 if the level wanders.
    """
    if season > 1 and _most(series, lambda column: _repeats(column, season)):
        rest = [differenced(values, (season,)) for values in series]
        return (1, season) if _most(rest, _shrinks) else (season,)
    return (1,) if _most(series, _wanders) else ()


def _most(series: Sequence[Float[Array, "_ C"]], asks: Callable[[Float[Array, " T"]], bool]) -> bool:
    votes = [asks(column) for values in series for column in values.T]
    return bool(2 * sum(votes) > len(votes))


def _spread_grows(column: Float[Array, " T"], block: int) -> bool:
    column = column[~np.isnan(column)]
    count = len(column) // block
    if count < BLOCKS:
        return False
    blocks = column[len(column) - count * block :].reshape(count, block)
    levels, spreads = blocks.mean(axis=1), np.diff(blocks, axis=1).std(axis=1)
    relative = spreads / levels
    steadier = relative.std() / max(relative.mean(), 1e-300) < EVEN * spreads.std() / max(
        spreads.mean(), 1e-300
    )
    return bool(steadier and levels.max() > 1.5 * levels.min())


def _repeats(column: Float[Array, " T"], season: int) -> bool:
    if len(column) < 3 * season:
        return False
    return _spread(column[season:] - column[:-season]) < _spread(np.diff(column))


def _shrinks(column: Float[Array, " T"]) -> bool:
    return _spread(np.diff(column)) < _spread(column)


def _spread(column: Float[Array, " T"]) -> float:
    """Give the standard deviation of what was observed; infinite where nothing was."""
    observed = column[~np.isnan(column)]
    return float(observed.std()) if observed.size else np.inf


def _wanders(column: Float[Array, " T"]) -> bool:
    """Whether the level is not stationary, by the test of KPSS, and steps are small beside its range."""
    steps = _spread(np.diff(column))
    column = column[~np.isnan(column)]
    count = len(column)
    if count < 10 or not 0.0 < steps < STEPS * column.std():
        return False
    errors = column - column.mean()
    window = int(3 * np.sqrt(count) / 13)
    long_run = float(np.mean(errors**2))
    for lag in range(1, window + 1):
        long_run += 2.0 * (1.0 - lag / (window + 1)) * float(errors[lag:] @ errors[:-lag]) / count
    statistic = float((np.cumsum(errors) ** 2).sum()) / (count**2 * max(long_run, 1e-300))
    return statistic > STATIONARY
