"""What a name stands for, and the rule by which a parameter is named.

A weight matrix is called ``W U V P R``, a learned vector ``b p u v w gain bias``, alone or followed by ``_``
and names of the cell or digits: ``W_i``, ``W_ix``, ``U_hf``, ``b_hn``, ``W_2``. No name stands twice in such
a suffix but a state's (``W_hh`` leads from the state to itself), so that a misspelt name is an error and
never a new parameter. Any other parameter is declared by its line in ``init:``. A name that the cell itself
defines wins over the rule.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from noria.equations.draft import Draft, Equation
from noria.equations.expression import Place

MATRIX_PREFIXES = ("W", "U", "V", "P", "R")
VECTOR_PREFIXES = ("b", "p", "u", "v", "w", "gain", "bias")

Kind = Literal["matrix", "vector"]

MOST_NAMES = 6  # in one suffix

_RULE = "or so with '_' and names of the cell, or has a line under init:"
RULES: dict[Kind, str] = {
    "matrix": f"A matrix is called {' '.join(MATRIX_PREFIXES)}, {_RULE}",
    "vector": f"A vector is called {' '.join(VECTOR_PREFIXES)}, {_RULE}",
}


@dataclass(frozen=True)
class ParameterUse:
    """A parameter where it is first read."""

    name: str
    kind: Kind
    place: Place


def prefix_kind(name: str) -> Kind | None:
    """Give the kind that the prefix of a parameter's name says, if it is one of the prefixes."""
    prefix = name.partition("_")[0]
    return "matrix" if prefix in MATRIX_PREFIXES else "vector" if prefix in VECTOR_PREFIXES else None


def is_made_of(
    suffix: str, names: Collection[str], repeatable: Collection[str], used: tuple[str, ...] = ()
) -> bool:
    """Whether ``suffix`` is made of ``names``, digits and ``_``, none but ``repeatable`` twice."""
    rest = suffix.lstrip("_0123456789")
    if not rest:
        return True
    return len(used) < MOST_NAMES and any(
        is_made_of(rest[len(name) :], names, repeatable, (*used, name))
        for name in names
        if rest.startswith(name) and (name not in used or name in repeatable)
    )


class Vocabulary:
    """All names that a cell defines, and what each of them stands for."""

    def __init__(self, draft: Draft) -> None:
        self.states = tuple(_states(draft.equations))
        self.values = tuple(
            equation.target for equation in draft.equations if not equation.target.endswith("'")
        )
        self.givens = tuple(given.name for given in draft.givens)
        self.constants = tuple(constant.name for constant in draft.constants)
        self.functions = tuple(function.name for function in draft.functions)
        self._declared = tuple(line.pattern for line in draft.initials)

    @cached_property
    def own(self) -> frozenset[str]:
        """Give the names that the suffix of a parameter may be made of."""
        return frozenset(("x", "h", *self.states, *self.values, *self.givens))

    def parameter_kind(self, name: str) -> Kind | None:
        """Give the kind of parameter that ``name`` is by the naming rule; ``None`` if it is none."""
        prefix, underscore, suffix = name.partition("_")
        if underscore and not (suffix and is_made_of(suffix, self.own, {"h", *self.states})):
            return None
        return prefix_kind(prefix)

    def is_defined(self, name: str) -> bool:
        """Whether the cell itself gives ``name`` a meaning."""
        return name in self.own or name.endswith("'") or name in self.constants

    def is_declared(self, name: str) -> bool:
        """Whether ``init:`` has a line for exactly this name."""
        return name in self._declared

    def known(self) -> tuple[str, ...]:
        """Every name that may be read, for the question whether another one was meant."""
        return (*self.own, *(f"{state}'" for state in self.states), *self.constants, *self._declared)


def _states(equations: Iterable[Equation]) -> list[str]:
    """``h`` first, then the others in the order in which they are written."""
    written = [equation.target[:-1] for equation in equations if equation.target.endswith("'")]
    return ["h", *dict.fromkeys(name for name in written if name != "h")]
