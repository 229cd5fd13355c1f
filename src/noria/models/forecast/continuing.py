"""Whether a fitted forecaster can go on from series that it is given, and from which of their steps."""

import numpy as np

from noria.data.series import Series, SeriesSet
from noria.errors import DataError
from noria.models.forecast.schema import ForecastSchema
from noria.models.forecast.windows import Example, Windows


def check_columns(found: SeriesSet, schema: ForecastSchema) -> None:
    """Refuse series that have other columns, or another step, than those that were trained on.

    What is forecast may be called by another name, where it is one column.
    """
    for what, there, here in (
        ("targets", schema.channels, found.channels),
        ("covariates known beforehand", schema.known, found.known),
        ("covariates known up to now", schema.past, found.past),
        ("step", schema.frequency.title, found.frequency.title),
    ):
        if there != here and not (what == "targets" and len(there) == len(here) == 1):
            raise DataError(f"{found.source}: expected the {what} {there} of the run, got {here}.")


def check_reach(series: Series, windows: Windows) -> None:
    """Refuse a series that is too short to look back on, or of which too little is known beforehand."""
    title = f"series {series.name!r}" if series.name else "the series"
    schema, horizon, origin = windows.schema, windows.horizon, len(series) - 1
    if origin < windows.first_origin:
        raise DataError(
            f"{title}: expected at least {windows.first_origin + 1} steps to look back on (lookback "
            f"{schema.lookback}, and what differences reach back), got {origin + 1}."
        )
    known = len(series.known) - len(series)
    if schema.known and known < horizon:
        raise DataError(
            f"{title}: expected {', '.join(schema.known)} of {horizon} steps to come, got {known}.\n"
            "  Give rows with times and these columns, and no target, behind the last one."
        )


def checked_steps(steps: int | None, horizon: int) -> int:
    """Give the steps that are asked for, at most the horizon; by default as many."""
    if steps is not None and not 1 <= steps <= horizon:
        raise DataError(
            f"Forecaster: expected 1 to {horizon} steps, the horizon that was learnt, got {steps}.\n"
            "  Train with a longer horizon."
        )
    return steps or horizon


def first_new_step(series: Series, schema: ForecastSchema) -> int:
    """Give the first step of a series that was not learnt from; its length if there is none."""
    memory = schema.memory.get(series.name)
    if memory is None:
        return 0
    times = schema.frequency.times(series.start, len(series))
    later = np.flatnonzero(times >= memory.until)
    return int(later[0]) if later.size else len(series)


def measured_origins(found: SeriesSet, windows: Windows) -> tuple[list[Example], str]:
    """Give the origins in series whose targets were not learnt from, or else all, and a warning."""
    begins = [first_new_step(series, windows.schema) for series in found.series]
    whole = [0] * len(begins)
    for starts in (begins, whole):
        examples = [
            example
            for number, series in enumerate(found.series)
            for example in windows.origins(number, starts[number], len(series))
        ]
        if examples:
            break
    else:
        raise too_short(found, windows)
    warning = "no series goes on for a whole horizon behind what was trained on: measured on steps that the "
    return examples, warning + "model may have learnt from" if starts is whole and any(begins) else ""


def too_short(found: SeriesSet, windows: Windows) -> DataError:
    """Give the complaint about series in which no window ends before a whole horizon."""
    needed = windows.first_origin + 1 + windows.horizon
    return DataError(
        f"{found.source}: expected series of at least {needed} steps (lookback {windows.schema.lookback} + "
        f"horizon {windows.horizon}, and what differences reach back), got "
        f"{max(len(series) for series in found.series)}."
    )
