"""Calendar features: where a time stands in its day, week and year, as a point on a circle."""

import numpy as np

from noria.arrays import Array, Float
from noria.data.series_frequency import Frequency, Time

_DAY = 86_400


def calendar_names(frequency: Frequency) -> tuple[str, ...]:
    """Name the cycles that a step of this frequency turns through: of the day, the week and the year."""
    if frequency.counted:
        return ()
    unit = frequency.base[1]
    if frequency.seconds:
        return ("day", "week", "year")
    if unit in ("D", "B"):
        return ("week", "year")
    return ("year",) if unit in ("W", "MS", "ME", "QS", "QE") else ()


def calendar_features(frequency: Frequency, start: Time, count: int) -> Float[Array, "T F"]:
    """Give sine and cosine of each cycle at `count` times from `start` on.

    A day is turned through once in 24 hours, a week from Monday on, a year from the 1st of January; months
    and quarters stand at even distances.
    """
    names = calendar_names(frequency)
    if not names:
        return np.zeros((count, 0))
    times = frequency.times(start, count).astype("datetime64[s]")
    seconds = times.astype(np.int64)
    months = times.astype("datetime64[M]").astype(np.int64)
    years = times.astype("datetime64[Y]")
    if frequency.base[1][0] in "MQ":
        of_year = months % 12 / 12.0
    else:
        begins = years.astype("datetime64[s]").astype(np.int64)
        ends = (years + 1).astype("datetime64[s]").astype(np.int64)
        of_year = (seconds - begins) / (ends - begins)
    turns = {
        "day": seconds % _DAY / _DAY,
        "week": (seconds / _DAY + 3) % 7 / 7,  # the epoch was a Thursday
        "year": of_year,
    }
    angles = 2.0 * np.pi * np.stack([turns[name] for name in names], axis=1)
    return np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(count, -1)
