"""Dates as people write them: ISO, day or month first, years, numbers of steps; what was guessed is said."""

import re
import warnings
from typing import Any

import numpy as np

from noria.arrays import Array, Shaped
from noria.data.series_frequency import infer_frequency
from noria.data.series_table import SeriesTable
from noria.errors import DataError

ISO = re.compile(r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2}([ T]\d.*)?)?")
NUMBER = re.compile(r"[+-]?\d+(\.0+)?")
NUMERIC = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})([ T].*)?")
_YEARS = (1500, 2500)
_COMPACT = (15_000_101, 25_001_231)


def read_times(table: SeriesTable, column: str, date_format: str = "") -> tuple[Shaped[Array, " n"], str]:
    """Give the times of a column, and what a user should be told about how they were read.

    Parameters
    ----------
    table : SeriesTable
    column : str
    date_format : str, default ""
        As ``strptime`` takes it, ``"%d/%m/%Y"``; empty: guessed from all dates of the column. Where day and
        month cannot be told apart, what makes an even step wins, and then the day stands first.

    Returns
    -------
    times : array of datetime64, or of integers where steps are numbered
    note : str
        Empty where there is nothing to say.

    Raises
    ------
    DataError
        If one is not a date: says where.
    """
    import pandas

    cells = table.frame[column]
    if pandas.api.types.is_datetime64_any_dtype(cells):
        return _moments(table, column, cells), ""
    if pandas.api.types.is_numeric_dtype(cells):
        numbers = table.numbers(column)
        if np.isnan(numbers).any() or (numbers % 1).any():
            _refuse(table, column, np.isnan(numbers) | (numbers % 1 != 0))
        return _numbered(numbers.astype(np.int64))
    text = cells.astype(str).str.strip()
    if date_format:
        found = pandas.to_datetime(text, format=date_format, errors="coerce")
        return _moments(table, column, found, f" as {date_format!r}"), ""
    if bool(text.str.fullmatch(NUMBER).all()):
        return _numbered(text.astype(float).to_numpy().astype(np.int64))
    if _most(text, ISO):
        return _moments(table, column, _iso(text)), ""
    if _most(text, NUMERIC):
        return _day_and_month(table, column, text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that no format fits all of them is found out below
        found = pandas.to_datetime(text, errors="coerce")
    return _moments(table, column, found), f"dates such as {text.iloc[0]!r} read as {found.iloc[0]:%Y-%m-%d}"


def _most(text: Any, pattern: re.Pattern[str]) -> bool:
    return bool(text.str.fullmatch(pattern).mean() > 0.5)


def _iso(text: Any) -> Any:
    import pandas

    padded = text.str.replace(r"[/.](?=\d{1,2}([/.]|$| |T))", "-", n=2, regex=True)
    padded = padded.str.replace(r"-(\d)(?!\d)", r"-0\1", n=2, regex=True)
    return pandas.to_datetime(padded, format="ISO8601", errors="coerce", utc=True)


def _numbered(numbers: Shaped[Array, " n"]) -> tuple[Shaped[Array, " n"], str]:
    """Read whole numbers as years, as dates without signs between, or as the numbers of steps."""
    if numbers.size and _YEARS[0] <= numbers.min() and numbers.max() <= _YEARS[1]:
        years = (numbers - 1970).astype("datetime64[Y]")
        return years.astype("datetime64[s]"), "times are read as years"
    if numbers.size and _COMPACT[0] <= numbers.min() and numbers.max() <= _COMPACT[1]:
        text = [f"{number // 10000:04d}-{number // 100 % 100:02d}-{number % 100:02d}" for number in numbers]
        return np.array(text, "datetime64[s]"), "times are read as YYYYMMDD"
    return numbers, "times are read as numbers of steps"


def _day_and_month(table: SeriesTable, column: str, text: Any) -> tuple[Shaped[Array, " n"], str]:
    """Read 03/04/2021 by what all the dates together allow."""
    import pandas

    parts = text.str.extract(NUMERIC)
    first, second = (pandas.to_numeric(parts[group], errors="coerce") for group in (0, 2))
    year = "%Y" if bool((parts[3].dropna().str.len() == 4).all()) else "%y"
    clock = parts[4].fillna("").str.strip(" T")
    joined = parts[0] + "/" + parts[2] + "/" + parts[3]
    note = ""
    if (first > 12).any() and (second > 12).any():
        odd = (second > 12) if (first > 12).sum() >= (second > 12).sum() else (first > 12)
        _refuse(table, column, odd.to_numpy(), " with day and month in one order")
    day_first = not (second > 12).any()
    if not (first > 12).any() and day_first:
        even = [_steps(joined, clock, f"{order}/{year}") for order in ("%d/%m", "%m/%d")]
        day_first = even[0] <= even[1]
        order = "day first" if day_first else "month first"
        why = "which makes the even step" if even[0] != even[1] else "which nothing in the file decides"
        note = (
            f"dates such as {text.iloc[0]!r} are read {order}, {why}; "
            "'date_format' says otherwise ('%m/%d/%Y' for month first)"
        )
    order = "%d/%m" if day_first else "%m/%d"
    days = pandas.to_datetime(joined, format=f"{order}/{year}", errors="coerce")
    times = days + pandas.to_timedelta(_clock(clock), errors="coerce")
    return _moments(table, column, times), note or f"dates are read {'day' if day_first else 'month'} first"


def _clock(clock: Any) -> Any:
    """Give times of day with all three parts, as pandas wants them."""
    filled = clock.where(clock != "", "00:00:00")
    return filled.where(filled.str.count(":") != 1, filled + ":00")


def _steps(joined: Any, clock: Any, pattern: str) -> int:
    """Count the different steps between neighbours under one reading; months count as one step."""
    import pandas

    days = pandas.to_datetime(joined, format=pattern, errors="coerce")
    times = np.unique((days + pandas.to_timedelta(_clock(clock), errors="coerce")).dropna().to_numpy())
    frequency = infer_frequency([times.astype("datetime64[s]")]) if len(times) > 1 else None
    if frequency is None:
        return len(times)
    places = frequency.places(times.astype("datetime64[s]"))
    return len(np.unique(np.diff(places))) + int((places < 0).sum())


def _moments(table: SeriesTable, column: str, found: Any, how: str = "") -> Shaped[Array, " n"]:
    """Give datetimes without time zone, in UTC where they had one; refuse what is none."""
    if found.isna().any():
        _refuse(table, column, found.isna().to_numpy(), how)
    if getattr(found.dt, "tz", None) is not None:
        found = found.dt.tz_convert("UTC").dt.tz_localize(None)
    return np.asarray(found.to_numpy().astype("datetime64[s]"))


def _refuse(table: SeriesTable, column: str, wrong: Shaped[Array, " n"], how: str = "") -> None:
    row = int(np.argmax(wrong))
    cell = table.frame[column].iloc[row]
    raise DataError(
        f"{table.place(int(table.frame.index[row]), column)}: expected a date{how or ' such as 2024-01-31'}, "
        f"got {str(cell)!r}.\n  Set 'date_format' ('%d/%m/%Y', say) if dates are written in another way."
    )
