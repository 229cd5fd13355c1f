"""Statistical models to compare with, by the library statsmodels: exponential smoothing and ARIMA.

Each is fitted to all that lies before the test part of a series, the validation part included: its form is
chosen there too, by the corrected criterion of Akaike, which needs no part of its own. So it is never fitted
to less than the network. It then goes on through the test part with what it was fitted to, as the network
does.

References
----------
Hyndman, Koehler, Ord & Snyder 2008, Forecasting with exponential smoothing; Box & Jenkins 1970.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from noria.arrays import Array, Float
from noria.errors import MissingExtraError
from noria.models.forecast.windows import Example, Windows

ETS, ARIMA = "ETS", "ARIMA"
ARIMA_ORDERS = ((0, 1), (1, 0), (1, 1), (2, 0), (0, 2))
"""Numbers of autoregressive and moving-average terms that are tried."""

SEASONAL_ORDERS = ((0, 1), (1, 0))
LONGEST, MOST_STEPS_OF_A_SEASON = 2000, 24

Forecast = Callable[[Float[Array, " T"], int], Float[Array, " h"]]
"""Gives the levels of the next steps behind some levels."""


def statistical_forecasts(
    windows: Windows, examples: Sequence[Example], fitted_to: Sequence[int]
) -> dict[str, Float[Array, "n h C"]]:
    """Forecast from some origins by both models.

    Parameters
    ----------
    windows : Windows
    examples : sequence of Example
    fitted_to : sequence of int
        The number of the first steps of each series that the models are fitted to.

    Returns
    -------
    dict
        Empty where a series is longer than 2,000 steps, which would take minutes.

    Raises
    ------
    MissingExtraError
        If statsmodels is not installed.
    """
    _library()
    if max(len(view) for view in windows.views) > LONGEST:
        return {}
    shape = len(examples), windows.horizon, len(windows.schema.channels)
    found = {name: np.full(shape, np.nan) for name in (ETS, ARIMA)}
    for number, view in enumerate(windows.views):
        rows = [row for row, (series, _) in enumerate(examples) if series == number]
        for channel, levels in enumerate(view.levels.T):
            for name, fit in ((ETS, _ets), (ARIMA, _arima)):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of fits that did not converge, which lose anyway
                    forecast = fit(levels[: fitted_to[number]], windows)
                    for row in rows:
                        behind = levels[: examples[row][1] + 1]
                        found[name][row, :, channel] = forecast(behind, windows.horizon)
    return {name: windows.values(levels) for name, levels in found.items()}


def _ets(levels: Float[Array, " T"], windows: Windows) -> Forecast:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    season = _season(windows)
    forms: list[dict[str, Any]] = [
        {"trend": trend, "damped_trend": damped, "seasonal": seasonal, "seasonal_periods": season}
        for trend, damped in ((None, False), ("add", False), ("add", True))
        for seasonal in ([None, "add"] if season else [None])
    ]
    fits = [(ETSModel(levels, **form).fit(disp=False), form) for form in forms]
    best, form = min(fits, key=lambda pair: float(pair[0].aicc))

    def forecast(behind: Float[Array, " T"], steps: int) -> Float[Array, " h"]:
        return np.asarray(ETSModel(behind, **form).smooth(best.params).forecast(steps))

    return forecast


def _arima(levels: Float[Array, " T"], windows: Windows) -> Forecast:
    best = min((_fitted(levels, *orders) for orders in _orders(windows)), key=lambda fit: float(fit.aicc))

    def forecast(behind: Float[Array, " T"], steps: int) -> Float[Array, " h"]:
        return np.asarray(best.apply(behind).forecast(steps))

    return forecast


def _orders(windows: Windows) -> Iterator[tuple[tuple[int, int, int], tuple[int, int, int, int]]]:
    """Give the orders that are tried, with the differences that the series were found to need."""
    season, lags = _season(windows), windows.schema.lags
    seasonal = [(p, int(season in lags), q, season) for p, q in SEASONAL_ORDERS] if season else [(0, 0, 0, 0)]
    for p, q in ARIMA_ORDERS:
        for order in seasonal:
            yield (p, int(1 in lags), q), order


def _fitted(
    levels: Float[Array, " T"], order: tuple[int, int, int], seasonal: tuple[int, int, int, int]
) -> Any:
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    trend = None if order[1] or seasonal[1] else "c"
    return SARIMAX(levels, order=order, seasonal_order=seasonal, trend=trend).fit(disp=False, maxiter=50)


def _season(windows: Windows) -> int:
    season = windows.schema.season
    return season if 1 < season <= MOST_STEPS_OF_A_SEASON else 0


def _library() -> None:
    if find_spec("statsmodels") is None:
        raise MissingExtraError(
            "statistical models need the library 'statsmodels', which is not installed.\n"
            "  pip install 'noria[statistics]'"
        )
