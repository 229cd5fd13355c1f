"""Memory on large pages, for weights that are read from end to end at every step.

Each page takes a translation of addresses, and small ones lie scattered in the cache.
"""

import mmap
from math import prod

import numpy as np

from noria.engines.native.memory import aligned

LARGE = 1 << 21
"""Bytes of a large page."""

WORTH = 1 << 19
"""Bytes from which on large pages are asked for."""


def spacious(shape: int | tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Make an uninitialised array as :func:`aligned` does, on large pages where the system has them.

    Memory that was in use before keeps its small pages, so that this takes fresh memory; it goes back to the
    system with the array.
    """
    size = prod((shape,) if isinstance(shape, int) else shape) * dtype.itemsize
    if size < WORTH or not hasattr(mmap, "MADV_HUGEPAGE"):
        return aligned(shape, dtype)
    whole = -(-size // LARGE) * LARGE + LARGE
    memory = mmap.mmap(-1, whole, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_HUGEPAGE)
    array = np.frombuffer(memory, np.uint8)
    offset = -int(array.__array_interface__["data"][0]) % LARGE
    return array[offset : offset + size].view(dtype).reshape(shape)
