"""Pretrained vectors: what word2vec and GloVe write, or an array beside a list of words, for a vocabulary."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noria.arrays import Array, Float
from noria.data.vocabulary import Vocabulary
from noria.errors import DataError


@dataclass(frozen=True, eq=False)
class Vectors:
    """Vectors for the symbols of a vocabulary.

    Attributes
    ----------
    matrix : array of shape (V, E), float32
        A row for each symbol. Symbols without a vector are drawn from a normal distribution with the mean and
        spread of each column over those that have one.
    found : int
        Symbols that have a vector of their own, of `known`.
    known : int
        Symbols beside the special ones.
    missing : tuple of str
        Symbols that have none, in the order of their numbers.
    notes : tuple of str
        What a user should know: coverage, words that are in the file more than once.
    """

    matrix: Float[Array, "V E"]
    found: int
    known: int
    missing: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def coverage(self) -> float:
        """The share of the symbols that have a vector of their own."""
        return self.found / max(self.known, 1)


def read_vectors(
    path: str | os.PathLike[str],
    vocabulary: Vocabulary,
    rng: np.random.Generator,
    *,
    words: str | os.PathLike[str] | None = None,
) -> Vectors:
    r"""Read the vectors of the symbols of a vocabulary, and of no others.

    A symbol is looked for as it stands, without the space before it, and in lower case, in this order.

    Parameters
    ----------
    path : path
        A text in UTF-8 with a word and its numbers on each line, with or without word2vec's first line
        (number of vectors, width); or a ``.npy`` file, an array of shape (W, E).
    vocabulary : Vocabulary
    rng : numpy.random.Generator
        Draws the rows of symbols that have no vector.
    words : path, optional
        Of an array the words of its rows, one on each line; left out, the file of the same name that ends in
        ``.txt``.

    Returns
    -------
    Vectors

    Raises
    ------
    DataError
        If a line has another width than the first one, is not UTF-8 or no number; if the first line promises
        other counts than there are; if words and rows are not as many; if no symbol has a vector.
    """
    file = Path(path)
    wanted = _spellings(vocabulary)
    if file.suffix == ".npy":
        pairs, repeated = _of_array(file, Path(words) if words else file.with_suffix(".txt"), wanted)
    else:
        pairs, repeated = _of_text(file, wanted)
    matrix, missing = _filled(pairs, vocabulary, rng, file)
    found = vocabulary.known - len(missing)
    share = 100 * found / max(vocabulary.known, 1)
    notes = [f"{file.name}: vectors for {found:,} of {vocabulary.known:,} {vocabulary.kind} ({share:.1f} %)"]
    if repeated:
        notes.append(f"{file.name}: {repeated:,} words stand there more than once; the first one counts")
    return Vectors(matrix, found, vocabulary.known, tuple(missing), tuple(notes))


def _spellings(vocabulary: Vocabulary) -> set[str]:
    return {form for symbol in vocabulary.symbols[vocabulary.first_id :] for form in _forms(symbol)}


def _forms(symbol: str) -> tuple[str, ...]:
    """Give how a symbol may be written in a file of vectors, the best one first."""
    bare = symbol.strip() or symbol
    return tuple(dict.fromkeys((symbol, bare, bare.lower())))


def _filled(
    pairs: dict[str, Array], vocabulary: Vocabulary, rng: np.random.Generator, file: Path
) -> tuple[Array, list[str]]:
    if not pairs:
        raise DataError(
            f"{file}: expected vectors for some of {vocabulary.known:,} {vocabulary.kind}, got none.\n"
            "  Is it a file for another language, or for another level?"
        )
    own = np.stack(list(pairs.values()))
    # every row is drawn, so that what a symbol gets does not hang on which others have vectors
    drawn = rng.standard_normal((len(vocabulary), own.shape[1]))
    matrix = (own.mean(axis=0) + own.std(axis=0) * drawn).astype(np.float32)
    missing = []
    for place, symbol in enumerate(vocabulary.symbols[vocabulary.first_id :], vocabulary.first_id):
        form = next((form for form in _forms(symbol) if form in pairs), None)
        if form is None:
            missing.append(symbol)
        else:
            matrix[place] = pairs[form]
    return matrix, missing


def _of_text(file: Path, wanted: set[str]) -> tuple[dict[str, Array], int]:
    pairs: dict[str, Array] = {}
    width, promised, repeated, seen = 0, None, 0, 0
    for number, line in _lines(file):
        fields = line.rstrip(" ").split(" ")
        if number == 1 and len(fields) == 2 and all(field.isdigit() for field in fields):
            promised = int(fields[0])
            width = int(fields[1])
            continue
        width = width or len(fields) - 1
        if len(fields) <= width or width < 1:
            raise DataError(
                f"{file}, line {number}: expected {width or 'its'} numbers behind a word, "
                f"got {len(fields) - 1}.\n"
                "  Every line is a word and as many numbers as the first, with single spaces between."
            )
        word = " ".join(fields[:-width])  # some words of GloVe have spaces in them
        seen += 1
        if fields[0] in wanted and any(map(_is_number, fields[1:-width])):
            raise DataError(f"{file}, line {number}: expected {width} numbers, got {len(fields) - 1}.")
        if word not in wanted:
            continue
        if word in pairs:
            repeated += 1
            continue
        pairs[word] = _numbers(fields[-width:], file, number)
    if seen == 0:
        raise DataError(f"{file}: expected a word and its numbers on each line, got no line.")
    if promised is not None and promised != seen:
        raise DataError(
            f"{file}: the first line promises {promised:,} vectors, the file has {seen:,}.\n"
            "  It is not whole: copy it again, or take the first line out."
        )
    return pairs, repeated


def _of_array(file: Path, words: Path, wanted: set[str]) -> tuple[dict[str, Array], int]:
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{file}: expected an array in .npy format: {error}") from None
    if array.ndim != 2 or array.dtype.kind != "f":
        raise DataError(
            f"{file}: expected an array of floats of shape (words, width), got {array.dtype} {array.shape}."
        )
    listed = [line for _, line in _lines(words)]
    if len(listed) != len(array):
        raise DataError(
            f"{words}: expected {len(array):,} words, one for each row of {file.name}, got {len(listed):,}."
        )
    pairs: dict[str, Array] = {}
    repeated = 0
    for row, word in enumerate(listed):
        if word in pairs:
            repeated += 1
        elif word in wanted:
            pairs[word] = _finite(np.asarray(array[row], dtype=np.float32), file, f"row {row}")
    return pairs, repeated


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _numbers(fields: Sequence[str], file: Path, number: int) -> Array:
    try:
        values = np.array(fields, dtype=np.float32)
    except ValueError as error:
        raise DataError(f"{file}, line {number}: expected numbers behind the word: {error}.") from None
    return _finite(values, file, f"line {number}")


def _finite(values: Array, file: Path, place: str) -> Array:
    if not np.isfinite(values).all():
        raise DataError(f"{file}, {place}: expected finite numbers, got {values[~np.isfinite(values)][0]}.")
    return values


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Give the lines that are not empty, with their numbers; only what Unix calls a line end is one."""
    try:
        with file.open("rb") as stream:
            for number, raw in enumerate(stream, 1):
                line = raw.removesuffix(b"\n").removesuffix(b"\r")
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if line:
                    yield number, line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file}, line {number}: expected UTF-8, got byte 0x{error.object[error.start]:02x}.\n"
            "  Convert the file first; word2vec's binary format has to be written as text."
        ) from None
    except OSError as error:
        raise DataError(f"{file}: could not be read: {error.strerror or error}.") from None
