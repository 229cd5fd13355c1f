"""DropConnect on the weights of a recurrence: the same ones left out at every step of a batch."""

from collections.abc import Collection

import numpy as np
from numpy.typing import DTypeLike

from noria.arrays import Array
from noria.equations import Cell, recurrent_columns
from noria.errors import OptionError
from noria.layers.auxiliary import dropout_mask, handed_in
from noria.layers.layer import Inputs, Mode
from noria.layers.parameters import Block, Parameter


class WeightDrop:
    """Draws factors for the matrices of a cell that multiply what depends on its state.

    A weight is 0 with probability p and divided by 1 - p otherwise, for all steps and sequences of a batch;
    its gradient gets the same factor. Columns that multiply nothing but the input stay whole;
    where the same ones multiply both (``W @ (x + h)``), they are dropped for both.

    Parameters
    ----------
    title : str
        The layer, for messages.
    cell : Cell
    p : float
        In [0, 1); 0 drops nothing.

    Raises
    ------
    OptionError
        If `p` is outside its range, or no matrix of the cell multiplies its state.

    References
    ----------
    Wan et al. 2013; on recurrent weights: Merity, Keskar & Socher 2018, section 2.
    """

    def __init__(self, title: str, cell: Cell, p: float) -> None:
        if not 0.0 <= p < 1.0:
            raise OptionError(f"The 'drop_connect' option of {title} must be a float in [0, 1). Got {p}.")
        self.p = float(p)
        self._title = title
        self._columns = recurrent_columns(cell) if p else {}
        self._symbols = {parameter.name: parameter.columns for parameter in cell.parameters}
        if p and not self._columns:
            raise OptionError(
                f"{title}: drop_connect has nothing to drop, no matrix of the cell multiplies its state.\n"
                "  Leave it out, or take another cell."
            )

    @property
    def names(self) -> Collection[str]:
        """The auxiliary inputs that take the place of what would be drawn: ``"mask.U_i"``, as the matrix."""
        return [f"mask.{name}" for name in self._columns]

    def factors(
        self,
        parameters: dict[str, Parameter],
        block: Block,
        sizes: dict[str, int],
        given: Inputs,
        mode: Mode,
        dtype: DTypeLike,
    ) -> Array | None:
        """Give the factor of every value of the block, (P,); None where nothing is drawn or given."""
        supplied = [name for name in self.names if name in given]
        if not self.p or not (mode.training or supplied):
            return None
        factors = np.ones(block.size, np.empty(0, dtype).real.dtype)
        for name, recurrent in self._columns.items():
            parameter = parameters[name]
            shape = parameter.shape
            if f"mask.{name}" in given:
                mask = handed_in(self._title, given, f"mask.{name}", shape).copy()
            elif mode.training:
                mask = dropout_mask(self._title, shape, self.p, mode.rng, factors.dtype)
            else:
                continue
            start = 0
            for symbol, is_recurrent in zip(self._symbols[name], recurrent, strict=True):
                stop = start + sizes[symbol]
                if not is_recurrent:
                    mask[:, start:stop] = 1.0
                start = stop
            block.piece_of(parameter, factors)[...] = mask
        return factors
