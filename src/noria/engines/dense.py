"""Products of rows with a matrix, for layers without recurrence: compiled where they can be, else NumPy's.

The compiled ones run on the engines' threads, each on its share of rows.
"""

import numpy as np

from noria.arrays import Array, Inexact
from noria.engines.binding import why_not_native
from noria.engines.threads import WORTH_SHARING, thread_count


def times(
    rows: Inexact[Array, "N K"],
    W: Inexact[Array, "..."],
    *,
    transposed: bool,
    b: Inexact[Array, " M"] | None = None,
) -> Array:
    """Give ``rows @ W.T + b`` if ``transposed``, else ``rows @ W + b``; without ``b`` nothing is added."""
    if why_not_native(rows.dtype) or rows.dtype != W.dtype:
        y = np.asarray(rows @ (W.T if transposed else W))
        return y if b is None else y + b
    from noria.engines.native.memory import recycled
    from noria.engines.native.products import multiply, pack

    packed = pack(W, transposed)
    out = recycled((len(rows), packed.padded), rows.dtype)
    return multiply(rows, packed, out, row=b, parts=_parts(2 * len(rows) * W.size))


def add_outer(d: Inexact[Array, "N M"], rows: Inexact[Array, "N K"], out: Inexact[Array, "M K"]) -> None:
    """Add the sum over rows of ``d_n rows_n^T``: ``out += d.T @ rows``."""
    if why_not_native(out.dtype) or not d.dtype == rows.dtype == out.dtype:
        out += d.T @ rows
        return
    from noria.engines.native import products

    products.add_outer(d, rows, out, parts=_parts(2 * d.size * rows.shape[1]))


def add_sum(rows: Inexact[Array, "N M"], out: Inexact[Array, " M"]) -> None:
    """Add the sum of all rows: ``out += rows.sum(axis=0)``."""
    if why_not_native(out.dtype) or rows.dtype != out.dtype:
        out += rows.sum(axis=0)
        return
    from noria.engines.native import products

    products.sum_rows(rows, out)


def _parts(operations: int) -> int:
    return thread_count() if operations >= WORTH_SHARING else 1
