"""In which order did two signals come, far apart in a sequence of distractors.

References
----------
Hochreiter & Schmidhuber 1997, Long short-term memory, experiment 6a.
"""

import numpy as np

from noria.data.builtin_tasks.parts import BuiltinParts, PartName, drawing
from noria.data.builtin_tasks.strings import drawn_strings

DISTRACTORS, SIGNALS, BEGIN, END = "abcd", "XY", "E", "B"
TRAIN, VALIDATION, TEST = 10_000, 1_000, 10_000


def temporal_order(seed: int, length: int) -> BuiltinParts:
    """Make strings of `length` to 11/10 of it; the label is the two signals in their order, one of four.

    The first signal, X or Y, stands between one and two tenths of `length`, the second between five and six
    tenths. A string begins with E, ends with B, and everything else is drawn from a, b, c and d: two parts
    share a string with a chance below 1e-6 where there are twenty symbols, and never in practice where there
    are more.
    """
    train, validation, test = (
        _drawn(seed, "train", TRAIN, length),
        _drawn(seed, "validation", VALIDATION, length),
        _drawn(seed, "test", TEST, length),
    )
    source = f"temporal order: two signals among {length} to {length + length // 10} symbols"
    return BuiltinParts(train, source, validation, test)


def _drawn(seed: int, part: PartName, count: int, length: int) -> tuple[list[str], list[str]]:
    rng = drawing(seed, part)
    noise = drawn_strings(rng, DISTRACTORS, rng.integers(length, length + length // 10 + 1, count) - 2)
    tenth = length // 10
    first, second = rng.integers(tenth, 2 * tenth, count), rng.integers(5 * tenth, 6 * tenth, count)
    labels = drawn_strings(rng, SIGNALS, np.full(count, 2))
    strings = []
    for middle, one, two, label in zip(noise, first.tolist(), second.tolist(), labels, strict=True):
        string = f"{BEGIN}{middle}{END}"
        strings.append(string[:one] + label[0] + string[one + 1 : two] + label[1] + string[two + 1 :])
    return strings, labels
