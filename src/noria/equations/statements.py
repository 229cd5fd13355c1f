"""From text to a :class:`~noria.equations.draft.Draft`: what each logical line says."""

from collections.abc import Mapping
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
from noria.equations.expression import Name, Number, Place, Product, walk
from noria.equations.faults import Source, did_you_mean
from noria.equations.folding import fold
from noria.equations.lines import Line, lines_of
from noria.equations.parser import ExpressionReader
from noria.equations.signs import Token

Choice = TypeVar("Choice", bound=str)

MAX_LENGTH = 20_000

_PER: dict[str, Per] = {"sequence": "sequence", "row": "row"}
_LAWS: dict[str, Law] = {"dropout": "dropout", "bernoulli": "bernoulli"}


def read(source: Source) -> Draft:
    """Read the text of a cell into its lines."""
    if len(source.text) > MAX_LENGTH:
        problem = f"the text is longer than {MAX_LENGTH} signs"
        raise source.fault("size", Place(1, 1), problem, "a cell is a few equations")
    lines = lines_of(source)
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
        is_plain = not name.text.endswith("'") and not any(
            isinstance(e, Name | Product) for e in walk(expression)
        )
        value = fold(self.source, expression) if is_plain else expression
        if is_plain and isinstance(value, Number):
            self.constants.append(Constant(name.text, value.value, name.place, start, reader.last.place))
        else:
            self.equations.append(Equation(name.text, expression, name.place))

    def _function(self, name: Token, reader: ExpressionReader) -> None:
        self._refuse_prime(name)
        reader.take()
        formals: list[Name] = []
        while True:
            if reader.token.kind != "name":
                raise reader.unexpected("the name of an argument")
            formal = reader.take()
            self._refuse_prime(formal)
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

    def _refuse_prime(self, name: Token) -> None:
        """Refuse the name of a state where only a plain name can stand."""
        if name.text.endswith("'"):
            raise self.source.fault(
                "syntax", name.place, f"'{name.text}' is a state's new value", "expected a plain name"
            )

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
        self._refuse_prime(name)
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
            raise self.source.fault(
                "given", place, f"'{law}' takes one probability in [0, 1)", f"such as {law}(0.1)"
            )
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
