"""Memory as vectors want it: arrays that begin on a cache line."""

import sys
from collections import defaultdict
from math import prod

import numpy as np

LINE = 64
"""Bytes of a cache line, and of the widest vector register."""


KEPT = 4
"""Pieces of memory of one size that wait to be used again."""

KEPT_BYTES = 1 << 28
"""All memory that waits or is in use, in bytes, beyond which none is kept for later."""

_pieces: dict[int, list[tuple[np.ndarray, int]]] = defaultdict(list)


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
    memory, offset = _piece((shape if isinstance(shape, int) else prod(shape)) * kind.itemsize)
    return np.ndarray(shape, kind, memory, offset)


def recycled(shape: int | tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Make an array like :func:`aligned`, in memory that earlier results of this function no longer use.

    The system hands out fresh memory page by page, and that takes longer than writing to it. Memory is used
    again when neither the array nor a view of it is left.
    """
    kind = np.dtype(dtype)
    size = in_steps((shape if isinstance(shape, int) else prod(shape)) * kind.itemsize)
    pieces = _pieces[size]
    for _ in range(len(pieces)):
        try:
            piece = pieces.pop(0)
        except IndexError:  # another thread was faster
            break
        # the array before the list: what is in the list may be taken by another thread at once
        array = np.ndarray(shape, kind, *piece) if sys.getrefcount(piece[0]) == _FREE else None
        if array is not None or len(pieces) < KEPT:
            pieces.append(piece)
        if array is not None:
            return array
    if sum(size * len(pieces) for size, pieces in list(_pieces.items())) > KEPT_BYTES:
        _give_back()
    piece = _piece(size)
    array = np.ndarray(shape, kind, *piece)
    pieces.append(piece)
    return array


def _give_back() -> None:
    """Let go of all memory that waits; what is in use is only forgotten."""
    for pieces in list(_pieces.values()):
        pieces.clear()


def address(array: np.ndarray) -> int:
    """Give where an array begins in memory."""
    return int(array.__array_interface__["data"][0])


def in_steps(size: int) -> int:
    """Round a size up to one of a few, at most an eighth larger, so that sizes meet again."""
    step = 1 << max(size.bit_length() - 4, 0)
    return -(-size // step) * step


def _piece(size: int) -> tuple[np.ndarray, int]:
    """Give fresh memory, and where in it a cache line begins."""
    memory = np.empty(size + LINE, dtype=np.uint8)
    return memory, -address(memory) % LINE


def _references() -> int:
    """Count the references to memory that nobody else has, as :func:`recycled` counts them."""
    pieces = [_piece(1)]
    piece = pieces.pop(0)
    return sys.getrefcount(piece[0])


_FREE = _references()
