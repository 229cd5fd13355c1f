"""What passes over rows and flat vectors share, and the sum of squares.

They run in machine code where that can be had; elsewhere, and for other dtypes, their obvious twins in NumPy
take over. ``engines/cross_entropy.py`` has the loss, ``engines/updates.py`` the update rules.
"""

from functools import cache, partial

import numpy as np

from noria.arrays import Array
from noria.engines.binding import why_not_native
from noria.engines.pieces import split, spread

CHUNK = 65536
"""Numbers that NumPy works on at a time, so that they stay in the cache through the small operations."""
PIECE = 262144
"""Numbers that machine code works on at a time. Sums are summed by piece, in order: always the same bits."""


@cache
def is_native(dtype: np.dtype) -> bool:
    """Tell whether passes over numbers of this type run in machine code here."""
    return not why_not_native(dtype)


# Flat vectors
# --------------------------------------------------------------------------------------------------------


def sum_of_squares(vector: Array) -> float:
    """Give the sum of squares of a vector, summed in float64; NaN or infinite if a number is.

    Parameters
    ----------
    vector : array of shape (P,)
    """
    if not is_native(vector.dtype) or not are_flat(vector):
        return _numpy_sum_of_squares(vector)
    from noria.engines.native.flat import squares_of
    from noria.engines.native.memory import address

    function = squares_of(vector.dtype)
    parts = split(vector.size, 1 + vector.size // PIECE)
    sums = [0.0] * len(parts)
    begin = address(vector)

    def squares(number: int, at: int, count: int) -> None:
        sums[number] = function(at, count)

    spread(
        [
            partial(squares, number, begin + part.start * vector.itemsize, part.stop - part.start)
            for number, part in enumerate(parts)
        ]
    )
    return sum(sums)


def _numpy_sum_of_squares(vector: Array) -> float:
    total = 0.0
    for part in split(vector.size, 1 + vector.size // CHUNK):
        exact = vector[part].astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            total += float(np.square(exact, out=exact).sum())
    return total


def are_flat(*vectors: Array) -> bool:
    """Tell whether these are vectors of one length and dtype, without gaps."""
    first = vectors[0]
    return all(
        vector.ndim == 1
        and vector.size == first.size
        and vector.dtype == first.dtype
        and vector.flags.c_contiguous
        and vector.flags.aligned
        for vector in vectors
    )
