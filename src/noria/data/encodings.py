"""Which characters the bytes of a file mean: marks, then strict UTF-8, then a guess, which is said aloud."""

import codecs
import io
import re
import string
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from noria.errors import DataError

_MARKS = (  # UTF-32 before UTF-16: its little-endian mark begins with the other's
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32 with a byte order mark"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32 with a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16 with a byte order mark"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16 with a byte order mark"),
)
_WESTERN = ("cp1252", "iso8859_15", "cp850", "mac_roman")
_LATIN = {  # the letters beyond ASCII of each language, by the encodings that its old files are written in
    _WESTERN: (
        "àâæçéèêëîïôœùûüÿ äöüß áéíñóúü àéèìíîòóù áâãàçéêíóôõúü åäöéà æøåéèòóô "
        "áéíóúýþðæö áéíóúëïöüè àçéèíïóòúü äõöüšž"
    ),
    ("cp1250", "iso8859_2"): "ąćęłńóśźż áčďéěíňóřšťúůýž áäčďéíĺľňóôŕšťúýž áéíóöőúüű čćđšž ăâîşţ",
    ("cp1254",): "çğıöşüâîû",
    ("cp1257",): "ąčęėįšųūž āčēģīķļņšūž",
}
_BEYOND = re.compile(r"[^\x00-\x7f]")
_SIGNS = frozenset("\u00a0«»‹›“”„‘’‚…–—•·¿¡§°ºª²³½¼¾×±€£©®™´")
# What other old files are written in; the rest is asked for only where none of these decodes.
_OTHERS = [
    *("cp1251", "koi8_r", "koi8_u", "iso8859_5", "cp866", "cp1125", "mac_cyrillic", "cp1253", "iso8859_7"),
    *("cp1255", "cp1256", "iso8859_6", "cp1258", "cp874", "cp932", "shift_jis_2004", "euc_jp"),
    *("euc_jis_2004", "iso2022_jp", "gb18030", "big5", "big5hkscs", "cp949", "euc_kr"),
    *("cp1252", "cp1250", "cp1254", "cp1257", "iso8859_2"),
]
_EVIDENCE = 1 << 20  # bytes of lines with accents that the guess looks at; more does not make it better
_LETTERS = 1 << 16  # the first of them, whose letters are compared with the alphabets
_KNOWN, _BETTER = 0.95, 0.02  # share of signs beyond ASCII that must fit an alphabet; and lead over cp1252


@dataclass(frozen=True)
class Decoded:
    """Characters, the name of the encoding that gave them, and what a reader should be told about it."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def mark_of(raw: bytes) -> tuple[str | None, str | None]:
    """Give the codec of the byte order mark at the beginning, and the name of the encoding for people."""
    return next(((codec, name) for mark, codec, name in _MARKS if raw.startswith(mark)), (None, None))


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
            "  If it is UTF-16 or UTF-32 without a byte order mark, name its encoding: utf-16-le, for one."
        )
    try:
        return Decoded(raw.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError as error:
        return _guess(raw, source, error)


def codec_named(encoding: str, source: str) -> str:
    """Give the name of the codec of an encoding that was asked for; that of UTF-8 leaves out a mark.

    Raises
    ------
    DataError
        If there is none, or it does not give characters.
    """
    try:
        codec = codecs.lookup(encoding)
        "".encode(codec.name)  # refuses codecs such as 'hex' that do not give characters
    except (LookupError, UnicodeError):
        raise DataError(
            f"{source}: there is no text encoding named {encoding!r}.\n"
            "  Common ones: utf-8, utf-16, latin-1, cp1252, cp1251, shift_jis, gb18030."
        ) from None
    return "utf-8-sig" if codec.name == "utf-8" else codec.name  # a mark is no character of the text


def _decode_as(raw: bytes, source: str, encoding: str) -> Decoded:
    text = _strictly(raw, source, codec_named(encoding, source), encoding)
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
    """Guess from the lines that are not plain ASCII, then decode everything, strictly."""
    evidence = bytearray()
    for line in io.BytesIO(raw):
        if not line.isascii():
            evidence += line[:_EVIDENCE]
            if len(evidence) >= _EVIDENCE:
                break
    for name in _candidates(bytes(evidence)):
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
        "  If it is text, name its encoding (cp1252 or shift_jis, for one)."
    )


def _candidates(evidence: bytes) -> Iterator[str]:
    """Give the encodings worth trying, the likeliest first."""
    from charset_normalizer import from_bytes

    part = evidence[:_LETTERS]
    fits = {name: _fit(part, name, words.split()) for names, words in _LATIN.items() for name in names}
    best = max(
        fits, key=lambda name: fits[name]
    )  # cp1252 where all are equal, as old files nearly always are
    beyond = len(evidence.translate(None, bytes(range(128))))
    letters = len(evidence) - len(evidence.translate(None, string.ascii_letters.encode()))
    if fits[best] >= _KNOWN and 2 * letters >= beyond:  # words written in Latin letters have plain ones, too
        yield "cp1252" if fits[best] - fits["cp1252"] < _BETTER else best
    if _is_hebrew(part):
        yield "cp1255"
    if _is_japanese(part):
        yield "euc_jp"
    matches = list(from_bytes(evidence, cp_isolation=_OTHERS)) or list(from_bytes(evidence))
    western = _LATIN[_WESTERN]  # several languages in one file
    if matches and _is_latin(str(matches[0])) and _fit(part, "cp1252", [western]) >= _KNOWN:
        yield "cp1252"
    yield from (match.encoding for match in matches)
    if matches:
        yield "cp1252"
        yield "latin_1"


def _fit(evidence: bytes, name: str, alphabets: list[str]) -> float:
    """Give the share of the characters beyond ASCII that one language, of those of an encoding, has there.

    A sign inside a word and a capital after a small letter do not count: that is how a wrong reading looks.
    """
    try:
        text = f" {evidence.decode(name)} "
    except UnicodeDecodeError:
        return 0.0
    letters: Counter[str] = Counter()
    total = signs = 0
    for match in _BEYOND.finditer(text):
        before, sign, after = text[match.start() - 1], match[0], text[match.end()]
        total += 1
        if sign.isalpha() and sign not in "ºª":
            letters[sign.lower() if sign != "İ" else "ı"] += not (sign.isupper() and before.islower())
        else:
            signs += sign in _SIGNS and (sign in "’·–—…" or not (before.isalpha() and after.isalpha()))
    known = max(sum(letters[letter] for letter in alphabet) for alphabet in alphabets)
    return (known + signs) / total if total else 0.0


def _is_latin(text: str) -> bool:
    """Tell whether most letters beyond ASCII are Latin ones."""
    letters = [sign for sign in text[:_LETTERS] if sign > "\x7f" and sign.isalpha()]
    return sum(sign < "\u0250" for sign in letters) * 2 > len(letters)


def _is_hebrew(evidence: bytes) -> bool:
    """Tell Hebrew from Cyrillic of the same bytes: its letters of the end of a word stand nowhere else."""
    text = f"{evidence.decode('cp1255', 'ignore')} "
    if sum("א" <= sign <= "ת" for sign in text) < 0.9 * sum(sign > "\x7f" for sign in text):
        return False
    finals = [text[match.end()] for match in re.finditer("[ךםןףץ]", text)]
    return bool(finals) and sum(after.isalpha() for after in finals) * 20 <= len(finals)


def _is_japanese(evidence: bytes) -> bool:
    """Tell Japanese in EUC-JP from Korean and Chinese of the same bytes: a fifth of it is kana."""
    try:
        text = evidence.decode("euc_jp", "ignore" if len(evidence) == _LETTERS else "strict")
    except UnicodeDecodeError:
        return False
    return sum("ぁ" <= sign <= "ヿ" for sign in text) * 5 > sum(sign > "\x7f" for sign in text)


def _looks_binary(text: str) -> bool:
    """Tell whether more than a fiftieth of the characters are controls that no text holds."""
    codes = (*range(1, 9), *range(14, 27), *range(28, 32), *range(127, 133), *range(134, 160))
    return sum(text.count(chr(code)) for code in codes) * 50 > len(text)


def _where(raw: bytes, start: int) -> str:
    line = raw.count(b"\n", 0, start) + 1
    return f"byte 0x{raw[start]:02x} at offset {start:,}, line {line:,}"
