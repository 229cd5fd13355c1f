"""Token ids in the place of one-hot rows: products with such rows, and the rows themselves."""

import numpy as np

from noria.arrays import Array, Inexact, Integer


def add_rows(table: Inexact[Array, "V F"], ids: Integer[Array, " N"], rows: Inexact[Array, "N F"]) -> None:
    """Add each row to the row of ``table`` that its id names: ``table += one_hot(ids).T @ rows``.

    It is ``np.add.at`` in the time of a sort.
    """
    order = np.argsort(ids, kind="stable")
    in_order = ids[order]
    starts = np.flatnonzero(np.diff(in_order, prepend=-1))
    table[in_order[starts]] += np.add.reduceat(rows[order], starts, axis=0)


def written_out(ids: Integer[Array, " N"], symbols: int, dtype: np.dtype) -> Inexact[Array, "N V"]:
    """Write ids out as one-hot rows, for who does more with them than multiply them."""
    rows = np.zeros((len(ids), symbols), dtype)
    rows[np.arange(len(ids)), ids] = 1.0
    return rows
