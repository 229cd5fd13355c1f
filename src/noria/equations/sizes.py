"""Sizes follow from the equations: what is added has one size, what a matrix multiplies has its columns'.

Names that must have one size are joined into classes (union-find, Tarjan 1975). A class takes its symbol from
what is in it: ``H`` where ``h`` is, ``D`` where ``x`` is, else ``H_`` and its first state, value, given input
or matrix.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from noria.equations.draft import Equation
from noria.equations.expression import Apply, Concatenation, Expression, Name, Number, Product, children
from noria.equations.faults import LocatedEquationError, Source
from noria.equations.names import Vocabulary
from noria.equations.printer import print_expression

Class = str  # a class is known by any of its members


@dataclass(frozen=True)
class _MatrixUse:
    """One place where a matrix multiplies: the class of its rows, and of every part of its columns."""

    product: Product
    rows: Class
    columns: tuple[Class, ...]


class Sizes:
    """The classes of equal size in a cell."""

    def __init__(self, source: Source, equations: Sequence[Equation], vocabulary: Vocabulary) -> None:
        self._source = source
        self._vocabulary = vocabulary
        self._above: dict[Class, Class] = {}
        self._uses: dict[str, list[_MatrixUse]] = {}
        for equation in equations:
            self._join_equation(equation)
        for uses in self._uses.values():
            for use in uses[1:]:
                self._join_uses(uses[0], use)
        self._symbols = self._named()

    def of(self, name: str) -> str:
        """Give the size symbol of a state, value, given input, vector or of ``x``."""
        return self._symbols[self._find(name.removesuffix("'"))]

    def of_matrix(self, name: str) -> tuple[str, tuple[str, ...]]:
        """Give the size symbols of a matrix: its rows, and every part of its columns."""
        use = self._uses[name][0]
        return self._symbols[self._find(use.rows)], tuple(
            self._symbols[self._find(part)] for part in use.columns
        )

    def first_product(self, name: str) -> Product:
        """Give the first product in which a matrix stands."""
        return self._uses[name][0].product

    @property
    def symbols(self) -> tuple[str, ...]:
        """All size symbols: ``D`` if ``x`` has a size of its own, ``H``, then the free ones."""
        symbols = dict.fromkeys(self._symbols.values())
        return tuple(symbol for symbol in ("D", "H") if symbol in symbols) + tuple(
            s for s in symbols if s not in ("D", "H")
        )

    def _find(self, member: Class) -> Class:
        self._above.setdefault(member, member)
        while self._above[member] != member:
            self._above[member] = self._above[self._above[member]]
            member = self._above[member]
        return member

    def _join(self, classes: Iterable[Class | None]) -> Class | None:
        joined: Class | None = None
        for member in classes:
            if member is not None:
                root = self._find(member)
                if joined is not None:
                    self._above[root] = joined
                joined = self._find(root)
        return joined

    def _join_equation(self, equation: Equation) -> None:
        size = self._size(equation.expression)
        if size is None:
            advice = "a number alone has no size; write it where it is used, or as a constant dt = 0.1"
            raise self._source.fault(
                "number", equation.place, f"'{equation.target}' is a number, not a vector", advice
            )
        self._join((equation.target.removesuffix("'"), size))

    def _size(self, expression: Expression) -> Class | None:
        """Give the class of an expression; ``None`` for a number, which fits everywhere."""
        match expression:
            case Number():
                return None
            case Name(name):
                return self._find(name.removesuffix("'"))
            case Product():
                return self._product(expression)
            case Apply(function):
                self._check_numbers(expression)
                size = self._join([self._size(part) for part in children(expression)])
                if function == "layer_norm" and isinstance(expression.arguments[0], Number):
                    raise self._not_a_number(expression.arguments[0], "layer_norm works on a vector")
                return size
            case Concatenation():
                raise self._source.fault("concatenation", expression.place, "[...] stands only right of '@'")

    def _product(self, product: Product) -> Class:
        operand = product.operand
        parts = operand.parts if isinstance(operand, Concatenation) else (operand,)
        columns = []
        for part in parts:
            size = self._size(part)
            if size is None:
                raise self._not_a_number(part, "a matrix multiplies a vector")
            columns.append(size)
        uses = self._uses.setdefault(product.matrix, [])
        use = _MatrixUse(product, self._find(f"rows {product.matrix} {len(uses)}"), tuple(columns))
        uses.append(use)
        return use.rows

    def _not_a_number(self, expression: Expression, expected: str) -> LocatedEquationError:
        return self._source.fault("number", expression.place, "a number stands where a vector must", expected)

    def _check_numbers(self, application: Apply) -> None:
        """Give the bounds of clip and the exponent of a power are numbers."""
        numbers = {"power": application.arguments[1:], "clip": application.arguments[1:]}.get(
            application.function, ()
        )
        for argument in numbers:
            if not isinstance(argument, Number):
                what = "exponent" if application.function == "power" else "bound of clip"
                advice = "expected a number or a constant; a ** b is exp(b * log(a))"
                raise self._source.fault(
                    "number",
                    argument.place,
                    f"the {what} is not a number",
                    advice if what == "exponent" else "",
                )

    def _join_uses(self, first: _MatrixUse, other: _MatrixUse) -> None:
        if len(first.columns) != len(other.columns):
            raise self._disagree(first, other)
        for one, two in zip((first.rows, *first.columns), (other.rows, *other.columns), strict=True):
            anchored = [self._anchor(one), self._anchor(two)]
            if self._find(one) != self._find(two) and all(anchored):
                raise self._disagree(first, other)
            self._join((one, two))

    def _anchor(self, member: Class) -> str:
        """Give the input or the state that a class belongs to, or an empty string.

        Two of them must not become one because of a shared matrix alone.
        """
        anchors = (
            name for name in ("h", "x", *self._vocabulary.states) if self._find(name) == self._find(member)
        )
        return next(anchors, "")

    def _disagree(self, first: _MatrixUse, other: _MatrixUse) -> LocatedEquationError:
        matrix = first.product.matrix
        shapes = f"{self._shape(other)} here, {self._shape(first)} in line {first.product.place.line}"
        problem = f"the matrix '{matrix}' has two shapes: {shapes}"
        advice = (
            f"it multiplies {self._operand(other)} here and {self._operand(first)} there; use two matrices"
        )
        return self._source.fault("sizes", other.product.place, problem, advice)

    def _shape(self, use: _MatrixUse) -> str:
        names = self._named()
        rows, *columns = (names[self._find(member)] for member in (use.rows, *use.columns))
        return f"({rows}, {' + '.join(columns)})"

    def _operand(self, use: _MatrixUse) -> str:
        return f"'{print_expression(use.product.operand)}'"

    def _named(self) -> dict[Class, str]:
        """Give every class a symbol, in the order H, D, states, values, given inputs, matrices, vectors."""
        words = self._vocabulary
        names: dict[Class, str] = {self._find("h"): "H"}
        names.setdefault(self._find("x"), "D")
        members = [(name, name) for name in (*words.states, *words.values, *words.givens)]
        members += [
            (f"rows {matrix} {k}", matrix) for matrix, uses in self._uses.items() for k in range(len(uses))
        ]
        members += [(vector, vector) for vector in self._above if " " not in vector]
        for member, label in members:
            names.setdefault(self._find(member), f"H_{label}")
        return names
