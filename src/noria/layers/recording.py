"""Looking on while layers compute: what was computed in the calls of one pass, for each layer.

A recorder travels with the :class:`~noria.layers.layer.Mode` of a call into every layer inside, whatever
stands around it, and each layer that has something to tell hands it over.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from noria.arrays import Array
from noria.equations import Cell
from noria.sequences import Layout, Ragged


@dataclass(frozen=True, eq=False)
class Call:
    """One call of one layer.

    Attributes
    ----------
    layout : Layout
        Of the rows of the values.
    values : mapping of arrays
        By name, (N, size); those of gradients, ``"d_h"``, are there after the backward.
    """

    layout: Layout
    values: Mapping[str, Array]

    def sequences(self, name: str) -> list[Array]:
        """Give a value sequence by sequence, (T_i, size), in the caller's order."""
        return Ragged(self.values[name], self.layout).to_sequences()


class Recorder:
    """Collects what layers compute.

    Parameters
    ----------
    values : bool, default True
        Whether recurrent layers record every value that their equations name: gates, candidates, states.
    gradients : bool, default False
        Whether they record the gradient of each state after each step, in the backward.
    """

    def __init__(self, *, values: bool = True, gradients: bool = False) -> None:
        self.values, self.gradients = values, gradients
        self._calls: dict[int, list[Call]] = {}

    def names(self, cell: Cell) -> tuple[str, ...]:
        """Give the names that a recurrent layer with a cell is to record."""
        values = named_values(cell) if self.values else ()
        return values + (tuple(f"d_{state}" for state in cell.states) if self.gradients else ())

    def take(self, layer: object, layout: Layout, values: Mapping[str, Array]) -> None:
        """Take what a layer computed in a call."""
        self._calls.setdefault(id(layer), []).append(Call(layout, values))

    def calls(self, layer: object) -> list[Call]:
        """Give the calls of a layer, in their order."""
        return self._calls.get(id(layer), [])


def named_values(cell: Cell) -> tuple[str, ...]:
    """Give the name of each value that the equations of a cell define, in their order; of states the new."""
    return tuple(dict.fromkeys(equation.target.removesuffix("'") for equation in cell.equations))
