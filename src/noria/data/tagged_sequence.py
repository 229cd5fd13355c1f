"""Tokens with what is known of each, and where they stood."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TaggedSequence:
    """Tokens, with what is known of each.

    Attributes
    ----------
    tokens : str or list of str
        Characters, or words.
    tags : list of str, optional
        One for each token; None where they are not known.
    features : list of tuple of str, optional
        What stands in the feature columns, for each token.
    where : str
        File and line of its first token, for messages.
    lines : range, optional
        The line of each token, where each has one of its own.
    tag_column : int, default 0
        The column in which its tags stand, from 1; 0: in none.
    """

    tokens: Sequence[str]
    tags: Sequence[str] | None = None
    features: Sequence[tuple[str, ...]] | None = None
    where: str = ""
    lines: Sequence[int] | None = None
    tag_column: int = 0

    def tag_place(self, token: int) -> str:
        """Name the tag of a token in messages."""
        return f"{self.place(token)}, column {self.tag_column}" if self.tag_column else self.place(token)

    def place(self, token: int) -> str:
        """Name a token in messages by its file and line, or by its number."""
        if self.lines is not None:
            return f"{self.where.rpartition(', line ')[0]}, line {self.lines[token]}"
        return f"{self.where}, token {token + 1}"
