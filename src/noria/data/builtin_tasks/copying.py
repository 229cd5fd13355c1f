"""The copying problem: ten symbols, a gap of blanks, and then the ten symbols once more.

References
----------
Hochreiter & Schmidhuber 1997; in the form of Arjovsky, Shah & Bengio 2016, Unitary evolution recurrent neural
networks, section 5.1. Who remembers nothing has a mean loss of ``10 log 8 / (gap + 20)`` nats.
"""

import numpy as np

from noria.data.builtin_tasks.disjoint import disjoint_parts
from noria.data.builtin_tasks.parts import BuiltinParts
from noria.data.builtin_tasks.strings import drawn_strings

ALPHABET, BLANK, WRITE = "abcdefgh", "_", ":"
SYMBOLS = 10
COUNTS = 10_000, 1_000, 2_000


def copying(seed: int, gap: int) -> BuiltinParts:
    """Make token lists of 20 + `gap` tokens, each with a tag.

    Ten letters, `gap` blanks, and ten times the sign to write; the tags are blanks until the sign comes, and
    then the letters in their order. No ten letters stand in two parts.
    """
    train, validation, test = (
        (
            [list(letters + BLANK * gap + WRITE * SYMBOLS) for letters in part],
            [list(BLANK * (SYMBOLS + gap) + letters) for letters in part],
        )
        for part in disjoint_parts(seed, _draw, COUNTS)
    )
    return BuiltinParts(train, f"copying: {SYMBOLS} symbols over a gap of {gap}", validation, test)


def _draw(rng: np.random.Generator, count: int) -> list[str]:
    return drawn_strings(rng, ALPHABET, np.full(count, SYMBOLS))
