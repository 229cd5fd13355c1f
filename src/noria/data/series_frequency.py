"""The step of a series: found from its times, and counted on from them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from noria.arrays import Array, Int, Shaped
from noria.errors import OptionError

Time: TypeAlias = np.datetime64 | int
"""A moment, or a whole number where there is no calendar."""

COUNTED = ""
"""The code of a frequency without a calendar: steps are numbers, one apart."""

SEASONS = {"YS": 1, "YE": 1, "QS": 4, "QE": 4, "MS": 12, "ME": 12, "W": 52, "B": 5, "D": 7}
NAMES = {
    "YS": "yearly",
    "YE": "yearly",
    "QS": "quarterly",
    "QE": "quarterly",
    "MS": "monthly",
    "ME": "monthly",
    "W": "weekly",
    "B": "working days",
    "D": "daily",
    "h": "hourly",
    "min": "every minute",
    "s": "every second",
}
_DAY = 86_400
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_WEEKDAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
_SPARSE = 4  # places for each number, above which numbers are not taken to lie on a grid
_ENOUGH = 10  # times without a weekend after which days are taken for working days


@dataclass(frozen=True)
class Frequency:
    """The step between two times of a series.

    Attributes
    ----------
    code : str
        As pandas writes it: ``"MS"`` for the first of every month, ``"15min"``; empty for numbered steps,
        and ``"10"`` where their numbers are 10 apart.
    """

    code: str = COUNTED

    def __post_init__(self) -> None:
        if not self.counted:
            _offset(self.code)
        elif self.code and self.stride < 2:
            object.__setattr__(self, "code", COUNTED)  # "1": one way to write it

    @property
    def counted(self) -> bool:
        """Whether times are whole numbers."""
        return not self.code or self.code.isdecimal()

    @property
    def stride(self) -> int:
        """How far apart the numbers of two steps are, where times are whole numbers."""
        return int(self.code or 1)

    @property
    def base(self) -> tuple[int, str]:
        """How many of which unit a step is: ``(15, "min")``."""
        found = re.match(r"(\d*)([A-Za-z]+)", self.code)
        return (int(found[1] or 1), found[2]) if found else (1, "")

    @property
    def title(self) -> str:
        """What the step is called: ``"monthly"``, ``"every 15 min"``."""
        if self.counted:
            return "numbered steps" if self.stride == 1 else f"numbered steps, {self.stride} apart"
        count, unit = self.base
        return NAMES.get(unit, f"every {unit}") if count == 1 else f"every {count} {unit}"

    @property
    def seconds(self) -> int:
        """How long a step is, where all steps are equally long and shorter than a day; otherwise 0."""
        count, unit = self.base
        return count * {"h": 3600, "min": 60, "s": 1}.get(unit, 0)

    @property
    def season(self) -> int:
        """Steps after which things are expected to repeat: a year, a week, a day; 1 where nothing says so."""
        count, unit = self.base
        if self.seconds:
            whole = _DAY if self.seconds >= 300 else 3600 if self.seconds >= 60 else 60
            return max(1, whole // self.seconds)
        return max(1, SEASONS.get(unit, 1) // count)

    def times(self, start: Time, count: int) -> Shaped[Array, " T"]:
        """Give `count` times from `start` on."""
        if self.counted:
            return int(start) + self.stride * np.arange(count)
        import pandas

        return np.asarray(pandas.date_range(start, periods=count, freq=self.code).values)

    def after(self, start: Time, steps: int) -> Time:
        """Give the time that is `steps` later."""
        if self.counted:
            return int(start) + self.stride * steps
        time: np.datetime64 = self.times(start, steps + 1)[-1]
        return time

    def places(self, times: Shaped[Array, " n"]) -> Int[Array, " n"]:
        """Give the number of steps from the first of some ascending times to each; -1 off the grid."""
        if self.counted:
            steps, rest = np.divmod(np.asarray(times - times[0], dtype=np.int64), self.stride)
            return np.where(rest == 0, steps, -1)
        import pandas

        grid = pandas.date_range(times[0], times[-1], freq=self.code)
        return np.asarray(grid.get_indexer(pandas.DatetimeIndex(times)), dtype=np.int64)


def infer_frequency(times: Sequence[Shaped[Array, " n"]]) -> Frequency | None:
    """Find the step of series whose times ascend; None if there is no regular one.

    Gaps do not matter: the step is what most neighbours are apart.

    Parameters
    ----------
    times : sequence of arrays
        datetime64, or numbers of steps.
    """
    if times[0].dtype.kind in "iu":
        return _numbered(times)
    seconds = [one.astype("datetime64[s]").astype(np.int64) for one in times]
    steps = np.concatenate([np.diff(one) for one in seconds])
    if not steps.size:
        return None
    found, counts = np.unique(steps, return_counts=True)
    step = int(found[np.argmax(counts)])
    longest = max(times, key=len)
    code = _calendar_code(longest, step // _DAY) if step % _DAY == 0 else None
    return Frequency(code or _fixed_code(step, seconds))


def _numbered(times: Sequence[Shaped[Array, " n"]]) -> Frequency:
    """Find how far apart whole numbers are: what most neighbours are, if the others are multiples of it.

    Otherwise what divides all of them, unless that leaves hardly anything but gaps.
    """
    apart = np.concatenate([np.diff(one) for one in times])
    if not apart.size:
        return Frequency()
    found, counts = np.unique(apart, return_counts=True)
    commonest, divisor = int(found[np.argmax(counts)]), int(np.gcd.reduce(found))
    places = int(apart.sum()) // divisor
    step = divisor if found.max() and places <= _SPARSE * (apart.size + 1) else commonest
    return Frequency(str(commonest if (found % commonest == 0).all() else step))


def _calendar_code(times: Shaped[Array, " n"], days: int) -> str | None:
    """Give the code of a step of months or weekdays, as far as the times agree."""
    months = times.astype("datetime64[M]")
    first = bool((times.astype("datetime64[D]") == months.astype("datetime64[D]")).all())
    last = bool(((times.astype("datetime64[D]") + 1) == (months + 1).astype("datetime64[D]")).all())
    edge = "S" if first else "E" if last else ""
    month = int(months[0].astype(np.int64) % 12)
    if edge and 28 <= days <= 31:
        return f"M{edge}"
    if edge and 89 <= days <= 92:
        return f"Q{edge}-{_MONTHS[month]}"
    if edge and 365 <= days <= 366:
        return f"Y{edge}-{_MONTHS[month]}"
    weekdays = (times.astype("datetime64[D]").astype(np.int64) + 3) % 7  # the epoch was a Thursday
    if days == 7:
        return f"W-{_WEEKDAYS[int(weekdays[0])]}"
    if days == 1 and len(times) >= _ENOUGH and weekdays.max() < 5:
        return "B"
    return None


def _fixed_code(step: int, seconds: Sequence[Int[Array, " n"]]) -> str:
    """Give the code of a step of equal length, in the largest unit that divides it."""
    for unit, size in (("D", _DAY), ("h", 3600), ("min", 60), ("s", 1)):
        if step % size == 0:
            return f"{step // size}{unit}" if step != size else unit
    raise AssertionError("every step is a number of seconds")


def _offset(code: str) -> Any:
    import pandas

    try:
        return pandas.tseries.frequencies.to_offset(code)
    except ValueError:
        raise OptionError(
            f"The 'frequency' option must be a step as pandas writes it: 'h', '15min', 'D', 'B', 'W-SUN', "
            f"'MS', 'QS-JAN', 'YS-JAN'. Got {code!r}."
        ) from None
