"""Strings to be written anew: in reverse, in order, or no more than what matters of them.

References
----------
Reversing: Sutskever, Vinyals & Le 2014 found that the order in which a source is read decides how well it is
translated; a decoder with attention reads it in whatever order it wants (Bahdanau et al. 2015).
"""

from collections.abc import Callable
from string import ascii_lowercase

import numpy as np

from noria.data.builtin_tasks.disjoint import disjoint_parts
from noria.data.builtin_tasks.parts import BuiltinParts
from noria.data.builtin_tasks.strings import drawn_strings

COUNTS = 20_000, 1_000, 2_000
SHORTEST, LONGEST = 1, 20
FEW = 3
"""Strings up to this length are so few that they may stand in two parts."""

PICKED = 5
IMPORTANCE = "qhvlzobmexkgatufpsdwyjcnri"
"""The letters, the most important first."""


def reverse(seed: int) -> BuiltinParts:
    """Make strings of 1 to 20 letters, to be written backwards; longer ones than three stand in one part."""
    return _parts(seed, "letters in reverse", _any_length, lambda letters: letters[::-1])


def sort(seed: int) -> BuiltinParts:
    """Make strings of 1 to 20 letters, to be written in the order of the alphabet."""
    return _parts(seed, "letters in order", _any_length, lambda letters: "".join(sorted(letters)))


def pick(seed: int) -> BuiltinParts:
    """Make strings of 20 different letters, of which the five most important are to be written.

    Which letters are important is nowhere said; it is to be found out from the answers.
    """
    return _parts(seed, f"the {PICKED} most important of {LONGEST} letters", _different, picked)


def picked(letters: str) -> str:
    """Give the most important letters, in the order in which they stand."""
    chosen = sorted(letters, key=IMPORTANCE.index)[:PICKED]
    return "".join(letter for letter in letters if letter in chosen)


def _parts(
    seed: int,
    source: str,
    draw: Callable[[np.random.Generator, int], list[str]],
    answer: Callable[[str], str],
) -> BuiltinParts:
    parts = disjoint_parts(seed, draw, COUNTS, is_common=lambda letters: len(letters) <= FEW)
    train, validation, test = ((part, [answer(letters) for letters in part]) for part in parts)
    return BuiltinParts(train, source, validation, test)


def _any_length(rng: np.random.Generator, count: int) -> list[str]:
    return drawn_strings(rng, ascii_lowercase, rng.integers(SHORTEST, LONGEST + 1, count))


def _different(rng: np.random.Generator, count: int) -> list[str]:
    letters = np.array(list(ascii_lowercase))
    orders = rng.permuted(np.tile(np.arange(len(letters)), (count, 1)), axis=1)[:, :LONGEST]
    return ["".join(row) for row in letters[orders]]
