"""Which column of a table is what: named, or guessed and said."""

from collections.abc import Sequence
from dataclasses import dataclass

from noria.data.series_table import SeriesTable
from noria.errors import DataError
from noria.training.option import did_you_mean

TIMES = [
    "ds",
    "date",
    "datetime",
    "timestamp",
    "time",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "period",
    "fecha",
    "datum",
]
IDS = ["unique_id", "series_id", "series", "item_id", "item", "id", "store", "sensor", "station", "name"]
TARGETS = ["y", "value", "values", "target"]
NO_COLUMN = "off"


@dataclass(frozen=True)
class SeriesColumns:
    """What the user says of the columns of a table; what is left empty is guessed.

    Attributes
    ----------
    time, id : str
        The columns of dates, and of what tells the series of a long table apart.
    target : tuple of str
        What is to be forecast. One column of a long table; of a wide one each is a series of its own.
    known : tuple of str
        Covariates that are known beforehand.
    past : tuple of str
        Covariates that are known up to now only. Left empty, the other columns of numbers beside a target
        that was named ``y``, ``value`` or ``target``; ``("off",)``: no column.
    multivariate : bool
        Whether several targets are channels of one series, forecast together.
    date_format : str
        As ``strptime`` takes it.
    frequency : str
        As pandas writes it, or how far apart whole numbers are (``"10"``); left empty, it is found
        from the times.
    """

    time: str = ""
    id: str = ""
    target: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    multivariate: bool = False
    date_format: str = ""
    frequency: str = ""


@dataclass(frozen=True)
class Roles:
    """What each column of one table is; empty where there is none."""

    time: str
    id: str
    targets: tuple[str, ...]
    known: tuple[str, ...]
    past: tuple[str, ...]
    notes: tuple[str, ...]


def roles_of(table: SeriesTable, asked: SeriesColumns) -> Roles:
    """Find out which column is what.

    Raises
    ------
    DataError
        If a column that was named is not there, stands in two places, or there is none to forecast.
    """
    names = table.columns
    doubled = [name for name in names if names.count(name) > 1]
    if doubled:
        raise DataError(f"{table.source}, line 1: the column {doubled[0]!r} stands there twice.")
    for option, wanted in _asked(asked):
        _check(table, option, wanted)
    notes = []
    time = asked.time or _named(names, TIMES)
    named = [*asked.target, *asked.known, *_past_asked(asked)]
    id_ = asked.id or _named([name for name in names if name != time and name not in named], IDS)
    left = [name for name in names if name not in (time, id_, *named)]
    target = asked.target or tuple(name for name in left if name.lower() in TARGETS)[:1]
    left = [name for name in left if name not in target]
    numeric = [name for name in left if table.is_numeric(name)]
    past = _past_asked(asked)
    if not target and id_:
        target, numeric = tuple(numeric[:1]), numeric[1:]
    if target:
        past = past or (() if asked.past else tuple(numeric))
    else:
        target = tuple(numeric)  # a wide table: each column of numbers is a series
    if not target:
        raise DataError(
            f"{table.source}: expected a column of numbers to forecast, got the columns "
            f"{', '.join(repr(name) for name in names)}.\n  Name it with 'target'."
        )
    ignored = [name for name in left if name not in (*target, *past)]
    notes.append(_said(time, id_, target, asked.known, past))
    if ignored:
        notes.append(f"columns left out, they hold no numbers: {', '.join(ignored)}")
    if not time:
        notes.append("no column of dates: rows are taken as steps, in their order")
    return Roles(time, id_, target, asked.known, past, tuple(notes))


def _asked(asked: SeriesColumns) -> list[tuple[str, str]]:
    one = [("time_column", asked.time), ("id_column", asked.id)]
    several = [
        ("target", asked.target),
        ("known_covariates", asked.known),
        ("past_covariates", _past_asked(asked)),
    ]
    return [pair for pair in one if pair[1]] + [(option, name) for option, names in several for name in names]


def _past_asked(asked: SeriesColumns) -> tuple[str, ...]:
    return tuple(name for name in asked.past if name != NO_COLUMN)


def _check(table: SeriesTable, option: str, name: str) -> None:
    if name not in table.columns:
        raise DataError(
            f"{table.source}: expected a column {name!r} ({option}), got "
            f"{', '.join(repr(other) for other in table.columns)}.{did_you_mean(name, table.columns)}"
        )


def _named(names: Sequence[str], usual: Sequence[str]) -> str:
    """Find a column by the names that such columns usually have, the most usual first."""
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[name] for name in usual if name in lower), "")


def _said(time: str, id_: str, target: Sequence[str], known: Sequence[str], past: Sequence[str]) -> str:
    parts = [("time", [time] * bool(time)), ("series", [id_] * bool(id_)), ("target", target)]
    parts += [("known beforehand", known), ("known up to now", past)]
    return "columns: " + "; ".join(f"{what} {', '.join(_few(names))}" for what, names in parts if names)


def _few(names: Sequence[str]) -> Sequence[str]:
    return names if len(names) <= 8 else [*names[:6], f"... ({len(names)} in all)"]
