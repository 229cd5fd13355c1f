"""Tagged tokens for a reader: in columns, or in colour."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from noria.data.python_tokens import COMMENT, KEYWORD, NAME, NUMBER, OPERATOR, STRING, WHITESPACE

STYLES = {
    COMMENT: "italic bright_black",
    KEYWORD: "bold magenta",
    NAME: "default",
    NUMBER: "cyan",
    OPERATOR: "yellow",
    STRING: "green",
    WHITESPACE: "default",
}
"""Colours of the types of token of Python source."""
PALETTE = ("cyan", "magenta", "yellow", "green", "blue", "red")
"""Colours of other tags, in their order, over and over."""


def in_columns(row: Mapping[str, Any]) -> str:
    """Write a token and its tag on each line, with a blank line at the end, as tagged files have it."""
    pairs = zip(_tokens(row), row["tags"], strict=True)
    return "".join(f"{token}\t{tag}\n" for token, tag in pairs)


def in_colour(row: Mapping[str, Any], tags: Sequence[str]) -> str:
    """Write characters in the colours of their tags; words with their tags behind them.

    Parameters
    ----------
    row : mapping
        As ``predict_rows`` gives it.
    tags : sequence of str
        All tags of the model.
    """
    from rich.markup import escape

    styles = {tag: STYLES.get(tag, PALETTE[place % len(PALETTE)]) for place, tag in enumerate(tags)}
    pairs = list(zip(_tokens(row), row["tags"], strict=True))
    if "text" not in row:
        return " ".join(f"{escape(word)}[{styles[tag]}]/{escape(tag)}[/]" for word, tag in pairs)
    runs = [
        (tag, "".join(token for token, _ in run)) for tag, run in groupby(pairs, key=lambda pair: pair[1])
    ]
    return "".join(f"[{styles[tag]}]{escape(text)}[/]" for tag, text in runs)


def _tokens(row: Mapping[str, Any]) -> Sequence[str]:
    tokens: Sequence[str] = row["text"] if "text" in row else row["tokens"]
    return tokens
