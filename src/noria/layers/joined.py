"""Features from outside joined to the rows: early fusion."""

import numpy as np

from noria.arrays import Array
from noria.errors import OptionError
from noria.layers.auxiliary import FEATURES, handed_in
from noria.layers.backward import Backward, Gradients
from noria.layers.layer import INFERENCE, TRACKED, Inputs, Layer, Mode
from noria.layers.state import State
from noria.layers.streaming import Given, RowStream, one_step
from noria.sequences import Ragged


class Joined(Layer):
    """Writes features of a token beside the row that stands for it: ``y_n = [x_n, features_n]``.

    Position in the sequence, the shape of a word, the day of the week, any column of numbers. Auxiliary input
    ``"features"``: an array (N, size) beside the rows, whose gradient is in ``backward.d_given``.

    Parameters
    ----------
    size : int
        Number of features; at least 1.
    """

    kind = "joined"

    def __init__(self, size: int, *, name: str | None = None) -> None:
        super().__init__(name)
        if size < 1:
            raise OptionError(f"The 'size' option of {self.title} must be an int of at least 1. Got {size}.")
        self.size = size

    def _declare(self, input_size: int) -> int:
        return input_size + self.size

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Join rows (N, F) and features (N, size) to rows (N, F + size)."""
        self._no_memory(state)
        self._check_given(given, (FEATURES,))
        self._check_numbers(x)
        features = handed_in(self.title, given, FEATURES, (len(x), self.size))
        width = self.input_size
        y = np.empty((len(x), width + self.size), np.result_type(x.rows.dtype, np.float32))
        y[:, :width], y[:, width:] = x.rows, features

        def backward(d_y: Array, d_state: State) -> Gradients:
            return Gradients(d_y[:, :width], given={FEATURES: d_y[:, width:]})

        return x.with_rows(y), Backward(backward if mode.save else None, self.title)

    def stream(self, batch_size: int = 1) -> RowStream:
        """Join step by step; the features of a step are (B, size)."""

        def step(x: Array, given: Given) -> Array:
            return self(one_step(x), given=given, mode=INFERENCE)[0].rows

        return RowStream(self, batch_size, step)
