"""The cells that ship: one file of equations each, with its paper at the head."""

from collections.abc import Iterator
from pathlib import Path

from noria.equations.cell import Cell
from noria.equations.files import SHIPPED, SUFFIX, nearest_shipped, shipped_names
from noria.errors import UnknownNameError


class Library:
    """The shipped cells by name: ``cells.lstm``, ``cells["lstm"]``."""

    def names(self) -> tuple[str, ...]:
        """Give the names of all shipped cells, sorted."""
        return shipped_names()

    def get(self, which: str | Path | Cell) -> Cell:
        """Give a cell by its shipped name, by the path of a file of equations, or as it is.

        What ends in ``.eq``, has a folder in it or is a :class:`~pathlib.Path` is a path; anything else is a
        name.

        Raises
        ------
        UnknownNameError
            If no shipped cell has this name; says which ones come near.
        EquationError
            If the file is missing or what it says is wrong.
        """
        if isinstance(which, Cell):
            return which
        if isinstance(which, Path) or which.endswith(SUFFIX) or "/" in which or "\\" in which:
            return Cell.load(which)
        if which not in shipped_names() and Path(which).exists():
            raise UnknownNameError(
                f"{which}: a file of equations ends in {SUFFIX}, and there is no such cell."
            )
        return self[which]

    def __getitem__(self, name: str) -> Cell:
        if name not in shipped_names():
            raise UnknownNameError(f"There is no cell '{name}'. {nearest_shipped(name)}")
        return Cell.load(SHIPPED / f"{name}{SUFFIX}")

    def __getattr__(self, name: str) -> Cell:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except UnknownNameError as error:
            raise AttributeError(str(error)) from None

    def __contains__(self, name: object) -> bool:
        return name in shipped_names()

    def __iter__(self) -> Iterator[str]:
        return iter(shipped_names())

    def __len__(self) -> int:
        return len(shipped_names())

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *shipped_names()]

    def __repr__(self) -> str:
        return f"<cells {', '.join(shipped_names())}>"


cells = Library()
