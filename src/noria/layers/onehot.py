"""Token ids as vectors with a single one, which costs nothing: the ids themselves travel on."""

import numpy as np

from noria.arrays import Array
from noria.errors import DataError, ShapeError
from noria.layers.backward import Backward
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.state import State
from noria.layers.streaming import Given, RowStream
from noria.sequences import Ragged


class OneHot(Layer):
    """Lets token ids stand for rows of V features, of which the id's own is 1 and all others 0.

    Nothing is written out: the product of a matrix and such a row is one of its columns, which the layers
    above look up.

    Parameters
    ----------
    symbols : int, optional
        Number of symbols, V; by default the input size it is configured with.
    """

    kind = "one-hot"

    def __init__(self, symbols: int | None = None, *, name: str | None = None) -> None:
        super().__init__(name)
        self.symbols = symbols

    def _declare(self, input_size: int) -> int:
        check_symbols(self.title, self.symbols, input_size)
        return input_size

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Check the ids and hand them on; they have no gradient."""
        self._no_memory(state)
        self._check_given(given)
        check_ids(self.title, x.rows, self.input_size)
        return x, Backward((lambda d_y, d_state: None) if mode.save else None, self.title)

    def stream(self, batch_size: int = 1) -> RowStream:
        """Check the ids of every step and hand them on."""
        title, symbols = self.title, self.input_size

        def step(x: Array, given: Given) -> Array:
            self._check_given(given)
            check_few_ids(title, x, symbols)
            return x

        return RowStream(self, batch_size, step)


def is_ids(rows: Array) -> bool:
    """Tell whether rows are token ids, each standing for a one-hot row."""
    return rows.ndim == 1 and rows.dtype.kind in "iu"


def check_symbols(title: str, expected: int | None, got: int) -> None:
    """Refuse an input size that is not the number of symbols."""
    if expected is not None and got != expected:
        raise ShapeError(f"{title}: expected an input size of {expected} symbols, got {got}.")


def check_ids(title: str, ids: Array, symbols: int) -> None:
    """Refuse rows that are not token ids in [0, symbols): says which row and which id."""
    if not is_ids(ids):
        raise DataError(
            f"{title}: expected token ids, integers of shape (N,), got {ids.dtype} of shape {ids.shape}."
        )
    if ids.min() < 0 or ids.max() >= symbols:
        row = int(np.argmax((ids < 0) | (ids >= symbols)))
        raise DataError(
            f"{title}: row {row} has id {ids[row]}, there are {symbols} symbols (0 to {symbols - 1})."
        )


def check_few_ids(title: str, ids: Array, symbols: int) -> None:
    """Refuse as :func:`check_ids` does; for a few ids, which Python looks at faster than NumPy."""
    if is_ids(ids) and len(ids):
        listed = ids.tolist()
        if min(listed) >= 0 and max(listed) < symbols:
            return
    check_ids(title, ids, symbols)
