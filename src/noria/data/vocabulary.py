"""Symbols and their numbers, in an order that any process finds again."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from noria.arrays import Array, Int
from noria.errors import DataError, RunError

FORMAT = 1
UNKNOWN = "<unk>"
END = "<end>"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_CHUNK = 1 << 20  # characters looked at together, so that a big text is never in memory as code points


@dataclass(frozen=True)
class Vocabulary:
    """The symbols a model knows: ``<unk>``, ``<end>`` where sequences end, then characters by code point.

    Attributes
    ----------
    characters : str
        Every known character once, sorted by code point.
    has_end : bool
        Whether there is an end symbol, as there is for separate sequences.
    """

    characters: str
    has_end: bool = False

    def __post_init__(self) -> None:
        if list(self.characters) != sorted(set(self.characters)):
            raise DataError("vocabulary: expected each character once, sorted by code point.")

    @classmethod
    def of_text(cls, text: str | Iterable[str], *, end: bool = False) -> "Vocabulary":
        """Collect the characters of a text, or of several; ``end`` adds the end symbol."""
        seen: set[str] = set()
        for part in [text] if isinstance(text, str) else text:
            for start in range(0, len(part), _CHUNK):
                seen.update(part[start : start + _CHUNK])
        return cls("".join(sorted(seen)), end)

    def __len__(self) -> int:
        return self._first + len(self.characters)

    @property
    def unknown_id(self) -> int:
        """The number of ``<unk>``: always 0."""
        return 0

    @property
    def end_id(self) -> int | None:
        """The number of ``<end>``, if there is one."""
        return 1 if self.has_end else None

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol in the order of its number, special ones by their names."""
        return (UNKNOWN, *((END,) if self.has_end else ()), *self.characters)

    @property
    def _first(self) -> int:
        return 2 if self.has_end else 1

    @cached_property
    def _codes(self) -> Array:
        return _code_points(self.characters)

    @cached_property
    def _table(self) -> Array:
        """Code point -> id; the last place stands for everything beyond."""
        table = np.zeros(int(self._codes[-1]) + 2 if len(self._codes) else 1, dtype=np.int32)
        table[self._codes] = np.arange(self._first, len(self), dtype=np.int32)
        return table

    def encode(self, text: str) -> Int[Array, " N"]:
        """Give the id of every character; those not known become ``<unk>``, id 0."""
        ids = np.empty(len(text), dtype=np.int32)
        last = len(self._table) - 1
        for start in range(0, len(text), _CHUNK):
            codes = _code_points(text[start : start + _CHUNK])
            ids[start : start + _CHUNK] = self._table[np.minimum(codes, last)]
        return ids

    def decode(self, ids: Iterable[int] | Int[Array, " N"]) -> str:
        """Give the characters of ``ids``; ``<unk>`` shows as U+FFFD and ``<end>`` as nothing.

        Raises
        ------
        DataError
            If an id is outside ``[0, len(self))``.
        """
        numbers = np.asarray(ids if isinstance(ids, np.ndarray) else list(ids), dtype=np.int64)
        wrong = np.flatnonzero((numbers < 0) | (numbers >= len(self)))
        if len(wrong):
            first = wrong[0]
            raise DataError(f"vocabulary: expected ids in [0, {len(self)}), got {numbers[first]} at {first}.")
        special = np.full(self._first, ord(REPLACEMENT), dtype=np.uint32)
        codes = np.concatenate([special, self._codes])[numbers]
        if self.has_end:
            codes = codes[numbers != 1]
        return codes.astype("<u4").tobytes().decode("utf-32-le")

    def unknown_in(self, text: str) -> tuple[str, ...]:
        """Give the characters of ``text`` that are not known, each once, sorted by code point."""
        return tuple(sorted(set(text).difference(self.characters)))

    def to_dict(self) -> dict[str, Any]:
        """Give what is written down of it: the format, and every symbol in order."""
        return {
            "format": FORMAT,
            "kind": "characters",
            "unknown": self.unknown_id,
            "end": self.end_id,
            "symbols": list(self.symbols),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str = "vocab.json") -> "Vocabulary":
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        RunError
            If it is damaged, of a newer format, or not a vocabulary.
        """
        try:
            version, kind, symbols, end = (data[key] for key in ("format", "kind", "symbols", "end"))
        except KeyError as error:
            raise RunError(f"{source}: is not a vocabulary, it has no {error}.") from None
        if version != FORMAT or kind != "characters":
            raise RunError(
                f"{source}: expected characters in format {FORMAT}, got {kind!r} in format {version!r}.\n"
                "  Read it with a newer Noria."
            )
        special = [UNKNOWN] if end is None else [UNKNOWN, END]
        if list(symbols[: len(special)]) != special:
            raise RunError(f"{source}: expected symbols that begin with {special}, got {symbols[:2]}.")
        return cls("".join(symbols[len(special) :]), end is not None)


def describe_symbol(symbol: str) -> str:
    """Name a character by its code point too: ``'ñ' (U+00F1 LATIN SMALL LETTER N WITH TILDE)``."""
    name = unicodedata.name(symbol, "no name")
    shown = repr(symbol) if not unicodedata.combining(symbol) else f"'\u25cc{symbol}'"
    return f"{shown} (U+{ord(symbol):04X} {name})"


def describe_symbols(symbols: Iterable[str], most: int = 5) -> str:
    """Name several characters, and how many more there are."""
    known = list(symbols)
    more = f" and {len(known) - most:,} more" if len(known) > most else ""
    return ", ".join(describe_symbol(symbol) for symbol in known[:most]) + more


def _code_points(text: str) -> Array:
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
