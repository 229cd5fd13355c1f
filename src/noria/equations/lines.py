"""Logical lines: a line goes on while a bracket is open, and belongs to the section that it stands in.

``init:`` and ``given:`` open a section of lines that stand further in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from noria.equations.faults import LocatedEquationError, Source, did_you_mean
from noria.equations.signs import Token, settle, states_in, tokens_of

SECTIONS = ("init", "given")

_CLOSING = {"(": ")", "[": "]"}


@dataclass(frozen=True)
class Line:
    """One logical line: its tokens, and how far in it stands."""

    tokens: tuple[Token, ...]
    section: str = ""

    @property
    def indent(self) -> int:
        """Give the number of blanks before it."""
        return self.tokens[0].place.column - 1


def lines_of(source: Source) -> list[Line]:
    """Read the logical lines of a text, without headings, with the moments of all names settled."""
    return _settled(source, _sectioned(source, _logical_lines(source)))


def _logical_lines(source: Source) -> list[Line]:
    lines: list[Line] = []
    gathered: list[Token] = []
    opened: list[Token] = []
    for number in range(1, len(source.lines) + 1):
        for token in tokens_of(source, number):
            gathered.append(token)
            if token.kind == "sign":
                _match_brackets(source, opened, token)
        if gathered and not opened:
            lines.append(Line(tuple(gathered)))
            gathered = []
    if opened:
        raise _never_closed(source, opened[-1])
    return lines


def _match_brackets(source: Source, opened: list[Token], token: Token) -> None:
    if token.text in _CLOSING:
        opened.append(token)
    elif token.text in _CLOSING.values():
        if not opened:
            raise source.fault(
                "syntax", token.place, f"'{token.text}' closes nothing", "no bracket is open here"
            )
        if token.text != _CLOSING[opened[-1].text]:
            expected = _CLOSING[opened[-1].text]
            raise source.fault("syntax", token.place, f"unexpected '{token.text}'", f"expected '{expected}'")
        opened.pop()
    elif token.text == "=" and opened:
        raise _never_closed(source, opened[-1])


def _never_closed(source: Source, bracket: Token) -> LocatedEquationError:
    advice = f"expected a '{_CLOSING[bracket.text]}' behind it"
    return source.fault("syntax", bracket.place, f"'{bracket.text}' is never closed", advice)


def _sectioned(source: Source, lines: Sequence[Line]) -> list[Line]:
    """Take the section headings out and write into every line the section it belongs to."""
    sorted_lines: list[Line] = []
    heading: Line | None = None
    filled = True
    for line in lines:
        is_inside = heading is not None and line.indent > heading.indent
        if not is_inside and not filled and heading is not None:
            raise _empty_section(source, heading)
        if not is_inside:
            heading = line if _is_heading(source, line) else None
        if heading is not line:
            sorted_lines.append(Line(line.tokens, heading.tokens[0].text if heading else ""))
        filled = heading is not line
    if not filled and heading is not None:
        raise _empty_section(source, heading)
    return sorted_lines


def _is_heading(source: Source, line: Line) -> bool:
    first = line.tokens[0]
    if len(line.tokens) < 2 or not line.tokens[1].is_sign(":"):
        return False
    if first.text not in SECTIONS and len(line.tokens) > 2:
        advice = "the line must stand further in, below a line given:"
        raise source.fault(
            "section", first.place, f"'{first.text}:' stands outside the section given:", advice
        )
    if first.text not in SECTIONS:
        advice = did_you_mean(first.text, SECTIONS, "the sections are init: and given:")
        raise source.fault("section", first.place, f"unknown section '{first.text}:'", advice)
    if len(line.tokens) > 2:
        advice = "the lines of a section stand below it, further in"
        raise source.fault(
            "section", line.tokens[2].place, f"'{first.text}:' stands alone on its line", advice
        )
    return True


def _empty_section(source: Source, heading: Line) -> LocatedEquationError:
    name = heading.tokens[0]
    advice = "its lines stand below it, further in"
    return source.fault("section", name.place, f"the section {name.text}: is empty", advice)


def _settled(source: Source, lines: Sequence[Line]) -> list[Line]:
    """Settle the moments of all names, which takes all lines: states and defined names can stand anywhere."""
    tokens = [token for line in lines for token in line.tokens]
    states = states_in(tokens)
    defined = {line.tokens[0].text for line in lines if line.section != "init"}
    settled = [
        Line(tuple(settle(token, states, defined) for token in line.tokens), line.section) for line in lines
    ]
    written = {line.tokens[0].text for line in settled} | {"h'"}
    for token in tokens:
        if token.moment == "before" and f"{token.text}'" not in written:
            advice = f"expected a line {token.text}_t = ... or {token.text}' = ..."
            raise source.fault(
                "never_written", token.place, f"state '{token.text}' is read but never written", advice
            )
    return settled
