"""Sequences with what is known of them: one record after the other, wherever they are read from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np

from noria.arrays import Array
from noria.data.text import normalised
from noria.errors import DataError, ShapeError

TEXTS: Final = "texts"
SYMBOLS: Final = "symbols"
SERIES: Final = "series"
Kind = Literal["texts", "symbols", "series"]


@dataclass(frozen=True, eq=False, slots=True)
class Record:
    """One sequence.

    Attributes
    ----------
    sequence : str, list of symbols, or array of shape (T, C)
    target : object
        Its label or number; None where it is not known.
    place : str
        Where it stands, for people to read: ``"reviews.csv, line 7"``.
    extras : tuple of float
        Further numbers that are known of it.
    column : str
        Where its target stands in its row: ``"column 2 ('label')"``; empty if it has none there.
    """

    sequence: Any
    target: Any
    place: str
    extras: tuple[float, ...] = ()
    column: str = ""

    @property
    def target_place(self) -> str:
        """Where its target stands, for people to read."""
        return f"{self.place}, {self.column}" if self.column else self.place

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to read: a row without a text."""
        return isinstance(self.sequence, str) and not self.sequence.strip()


@dataclass(frozen=True, eq=False)
class Records:
    """Records of one kind.

    Attributes
    ----------
    kind : {"texts", "symbols", "series"}
    source : str
        Where they come from.
    records : iterable of Record
        Read while one goes through it; from a file each time anew.
    channels : tuple of str
        Of series, what each value of a step is.
    extra_names : tuple of str
        What the extras of a record are.
    notes : tuple of str
        What was understood, or guessed, on the way.
    columns : mapping
        What stands in which column of a table: ``text`` or ``id``, ``label``, ``time``.
    recordings : bool
        Whether the series are recordings.
    """

    kind: Kind
    source: str
    records: Iterable[Record]
    channels: tuple[str, ...] = ()
    extra_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    recordings: bool = False

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)


def records_of(sequences: Any, targets: Any = None) -> Records:
    """Take sequences that are in memory, and what is known of them.

    Parameters
    ----------
    sequences : list of str, list of arrays, array, or list of lists
        Texts; series (T, C) or (T,) of real numbers, equally long ones also as one array (n, T, C) or (n, T);
        or lists of symbols, which are whole numbers or strings.
    targets : sequence, optional
        A label or number for each.

    Raises
    ------
    DataError
        If a sequence is empty or of another kind than the first, a series has a gap (NaN), a target is
        missing, or there are not as many targets as sequences: says which.
    ShapeError
        If series have different numbers of channels.
    """
    if isinstance(sequences, str | bytes):
        raise DataError(f"expected a list of sequences, got one {type(sequences).__name__}.")
    items = list(sequences)
    known = [None] * len(items) if targets is None else _plain(targets)
    if not items:
        raise DataError("expected at least one sequence, got none.")
    if len(known) != len(items):
        raise DataError(
            f"expected a target for each of {len(items):,} sequences, got {len(known):,} targets."
        )
    kind = _kind_of(items[0])
    made = [_sequence(item, kind, index) for index, item in enumerate(items)]
    channels: tuple[str, ...] = ()
    if kind == "series":
        channels = tuple(f"channel {number}" for number in range(1, made[0].shape[1] + 1))
        for index, series in enumerate(made):
            if series.shape[1] != len(channels):
                raise ShapeError(
                    f"sequence {index}: expected {len(channels)} channels as the first one has, got "
                    f"{series.shape[1]}."
                )
    for index, target in enumerate(known):
        if targets is not None and is_missing(target):
            raise DataError(f"sequence {index}: expected a target, got {target!r}.")
    records = [
        Record(sequence, target, f"sequence {index}")
        for index, (sequence, target) in enumerate(zip(made, known, strict=True))
    ]
    return Records(kind, f"{len(items):,} sequences", records, channels)


def is_missing(target: object) -> bool:
    """Whether a value is none: nothing, an empty string, NaN, or the NA of pandas."""
    if target is None or isinstance(target, str):
        return not (target and target.strip())
    try:
        return bool(target != target)
    except TypeError:  # NA says neither yes nor no
        return True
    except ValueError:  # an array is something
        return False


def checked_series(series: Array, place: str, channels: Sequence[str] = ()) -> Array:
    """Give a series (T, C) in single precision.

    Raises
    ------
    DataError
        If it has no steps, or a value is not finite: says at which step, in which channel.
    """
    if not len(series):
        raise DataError(f"{place}: expected at least one step, got an empty series.")
    values = np.asarray(series, dtype=np.float32)
    wrong = ~np.isfinite(values)
    if wrong.any():
        step, channel = np.argwhere(wrong)[0]
        name = channels[channel] if channels else f"channel {channel + 1}"
        raise DataError(
            f"{place}, step {step + 1}, {name}: expected a finite number, got {series[step, channel]}.\n"
            "  Fill gaps before, or leave the sequence out."
        )
    return values


def _plain(targets: Any) -> list[Any]:
    """Give targets as Python values, so that an array and a list of the same labels are the same."""
    values = targets.tolist() if hasattr(targets, "tolist") else targets
    return [value.item() if isinstance(value, np.generic) else value for value in values]


def _kind_of(item: object) -> Kind:
    if isinstance(item, str):
        return "texts"
    values = _array(item)
    if values is None or values.dtype.kind in "USO" or (values.dtype.kind in "iu" and values.ndim == 1):
        return "symbols"
    return "series"


def _array(item: object) -> Array | None:
    try:
        return np.asarray(item)
    except ValueError:  # nested to different depths
        return None


def _sequence(item: Any, kind: Kind, index: int) -> Any:
    found = _kind_of(item)
    place = f"sequence {index}"
    if kind == "texts" and isinstance(item, str):
        if not item.strip():
            raise DataError(f"{place}: expected a text, got nothing but white space.")
        return normalised(item)
    if kind == "symbols" and found == "symbols":
        values = _array(item)
        if values is None or values.ndim != 1:
            raise DataError(f"{place}: expected a list of symbols, got {type(item).__name__}.")
        if not len(values):
            raise DataError(f"{place}: expected at least one symbol, got an empty sequence.")
        return _plain(item)
    values = _array(item)
    if kind == "series" and values is not None and values.dtype.kind in "biuf" and values.ndim in (1, 2):
        return checked_series(values[:, None] if values.ndim == 1 else values, place)
    wanted = {"texts": "a text", "symbols": "a list of symbols", "series": "an array (T, C) of numbers"}
    raise DataError(f"{place}: expected {wanted[kind]} as the first one is, got {type(item).__name__}.")
