"""Which weights of a cell stand in its recurrence: those that multiply what depends on the state."""

from noria.equations.cell import Cell
from noria.equations.expression import Concatenation, Expression, Product, names_read, walk


def recurrent_columns(cell: Cell) -> dict[str, tuple[bool, ...]]:
    """Say of each part of a matrix's columns whether it multiplies something that depends on the state.

    Parameters
    ----------
    cell : Cell

    Returns
    -------
    dict
        For the matrices that have such columns, in the order of the cell's parameters: one truth value for
        each part of ``Parameter.columns``. ``W @ [h, x]`` gives ``{"W": (True, False)}``; the projection
        ``P @ (o * tanh(c'))`` is recurrent, ``W_i @ x`` is not.
    """
    dependent = set(cell.states)
    found: dict[str, tuple[bool, ...]] = {}
    for equation in cell.equations:
        for node in walk(equation.expression):
            if isinstance(node, Product):
                parts = node.operand.parts if isinstance(node.operand, Concatenation) else (node.operand,)
                recurrent = tuple(_depends(part, dependent) for part in parts)
                known = found.get(node.matrix, recurrent)
                found[node.matrix] = tuple(a or b for a, b in zip(known, recurrent, strict=True))
        if _depends(equation.expression, dependent):
            dependent.add(equation.target)
    return {
        parameter.name: found[parameter.name]
        for parameter in cell.parameters
        if any(found.get(parameter.name, ()))
    }


def _depends(expression: Expression, dependent: set[str]) -> bool:
    return not dependent.isdisjoint(names_read(expression))
