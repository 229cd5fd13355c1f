"""The memory that one run works in: one piece, cut into the buffers of the design, and used again."""

import weakref
from collections.abc import Mapping

import numpy as np

from noria.arrays import Array
from noria.engines.native.design import Design
from noria.engines.native.memory import LINE, address, aligned

Key = tuple[int, int, int, int, bool]
"""Rows, sequences, symbols and threads that there is room for; whether steps come one by one."""


class Workspace:
    """The buffers of a design for certain numbers of rows.

    Attributes
    ----------
    key : tuple
        Rows, sequences, symbols and threads that it has room for; whether steps come one by one.
    arrays : dict of arrays
        A view of every buffer, (rows, width).
    arguments : int64 array
        What the compiled functions are called with: addresses, and a few numbers.
    block : int
        The address of the arguments.
    """

    guard = 0
    """Numbers left free between buffers; tests write a pattern there."""

    def __init__(
        self,
        design: Design,
        slots: Mapping[str, int],
        packed: Mapping[str, int],
        key: Key,
        block_rows: int,
        work: int,
    ) -> None:
        self.key = total, batch, symbols, parts, stepwise = key
        chunks = {
            f"chunk {name}": total if stepwise else max(1, design.chunk_rows(name) // batch)
            for name in ("forward", "backward")
        }
        rows = {
            "N": total,
            "B": batch,
            "B+N": batch + total,
            "2B": 2 * batch,
            "1": 1,
            "parts": parts,
            "symbols": symbols,
            **{name: min(steps * batch, total) for name, steps in chunks.items()},
        }
        dtype = design.numbers.dtype
        pieces: dict[str, tuple[int, int]] = {
            name: (rows[buffer.rows] * (block_rows if name == "block" else 1), buffer.width)
            for name, buffer in design.buffers.items()
            if buffer.rows
        }
        pieces |= {name: (1, size) for name, size in packed.items()}
        if design.saves:
            pieces["work"] = (parts, work)
        line = LINE // dtype.itemsize
        starts, end = {}, self.guard
        for name, (count, width) in pieces.items():
            starts[name] = end
            end += -(-(count * width + self.guard) // line) * line
        self.memory: Array = aligned(end + line, dtype)
        self.arrays = {
            name: self.memory[starts[name] : starts[name] + count * width].reshape(count, width)
            for name, (count, width) in pieces.items()
        }
        self.barrier = aligned(16, np.int64)
        self.barrier[:] = 0
        self.slots = slots
        self.arguments: Array = np.zeros(len(slots), np.int64)
        self.block = address(self.arguments)
        self._held: dict[str, Array] = {}
        self._seen: dict[str, weakref.ref[Array]] = {}
        base = address(self.memory)
        for name in pieces:
            self.arguments[slots[name]] = base + starts[name] * dtype.itemsize
        self.arguments[slots["barrier"]] = address(self.barrier)
        for name, steps in chunks.items():
            self.arguments[slots[name]] = steps

    def bind(self, name: str, array: Array | None) -> None:
        """Let an argument say where an array of the caller's lies, and hold on to it."""
        if array is None:
            self.arguments[self.slots[name]] = 0
            self._seen.pop(name, None)
            self._held.pop(name, None)
            return
        seen = self._seen.get(name)
        if seen is None or seen() is not array:  # asking an array for its address takes a while
            self.arguments[self.slots[name]] = address(array)
            self._seen[name] = weakref.ref(array)
        self._held[name] = array

    def let_go(self) -> None:
        """Let go of the arrays of a run; those that come again will be known."""
        self._held.clear()
