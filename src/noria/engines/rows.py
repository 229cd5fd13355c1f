"""Which rows belong to which step: the arithmetic of packed rows, as engines need it."""

from functools import cached_property
from itertools import pairwise

import numpy as np

from noria.arrays import Array
from noria.errors import ShapeError


class Rows:
    """Rows in time order, sequences longest first.

    ``batch`` sequences; step ``t`` has ``count(t)`` active ones, which are the first of them. In a buffer
    that holds the ``batch`` rows of the initial state in front, the state before the first step and the
    states after each step lie one after the other.
    """

    def __init__(self, counts: list[int], batch: int, *, fixed: bool) -> None:
        self.counts = counts
        self.batch = batch
        self.fixed = fixed
        self.offsets = [0]
        for count in counts:
            self.offsets.append(self.offsets[-1] + count)

    @classmethod
    def of_counts(cls, counts: Array, batch: int) -> "Rows":
        """Make the rows of a whole batch from the active sequences at each step."""
        values = [int(count) for count in counts]
        if not values or values[0] > batch or values[-1] < 1 or any(b > a for a, b in pairwise(values)):
            raise ShapeError(
                f"expected active counts that never grow, from at most {batch} down to at least 1, "
                f"got {values[:10]}."
            )
        return cls(values, batch, fixed=True)

    @classmethod
    def stepwise(cls, batch: int) -> "Rows":
        """Make rows that grow step by step."""
        return cls([], batch, fixed=False)

    def append(self, count: int) -> int:
        """Add a step with ``count`` active sequences; give its number."""
        before = self.counts[-1] if self.counts else self.batch
        if not 1 <= count <= before:
            raise ShapeError(
                f"expected 1 to {before} rows in this step, got {count}: "
                "a sequence that has ended cannot go on."
            )
        self.__dict__.pop("last", None)
        self.__dict__.pop("sequence", None)
        self.counts.append(count)
        self.offsets.append(self.offsets[-1] + count)
        return len(self.counts) - 1

    def restart(self, count: int) -> int:
        """Forget all steps and begin one with ``count`` sequences, for runs that keep nothing."""
        step = self.append(count)
        self.counts, self.offsets = self.counts[step:], [0, count]
        return 0

    @property
    def steps(self) -> int:
        """The number of steps."""
        return len(self.counts)

    @property
    def total(self) -> int:
        """The number of rows."""
        return self.offsets[-1]

    @property
    def dense(self) -> bool:
        """Whether all sequences are equally long."""
        return self.counts[-1] == self.batch

    def count(self, t: int) -> int:
        """Give the number of active sequences at step ``t``."""
        return self.counts[t]

    def span(self, t: int) -> tuple[int, int]:
        """Give the first row of step ``t`` and the one behind its last."""
        return self.offsets[t], self.offsets[t + 1]

    def previous_start(self, t: int) -> int:
        """Give where the states before step ``t`` begin, in a buffer with the initial states in front."""
        return 0 if t == 0 else self.batch + self.offsets[t - 1]

    @cached_property
    def sequence(self) -> Array:
        """The sequence that each row belongs to."""
        return np.asarray(np.arange(self.total) - np.repeat(self.offsets[:-1], self.counts))

    @cached_property
    def last(self) -> Array:
        """The last row of each sequence.

        Of one that never was active, a negative number that points at its initial state.
        """
        counts = np.asarray(self.counts)
        lengths = np.searchsorted(-counts, -np.arange(self.batch), side="left")
        starts = np.concatenate([[-self.batch], self.offsets[:-1]])
        return np.asarray(starts[lengths] + np.arange(self.batch))

    def shifted(self, buffer: Array) -> Array:
        """Give, for every row, the state before it, from a buffer with the initial states in front."""
        if self.dense:
            return buffer[: self.total]
        starts = np.asarray([self.previous_start(t) for t in range(self.steps)])
        before = np.repeat(starts - self.offsets[:-1], self.counts) + np.arange(self.total)
        return np.asarray(buffer[before])


def check_rows(owner: str, name: str, array: Array, total: int) -> None:
    """Refuse an array that has not one row for each step of each sequence."""
    if len(array) != total:
        raise ShapeError(
            f"{owner}: expected {total} rows of {name}, one for each step of each sequence, got {len(array)}."
        )


def appended(before: Array | None, rows: Array, low: int) -> Array:
    """Write ``rows`` at row ``low``, with room to spare, so that many steps cost what their rows cost."""
    if before is None:
        return np.array(rows)
    high, dtype = low + len(rows), np.result_type(before, rows)
    if len(before) < high or before.dtype != dtype:
        longer = np.empty((max(2 * len(before), high), *before.shape[1:]), dtype)
        longer[:low] = before[:low]
        before = longer
    before[low:high] = rows
    return before


def with_last(d_h: Array, last: Array, d_final: Array) -> Array:
    """Give ``d_h`` with the gradient of each sequence's last value added to its last row.

    ``last`` is negative for sequences that never were active.
    """
    result, active = np.array(d_h), last >= 0
    result[last[active]] += d_final[active]
    return result
