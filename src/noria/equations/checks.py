"""What a cell's names must hold to: defined once, in time, of the right kind, and used."""

from collections.abc import Collection

from noria.equations.draft import Draft
from noria.equations.expression import Concatenation, Expression, Name, Place, Product, children, walk
from noria.equations.faults import LocatedEquationError, Source, did_you_mean, nearest
from noria.equations.functions import ALIASES, FUNCTIONS, OPERATORS
from noria.equations.names import RULES, Kind, ParameterUse, Vocabulary, prefix_kind


def check_definitions(source: Source, draft: Draft) -> None:
    """Check the left sides: nothing twice, nothing that is taken, and an ``h'``."""
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
    places = [(equation.target, equation.place) for equation in draft.equations]
    for lines in (draft.constants, draft.functions, draft.givens):
        places += [(line.name, line.place) for line in lines]
    constants = {constant.name for constant in draft.constants}
    for name, place in sorted(places, key=lambda pair: (pair[1].line, pair[1].column)):
        if name in reserved:
            raise source.fault("reserved", place, reserved[name], "give the line another name")
        if name in seen:
            raise _twice(source, name, place, seen[name], constants)
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
    source: Source, name: str, place: Place, first: Place, constants: Collection[str]
) -> LocatedEquationError:
    where = f"first in line {first.line}"
    if name.endswith("'"):
        problem = f"the state '{name[:-1]}' is written twice, {where}"
        return source.fault("written_twice", place, problem, "keep one of the lines")
    if name in constants:
        problem = f"'{name}' is a constant, {where}, and cannot be assigned to"
        return source.fault("reserved", place, problem, "rename one of them")
    problem = f"the name '{name}' is defined twice, {where}"
    return source.fault("defined_twice", place, problem, "rename one of them")


class NameCheck:
    """Says of every name in the equations, in order, what it is; gathers the parameters on the way."""

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
        if words.is_defined(name) or name in words.functions or name in FUNCTIONS:
            advice = f"left of '@' stands a weight matrix. {RULES['matrix']}"
            raise self._source.fault("not_a_matrix", place, f"'{name}' is not a matrix", advice)
        if self._parameter_kind(name, place, "matrix") == "vector":
            advice = f"write {name} * ..., or a matrix"
            raise self._source.fault("not_a_matrix", place, f"'{name}' is a vector, not a matrix", advice)

    def _check_name(self, node: Name) -> None:
        name, place, words = node.name, node.place, self._vocabulary
        self._read.add(name)
        if name in self._later:
            raise self._too_early(name, place)
        if name.endswith("'") and name[:-1] not in words.states:
            raise self._no_such_state(name, place)
        if words.is_defined(name):
            return
        if name in FUNCTIONS or name in words.functions:
            advice = f"expected its arguments, {name}(...)"
            raise self._source.fault("function_alone", place, f"the function '{name}' stands alone", advice)
        if self._parameter_kind(name, place, "vector") == "matrix":
            advice = f"expected '@' and a vector behind it, {name} @ h"
            raise self._source.fault("matrix_alone", place, f"the matrix '{name}' stands alone", advice)

    def _parameter_kind(self, name: str, place: Place, wanted: Kind) -> Kind:
        """Give the kind of a parameter: by its first use, by the rule, or, if it is declared, by this use."""
        if name not in self._parameters:
            kind = self._vocabulary.parameter_kind(name)
            if kind is None and self._vocabulary.is_declared(name):
                kind = prefix_kind(name) or wanted
            if kind is None:
                raise self._unknown(name, place, wanted)
            self._parameters[name] = ParameterUse(name, kind, place)
        return self._parameters[name].kind

    def _too_early(self, name: str, place: Place) -> LocatedEquationError:
        problem = f"'{name}' is used before it is defined, in line {self._later[name].line}"
        advice = f"move that line up, or read the old value {name[:-1]}"
        if not name.endswith("'"):
            advice = f"move that line up, or write {name}' = ... if '{name}' is a state"
        return self._source.fault("used_before", place, problem, advice)

    def _no_such_state(self, name: str, place: Place) -> LocatedEquationError:
        bare = name[:-1]
        if self._vocabulary.is_defined(bare):
            problem = f"'{bare}' is no state, and has no new value"
            return self._source.fault("never_written", place, problem, f"write {bare}")
        return self._never_written(bare, place)

    def _never_written(self, name: str, place: Place) -> LocatedEquationError:
        advice = f"expected a line {name}' = ... for a state, or {name} = ... above for a value"
        return self._source.fault("never_written", place, f"'{name}' is read but never written", advice)

    def _unknown(self, name: str, place: Place, wanted: Kind) -> LocatedEquationError:
        """Make the error that a name is unknown.

        One that looks like nothing known must be a state, or a value, that nobody writes.
        """
        words = self._vocabulary
        known = [*words.known(), *FUNCTIONS, *words.functions, *self._parameters, *self._legal_parameters()]
        if prefix_kind(name):
            known += [f"{name.partition('_')[0]}_{own}" for own in words.own]
        elif wanted == "vector" and not nearest(name, known):
            return self._never_written(name, place)
        advice = f"{did_you_mean(name, known)} {RULES[prefix_kind(name) or wanted]}".strip()
        return self._source.fault("unknown_name", place, f"unknown name '{name}'", advice)

    def _legal_parameters(self) -> list[str]:
        """Give the parameters that stand anywhere in the cell and follow the rule."""
        nodes = [node for equation in self._draft.equations for node in walk(equation.expression)]
        matrices = [node.matrix for node in nodes if isinstance(node, Product)]
        vectors = [node.name for node in nodes if isinstance(node, Name)]
        return [name for name in (*matrices, *vectors) if self._vocabulary.parameter_kind(name)]


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
        advice = "expected W @ x somewhere; x is the input of the step"
        raise source.fault("no_input", last, "no line reads x", advice)


def _unused(source: Source, what: str, name: str, place: Place) -> LocatedEquationError:
    return source.fault("unused", place, f"the {what} '{name}' is never used", "use it or take the line out")
