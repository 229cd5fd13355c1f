"""A cell as it is written, line by line: what the parser gives, the rewrites change and the printer writes.

Nothing is inferred yet. Own functions are still called, constants still have their names.
"""

from dataclasses import dataclass, field
from typing import Literal

from noria.equations.expression import NOWHERE, Expression, Name, Place

Per = Literal["sequence", "row"]
Law = Literal["supplied", "dropout", "bernoulli"]


@dataclass(frozen=True)
class Equation:
    """One line ``target = expression``; the target of a state is primed."""

    target: str
    expression: Expression
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Constant:
    """One line ``dt = 0.05``; the number stands from ``start`` to ``until``."""

    name: str
    value: float
    place: Place = field(default=NOWHERE, compare=False, repr=False)
    start: Place = field(default=NOWHERE, compare=False, repr=False)
    until: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class OwnFunction:
    """One line ``leaky(z) = max(z, 0.01 * z)``."""

    name: str
    formals: tuple[Name, ...]
    body: Expression
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Given:
    """An auxiliary input, given and not learned.

    ``per`` sequence: an array (B, size), drawn once for the whole sequence; ``per`` row: one draw for every
    time step. ``law`` dropout: in training 0 with ``probability``, else 1 / (1 - probability); in inference
    1. ``law`` bernoulli: in training 1 with ``probability``, else 0; in inference the expectation,
    ``probability``. ``law`` supplied: handed in by the caller.
    """

    name: str
    per: Per
    law: Law = "supplied"
    probability: float = 0.0
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Initial:
    """How a parameter or a state starts: ``Initial("constant", (1.0,))``, ``Initial("orthogonal")``."""

    kind: str
    arguments: tuple[float, ...] = ()


@dataclass(frozen=True)
class InitialLine:
    """One line under ``init:``; ``U`` speaks of U and of every U_..."""

    pattern: str
    initial: Initial
    place: Place = field(default=NOWHERE, compare=False, repr=False)
    value_place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Draft:
    """All lines of a cell, sorted by what they are."""

    citation: str = ""
    constants: tuple[Constant, ...] = ()
    functions: tuple[OwnFunction, ...] = ()
    equations: tuple[Equation, ...] = ()
    givens: tuple[Given, ...] = ()
    initials: tuple[InitialLine, ...] = ()
