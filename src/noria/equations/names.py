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
from noria.equations.expression import Concatenation, Expression, Name, Place, Product, children, walk
from noria.equations.faults import LocatedEquationError, Source, did_you_mean, nearest
from noria.equations.functions import ALIASES, FUNCTIONS, OPERATORS

MATRIX_PREFIXES = ("W", "U", "V", "P", "R")
VECTOR_PREFIXES = ("b", "p", "u", "v", "w", "gain", "bias")

Kind = Literal["matrix", "vector"]

_RULE = "A matrix is named " + " ".join(MATRIX_PREFIXES) + ", a vector " + " ".join(VECTOR_PREFIXES)
_RULE += ", alone or with '_' and names of this cell; any other name is declared under init:"


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
    suffix: str, names: Collection[str], repeatable: Collection[str], used: frozenset[str] = frozenset()
) -> bool:
    """Whether ``suffix`` is a sequence of ``names``, digits and underscores, none but ``repeatable`` twice."""
    rest = suffix.lstrip("_0123456789")
    if not rest:
        return True
    return any(
        is_made_of(rest[len(name) :], names, repeatable, used | {name})
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


def check_definitions(source: Source, draft: Draft) -> None:
    """Check the left sides: nothing twice, nothing that is taken, and an ``h'``."""
    functions = {function.name for function in draft.functions}
    for function in draft.functions:
        if function.name in OPERATORS:
            problem = f"'{function.name}' is the name of an operator"
            raise source.fault("reserved", function.place, problem, "give the function another name")
    reserved = {
        "x": "'x' is the input and cannot be assigned to",
        "x'": "'x' is the input and cannot be assigned to",
    }
    reserved |= {name: f"'{name}' is a function and cannot be assigned to" for name in (*FUNCTIONS, *ALIASES)}
    seen: dict[str, Place] = {}
    lines = [*draft.constants, *draft.functions, *draft.givens]
    places = [(line.name, line.place) for line in lines] + [(e.target, e.place) for e in draft.equations]
    constants = {constant.name for constant in draft.constants}
    for name, place in sorted(places, key=lambda pair: (pair[1].line, pair[1].column)):
        if name in reserved:
            raise source.fault("reserved", place, reserved[name], "give the line another name")
        if name in seen:
            raise _twice(source, name, place, seen[name], constants, functions)
        other = name[:-1] if name.endswith("'") else f"{name}'"
        if other in seen:
            advice = f"a state is written {name.rstrip(chr(39))}' on the left side"
            raise source.fault(
                "defined_twice",
                place,
                f"'{name}' is defined, and '{other}' in line {seen[other].line}",
                advice,
            )
        seen[name] = place
    if "h'" not in seen:
        place = draft.equations[-1].place if draft.equations else Place(1, 1)
        advice = "expected a line h' = ...; every cell has h', which is its output"
        raise source.fault("no_output", seen.get("h", place), "no line gives h'", advice)


def _twice(
    source: Source,
    name: str,
    place: Place,
    first: Place,
    constants: Collection[str],
    functions: Collection[str],
) -> LocatedEquationError:
    where = f"in line {first.line}"
    if name.endswith("'"):
        return source.fault(
            "written_twice",
            place,
            f"the state '{name[:-1]}' is written twice, first {where}",
            "keep one of the lines",
        )
    if name in constants:
        return source.fault(
            "reserved",
            place,
            f"'{name}' is a constant, set {where}, and cannot be assigned to",
            "rename one of them",
        )
    what = "a function and a value" if name in functions else "defined twice"
    return source.fault(
        "defined_twice", place, f"the name '{name}' is {what}, first {where}", "rename one of them"
    )


class NameCheck:
    """Goes through the equations in order and says for every name what it is; gathers the parameters on the way."""

    def __init__(self, source: Source, draft: Draft, vocabulary: Vocabulary) -> None:
        self._source = source
        self._draft = draft
        self._vocabulary = vocabulary
        self._later = {equation.target: equation.place for equation in draft.equations}
        self._parameters: dict[str, ParameterUse] = {}
        self._read: set[str] = set()

    def parameters(self) -> tuple[ParameterUse, ...]:
        """Check all equations; give the parameters in the order of their first use."""
        for equation in self._draft.equations:
            self._check(equation.expression, within_product=False)
            del self._later[equation.target]
        return tuple(self._parameters.values())

    @property
    def read(self) -> frozenset[str]:
        """Every name that some equation reads."""
        return frozenset(self._read)

    def _check(self, expression: Expression, *, within_product: bool) -> None:
        match expression:
            case Product():
                self._check_matrix(expression)
                self._check(expression.operand, within_product=True)
                return
            case Concatenation() if not within_product:
                advice = "expected a matrix and '@' before it, W @ [h, x]"
                raise self._source.fault(
                    "concatenation", expression.place, "[...] stands only right of '@'", advice
                )
            case Name():
                self._check_name(expression)
        for part in children(expression):
            self._check(part, within_product=False)

    def _check_matrix(self, product: Product) -> None:
        name, place, words = product.matrix, product.place, self._vocabulary
        advice = f"left of '@' stands a weight matrix. {_RULE}"
        if words.is_defined(name) or name in words.functions or name in FUNCTIONS:
            raise self._source.fault("not_a_matrix", place, f"'{name}' is not a matrix", advice)
        kind = words.parameter_kind(name)
        if kind is None and words.is_declared(name):
            kind = prefix_kind(name) or "matrix"
        if kind is None:
            raise self._unknown(name, place, "matrix")
        if kind == "vector" or self._is_used_as(name, "vector"):
            raise self._source.fault(
                "not_a_matrix",
                place,
                f"'{name}' is a vector, not a matrix",
                f"write {name} * ..., or a matrix",
            )
        self._parameters.setdefault(name, ParameterUse(name, "matrix", place))

    def _is_used_as(self, name: str, kind: Kind) -> bool:
        return name in self._parameters and self._parameters[name].kind == kind

    def _check_name(self, node: Name) -> None:
        name, place, words = node.name, node.place, self._vocabulary
        self._read.add(name)
        if name in self._later:
            raise self._too_early(name, place)
        if name.endswith("'"):
            if name[:-1] not in words.states:
                raise self._no_such_state(name, place)
            return
        if words.is_defined(name):
            return
        if name in FUNCTIONS or name in words.functions:
            advice = f"expected its arguments, {name}(...)"
            raise self._source.fault("function_alone", place, f"the function '{name}' stands alone", advice)
        kind = words.parameter_kind(name)
        if kind is None and words.is_declared(name):
            kind = prefix_kind(name) or ("matrix" if self._is_used_as(name, "matrix") else "vector")
        if kind is None:
            raise self._unknown(name, place, "vector")
        if kind == "matrix":
            advice = f"expected '@' and a vector behind it, {name} @ h"
            raise self._source.fault("matrix_alone", place, f"the matrix '{name}' stands alone", advice)
        self._parameters.setdefault(name, ParameterUse(name, "vector", place))

    def _too_early(self, name: str, place: Place) -> LocatedEquationError:
        problem = f"'{name}' is used before it is defined, in line {self._later[name].line}"
        advice = f"move that line up, or read the old value {name[:-1]}"
        if not name.endswith("'"):
            advice = f"move that line up, or write {name}' = ... if '{name}' is a state"
        return self._source.fault("used_before", place, problem, advice)

    def _no_such_state(self, name: str, place: Place) -> LocatedEquationError:
        bare = name[:-1]
        if bare in self._vocabulary.values:
            advice = f"write {bare}, or {bare}' on the left side if '{bare}' is a state"
            return self._source.fault(
                "never_written", place, f"'{bare}' is a value of the step, not a state", advice
            )
        return self._never_written(bare, place)

    def _never_written(self, name: str, place: Place) -> LocatedEquationError:
        advice = f"expected a line {name}' = ... for a state, or {name} = ... above for a value"
        return self._source.fault("never_written", place, f"'{name}' is read but never written", advice)

    def _unknown(self, name: str, place: Place, wanted: Kind) -> LocatedEquationError:
        words = self._vocabulary
        parameters = [*self._parameters, *self._legal_parameters()]
        known = (*words.known(), *FUNCTIONS, *words.functions, *parameters)
        near = nearest(name, known)
        if not near and wanted == "vector" and prefix_kind(name) is None:
            return self._never_written(name, place)
        advice = did_you_mean(name, known)
        return self._source.fault(
            "unknown_name", place, f"unknown name '{name}'", f"{advice} {_RULE}".strip()
        )

    def _legal_parameters(self) -> list[str]:
        """Give the parameters that stand anywhere in the cell and follow the rule."""
        found: list[str] = []
        for equation in self._draft.equations:
            for node in walk(equation.expression):
                name = (
                    node.matrix if isinstance(node, Product) else node.name if isinstance(node, Name) else ""
                )
                if name and self._vocabulary.parameter_kind(name):
                    found.append(name)
        return found


def check_uses(source: Source, draft: Draft, read: Collection[str], called: Collection[str]) -> None:
    """Check that all that is defined is used, and that x is read."""
    used = set(read) | {"h", "h'"}
    for constant in draft.constants:
        if constant.name not in used:
            raise _unused(source, "constant", constant.name, constant.place)
    for function in draft.functions:
        if function.name not in called:
            raise _unused(source, "function", function.name, function.place)
    for given in draft.givens:
        if given.name not in used:
            raise _unused(source, "given input", given.name, given.place)
    for equation in draft.equations:
        bare = equation.target.removesuffix("'")
        if equation.target not in used and bare not in used:
            advice = "expected a later line that reads it, or no such line"
            problem = f"value '{equation.target}' is computed but never used"
            raise source.fault("unused", equation.place, problem, advice)
    if "x" not in read:
        last = draft.equations[-1].place
        raise source.fault(
            "no_input", last, "no line reads x", "expected W @ x somewhere; x is the input of the step"
        )


def _unused(source: Source, what: str, name: str, place: Place) -> LocatedEquationError:
    return source.fault("unused", place, f"the {what} '{name}' is never used", "use it or take the line out")
