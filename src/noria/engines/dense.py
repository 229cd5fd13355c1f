"""Products of rows with a matrix, for layers without recurrence: compiled where they can be, else NumPy's.

The compiled ones run on the engines' threads, each on its share of rows.
"""

import numpy as np

from noria.arrays import Array, Inexact
from noria.engines.binding import why_not_native
from noria.engines.pieces import each, split
from noria.engines.threads import WORTH_SHARING, thread_count


def times(rows: Inexact[Array, "N K"], W: Inexact[Array, "..."], *, transposed: bool) -> Array:
    """Give ``rows @ W.T`` if ``transposed``, else ``rows @ W``."""
    if why_not_native(rows.dtype) or rows.dtype != W.dtype:
        return np.asarray(rows @ (W.T if transposed else W))
    from noria.engines.native.memory import recycled
    from noria.engines.native.products import multiply, pack

    packed = pack(W, transposed)
    out = recycled((len(rows), packed.padded), rows.dtype)

    def share(part: slice) -> None:
        multiply(rows[part], packed, out[part])

    each(split(len(rows), _parts(2 * len(rows) * W.size)), share)
    return out[:, : packed.columns]


def add_outer(d: Inexact[Array, "N M"], rows: Inexact[Array, "N K"], out: Inexact[Array, "M K"]) -> None:
    """Add the sum over rows of ``d_n rows_n^T``: ``out += d.T @ rows``."""
    if why_not_native(out.dtype) or not d.dtype == rows.dtype == out.dtype:
        out += d.T @ rows
        return
    from noria.engines.native import products

    def share(part: slice) -> None:
        products.add_outer(d[:, part], rows, out[part])

    each(split(len(out), _parts(2 * d.size * rows.shape[1])), share)


def _parts(operations: int) -> int:
    return thread_count() if operations >= WORTH_SHARING else 1
