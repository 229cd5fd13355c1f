"""The lines of a file, one after the other, however long the file is."""

import codecs
import io
import os
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, cast

from noria.data.encodings import codec_named, decode, mark_of
from noria.data.text import missing_file
from noria.errors import DataError

_BYTES = 1 << 20
_HEAD = 200  # lines


class Lines:
    r"""Gives the lines of a file with their ends, as often as asked; those of a stream once.

    The encoding is found before the first line is given: a byte order mark, strict UTF-8, then a guess, which
    a note says. Of a stream nothing can be known beforehand: it is UTF-8 unless an encoding is named.

    Parameters
    ----------
    file : path, or open file
        A file that is open already is a stream, of bytes or of characters; so is any iterable of lines.
    encoding : str, optional

    Attributes
    ----------
    source : str
        What it is called in messages.
    encoding : str
    notes : tuple of str

    Raises
    ------
    DataError
        If there is no such file, it cannot be read, is empty or binary, or is not in its encoding.
    """

    def __init__(
        self, file: str | os.PathLike[str] | io.BufferedIOBase | Iterable[str], *, encoding: str | None = None
    ) -> None:
        self.notes: tuple[str, ...] = ()
        self._stream: Iterator[str] | None = None
        if isinstance(file, str | os.PathLike):
            self._path = Path(file)
            self.source = str(self._path)
            self._find_encoding(encoding)
            return
        self.source = str(getattr(file, "name", "stream"))
        if isinstance(file, io.BufferedIOBase):
            self.encoding = encoding or "UTF-8"
            self._codec = codec_named(self.encoding, self.source)
            self._stream = self._decoded(file)
        else:
            self.encoding, self._stream = "str", iter(file)

    @property
    def is_stream(self) -> bool:
        """Whether the lines can be read once only."""
        return self._stream is not None

    def __iter__(self) -> Iterator[str]:
        return self._of_file() if self._stream is None else self._stream

    def head(self) -> list[str]:
        """Give the first lines; those of a stream come again when it is read."""
        if self._stream is None:
            return list(islice(self, _HEAD))
        # one that comes piece by piece is not waited for: a first line says enough
        first = list(islice(self._stream, 1))
        self._stream = chain(first, self._stream)
        return first

    def _find_encoding(self, encoding: str | None) -> None:
        with self._opened() as file:
            head = file.read(_BYTES)
            if not head:
                raise DataError(f"{self.source}: expected text, got an empty file (0 bytes).")
            if encoding is not None:
                self.encoding, self._codec = encoding, codec_named(encoding, self.source)
                return
            codec, name = mark_of(head)
            if codec is None and b"\0" in head:
                decode(head, self.source)  # says what is wrong
            if codec is not None or self._is_utf8(head, file):
                self.encoding, self._codec = name or "UTF-8", codec or "utf-8"
                return
        # only a guess needs to see everything at once
        with self._opened() as file:
            guessed = decode(file.read(), self.source)
        self.encoding, self._codec, self.notes = guessed.encoding, guessed.encoding, guessed.notes

    @staticmethod
    def _is_utf8(head: bytes, file: io.BufferedIOBase) -> bool:
        decoder = codecs.getincrementaldecoder("utf-8")("strict")
        try:
            while head:
                decoder.decode(head)
                head = file.read(_BYTES)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return True

    def _of_file(self) -> Iterator[str]:
        with self._opened() as file:
            yield from self._decoded(file)

    def _opened(self) -> io.BufferedReader:
        if not self._path.exists():
            raise DataError(missing_file(self._path))
        try:
            return self._path.open("rb")
        except OSError as error:
            raise DataError(f"{self.source}: could not be read: {error.strerror or error}.") from None

    def _decoded(self, file: io.BufferedIOBase) -> Iterator[str]:
        number = 0
        wrapped = io.TextIOWrapper(cast(IO[bytes], file), encoding=self._codec, errors="strict", newline="")
        try:
            for line in wrapped:
                number += 1
                if "\0" in line:
                    raise DataError(f"{self.source}, line {number}: expected text, got a binary file (NUL).")
                yield line
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.source}, after line {number}: expected {self.encoding}, got byte "
                f"0x{error.object[error.start]:02x} where it does not fit.\n  Name the right encoding."
            ) from None
        finally:
            wrapped.detach()  # who opened the file closes it
