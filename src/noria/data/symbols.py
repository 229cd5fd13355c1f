"""Symbols as people read them: characters by name and code point, words in quotation marks."""

import unicodedata
from collections.abc import Iterable


def describe_symbol(symbol: str) -> str:
    """Name a character by its code point too: ``'ñ' (U+00F1 LATIN SMALL LETTER N WITH TILDE)``.

    A word, or anything else of several characters, is shown as it is.
    """
    if len(symbol) != 1:
        return repr(symbol)
    name = unicodedata.name(symbol, "no name")
    shown = repr(symbol) if not unicodedata.combining(symbol) else f"'\u25cc{symbol}'"
    return f"{shown} (U+{ord(symbol):04X} {name})"


def describe_symbols(symbols: Iterable[str], most: int = 5) -> str:
    """Name several symbols, and how many more there are."""
    known = list(symbols)
    more = f" and {len(known) - most:,} more" if len(known) > most else ""
    return ", ".join(describe_symbol(symbol) for symbol in known[:most]) + more
