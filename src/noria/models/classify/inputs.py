"""What a sequence is to the network: ids, or rows of scaled numbers, as fitted on the training part."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from noria.arrays import Array
from noria.data import Vocabulary, build_vocabulary, normalised
from noria.data.records import SERIES, SYMBOLS, TEXTS, Record, Records
from noria.data.words import segment
from noria.errors import DataError, OptionError
from noria.models.classify.options import AUTO, SequenceOptions
from noria.models.classify.scaling import Scales
from noria.models.schema import entry
from noria.training.token_options import CHARACTERS, SUBWORDS, WORDS, TokenOptions

UNKNOWN = 0
_SPACED = 0.5  # share of texts with a space in them from which on texts are cut into words


class Inputs(ABC):
    """Turns a sequence into what the network reads.

    Attributes
    ----------
    kind : {"texts", "symbols", "series"}
    size : int
        Number of symbols, or of channels.
    unit : str
        What one step is called: ``"word"``.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of symbols, or of channels."""

    @property
    @abstractmethod
    def unit(self) -> str:
        """What one step is called."""

    @property
    def channels(self) -> tuple[str, ...]:
        """What each value of a step is; empty for symbols."""
        return ()

    @abstractmethod
    def encode(self, sequence: Any, place: str) -> Array:
        """Give ids (T,), or rows (T, C) in single precision.

        Raises
        ------
        DataError
            If the sequence does not fit: says where it stands.
        """

    def encode_step(self, sequence: Any, place: str) -> Array:
        """Give the ids or rows of one step of a sequence, which need not say anything by itself."""
        return self.encode(sequence, place)

    @abstractmethod
    def tokens(self, sequence: Any) -> list[str]:
        """Name the steps, as people read them."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""

    @classmethod
    @abstractmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> Self:
        """Undo :meth:`to_dict`."""


@dataclass(frozen=True)
class TextInputs(Inputs):
    """Texts as ids of characters, words or subwords.

    Words are read without regard to what stands beside them: each has a space before it, also behind a
    bracket or at the beginning.
    """

    kind: ClassVar[str] = TEXTS

    vocabulary: Vocabulary
    lowercase: bool
    max_length: int

    @classmethod
    def fitted(cls, records: Sequence[Record], options: SequenceOptions) -> Self:
        """Make the vocabulary of training texts."""
        level = options.level
        if level == AUTO:
            spaced = sum(" " in record.sequence.strip() for record in records)
            level = WORDS if spaced >= _SPACED * len(records) else CHARACTERS
        tokens = TokenOptions(
            level=level, min_count=options.min_count, vocabulary_size=options.vocabulary_size
        )
        texts = [_clean(record.sequence, level, options.lowercase) for record in records]
        return cls(build_vocabulary(texts, tokens), options.lowercase, options.max_length)

    @property
    def size(self) -> int:
        """Number of symbols, ``<unk>`` among them."""
        return len(self.vocabulary)

    @property
    def unit(self) -> str:
        """A character, word or subword."""
        return self.vocabulary.unit

    def encode(self, sequence: Any, place: str) -> Array:
        """Give the ids of a text, cut to the length that is read."""
        if not isinstance(sequence, str):
            raise DataError(f"{place}: expected a text, got {type(sequence).__name__}.")
        if not sequence.strip():
            raise DataError(f"{place}: expected a text, got nothing but white space.")
        return self.vocabulary.encode(self.clean(sequence))[: self.max_length or None]

    def encode_step(self, sequence: Any, place: str) -> Array:
        """Give the id of a symbol; a character may be white space, which stands between words."""
        if isinstance(sequence, str) and sequence and self.vocabulary.kind == CHARACTERS:
            return self.vocabulary.encode(self.clean(sequence))
        return self.encode(sequence, place)

    def clean(self, text: str) -> str:
        """Give a text as it is cut into symbols."""
        return _clean(normalised(text), self.vocabulary.kind, self.lowercase)

    def tokens(self, sequence: Any) -> list[str]:
        """Give the pieces of a text that are read."""
        text = self.clean(sequence)
        match self.vocabulary.kind:
            case kind if kind == WORDS:
                pieces = [piece.strip() for part in segment(text) for piece in part]
            case kind if kind == CHARACTERS:
                pieces = list(text)
            case _:
                pieces = [self.vocabulary.decode([symbol]) for symbol in self.vocabulary.encode(text)]
        return pieces[: self.max_length or None]

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        return {
            "kind": self.kind,
            "vocabulary": self.vocabulary.to_dict(),
            "lowercase": self.lowercase,
            "max_length": self.max_length,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> Self:
        """Undo :meth:`to_dict`."""
        vocabulary = Vocabulary.from_dict(entry(data, "vocabulary", dict, source), source)
        return cls(vocabulary, entry(data, "lowercase", bool, source), entry(data, "max_length", int, source))


@dataclass(frozen=True)
class SymbolInputs(Inputs):
    """Lists of symbols, whole numbers or strings, as their ids; 0 stands for what was never seen."""

    kind: ClassVar[str] = SYMBOLS

    symbols: tuple[Any, ...]

    @classmethod
    def fitted(cls, records: Sequence[Record]) -> Self:
        """Gather the symbols of training sequences, in order."""
        found = {symbol for record in records for symbol in record.sequence}
        return cls(tuple(sorted(found, key=lambda symbol: (isinstance(symbol, str), symbol))))

    @property
    def size(self) -> int:
        """Number of symbols, the unknown one among them."""
        return len(self.symbols) + 1

    @property
    def unit(self) -> str:
        """A symbol."""
        return "symbol"

    def encode(self, sequence: Any, place: str) -> Array:
        """Give the ids of a list of symbols."""
        return np.array([self._ids.get(symbol, UNKNOWN) for symbol in sequence], dtype=np.int32)

    def tokens(self, sequence: Any) -> list[str]:
        """Write the symbols."""
        return [str(symbol) for symbol in sequence]

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        return {"kind": self.kind, "symbols": list(self.symbols)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(tuple(entry(data, "symbols", list, source)))

    @cached_property
    def _ids(self) -> dict[Any, int]:
        return {symbol: number for number, symbol in enumerate(self.symbols, UNKNOWN + 1)}


@dataclass(frozen=True)
class SeriesInputs(Inputs):
    """Series of numbers, each channel with mean 0 and variance 1 over the steps of the training part."""

    kind: ClassVar[str] = SERIES

    scales: Scales

    @classmethod
    def fitted(cls, records: Sequence[Record], channels: Sequence[str]) -> Self:
        """Take the scales of training series."""
        return cls(Scales.of_rows(np.concatenate([record.sequence for record in records]), channels))

    @property
    def size(self) -> int:
        """Number of channels."""
        return len(self.scales.names)

    @property
    def unit(self) -> str:
        """A step."""
        return "step"

    @property
    def channels(self) -> tuple[str, ...]:
        """What each value of a step is."""
        return self.scales.names

    def encode(self, sequence: Any, place: str) -> Array:
        """Give scaled rows (T, C)."""
        values = np.asarray(sequence)
        if values.ndim != 2 or values.shape[1] != self.size:
            raise DataError(
                f"{place}: expected a series of {self.size} channels, as the model was trained on, got an "
                f"array of shape {values.shape}."
            )
        return self.scales.scaled(values)

    def tokens(self, sequence: Any) -> list[str]:
        """Give the numbers of the steps, from 1."""
        return [str(number) for number in range(1, len(sequence) + 1)]

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        return {"kind": self.kind, "scales": self.scales.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(Scales.from_dict(entry(data, "scales", dict, source), source))


KINDS: dict[str, type[Inputs]] = {kind.kind: kind for kind in (TextInputs, SymbolInputs, SeriesInputs)}


def fitted_inputs(read: Records, train: Sequence[Record], options: SequenceOptions) -> Inputs:
    """Fit what turns sequences into numbers, on the training part alone.

    Raises
    ------
    OptionError
        If an option is for texts, and these are none.
    """
    if read.kind == TEXTS:
        return TextInputs.fitted(train, options)
    for name in ("vectors", "character_noise", "thesaurus", "max_length"):
        if getattr(options, name):
            raise OptionError(f"The {name!r} option is for texts. The sequences here are {read.kind}.")
    if read.kind == SYMBOLS:
        return SymbolInputs.fitted(train)
    return SeriesInputs.fitted(train, read.channels)


def _clean(text: str, level: str, lowercase: bool) -> str:
    if lowercase:
        text = text.lower()
    if level in (WORDS, SUBWORDS):
        return " " + " ".join(filter(None, (piece.strip() for part in segment(text) for piece in part)))
    return text
