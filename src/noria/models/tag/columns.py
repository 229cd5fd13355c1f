"""Columns beside the words: numbers, brought to one scale, or one of several values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from noria.arrays import Array, Float
from noria.data.tagged_sequence import TaggedSequence
from noria.errors import DataError
from noria.models.schema import entry


@dataclass(frozen=True)
class Column:
    """What a model knows of one column, from the training part.

    Attributes
    ----------
    values : tuple of str
        Those there are, in sorted order; empty where the column holds numbers. Another one is none of them.
    mean, spread : float
        Of the numbers.
    """

    values: tuple[str, ...] = ()
    mean: float = 0.0
    spread: float = 1.0

    @classmethod
    def of(cls, entries: Sequence[Any]) -> Self:
        """Look at all entries of a column: they are numbers if every one of them is."""
        numbers = [_number(value) for value in entries]
        if not any(math.isnan(number) for number in numbers):
            return cls((), float(np.mean(numbers)), float(np.std(numbers)) or 1.0)
        return cls(tuple(sorted({str(value) for value in entries})))

    @property
    def size(self) -> int:
        """How many numbers an entry becomes."""
        return len(self.values) or 1

    def encoded(self, entries: Sequence[Any], sequence: TaggedSequence) -> Float[Array, "T F"]:
        """Give the entries of a sequence as rows of numbers.

        Raises
        ------
        DataError
            If one should be a number and is not: says where.
        """
        if self.values:
            return np.array([[str(one) == value for value in self.values] for one in entries], np.float32)
        numbers = np.array([_number(value) for value in entries])
        if np.isnan(numbers).any():
            wrong = int(np.isnan(numbers).argmax())
            raise DataError(
                f"{sequence.place(wrong)}: expected a number in a further column, got {entries[wrong]!r}."
            )
        return ((numbers - self.mean) / self.spread)[:, None].astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {"values": list(self.values), "mean": self.mean, "spread": self.spread}


def read_column(data: Mapping[str, Any], source: str) -> Column:
    """Undo :meth:`Column.to_dict`."""
    values = entry(data, "values", list, source)
    mean, spread = (float(entry(data, name, (int, float), source)) for name in ("mean", "spread"))
    return Column(tuple(values), mean, spread)


def _number(value: Any) -> float:
    """Give a finite number, or NaN for what is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan
