"""Reading the file of a cell: UTF-8 text, or an error that says what it is instead."""

from difflib import get_close_matches
from functools import cache
from pathlib import Path

from noria.equations.expression import NOWHERE
from noria.equations.faults import LocatedEquationError, Source
from noria.equations.statements import MAX_LENGTH

SUFFIX = ".eq"
SHIPPED = Path(__file__).parent / "cells"


@cache
def shipped_names() -> tuple[str, ...]:
    """Give the names of the cells that ship with Noria, sorted."""
    return tuple(sorted(path.stem for path in SHIPPED.glob(f"*{SUFFIX}")))


def nearest_shipped(name: str) -> str:
    """Words that lead from a name that does not exist to the shipped cells that it may have meant."""
    near = get_close_matches(name.lower(), shipped_names(), n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(near)}?" if near else f"Shipped cells: {', '.join(shipped_names())}."


def read_cell_file(path: Path) -> tuple[str, str]:
    """Give the name and the text of the cell in a file.

    Raises
    ------
    EquationError
        If the file is missing, a folder, cannot be read, or is not UTF-8 text.
    """

    def fault(problem: str, advice: str = "") -> LocatedEquationError:
        return Source(str(path), "").fault("file", NOWHERE, problem, advice)

    try:
        with path.open("rb") as file:
            data = file.read(4 * MAX_LENGTH + 4)
    except FileNotFoundError:
        advice = f"Expected a file of equations, or the name of a shipped cell. {nearest_shipped(path.stem)}"
        raise fault("there is no such file", advice) from None
    except IsADirectoryError:
        raise fault("this is a folder, not a file of equations", "Give the path of one file in it.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise fault(f"the file cannot be read: {reason}") from error
    if b"\0" in data:
        raise fault(
            "this is a binary file, not a file of equations",
            f"Expected text, such as {SHIPPED.name}/lstm{SUFFIX}.",
        )
    try:
        return path.stem, data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"the file is not UTF-8: byte 0x{data[error.start]:02X} in line {line}"
        raise fault(problem, "Save it as UTF-8.") from None
