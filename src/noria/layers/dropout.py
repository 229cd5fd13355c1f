"""Values left out at random while training."""

import numpy as np

from noria.arrays import Array
from noria.errors import OptionError
from noria.layers.auxiliary import dropout_mask, handed_in
from noria.layers.backward import Backward
from noria.layers.layer import INFERENCE, TRACKED, Inputs, Layer, Mode
from noria.layers.state import State
from noria.layers.stepwise import CalledSteps
from noria.layers.streaming import Given, RowStream, one_step
from noria.sequences import Layout, Ragged


class Dropout(Layer):
    """Sets each value to zero with probability p and divides the others by 1 - p, in training only.

    Auxiliary input ``"mask"``: an array of factors to use in the place of drawn ones, (N, F), or (B, F) in
    the caller's order where the dropout is locked.

    Parameters
    ----------
    p : float
        Probability of leaving a value out, in [0, 1).
    locked : bool, default False
        Whether a sequence leaves the same features out at all its steps (of a batch).

    References
    ----------
    Srivastava et al. 2014; between recurrent layers, and not from step to step: Zaremba, Sutskever &
    Vinyals 2014. Locked, or variational: Gal & Ghahramani 2016.
    """

    kind = "dropout"

    def __init__(self, p: float, *, locked: bool = False, name: str | None = None) -> None:
        super().__init__(name)
        if not 0.0 <= p < 1.0:
            raise OptionError(f"The 'p' option of Dropout must be a float in [0, 1). Got {p}.")
        self.p = float(p)
        self.locked = locked

    def _declare(self, input_size: int) -> int:
        return input_size

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Multiply the rows by a mask, and their gradient by the same mask."""
        self._no_memory(state)
        self._check_given(given, ("mask",))
        self._check_numbers(x)
        shape = (x.layout.batch_size, x.rows.shape[1]) if self.locked else x.rows.shape
        if given:
            mask = handed_in(self.title, given, "mask", shape, x.rows.dtype)
        elif mode.training and self.p > 0.0:
            mask = dropout_mask(self.title, shape, self.p, mode.rng, x.rows.dtype)
        else:
            return x, Backward((lambda d_y, d_state: d_y) if mode.save else None, self.title)

        if self.locked:
            mask = mask[x.layout.caller_of_row]

        def backward(d_y: Array, d_state: State) -> Array:
            return np.asarray(d_y * mask)

        return x.with_rows(x.rows * mask), Backward(backward if mode.save else None, self.title)

    def stepwise(self, layout: Layout, state: State, given: Inputs | None, mode: Mode) -> CalledSteps:
        """Mask step by step; a locked mask is drawn before the first one."""
        self._no_memory(state)
        if self.locked and not given and mode.training and self.p > 0.0:
            shape = layout.batch_size, self.input_size
            given = {"mask": dropout_mask(self.title, shape, self.p, mode.rng, np.float64)}
        return CalledSteps(self, layout, given, mode)

    def stream(self, batch_size: int = 1) -> RowStream:
        """Hand rows on as they are, unless a mask is given."""
        shape = batch_size, self.input_size

        def step(x: Array, given: Given) -> Array:
            if given or x.shape != shape or x.dtype.kind != "f":
                return self(one_step(x), given=given, mode=INFERENCE)[0].rows
            return x

        return RowStream(self, batch_size, step)
