"""A textbook's cell with somebody's parameters in it, and what a file says of its cell."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noria.arrays import Array
from noria.equations import Cell, cells
from noria.errors import UnknownNameError
from noria.inspection.own_code import SIZES, Arrays, OwnCode
from noria.inspection.tape import Tape
from noria.inspection.tape_operations import Trace


@dataclass(frozen=True)
class View:
    """Where a textbook's parameter lies in one of the user's."""

    own: str
    shape: tuple[int, ...]
    transposed: bool = False
    rows: tuple[int, int] | None = None

    def of(self, arrays: Mapping[str, Array]) -> Array:
        """Give the part of the user's arrays, in the textbook's shape."""
        value = arrays[self.own]
        value = value.T if self.transposed else value
        return (value if self.rows is None else value[slice(*self.rows)]).reshape(self.shape)

    def put(self, value: Array, arrays: Mapping[str, Array]) -> None:
        """Write into the user's arrays."""
        target = arrays[self.own]
        target = target.T if self.transposed else target
        part = target if self.rows is None else target[slice(*self.rows)]
        part[...] = value.reshape(part.shape)


@dataclass(frozen=True, eq=False)
class Textbook:
    """A cell with the user's parameters in it.

    Attributes
    ----------
    cell : Cell
    variant : str
        Which of the textbook's conventions.
    views : mapping of str to View
    tape : Tape
    slip : tuple
        What had to be changed in its equations to be the user's: a key and its words; empty: nothing.
    """

    cell: Cell
    variant: str
    views: Mapping[str, View]
    tape: Tape
    slip: tuple[str, tuple[str, ...]] = ("", ())

    def trace(self, x: Array, states: list[Array], params: Mapping[str, Array]) -> Trace:
        """Run it on the user's numbers."""
        named = dict(zip(self.cell.states, states, strict=True))
        return self.tape.forward(x, named, {name: view.of(params) for name, view in self.views.items()})

    def outputs(self, trace: Trace, count: int) -> list[Array]:
        """Give what the user's forward hands out: the output, or every state."""
        if count == 1:
            return [trace.outputs]
        places = [self.tape.targets[f"{state}'"] for state in self.cell.states[:count]]
        return [np.stack([values[place] for values in trace.values]) for place in places]

    def as_own(self, gradients: Mapping[str, Array], like: Mapping[str, Array]) -> Arrays:
        """Give gradients of the textbook's parameters as those of the user's."""
        own = {name: np.zeros_like(value) for name, value in like.items()}
        for name, view in self.views.items():
            view.put(gradients[name], own)
        return own


def declared_cell(code: OwnCode) -> Cell | None:
    """Give the cell that a file says it is; None where it says nothing."""
    which = code.cell
    if which is None or isinstance(which, Cell):
        return which
    text = str(which)
    if "=" in text:
        return Cell.parse(text, name=code.path.stem)
    if text.endswith(".eq") and not Path(text).is_absolute():
        return Cell.load(code.path.parent / text)
    try:
        return cells.get(text)
    except UnknownNameError as error:
        raise UnknownNameError(f"{code.path}, CELL: {error}") from None


def default_parameters(cell: Cell, rng: np.random.Generator) -> Arrays:
    """Draw a cell's own parameters by its own names."""
    sizes = {symbol: SIZES.get(symbol, SIZES["H"]) for symbol in cell.sizes}
    return {one.name: 0.6 * rng.standard_normal(one.shape(sizes)) for one in cell.parameters}
