"""A vocabulary of words, punctuation and white space, the most frequent first."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, ClassVar, Self

import numpy as np

from noria.arrays import Array, Int
from noria.data.counted_vocabulary import CountedVocabulary
from noria.data.spelling import Spelling
from noria.data.vocabulary import REPLACEMENT, special_symbols
from noria.data.words import segment
from noria.errors import RunError


@dataclass(frozen=True)
class WordVocabulary(CountedVocabulary):
    """Words as :func:`~noria.data.words.segment` cuts them, behind ``<unk>`` and ``<end>``.

    Attributes
    ----------
    words : tuple of str
        Every known piece once: the most frequent first, of equally frequent ones by code point.
    has_end : bool
    spelling : Spelling
        Of every different word of the text that the vocabulary was made from.
    """

    kind: ClassVar[str] = "words"

    words: tuple[str, ...]
    has_end: bool = False
    spelling: Spelling = field(default_factory=lambda: Spelling({}), compare=False)

    @classmethod
    def _cut(cls, text: str) -> Iterable[list[str]]:
        return segment(text)

    @classmethod
    def _of_kept(cls, kept: list[str], counts: Mapping[str, int], end: bool) -> Self:
        return cls(tuple(kept), end, Spelling.of_words(counts))

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol in the order of its number, special ones by their names."""
        return (*special_symbols(self.has_end), *self.words)

    def __len__(self) -> int:
        return self.first_id + len(self.words)

    def encode(self, text: str) -> Int[Array, " N"]:
        """Give the id of every word; those not known become ``<unk>``, id 0."""
        find, zero = self._ids.get, 0
        parts = [
            np.fromiter((find(word, zero) for word in pieces), dtype=np.int32, count=len(pieces))
            for pieces in segment(text)
        ]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)

    def pieces(self, ids: Iterable[int]) -> Iterator[str]:
        """Give the word of every id."""
        shown = (REPLACEMENT, "") if self.has_end else (REPLACEMENT,)
        return (self.words[symbol - len(shown)] if symbol >= len(shown) else shown[symbol] for symbol in ids)

    def unknown_counts(self, text: str) -> Counter[str]:
        """Give the words that are not known, and how often they occur."""
        counts = Counter(chain.from_iterable(segment(text)))
        return Counter({word: counts[word] for word in sorted(counts.keys() - self._ids.keys())})

    def to_dict(self) -> dict[str, Any]:
        """Give what is written down of it: the format, every symbol in order, and how to spell others."""
        return self._written(spelling=self.spelling.to_dict())

    @classmethod
    def _from_dict(cls, data: Mapping[str, Any], source: str) -> "WordVocabulary":
        words = tuple(data["symbols"][1 if data["end"] is None else 2 :])
        if len(set(words)) < len(words) or not all(isinstance(word, str) and word for word in words):
            raise RunError(f"{source}: is damaged: expected each word once.")
        return cls(words, data["end"] is not None, Spelling.from_dict(data.get("spelling", {}), source))

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: symbol for symbol, word in enumerate(self.words, self.first_id)}
