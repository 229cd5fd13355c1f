"""The signs of the language and of textbooks, read as tokens that remember where they stood.

A textbook writes ``σ(W_f · [h_{t−1}, x_t] + b_f)``; the plain language writes ``sigmoid(W_f @ [h, x] +
b_f)``. Signs are exchanged one by one by the tables below. A name's moment (``h_t``, ``h_{t-1}``, ``h'``) can
only be understood when all lines are known, so it is kept with the token and settled by :func:`settle`:
``c_t`` is ``c'`` when ``c`` is a state, and plain ``c`` when it is a value of the step.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from noria.equations.expression import Place
from noria.equations.faults import Source
from noria.equations.functions import ALIASES

Moment = Literal["", "now", "before", "new"]

SIGNS = {
    **{sign: sign for sign in ("**", "+", "-", "*", "/", "@", "(", ")", "[", "]", ",", "=", ":")},
    **dict.fromkeys("·⋅", "@"),
    **dict.fromkeys("⊙∘×∗⨀", "*"),
    "−": "-",
}

LONGEST_NAME = 80

HELP = {
    "^": "a power is written a ** 2",
    ";": "every equation has a line of its own",
    '"': "the language has no strings",
    "`": "the language has no strings",
    "<": "the language has no comparisons; max, min and clip may do",
    ">": "the language has no comparisons; max, min and clip may do",
    "!": "the language has no comparisons; max, min and clip may do",
    ".": "the language has no attributes; a number needs a digit, 0.5",
    "{": "braces stand only in h_{t}, h_{t-1} and W_{name}",
    "}": "braces stand only in h_{t}, h_{t-1} and W_{name}",
    "'": "a prime stands behind the name of a state, h'",
}

_TOKEN = re.compile(
    r"(?P<blank>\s+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W\d][\w\u0300-\u036f]*(?:₋₁|\{[^{}]*\})?['’′]*)"
    r"|(?P<sign>" + "|".join(re.escape(sign) for sign in SIGNS) + ")"
)
_NAME = re.compile(
    r"(?P<base>.+?)"
    r"(?:(?P<now>_t|_\{\s*t\s*\}|ₜ)|(?P<before>_\{\s*t\s*[-−]\s*1\s*\}|ₜ₋₁)|_\{(?P<subscript>\w+)\})?"
    r"(?P<primes>['’′]*)"
)


@dataclass(frozen=True)
class Token:
    """A name, number or sign in the plain language, and its place in the text as written."""

    kind: Literal["name", "number", "sign", "end"]
    text: str
    place: Place
    moment: Moment = ""

    def is_sign(self, *signs: str) -> bool:
        """Whether it is one of these signs."""
        return self.kind == "sign" and self.text in signs


def code_of(line: str) -> str:
    """Give the line without its comment."""
    return line.partition("#")[0].rstrip()


def tokens_of(source: Source, number: int) -> Iterator[Token]:
    """Read the tokens of line ``number`` (from 1)."""
    line, at = code_of(source.lines[number - 1]), 0
    while at < len(line):
        found = _TOKEN.match(line, at)
        place = Place(number, at + 1)
        if found is None:
            sign = line[at]
            shown = f"'{sign}'" if sign.isprintable() else f"U+{ord(sign):04X}"
            raise source.fault(
                "syntax", place, f"the sign {shown} is not part of the language", HELP.get(sign, "")
            )
        place = replace(place, width=found.end() - at)
        at = found.end()
        if found["number"]:
            yield Token("number", found["number"], place)
            if at < len(line) and (line[at].isalpha() or line[at] == "_"):
                advice = f"a product is written {found['number']} * {line[at]}"
                raise source.fault(
                    "syntax", Place(number, at + 1), "a name stands directly behind a number", advice
                )
        elif found["name"]:
            yield _name(source, found["name"], place)
        elif found["sign"]:
            yield Token("sign", SIGNS[found["sign"]], place)


def _name(source: Source, written: str, place: Place) -> Token:
    """Take a name apart into what it is called and the moment that it means."""
    if len(written) > LONGEST_NAME:
        raise source.fault(
            "size", place, f"a name is longer than {LONGEST_NAME} signs", "give it a short name"
        )
    parts = _NAME.fullmatch(written)
    base = parts["base"] + (f"_{parts['subscript']}" if parts["subscript"] else "") if parts else ""
    if parts is None or not base.isidentifier():
        raise source.fault(
            "earlier_step", place, f"cannot read '{written}'", "known are h_t, h_{t-1}, h' and W_{name}"
        )
    base = ALIASES.get(base, unicodedata.normalize("NFC", base))
    moment: Moment = (
        "now" if parts["now"] else "before" if parts["before"] else "new" if parts["primes"] else ""
    )
    if len(parts["primes"]) > 1 or (parts["primes"] and (parts["now"] or parts["before"])):
        advice = f"write {base}' for the new value and {base} for the old one"
        raise source.fault("earlier_step", place, f"cannot read '{written}'", advice)
    if moment == "before" and base == "x":
        advice = "a cell reads x of its own step only; keep x in a state (k' = x) to read it one step later"
        raise source.fault("earlier_step", place, "the input of an earlier step is not known", advice)
    return Token("name", base, place, moment)


def states_in(tokens: Iterable[Token]) -> set[str]:
    """Give the names of states: h, and every name that has a prime or a ``_{t-1}`` somewhere."""
    return {"h"} | {token.text for token in tokens if token.moment in ("new", "before")}


def settle(token: Token, states: set[str], defined: set[str]) -> Token:
    """Write the moment of a name into its text: ``c_t`` is ``c'`` for a state, ``c`` for a value."""
    if token.kind != "name" or not token.moment:
        return token
    text = token.text
    if token.moment == "new" or (token.moment == "now" and text in states):
        text += "'"
    elif token.moment == "now" and text != "x" and text not in defined:
        text += "_t"
    return replace(token, text=text, moment="")
