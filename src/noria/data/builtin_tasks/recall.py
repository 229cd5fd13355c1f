"""Which symbol came first: everything behind it is noise from the same alphabet, to be passed over.

The test of whether a gradient reaches back over the gap (Bengio, Simard & Frasconi 1994).
"""

import numpy as np

from noria.data.builtin_tasks.disjoint import disjoint_parts
from noria.data.builtin_tasks.parts import BuiltinParts
from noria.data.builtin_tasks.strings import drawn_strings

ALPHABET = "abcdefgh"
COUNTS = 10_000, 1_000, 10_000
ENOUGH = 6  # gap from which there are enough strings for none to stand in two parts


def recall(seed: int, gap: int) -> BuiltinParts:
    """Make strings of 1 + `gap` letters, labelled with the first one; chance is one in eight.

    No string stands in two parts, unless the gap is so short that there are too few.
    """

    def draw(rng: np.random.Generator, count: int) -> list[str]:
        return drawn_strings(rng, ALPHABET, np.full(count, 1 + gap))

    parts = disjoint_parts(seed, draw, COUNTS, lambda string: gap < ENOUGH)
    train, validation, test = ((strings, [string[0] for string in strings]) for strings in parts)
    source = f"recall: the first of {len(ALPHABET)} letters over a gap of {gap}"
    return BuiltinParts(train, source, validation, test)
