"""Changed copies of a text to learn from: slips of the pen, and synonyms. Never for validation or test."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np

from noria.arrays import Array
from noria.data.characters import code_points
from noria.data.text import Text, read_text
from noria.data.words import segment
from noria.errors import DataError, OptionError
from noria.training.augmentation_options import AugmentationOptions

Thesaurus = Mapping[str, Sequence[str]]
"""The synonyms of each word, in lower case."""
Encode: TypeAlias = Callable[[str], Array]
"""From a text to ids, 0 for what is not known."""
LOOKED_AT = 1 << 20
"""Characters of the training part in which words with synonyms are counted, at most."""

SUBSTITUTE, INSERT, DELETE, SWAP = range(4)


class _Synonyms(dict[str, tuple[str, ...]]):
    """What may stand in the place of a piece of text, with its capitals and the space around it."""

    def __init__(self, thesaurus: Thesaurus, encode: Encode | None) -> None:
        super().__init__()
        self._thesaurus, self._encode = thesaurus, encode

    def __missing__(self, piece: str) -> tuple[str, ...]:
        word = piece.strip()
        others = [piece.replace(word, _cased(other, word)) for other in self._thesaurus.get(word.lower(), ())]
        self[piece] = tuple(other for other in others if self._encode is None or self._encode(other).all())
        return self[piece]


def with_character_noise(
    text: str, rate: float, rng: np.random.Generator, alphabet: str | None = None
) -> str:
    r"""Give a copy of a text in which about a share `rate` of the characters is changed.

    A character that is drawn is, with equal chances, replaced by another of the text, followed by another,
    dropped, or swapped with the next one. Ends of lines stay.

    Parameters
    ----------
    text : str
    rate : float
        In [0, 1).
    rng : numpy.random.Generator
    alphabet : str, optional
        What new characters are drawn from, each as often as it stands there; left out, the text itself.

    Raises
    ------
    OptionError
        If `rate` is out of range.
    """
    _in_range("rate", rate)
    if not text or not rate:
        return text
    codes = code_points(text).astype(np.uint32)
    pool = code_points(alphabet) if alphabet else codes
    pool = pool[pool != ord("\n")]
    if not len(pool):
        return text
    kind = np.where(rng.random(len(codes)) < rate, rng.integers(0, 4, len(codes)), -1)
    kind[codes == ord("\n")] = -1
    new = pool[rng.integers(0, len(pool), len(codes))]
    swapped = np.flatnonzero(kind[:-1] == SWAP)
    swapped = swapped[(kind[swapped + 1] == -1) & (codes[swapped + 1] != ord("\n"))]
    codes[swapped], codes[swapped + 1] = codes[swapped + 1], codes[swapped]
    codes = np.where(kind == SUBSTITUTE, new, codes)
    times = np.where(kind == DELETE, 0, np.where(kind == INSERT, 2, 1))
    out = np.repeat(codes, times)
    behind = np.cumsum(times)[kind == INSERT] - 1  # the second of the two
    out[behind] = new[kind == INSERT]
    changed: str = out.astype("<u4").tobytes().decode("utf-32-le")
    return changed


def with_synonyms(
    text: str, thesaurus: Thesaurus, rate: float, rng: np.random.Generator, encode: Encode | None = None
) -> str:
    """Give a copy of a text in which a share `rate` of the words that have synonyms is one of these.

    A capital at the beginning, or capitals throughout, are kept.

    Parameters
    ----------
    text : str
    thesaurus : mapping
        As :func:`read_thesaurus` gives it.
    rate : float
        In [0, 1].
    rng : numpy.random.Generator
    encode : callable, optional
        Of the vocabulary that the text is for: synonyms that it does not know are none.

    Raises
    ------
    OptionError
        If `rate` is out of range.
    """
    _in_range("synonym_rate", rate, closed=True)
    return _replaced(text, _Synonyms(thesaurus, encode), rate, rng)


def _replaced(text: str, synonyms: _Synonyms, rate: float, rng: np.random.Generator) -> str:
    changed: list[str] = []
    for pieces in segment(text):
        has = [place for place, piece in enumerate(pieces) if synonyms[piece]]
        chosen = np.flatnonzero(rng.random(len(has)) < rate)
        draws = rng.random(len(chosen))
        for index, draw in zip(chosen, draws, strict=True):
            others = synonyms[pieces[has[index]]]
            pieces[has[index]] = others[int(draw * len(others))]
        changed += pieces
    return "".join(changed)


def read_thesaurus(path: str | os.PathLike[str]) -> dict[str, tuple[str, ...]]:
    """Read groups of synonyms: one on each line, with commas, semicolons or tabs between, # before a remark.

    Raises
    ------
    DataError
        If a line has fewer than two words, or the file cannot be read.
    """
    return _groups(read_text(Path(path)))


def _groups(text: Text) -> dict[str, tuple[str, ...]]:
    groups: dict[str, dict[str, None]] = {}
    lines = [line for line in text.text.split("\n") if line.strip()]
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            continue
        words = [word.strip().lower() for word in re.split(r"[,;\t]", line) if word.strip()]
        if len(set(words)) < 2:
            raise DataError(
                f"{text.source}, group {number}: expected two synonyms or more, got {line!r}.\n"
                "  Each line is a group of words that mean the same, with commas between."
            )
        for word in words:
            groups.setdefault(word, {}).update(dict.fromkeys(other for other in words if other != word))
    if not groups:
        raise DataError(f"{text.source}: expected groups of synonyms, got none.")
    return {word: tuple(others) for word, others in groups.items()}


@dataclass(frozen=True)
class Augmentation:
    """All that is done to a text to learn from, as the options say.

    Attributes
    ----------
    character_noise, synonym_rate : float
    thesaurus : mapping or None
    encode : callable or None
        Of the vocabulary; without it every synonym is known.
    notes : tuple of str
        What was done to the thesaurus to read it.
    """

    character_noise: float = 0.0
    synonym_rate: float = 0.0
    thesaurus: Thesaurus | None = None
    encode: Encode | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of_options(cls, options: AugmentationOptions, encode: Encode | None = None) -> "Augmentation | None":
        """Read the thesaurus, if there is one; None where nothing is to be done."""
        if not options.character_noise and not options.synonym_rate:
            return None
        if not options.thesaurus:
            return cls(options.character_noise)
        text = read_text(Path(options.thesaurus))
        notes = tuple(f"thesaurus: {note}" for note in text.notes)
        return cls(options.character_noise, options.synonym_rate, _groups(text), encode, notes)

    def described(self, text: str) -> tuple[str, ...]:
        """Say how the thesaurus was read, and how many words of a text to learn from have a synonym in it."""
        if self.thesaurus is None:
            return ()
        words = [piece for pieces in segment(text) for piece in pieces if any(map(str.isalnum, piece))]
        found = sum(bool(self._synonyms[word]) for word in words)
        said = f"{found:,} of {len(words):,}" if found else f"none of {len(words):,}"
        return (*self.notes, f"thesaurus: {said} words to learn from have a synonym that is known")

    @cached_property
    def _synonyms(self) -> _Synonyms:
        """What has been looked up is kept: texts come one by one, and the same words in all of them."""
        return _Synonyms(self.thesaurus or {}, self.encode)

    def __call__(self, text: str, rng: np.random.Generator) -> str:
        """Give a changed copy: synonyms first, then slips of the pen."""
        if self.thesaurus is not None:
            text = _replaced(text, self._synonyms, self.synonym_rate, rng)
        return with_character_noise(text, self.character_noise, rng)


def _cased(word: str, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if like[:1].isupper() else word


def _in_range(name: str, rate: float, *, closed: bool = False) -> None:
    if not (0 <= rate < 1 or (closed and rate == 1)):
        interval = "[0, 1]" if closed else "[0, 1)"
        raise OptionError(f"The {name!r} option of augmentation must be a float in {interval}. Got {rate!r}.")
