"""The adding problem: a long series of numbers, two of which are marked; the target is their sum.

References
----------
Hochreiter & Schmidhuber 1997, Long short-term memory, experiment 4; in the form of Arjovsky, Shah & Bengio
2016, Unitary evolution recurrent neural networks, section 5.1.
"""

import numpy as np

from noria.arrays import Array, Float
from noria.data.builtin_tasks.parts import BuiltinParts, PartName, drawing

TRAIN, VALIDATION, TEST = 20_000, 1_000, 2_000
BASELINE = 1 / 6  # the error of always answering 1: the variance of the sum of two numbers


def adding(seed: int, length: int) -> BuiltinParts:
    """Make series of shape (length, 2): numbers evenly drawn from [0, 1), and marks.

    One number in the first half and one in the second half are marked with a 1, the others with a 0. The
    target is the sum of the two. Who always says 1 has a mean squared error of 1/6.
    """
    train, validation, test = (
        _drawn(seed, "train", TRAIN, length),
        _drawn(seed, "validation", VALIDATION, length),
        _drawn(seed, "test", TEST, length),
    )
    return BuiltinParts(train, f"adding problem: {length} steps", validation, test)


def _drawn(
    seed: int, part: PartName, count: int, length: int
) -> tuple[list[Float[Array, "T 2"]], Float[Array, " S"]]:
    rng = drawing(seed, part)
    series = np.zeros((count, length, 2), np.float32)
    series[:, :, 0] = rng.random((count, length), np.float32)
    half, rows = length // 2, np.arange(count)
    places = np.stack([rng.integers(0, half, count), rng.integers(half, length, count)])
    series[rows, places, 1] = 1.0
    return list(series), series[rows, places, 0].sum(axis=0, dtype=np.float64)
