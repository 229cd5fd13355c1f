"""Rules that a forecaster has to beat, from the same origins and for the same steps ahead."""

from collections.abc import Sequence

import numpy as np

from noria.arrays import Array, Float
from noria.data.series_transforms import continued
from noria.models.forecast.windows import Example, Windows

PERSISTENCE = "persistence"
SEASONAL = "seasonal naive"
DRIFT = "drift"


def rule_name(season: int) -> str:
    """Name the rule that adds a season's difference to the last value."""
    return f"y[t-1] + y[t-{season}] - y[t-{season + 1}]"


def baseline_forecasts(windows: Windows, examples: Sequence[Example]) -> dict[str, Float[Array, "n h C"]]:
    """Forecast by the rules: the last value, that of a season before, a straight line, and last plus season.

    The line goes from the first value of a series through the last one. Rules of the season are left out
    where there is none.
    """
    season, horizon = windows.schema.season, windows.horizon
    history = windows.histories(examples, season + 1)
    last, steps = history[:, -1:], np.arange(1, horizon + 1)[None, :, None]
    passed = np.maximum(np.array([origin for _, origin in examples]), 1)[:, None, None]
    found = {
        PERSISTENCE: np.repeat(last, horizon, axis=1),
        DRIFT: last + steps * (last - windows.firsts(examples)) / passed,
    }
    if season > 1:
        found[SEASONAL] = continued(history, (season,), horizon)
        found[rule_name(season)] = continued(history, (1, season), horizon)
    return found
