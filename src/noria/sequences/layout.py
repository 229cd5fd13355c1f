"""Who stands where in the packed rows of a batch.

Three sequences a (4 steps), b (2) and c (3) become nine rows. Sorted longest first they are a, c, b, and
time runs from left to right::

    step      0        1        2     3
    rows      a c b    a c b    a c   a
    counts    3        3        2     1

so that the sequences still active at a step are always the first ones, and their states the first rows of
the states.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import SupportsIndex

import numpy as np

from noria.arrays import Array, Int, Num
from noria.errors import DataError, ShapeError


@dataclass(frozen=True, eq=False)
class Layout:
    """The description that all packed rows of one batch share. Its arrays are read-only.

    "Sorted" positions count from the longest sequence, "the caller's" order is the one in which the
    sequences were handed in.

    Attributes
    ----------
    lengths : integer array of shape (B,)
        Length of each sequence, longest first.
    counts : integer array of shape (T,)
        How many sequences are still active at each step; never rises.
    offsets : integer array of shape (T + 1,)
        ``offsets[t]`` is the first row of step ``t``, ``offsets[T]`` the number of rows.
    order : integer array of shape (B,)
        ``order[k]`` is the caller's index of sorted sequence ``k``.
    """

    lengths: Int[Array, " B"]
    counts: Int[Array, " T"]
    offsets: Int[Array, " T+1"]
    order: Int[Array, " B"]

    @classmethod
    def of_lengths(
        cls, lengths: Iterable[SupportsIndex], order: Iterable[SupportsIndex] | None = None
    ) -> "Layout":
        """Sort sequences of the given lengths, longest first; equal ones stay in the caller's order.

        Parameters
        ----------
        lengths : integers
            The length of each sequence in the caller's order; at least one, each at least 1.
        order : integers, optional
            Another order that is longest first, where equal lengths shall stand differently.

        Raises
        ------
        DataError
            If there is no sequence, or one has no steps (says which).
        ShapeError
            If `order` is not an order of these sequences, longest first.
        """
        caller = np.array([int(length) for length in lengths], dtype=np.int64)
        if caller.size == 0:
            raise DataError("Layout: expected at least one sequence, got none.\n  Leave an empty batch out.")
        if caller.min() < 1:
            index = int(np.argmax(caller < 1))
            raise DataError(
                f"Layout: sequence {index} has length {caller[index]}; it needs at least one step.\n"
                "  Leave empty sequences out."
            )
        if order is None:
            sorting = np.argsort(-caller, kind="stable")
        else:
            sorting = np.array([int(index) for index in order], dtype=np.int64)
            if not np.array_equal(np.sort(sorting), np.arange(caller.size)):
                raise ShapeError(f"Layout: order is not a permutation of {caller.size} sequences.")
        by_length = caller[sorting]
        if np.any(np.diff(by_length) > 0):
            raise ShapeError("Layout: expected an order with the longest sequence first.")
        # counts[t] = number of lengths > t, read off the ascending lengths
        steps = np.arange(by_length[0])
        counts = by_length.size - np.searchsorted(by_length[::-1], steps, side="right")
        offsets = np.concatenate([[0], np.cumsum(counts)])
        return cls(*(_read_only(array) for array in (by_length, counts, offsets, sorting)))

    @classmethod
    def dense(cls, batch_size: int, steps: int) -> "Layout":
        """Describe `batch_size` sequences of `steps` steps each; the same description is handed out again."""
        return _dense_layout(batch_size, steps)

    @property
    def batch_size(self) -> int:
        """Number of sequences, B."""
        return len(self.lengths)

    @property
    def steps(self) -> int:
        """Number of steps of the longest sequence, T."""
        return len(self.counts)

    @property
    def total(self) -> int:
        """Number of rows, N: the sum of all lengths."""
        return int(self.offsets[-1])

    @property
    def is_dense(self) -> bool:
        """Whether all sequences are equally long, so that the rows are an array (T, B, ...)."""
        return bool(self.lengths[-1] == self.lengths[0])

    def to_sorted(self, array: Num[Array, "B ..."]) -> Num[Array, "B ..."]:
        """Give what belongs to the caller's sequences in sorted order; the array itself if that is theirs."""
        return array if self._is_sorted else np.asarray(array[self.order])

    def to_caller(self, array: Num[Array, "B ..."]) -> Num[Array, "B ..."]:
        """Give what belongs to the sorted sequences in the caller's order; undoes :meth:`to_sorted`."""
        return array if self._is_sorted else np.asarray(array[self.inverse])

    @cached_property
    def _is_sorted(self) -> bool:
        return bool((self.order == np.arange(self.batch_size)).all())

    @cached_property
    def inverse(self) -> Int[Array, " B"]:
        """Sorted position of each of the caller's sequences: ``order[inverse] == arange(B)``."""
        inverse = np.empty_like(self.order)
        inverse[self.order] = np.arange(self.batch_size)
        return _read_only(inverse)

    @cached_property
    def caller_lengths(self) -> Int[Array, " B"]:
        """Length of each sequence in the caller's order."""
        return _read_only(self.lengths[self.inverse])

    @cached_property
    def step_of_row(self) -> Int[Array, " N"]:
        """Time step of each row."""
        return _read_only(np.repeat(np.arange(self.steps), self.counts))

    @cached_property
    def sequence_of_row(self) -> Int[Array, " N"]:
        """Sorted position of the sequence that each row belongs to."""
        return _read_only(np.arange(self.total) - self.offsets[self.step_of_row])

    @cached_property
    def caller_of_row(self) -> Int[Array, " N"]:
        """The caller's index of the sequence that each row belongs to."""
        return _read_only(self.order[self.sequence_of_row])

    @cached_property
    def first_rows(self) -> Int[Array, " B"]:
        """Row of the first step of each sorted sequence."""
        return _read_only(np.arange(self.batch_size))

    @cached_property
    def last_rows(self) -> Int[Array, " B"]:
        """Row of the last step of each sorted sequence."""
        return _read_only(self.offsets[self.lengths - 1] + np.arange(self.batch_size))

    @cached_property
    def previous(self) -> Int[Array, " N"]:
        """Where each row's previous step stands in a buffer of B initial rows followed by the N rows."""
        step, sequence = self.step_of_row, self.sequence_of_row
        before = self.batch_size + self.offsets[np.maximum(step - 1, 0)] + sequence
        return _read_only(np.where(step == 0, sequence, before))

    @cached_property
    def reversal(self) -> Int[Array, " N"]:
        """Row that takes each row's place when every sequence is read backwards; its own inverse."""
        sequence = self.sequence_of_row
        return _read_only(self.offsets[self.lengths[sequence] - 1 - self.step_of_row] + sequence)

    @cached_property
    def position_in_sequences(self) -> Int[Array, " N"]:
        """Position of each row in the caller's sequences written one after the other."""
        starts = np.cumsum(self.caller_lengths) - self.caller_lengths
        return _read_only(starts[self.caller_of_row] + self.step_of_row)

    def permutation_to(self, other: "Layout") -> Int[Array, " B"]:
        """Give, for each sorted sequence of `other`, the sorted position of the same caller's sequence here.

        Two ragged batches of the same examples (what is read, what is written) sort differently;
        ``sorted_here[permutation]`` stands in the order of `other`.
        """
        if other.batch_size != self.batch_size:
            raise ShapeError(f"Layout: cannot align {self.batch_size} sequences with {other.batch_size}.")
        return np.asarray(self.inverse[other.order])


@lru_cache(maxsize=64)
def _dense_layout(batch_size: int, steps: int) -> Layout:
    return Layout.of_lengths(np.full(batch_size, steps))


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array
