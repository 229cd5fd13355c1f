"""What a tagger knows of its data: words, characters, tags, further columns."""

import difflib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from noria.arrays import Array, Int
from noria.data.tagged_sequence import TaggedSequence
from noria.data.vocabulary import most_frequent
from noria.data.word_vocabulary import WordVocabulary
from noria.errors import DataError, RunError
from noria.models.schema import Schema, entry
from noria.models.tag.columns import Column, read_column
from noria.models.tag.options import TaggerOptions
from noria.training.spans import tag_scheme

CHARACTERS, WORDS = "characters", "words"
_SHOWN = 12


@dataclass(frozen=True)
class TagSchema(Schema):
    """All that turns tokens into numbers, and numbers into tags.

    Attributes
    ----------
    level : {"words", "characters"}
        What a token is.
    words : tuple of str
        The tokens with a vector of their own, the most frequent first; 0 is the number of all others.
    characters : tuple of str
        Those that words are spelt with; 0 is the number of all others. Empty where no word is spelt.
    tags : tuple of str
        In sorted order.
    columns : tuple of Column
        The further columns.
    word_shape : bool
        Whether the look of a word is told.
    lowercase : bool
        Whether vectors are those of words in lower case.
    layout : str
        Of the files it was trained on, if there were any.
    file_columns : int
        How many these had; 0 where they had none, or an older run does not say it.
    by_tab : bool
        Whether tabs stood between them.
    """

    level: str
    words: tuple[str, ...]
    characters: tuple[str, ...]
    tags: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    word_shape: bool = False
    lowercase: bool = False
    layout: str = ""
    file_columns: int = 0
    by_tab: bool = False

    @classmethod
    def of(
        cls,
        sequences: Sequence[TaggedSequence],
        options: TaggerOptions,
        layout: str = "",
        file_columns: tuple[int, bool] = (0, False),
    ) -> Self:
        """Collect what there is in a training part."""
        level = CHARACTERS if isinstance(sequences[0].tokens, str) else WORDS
        counts: Counter[str] = Counter()
        tags: Counter[str] = Counter()
        for sequence in sequences:
            counts.update(sequence.tokens)
            tags.update(sequence.tags or ())
        spelt = any(len(word) > 1 for word in counts)  # what is one character is its own spelling
        looked_up: Counter[str] = Counter()
        signs: Counter[str] = Counter()
        for word, count in counts.items():
            looked_up[looked_up_as(word, level, lowercase=options.lowercase)] += count
            if spelt and options.spelling_size:
                signs.update(word)
        return cls(
            level,
            tuple(most_frequent(looked_up, options.min_count, None)),
            tuple(most_frequent(signs, 1, None)),
            tuple(sorted(tags)),
            _columns(sequences),
            options.word_shape and spelt,
            options.lowercase,
            layout,
            *file_columns,
        )

    @property
    def symbols(self) -> int:
        """Numbers of words, that of unknown ones included."""
        return len(self.words) + 1

    @property
    def feature_size(self) -> int:
        """Numbers that the further columns give for each token."""
        return sum(column.size for column in self.columns)

    @cached_property
    def scheme(self) -> str | None:
        """How the tags write spans, if they do: ``"IOB2"`` or ``"IOBES"``."""
        return tag_scheme(self.tags)

    @property
    def vocabulary(self) -> WordVocabulary:
        """The words as :func:`noria.data.vectors.read_vectors` takes them."""
        return WordVocabulary(self.words)

    def word_id(self, word: str) -> int:
        """Give the number of a word; 0: it has no vector of its own."""
        return self._word_ids.get(looked_up_as(word, self.level, lowercase=self.lowercase), 0)

    def spelling(self, word: str) -> list[int]:
        """Give the numbers of a word's characters."""
        return [self._character_ids.get(character, 0) for character in word]

    def tag_ids(self, sequence: TaggedSequence) -> Int[Array, " T"]:
        """Give the numbers of the tags of a sequence.

        Raises
        ------
        DataError
            If it has none, or one that was not trained on: says where.
        """
        if sequence.tags is None:
            raise DataError(f"{sequence.where}: expected a tag for each token, got none.")
        try:
            return np.array([self._tag_ids[tag] for tag in sequence.tags], dtype=np.int64)
        except KeyError as error:
            unknown = error.args[0]
        near = difflib.get_close_matches(unknown, self.tags, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        more = f" and {len(self.tags) - _SHOWN} more" if len(self.tags) > _SHOWN else ""
        raise DataError(
            f"{sequence.tag_place(list(sequence.tags).index(unknown))}: the tag {unknown!r} is none of those "
            f"that were trained on.{hint}\n  These are {', '.join(self.tags[:_SHOWN])}{more}."
        )

    @cached_property
    def _word_ids(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words, 1)}

    @cached_property
    def _character_ids(self) -> dict[str, int]:
        return {character: number for number, character in enumerate(self.characters, 1)}

    @cached_property
    def _tag_ids(self) -> dict[str, int]:
        return {tag: number for number, tag in enumerate(self.tags)}

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        files = {"file_columns": self.file_columns, "by_tab": self.by_tab} if self.file_columns else {}
        return {
            "level": self.level,
            "words": list(self.words),
            "characters": list(self.characters),
            "tags": list(self.tags),
            "columns": [column.to_dict() for column in self.columns],
            "word_shape": self.word_shape,
            "lowercase": self.lowercase,
            "layout": self.layout,
            **files,  # left out where not known, as in older runs
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(
            entry(data, "level", str, source),
            _symbols(data, "words", source),
            _symbols(data, "characters", source),
            _symbols(data, "tags", source),
            tuple(read_column(column, source) for column in entry(data, "columns", list, source)),
            entry(data, "word_shape", bool, source),
            entry(data, "lowercase", bool, source),
            entry(data, "layout", str, source),
            entry(data, "file_columns", int, source) if "file_columns" in data else 0,
            entry(data, "by_tab", bool, source) if "by_tab" in data else False,
        )

    def differences(self, here: Self) -> list[str]:
        """Say in which entries another schema is not this one; how files were written is none of them."""
        return super().differences(replace(here, file_columns=self.file_columns, by_tab=self.by_tab))


def looked_up_as(word: str, level: str, *, lowercase: bool) -> str:
    """Give a word as it is looked up: NFC, in lower case where asked; a character as it is."""
    if level == WORDS and not word.isascii():
        word = unicodedata.normalize("NFC", word)
    return word.lower() if lowercase else word


def _columns(sequences: Iterable[TaggedSequence]) -> tuple[Column, ...]:
    rows = [row for sequence in sequences for row in sequence.features or ()]
    return tuple(Column.of([row[place] for row in rows]) for place in range(len(rows[0]) if rows else 0))


def _symbols(data: Mapping[str, Any], name: str, source: str) -> tuple[str, ...]:
    """Give a list of strings, each once, out of what was read of a schema."""
    symbols = entry(data, name, list, source)
    if not all(isinstance(symbol, str) for symbol in symbols) or len(set(symbols)) < len(symbols):
        raise RunError(f"{source}: the file is damaged: {name!r} does not hold each of its strings once.")
    return tuple(symbols)
