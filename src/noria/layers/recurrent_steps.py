"""A recurrent layer over a batch, one step at a time and back."""

from collections.abc import Mapping

import numpy as np

from noria.arrays import Array
from noria.engines.seam import Run
from noria.layers.parameters import Block
from noria.layers.state import State
from noria.layers.stepwise import Stepwise
from noria.sequences import Layout


class RecurrentSteps(Stepwise):
    """See :class:`noria.layers.stepwise.Stepwise`.

    Parameters
    ----------
    run : Run
        Begun without the number of steps.
    block : Block
        The parameters, whose gradients are added to.
    layout : Layout
        Of the batch that is taken apart.
    by_row : mapping of arrays
        Auxiliary inputs beside the rows, (N, size).
    factors : array of shape (P,), or None
        What the parameters were multiplied by.
    kept : dict, optional
        Where the values that the run records go, when it is over.
    """

    def __init__(
        self,
        run: Run,
        block: Block,
        layout: Layout,
        by_row: Mapping[str, Array],
        factors: Array | None,
        kept: dict[str, Array] | None = None,
    ) -> None:
        self._run, self._block, self._layout = run, block, layout
        self._by_row, self._factors = by_row, factors
        self._dtype = block.values.dtype
        self._taken = 0
        self._kept = kept

    @property
    def state(self) -> State:
        """Each sequence's own last state, in the caller's order."""
        return {name: self._layout.to_caller(array) for name, array in self._run.finals.items()}

    @property
    def d_state(self) -> State:
        """The gradient of the initial state, in the caller's order."""
        return {name: self._layout.to_caller(array) for name, array in self._run.d_states.items()}

    def step(self, x: Array) -> Array:
        """Run one step."""
        first = int(self._layout.offsets[self._taken])
        given = {name: array[first : first + len(x)] for name, array in self._by_row.items()}
        self._taken += 1
        return self._run.step(np.ascontiguousarray(x, self._dtype), given)

    def back(self, d_y: Array, d_state: State = None) -> Array:
        """Go back through one step."""
        d_finals = None
        if isinstance(d_state, Mapping):
            d_finals = {
                name: self._layout.to_sorted(array).astype(self._dtype, copy=False)
                for name, array in d_state.items()
            }
        d_x = self._run.step_back(np.ascontiguousarray(d_y, self._dtype), d_finals)
        assert d_x is not None  # rows came in
        return d_x

    def finish(self) -> None:
        """Add the gradients of the parameters, each group as one product over all rows."""
        gradients = self._block.gradients
        d_theta = gradients if self._factors is None else np.zeros_like(gradients)
        self._run.finish(d_theta)
        if self._factors is not None:
            gradients += d_theta * self._factors
        self._block.clear_frozen()

    def release(self) -> None:
        """Give the buffers back."""
        if self._kept is not None:
            self._kept.update(self._run.kept)
            self._kept = None
        self._run.release()
