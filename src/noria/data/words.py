r"""Cutting a text into words, so that the pieces put together are the text again.

The cuts are those of Unicode's word boundaries, except that a single space belongs to what comes after it:
``The cat's 3,000 mice.`` is ``The``, `` cat's``, `` 3,000``, `` mice``, ``.``. A model then predicts one
thing for each word, not two, and nothing has to be known to put the text together again.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

_MARKED = (range(0xAD, 0x20000), range(0xE0000, 0xE0200))  # where marks are
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_ALONE = (  # letters that are words of their own
    range(0x0E01, 0x0EE0),  # Thai, Lao
    range(0x1000, 0x10A0),  # Myanmar
    range(0x1780, 0x17DD),  # Khmer
    range(0x3041, 0x30A0),  # Hiragana
    range(0x3400, 0xA000),  # ideographs
    range(0xF900, 0xFB00),
    range(0x20000, 0x32400),
)
CHUNK = 1 << 20  # characters cut together, so that the pieces of a big text are never all in memory


def segment(text: str) -> Iterator[list[str]]:
    r"""Cut ``text`` into words, punctuation and white space, a list for each million characters or so.

    The rules are those of Unicode Standard Annex 29 that matter in NFC: letters, digits, connectors and
    their marks stay together, also across an apostrophe, period or colon between letters and a comma or
    period between digits (WB5 to WB13); marks, joiners, skin tones and pairs of regional letters stay with
    what comes before (WB3c, WB4, WB15); an ideograph, a Hiragana letter or one of a script without spaces
    (Thai, say) is a word of its own (WB999). A newline is a piece, other white space is one in runs (WB3d);
    the last space before something else goes with it.

    References
    ----------
    Unicode Standard Annex 29, section 4.
    """
    cut = _pattern().findall
    start = 0
    while start < len(text):
        newline = text.find("\n", start + CHUNK)  # nothing reaches across a newline
        end = len(text) if newline < 0 else newline + 1
        yield cut(text if end - start == len(text) else text[start:end])
        start = end


@cache
def _pattern() -> re.Pattern[str]:
    mark = _class(
        code
        for part in _MARKED
        for code in part
        if unicodedata.category(chr(code)) in {"Mn", "Mc", "Me", "Cf"} or code in _SKIN_TONES
    )
    alone = _class(code for part in _ALONE for code in part if unicodedata.category(chr(code)) == "Lo")
    marks = f"[{mark}]*"
    single = f"[{alone}]"
    letter = rf"[^\W\d_{alone}]"
    part = rf"[^\W{alone}]{marks}"
    after_letter = rf"(?<=[^\W\d_{alone}]|[{mark}])"
    in_letters = rf"{after_letter}[.:'\u00b7\u2018\u2019\u2024\u2027\u05f4]{marks}(?={letter})"
    in_digits = rf"(?<=\d)[.,;'\u2018\u2019\u2024\u066c\u037e]{marks}(?=\d)"
    word = f"(?:{part})+(?:(?:{in_letters}|{in_digits})(?:{part})+)*"
    flag = "[\U0001f1e6-\U0001f1ff]{2}" + marks
    other = rf"(?:[^\s\w]|{single}){marks}(?:(?<=\u200d)[^\s\w]{marks})*"
    blank = r"[^\S\n]"
    common = "[A-Za-z]+(?=[ \\n,])"  # nothing but speed: what most words are
    return re.compile(rf" ?(?:{common}|{word}|{flag}|{other})|\n|{blank}+(?!\S)|{blank}+")


def _class(codes: Iterable[int]) -> str:
    """Write rising code points as the ranges of a character class."""
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
