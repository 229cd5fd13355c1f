"""Python source: the type of token of each character. Learnt, it is a syntax highlighter."""

import sysconfig
from pathlib import Path

from noria.data.builtin_tasks.parts import BuiltinParts, drawing
from noria.data.python_tokens import python_tags, python_windows
from noria.data.text import normalised
from noria.errors import DataError

SIZES = {"train": 2_500_000, "validation": 150_000, "test": 300_000}
"""Characters in each part, about."""
LONGEST, LARGEST_FILE = 8_000, 200_000
"""Characters beyond which a sequence, and a file, are left out."""
_LEFT_OUT = frozenset(
    {"test", "tests", "idle_test", "encodings", "site-packages", "dist-packages", "lib2to3", "pydoc_data"}
)
"""Tests; what is no part of the library; files that are alike, or hardly any code."""

Tagged = tuple[list[str], list[list[str]]]


def code_tokens(seed: int) -> BuiltinParts:
    """Cut files of the standard library into sequences of characters, tagged as `python_tags` does.

    The parts share no file and no sequence. Which files there are depends on the version of Python.

    Raises
    ------
    DataError
        If this Python has no source of its standard library.
    """
    files = _files()
    order = [files[index] for index in drawing(seed, "train").permutation(len(files))]
    parts: dict[str, Tagged] = {}
    count, seen = 0, set[str]()
    for name, size in reversed(SIZES.items()):  # first what is tested on, whatever the size of the rest
        texts: list[str] = []
        tags: list[list[str]] = []
        while order and sum(map(len, texts)) < size:
            fresh = [pair for pair in _sequences(order.pop()) if pair[0] not in seen]
            texts += [text for text, _ in fresh]
            tags += [of_text for _, of_text in fresh]
            count += 1
        seen.update(texts)
        parts[name] = texts, tags
    if not parts["train"][0]:
        raise DataError(f"code-tokens: expected Python files in {_library()}, found {len(files)}.")
    source = f"Python's standard library ({count} of {len(files)} files)"
    return BuiltinParts(parts["train"], source, parts["validation"], parts["test"])


def _library() -> Path:
    return Path(sysconfig.get_path("stdlib"))


def _files() -> list[Path]:
    library = _library()
    return sorted(
        path
        for path in library.rglob("*.py")
        if not _LEFT_OUT & set(path.relative_to(library).parts) and 0 < path.stat().st_size < LARGEST_FILE
    )


def _sequences(path: Path) -> list[tuple[str, list[str]]]:
    """Cut a file into tagged sequences; one that is not Python in UTF-8 has none."""
    try:
        source = normalised(path.read_text("utf-8"))
        tags = python_tags(source, str(path))
    except (DataError, UnicodeDecodeError):
        return []
    return [(text, list(own)) for text, own in python_windows(source, tags) if len(text) <= LONGEST]
