"""From text to a :class:`~noria.equations.draft.Draft`: logical lines, sections, and what each line says.

A logical line goes on while a bracket is open. ``init:`` and ``given:`` open a section of lines that stand
further in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from noria.equations.draft import (
    Constant,
    Draft,
    Equation,
    Given,
    Initial,
    InitialLine,
    Law,
    OwnFunction,
    Per,
)
from noria.equations.expression import Name, Number, Place
from noria.equations.faults import LocatedEquationError, Source, did_you_mean
from noria.equations.folding import fold
from noria.equations.parser import ExpressionReader
from noria.equations.signs import Token, settle, states_in, tokens_of

Choice = TypeVar("Choice", bound=str)

SECTIONS = ("init", "given")
MAX_LENGTH = 100_000

_PER: dict[str, Per] = {"sequence": "sequence", "row": "row"}
_LAWS: dict[str, Law] = {"dropout": "dropout", "bernoulli": "bernoulli"}
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


def read(source: Source) -> Draft:
    """Read the text of a cell into its lines."""
    if len(source.text) > MAX_LENGTH:
        raise source.fault(
            "size", Place(1, 1), f"the text is longer than {MAX_LENGTH} signs", "a cell is a few equations"
        )
    lines = _settled(source, _sectioned(source, _logical_lines(source)))
    if not lines:
        advice = "expected lines such as h' = tanh(W @ x + U @ h + b)"
        raise source.fault("empty", Place(1, 1), "the text holds no equation", advice)
    reader = _LineReader(source)
    for line in lines:
        reader.read(line)
    return Draft(
        citation(source),
        tuple(reader.constants),
        tuple(reader.functions),
        tuple(reader.equations),
        tuple(reader.givens),
        tuple(reader.initials),
    )


def citation(source: Source) -> str:
    """Give the comment lines before everything else, without their signs."""
    found: list[str] = []
    for line in source.lines:
        line = line.strip()
        if line.startswith("#"):
            found.append(line.removeprefix("#").strip())
        elif line or found:
            break
    return "\n".join(found)


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


class _LineReader:
    """Gathers what the lines of a text say."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.constants: list[Constant] = []
        self.functions: list[OwnFunction] = []
        self.equations: list[Equation] = []
        self.givens: list[Given] = []
        self.initials: list[InitialLine] = []

    def read(self, line: Line) -> None:
        """Read one line and keep what it says."""
        reader = ExpressionReader(self.source, line.tokens)
        if reader.token.kind != "name":
            raise reader.unexpected("a line such as name = expression")
        name = reader.take()
        if line.section == "init":
            self._initial(name, reader)
        elif line.section == "given":
            self._given(name, reader)
        elif reader.token.is_sign("("):
            self._function(name, reader)
        else:
            self._equation(name, reader)

    def _equation(self, name: Token, reader: ExpressionReader) -> None:
        reader.expect("=", "'=' behind the name that is defined")
        start = reader.token.place
        expression = reader.whole()
        value = fold(self.source, expression)
        if isinstance(value, Number) and not name.text.endswith("'"):
            self.constants.append(Constant(name.text, value.value, name.place, start, reader.last.place))
        else:
            self.equations.append(Equation(name.text, expression, name.place))

    def _function(self, name: Token, reader: ExpressionReader) -> None:
        reader.take()
        formals: list[Name] = []
        while True:
            if reader.token.kind != "name":
                raise reader.unexpected("the name of an argument")
            formal = reader.take()
            if formal.text in [known.name for known in formals]:
                raise self.source.fault(
                    "defined_twice", formal.place, f"the argument '{formal.text}' is named twice"
                )
            formals.append(Name(formal.text, formal.place))
            if not reader.token.is_sign(","):
                break
            reader.take()
        reader.expect(")", "',' or ')'")
        reader.expect("=", "'=' and what the function gives")
        self.functions.append(OwnFunction(name.text, tuple(formals), reader.whole(), name.place))

    def _initial(self, name: Token, reader: ExpressionReader) -> None:
        reader.expect("=", "'=' and an initial value")
        start = reader.token
        if start.kind != "name":
            value = fold(self.source, reader.whole())
            if not isinstance(value, Number):
                raise self.source.fault(
                    "init", start.place, "an initial value must be a number or an initialiser"
                )
            initial = Initial("constant", (value.value,))
        else:
            reader.take()
            initial = Initial(start.text, self._numbers(reader, start.text))
        self.initials.append(InitialLine(name.text, initial, name.place, start.place))

    def _given(self, name: Token, reader: ExpressionReader) -> None:
        reader.expect(":", "':' and 'sequence' or 'row'")
        per = self._choice(reader, _PER)
        if reader.token.kind == "end":
            self.givens.append(Given(name.text, per, place=name.place))
            return
        reader.expect("=", "'=' and dropout(p) or bernoulli(p), or the end of the line")
        place = reader.token.place
        law = self._choice(reader, _LAWS)
        numbers = self._numbers(reader, law)
        if len(numbers) != 1 or not 0 <= numbers[0] < 1:
            raise self.source.fault("given", place, f"{law} takes one probability in [0, 1)")
        self.givens.append(Given(name.text, per, law, numbers[0], name.place))

    def _choice(self, reader: ExpressionReader, choices: Mapping[str, Choice]) -> Choice:
        """Take the next token, which must be one of a few words."""
        token = reader.token
        if token.text not in choices:
            words = " or ".join(f"'{word}'" for word in choices)
            found = f"'{token.text}'" if token.text else "the end of the line"
            raise self.source.fault(
                "given", token.place, f"expected {words}, got {found}", did_you_mean(token.text, choices)
            )
        reader.take()
        return choices[token.text]

    def _numbers(self, reader: ExpressionReader, name: str) -> tuple[float, ...]:
        """Read ``(0.5, 1)`` or nothing, up to the end of the line."""
        numbers: list[float] = []
        if reader.token.is_sign("("):
            reader.take()
            while not reader.token.is_sign(")"):
                place = reader.token.place
                value = fold(self.source, reader.expression())
                if not isinstance(value, Number):
                    raise self.source.fault("number", place, f"{name} takes numbers only")
                numbers.append(value.value)
                if not reader.token.is_sign(","):
                    break
                reader.take()
            reader.expect(")", "',' or ')'")
        if reader.token.kind != "end":
            raise reader.unexpected("the end of the line")
        return tuple(numbers)
