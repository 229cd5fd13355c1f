"""Separate sequences in batches of like length, in an order drawn from a generator."""

from collections.abc import Iterable
from typing import SupportsIndex

import numpy as np

from noria.arrays import Array, Int
from noria.errors import DataError, OptionError


class Batches:
    """Draws, for each epoch, batches in which every sequence stands exactly once.

    The sequences are shuffled and cut into pools; within a pool they are sorted by length and cut into
    batches; the batches are shuffled. Packed rows compute nothing on padding whatever the lengths are, yet
    a step with many active sequences costs less per token than one with few, so that like lengths belong
    together.

    Parameters
    ----------
    lengths : integers
        Length of each sequence.
    batch_size : int
        Sequences in a batch; the last one may be smaller.
    pool : int, default 50
        Batches in a pool. A small pool mixes more, a large one sorts better; 1 is plain shuffling.
    """

    def __init__(self, lengths: Iterable[SupportsIndex], batch_size: int, *, pool: int = 50) -> None:
        for option, value in (("batch_size", batch_size), ("pool", pool)):
            if value < 1:
                raise OptionError(
                    f"The '{option}' option of Batches must be an int of at least 1. Got {value}."
                )
        self.lengths: Int[Array, " S"] = np.array([int(length) for length in lengths], dtype=np.int64)
        if self.lengths.size == 0:
            raise DataError("Batches: expected at least one sequence, got none.")
        self.batch_size = batch_size
        self.pool = pool

    def __len__(self) -> int:
        """Give the number of batches of an epoch, the same for all epochs."""
        return -(-len(self.lengths) // self.batch_size)

    def epoch(self, rng: np.random.Generator) -> list[Int[Array, " b"]]:
        """Draw the batches of one epoch as arrays of sequence indices, the same from the same generator."""
        shuffled = rng.permutation(len(self.lengths))
        size = self.pool * self.batch_size
        pools = [shuffled[start : start + size] for start in range(0, len(shuffled), size)]
        batches = [batch for pool in pools for batch in self._cut(pool)]
        return [batches[index] for index in rng.permutation(len(batches))]

    def _cut(self, pool: Int[Array, " S"]) -> list[Int[Array, " b"]]:
        by_length = pool[np.argsort(-self.lengths[pool], kind="stable")]
        return [by_length[start : start + self.batch_size] for start in range(0, len(pool), self.batch_size)]
