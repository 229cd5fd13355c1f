"""The table of known functions: how each is called, its arguments, and what it gives for numbers.

Operators are functions too, with names of their own (``a + b`` is ``add``), so that whoever walks an
expression meets one kind of node.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import TypeGuard

NumberFunction = Callable[..., float]


def counted(count: int, noun: str) -> str:
    """Say a count in words: 1 argument, 2 arguments."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


@dataclass(frozen=True)
class Function:
    """One row of the table; ``most`` is ``None`` where any number of arguments may follow."""

    name: str
    least: int
    most: int | None
    description: str
    of_numbers: NumberFunction | None

    def accepts(self, count: int) -> bool:
        """Whether it may be called with ``count`` arguments."""
        if self.name == "layer_norm":
            return count in (1, 3)
        return self.least <= count and (self.most is None or count <= self.most)

    @property
    def arity(self) -> str:
        """Give the number of arguments in words."""
        if self.name == "layer_norm":
            return "1 argument (a) or 3 (a, gain, bias)"
        if self.most is None:
            return f"{self.least} or more arguments"
        return counted(self.least, "argument")


def _sigmoid(v: float) -> float:
    return 1.0 / (1.0 + math.exp(-v)) if v >= 0 else math.exp(v) / (1.0 + math.exp(v))


def _softplus(v: float) -> float:
    return max(v, 0.0) + math.log1p(math.exp(-abs(v)))


OPERATORS: dict[str, Function] = {
    row.name: row
    for row in (
        Function("add", 2, 2, "a + b", lambda a, b: a + b),
        Function("sub", 2, 2, "a - b", lambda a, b: a - b),
        Function("mul", 2, 2, "a * b, element by element", lambda a, b: a * b),
        Function("div", 2, 2, "a / b, element by element", lambda a, b: a / b),
        Function("neg", 1, 1, "-a", lambda a: -a),
        Function("power", 2, 2, "a ** 2, with a number above", lambda a, n: math.pow(a, n)),
    )
}

FUNCTIONS: dict[str, Function] = {
    row.name: row
    for row in (
        Function("sigmoid", 1, 1, "1 / (1 + exp(-a)), also written σ", _sigmoid),
        Function("tanh", 1, 1, "hyperbolic tangent", math.tanh),
        Function("relu", 1, 1, "max(a, 0)", lambda v: max(v, 0.0)),
        Function("exp", 1, 1, "e to the power a", math.exp),
        Function("log", 1, 1, "natural logarithm", math.log),
        Function("sqrt", 1, 1, "square root", math.sqrt),
        Function("abs", 1, 1, "absolute value", abs),
        Function("softplus", 1, 1, "log(1 + exp(a))", _softplus),
        Function("max", 2, None, "the greatest, element by element", max),
        Function("min", 2, None, "the least, element by element", min),
        Function(
            "clip",
            3,
            3,
            "clip(a, lowest, highest), with two numbers as bounds",
            lambda v, low, high: min(max(v, low), high),
        ),
        Function("sin", 1, 1, "sine", math.sin),
        Function("cos", 1, 1, "cosine", math.cos),
        Function("layer_norm", 1, 3, "(a - mean) / deviation over the units, times gain, plus bias", None),
    )
}

ALIASES = {"σ": "sigmoid"}

WRITTEN_AS = {"add": "a + b", "sub": "a - b", "mul": "a * b", "div": "a / b", "neg": "-a", "power": "a ** 2"}


def is_number(value: object) -> TypeGuard[float]:
    """Whether ``value`` is a number, of Python or NumPy, and no truth value."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_operator(name: str) -> bool:
    """Whether the function is written with a sign between or before its operands."""
    return name in OPERATORS


def known_function(name: str) -> Function | None:
    """Give the row of a function or an operator, or ``None``."""
    return FUNCTIONS.get(name) or OPERATORS.get(name)
