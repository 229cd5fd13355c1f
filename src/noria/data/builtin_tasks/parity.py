"""Is the sum of the digits even or odd: one wrong step, and everything behind it is wrong."""

import numpy as np

from noria.data.builtin_tasks.disjoint import disjoint_parts
from noria.data.builtin_tasks.parts import BuiltinParts, drawing
from noria.data.builtin_tasks.strings import drawn_strings

DIGITS = "0123456789"
LABELS = ("even", "odd")
LONGEST, BEYOND = 10, 100
COUNTS = 20_000, 2_000, 10_000
COMMON = 3  # digits up to which strings are too few to be new: 1,110 of them


def parity(seed: int) -> BuiltinParts:
    """Make strings of 1 to 10 digits, each length as likely as any other, with the parity of their sum.

    No string of more than three digits stands in two parts; for that, strings of four are somewhat rarer in
    the later ones. ``"length 100"`` is a test part of strings ten
    times as long as any that is trained on.
    """
    train, validation, test = disjoint_parts(seed, _draw, COUNTS, lambda string: len(string) <= COMMON)
    beyond = drawn_strings(drawing(seed, "extra"), DIGITS, np.full(len(test), BEYOND))
    return BuiltinParts(
        _labelled(train),
        f"parity of a digit sum: 1 to {LONGEST} digits",
        _labelled(validation),
        _labelled(test),
        extra={f"length {BEYOND}": _labelled(beyond)},
    )


def _draw(rng: np.random.Generator, count: int) -> list[str]:
    return drawn_strings(rng, DIGITS, rng.integers(1, LONGEST + 1, count))


def _labelled(strings: list[str]) -> tuple[list[str], list[str]]:
    return strings, [LABELS[sum(map(int, string)) % 2] for string in strings]
