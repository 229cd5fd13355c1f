"""How a file of tagged sequences is laid out: what its columns hold, or what stands between word and tag."""

from collections.abc import Sequence
from dataclasses import dataclass

from noria.errors import DataError

AUTO, COLUMNS, SLASHED, PLAIN = "auto", "columns", "slashed", "plain"
SHOWN = 60
"""How much of a line a message shows."""

_CONLL_U = 10  # columns


@dataclass(frozen=True)
class TagLayout:
    """How a file of tagged sequences is to be read.

    Parameters
    ----------
    layout : {"auto", "columns", "slashed", "plain"}
        See :mod:`noria.data.tagged`; ``"auto"`` looks at the first lines.
    word_column, tag_column : int, optional
        Counted from 1. Left out, words are in the first and tags in the last column; in the ten columns of
        CoNLL-U they are in the second and the fourth.
    feature_columns : sequence of int
        Further columns that are read, beside the words.
    separator : str, default "/"
        What stands between word and tag where these are slashed: the last one of a field that has no
        backslash before it. One that has is a slash of the word, or of the tag.
    comment : str, default "#"
        What a line that is left out begins with, where it stands before the first token of a sequence (and
        has no tab, if the others have); empty: there is none.
    """

    layout: str = AUTO
    word_column: int | None = None
    tag_column: int | None = None
    feature_columns: Sequence[int] = ()
    separator: str = "/"
    comment: str = "#"

    def columns_of(
        self, fields: Sequence[str], source: str, *, by_tab: bool, tagged: bool
    ) -> tuple[int, int | None, list[int]]:
        """Give word, tag and feature columns of a file with such a first line, counted from 0.

        Parameters
        ----------
        fields : sequence of str
            Of the first line.
        source : str
            For messages.
        by_tab : bool
            Whether tabs stand between the fields.
        tagged : bool
            Whether tags are read.

        Raises
        ------
        DataError
            If the file has not as many columns, or the same column would be two things.
        """
        in_conll_u = is_conll_u(len(fields), by_tab) and fields[0].split("-")[0].split(".")[0].isdigit()
        word = self.word_column or (2 if in_conll_u else 1)
        tag = self.tag_column or (4 if in_conll_u else len(fields))
        needed = {"words": word, "features": max(self.feature_columns, default=0)}
        if tagged:
            needed["tags"] = tag
        for what, column in needed.items():
            if column > len(fields):
                raise DataError(
                    f"{source}: expected {what} in column {column}, the file has {len(fields)}: "
                    f"{' '.join(fields)[:SHOWN]!r}."
                )
        if tagged and tag in self.feature_columns:
            raise DataError(
                f"{source}: column {tag} holds the tags, which are to be found out, and is no feature.\n"
                "  Leave it out of feature_columns, or name another tag_column."
            )
        if tagged and tag == word:
            raise DataError(
                f"{source}: expected words and tags in columns of their own, got column {tag} for both: "
                f"{' '.join(fields)[:SHOWN]!r}.\n"
                "  Each line is a word and its tag, with blank lines between sequences, or each is a whole "
                f"sequence of word{self.separator}tag."
            )
        return word - 1, tag - 1 if tagged else None, [column - 1 for column in self.feature_columns]

    def cut(self, field: str) -> tuple[str, str]:
        """Cut word and tag at the last separator without a backslash before it; without one, give nothing."""
        separator = self.separator
        place = field.rfind(separator)
        while place > 0 and field[place - 1] == "\\":
            place = field.rfind(separator, 0, place)
        if place < 1:
            return "", ""
        word, tag = field[:place], field[place + len(separator) :]
        return word.replace(f"\\{separator}", separator), tag.replace(f"\\{separator}", separator)


def is_conll_u(count: int, by_tab: bool) -> bool:
    """Whether so many columns are those of CoNLL-U."""
    return by_tab and count == _CONLL_U
