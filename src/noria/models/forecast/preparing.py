"""What happens before the first step: series are read, cut in time, measured, and laid out as windows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from noria.data.builtin_tasks import BuiltinParts
from noria.data.series import Series, SeriesSet
from noria.data.series_calendar import calendar_names
from noria.data.series_choices import wanted_lags, wants_log
from noria.data.series_reading import SeriesData, read_series
from noria.data.series_transforms import Scale, differenced, forward_filled
from noria.errors import DataError
from noria.models.description import Description
from noria.models.examples import digest
from noria.models.forecast.description import SeriesDescription
from noria.models.forecast.metrics import naive_error
from noria.models.forecast.network import build_network
from noria.models.forecast.options import AUTO, ON, RECURSIVE, SEQ2SEQ, ForecastOptions
from noria.models.forecast.schema import ForecastSchema, SeriesMemory
from noria.models.forecast.views import check_channels, levels_of, view_of
from noria.models.forecast.windows import Example, Windows
from noria.models.prepared import Prepared
from noria.models.wiring import chosen_cells, describe_model

NO_SEASON_LOOKBACK = 32
LONGEST_LOOKBACK = 168
FEWEST = 2
"""Errors of each step from which an interval is measured: one for the lower end, and one for the upper."""


@dataclass(frozen=True)
class Cut:
    """Where the parts of one series end: what is learnt from, what is chosen on, and all of it."""

    learnt: int
    chosen: int
    end: int


@dataclass(frozen=True, eq=False, kw_only=True)
class PreparedSeries(Prepared):
    """Series that have been read for a forecaster, as windows.

    Attributes
    ----------
    series : SeriesSet
    cuts : tuple of Cut
        One for each series.
    learning, scoring : Windows
        Of the steps that are learnt at a time, and of the whole horizon.
    train, validation, test : list of Example
    measured : list of Example
        By whose errors intervals are measured.
    """

    series: SeriesSet
    cuts: tuple[Cut, ...]
    learning: Windows
    scoring: Windows
    train: list[Example]
    validation: list[Example]
    test: list[Example]
    measured: list[Example]

    def content(self) -> str:
        """Give digits that two data sets do not share."""
        series = self.series.series
        names = [one.name for one in series]
        return digest(names, *([one.values, one.known, one.past] for one in series))

    def about(self) -> dict[str, Any]:
        """Give what config.toml says of the data."""
        return {**super().about(), "series": len(self.series), "values": self.series.points}


def prepare(data: SeriesData | BuiltinParts, options: ForecastOptions) -> PreparedSeries:
    """Read series, cut them in time, fit the schema to the training parts, and describe what is trained."""
    found = read(data, options)
    schema, cuts, notes = _laid_out(found, options)
    learning, scoring = _windows_of(found, schema, options)
    train, validation, test = _parts_of(learning, scoring, cuts)
    if not train:
        raise DataError(f"{found.source}: expected windows to train on, got only gaps.")
    batch_size = min(options.batch_size, len(train))
    network = build_network(options, chosen_cells(options), schema)
    measured = _measured_of(scoring, cuts, validation)
    if len(measured) > len(validation):
        few = "too small a" if validation else "no"
        notes.append(f"{few} validation part: intervals come from the training part, too narrow at first")
    description = Description(
        _described(found, schema, cuts, options.horizon),
        describe_model(network, options),
        batch_size,
        -(-len(train) // batch_size),
        (*found.notes, *notes),
    )
    return PreparedSeries(
        schema=schema,
        description=description,
        batch_size=batch_size,
        series=found,
        cuts=cuts,
        learning=learning,
        scoring=scoring,
        train=train,
        validation=validation,
        test=test,
        measured=measured,
    )


def read(data: SeriesData | BuiltinParts, options: ForecastOptions) -> SeriesSet:
    """Read series as the options say; of a built-in data set, its table."""
    if isinstance(data, BuiltinParts):
        return replace(read_series(data.train, options.columns), source=data.source)
    if isinstance(data, list | tuple) and len(data) == 1 and hasattr(data[0], "__fspath__"):
        data = data[0]
    return read_series(data, options.columns)


def _laid_out(
    found: SeriesSet, options: ForecastOptions
) -> tuple[ForecastSchema, tuple[Cut, ...], list[str]]:
    """Fit the schema to the training parts of series, and say what was chosen."""
    cuts = tuple(_cut(series, options) for series in found.series)
    learnt = [series.head(cut.learnt) for series, cut in zip(found.series, cuts, strict=True)]
    shortest = min(cut.learnt for cut in cuts)
    for part in learnt:
        check_channels(part, found.channels, f"{found.source}: ", " in the training part")
    notes: list[str] = []
    season = options.season or found.frequency.season
    if season > 1 and 2 * season > shortest and not options.season:
        notes.append(f"season {season} is not used: the shortest training part has {shortest} steps")
        season = 1
    log = options.log == ON or (options.log == AUTO and wants_log([part.values for part in learnt], season))
    levels = [levels_of(part, log, ()) for part in learnt]
    lags = _lags(options.difference, levels, season)
    differenced_by = sum(lags)
    lookback = options.lookback or _lookback(season, shortest - differenced_by - options.horizon)
    season_lag = season if options.season_lag and season > 1 and lookback < season else 0
    warm_up = differenced_by + max(season_lag - 1, 0)
    for series, cut in zip(found.series, cuts, strict=True):
        _check_length(found, series, cut, warm_up, lookback, options)
    memory = {
        series.name: SeriesMemory(
            Scale.of(differenced(levels_of(part, log, lags), lags)),
            naive_error(part.values, season),
            found.frequency.after(series.start, cut.chosen),
            series.tail(warm_up + lookback + options.horizon, found.frequency, lags),
        )
        for series, part, cut in zip(found.series, learnt, cuts, strict=True)
    }
    cyclic = bool(calendar_names(found.frequency))
    schema = ForecastSchema(
        frequency=found.frequency,
        season=season,
        lookback=lookback,
        log=log,
        lags=lags,
        season_lag=season_lag,
        linear=options.linear and options.strategy != SEQ2SEQ,
        calendar=_shows_calendar(options.calendar, season > 1 and season in lags) and cyclic,
        marks_gaps=any(series.gaps for series in found.series),
        channels=found.channels,
        known=found.known,
        past=found.past,
        time=found.time,
        id=found.id,
        known_scale=Scale.of(np.concatenate([part.known[: len(part)] for part in learnt])),
        past_scale=Scale.of(np.concatenate([forward_filled(part.past) for part in learnt])),
        memory=memory,
    )
    return schema, cuts, notes


def _windows_of(
    found: SeriesSet, schema: ForecastSchema, options: ForecastOptions
) -> tuple[Windows, Windows]:
    """Lay series out as windows, to learn from and to be scored on."""
    views = [view_of(series, schema, options.horizon) for series in found.series]
    scoring = Windows(views, schema, options.horizon)
    return (Windows(views, schema, 1) if options.strategy == RECURSIVE else scoring), scoring


def _parts_of(
    learning: Windows, scoring: Windows, cuts: Sequence[Cut]
) -> tuple[list[Example], list[Example], list[Example]]:
    """Give the origins of the three parts: those whose targets all lie in it."""
    train = [one for number, cut in enumerate(cuts) for one in learning.origins(number, 0, cut.learnt)]
    validation = [
        one for number, cut in enumerate(cuts) for one in scoring.origins(number, cut.learnt, cut.chosen)
    ]
    test = [one for number, cut in enumerate(cuts) for one in scoring.origins(number, cut.chosen, cut.end)]
    return train, validation, test


def _measured_of(scoring: Windows, cuts: Sequence[Cut], validation: list[Example]) -> list[Example]:
    """Give the origins by whose errors intervals are measured.

    They are those of the validation part; where they give fewer than :data:`FEWEST` errors of a step, those
    of the training part as well: of a single error both ends would be the same.
    """
    steps = np.arange(1, scoring.horizon + 1)
    errors = sum(scoring.views[number].observed[origin + steps] for number, origin in validation)
    if np.min(errors) >= FEWEST:
        return validation
    learnt = [one for number, cut in enumerate(cuts) for one in scoring.origins(number, 0, cut.learnt)]
    return learnt + validation


def _described(
    found: SeriesSet, schema: ForecastSchema, cuts: Sequence[Cut], horizon: int
) -> SeriesDescription:
    """Describe series and how they are cut."""
    learnt = sum(cut.learnt for cut in cuts)
    chosen = sum(cut.chosen - cut.learnt for cut in cuts)
    return SeriesDescription(
        source=found.source,
        notes=found.notes,
        series=len(found),
        values=found.points,
        gaps=sum(series.gaps for series in found.series),
        channels=found.channels,
        frequency=found.frequency.title,
        season=schema.season,
        parts=(learnt, chosen, sum(cut.end for cut in cuts) - learnt - chosen),
        log=schema.log,
        lags=schema.lags,
        lookback=schema.lookback,
        horizon=horizon,
    )


def _cut(series: Series, options: ForecastOptions) -> Cut:
    end = len(series)
    test = max(round(end * options.test_fraction), options.horizon) if options.test_fraction else 0
    chosen = max(round(end * options.valid_fraction), options.horizon) if options.valid_fraction else 0
    return Cut(max(end - test - chosen, 0), max(end - test, 0), end)


def _lags(difference: str, levels: Sequence[Any], season: int) -> tuple[int, ...]:
    if difference == AUTO:
        return wanted_lags(levels, season)
    seasonal = (season,) if season > 1 else ()
    return {"none": (), "first": (1,), "season": seasonal, "both": (1, *seasonal)}[difference]


def _shows_calendar(calendar: str, is_taken_out: bool) -> bool:
    return calendar == ON or (calendar == AUTO and not is_taken_out)


def _lookback(season: int, most: int) -> int:
    """Look back over two seasons, and leave at least half of what is learnt from for windows to end in."""
    wanted = min(2 * season + 1, LONGEST_LOOKBACK) if season > 1 else NO_SEASON_LOOKBACK
    return max(1, min(wanted, most // 2))


def _check_length(
    found: SeriesSet, series: Series, cut: Cut, warm_up: int, lookback: int, options: ForecastOptions
) -> None:
    needed = warm_up + lookback + options.horizon
    if cut.learnt >= needed:
        return
    of_series = f"series {series.name!r}" if series.name else "the series"
    reach = f" + {warm_up} that differences and the season before reach back" if warm_up else ""
    raise DataError(
        f"{found.source}: expected at least {needed} steps to train on in {of_series} (lookback {lookback} + "
        f"horizon {options.horizon}{reach}), got {cut.learnt} of {cut.end}.\n"
        "  Leave the series out, or set a smaller lookback, horizon, season, valid_fraction or test_fraction."
    )
