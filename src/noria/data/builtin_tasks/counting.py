"""Languages that are written by counting: a^n b^n and a^n b^n c^n.

Of each sequence the symbols behind the first ``b`` are certain, the end included: a network that has counted
knows them all. The numbers that are trained on follow a geometric law cut off at the largest: how many ``a``
there were hardly tells whether one more comes, and counting is all there is to learn. The test part goes on
to twenty times the largest.

References
----------
Gers & Schmidhuber 2001, LSTM recurrent networks learn simple context-free and context-sensitive languages.
"""

from collections.abc import Iterable
from typing import SupportsInt

import numpy as np

from noria.data.builtin_tasks.parts import BuiltinParts, drawing

DRAWN = 20  # training sequences for each n, on average
FALL = 1.5  # how much less likely the largest n is than the smallest: exp(-1.5), about a fifth
CHOOSING, TESTING = 2, 20  # the largest n of the validation and the test part, in multiples of the training's
SMALL, SMALL_N = 100, 11


def anbn(seed: int, n: int) -> BuiltinParts:
    """Make a^n b^n.

    The training part is ``20 n`` sequences with numbers drawn from 1 to `n`, small ones more often. The
    validation part has each number up to ``2 n`` once, and the test part up to ``20 n``, in order.
    """
    return _counted("ab", seed, n)


def anbncn(seed: int, n: int) -> BuiltinParts:
    """Make a^n b^n c^n, with the parts of :func:`anbn`."""
    return _counted("abc", seed, n)


def anbn_small(seed: int) -> BuiltinParts:
    """Make 100 sequences a^n b^n with n drawn evenly from 1 to 11: 80 to train on, 10 and 10 held out.

    The test part is a draw, as the others are; ``"every n"`` holds the eleven sequences there are.
    """
    drawn = drawing(seed, "train").integers(1, SMALL_N + 1, SMALL)
    sequences = _written("ab", drawn)
    return BuiltinParts(
        sequences[:80],
        f"a^n b^n: {SMALL} sequences, n from 1 to {SMALL_N}",
        sequences[80:90],
        sequences[90:],
        extra={"every n": _written("ab", range(1, SMALL_N + 1))},
        determined=behind_first_b,
    )


def behind_first_b(sequence: str) -> list[bool]:
    """Say for each symbol of a sequence, and for its end, whether a ``b`` stands before it."""
    place = sequence.find("b")
    first = len(sequence) if place < 0 else place
    return [index > first for index in range(len(sequence) + 1)]


def _counted(symbols: str, seed: int, n: int) -> BuiltinParts:
    numbers = np.arange(1, n + 1)
    shares = np.exp(-FALL * numbers / n)
    train = drawing(seed, "train").choice(numbers, DRAWN * n, p=shares / shares.sum())
    title = " ".join(f"{symbol}^n" for symbol in symbols)
    return BuiltinParts(
        _written(symbols, train),
        f"{title}: n from 1 to {n}, validation to {CHOOSING * n}, test to {TESTING * n}",
        _written(symbols, range(1, CHOOSING * n + 1)),
        _written(symbols, range(1, TESTING * n + 1)),
        determined=behind_first_b,
    )


def _written(symbols: str, numbers: Iterable[SupportsInt]) -> list[str]:
    return ["".join(symbol * int(number) for symbol in symbols) for number in numbers]
