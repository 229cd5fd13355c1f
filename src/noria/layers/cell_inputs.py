"""What a call of a recurrent layer is given, checked and in the order in which its kernel wants it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from noria.arrays import Array
from noria.equations import Cell
from noria.errors import ShapeError
from noria.layers.auxiliary import auxiliary_input
from noria.layers.initialisers import initialise
from noria.layers.layer import Inputs, Mode
from noria.layers.state import State
from noria.sequences import Layout


class CellInputs:
    """Brings the states and auxiliary inputs of a cell from the caller's order of sequences to sorted order.

    Parameters
    ----------
    title : str
        The layer, for messages.
    cell : Cell
    sizes : mapping of str to int
        The size of every symbol of the cell.
    """

    def __init__(self, title: str, cell: Cell, sizes: Mapping[str, int]) -> None:
        self._title, self._cell = title, cell
        names = (*cell.states, *(declared.name for declared in cell.givens))
        self._widths = {name: sizes[cell.size_of[name]] for name in names}
        self._initial_rows: dict[np.dtype[Any], dict[str, Array]] = {}

    def start(self, batch_size: int, dtype: np.dtype[Any]) -> dict[str, Array]:
        """Give the state in which the cell begins, the same for each sequence."""
        if dtype not in self._initial_rows:
            law = self._cell.initial
            nothing_drawn = np.random.default_rng(0)  # states start at constants
            self._initial_rows[dtype] = {
                name: initialise(law[name], (1, self._widths[name]), nothing_drawn).astype(dtype)
                for name in self._cell.states
            }
        return {name: row.repeat(batch_size, 0) for name, row in self._initial_rows[dtype].items()}

    def state(self, state: State, layout: Layout, dtype: np.dtype[Any], what: str) -> dict[str, Array]:
        """Put the caller's state into sorted order; None is where the cell begins.

        Parts of a gradient, which is what ``"d_state"`` calls it, may be left out.

        Raises
        ------
        ShapeError
            If it is no state of the cell.
        """
        if state is None:
            start = self.start(layout.batch_size, dtype)
            return {name: layout.to_sorted(array) for name, array in start.items()}
        states = self._cell.states
        names = ", ".join(f"'{name}'" for name in states)
        if not isinstance(state, Mapping):
            raise ShapeError(
                f"{self._title}: expected {what} as a dictionary of {names}, got {type(state).__name__}."
            )
        missing = set(states) - set(state) if what == "state" else set()
        if missing or not set(state) <= set(states):
            got = ", ".join(f"'{name}'" for name in state) or "nothing"
            raise ShapeError(f"{self._title}: expected {what} to hold {names}, got {got}.")
        for name, array in state.items():
            shape = (layout.batch_size, self._widths[name])
            if array.shape != shape:
                raise ShapeError(
                    f"{self._title}: expected {what} '{name}' of shape {shape}, got {array.shape}."
                )
        return {name: layout.to_sorted(array).astype(dtype, copy=False) for name, array in state.items()}

    def given(self, given: Inputs, layout: Layout, dtype: np.dtype[Any], mode: Mode) -> dict[str, Array]:
        """Draw what is drawn, check what is handed in, and put what is per sequence into sorted order.

        Raises
        ------
        ShapeError, DataError, OptionError
            As :func:`~noria.layers.auxiliary.auxiliary_input` does.
        """
        arrays: dict[str, Array] = {}
        for declared in self._cell.givens:
            per_sequence = declared.per == "sequence"
            shape = (layout.batch_size if per_sequence else layout.total, self._widths[declared.name])
            array = auxiliary_input(
                self._title, declared, given, shape, dtype, training=mode.training, rng=mode.rng
            )
            sorted_ = layout.to_sorted(array) if per_sequence else array
            # the backward reads it too: what the caller does with his array meanwhile must not matter
            arrays[declared.name] = np.array(sorted_, order="C") if declared.name in given else sorted_
        return arrays
