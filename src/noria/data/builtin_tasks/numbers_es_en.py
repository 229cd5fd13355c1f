"""Numbers in words, Spanish to English: ``treinta y dos`` is ``thirty-two``.

A small language of its own, with an exact answer: words in another order, joined words (``veintiuno``),
agreement (``quinientos mil``) and a comma. All numbers below a million, as many of six digits as of one.
"""

import numpy as np

from noria.data.builtin_tasks.disjoint import disjoint_parts
from noria.data.builtin_tasks.parts import BuiltinParts

DIGITS = 6
COUNTS = 20_000, 1_000, 2_000


def numbers_es_en(seed: int) -> BuiltinParts:
    """Make pairs of Spanish and English number words; no number stands in two parts.

    Every number of few digits is in the training part, so that those of the other parts are long ones.
    """
    from num2words import num2words

    def written(numbers: list[int]) -> tuple[list[str], list[str]]:
        spanish, english = ([num2words(number, lang=lang) for number in numbers] for lang in ("es", "en"))
        return spanish, english

    train, validation, test = disjoint_parts(seed, _draw, COUNTS)
    source = "numbers in words, Spanish to English"
    return BuiltinParts(written(train), source, written(validation), written(test))


def _draw(rng: np.random.Generator, count: int) -> list[int]:
    digits = rng.integers(1, DIGITS + 1, count)
    return [int(number) for number in rng.integers(10 ** (digits - 1) * (digits > 1), 10**digits)]
