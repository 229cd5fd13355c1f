"""What the look of a word tells, even of one never seen before: capitals, digits, signs, its ending."""

import unicodedata
from collections.abc import Sequence

import numpy as np

from noria.arrays import Array, Float

ENDINGS = ("s", "ed", "ing", "ly", "er", "est", "ion", "al", "ive", "ous", "able", "ment", "ness", "ity")
"""Endings that tell English words apart; other languages have their characters read for that."""

QUESTIONS = (
    "begins with a capital",
    "capitals throughout",
    "a capital further on",
    "a digit",
    "digits throughout, but for signs",
    "a hyphen",
    "an apostrophe",
    "a full stop",
    "no letter and no digit",
    "letters beyond ASCII",
)
"""What is asked, in this order; each answer is 1 or 0. Behind them stand the endings, and the length."""

LONGEST = 20

SHAPE_SIZE = len(QUESTIONS) + len(ENDINGS) + 1


def word_shapes(words: Sequence[str]) -> Float[Array, "U S"]:
    """Give the shape of each word as a row of `SHAPE_SIZE` numbers in [0, 1].

    Parameters
    ----------
    words : sequence of str

    Returns
    -------
    array of shape (U, S)
        The answers to `QUESTIONS`, whether the word ends in each of `ENDINGS`, and its length as a share of
        `LONGEST` characters, at most 1.
    """
    return np.array([_shape(word) for word in words], dtype=np.float32).reshape(len(words), SHAPE_SIZE)


def _shape(word: str) -> tuple[float, ...]:
    letters = [sign for sign in word if sign.isalpha()]
    digits = [sign for sign in word if sign.isdigit()]
    lower = word.lower()
    answers = (
        word[:1].isupper() or word[:1].istitle(),
        len(letters) > 1 and all(sign.isupper() for sign in letters),
        any(sign.isupper() for sign in word[1:]),
        bool(digits),
        bool(digits) and not letters,
        any(unicodedata.category(sign) == "Pd" for sign in word[1:]),
        any(sign in "'’" for sign in word),
        "." in word,
        not letters and not digits,
        any(sign > "\x7f" for sign in letters),
    )
    endings = (lower.endswith(ending) and len(lower) > len(ending) + 1 for ending in ENDINGS)
    return (*map(float, answers), *map(float, endings), min(len(word), LONGEST) / LONGEST)
