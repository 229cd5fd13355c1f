"""What can be told of a symbol of a text besides which one it is: its shape, its place in line and word.

All of it follows from what has been read, so that it is known while a model writes, too.
"""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from noria.arrays import Array, Float
from noria.data.vocabulary import Vocabulary
from noria.layers.symbol_features import Count
from noria.training.token_options import IN_LINE, IN_WORD, SHAPE

LONGEST = {IN_LINE: 120, IN_WORD: 20}
"""Symbols up to which places are told."""
CENTRES = {IN_LINE: 16, IN_WORD: 6}
"""Features of a place."""
RESOLUTION = {IN_LINE: 4, IN_WORD: 1}
"""Places that are told alike: the state can count, and symbols with their features come again more often."""


class TextFeatures(NamedTuple):
    """The features of symbols, and of what is counted, as :class:`noria.layers.SymbolFeatures` has them."""

    table: Float[Array, "V F"]
    counts: tuple[Count, ...]


def text_features(vocabulary: Vocabulary, names: Sequence[str]) -> TextFeatures | None:
    """Make the features that are named of the symbols of a vocabulary; None where none is named.

    Parameters
    ----------
    vocabulary : Vocabulary
    names : sequence of str
        ``"shape"``: seven answers on each symbol, 1 or 0: has letters, begins with upper case, is all upper
        case, has digits, is white space, has punctuation, begins with a space. ``"line"``: how many symbols
        came since the last newline, or in the sequence, in fours; ``"word"``: how many since the last one
        that belongs to no word.
    """
    if not names:
        return None
    symbols, special = vocabulary.symbols, vocabulary.first_id
    table = np.zeros((len(symbols), 0))
    if SHAPE in names:
        table = np.array([_shape(symbol) for symbol in symbols], dtype=np.float64)
        table[:special] = 0.0
    counts = tuple(_count(symbols, special, name) for name in LONGEST if name in names)
    return TextFeatures(table, counts)


def _count(symbols: Sequence[str], special: int, name: str) -> Count:
    """Count from the last symbol that begins a line or a word; the end of a sequence begins both."""
    begins = _begins_line if name == IN_LINE else _begins_word
    first = [place > 0 for place in range(special)]  # <unk> is the first of them
    resets = np.array([*first, *map(begins, symbols[special:])])
    return Count(resets, _hats(LONGEST[name], CENTRES[name], RESOLUTION[name]))


def _shape(symbol: str) -> tuple[bool, ...]:
    text = symbol.strip()
    return (
        any(map(str.isalpha, text)),
        text[:1].isupper() or text[:1].istitle(),
        len(text) > 1 and text.isupper(),
        any(map(str.isdigit, text)),
        not text,
        any(unicodedata.category(character)[0] in "PS" for character in text),
        bool(text) and symbol[0].isspace(),
    )


def _begins_line(symbol: str) -> bool:
    return symbol.endswith("\n")


def _begins_word(symbol: str) -> bool:
    return symbol[0].isspace() or not (symbol[-1].isalnum() or unicodedata.category(symbol[-1])[0] == "M")


def _hats(longest: int, count: int, resolution: int) -> Float[Array, "L F"]:
    """Give features of places: at each centre one is 1 and the others are 0, between two both share."""
    middles = np.arange(longest + 1) // resolution * resolution + resolution // 2
    places = np.minimum(middles, longest)[:, None]
    centres = np.linspace(0.0, longest, count)
    return np.asarray(np.maximum(0.0, 1.0 - np.abs(places - centres) / centres[1]))
