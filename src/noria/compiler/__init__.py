"""From the equations of a cell to its program: graph, derivatives, backward, schedule, and their listings."""

from functools import lru_cache

from noria.compiler.check import check_program
from noria.compiler.cost import Cost, ParameterRow, cost, parameter_table
from noria.compiler.program import Program
from noria.compiler.schedule import schedule
from noria.compiler.textbook import TextbookBackward, textbook_backward
from noria.equations import Cell

__all__ = [
    "Cost",
    "ParameterRow",
    "Program",
    "TextbookBackward",
    "compile_cell",
    "cost",
    "parameter_table",
    "textbook_backward",
]


def compile_cell(cell: Cell, keep: tuple[str, ...] = (), *, expected: bool = False) -> Program:
    """Derive the program of ``cell``: its forward, its backward, and when each value is computed.

    Parameters
    ----------
    cell : Cell
    keep : tuple of str
        Names to record at every step besides what the backward needs: values (``"i"``), pre-activations
        (``"a_i"``), states after the step (``"c"``), or the gradient of any of these (``"d_c"``).
    expected : bool, default False
        Put the expectation in the place of every drawn auxiliary input, as inference does.

    Returns
    -------
    Program
        Sizes are symbols in it; the engines bind them.

    Raises
    ------
    UnknownNameError
        If ``keep`` names something that the cell does not have.
    """
    return _compile(cell, tuple(keep), expected)


@lru_cache(maxsize=256)
def _compile(cell: Cell, keep: tuple[str, ...], expected: bool) -> Program:
    program = schedule(cell, keep, expected=expected)
    check_program(program)
    return program
