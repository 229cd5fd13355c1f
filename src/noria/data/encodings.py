"""Which characters the bytes of a file mean: marks, then strict UTF-8, then a guess, which is said aloud."""

import codecs
import io
from dataclasses import dataclass

from noria.errors import DataError

_MARKS = (  # UTF-32 before UTF-16: its little-endian mark begins with the other's
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32 with a byte order mark"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32 with a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16 with a byte order mark"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16 with a byte order mark"),
)
_COMMON = (
    "cp1252",
    "latin_1",
)  # old western files are nearly always these: they win where the evidence is equal
_EVIDENCE = 1 << 20  # bytes of lines with accents that the guess looks at; more does not make it better


@dataclass(frozen=True)
class Decoded:
    """Characters, the name of the encoding that gave them, and what a reader should be told about it."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def decode(raw: bytes, source: str, encoding: str | None = None) -> Decoded:
    """Turn bytes into characters without losing one.

    Parameters
    ----------
    raw : bytes
        The whole file.
    source : str
        What to call it in messages.
    encoding : str, optional
        The encoding to use. Left out, it is detected: a byte order mark, strict UTF-8, then a guess from the
        bytes.

    Raises
    ------
    DataError
        If the bytes are not text, or not in the encoding that was asked for: says which byte, in which line.
    """
    if encoding is not None:
        return _decode_as(raw, source, encoding)
    for mark, codec, name in _MARKS:
        if raw.startswith(mark):
            return Decoded(_strictly(raw, source, codec, name), name)
    if (offset := raw.find(b"\0")) >= 0:
        raise DataError(
            f"{source}: expected text, got a binary file: byte {offset:,} is NUL.\n"
            "  If it is UTF-16 or UTF-32 without a byte order mark, name it: encoding='utf-16-le', for one."
        )
    try:
        return Decoded(raw.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError as error:
        return _guess(raw, source, error)


def _decode_as(raw: bytes, source: str, encoding: str) -> Decoded:
    try:
        codec = codecs.lookup(encoding)
        "".encode(codec.name)  # refuses codecs such as 'hex' that do not give characters
    except LookupError:
        raise DataError(
            f"{source}: there is no text encoding named {encoding!r}.\n"
            "  Common ones: utf-8, utf-16, latin-1, cp1252, cp1251, shift_jis, gb18030."
        ) from None
    if codec.name == "utf-8":
        codec = codecs.lookup("utf-8-sig")  # a mark is no character of the text
    text = _strictly(raw, source, codec.name, encoding)
    if (offset := text.find("\0")) >= 0:
        raise DataError(
            f"{source}: expected {encoding}, got a NUL at character {offset:,}.\n"
            "  The file is binary, or its encoding has two or four bytes a character: utf-16-le, for one."
        )
    return Decoded(text, encoding)


def _strictly(raw: bytes, source: str, codec: str, name: str) -> str:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError as error:
        skipped = codec == "utf-8-sig" and raw.startswith(codecs.BOM_UTF8)
        start = error.start + skipped * len(codecs.BOM_UTF8)
        raise DataError(
            f"{source}: expected {name}, got bytes that are not: {_where(raw, start)} ({error.reason}).\n"
            "  Name the encoding that it was written in, or leave encoding out to have it detected."
        ) from None


def _guess(raw: bytes, source: str, utf8: UnicodeDecodeError) -> Decoded:
    """Ask charset_normalizer about the lines that are not plain ASCII, then decode everything, strictly."""
    from charset_normalizer import from_bytes

    evidence = bytearray()
    for line in io.BytesIO(raw):
        if not line.isascii():
            evidence += line[:_EVIDENCE]
            if len(evidence) >= _EVIDENCE:
                break
    matches = list(from_bytes(bytes(evidence)))
    if matches:
        best = matches[0]
        equal = {m.encoding for m in matches if m.chaos <= best.chaos and m.coherence >= 0.9 * best.coherence}
        favourites = [name for name in _COMMON if name in equal]
        for name in dict.fromkeys([*favourites, *(m.encoding for m in matches), *favourites, "latin_1"]):
            try:
                text = raw.decode(name)
            except UnicodeDecodeError:
                continue
            if _looks_binary(text):
                break
            note = f"read as {name}, which is a guess: not UTF-8 because of {_where(raw, utf8.start)}"
            return Decoded(text, name, (note,))
    raise DataError(
        f"{source}: expected text, got bytes that are text in no known encoding.\n"
        f"  Not UTF-8 because of {_where(raw, utf8.start)}.\n"
        "  If it is text, name its encoding with encoding=..."
    )


def _looks_binary(text: str) -> bool:
    """Tell whether more than a fiftieth of the characters are controls that no text holds."""
    codes = (*range(1, 9), *range(14, 27), *range(28, 32), *range(127, 133), *range(134, 160))
    return sum(text.count(chr(code)) for code in codes) * 50 > len(text)


def _where(raw: bytes, start: int) -> str:
    line = raw.count(b"\n", 0, start) + 1
    return f"byte 0x{raw[start]:02x} at offset {start:,}, line {line:,}"
