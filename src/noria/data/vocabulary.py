"""Symbols and their numbers: what a vocabulary of characters, words or subwords can do."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from noria.arrays import Array, Int
from noria.data.spelling import Spelling
from noria.errors import DataError, RunError

FORMAT = 1
UNKNOWN = "<unk>"
END = "<end>"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# Each kind has a file of its own, which is imported when a vocabulary of that kind is read.
_KINDS = {
    "characters": ("noria.data.characters", "CharacterVocabulary"),
    "words": ("noria.data.word_vocabulary", "WordVocabulary"),
    "subwords": ("noria.data.subwords", "SubwordVocabulary"),
}


class Vocabulary(ABC):
    """The symbols a model knows: ``<unk>``, ``<end>`` where sequences end, then those of the text.

    Whatever the kind, the symbols of a text put together are the text again, unknown ones apart; ``<unk>`` is
    number 0, ``<end>`` number 1 where there is one; and the order of the others is found again by any process
    from the same text.

    Attributes
    ----------
    kind : str
        ``"characters"``, ``"words"`` or ``"subwords"``.
    has_end : bool
        Whether there is an end symbol, as there is for separate sequences.
    spelling : Spelling
        What it costs to spell what is unknown.
    """

    kind: ClassVar[str]
    has_end: bool
    spelling: Spelling

    @property
    @abstractmethod
    def symbols(self) -> tuple[str, ...]:
        """Every symbol in the order of its number, special ones by their names."""

    @abstractmethod
    def encode(self, text: str) -> Int[Array, " N"]:
        """Give the ids of a text, int32; what is not known becomes ``<unk>``, id 0."""

    @abstractmethod
    def pieces(self, ids: Iterable[int]) -> Iterator[str]:
        """Give the text of ids one after the other, as they come; what is not yet a character waits."""

    @abstractmethod
    def unknown_counts(self, text: str) -> Counter[str]:
        """Give what of ``text`` becomes ``<unk>``, and how often."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Give what is written down of it: the format, the kind, every symbol in order."""

    @classmethod
    @abstractmethod
    def _from_dict(cls, data: Mapping[str, Any], source: str) -> "Vocabulary":
        """Read what :meth:`to_dict` gave, of the right kind and format."""

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def unknown_id(self) -> int:
        """The number of ``<unk>``: always 0."""
        return 0

    @property
    def end_id(self) -> int | None:
        """The number of ``<end>``, if there is one."""
        return 1 if self.has_end else None

    @property
    def first_id(self) -> int:
        """The number of the first symbol that is none of the special ones."""
        return 2 if self.has_end else 1

    @property
    def known(self) -> int:
        """How many symbols there are beside the special ones."""
        return len(self) - self.first_id

    @property
    def unit(self) -> str:
        """What one symbol is called: ``"character"``."""
        return self.kind.removesuffix("s")

    def decode(self, ids: Iterable[int] | Int[Array, " N"]) -> str:
        """Give the text of ``ids``; ``<unk>`` shows as U+FFFD and ``<end>`` as nothing.

        Raises
        ------
        DataError
            If an id is outside ``[0, len(self))``.
        """
        return "".join(self.pieces(self.checked(ids).tolist()))

    def checked(self, ids: Iterable[int] | Int[Array, " N"]) -> Int[Array, " N"]:
        """Give ids as an array.

        Raises
        ------
        DataError
            If one is outside ``[0, len(self))``.
        """
        numbers = np.asarray(ids if isinstance(ids, np.ndarray) else list(ids), dtype=np.int64)
        wrong = np.flatnonzero((numbers < 0) | (numbers >= len(self)))
        if len(wrong):
            first = wrong[0]
            raise DataError(f"vocabulary: expected ids in [0, {len(self)}), got {numbers[first]} at {first}.")
        return numbers

    def unknown_in(self, text: str) -> tuple[str, ...]:
        """Give what of ``text`` is not known, each once, sorted."""
        return tuple(sorted(self.unknown_counts(text)))

    def spelling_nats(self, text: str) -> float:
        """Give what spelling the unknown symbols of ``text`` costs, in nats."""
        return self.spelling.total_nats(self.unknown_counts(text))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str = "vocab.json") -> "Vocabulary":
        """Read what :meth:`to_dict` gave, whichever kind it is.

        Raises
        ------
        RunError
            If it is damaged, of a newer format, or not a vocabulary.
        """
        try:
            version, kind, symbols, end = (data[key] for key in ("format", "kind", "symbols", "end"))
        except KeyError as error:
            raise RunError(f"{source}: is not a vocabulary, it has no {error}.") from None
        if version != FORMAT or kind not in _KINDS:
            raise RunError(
                f"{source}: expected {', '.join(_KINDS)} in format {FORMAT}, got {kind!r} in format "
                f"{version!r}.\n  Read it with a newer Noria."
            )
        special = list(special_symbols(end is not None))
        if list(symbols[: len(special)]) != special:
            raise RunError(f"{source}: expected symbols that begin with {special}, got {symbols[:2]}.")
        module, name = _KINDS[kind]
        made: Vocabulary = getattr(import_module(module), name)._from_dict(data, source)
        return made

    def _written(self, **more: Any) -> dict[str, Any]:
        """Give what every kind writes down, and `more`."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "unknown": self.unknown_id,
            "end": self.end_id,
            "symbols": list(self.symbols),
            **more,
        }


def special_symbols(has_end: bool) -> tuple[str, ...]:
    """Name the symbols that stand before those of the text."""
    return (UNKNOWN, END) if has_end else (UNKNOWN,)


def most_frequent(counts: Mapping[str, int], min_count: int, most: int | None) -> list[str]:
    """Give the symbols that occur at least `min_count` times, at most `most`, the most frequent first.

    Of equally frequent ones the first in the order of code points comes first.
    """
    kept = [symbol for symbol, count in counts.items() if count >= min_count]
    kept.sort(key=lambda symbol: (-counts[symbol], symbol))
    return kept[:most]
