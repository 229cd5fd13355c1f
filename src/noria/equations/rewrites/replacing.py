"""One function in the place of another."""

from collections.abc import Mapping
from dataclasses import replace as with_fields

from noria.equations.cell import Cell
from noria.equations.draft import Draft, OwnFunction
from noria.equations.expression import Apply, Expression, children, rebuild, walk
from noria.equations.faults import LocatedEquationError, Source, did_you_mean
from noria.equations.functions import ALIASES, FUNCTIONS
from noria.equations.rewrites.common import written
from noria.equations.statements import read
from noria.errors import OptionError, UnknownNameError


def replace(cell: Cell, **functions: str) -> Cell:
    """Put other functions in the place of those that a cell calls, all at once.

    ``replace(cell, tanh="relu")`` names a function that the language or the cell knows;
    ``replace(cell, tanh="leaky(z) = max(z, 0.01 * z)")`` brings a function of its own along.

    Raises
    ------
    OptionError
        If the cell does not call a function that is to be replaced.
    UnknownNameError
        If the new function does not exist.
    EquationError
        If the text of a new function is wrong, or the new function takes another number of arguments.
    """
    draft = cell.draft
    own = {function.name: function for function in draft.functions}
    brought: dict[str, OwnFunction] = {}
    names: dict[str, str] = {}
    for old, new in functions.items():
        old = ALIASES.get(old, old)
        _check_called(cell, draft, old)
        if "=" in new:
            function = _read_function(old, new)
            if own.get(function.name, function) != function:
                raise OptionError(
                    f"replace: cell '{cell.name}' has another function '{function.name}' already."
                )
            brought[function.name] = function
            names[old] = function.name
        else:
            names[old] = _known(cell, new.strip(), own)
    equations = tuple(with_fields(e, expression=_called_anew(e.expression, names)) for e in draft.equations)
    bodies = {f.name: with_fields(f, body=_called_anew(f.body, names)) for f in draft.functions}
    changed = with_fields(draft, equations=equations, functions=tuple((bodies | brought).values()))
    return written(cell, with_fields(changed, functions=_still_called(changed)))


def _check_called(cell: Cell, draft: Draft, name: str) -> None:
    called = {
        node.function
        for expression in (*(e.expression for e in draft.equations), *(f.body for f in draft.functions))
        for node in walk(expression)
        if isinstance(node, Apply)
    }
    if name not in called:
        words = did_you_mean(
            name, called & {*FUNCTIONS, *(f.name for f in draft.functions)}, "nothing to replace."
        )
        raise OptionError(f"replace: cell '{cell.name}' does not call '{name}'; {words}")


def _read_function(old: str, text: str) -> OwnFunction:
    source = Source(f"replace {old}", text)
    draft = read(source)
    if len(draft.functions) != 1 or draft.equations or draft.constants:
        raise LocatedEquationError(
            f"replace {old}: expected one function such as 'leaky(z) = max(z, 0.01 * z)', got {text!r}",
            kind="syntax",
        )
    return draft.functions[0]


def _known(cell: Cell, name: str, own: Mapping[str, OwnFunction]) -> str:
    name = ALIASES.get(name, name)
    if name not in FUNCTIONS and name not in own:
        known = (*FUNCTIONS, *own)
        advice = did_you_mean(name, known, f"known are {' '.join(known)}.")
        raise UnknownNameError(f"replace: cell '{cell.name}' knows no function '{name}'; {advice}")
    return name


def _called_anew(expression: Expression, names: Mapping[str, str]) -> Expression:
    rebuilt = rebuild(expression, [_called_anew(part, names) for part in children(expression)])
    if isinstance(rebuilt, Apply):
        return with_fields(rebuilt, function=names.get(rebuilt.function, rebuilt.function))
    return rebuilt


def _still_called(draft: Draft) -> tuple[OwnFunction, ...]:
    """Give the own functions that the equations call, directly or through each other."""
    bodies = {function.name: function.body for function in draft.functions}
    waiting = [equation.expression for equation in draft.equations]
    called: set[str] = set()
    while waiting:
        for node in walk(waiting.pop()):
            if isinstance(node, Apply) and node.function in bodies and node.function not in called:
                called.add(node.function)
                waiting.append(bodies[node.function])
    return tuple(function for function in draft.functions if function.name in called)
