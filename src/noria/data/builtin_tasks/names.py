"""Names in three invented languages, each written by a rule that can be read back from a name.

One to many: the language of a name is the condition with which a language model begins it, or the source from
which it is translated.
"""

import re
from dataclasses import dataclass

import numpy as np

from noria.data.builtin_tasks.disjoint import THREE, disjoint_parts
from noria.data.builtin_tasks.parts import BuiltinParts

COUNTS = 4_800, 600, 600


@dataclass(frozen=True)
class Language:
    """Two or three syllables, each a beginning and a vowel, and an ending of the language's own."""

    beginnings: tuple[str, ...]
    vowels: tuple[str, ...]
    endings: tuple[str, ...]

    def name(self, rng: np.random.Generator) -> str:
        """Draw a name: every choice as likely as any other."""
        syllables = int(rng.integers(2, 4))
        parts = [
            part for _ in range(syllables) for part in (_one(rng, self.beginnings), _one(rng, self.vowels))
        ]
        return "".join([*parts, _one(rng, self.endings)]).capitalize()

    def writes(self, name: str) -> bool:
        """Whether a name may be one of the language."""
        groups = ("|".join(choices) for choices in (self.beginnings, self.vowels, self.endings))
        beginning, vowel, ending = groups
        pattern = f"(?:(?:{beginning})(?:{vowel})){{2,3}}(?:{ending})"
        return name == name.capitalize() and re.fullmatch(pattern, name.lower()) is not None


LANGUAGES = {
    "hill": Language(
        ("b", "br", "d", "dr", "g", "gr", "k", "kr", "th"), ("a", "o", "u"), ("nd", "rg", "rk", "ld", "x")
    ),
    "lake": Language(
        ("l", "m", "n", "s", "v", "f", "r"), ("a", "e", "i", "ia", "io"), ("lle", "nna", "ra", "mi", "sse")
    ),
    "isle": Language(
        ("h", "k", "m", "n", "p", "t", "sh"), ("a", "i", "u", "e", "o"), ("ko", "shi", "tsu", "n", "ro")
    ),
}
SOURCE = f"names in {len(LANGUAGES)} invented languages"


def names(seed: int) -> BuiltinParts:
    """Make 6,000 names, each language as likely as any other; no name stands in two parts.

    The language is known before a name begins.
    """
    parts = _parts(seed)
    train, validation, test = (written for _, written in parts)
    known = ({"language": labels} for labels, _ in parts)
    return BuiltinParts(train, SOURCE, validation, test, conditions=dict(zip(THREE, known, strict=True)))


def labelled_names(seed: int) -> BuiltinParts:
    """Make the names of :func:`names` as targets, with the name of their language as the source."""
    train, validation, test = _parts(seed)
    return BuiltinParts(train, SOURCE, validation, test)


def languages_of(name: str) -> list[str]:
    """Give the languages that a name may be of."""
    return [label for label, language in LANGUAGES.items() if language.writes(name)]


def _parts(seed: int) -> list[tuple[list[str], list[str]]]:
    """Draw sources and targets of each part."""
    parts = disjoint_parts(seed, _draw, COUNTS)
    return [([label for label, _ in pairs], [name for _, name in pairs]) for pairs in parts]


def _draw(rng: np.random.Generator, count: int) -> list[tuple[str, str]]:
    labels = [list(LANGUAGES)[index] for index in rng.integers(0, len(LANGUAGES), count)]
    return [(label, LANGUAGES[label].name(rng)) for label in labels]


def _one(rng: np.random.Generator, choices: tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]
