"""A vocabulary of characters, in the order of their code points."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from noria.arrays import Array, Int, Integer
from noria.data.counted_vocabulary import CountedVocabulary
from noria.data.spelling import Spelling
from noria.data.vocabulary import REPLACEMENT, special_symbols
from noria.errors import DataError

_CHUNK = 1 << 20  # characters looked at together, so that a big text is never in memory as code points
_NOTHING = Spelling({}, 1, ends=False)


@dataclass(frozen=True)
class CharacterVocabulary(CountedVocabulary):
    """Characters by code point, behind ``<unk>`` and ``<end>``.

    Attributes
    ----------
    characters : str
        Every known character once, sorted by code point.
    has_end : bool
    spelling : Spelling
        Of the characters that were left out; without any, uniform over all characters of Unicode.
    """

    kind: ClassVar[str] = "characters"

    characters: str
    has_end: bool = False
    spelling: Spelling = field(default=_NOTHING, compare=False)

    def __post_init__(self) -> None:
        if list(self.characters) != sorted(set(self.characters)):
            raise DataError("vocabulary: expected each character once, sorted by code point.")

    @classmethod
    def _cut(cls, text: str) -> Iterable[str]:
        return (text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK))

    @classmethod
    def _of_kept(cls, kept: list[str], counts: Mapping[str, int], end: bool) -> Self:
        return cls("".join(sorted(kept)), end, Spelling.of_characters(counts.keys() - set(kept)))

    def __len__(self) -> int:
        return self.first_id + len(self.characters)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol in the order of its number, special ones by their names."""
        return (*special_symbols(self.has_end), *self.characters)

    def encode(self, text: str) -> Int[Array, " N"]:
        """Give the id of every character; those not known become ``<unk>``, id 0."""
        ids = np.empty(len(text), dtype=np.int32)
        for start in range(0, len(text), _CHUNK):
            codes = code_points(text[start : start + _CHUNK])
            ids[start : start + _CHUNK] = self.ids_of_codes(codes)
        return ids

    def ids_of_codes(self, codes: Integer[Array, " N"]) -> Int[Array, " N"]:
        """Give the id of every code point, as :meth:`encode` does of characters."""
        return np.asarray(self._table[np.minimum(codes, len(self._table) - 1)])

    def decode(self, ids: Iterable[int] | Int[Array, " N"]) -> str:
        """Give the characters of ``ids``; ``<unk>`` shows as U+FFFD and ``<end>`` as nothing.

        Raises
        ------
        DataError
            If an id is outside ``[0, len(self))``.
        """
        numbers = self.checked(ids)
        special = np.full(self.first_id, ord(REPLACEMENT), dtype=np.uint32)
        codes = np.concatenate([special, self._codes])[numbers]
        if self.has_end:
            codes = codes[numbers != 1]
        text: str = codes.astype("<u4").tobytes().decode("utf-32-le")
        return text

    def pieces(self, ids: Iterable[int]) -> Iterator[str]:
        """Give the character of every id."""
        return (self.decode([symbol]) for symbol in ids)

    def unknown_counts(self, text: str) -> Counter[str]:
        """Give the characters that are not known, and how often they occur."""
        unknown = set(text).difference(self.characters)
        return Counter({character: text.count(character) for character in sorted(unknown)})

    def to_dict(self) -> dict[str, Any]:
        """Give what is written down of it: the format, and every symbol in order."""
        return self._written(**({"spelling": self.spelling.to_dict()} if self.spelling.counts else {}))

    @classmethod
    def _from_dict(cls, data: Mapping[str, Any], source: str) -> "CharacterVocabulary":
        characters = data["symbols"][1 if data["end"] is None else 2 :]
        spelling = Spelling.from_dict(data["spelling"], source) if "spelling" in data else _NOTHING
        return cls("".join(characters), data["end"] is not None, spelling)

    @cached_property
    def _codes(self) -> Array:
        return code_points(self.characters)

    @cached_property
    def _table(self) -> Array:
        """Code point -> id; the last place stands for everything beyond."""
        table = np.zeros(int(self._codes[-1]) + 2 if len(self._codes) else 1, dtype=np.int32)
        table[self._codes] = np.arange(self.first_id, len(self), dtype=np.int32)
        return table


def code_points(text: str) -> Array:
    """Give the code point of every character, as unsigned integers of four bytes."""
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
