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
from io import BufferedIOBase
from itertools import chain
from pathlib import Path
from typing import TextIO, TypeAlias

from noria.data.lines import Lines
from noria.data.tag_layout import AUTO, COLUMNS, PLAIN, SHOWN, SLASHED, TagLayout, is_conll_u
from noria.data.tagged_guess import TrainedColumns, expected
from noria.data.tagged_sequence import TaggedSequence
from noria.errors import DataError

FILE_ENDINGS = (".conll", ".conllu", ".iob", ".iob2", ".bio", ".iobes", ".tsv", ".tag", ".pos", ".txt")
"""What files of tagged sequences end in; only these are read of a folder."""

_RANGE = re.compile(r"\d+[-.]\d+")
"""The ids of words of several tokens, and of none, in CoNLL-U."""

TaggedSource: TypeAlias = str | os.PathLike[str] | BufferedIOBase | TextIO


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
            self._word, self._tag, self._features = self.wanted.columns_of(
                fields, self.source, by_tab=self._by_tab, tagged=self._tagged
            )
            if self._trained and self._by_tab and not self._trained.is_row(self._count):
                raise DataError(
                    f"{self.source}: expected {self._trained.count} columns, as the training file has, got "
                    f"{self._count}: {line.strip()[:SHOWN]!r}.\n{expected(self._trained.count, self.source)}"
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
                    f"got {len(fields)}: {line.strip()[:SHOWN]!r}.\n" + self._written
                )
            if self._is_sentence(line):
                raise DataError(
                    f"{self.source}, line {number}: expected {self._count} columns with a tag of the model, "
                    f"got {line.strip()[:SHOWN]!r}.\n{self._written}"
                )
            if is_conll_u(self._count, self._by_tab) and _RANGE.fullmatch(fields[0]):
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
        word, tag = self.wanted.cut(field)
        if not word or not tag:
            raise DataError(
                f"{where}, column {line.index(field) + 1}: expected word{self.wanted.separator}tag, got "
                f"{field!r}."
            )
        return word, tag

    def _is_comment(self, line: str, by_tab: bool) -> bool:
        mark = self.wanted.comment
        return bool(mark) and line.startswith(mark) and not (by_tab and "\t" in line)

    def _fields(self, line: str) -> list[str]:
        if self._by_tab:
            return [field.strip() for field in line.rstrip("\r\n").split("\t")]
        return line.split()

    def _guessed(self, line: str, fields: list[str]) -> str:
        pairs = [self.wanted.cut(field) for field in fields]
        slashed = bool(fields) and not self._by_tab and all(all(pair) for pair in pairs)
        if slashed and (self._trained is None or self._trained.are_slashed(pairs)):
            return SLASHED
        return PLAIN if self._is_sentence(line) else self._fallback


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
