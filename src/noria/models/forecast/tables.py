"""Forecasts as rows of a table."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from noria.arrays import Array, Float
from noria.data.series import Series
from noria.models.forecast.schema import ForecastSchema


def forecast_rows(
    series: Series,
    schema: ForecastSchema,
    centre: Float[Array, "h C"],
    low: Float[Array, "h C"],
    high: Float[Array, "h C"],
) -> Iterator[dict[str, Any]]:
    """Give a row for each step and channel behind the end of a series."""
    steps = len(centre)
    times = schema.frequency.times(series.start, len(series) + steps)[len(series) :]
    for step, time in enumerate(times):
        for channel, title in enumerate(schema.channels):
            named = {schema.id: series.name} if series.name else {}
            place = {"channel": title} if len(schema.channels) > 1 else {}
            yield {
                **named,
                schema.time: time,
                **place,
                "step": step + 1,
                "forecast": float(centre[step, channel]),
                "low": float(low[step, channel]),
                "high": float(high[step, channel]),
            }


def forecast_table(rows: Iterable[dict[str, Any]]) -> Any:
    """Give rows as a pandas data frame."""
    import pandas

    return pandas.DataFrame(list(rows))


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row as plain values, for JSON: times as text, None where there is no interval."""
    return {name: _plain(value) for name, value in row.items()}


def in_words(row: Mapping[str, Any]) -> str:
    """Write a row for a reader, on a line."""
    numbers = {name: f"{row[name]:.6g}" for name in ("forecast", "low", "high") if row[name] is not None}
    cells = [str(value) for name, value in row.items() if name not in ("step", *numbers)]
    interval = f"  ({numbers['low']} to {numbers['high']})" if "low" in numbers else ""
    return "  ".join([*cells, numbers["forecast"]]) + interval


def _plain(value: object) -> object:
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[s]")).removesuffix("T00:00:00")
    if isinstance(value, np.integer):
        return int(value)
    return None if isinstance(value, float) and np.isnan(value) else value
