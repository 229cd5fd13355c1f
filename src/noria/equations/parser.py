"""One expression, read from its tokens by recursive descent: a function for every level of the grammar.

    expression = term { ("+" | "-") term }
    term       = "-" term | factor { ("*" | "/" | "@") factor }
    factor     = "-" factor | atom [ "**" factor ]
    atom       = number | name [ "(" list ")" ] | "(" expression ")" | "[" list "]"
    list       = expression { "," expression }

A minus before a term covers the whole term, so that ``-W @ x`` means ``-(W @ x)``. A chain of ``@`` is read
from the right: all but its last part are matrices.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from noria.equations.expression import Apply, Concatenation, Expression, Name, Number, Place, Product, depth
from noria.equations.faults import LocatedEquationError, Source
from noria.equations.functions import OPERATORS, WRITTEN_AS
from noria.equations.signs import Token

MAX_NESTING = 50
MAX_DEPTH = 100

_ADDITIVE = {"+": "add", "-": "sub"}
_MULTIPLICATIVE = {"*": "mul", "/": "div"}


class ExpressionReader:
    """Reads tokens one after the other; what follows an expression is for the caller to judge."""

    def __init__(self, source: Source, tokens: Sequence[Token]) -> None:
        self._source = source
        last = tokens[-1].place
        end = Token("end", "", Place(last.line, last.column + last.width))
        self._tokens = (*tokens, end)
        self._at = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        """Give the token that comes next."""
        return self._tokens[self._at]

    @property
    def last(self) -> Token:
        """Give the last token of the line."""
        return self._tokens[-2]

    def take(self) -> Token:
        """Give the next token and go on."""
        token = self.token
        self._at += 1
        return token

    def expect(self, sign: str, meaning: str) -> Token:
        """Take the next token, which must be ``sign``."""
        if not self.token.is_sign(sign):
            raise self.unexpected(meaning)
        return self.take()

    def unexpected(self, expected: str) -> LocatedEquationError:
        """Give the error that the next token is not what must stand here."""
        token = self.token
        problem = "the line ends too early" if token.kind == "end" else f"unexpected '{token.text}'"
        return self._source.fault("syntax", token.place, problem, f"expected {expected}")

    def whole(self) -> Expression:
        """Read one expression that must reach to the end of the line."""
        expression = self.expression()
        if self.token.kind != "end":
            raise self.unexpected("an operator (+ - * / @ **) or the end of the line")
        if depth(expression) > MAX_DEPTH:
            raise too_deep(self._source, self._tokens[0].place)
        return expression

    def expression(self) -> Expression:
        """Read a sum."""
        left = self._term()
        while self.token.is_sign(*_ADDITIVE):
            sign = self.take()
            left = Apply(_ADDITIVE[sign.text], (left, self._term()), sign.place)
        return left

    def _term(self) -> Expression:
        self._enter()
        if self.token.is_sign("-") and not self._at_negative_number():
            sign = self.take()
            result: Expression = Apply("neg", (self._term(),), sign.place)
        else:
            result = self._factors()
        self._depth -= 1
        return result

    def _factors(self) -> Expression:
        left = self._factor()
        while self.token.is_sign("*", "/", "@"):
            if self.token.is_sign("@"):
                left = self._product(left)
            else:
                sign = self.take()
                left = Apply(_MULTIPLICATIVE[sign.text], (left, self._factor()), sign.place)
        return left

    def _product(self, left: Expression) -> Expression:
        """Read ``@`` and all that hangs on it: ``U_2 @ U_1 @ h`` is ``U_2 @ (U_1 @ h)``."""
        matrices = []
        while self.token.is_sign("@"):
            sign = self.take()
            if not isinstance(left, Name):
                raise self._left_of_product(left, sign)
            matrices.append(left)
            left = self._factor()
        for matrix in reversed(matrices):
            left = Product(matrix.name, left, matrix.place)
        return left

    def _left_of_product(self, left: Expression, sign: Token) -> LocatedEquationError:
        advice = "left of '@' stands the name of a weight matrix alone"
        if isinstance(left, Apply) and left.function in ("mul", "div"):
            advice += "; put the product in parentheses, r * (U @ h)"
        return self._source.fault("not_a_matrix", sign.place, "the left side of '@' is not a matrix", advice)

    def _factor(self) -> Expression:
        self._enter()
        if self._at_negative_number():
            sign, number = self.take(), self.take()
            width = (
                number.place.column + number.place.width - sign.place.column
                if number.place.line == sign.place.line
                else 1
            )
            result: Expression = Number(-self._value(number), replace(sign.place, width=width))
        elif self.token.is_sign("-"):
            sign = self.take()
            result = Apply("neg", (self._factor(),), sign.place)
        else:
            result = self._atom()
            if self.token.is_sign("**"):
                sign = self.take()
                result = Apply("power", (result, self._factor()), sign.place)
        self._depth -= 1
        return result

    def _at_negative_number(self) -> bool:
        """Whether ``-2`` stands here, and not ``-2 ** 2``, which is -(2 ** 2)."""
        if not self.token.is_sign("-"):
            return False
        following = self._tokens[self._at + 1 : self._at + 3]
        return following[0].kind == "number" and not following[1].is_sign("**")

    def _atom(self) -> Expression:
        token = self.token
        if token.kind == "number":
            return Number(self._value(self.take()), token.place)
        if token.kind == "name":
            self.take()
            return self._call(token) if self.token.is_sign("(") else Name(token.text, token.place)
        if token.is_sign("("):
            self.take()
            inner = self.expression()
            self.expect(")", "an operator or ')'")
            return inner
        if token.is_sign("["):
            self.take()
            parts = self._list("]")
            return Concatenation(parts, token.place)
        raise self.unexpected("a name, a number or '('")

    def _call(self, name: Token) -> Expression:
        self.take()
        if name.text in OPERATORS:
            advice = f"write {WRITTEN_AS[name.text]}"
            raise self._source.fault(
                "unknown_function", name.place, f"unknown function '{name.text}'", advice
            )
        return Apply(name.text, () if self._empty_call() else self._list(")"), name.place)

    def _empty_call(self) -> bool:
        if self.token.is_sign(")"):
            self.take()
            return True
        return False

    def _list(self, closing: str) -> tuple[Expression, ...]:
        parts = [self.expression()]
        while self.token.is_sign(","):
            self.take()
            parts.append(self.expression())
        self.expect(closing, f"an operator, ',' or '{closing}'")
        return tuple(parts)

    def _value(self, number: Token) -> float:
        value = float(number.text)
        if not math.isfinite(value):
            raise self._source.fault("number", number.place, f"the number {number.text[:20]} is too large")
        return value

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > 2 * MAX_NESTING:
            raise too_deep(self._source, self.token.place)


def too_deep(source: Source, place: Place) -> LocatedEquationError:
    """Give the error that an expression is nested too deeply, or is too long a chain, to be worked on."""
    return source.fault(
        "size",
        place,
        "the expression is too long or too deeply nested",
        "give parts of it names of their own",
    )
