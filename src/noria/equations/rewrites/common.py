"""What all rewrites share: a cell's draft, fresh names, whose new value a value is, and writing again."""

from collections.abc import Collection, Iterator

from noria.equations.cell import Cell
from noria.equations.draft import Draft, OwnFunction
from noria.equations.expression import Apply, Expression, Name, Number, Product, has_product, names_read, walk
from noria.equations.faults import Source
from noria.equations.functions import is_number
from noria.equations.inlining import inline
from noria.equations.printer import print_draft
from noria.errors import OptionError


def opened(cell: Cell) -> Draft:
    """Give the draft of a cell, own functions put in place but those that read only their arguments."""
    open_functions = _reaching_out(cell.draft)
    return inline(Source(cell.name, cell.text), cell.draft, lambda function: function.name in open_functions)


def written(cell: Cell, draft: Draft) -> Cell:
    """Give the cell that a changed draft says, under the name of ``cell``."""
    return cell.with_text(print_draft(draft))


def check_probability(rewrite: str, option: str, value: float) -> None:
    """Raise an :class:`~noria.errors.OptionError` unless ``value`` is a probability in [0, 1)."""
    if not is_number(value) or not 0 <= value < 1:
        raise OptionError(f"The '{option}' option of {rewrite} must be a float in [0, 1). Got {value!r}.")


def fresh(name: str, taken: Collection[str]) -> str:
    """``name``, or ``name_2``, ``name_3``, ... if it is taken."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


def names_of(draft: Draft) -> set[str]:
    """Every name that stands in the draft, whatever it names."""
    return set(_names_of(draft))


def _names_of(draft: Draft) -> Iterator[str]:
    for lines in (draft.constants, draft.functions, draft.givens):
        yield from (line.name for line in lines)
    yield from (line.pattern for line in draft.initials)
    for equation in draft.equations:
        yield equation.target.removesuffix("'")
        yield from read_names(equation.expression)


def read_names(expression: Expression) -> Iterator[str]:
    """Give the names of values, vectors and matrices in an expression."""
    for node in walk(expression):
        if isinstance(node, Name):
            yield node.name.removesuffix("'")
        elif isinstance(node, Product):
            yield node.matrix


def _reaching_out(draft: Draft) -> set[str]:
    """Give the own functions that read more than arguments and constants, themselves or by a call."""
    constants = {constant.name for constant in draft.constants}

    def reaches_out(function: OwnFunction) -> bool:
        own = {formal.name for formal in function.formals} | constants
        return has_product(function.body) or not own.issuperset(names_read(function.body))

    found = {function.name for function in draft.functions if reaches_out(function)}
    grown = True
    while grown:
        calling = {
            function.name
            for function in draft.functions
            if any(isinstance(node, Apply) and node.function in found for node in walk(function.body))
        }
        grown = not calling <= found
        found |= calling
    return found


def owners(draft: Draft) -> dict[str, str]:
    """Say whose new value a target is.

    ``{"h'": "h", "h_new": "h"}`` where h' is h_new, or h_new mixed with h by zoneout.
    """
    bernoulli = {given.name for given in draft.givens if given.law == "bernoulli"}
    found = {e.target: e.target[:-1] for e in draft.equations if e.target.endswith("'")}
    values = {equation.target for equation in draft.equations} - set(found)
    for equation in reversed(draft.equations):
        if equation.target in found:
            state = found[equation.target]
            new = _mixed_in(equation.expression, state, bernoulli)
            if new in values:
                found[new] = state
    return found


def _mixed_in(expression: Expression, state: str, bernoulli: Collection[str]) -> str:
    """Give the value passed on, alone or in ``zone * state + (1 - zone) * value``; else an empty string."""
    match expression:
        case Name(value):
            return value
        case Apply(
            "add",
            (
                Apply("mul", (Name(zone), Name(old))),
                Apply("mul", (Apply("sub", (Number(1.0), Name(same_zone))), Name(value))),
            ),
        ) if zone == same_zone and old == state and zone in bernoulli:
            return value
    return ""
