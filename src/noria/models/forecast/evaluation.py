"""Rolling-origin evaluation: a forecast from every origin, step by step, beside what simple rules say."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from noria.arrays import Array, Float
from noria.models.forecast.baselines import baseline_forecasts
from noria.models.forecast.following import widths_of
from noria.models.forecast.intervals import Intervals
from noria.models.forecast.metrics import by_horizon, coverage, errors_of, scaled_error
from noria.models.forecast.network import Members
from noria.models.forecast.outputs import Output
from noria.models.forecast.rolling import Precision, forecast_outputs
from noria.models.forecast.windows import Example, Windows


def evaluation(
    network: Members,
    windows: Windows,
    examples: Sequence[Example],
    output: Output,
    intervals: Intervals,
    dtype: Precision,
    others: Mapping[str, Float[Array, "n h C"]] | None = None,
) -> tuple[dict[str, Any], dict[str, Float[Array, "h C"]]]:
    """Measure forecasts from every origin.

    Parameters
    ----------
    network, windows, examples, output, intervals, dtype
        Who forecasts what, and how it is read.
    others : mapping of arrays (n, h, C), optional
        Forecasts of further models, to stand beside the rules.

    Returns
    -------
    figures : dict
        ``loss``; ``rmse`` and ``mae`` in the unit of the series, ``smape``, ``mase``; ``coverage`` of the
        intervals and their mean ``width``: those of an origin know what came before it
        (:mod:`noria.models.forecast.following`); ``forecasts``, how many; ``horizons`` with errors and
        coverage of each step ahead, and the RMSE of each rule beside them; ``baselines`` with the errors of
        each rule; ``skill``, by how much of the best rule's RMSE the forecast is better; and a ``warning``
        where it is not.
    widths : dict of str to array of shape (h, C)
        How many times as wide intervals have become by the end of each series, by its name.
    """
    outputs = forecast_outputs(network, windows, examples, output, dtype)
    batch = windows.batch(examples)
    weights = (~np.isnan(batch.targets)).astype(np.float64)
    loss, _ = output.loss(outputs, np.nan_to_num(batch.targets), weights)
    actual = windows.values(batch.levels(batch.targets))
    predicted = windows.values(batch.levels(output.centre(outputs)))
    scores = intervals.scores(output, outputs, batch.targets)
    widths, by_end = widths_of(windows, examples, scores, intervals)
    low, high = (windows.values(batch.levels(end)) for end in intervals.around(output, outputs, widths))
    naive = naive_errors(windows, examples)
    forecasts = {**baseline_forecasts(windows, examples), **(others or {})}
    rules = {
        name: {**errors_of(actual, rule), "mase": scaled_error(actual, rule, naive)}
        for name, rule in forecasts.items()
    }
    figures: dict[str, Any] = {
        "loss": loss,
        **errors_of(actual, predicted),
        "mase": scaled_error(actual, predicted, naive),
        "coverage": coverage(actual, low, high),
        "width": float(np.mean(high - low)),
        "forecasts": int(weights.sum()),
        "horizons": by_horizon(actual, predicted, naive, forecasts),
        "baselines": rules,
    }
    for step, of_step in figures["horizons"].items():
        here = slice(int(step) - 1, int(step))
        of_step["coverage"] = coverage(actual[:, here], low[:, here], high[:, here])
    figures["skill"], warning = skill(figures["rmse"], rules)
    return figures | ({"warning": warning} if warning else {}), by_end


def naive_errors(windows: Windows, examples: Sequence[Example]) -> Float[Array, "n 1 C"]:
    """Give the unit of MASE of the series of each origin."""
    units = np.stack([view.naive for view in windows.views])
    return units[[series for series, _ in examples]][:, None]


def best_rule(rules: Mapping[str, Mapping[str, Any]]) -> str:
    """Name the rule with the smallest RMSE."""
    return min(rules, key=lambda name: float(rules[name]["rmse"]))


def skill(rmse: float, rules: Mapping[str, Mapping[str, Any]]) -> tuple[float, str]:
    """Give 1 - RMSE / RMSE of the best rule, and a warning where that is not positive."""
    best = best_rule(rules)
    beaten = 1.0 - rmse / max(float(rules[best]["rmse"]), 1e-300)
    if beaten > 0:
        return beaten, ""
    return beaten, f"no skill: {best} is at least as good as the forecast (RMSE {rules[best]['rmse']:.4g})"


def headline(figures: Mapping[str, Any], level: float) -> str:
    """Say errors, and how many values the intervals held."""
    said = f"RMSE {figures['rmse']:.4g}, MAE {figures['mae']:.4g}"
    if figures.get("mase") is not None:
        said += f", MASE {figures['mase']:.3g}"
    if np.isfinite(figures.get("coverage") or np.nan):
        said += f", {100 * level:g} % intervals hold {100 * figures['coverage']:.1f} %"
    return said
