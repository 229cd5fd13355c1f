"""How well a network knows what is certain: in some languages there is only one way to go on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Bool, Int
from noria.models.text.reading import Reading


@dataclass(frozen=True)
class Certain:
    """What predictions whose answer is certain came to.

    Attributes
    ----------
    count, correct : int
        Such predictions, and those of them whose likeliest symbol was the right one.
    sequences, right : int
        Sequences, and those of them in which all of these predictions were correct.
    reach : int
        The greatest length, the end not counted, up to which every sequence was right.
    """

    count: int
    correct: int
    sequences: int
    right: int
    reach: int

    def figures(self) -> dict[str, float]:
        """Give ``certain_accuracy``, the share of ``sequences_right``, and ``right_to_length``."""
        return {
            "certain_accuracy": self.correct / max(self.count, 1),
            "sequences_right": self.right / self.sequences,
            "right_to_length": self.reach,
        }


class CertainTally:
    """Adds up predictions on readings, in whatever order they come.

    Parameters
    ----------
    readings : sequence of Reading
        Each says what is certain of it.
    """

    def __init__(self, readings: Sequence[Reading]) -> None:
        flags = [reading.certain for reading in readings if reading.certain is not None]
        self._certain: Bool[Array, " P"] = np.concatenate(flags)
        self._sizes = np.array([reading.predictions for reading in readings])
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._wrong = np.zeros(len(readings), dtype=np.int64)

    def add(self, reading: Int[Array, " R"], place: Int[Array, " R"], hits: Bool[Array, " R"]) -> None:
        """Take predictions in: on which reading, the how manieth of it from 0, and whether each was right."""
        missed = ~hits & self._certain[self._starts[reading] + place]
        np.add.at(self._wrong, reading[missed], 1)

    def result(self) -> Certain:
        """Give what they came to."""
        count, wrong = int(self._certain.sum()), self._wrong > 0
        lengths = self._sizes - 1
        reach = int(lengths[wrong].min()) - 1 if wrong.any() else int(lengths.max())
        return Certain(count, count - int(self._wrong.sum()), len(wrong), int((~wrong).sum()), reach)


def tally_of(readings: Sequence[Reading]) -> CertainTally | None:
    """Make a tally where all readings say what is certain of them."""
    return CertainTally(readings) if all(reading.certain is not None for reading in readings) else None
