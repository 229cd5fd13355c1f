"""Opening the cells that the command line names."""

from pathlib import Path
from typing import TYPE_CHECKING

from noria.errors import EquationError

if TYPE_CHECKING:
    from noria.equations import Cell


def open_cell(which: "str | Cell") -> "Cell":
    """Give a cell by its name, by the file that it is in, or as it is.

    Raises
    ------
    UnknownNameError
        If no cell that ships has this name.
    EquationError
        If the file cannot be read or what it says is wrong: names the file, as it was typed.
    """
    from noria.equations import cells
    from noria.equations.faults import LocatedEquationError

    try:
        return cells.get(which)
    except LocatedEquationError as error:
        name = Path(str(which)).stem
        if error.kind == "file" or not str(error).startswith(name):
            raise
        raise EquationError(f"{which}{str(error).removeprefix(name)}") from error
