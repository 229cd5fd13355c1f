"""Vocabularies whose symbols are pieces of a text, counted: the characters or the words that occur often."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Self

from noria.data.vocabulary import Vocabulary, most_frequent
from noria.errors import DataError


class CountedVocabulary(Vocabulary):
    """Knows the pieces of a text that occur often enough; a kind says what a piece is."""

    @classmethod
    def of_text(
        cls, text: str | Iterable[str], *, end: bool = False, min_count: int = 1, most: int | None = None
    ) -> Self:
        """Collect the pieces of a text, or of several.

        Parameters
        ----------
        text : str, or several
        end : bool, default False
            Whether there is an end symbol.
        min_count : int, default 1
            How often a piece must occur; with 1 the text itself has no ``<unk>`` to learn from.
        most : int, optional
            How many pieces there may be; the most frequent are kept.

        Raises
        ------
        DataError
            If no piece occurs often enough.
        """
        counts: Counter[str] = Counter()
        for part in [text] if isinstance(text, str) else text:
            for pieces in cls._cut(part):
                counts.update(pieces)
        return cls.of_counts(counts, end=end, min_count=min_count, most=most)

    @classmethod
    def of_counts(
        cls, counts: Mapping[str, int], *, end: bool = False, min_count: int = 1, most: int | None = None
    ) -> Self:
        """Do as :meth:`of_text` does with pieces that have been counted."""
        kept = most_frequent(counts, min_count, most)
        if counts and not kept:
            piece, count = max(counts.items(), key=lambda entry: entry[1])
            raise DataError(
                f"vocabulary: expected {cls.kind} that occur at least {min_count:,} times, got none of "
                f"{len(counts):,}; the most frequent, {piece!r}, occurs {count:,} times.\n"
                "  Lower min_count, or give more text."
            )
        return cls._of_kept(kept, counts, end)

    @classmethod
    @abstractmethod
    def _cut(cls, text: str) -> Iterable[Iterable[str]]:
        """Cut a text into its pieces, some million characters at a time."""

    @classmethod
    @abstractmethod
    def _of_kept(cls, kept: list[str], counts: Mapping[str, int], end: bool) -> Self:
        """Make the vocabulary of the pieces that are kept, the most frequent first, of those counted."""
