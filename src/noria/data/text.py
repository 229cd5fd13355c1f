"""Reading a text: files, folders, bytes or strings become one string, and what was done to it is said."""

import difflib
import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from noria.data.encodings import decode
from noria.errors import DataError

LONGEST_PATH, LONGEST_NAME = 4096, 255
"""Of a file: characters of its path, bytes of a name in it. A string that is longer is the text itself."""


@dataclass(frozen=True)
class Text:
    r"""A text that has been read: NFC, lines ended by ``\n``.

    Attributes
    ----------
    text : str
        The characters.
    source : str
        Where they come from, for people to read.
    encoding : str
        The encoding of the file as detected or asked for; of several files, all that occur; of a string,
        ``"str"``.
    notes : tuple of str
        What was done to the text on the way: a guessed encoding, normalised letters, line ends.
    """

    text: str
    source: str = "text"
    encoding: str = "str"
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.text)


TextSource = str | bytes | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Text
"""What :func:`read_text` reads."""


def read_text(source: TextSource, *, encoding: str | None = None) -> Text:
    r"""Read one text from wherever it is.

    Parameters
    ----------
    source : path, str, bytes, sequence of paths, or Text
        A file; a folder, whose ``.txt`` files are read in the order of their names; several files; the bytes
        of a file; or the text itself. Several files are joined by a blank line. A string with a newline in
        it, or one longer than 4,096 characters, is a text; any other string is the name of a file or folder.
        A :class:`Text` is passed on as it is.
    encoding : str, optional
        The encoding of the files. Left out, each is detected: a byte order mark, strict UTF-8, then a guess,
        which a note says.

    Returns
    -------
    text : Text
        Normalised to NFC, so that ``ñ`` is one character however it was typed, and with ``\n`` at the ends of
        its lines. Nothing else is changed and no byte is dropped; the notes say what was done.

    Raises
    ------
    DataError
        If a file is missing, empty, unreadable or binary, a folder holds no text, or the encoding does not
        fit: says where.
    """
    match source:
        case Text():
            return source
        case bytes() | bytearray() | memoryview():
            return _finish(*_decoded(bytes(source), "bytes", encoding))
        case str() if not source:
            raise DataError("expected a text, or the name of a file, got an empty string.")
        case str() if is_no_path(source):
            return _of_string(source)
        case str() | os.PathLike():
            return _of_paths([Path(source)], encoding)
        case _:
            return _of_paths([_path(path) for path in source], encoding)


def is_no_path(source: str) -> bool:
    """Whether a string is a text itself: it has several lines, or more characters than a path can have."""
    longest = max(len(part.encode("utf-8", "surrogatepass")) for part in re.split(r"[/\\]", source))
    return "\n" in source or len(source) > LONGEST_PATH or longest > LONGEST_NAME


def read_lines(source: TextSource, *, encoding: str | None = None) -> list[str]:
    """Read a text in which every line is a sequence of its own; blank lines are left out.

    Parameters
    ----------
    source, encoding
        As for :func:`read_text`.

    Returns
    -------
    list of str
        The lines without their ends.
    """
    text = read_text(source, encoding=encoding)
    lines = [line for line in text.text.split("\n") if line.strip()]
    if not lines:
        raise DataError(f"{text.source}: expected at least one line that is not blank, got none.")
    return lines


def _of_string(text: str) -> Text:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(
            f"text: expected characters, got half of a surrogate pair at character {error.start:,}.\n"
            "  It was decoded with errors='surrogateescape' or cut inside a UTF-16 pair: pass the bytes."
        ) from None
    return _finish(text, "text", "str", [])


def _of_paths(paths: list[Path], encoding: str | None) -> Text:
    if not paths:
        raise DataError("expected at least one file to read, got an empty list.")
    files = [file for path in paths for file in _files(path)]
    source = str(paths[0]) if len(paths) == 1 else f"{len(paths)} files, {paths[0]} to {paths[-1]}"
    if len(files) == 1:
        return _finish(*_decoded(_bytes_of(files[0]), str(files[0]), encoding))
    texts, encodings, notes = [], [], []
    for file in files:
        text, _, name, said = _decoded(_bytes_of(file), str(file), encoding)
        texts.append(text)
        encodings.append(name)
        notes += [f"{file.name}: {note}" for note in said]
    notes.insert(0, f"{len(files):,} files joined by a blank line, {files[0].name} to {files[-1].name}")
    return _finish("\n\n".join(texts), source, ", ".join(sorted(set(encodings))), notes)


def _path(item: object) -> Path:
    if not isinstance(item, str | os.PathLike):
        raise DataError(
            f"expected a path, several paths, bytes or a text, got {type(item).__name__} in a list."
        )
    return Path(item)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*.txt") if file.is_file())
        if not files:
            raise DataError(
                f"{path}: expected a folder with .txt files in it, found none.\n"
                "  Name the files themselves if they end otherwise."
            )
        return files
    if not path.exists():
        raise DataError(
            f"{missing_file(path)}\n"
            "  A short string without a newline is the name of a file;\n"
            "  in Python, noria.data.Text(...) says of any string that it is the text itself."
        )
    return [path]


def missing_file(path: Path) -> str:
    """Write the message for a file that is not there; names the nearest one beside it."""
    try:
        beside = [file.name for file in path.parent.iterdir()]
    except OSError:
        beside = []
    near = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.75)
    hint = f" Did you mean {str(path.with_name(near[0]))!r}?" if near else ""
    return f"no such file: {str(path)!r}.{hint}"


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except PermissionError:
        raise DataError(f"{path}: expected a readable file, got: permission denied.") from None
    except OSError as error:
        raise DataError(f"{path}: could not be read: {error.strerror or error}.") from None


def _decoded(raw: bytes, source: str, encoding: str | None) -> tuple[str, str, str, list[str]]:
    if not raw:
        raise DataError(f"{source}: expected text, got an empty file (0 bytes).")
    decoded = decode(raw, source, encoding)
    return decoded.text, source, decoded.encoding, list(decoded.notes)


def normalised(text: str) -> str:
    r"""Give ``text`` as every reader of Noria sees it: NFC, lines ended by ``\n``."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", text)  # returns the text itself where nothing changes


def _finish(text: str, source: str, encoding: str, notes: list[str]) -> Text:
    if not text:
        raise DataError(f"{source}: expected text, got no characters.")
    ends = text.count("\r")
    clean = normalised(text)
    if ends:
        notes.append(f"{ends:,} line ends written with a carriage return became \\n")
    if not unicodedata.is_normalized("NFC", text):
        before = len(text) - text.count("\r\n")
        notes.append(f"normalised to NFC: {before:,} characters became {len(clean):,}")
    return Text(clean, source, encoding, tuple(notes))
