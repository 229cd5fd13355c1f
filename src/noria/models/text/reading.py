"""What a model reads in one go and is scored on: ids, the first of which only lead up to what is scored."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from noria.arrays import Array, Bool, Float, Int

MEMORY = 100  # symbols that are read on the way into a part, so that the state has settled there
LONG, EACH = 200_000, 100_000


@dataclass(frozen=True, eq=False)
class Reading:
    """Ids in their order.

    Attributes
    ----------
    ids : integer array of shape (N,)
    lead : int, default 1
        How many ids at the beginning are read and not scored; at least one, since nothing is predicted
        without a symbol before it. All others are predicted, each once.
    certain : boolean array, optional
        Of each prediction, whether what comes is certain to whoever knows the language; of separate sequences
        where that is known.
    begins : array of shape (F,), optional
        What is known of a separate sequence as a whole, which the model begins it with.
    """

    ids: Int[Array, " N"]
    lead: int = 1
    certain: Bool[Array, " P"] | None = None
    begins: Float[Array, " F"] | None = None

    @property
    def predictions(self) -> int:
        """How many symbols are scored."""
        return len(self.ids) - self.lead


def beginnings(readings: Sequence[Reading]) -> Array | None:
    """Give what readings begin with, (B, F); None where nothing is known of them."""
    known = [reading.begins for reading in readings if reading.begins is not None]
    return np.stack(known) if known else None


def beginning(reading: Reading, share: float) -> Reading:
    """Give the beginning of a reading, in which this share of it is scored or a little more."""
    return Reading(reading.ids[: reading.lead + math.ceil(share * reading.predictions)], reading.lead)


def side_by_side(reading: Reading, count: int) -> list[Reading]:
    """Cut a reading into at most `count` that can be read in parallel and are scored on the same symbols.

    Each starts from the initial state and is led up to its own symbols by the hundred before them.
    """
    count = max(1, min(count, reading.predictions // (4 * MEMORY)))  # what is read twice is the smaller part
    cuts = [reading.lead + reading.predictions * part // count for part in range(count + 1)]
    pieces = [Reading(reading.ids[: cuts[1]], reading.lead)]
    for begin, end in pairwise(cuts[1:]):
        pieces.append(Reading(reading.ids[begin - MEMORY : end], MEMORY))
    return pieces


def long_reading(reading: Reading) -> list[Reading]:
    """Leave a reading as it is, unless it is so long that one symbol after the other takes minutes.

    More than 200,000 symbols are read in several places at once, 100,000 and more in each.
    """
    return (
        side_by_side(reading, max(1, reading.predictions // EACH))
        if reading.predictions > LONG
        else [reading]
    )
