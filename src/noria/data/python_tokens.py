"""The type of token that each character of Python source belongs to, by the standard library's tokenizer."""

import io
import keyword
import token
import tokenize
from collections.abc import Iterator, Sequence

from noria.errors import DataError

COMMENT, KEYWORD, NAME, NUMBER, OPERATOR, STRING, WHITESPACE = (
    "comment",
    "keyword",
    "name",
    "number",
    "operator",
    "string",
    "whitespace",
)

WINDOW = 1_000
"""Characters of a piece, about: most docstrings begin and end within one."""

_TYPES = {
    token.COMMENT: COMMENT,
    token.NUMBER: NUMBER,
    token.OP: OPERATOR,
    token.STRING: STRING,
}
# From Python 3.12 on an f-string is not one token: from its beginning to its end it is a string all the same.
_BEGINS = {getattr(token, name) for name in ("FSTRING_START", "TSTRING_START") if hasattr(token, name)}
_ENDS = {getattr(token, name) for name in ("FSTRING_END", "TSTRING_END") if hasattr(token, name)}


def python_tags(source: str, name: str = "source") -> list[str]:
    r"""Tag each character of Python source.

    Parameters
    ----------
    source : str
        With ``\n`` at the ends of lines.
    name : str
        Of the file, for messages.

    Returns
    -------
    list of str
        ``"comment"``, ``"keyword"``, ``"name"``, ``"number"``, ``"operator"``, ``"string"`` or
        ``"whitespace"``, one for each character. White space is what stands between tokens: the ends of
        lines, indentation, a backslash that joins lines.

    Raises
    ------
    DataError
        If it is not Python: says line and column.
    """
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    tags = [WHITESPACE] * len(source)
    opened: list[int] = []
    try:
        for kind, text, begin, end, _ in tokenize.generate_tokens(io.StringIO(source).readline):
            first, last = starts[begin[0] - 1] + begin[1], starts[end[0] - 1] + end[1]
            if kind in _BEGINS:
                opened.append(first)
            elif kind in _ENDS:
                begun = opened.pop()
                tags[begun:last] = [STRING] * (last - begun)
            elif kind == token.NAME:
                tags[first:last] = [KEYWORD if keyword.iskeyword(text) else NAME] * (last - first)
            elif kind == token.ERRORTOKEN and text.strip():
                place = f"{name}, line {begin[0]}, column {begin[1] + 1}"
                raise DataError(f"{place}: expected Python, got {text!r}.")
            elif kind in _TYPES:
                tags[first:last] = [_TYPES[kind]] * (last - first)
    except (tokenize.TokenError, SyntaxError) as error:
        message, place = error.args[0], error.args[1]
        line, column = place[0:2] if isinstance(error, tokenize.TokenError) else place[1:3]
        raise DataError(f"{name}, line {line}, column {column}: expected Python: {message}.") from None
    return tags


def python_windows(
    source: str, tags: Sequence[str], size: int = WINDOW
) -> Iterator[tuple[str, Sequence[str]]]:
    """Cut tagged source into pieces of about `size` characters, none of them within a string.

    A piece ends with the line in which it reaches its size, or with the first one after it that does not end
    within a string: who reads a piece from its beginning knows that no string is open there. One after the
    other the pieces are the source.

    Parameters
    ----------
    source : str
    tags : sequence of str
        As :func:`python_tags` gives them.
    size : int, default 1,000
        At least 1.
    """
    begin = 0
    while begin < len(source):
        end = source.find("\n", begin + size - 1)
        while end >= 0 and tags[end] == STRING:
            end = source.find("\n", end + 1)
        stop = len(source) if end < 0 else end + 1
        yield source[begin:stop], tags[begin:stop]
        begin = stop
