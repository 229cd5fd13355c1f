"""Handwritten digits, read row by row: an image of 8 x 8 pixels as a sequence of eight steps.

They ship with scikit-learn (``load_digits``): 1,797 images, the test part of the UCI set of Alpaydin & Kaynak
1998.
"""

import numpy as np

from noria.arrays import Array, Float
from noria.data.builtin_tasks.parts import BuiltinParts, drawing

VALIDATION, TEST = 180, 360
BRIGHTEST = 16


def digits(seed: int) -> BuiltinParts:
    """Give images (8, 8) of values from 0 to 1 with their digits, dealt out to the parts by the seed."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    rows = (images.reshape(-1, 8, 8) / BRIGHTEST).astype(np.float32)
    order = drawing(seed, "train").permutation(len(rows))
    train, validation, test = (
        _chosen(rows, labels, part) for part in np.split(order, [-VALIDATION - TEST, -TEST])
    )
    return BuiltinParts(train, "handwritten digits, row by row (scikit-learn)", validation, test)


def _chosen(
    rows: Float[Array, "S 8 8"], labels: Array, indices: Array
) -> tuple[list[Float[Array, "8 8"]], list[str]]:
    return [rows[index] for index in indices], [str(labels[index]) for index in indices]
