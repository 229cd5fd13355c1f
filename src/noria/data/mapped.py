"""A text too big to hold: its characters lie in a temporary file, four bytes each, and are read from there.

The file has no name and is gone when nobody reads it any more, however the process ends. It lies in the
folder that ``TMPDIR`` names, else in ``/var/tmp`` where there is one (``/tmp`` may be memory), else where
Python puts temporary files.
"""

import codecs
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from noria.arrays import Array, Int
from noria.data.characters import CharacterVocabulary, code_points
from noria.data.encodings import codec_named, mark_of
from noria.data.text import normalised
from noria.errors import DataError

LARGE = 64 << 20
"""Files of so many bytes and more are read in pieces."""
_BYTES = 8 << 20  # read together
_CODES = 1 << 21  # looked at together
_CODE_POINTS = 0x110000


def is_large(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a file that should be read in pieces."""
    place = Path(path)
    return place.is_file() and place.stat().st_size >= LARGE


@dataclass(frozen=True, eq=False)
class MappedText:
    """The code points of a text in a temporary file, behind room for one symbol.

    Attributes
    ----------
    file : binary file
    length : int
        Characters.
    source, encoding : str
    notes : tuple of str
        What was done to the text.
    """

    file: IO[bytes]
    length: int
    source: str
    encoding: str
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        weakref.finalize(self, self.file.close)

    def counts(self, begin: int, end: int) -> Int[Array, " codes"]:
        """Count each code point among the characters from `begin` to `end`."""
        counts = np.zeros(_CODE_POINTS, dtype=np.int64)
        for _, codes in self._pieces(begin, end):
            found = np.bincount(codes)
            counts[: len(found)] += found
        return counts

    def encoded(self, vocabulary: CharacterVocabulary, start: int) -> Int[Array, " N"]:
        """Put ids in the place of the code points, `start` before them; give them as a mapped array.

        The text itself is gone then: it can be encoded once.
        """
        for place, codes in self._pieces(0, self.length):
            self.file.seek(4 * (1 + place))
            self.file.write(vocabulary.ids_of_codes(codes).astype("<i4").tobytes())
        self.file.seek(0)
        self.file.write(np.array([start], dtype="<i4").tobytes())
        self.file.flush()
        ids = np.memmap(self.file, dtype=np.int32, mode="r", shape=(1 + self.length,))
        self.file.close()  # what is mapped stays
        return np.asarray(ids)

    def _pieces(self, begin: int, end: int) -> Iterator[tuple[int, Array]]:
        for place in range(begin, end, _CODES):
            self.file.seek(4 * (1 + place))
            raw = self.file.read(4 * min(_CODES, end - place))
            yield place, np.frombuffer(raw, dtype="<u4")


def map_text(path: str | os.PathLike[str], encoding: str | None = None) -> MappedText | None:
    """Read a file in pieces, as :func:`~noria.data.text.read_text` reads it: NFC, and line ends are newlines.

    Parameters
    ----------
    path : path
    encoding : str, optional
        Left out, a byte order mark or strict UTF-8.

    Returns
    -------
    MappedText or None
        None where the file is not UTF-8 and no encoding was named: to guess one, all of it has to be seen.

    Raises
    ------
    DataError
        If the file cannot be read, is empty or binary, or is not in the encoding that was named; if there is
        no room for the temporary file.
    """
    source = str(path)
    name = encoding
    codec = None if encoding is None else codec_named(encoding, source)
    stream = _nameless_file(source)
    try:
        with Path(path).open("rb") as file:
            if encoding is None:
                codec, name = mark_of(file.read(4))
                file.seek(0)
            pieces = _cut_safely(_decoded(file, codec or "utf-8", source))
            length, changed = _copied(pieces, stream, source)
        if not length:
            raise DataError(f"{source}: expected text, got no characters.")
    except UnicodeDecodeError as error:
        stream.close()
        if codec is None:
            return None
        raise DataError(
            f"{source}: expected {name}, got byte 0x{error.object[error.start]:02x} where it does not fit.\n"
            "  Name the right encoding, or leave it out to have it detected."
        ) from None
    except OSError as error:
        stream.close()
        raise DataError(f"{source}: could not be read: {error.strerror or error}.") from None
    except BaseException:
        stream.close()
        raise
    notes = [f"read in pieces; {4 * length / 1e6:,.0f} MB of symbols lie in a temporary file"]
    if changed:
        notes.append("line ends became \\n, and letters were normalised to NFC")
    return MappedText(stream, length, source, name or "UTF-8", tuple(notes))


def map_ids(pieces: Iterable[Int[Array, " _"]], source: str) -> Int[Array, " N"]:
    """Put ids that come in pieces one behind the other: a mapped array, for more of them than one would hold.

    Raises
    ------
    DataError
        If there is no room for the temporary file.
    """
    stream = _nameless_file(source)
    with stream:
        for ids in pieces:
            _write(stream, ids.astype("<i4").tobytes(), source)
        return np.asarray(np.memmap(stream, dtype=np.int32, mode="r"))


def _copied(pieces: Iterable[str], stream: IO[bytes], source: str) -> tuple[int, bool]:
    """Write code points behind room for one symbol; give how many, and whether normalising changed them."""
    _write(stream, bytes(4), source)
    length, changed = 0, False
    for piece in pieces:
        clean = normalised(piece)
        changed |= clean != piece
        _write(stream, code_points(clean).tobytes(), source)
        length += len(clean)
    return length, changed


def _write(stream: IO[bytes], codes: bytes, source: str) -> None:
    with _said_of_room(source):
        stream.write(codes)
        stream.flush()


def _nameless_file(source: str) -> IO[bytes]:
    folder = os.environ.get("TMPDIR") or ("/var/tmp" if os.path.isdir("/var/tmp") else None)
    with _said_of_room(source):
        return tempfile.TemporaryFile(dir=folder)


@contextmanager
def _said_of_room(source: str) -> Iterator[None]:
    """Say of a temporary file that cannot be written what it is for."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{source}: is read by way of a temporary file, which could not be written: "
            f"{error.strerror or error}.\n"
            "  It takes four bytes a character. The environment variable TMPDIR says in which folder."
        ) from None


def _decoded(file: IO[bytes], codec: str, source: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(codec)("strict")
    place = 0
    while raw := file.read(_BYTES):
        text = decoder.decode(raw)
        if (offset := text.find("\0")) >= 0:
            raise DataError(
                f"{source}: expected text, got a binary file: there is a NUL near byte {place + offset:,}."
            )
        place += len(raw)
        yield text
    yield decoder.decode(b"", final=True)


def _cut_safely(pieces: Iterable[str]) -> Iterator[str]:
    """Cut where normalising cannot reach across: before the last symbol of each piece that stands alone.

    A text without any such symbol is held whole.
    """
    held: list[str] = []
    for piece in pieces:
        alone = (place for place in range(len(piece) - 1, -1, -1) if _stands_alone(piece[place]))
        cut = next(alone, None)
        if cut is None:
            held.append(piece)
        else:
            if head := "".join((*held, piece[:cut])):
                yield head
            held = [piece[cut:]]
    if rest := "".join(held):
        yield rest


def _stands_alone(symbol: str) -> bool:
    """Tell whether nothing becomes one character with it that comes before: ASCII, and signs of East Asia.

    A newline is none of them, for a carriage return may come before it.
    """
    return (symbol < "\x80" and symbol != "\n") or "\u3400" <= symbol <= "\u9fff"
