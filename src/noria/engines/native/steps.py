"""The table of steps: how many sequences are active, and where the step's rows lie in each kind of buffer."""

from functools import cached_property, lru_cache

import numpy as np

from noria.arrays import Array
from noria.engines.native.sweeps import STEP
from noria.errors import ShapeError


class Steps:
    """Rows in time order, sequences longest first; see :class:`noria.engines.rows.Rows`.

    Attributes
    ----------
    table : int64 array of shape (T, 8)
        For each step what :data:`noria.engines.native.sweeps.STEP` names.
    counts, starts : int64 arrays of shape (T,)
        Active sequences, and the first row.
    """

    @staticmethod
    def of(counts: Array, batch: int) -> "Steps":
        """Give the table for active counts, the one made last time if they are the same."""
        return _steps(np.ascontiguousarray(counts, np.int64).tobytes(), batch)

    def __init__(self, counts: Array, batch: int) -> None:
        steps = len(counts)
        if steps == 0 or counts[0] > batch or counts[-1] < 1 or (counts[1:] > counts[:-1]).any():
            raise ShapeError(
                f"expected active counts that never grow, from at most {batch} down to at least 1, "
                f"got {[int(count) for count in counts[:10]]}."
            )
        self.batch, self._bounds = batch, dict[int, Array]()
        self._room = table = np.empty((steps, len(STEP)), np.int64)
        table[:, 0] = counts
        table[0, 1] = 0
        np.cumsum(counts[:-1], out=table[1:, 1])
        table[0, 2] = 0
        table[1:, 2] = table[:-1, 1] + batch
        table[:, 3] = table[:, 1] + batch
        even = np.arange(steps) % 2 * batch  # states without history alternate between two places
        table[:, 4], table[:, 5] = even, batch - even
        table[:, 6], table[:, 7] = batch - even, even
        self._show(steps)

    def append(self, count: int) -> None:
        """Add a step; the caller has checked that ``count`` does not grow."""
        steps = self.steps
        if steps == len(self._room):
            self._room = np.concatenate([self._room, np.empty_like(self._room)])
        even = steps % 2 * self.batch
        odd, row = self.batch - even, self.total
        before = int(self.table[-1, 3])
        self._room[steps] = count, row, before, row + self.batch, even, odd, odd, even
        for name in ("lengths", "last", "previous", "sequence"):
            self.__dict__.pop(name, None)
        self._bounds.clear()
        self._show(steps + 1)

    def _show(self, steps: int) -> None:
        self.steps, self.table = steps, self._room[:steps]
        self.counts, self.starts = self.table[:, 0], self.table[:, 1]
        self.total = int(self.starts[-1] + self.counts[-1])
        self.dense = bool(self.counts[-1] == self.batch)

    @cached_property
    def lengths(self) -> Array:
        """The length of each sequence."""
        if self.dense:
            return np.full(self.batch, self.steps)
        return np.searchsorted(-self.counts, -np.arange(self.batch), side="left")

    @cached_property
    def last(self) -> Array:
        """Where each sequence's last state is, in a buffer with the initial states in front."""
        starts = np.concatenate([[0], self.starts + self.batch])
        return np.asarray(starts[self.lengths] + np.arange(self.batch))

    @cached_property
    def previous(self) -> Array:
        """For each row, the row of the state before it, in a buffer with the initial states in front."""
        first = np.repeat(self.table[:, 2] - self.starts, self.counts)
        return np.ascontiguousarray(first + np.arange(self.total), np.int64)

    @cached_property
    def sequence(self) -> Array:
        """For each row, its sequence."""
        return np.ascontiguousarray(np.arange(self.total) - np.repeat(self.starts, self.counts), np.int64)

    def bounds(self, parts: int) -> Array:
        """Cut the sequences into ranges, one for each thread, of about equally many rows."""
        if parts not in self._bounds:
            self._bounds[parts] = self._cut(parts)
        return self._bounds[parts]

    def _cut(self, parts: int) -> Array:
        if self.dense:
            return np.arange(parts + 1, dtype=np.int64) * self.batch // parts
        rows = np.concatenate([[0], np.cumsum(self.lengths)])
        wanted = np.arange(1, parts) * (self.total / parts)
        return np.concatenate([[0], np.searchsorted(rows, wanted), [self.batch]]).astype(np.int64)


@lru_cache(maxsize=64)
def _steps(counts: bytes, batch: int) -> Steps:
    return Steps(np.frombuffer(counts, np.int64), batch)
