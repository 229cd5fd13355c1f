"""What stands on the right of an equation, as an immutable tree.

Five kinds of node are enough. Names are kept as the writer wrote them: ``i`` is a value of this step, ``h``
the state before the step, ``h'`` the state after it. Places are carried for error messages and never
compared.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Place:
    """Where something stands in the text: line and column from 1, and how many characters wide it is."""

    line: int
    column: int
    width: int = 1


NOWHERE = Place(0, 0, 0)


@dataclass(frozen=True)
class Number:
    """A number, the same in every row and at every unit."""

    value: float
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Name:
    """The input, a state before or after the step, a value, a given input, or a learned vector."""

    name: str
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Apply:
    """A function of the table of functions, element by element (``layer_norm``: over the units of a row)."""

    function: str
    arguments: tuple["Expression", ...]
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Product:
    """A weight matrix times a vector."""

    matrix: str
    operand: "Expression"
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Concatenation:
    """Vectors one after the other, ``[h, x]``; stands only to the right of a matrix."""

    parts: tuple["Expression", ...]
    place: Place = field(default=NOWHERE, compare=False, repr=False)


Expression = Number | Name | Apply | Product | Concatenation


def children(expression: Expression) -> tuple[Expression, ...]:
    """Give the expressions that ``expression`` is made of, in writing order."""
    match expression:
        case Apply():
            return expression.arguments
        case Product():
            return (expression.operand,)
        case Concatenation():
            return expression.parts
        case _:
            return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """Go through ``expression`` and everything in it, outermost first, in writing order."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def rebuild(expression: Expression, parts: Iterable[Expression]) -> Expression:
    """Give the same node around other ``parts``, as many as :func:`children` gave."""
    parts = tuple(parts)
    match expression:
        case Apply():
            return replace(expression, arguments=parts)
        case Product():
            return replace(expression, operand=parts[0])
        case Concatenation():
            return replace(expression, parts=parts)
        case _:
            return expression


def change(expression: Expression, visit: Callable[[Expression], Expression | None]) -> Expression:
    """Go down ``expression`` and put what ``visit`` gives in the place of a node; then go no deeper there."""
    changed = visit(expression)
    if changed is not None:
        return changed
    return rebuild(expression, (change(part, visit) for part in children(expression)))


def rename(expression: Expression, names: Mapping[str, str]) -> Expression:
    """Give ``expression`` with other names for its values; matrices keep theirs."""
    return change(
        expression,
        lambda e: replace(e, name=names[e.name]) if isinstance(e, Name) and e.name in names else None,
    )


def depth(expression: Expression) -> int:
    """Count the nodes on the longest way down, without recursion, so that any text can be measured."""
    deepest, waiting = 0, [(expression, 1)]
    while waiting:
        node, level = waiting.pop()
        deepest = max(deepest, level)
        waiting.extend((part, level + 1) for part in children(node))
    return deepest


def names_read(expression: Expression) -> tuple[str, ...]:
    """Every name of a value in ``expression``, in writing order; matrices are not among them."""
    return tuple(node.name for node in walk(expression) if isinstance(node, Name))


def has_product(expression: Expression) -> bool:
    """Whether a weight matrix multiplies something in ``expression``."""
    return any(isinstance(node, Product) for node in walk(expression))
