"""Memory as vectors want it: arrays that begin on a cache line."""

import sys
from collections import defaultdict
from math import prod

import numpy as np

LINE = 64
"""Bytes of a cache line, and of the widest vector register."""


def aligned(shape: int | tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Make an uninitialised array in row-major order whose first number lies on a cache line.

    A vector that crosses two lines costs two reads; every vector of a packed matrix would.

    Parameters
    ----------
    shape : int or tuple of int
    dtype : numpy.dtype or type

    Returns
    -------
    array of that shape and dtype, its address a multiple of 64 bytes
    """
    kind = np.dtype(dtype)
    sizes = (shape,) if isinstance(shape, int) else shape
    count = prod(sizes) * kind.itemsize
    return _cut(np.empty(count + LINE, dtype=np.uint8), count, kind, sizes)


def _cut(memory: np.ndarray, count: int, kind: np.dtype, sizes: tuple[int, ...]) -> np.ndarray:
    offset = -int(memory.__array_interface__["data"][0]) % LINE
    return memory[offset : offset + count].view(kind).reshape(sizes)


KEPT = 8
"""Pieces of memory of one size that wait to be used again."""

_pieces: dict[int, list[np.ndarray]] = defaultdict(list)


def recycled(shape: int | tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Make an array like :func:`aligned`, in memory that earlier results of it no longer use.

    The system hands out fresh memory page by page, and that takes longer than writing to it. Memory is used
    again when neither the array nor a view of it is left.
    """
    kind = np.dtype(dtype)
    sizes = (shape,) if isinstance(shape, int) else shape
    count = prod(sizes) * kind.itemsize
    pieces = _pieces[count]
    for _ in range(len(pieces)):
        try:
            memory = pieces.pop(0)
        except IndexError:  # another thread was faster
            break
        if sys.getrefcount(memory) == _FREE:
            array = _cut(memory, count, kind, sizes)
            pieces.append(memory)
            return array
        if len(pieces) < KEPT:
            pieces.append(memory)
    memory = np.empty(count + LINE, dtype=np.uint8)
    array = _cut(memory, count, kind, sizes)
    pieces.append(memory)
    return array


def _references() -> int:
    """Count the references to an array that nobody else has, as :func:`recycled` counts them."""
    pieces = [np.empty(1, dtype=np.uint8)]
    memory = pieces.pop(0)
    return sys.getrefcount(memory)


_FREE = _references()
