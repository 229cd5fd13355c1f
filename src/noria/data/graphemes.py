"""What a reader takes for one character: a letter with its accents, an emoji joined from several."""

import unicodedata
from collections.abc import Iterable, Iterator

_JOINER = "\N{ZERO WIDTH JOINER}"
_TONES = range(0x1F3FB, 0x1F400)  # skin tones
_TAGS = range(0xE0020, 0xE0080)  # the letters in the flags of regions
_FLAGS = range(0x1F1E6, 0x1F200)  # two of them make the flag of a country


def whole_characters(symbols: Iterable[str]) -> Iterator[str]:
    """Join a stream of code points into pieces that a terminal can show, none of them cut in the middle.

    Follows the rules of Unicode Standard Annex 29 that matter between code points in NFC: marks, joiners,
    skin tones, tags and pairs of regional letters stay with what comes before them. Each piece is handed on
    as soon as the symbol after it shows that it has ended.
    """
    piece = ""
    for symbol in symbols:
        if piece and not _continues(piece, symbol):
            yield piece
            piece = ""
        piece += symbol
    if piece:
        yield piece


def _continues(piece: str, symbol: str) -> bool:
    if symbol in "\n\r" or piece[-1] in "\n\r":
        return False
    code = ord(symbol)
    if unicodedata.category(symbol) in ("Mn", "Me", "Mc") or symbol == _JOINER:
        return True
    if code in _TONES or code in _TAGS:
        return True
    if piece[-1] == _JOINER:
        return unicodedata.category(symbol) == "So"  # the next part of an emoji
    return code in _FLAGS and len(piece) == 1 and ord(piece) in _FLAGS
