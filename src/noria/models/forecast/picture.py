"""A picture of actual against predicted values, over what was learnt from and what was not."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np

from noria.arrays import Array, Float
from noria.data.series import Series
from noria.errors import MissingExtraError
from noria.models.forecast.following import widths_of
from noria.models.forecast.intervals import Intervals
from noria.models.forecast.network import Members
from noria.models.forecast.outputs import Output
from noria.models.forecast.rolling import Precision, forecast_outputs
from noria.models.forecast.schema import ForecastSchema
from noria.models.forecast.views import begun
from noria.models.forecast.windows import Windows

MOST = 6
"""Panels in a picture: series, and channels of them."""

DRAWN = 2000
"""Steps of a series that are drawn; of a longer one the last."""


def draw(
    path: str | PathLike[str],
    network: Members,
    windows: Windows,
    output: Output,
    intervals: Intervals,
    tests: Sequence[int],
    dtype: Precision,
    title: str,
) -> None:
    """Draw the series, and forecasts laid end to end over them; intervals are shaded.

    Parameters
    ----------
    path : path
        Where the picture goes; its ending says the format (``.png``, ``.svg``, ``.pdf``).
    tests : sequence of int
        The first step of each series that was not learnt from.
    title : str

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    figure_class = _figure()
    panels = [
        (number, channel)
        for number in range(len(windows.views))
        for channel in range(len(windows.schema.channels))
    ][:MOST]
    figure = figure_class(figsize=(9.0, 1.0 + 2.6 * len(panels)), layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    for axis, (number, channel) in zip(axes, panels, strict=True):
        series = windows.views[number].series
        steps, lines = _forecasts(network, windows, number, output, intervals, tests[number], dtype)
        _panel(axis, windows.schema, series, channel, steps, lines, tests[number])
    axes[0].set_title(title)
    axes[0].legend(loc="upper left", frameon=False)
    figure.savefig(path, dpi=120, metadata={"Date": None} if str(path).endswith(".svg") else None)


def _forecasts(
    network: Members,
    windows: Windows,
    number: int,
    output: Output,
    intervals: Intervals,
    test: int,
    dtype: Precision,
) -> tuple[Array, list[Float[Array, "n C"]]]:
    """Forecast from every h-th origin, so that the steps that are forecast lie end to end.

    Intervals are as they were measured where the model learnt, and behind it as they are there.
    """
    view, horizon = windows.views[number], windows.horizon
    first = max(windows.first_origin, begun(view.observed), len(view) - DRAWN)
    drawn = range(len(view) - 1 - horizon, first - 1, -horizon)[::-1]
    followed = windows.origins(number, test, len(view))
    examples = sorted({*followed, *((number, origin) for origin in drawn)})
    outputs = forecast_outputs(network, windows, examples, output, dtype)
    batch, widths = windows.batch(examples), np.ones(outputs.shape[:3])
    origins = np.array([origin for _, origin in examples])
    new = np.flatnonzero(origins >= test - 1)
    scores = intervals.scores(output, outputs[new], batch.targets[new])
    widths[new], _ = widths_of(windows, [examples[place] for place in new], scores, intervals)
    ends = intervals.around(output, outputs, widths)
    lines = [
        windows.values(batch.levels(one))[np.isin(origins, drawn)] for one in (output.centre(outputs), *ends)
    ]
    steps = (np.array(drawn)[:, None] + np.arange(1, horizon + 1)).ravel()
    return steps, [line.reshape(len(steps), -1) for line in lines]


def _panel(
    axis: Any,
    schema: ForecastSchema,
    series: Series,
    channel: int,
    steps: Array,
    lines: Sequence[Float[Array, "n C"]],
    test: int,
) -> None:
    times = schema.frequency.times(series.start, len(series))
    shown = slice(max(len(series) - DRAWN, 0), None)
    centre, low, high = (line[:, channel] for line in lines)
    axis.plot(times[shown], series.values[shown, channel], color="0.25", linewidth=1.2, label="actual")
    for part, colour, name in ((steps < test, "tab:blue", "train"), (steps >= test, "tab:red", "test")):
        if part.any():
            axis.plot(
                times[steps[part]], centre[part], color=colour, linewidth=1.0, label=f"forecast, {name}"
            )
            axis.fill_between(times[steps[part]], low[part], high[part], color=colour, alpha=0.2, linewidth=0)
    if test < len(series):
        axis.axvline(times[test], color="0.6", linewidth=0.8, linestyle="--")
    names = [series.name] * bool(series.name) + [schema.channels[channel]] * (len(schema.channels) > 1)
    axis.set_ylabel(" ".join(names) or schema.channels[channel])


def _figure() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError(
            "a picture needs the library 'matplotlib', which is not installed.\n  pip install matplotlib"
        ) from None
    return Figure
