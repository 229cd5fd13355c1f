"""Buffers that are used again.

A training step asks for the same shapes every time, and fresh memory costs page faults.
"""

from collections import defaultdict

import numpy as np

from noria.arrays import Array

MAXIMUM = 64
"""How many free buffers of one shape are kept."""


class Pool:
    """Free arrays by shape and dtype. Taking and giving back are atomic, so threads may share one."""

    def __init__(self) -> None:
        self._free: dict[tuple[tuple[int, ...], str], list[Array]] = defaultdict(list)

    def take(self, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        """Give an array whose contents are whatever was left in it."""
        free = self._free[shape, dtype.str]
        try:
            return free.pop()
        except IndexError:
            return np.empty(shape, dtype)

    def give(self, array: Array) -> None:
        """Take back an array that nobody reads any more."""
        free = self._free[array.shape, array.dtype.str]
        if len(free) < MAXIMUM:
            free.append(array)


POOL = Pool()
