"""The different words of some sequences, each turned into numbers once, and batches of sequences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Float, Int, Integer
from noria.data.tagged_sequence import TaggedSequence
from noria.data.word_shape import word_shapes
from noria.errors import DataError
from noria.layers.auxiliary import FEATURES as COLUMNS
from noria.layers.spelt import CHARACTERS, WORDS
from noria.models.tag.network import FEATURES, SPELT
from noria.models.tag.schema import TagSchema
from noria.sequences import Ragged

LONGEST = 40
"""Characters of a word that are read: of a longer one those at both ends."""


@dataclass(frozen=True, eq=False)
class Example:
    """One sequence as a network reads it.

    Attributes
    ----------
    words : integer array of shape (T,)
        The number in the lexicon of each token.
    tags : integer array of shape (T,), optional
    features : array of shape (T, F), optional
        What its further columns hold.
    """

    words: Integer[Array, " T"]
    tags: Integer[Array, " T"] | None
    features: Float[Array, "T F"] | None


@dataclass(frozen=True, eq=False)
class Batch:
    """Sequences side by side: the ids of their words, what is told beside these, and their tags."""

    ids: Ragged
    given: dict[str, Array]
    tags: Int[Array, " N"] | None


class Lexicon:
    """Every different word of some sequences, with what a network reads of it.

    Parameters
    ----------
    schema : TagSchema
    words : iterable of str
        Each once.
    """

    def __init__(self, schema: TagSchema, words: Iterable[str]) -> None:
        self._schema = schema
        self._numbers = {word: number for number, word in enumerate(words)}
        self._ids = np.array([schema.word_id(word) for word in self._numbers], dtype=np.int32)
        self._shapes = word_shapes(list(self._numbers)) if schema.word_shape else None
        self._characters = self._spelt() if schema.characters else None

    @classmethod
    def of(cls, schema: TagSchema, sequences: Iterable[TaggedSequence]) -> "Lexicon":
        """Collect the words of sequences."""
        return cls(schema, dict.fromkeys(token for sequence in sequences for token in sequence.tokens))

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def words(self) -> list[str]:
        """The words, in the order of their numbers."""
        return list(self._numbers)

    @property
    def ids(self) -> Int[Array, " U"]:
        """The number of each word in the schema; 0: it is unknown."""
        return self._ids

    def example(self, sequence: TaggedSequence, *, tagged: bool = True) -> Example:
        """Turn a sequence into numbers.

        Raises
        ------
        DataError
            If it has no tags though it should, tags that are unknown, or not the columns of the model.
        """
        numbers = (self._numbers[token] for token in sequence.tokens)
        return Example(
            np.fromiter(numbers, np.int32, len(sequence.tokens)),
            self._schema.tag_ids(sequence) if tagged else None,
            self._features(sequence),
        )

    def batch(self, examples: Sequence[Example]) -> Batch:
        """Put sequences side by side."""
        words = Ragged.from_sequences([example.words for example in examples])
        given: dict[str, Array] = {}
        if self._characters is not None:
            different, of_rows = np.unique(words.rows, return_inverse=True)
            characters = self._characters[different]
            given[f"{SPELT}.{CHARACTERS}"] = characters[:, : int((characters >= 0).sum(axis=1).max())]
            given[f"{SPELT}.{WORDS}"] = of_rows
        features = self._beside(words, examples)
        if features:
            given[f"{FEATURES}.{COLUMNS}"] = np.concatenate(features, axis=1)
        tags = [example.tags for example in examples if example.tags is not None]
        in_rows = np.concatenate(tags)[words.layout.position_in_sequences] if tags else None
        return Batch(words.with_rows(self._ids[words.rows]), given, in_rows)

    def _beside(self, words: Ragged, examples: Sequence[Example]) -> list[Array]:
        """Give what is told of the rows of a batch beside their words, part by part."""
        parts = [] if self._shapes is None else [self._shapes[words.rows]]
        columns = [example.features for example in examples if example.features is not None]
        if columns:
            parts.append(np.concatenate(columns)[words.layout.position_in_sequences])
        return parts

    def _features(self, sequence: TaggedSequence) -> Float[Array, "T F"] | None:
        columns = self._schema.columns
        rows = sequence.features or []
        if len(rows[0] if rows else ()) != len(columns):
            raise DataError(
                f"{sequence.where}: expected {len(columns)} further columns, as those trained on have, got "
                f"{len(rows[0]) if rows else 0}."
            )
        if not columns:
            return None
        parts = [
            column.encoded([row[place] for row in rows], sequence) for place, column in enumerate(columns)
        ]
        return np.concatenate(parts, axis=1)

    def _spelt(self) -> Int[Array, "U L"]:
        """Give the numbers of the characters of each word, -1 behind the shorter ones."""
        half = LONGEST // 2
        spellings = [
            self._schema.spelling(word if len(word) <= LONGEST else word[:half] + word[-half:])
            for word in self._numbers
        ]
        table = np.full((len(spellings), max(map(len, spellings))), -1, dtype=np.int32)
        for row, spelling in zip(table, spellings, strict=True):
            row[: len(spelling)] = spelling
        return table
