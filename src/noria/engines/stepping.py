"""An affine map for a few rows at a time, its weights packed once: compiled where it can be, else NumPy's."""

from collections.abc import Callable

import numpy as np

from noria.arrays import Array, Inexact
from noria.engines.binding import why_not_native


def affine_step(
    W: Inexact[Array, "M K"], b: Inexact[Array, " M"] | None, rows: int
) -> Callable[[Array], Array]:
    """Give the function ``x -> x @ W.T + b`` of arrays (rows, K), with the weights as they are now.

    It belongs to one thread at a time.
    """
    if not why_not_native(W.dtype):
        from noria.engines.native.stream import DenseStream

        return DenseStream(W, b, rows).step
    transposed, bias = np.array(W.T), np.zeros(len(W), W.dtype) if b is None else np.array(b)
    return lambda x: np.asarray(x @ transposed + bias)
