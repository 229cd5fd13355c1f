"""Auxiliary inputs: handed in, drawn, or at their expectation."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import DTypeLike

from noria.arrays import Array
from noria.equations import Given
from noria.errors import DataError, OptionError, ShapeError

FEATURES = "features"
"""The auxiliary input of layers that take features from outside."""


def handed_in(
    title: str,
    given: Mapping[str, Array] | None,
    name: str,
    shape: tuple[int, ...],
    dtype: DTypeLike | None = None,
) -> Array:
    """Give an auxiliary input that the caller hands in; by default with its own dtype.

    Raises
    ------
    DataError
        If it is left out.
    ShapeError
        If it has another shape.
    """
    expected = f"{title}: expected the auxiliary input '{name}' of shape {shape}"
    if given is None or name not in given:
        raise DataError(f"{expected}, got none.\n  Pass it: given={{'{name}': ...}}.")
    array = np.asarray(given[name], dtype)
    if array.shape != shape:
        raise ShapeError(f"{expected}, got {array.shape}.")
    return array


def auxiliary_input(
    title: str,
    declared: Given,
    given: Mapping[str, Array],
    shape: tuple[int, ...],
    dtype: DTypeLike,
    *,
    training: bool,
    rng: np.random.Generator | None,
) -> Array:
    """Give an auxiliary input of a cell: as handed in, or drawn in training, or else its expectation.

    Raises
    ------
    DataError
        If it has no law, and is not handed in.
    ShapeError
        If it has another shape.
    OptionError
        If it is to be drawn without a generator.
    """
    if declared.law == "supplied" or declared.name in given:
        return handed_in(title, given, declared.name, shape, dtype)
    match declared.law, training:
        case "dropout", True:
            return dropout_mask(title, shape, declared.probability, rng, dtype)
        case "dropout", False:
            return np.ones(shape, dtype)
        case _, True:
            return bernoulli_mask(title, shape, declared.probability, rng, dtype)
        case _:
            return np.full(shape, declared.probability, dtype)


def dropout_mask(
    title: str, shape: tuple[int, ...], p: float, rng: np.random.Generator | None, dtype: DTypeLike
) -> Array:
    """Draw factors that are 0 with probability p and 1 / (1 - p) otherwise; the expectation is 1."""
    return np.asarray(~draw(title, shape, p, rng) * np.array(1.0 / (1.0 - p), dtype))


def bernoulli_mask(
    title: str, shape: tuple[int, ...], p: float, rng: np.random.Generator | None, dtype: DTypeLike
) -> Array:
    """Draw 1 with probability p and 0 otherwise; the expectation is p."""
    return draw(title, shape, p, rng).astype(dtype)


def draw(title: str, shape: tuple[int, ...], p: float, rng: np.random.Generator | None) -> Array:
    """Draw what is true with probability p, for all dtypes the same from the same generator.

    Sixteen random bits settle it but for one value in 65536, where p lies between two of theirs: there it is
    drawn once more. That is exact, and takes a third of the time of a float for each.
    """
    if rng is None:
        raise OptionError(
            f"{title}: draws in training, and has no generator.\n  Call it with Mode(training=True, rng=rng)."
        )
    whole, rest = np.uint16(p * 65536), p * 65536 % 1.0
    words = rng.integers(0, 2**64 - 1, -(-math.prod(shape) // 4), dtype=np.uint64, endpoint=True)
    quarters = words.astype("<u8", copy=False).view("<u2")  # four numbers of a word, in half the time
    bits = quarters[: math.prod(shape)].reshape(shape)
    happens = bits < whole
    undecided = np.flatnonzero(bits == whole)
    happens.flat[undecided] = rng.random(len(undecided)) < rest
    return happens
