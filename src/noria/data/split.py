"""Cutting data into training, validation and test: a text in order, sequences by a seeded shuffle."""

from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Int
from noria.errors import DataError, OptionError

VALIDATION, TEST = 0.05, 0.05
REACH = 1000  # characters within which a cut looks for the end of a line, or of a word


@dataclass(frozen=True)
class TextSplit:
    """The three parts of one text, in its order: what is tested on comes after what was learnt from."""

    train: str
    validation: str
    test: str


@dataclass(frozen=True)
class SequenceSplit:
    """The indices of the sequences in each part, shuffled."""

    train: Int[Array, " train"]
    validation: Int[Array, " validation"]
    test: Int[Array, " test"]


def split_text(
    text: str, validation: float = VALIDATION, test: float = TEST, *, between_words: bool = False
) -> TextSplit:
    """Cut ``text`` in order: the first part to train on, then validation, then test.

    Parameters
    ----------
    validation, test : float
        Shares of the characters; the rest is for training. A share of 0 leaves its part empty, any other one
        gives it at least one character.
    between_words : bool, default False
        Whether a cut moves on to the next line, or else to the next word, if there is one within a thousand
        characters.
    """
    first, second = cut_places(len(text), validation, test, "characters")
    if between_words:
        first, second = _between_words(text, first, second)
    return TextSplit(text[:first], text[first:second], text[second:])


def split_sequences(
    count: int, rng: np.random.Generator, validation: float = VALIDATION, test: float = TEST
) -> SequenceSplit:
    """Deal ``count`` sequences out to the three parts by a permutation drawn from ``rng``."""
    first, second = cut_places(count, validation, test, "sequences")
    order = rng.permutation(count)
    return SequenceSplit(order[:first], order[first:second], order[second:])


def _between_words(text: str, first: int, second: int) -> tuple[int, int]:
    moved = [_next_word(text, cut) for cut in (first, second)]
    nothing_between = first == second
    second = moved[1] if second < moved[1] < len(text) else second
    if nothing_between:
        return second, second
    return moved[0] if first < moved[0] < second else first, second


def _next_word(text: str, cut: int) -> int:
    newline = text.find("\n", cut - 1, cut + REACH)
    return newline + 1 if newline >= 0 else text.find(" ", cut, cut + REACH)  # a space goes with what follows


def cut_places(
    count: int, validation: float = VALIDATION, test: float = TEST, unit: str = "characters"
) -> tuple[int, int]:
    """Say where validation begins and where test begins, of `count` things in their order."""
    if not (validation >= 0 and test >= 0 and validation + test < 1):
        raise OptionError(
            "split: expected shares of at least 0 that leave something to train on, "
            f"got validation {validation} and test {test}."
        )
    needed = 1 + (validation > 0) + (test > 0)
    if count < needed:
        raise DataError(
            f"split: expected at least {needed} {unit}, got {count}.\n"
            "  One part is trained on, one chooses the best weights, one is tested on: give more data."
        )
    chosen = max(1, round(count * validation)) if validation else 0
    tested = max(1, round(count * test)) if test else 0
    while chosen + tested > count - 1:  # shares near 1 of a handful
        chosen, tested = (chosen - 1, tested) if chosen >= tested else (chosen, tested - 1)
    return count - chosen - tested, count - tested
