"""Columns of numbers brought to mean 0 and variance 1, as they are in the training part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from noria.arrays import Array, Float, Num
from noria.models.schema import entry


@dataclass(frozen=True)
class Scales:
    """Mean and spread of each column; of one that never changes the spread is 1.

    Attributes
    ----------
    names : tuple of str
    means, spreads : tuple of float
    """

    names: tuple[str, ...]
    means: tuple[float, ...]
    spreads: tuple[float, ...]

    @classmethod
    def of_rows(cls, rows: Num[Array, "N C"], names: Sequence[str]) -> Self:
        """Measure the columns of rows."""
        exact = np.asarray(rows, dtype=np.float64)
        means, spreads = exact.mean(axis=0), exact.std(axis=0)
        spreads = np.where(spreads > 1e-9 * np.maximum(1.0, np.abs(means)), spreads, 1.0)
        return cls(tuple(names), tuple(means.tolist()), tuple(spreads.tolist()))

    def scaled(self, rows: Num[Array, "N C"]) -> Float[Array, "N C"]:
        """Give scaled rows in single precision."""
        return np.asarray((rows - np.array(self.means)) / np.array(self.spreads), dtype=np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        return {"names": list(self.names), "means": list(self.means), "spreads": list(self.spreads)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(*(tuple(entry(data, name, list, source)) for name in ("names", "means", "spreads")))
