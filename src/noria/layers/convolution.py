"""A window over the steps of each sequence, with the same weights at every place."""

from collections.abc import Iterator

import numpy as np

from noria.arrays import Array, Int
from noria.engines.dense import add_outer, times
from noria.equations import Initial
from noria.errors import OptionError
from noria.layers.backward import Backward
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.parameters import Parameter
from noria.layers.state import State
from noria.sequences import Layout, Ragged


class Convolution(Layer):
    """``y_t = W [x_{t-k}, ..., x_{t+k}] + b``, with zeros where a sequence has no step.

    As many steps come out as went in. Nothing of one sequence gets into another: only its own steps and zeros
    are in a window.

    Parameters
    ----------
    size : int
        Output size, F'.
    width : int, default 3
        Steps in a window; of an even number, one more follows than precedes.
    rectified : bool, default False
        Whether what is negative becomes zero.

    References
    ----------
    LeCun et al. 1989; over sentences: Kim 2014.
    """

    kind = "convolution"

    def __init__(
        self, size: int, *, width: int = 3, rectified: bool = False, name: str | None = None
    ) -> None:
        super().__init__(name)
        for option, value in (("size", size), ("width", width)):
            if value < 1:
                raise OptionError(
                    f"The '{option}' option of {self.title} must be an int of at least 1. Got {value}."
                )
        self.size, self.width, self.rectified = size, width, rectified

    @property
    def causal(self) -> bool:
        """Whether the window has one step only."""
        return self.width == 1

    def _declare(self, input_size: int) -> int:
        self.W = Parameter("W", (self.size, self.width * input_size), Initial("xavier", ()))
        self.b = Parameter("b", (self.size,), Initial("zero", ()))
        return self.size

    def own_parameters(self) -> Iterator[Parameter]:
        """Give W, whose columns go through the window step by step, then b."""
        yield from (self.W, self.b)

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Map rows (N, F) to rows (N, F')."""
        self._no_memory(state)
        self._check_given(given)
        self._check_numbers(x)
        W, b = self.W, self.b
        rows, features = x.rows.astype(W.value.dtype, copy=False), self.input_size
        places = [_neighbours(x.layout, shift) for shift in self._shifts]
        windows = np.zeros((len(x), self.width * features), rows.dtype)
        for k, (here, there) in enumerate(places):
            windows[here, k * features : (k + 1) * features] = rows[there]
        y = times(windows, W.value, transposed=True) + b.value
        if self.rectified:
            y = np.where(y.real > 0, y, np.where(np.isnan(y), y, 0))

        def backward(d_y: Array, d_state: State) -> Array:
            d_sum = d_y * (y != 0) if self.rectified else d_y
            b.add(d_sum.sum(axis=0))
            if not W.frozen:
                add_outer(np.ascontiguousarray(d_sum), windows, W.gradient)
            d_windows = times(d_sum, W.value, transposed=False)
            d_x = np.zeros_like(rows)
            for k, (here, there) in enumerate(places):  # no row is twice in `there`
                d_x[there] += d_windows[here, k * features : (k + 1) * features]
            return d_x

        return x.with_rows(y), Backward(backward if mode.save else None, self.title)

    @property
    def _shifts(self) -> range:
        """Where the steps of a window stand, seen from its own."""
        before = (self.width - 1) // 2
        return range(-before, self.width - before)


def _neighbours(layout: Layout, shift: int) -> tuple[Int[Array, " M"], Int[Array, " M"]]:
    """Give the rows that have a step `shift` further on in their sequence, and the rows of those steps."""
    step = layout.step_of_row + shift
    here = np.flatnonzero((step >= 0) & (step < layout.lengths[layout.sequence_of_row]))
    return here, layout.offsets[step[here]] + layout.sequence_of_row[here]
