"""Whether a line without tags is a token in columns, or a whole sentence: what was trained on says it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

NOTHING = "_"
"""What stands in a column whose value is not known."""


@dataclass(frozen=True)
class TrainedColumns:
    """The columns of the files that a model was trained on.

    Attributes
    ----------
    count : int
        How many there were; 0 where that is not known, which is taken for a word and its tag.
    by_tab : bool
        Whether tabs stood between them, and not other white space.
    tags : collection of str
        All of the model.
    """

    count: int = 0
    by_tab: bool = False
    tags: Collection[str] = ()

    def is_sentence(self, line: str, word: int | None = None, tag: int | None = None) -> bool:
        """Say whether a line is a sentence of words.

        It is if it has several words, no tab, and is no row of the columns that were trained on: because
        tabs stood between these, it has another number of fields, or no known tag where tags stood.

        Parameters
        ----------
        line : str
        word, tag : int, optional
            Columns, from 1; left out, the first and the last.
        """
        fields = line.split()
        if len(fields) < 2 or "\t" in line.strip():
            return False
        if self.by_tab or len(fields) != (self.count or 2):
            return True
        return not self.is_tag(fields[(tag or len(fields)) - 1], fields[(word or 1) - 1])

    def is_tag(self, field: str, word: str) -> bool:
        """Say whether a field is the tag of a word.

        Signs are tags of signs alone: in ``come .`` the full stop is a word, though there is such a tag.
        """
        if field == NOTHING:
            return True
        return field in self.tags and (_has_letters(field) or not _has_letters(word))

    def are_slashed(self, pairs: Sequence[tuple[str, str]]) -> bool:
        """Say whether what was cut at slashes is words and tags: ``and/or`` is a word."""
        return all(self.is_tag(tag, word) for word, tag in pairs)

    def is_row(self, count: int) -> bool:
        """Say whether fields between tabs are as many as there were, or those without the last."""
        return count == 1 or not self.count or self.count - 1 <= count <= self.count


def expected(count: int, source: str) -> str:
    """Say how sequences without tags may be written for a model that was trained on columns."""
    columns = f"the {count} columns" if count else "the columns"
    return (
        f"  Expected one token a line, either the word alone or {columns} of the training file, with blank "
        f"lines\n  between sentences; or one sentence a line, words with spaces between, in all of {source}."
    )


def _has_letters(text: str) -> bool:
    return any(sign.isalnum() for sign in text)
