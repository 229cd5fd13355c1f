r"""Sequences of tokens with a tag for each: columns with blank lines between, or words with tags behind.

Three layouts of a file::

    columns                     slashed                      plain, which has no tags
    The      DT                 The/DT cat/NN sat/VBD        The cat sat
    cat      NN                 It/PRP slept/VBD             It slept
    <blank>
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from itertools import chain
from pathlib import Path
from typing import TextIO, TypeAlias

from noria.data.lines import Lines
from noria.data.tagged_guess import TrainedColumns, expected
from noria.errors import DataError

AUTO, COLUMNS, SLASHED, PLAIN = "auto", "columns", "slashed", "plain"
FILE_ENDINGS = (".conll", ".conllu", ".iob", ".iob2", ".bio", ".iobes", ".tsv", ".tag", ".pos", ".txt")
"""What files of tagged sequences end in; only these are read of a folder."""

_CONLL_U, _RANGE = 10, re.compile(r"\d+[-.]\d+")  # columns; the ids of words of several tokens, and of none
_SHOWN = 60

TaggedSource: TypeAlias = str | os.PathLike[str] | BufferedIOBase | TextIO


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


class TaggedFile:
    """Reads one file, sequence by sequence, as often as asked; a stream once.

    Parameters
    ----------
    source : path, or file
        A file that is open already is a stream.
    layout : TagLayout, optional
    tagged : bool, default True
        Whether tags are needed. Where they are not, they are not read, and may be missing.
    fallback : str, default "columns"
        The layout that is guessed of a file that is not slashed.
    encoding : str, optional
    trained : TrainedColumns, optional
        Of the model that is to tag what has no tags: lines may be sentences then, and no word is passed over.

    Attributes
    ----------
    source : str
    layout : str
        Empty as long as nothing but blank lines and comments has been read.
    notes : tuple of str
        What a user should know: a guessed encoding, which columns are read; after reading also how many
        comments were left out.

    Raises
    ------
    DataError
        If the file is missing, empty, binary or in another encoding; if it has no such column. While it is
        read: if a line has more or fewer columns than the first, or a field no tag; says file, line, column.
    """

    def __init__(
        self,
        source: TaggedSource,
        layout: TagLayout | None = None,
        *,
        tagged: bool = True,
        fallback: str = COLUMNS,
        encoding: str | None = None,
        trained: TrainedColumns | None = None,
    ) -> None:
        # a sentence has no further columns: with these, every line is a token
        self._trained = None if layout and layout.feature_columns else trained
        self._lines = Lines(source, encoding=encoding)
        self.source = self._lines.source
        self.wanted, self._tagged, self._fallback = layout or TagLayout(), tagged, fallback
        self.layout = ""
        self._by_tab = False
        self._comments = self._count = self._word = 0
        self._tag: int | None = None
        self._features: list[int] = []
        head = self._lines.head()
        for line in head:
            if self._settled(line):
                break
        if self.layout == COLUMNS and self._count == 1 and any(map(self._is_sentence, head)):
            self.layout = PLAIN  # it begins with one of a single word

    @property
    def columns(self) -> tuple[int, bool]:
        """How many columns there are, 0 in another layout, and whether tabs stand between them."""
        return (self._count, self._by_tab) if self.layout == COLUMNS else (0, False)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know."""
        said = []
        if self.layout == COLUMNS:
            tags = f", tags in column {self._tag + 1}" if self._tag is not None else ""
            said.append(f"words in column {self._word + 1} of {self._count}{tags}")
        if self._comments:
            said.append(f"{self._comments:,} comment lines left out")
        return (*self._lines.notes, *said)

    def __iter__(self) -> Iterator[TaggedSequence]:
        lines = enumerate(self._lines, 1)
        begun: list[tuple[int, str]] = []
        for number, line in lines:
            begun.append((number, line))  # only columns have comments: in another layout these are words
            if self._settled(line):
                read = self._of_columns if self.layout == COLUMNS else self._of_lines
                yield from read(chain(begun, lines))
                return
        if self._fallback == PLAIN:
            self.layout = PLAIN
            yield from self._of_lines(iter(begun))

    def _settled(self, line: str) -> bool:
        """Whether it is known how to read the file; the first line that is no comment says it."""
        if self.layout or not line.strip() or self._is_comment(line, "\t" in line):
            return bool(self.layout)
        self._by_tab = "\t" in line.strip()
        fields = self._fields(line)
        self._count = len(fields)
        self.layout = self._guessed(line, fields) if self.wanted.layout == AUTO else self.wanted.layout
        if self.layout == COLUMNS:
            self._word, self._tag, self._features = self._columns(fields)
            if self._trained and self._by_tab and not self._trained.is_row(self._count):
                raise DataError(
                    f"{self.source}: expected {self._trained.count} columns, as the training file has, got "
                    f"{self._count}: {line.strip()[:_SHOWN]!r}.\n{expected(self._trained.count, self.source)}"
                )
        return True

    def _is_sentence(self, line: str) -> bool:
        return (
            self._trained is not None
            and not self._is_comment(line, self._by_tab)
            and self._trained.is_sentence(line, self.wanted.word_column, self.wanted.tag_column)
        )

    def _of_columns(self, lines: Iterator[tuple[int, str]]) -> Iterator[TaggedSequence]:
        rows: list[list[str]] = []
        numbers: list[int] = []
        self._comments = 0
        single = self._count == 1  # whether all that was given has one word: a sentence may still follow
        for number, line in lines:
            if not line.strip():
                if rows:
                    single &= len(rows) == 1
                    yield self._sequence(rows, numbers)
                    rows, numbers = [], []
                continue
            if not rows and self._is_comment(line, self._by_tab):
                self._comments += 1
                continue
            if single and self._is_sentence(line):
                self.layout = PLAIN
                words = [(place, word) for place, (word,) in zip(numbers, rows, strict=True)]
                yield from self._of_lines(chain(words, [(number, line)], lines))
                return
            fields = self._fields(line)
            if len(fields) != self._count:
                raise DataError(
                    f"{self.source}, line {number}: expected {self._count} columns, as the first line has, "
                    f"got {len(fields)}: {line.strip()[:_SHOWN]!r}.\n" + self._written
                )
            if self._is_sentence(line):
                raise DataError(
                    f"{self.source}, line {number}: expected {self._count} columns with a tag of the model, "
                    f"got {line.strip()[:_SHOWN]!r}.\n{self._written}"
                )
            if self._is_conll_u and _RANGE.fullmatch(fields[0]):
                continue
            for column in (self._word, self._tag, *self._features):
                if column is not None and not fields[column]:
                    raise DataError(
                        f"{self.source}, line {number}, column {column + 1}: expected a value, got nothing."
                    )
            rows.append(fields)
            numbers.append(number)
        if rows:
            yield self._sequence(rows, numbers)

    @property
    def _written(self) -> str:
        """How what is read should have been written."""
        if self._trained is not None:
            return expected(self._trained.count, self.source)
        return (
            f"  {'Tabs' if self._by_tab else 'Spaces'} stand between columns, blank lines between sequences."
        )

    def _sequence(self, rows: list[list[str]], numbers: list[int]) -> TaggedSequence:
        tag = self._tag
        return TaggedSequence(
            [row[self._word] for row in rows],
            None if tag is None else [row[tag] for row in rows],
            [tuple(row[column] for column in self._features) for row in rows] if self._features else None,
            f"{self.source}, line {numbers[0]}",
            numbers,
            0 if tag is None else tag + 1,
        )

    def _of_lines(self, lines: Iterator[tuple[int, str]]) -> Iterator[TaggedSequence]:
        for number, line in lines:
            fields = line.split()
            where = f"{self.source}, line {number}"
            if not fields and (self._tagged or self._trained is not None):  # it stands between sequences
                continue
            if self.layout == PLAIN or not fields:  # each line is answered, also one without tokens
                yield TaggedSequence(fields, None, None, where)
                continue
            pairs = [self._cut(field, line, where) for field in fields]
            tags = [tag for _, tag in pairs] if self._tagged else None
            yield TaggedSequence([word for word, _ in pairs], tags, None, where)

    def _cut(self, field: str, line: str, where: str) -> tuple[str, str]:
        word, tag = _cut(field, self.wanted.separator)
        if not word or not tag:
            raise DataError(
                f"{where}, column {line.index(field) + 1}: expected word{self.wanted.separator}tag, got "
                f"{field!r}."
            )
        return word, tag

    @property
    def _is_conll_u(self) -> bool:
        return self._by_tab and self._count == _CONLL_U

    def _is_comment(self, line: str, by_tab: bool) -> bool:
        mark = self.wanted.comment
        return bool(mark) and line.startswith(mark) and not (by_tab and "\t" in line)

    def _fields(self, line: str) -> list[str]:
        if self._by_tab:
            return [field.strip() for field in line.rstrip("\r\n").split("\t")]
        return line.split()

    def _guessed(self, line: str, fields: list[str]) -> str:
        pairs = [_cut(field, self.wanted.separator) for field in fields]
        slashed = bool(fields) and not self._by_tab and all(all(pair) for pair in pairs)
        if slashed and (self._trained is None or self._trained.are_slashed(pairs)):
            return SLASHED
        return PLAIN if self._is_sentence(line) else self._fallback

    def _columns(self, fields: list[str]) -> tuple[int, int | None, list[int]]:
        """Give word, tag and feature columns, counted from 0."""
        in_conll_u = self._is_conll_u and fields[0].split("-")[0].split(".")[0].isdigit()
        word = self.wanted.word_column or (2 if in_conll_u else 1)
        tag = self.wanted.tag_column or (4 if in_conll_u else len(fields))
        needed = {"words": word, "features": max(self.wanted.feature_columns, default=0)}
        if self._tagged:
            needed["tags"] = tag
        for what, column in needed.items():
            if column > len(fields):
                raise DataError(
                    f"{self.source}: expected {what} in column {column}, the file has {len(fields)}: "
                    f"{' '.join(fields)[:_SHOWN]!r}."
                )
        if self._tagged and tag in self.wanted.feature_columns:
            raise DataError(
                f"{self.source}: column {tag} holds the tags, which are to be found out, and is no feature.\n"
                "  Leave it out of feature_columns, or name another tag_column."
            )
        if self._tagged and tag == word:
            raise DataError(
                f"{self.source}: expected words and tags in columns of their own, got column {tag} for both: "
                f"{' '.join(fields)[:_SHOWN]!r}.\n"
                "  Each line is a word and its tag, with blank lines between sequences, or each is a whole "
                f"sequence of word{self.wanted.separator}tag."
            )
        return word - 1, tag - 1 if self._tagged else None, [c - 1 for c in self.wanted.feature_columns]


def tagged_files(
    source: TaggedSource | Sequence[TaggedSource], endings: Sequence[str] = FILE_ENDINGS
) -> list[TaggedSource]:
    """Give the files that a source means: itself, several, or of a folder those that end as such files do.

    Raises
    ------
    DataError
        If a folder has none.
    """
    if isinstance(source, Sequence) and not isinstance(source, str):
        return [file for one in source for file in tagged_files(one, endings)]
    if not isinstance(source, str | os.PathLike):
        return [source]
    path = Path(source)
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.suffix in endings and file.is_file())
    if not files:
        raise DataError(
            f"{path}: expected a folder with files that end in {', '.join(endings)}, found none.\n"
            "  Name the files themselves if they end otherwise."
        )
    return list(files)


def _cut(field: str, separator: str) -> tuple[str, str]:
    """Cut word and tag at the last separator that has no backslash before it; both are empty without one."""
    place = field.rfind(separator)
    while place > 0 and field[place - 1] == "\\":
        place = field.rfind(separator, 0, place)
    if place < 1:
        return "", ""
    word, tag = field[:place], field[place + len(separator) :]
    return word.replace(f"\\{separator}", separator), tag.replace(f"\\{separator}", separator)
