"""Is the sum of a series of numbers positive? The network has to add, and to stay exact around zero."""

import numpy as np

from noria.arrays import Array, Float
from noria.data.builtin_tasks.parts import BuiltinParts, PartName, drawing

SHORTEST, LONGEST = 5, 20
TRAIN, VALIDATION, TEST = 20_000, 2_000, 10_000
LABELS = ("negative", "positive")


def number_sum(seed: int) -> BuiltinParts:
    """Make series (T, 1) of 5 to 20 numbers, normally distributed, labelled with the sign of their sum.

    No sum is left out for being near zero: about one in a hundred is nearer than 0.045.
    """
    train, validation, test = (
        _drawn(seed, "train", TRAIN),
        _drawn(seed, "validation", VALIDATION),
        _drawn(seed, "test", TEST),
    )
    return BuiltinParts(train, f"sign of a sum: {SHORTEST} to {LONGEST} numbers", validation, test)


def _drawn(seed: int, part: PartName, count: int) -> tuple[list[Float[Array, "T 1"]], list[str]]:
    rng = drawing(seed, part)
    lengths = rng.integers(SHORTEST, LONGEST + 1, count)
    numbers = rng.standard_normal((int(lengths.sum()), 1)).astype(np.float32)
    series = np.split(numbers, np.cumsum(lengths)[:-1])
    return series, [LABELS[int(numbers.sum(dtype=np.float64) > 0)] for numbers in series]
