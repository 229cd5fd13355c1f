"""What a report cites, as lines a reader knows, with where to find it."""

import re
import unicodedata
from collections.abc import Iterable

from noria.models.citing import bibliography

_ACCENTS = {'"': "\u0308", "'": "\u0301", "`": "\u0300", "^": "\u0302", "~": "\u0303"} | {
    "v": "\u030c",
    "c": "\u0327",
}
_ACCENTED = re.compile(r"""\{?\\(["'`^~]|[vc](?=\{))\{?(\w)\}?\}?""")
PLACES = ("journal", "booktitle", "howpublished")


def reference_lines(keys: Iterable[str]) -> list[tuple[str, str]]:
    """Give each reference as a line with its address; empty where it has none.

    Parameters
    ----------
    keys : iterable of str
        As :func:`noria.models.citing.used` gives them.
    """
    return [_line(bibliography([key])) for key in keys]


def _line(entry: str) -> tuple[str, str]:
    fields = {name: plain_text(text) for name, text in re.findall(r"^  (\w+) = \{(.*)\},?$", entry, re.M)}
    authors = [name.partition(",")[0] for name in fields["author"].split(" and ")]
    named = authors[0] if len(authors) == 1 else f"{', '.join(authors[:-1])} & {authors[-1]}"
    named = f"{authors[0]} et al." if len(authors) > 3 else named
    place = next((fields[name] for name in PLACES if name in fields), "")
    parts = (named, fields.get("year", fields.get("version", "")), fields["title"], place)
    first, *others = filter(None, parts)
    return f"{first} {'. '.join(others)}.", fields.get("url", "")


def plain_text(text: str) -> str:
    r"""Give what BibTeX writes as it is read: ``{\"u}`` is an umlaut, braces and backslashes go."""
    text = text.replace(r"{\l}", "\u0142").replace("--", "\u2013").replace(r"\&", "&")
    text = _ACCENTED.sub(lambda found: unicodedata.normalize("NFC", found[2] + _ACCENTS[found[1]]), text)
    return text.translate(str.maketrans("", "", "{}\\"))
