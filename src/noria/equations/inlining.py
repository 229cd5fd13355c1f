"""Calls are checked against the table of functions, and a cell's own functions are replaced by what they say.

The arguments of a function take part in the expression as trees, not as text: a name in an argument can never
be caught by the function's own names.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from noria.equations.draft import Draft, Equation, OwnFunction
from noria.equations.expression import (
    Apply,
    Expression,
    Name,
    Product,
    change,
    depth,
    names_read,
    walk,
)
from noria.equations.faults import Source, did_you_mean
from noria.equations.functions import FUNCTIONS, counted, known_function
from noria.equations.parser import MAX_DEPTH, too_deep

MAX_NODES = 5_000


def inline(
    source: Source, draft: Draft, which: Callable[[OwnFunction], bool] = lambda function: True
) -> Draft:
    """Give the draft with own functions put in place wherever they are called.

    Functions that ``which`` refuses stay called by name and stay in the draft. Every call is checked on the
    way, and so is every function, called or not.
    """
    inliner = _Inliner(source, draft.functions, which)
    for function in draft.functions:
        _check_formals(source, function)
    kept = tuple(replace(function, body=inliner.body(function)) for function in draft.functions)
    equations = tuple(
        _within_bounds(source, replace(e, expression=inliner.inline(e.expression))) for e in draft.equations
    )
    return replace(draft, functions=tuple(f for f in kept if not which(f)), equations=equations)


def _within_bounds(source: Source, equation: Equation) -> Equation:
    if depth(equation.expression) > MAX_DEPTH:
        raise too_deep(source, equation.place)
    return equation


def _check_formals(source: Source, function: OwnFunction) -> None:
    used = set(names_read(function.body))
    for formal in function.formals:
        if formal.name not in used:
            problem = f"the argument '{formal.name}' of '{function.name}' is never used"
            raise source.fault("unused", formal.place, problem, did_you_mean(formal.name, used))


class _Inliner:
    """Puts functions in place, one equation after the other, and counts how much it has written."""

    def __init__(
        self, source: Source, functions: Sequence[OwnFunction], which: Callable[[OwnFunction], bool]
    ) -> None:
        self._source = source
        self._functions: Mapping[str, OwnFunction] = {function.name: function for function in functions}
        self._which = which
        self._bodies: dict[str, Expression] = {}
        self._calling: list[str] = []
        self._nodes = 0

    def body(self, function: OwnFunction) -> Expression:
        """Give the body of ``function`` with the functions that it calls put in place."""
        if function.name not in self._bodies:
            self._calling.append(function.name)
            self._bodies[function.name] = self.inline(function.body)
            self._calling.pop()
        return self._bodies[function.name]

    def inline(self, expression: Expression) -> Expression:
        """Give ``expression`` without calls of own functions."""
        return change(expression, self._visit)

    def _visit(self, node: Expression) -> Expression | None:
        if not isinstance(node, Apply):
            return None
        self._check_call(node)
        function = self._functions.get(node.function)
        if function is None:
            return None
        body = self.body(function)
        if not self._which(function):
            return None
        arguments = {
            formal.name: self.inline(argument)
            for formal, argument in zip(function.formals, node.arguments, strict=True)
        }
        return self._filled(node, body, arguments)

    def _filled(self, call: Apply, body: Expression, arguments: Mapping[str, Expression]) -> Expression:
        """Give the body with its formals replaced; errors in it still point to where it is written."""
        sizes = {name: sum(1 for _ in walk(argument)) for name, argument in arguments.items()}
        for node in walk(body):
            self._nodes += sizes.get(node.name, 1) if isinstance(node, Name) else 1
            if self._nodes > MAX_NODES:
                raise too_deep(self._source, call.place)

        def filled(node: Expression) -> Expression | None:
            if isinstance(node, Name):
                return arguments.get(node.name, node)
            if isinstance(node, Product) and node.matrix in arguments:
                advice = "an argument of a function is a vector"
                raise self._source.fault(
                    "not_a_matrix", node.place, f"the argument '{node.matrix}' is no matrix", advice
                )
            return None

        return change(body, filled)

    def _check_call(self, call: Apply) -> None:
        name, count = call.function, len(call.arguments)
        own, known = self._functions.get(name), known_function(name)
        if name in self._calling:
            advice = "a function may call others, but not itself"
            raise self._source.fault("recursion", call.place, f"the function '{name}' calls itself", advice)
        if own is not None:
            is_right, needed = count == len(own.formals), counted(len(own.formals), "argument")
            advice = f"{name}({', '.join(formal.name for formal in own.formals)})"
        elif known is not None:
            is_right, needed, advice = known.accepts(count), known.arity, known.description
        else:
            advice = did_you_mean(name, (*FUNCTIONS, *self._functions), f"known are {' '.join(FUNCTIONS)}")
            raise self._source.fault("unknown_function", call.place, f"unknown function '{name}'", advice)
        if not is_right:
            raise self._source.fault("arity", call.place, f"'{name}' takes {needed}, got {count}", advice)
