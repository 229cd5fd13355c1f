"""Well-nested brackets of two kinds, up to a depth: what was opened last is closed first."""

import numpy as np

from noria.data.builtin_tasks.disjoint import disjoint_parts
from noria.data.builtin_tasks.parts import BuiltinParts, Determined

PAIRS = {"(": ")", "[": "]"}
OPENING, ENDING = 0.5, 0.25  # chance to open one more inside, and to end where everything is closed
COUNTS = 4_000, 500, 2_000
COMMON = 8  # symbols up to which words are too few to be new


def dyck(seed: int, depth: int) -> BuiltinParts:
    """Make words of brackets nested at most `depth` deep.

    At the depth, what comes next is certain: the bracket that closes the last one. Elsewhere inside, one more
    opens with a chance of one half; a word whose brackets are all closed ends with a chance of one quarter.
    Words of more than eight symbols stand in one part only.
    """

    def draw(rng: np.random.Generator, count: int) -> list[str]:
        return [_word(rng, depth) for _ in range(count)]

    def is_common(word: str) -> bool:
        return len(word) <= COMMON or depth == 1

    train, validation, test = disjoint_parts(seed, draw, COUNTS, is_common)
    source = f"brackets of two kinds, nested to depth {depth}"
    return BuiltinParts(train, source, validation, test, determined=at_depth(depth))


def at_depth(depth: int) -> Determined:
    """Give what says of each prediction on a word whether `depth` brackets are open before it."""

    def determined(word: str) -> list[bool]:
        steps = [1 if symbol in PAIRS else -1 for symbol in word]
        return [int(level) == depth for level in np.cumsum([0, *steps])]

    return determined


def _word(rng: np.random.Generator, depth: int) -> str:
    word, waiting = "", ""  # what has been written, and what closes it, the last first
    while waiting or not word or rng.random() >= ENDING:
        if not waiting or (len(waiting) < depth and rng.random() < OPENING):
            opened = "(["[rng.integers(2)]
            word, waiting = word + opened, PAIRS[opened] + waiting
        else:
            word, waiting = word + waiting[0], waiting[1:]
    return word
