"""From whatever tagged data lie in to sequences: files, built-in data, lists of tokens and of tags."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from noria.data.python_tokens import python_tags, python_windows
from noria.data.tag_layout import AUTO
from noria.data.tagged import TaggedFile, tagged_files
from noria.data.tagged_sequence import TaggedSequence
from noria.data.text import read_text
from noria.errors import DataError
from noria.models.tag.options import PYTHON, TaggerOptions

Tokens: TypeAlias = str | Sequence[str]
TagData: TypeAlias = Any
"""A file or several, a folder, built-in data, sequences of tokens with (or as a pair with) those of tags."""

PYTHON_ENDING = ".py"


@dataclass(frozen=True)
class TaggedData:
    """Sequences that have been read.

    Attributes
    ----------
    groups : list of lists of TaggedSequence
        What must not be torn apart into different parts: the sequences of a file of Python; else each alone.
    source : str
    layout : str
        Of the files; empty where there were none.
    columns : tuple of (int, bool)
        How many those in columns have, else 0; whether tabs stand between them.
    notes : tuple of str
    """

    groups: list[list[TaggedSequence]]
    source: str
    layout: str = ""
    notes: tuple[str, ...] = ()
    columns: tuple[int, bool] = (0, False)

    @property
    def sequences(self) -> list[TaggedSequence]:
        """All of them, in order."""
        return [sequence for group in self.groups for sequence in group]


def read_tagged(data: TagData, tags: TagData, options: TaggerOptions, *, tagged: bool = True) -> TaggedData:
    """Read tagged sequences from files, or take those that are there.

    Parameters
    ----------
    data : path, sequence of paths, pair, or sequence of tokens, strings or TaggedSequence
        A string alone is the name of a file; a tuple of two is tokens and tags.
    tags : sequence of sequences of str, optional
        Those of tokens that are there.
    options : TaggerOptions
    tagged : bool, default True
        Whether tags are needed.

    Raises
    ------
    DataError
        If nothing is there, a sequence is empty, has not a tag for each token, or a file is not as it should
        be.
    """
    if tags is None and isinstance(data, tuple) and len(data) == 2 and not _are_paths(data):
        data, tags = data
    if tags is None and (isinstance(data, str | os.PathLike) or _are_paths(data)):
        found = _of_files(data, options, tagged=tagged)
    else:
        found = TaggedData([[one] for one in sequences_of(data, tags, tagged=tagged)], "sequences")
    if not found.groups:
        raise DataError(f"{found.source}: expected sequences of tokens, got none.")
    if len({isinstance(one.tokens, str) for one in found.sequences}) > 1:
        raise DataError(
            f"{found.source}: expected strings of characters or lists of words, got both.\n"
            "  A sequence of words is a list, even of one word."
        )
    return found


def sequences_of(data: Any, tags: Any = None, *, tagged: bool = True) -> list[TaggedSequence]:
    """Check tokens, and their tags where these are needed, and give them as sequences."""
    if isinstance(data, str) or not isinstance(data, Iterable):
        raise DataError(
            f"expected a list of sequences of tokens, got {type(data).__name__}.\n"
            "  One sequence is a list of its own: predict([tokens])."
        )
    items = list(data)
    answers = [None] * len(items) if tags is None else list(tags)
    if len(answers) != len(items):
        raise DataError(f"expected tags for {len(items):,} sequences, got those of {len(answers):,}.")
    pairs = zip(items, answers, strict=True)
    return [_sequence(item, answer, place, tagged) for place, (item, answer) in enumerate(pairs)]


def _sequence(item: Any, answer: Any, place: int, tagged: bool) -> TaggedSequence:
    where = f"sequence {place}"
    if isinstance(item, TaggedSequence):
        return item
    tokens = item if isinstance(item, str) else list(item) if isinstance(item, Iterable) else []
    if not len(tokens):
        raise DataError(f"{where}: expected tokens, got {item!r:.60}.\n  Leave empty sequences out.")
    wrong = [token for token in tokens if not isinstance(token, str) or not token]
    if wrong:
        raise DataError(f"{where}: expected tokens that are strings and not empty, got {wrong[0]!r}.")
    if answer is None:
        if tagged:
            raise DataError(f"{where}: expected a tag for each token, got none.\n  Pass y.")
        return TaggedSequence(tokens, None, None, where)
    own = [str(tag) for tag in answer]
    if len(own) != len(tokens) or "" in own:
        raise DataError(
            f"{where}: expected a tag for each of {len(tokens)} tokens, got {len(own)}"
            f"{', one of them empty' if '' in own else ''}."
        )
    return TaggedSequence(tokens, own, None, where)


def _of_files(data: Any, options: TaggerOptions, *, tagged: bool) -> TaggedData:
    sources = [data] if isinstance(data, str | os.PathLike) else list(data)
    endings = (PYTHON_ENDING,) if options.layout == PYTHON else None
    files = [file for one in sources for file in tagged_files(one, *([endings] if endings else []))]
    name = str(files[0]) if len(files) == 1 else f"{len(files)} files, {files[0]} to {files[-1]}"
    if options.layout == PYTHON or (options.layout == AUTO and _is_python(files)):
        groups = [python_sequences(Path(str(file))) for file in files]
        if len(groups) < 3:  # too few for three parts
            groups = [[sequence] for group in groups for sequence in group]
        return TaggedData(groups, name, PYTHON)
    read: list[list[TaggedSequence]] = []
    notes: dict[str, None] = {}
    layout, columns = "", (0, False)
    for file in files:
        opened = TaggedFile(file, options.tag_layout, tagged=tagged)
        read += [[sequence] for sequence in opened]
        notes.update(dict.fromkeys(opened.notes))
        layout, columns = (opened.layout, opened.columns) if opened.layout else (layout, columns)
    return TaggedData(read, name, layout, tuple(notes), columns)


def python_sequences(file: Path) -> list[TaggedSequence]:
    """Cut a file of Python into tagged sequences of characters."""
    source = read_text(file).text
    found: list[TaggedSequence] = []
    line = 1
    for text, tags in python_windows(source, python_tags(source, str(file))):
        found.append(TaggedSequence(text, tags, None, f"{file}, line {line}"))
        line += text.count("\n")
    return found


def _is_python(files: Sequence[Any]) -> bool:
    return all(Path(str(file)).suffix == PYTHON_ENDING for file in files)


def _are_paths(data: Any) -> bool:
    return isinstance(data, Sequence) and bool(data) and all(isinstance(one, os.PathLike) for one in data)
