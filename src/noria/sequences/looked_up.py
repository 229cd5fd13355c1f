"""Rows that are looked up in a table, written out only for those who need them so."""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from noria.arrays import Array, Inexact, Integer
from noria.sequences.layout import Layout
from noria.sequences.ragged import Ragged


class LookedUp(Ragged):
    """A batch whose row ``n`` is row ``ids[n]`` of a table.

    Who multiplies rows can multiply those of the table instead, which are fewer where symbols repeat, and
    then hands the table's gradient to ``receive``; to the rows' own gradient nothing is left to add.

    Parameters
    ----------
    table : array of shape (V, F)
    ids : integer array of shape (N,)
        In [0, V).
    layout : Layout
    receive : callable, optional
        Gets the gradient of the table, (V, F). Without it the table has none.
    """

    table: Inexact[Array, "V F"]
    ids: Integer[Array, " N"]
    receive: Callable[[Array], None] | None

    def __init__(
        self,
        table: Inexact[Array, "V F"],
        ids: Integer[Array, " N"],
        layout: Layout,
        receive: Callable[[Array], None] | None = None,
    ) -> None:
        for name, value in (("table", table), ("ids", ids), ("layout", layout), ("receive", receive)):
            object.__setattr__(self, name, value)

    @cached_property
    def rows(self) -> Array:
        """The rows, written out."""
        return np.asarray(self.table[self.ids])

    def __len__(self) -> int:
        """Give the number of rows, N."""
        return len(self.ids)

    def reversed(self) -> "LookedUp":
        """Read every sequence backwards within its own length."""
        return LookedUp(self.table, self.ids[self.layout.reversal], self.layout, self.receive)
