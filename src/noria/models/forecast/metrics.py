"""How wrong forecasts are: arrays of shape (n, h, C), NaN where nothing was observed.

References
----------
Hyndman & Koehler 2006, Another look at measures of forecast accuracy.
"""

from collections.abc import Mapping

import numpy as np

from noria.arrays import Array, Float


def errors_of(actual: Float[Array, "n h C"], predicted: Float[Array, "n h C"]) -> dict[str, float]:
    """Give RMSE and MAE in the unit of the series, and sMAPE in percent (0 to 200)."""
    errors = predicted - actual
    size = np.abs(actual) + np.abs(predicted)
    relative = np.divide(2.0 * np.abs(errors), size, out=np.zeros_like(size), where=size > 0)
    relative[np.isnan(errors)] = np.nan
    return {
        "rmse": float(np.sqrt(np.nanmean(errors**2))),
        "mae": float(np.nanmean(np.abs(errors))),
        "smape": 100.0 * float(np.nanmean(relative)),
    }


def by_horizon(
    actual: Float[Array, "n h C"],
    predicted: Float[Array, "n h C"],
    naive: Float[Array, "n 1 C"],
    others: Mapping[str, Float[Array, "n h C"]],
) -> dict[str, dict[str, float]]:
    """Give the errors of each step ahead, under its number; of other forecasts the RMSE, by name."""
    found = {}
    for step in range(actual.shape[1]):
        there = actual[:, step : step + 1]
        if np.isnan(there).all():
            continue
        own = predicted[:, step : step + 1]
        rules = {name: other[:, step : step + 1] for name, other in others.items()}
        found[str(step + 1)] = {
            **errors_of(there, own),
            "mase": scaled_error(there, own, naive),
            **{name: errors_of(there, rule)["rmse"] for name, rule in rules.items()},
        }
    return found


def scaled_error(
    actual: Float[Array, "n h C"], predicted: Float[Array, "n h C"], naive: Float[Array, "n 1 C"]
) -> float:
    """Give MASE: errors in units of those that the seasonal naive forecast made on the training part."""
    return float(np.nanmean(np.abs(predicted - actual) / naive))


def coverage(actual: Float[Array, "n h C"], low: Float[Array, "n h C"], high: Float[Array, "n h C"]) -> float:
    """Give the share of values that lie in their interval; NaN where there is none."""
    known = ~np.isnan(actual)
    if not known.any() or np.isnan(low[known]).any():
        return np.nan
    return float(((low <= actual) & (actual <= high))[known].mean())


def naive_error(values: Float[Array, "T C"], season: int) -> Float[Array, " C"]:
    """Give the mean absolute difference of values a season apart; 1 where nothing varies."""
    changes = (
        np.abs(values[season:] - values[:-season]) if len(values) > season else np.zeros_like(values[:1])
    )
    count = np.maximum((~np.isnan(changes)).sum(axis=0), 1)
    found = np.nansum(changes, axis=0) / count
    return np.where(found > 0, found, 1.0)
