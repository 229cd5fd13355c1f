"""A learned row of features for each symbol."""

from collections.abc import Iterator

import numpy as np

from noria.arrays import Array, Inexact
from noria.engines.one_hot import add_rows
from noria.equations import Initial
from noria.errors import OptionError, ShapeError
from noria.layers.auxiliary import dropout_mask, handed_in
from noria.layers.backward import Backward
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.onehot import check_few_ids, check_ids, check_symbols
from noria.layers.parameters import Parameter
from noria.layers.state import State
from noria.layers.streaming import Given, RowStream
from noria.sequences import LookedUp, Ragged


class Embedding(Layer):
    """Looks up row ``ids[n]`` of a table (V, F).

    Parameters
    ----------
    symbols : int
        Number of symbols, V.
    size : int
        Number of features, F.
    initial : Initial, optional
        Law of the initial values; by default normal with variance 1 / F, so that rows have length 1 on
        average.
    frozen : bool, default False
        Whether training leaves the table as it is.
    dropout : float, default 0
        Probability of leaving a symbol out, wherever it stands in a batch, in training; the rows of others
        are divided by 1 - dropout. Auxiliary input ``"mask"``: factors (V,) in the place of drawn ones; a
        stream takes none.

    References
    ----------
    Bengio et al. 2003, section 2. Dropout of symbols: Gal & Ghahramani 2016, section 4.2.
    """

    kind = "embedding"

    def __init__(
        self,
        symbols: int,
        size: int,
        *,
        initial: Initial | None = None,
        frozen: bool = False,
        dropout: float = 0.0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if symbols < 1 or size < 1:
            raise ShapeError(
                f"{self.title}: expected at least 1 symbol and 1 feature, got {symbols} and {size}."
            )
        if not 0.0 <= dropout < 1.0:
            raise OptionError(
                f"The 'dropout' option of {self.title} must be a float in [0, 1). Got {dropout}."
            )
        self.dropout = float(dropout)
        law = initial if initial is not None else Initial("normal", (size**-0.5,))
        self.table = Parameter("table", (symbols, size), law, frozen=frozen)

    @classmethod
    def from_vectors(
        cls,
        vectors: Inexact[Array, "V F"],
        *,
        frozen: bool = True,
        dropout: float = 0.0,
        name: str | None = None,
    ) -> "Embedding":
        """Start from known vectors, one row per symbol; by default they stay as they are."""
        layer = cls(*vectors.shape, frozen=frozen, dropout=dropout, name=name)
        layer.table.initial = np.array(vectors)
        return layer

    def _declare(self, input_size: int) -> int:
        check_symbols(self.title, self.table.shape[0], input_size)
        return self.table.shape[1]

    def own_parameters(self) -> Iterator[Parameter]:
        """Give the table."""
        yield self.table

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Look up the rows of token ids (N,), which have no gradient."""
        self._no_memory(state)
        self._check_given(given, ("mask",))
        ids, table = x.rows, self.table
        check_ids(self.title, ids, self.input_size)
        mask = self._mask(given, mode)

        def receive(d_table: Array) -> None:
            table.add(d_table if mask is None else d_table * mask)

        def backward(d_y: Array, d_state: State) -> None:
            if not table.frozen:  # d_table[v] = sum of d_y_n over ids_n = v
                add_rows(table.gradient, ids, d_y if mask is None else d_y * mask[ids])

        y: Ragged
        if mask is not None and len(table.value) > len(ids):
            y = x.with_rows(table.value[ids] * mask[ids])  # fewer rows than the table has
        else:
            values = table.value if mask is None else table.value * mask
            y = LookedUp(values, ids, x.layout, None if table.frozen else receive)  # y_n = values[ids_n]
        return y, Backward(backward if mode.save else None, self.title)

    def _mask(self, given: Inputs | None, mode: Mode) -> Array | None:
        """Give the factor of each symbol, (V, 1); None: nothing is left out."""
        symbols, dtype = len(self.table.value), self.table.value.real.dtype
        if given:
            return handed_in(self.title, given, "mask", (symbols,), dtype)[:, None]
        if mode.training and self.dropout > 0.0:
            return dropout_mask(self.title, (symbols, 1), self.dropout, mode.rng, dtype)
        return None

    def stream(self, batch_size: int = 1) -> RowStream:
        """Look up ids step by step."""
        table = np.array(self.table.value)

        def step(x: Array, given: Given) -> Array:
            self._check_given(given)
            check_few_ids(self.title, x, len(table))
            return table.take(x, 0)

        return RowStream(self, batch_size, step)
