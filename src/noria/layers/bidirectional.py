"""Two recurrent layers over the same sequences, one from each end."""

from collections.abc import Iterator

import numpy as np

from noria.arrays import Array
from noria.errors import ShapeError
from noria.layers.backward import Backward, Gradients
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.recurrent import Recurrent
from noria.layers.stack import below, gather_kept
from noria.layers.state import State
from noria.sequences import Ragged


class Bidirectional(Layer):
    """Reads every sequence forward with one layer and backward with another; puts their outputs side by side.

    ``y_t = [h_t of the forward layer, h_t of the backward layer]``, where the backward layer has seen the
    steps from the sequence's own last one down to t. The state is a pair; the backward layer's initial
    state enters at the last step, its final one leaves at the first. Auxiliary inputs are called
    ``"forward.mask_h"`` and ``"backward.mask_h"``; those that lie beside the rows do so for both, in the
    order of the rows of `x`.

    Parameters
    ----------
    forward : Recurrent
    backward : Recurrent, optional
        By default a layer like `forward` with parameters of its own.

    References
    ----------
    Schuster & Paliwal 1997.
    """

    kind = "bidirectional"

    def __init__(
        self, forward: Recurrent, backward: Recurrent | None = None, *, name: str | None = None
    ) -> None:
        super().__init__(name)
        self.forward = forward
        self.backward = forward.twin() if backward is None else backward

    @property
    def causal(self) -> bool:
        """False: the backward layer sees what is to come."""
        return False

    def children(self) -> Iterator[tuple[str, Layer]]:
        """Give both layers."""
        yield "forward", self.forward
        yield "backward", self.backward

    def start(self, batch_size: int = 1) -> State:
        """Give both layers' own initial states."""
        return self.forward.start(batch_size), self.backward.start(batch_size)

    def _declare(self, input_size: int) -> int:
        return self.forward.configure(input_size) + self.backward.configure(input_size)

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Run both layers; the output has H of the forward layer, then H of the backward layer."""
        self._configured()
        state_f, state_b = self._pair(state)
        given_f, given_b = below(self.title, given, ("forward", "backward"))
        reversal = x.layout.reversal
        for row_input in self.backward.row_inputs() & set(given_b):
            given_b[row_input] = given_b[row_input][reversal]

        y_f, back_f = self.forward(x, state=state_f, given=given_f, mode=mode)
        y_b, back_b = self.backward(x.reversed(), state=state_b, given=given_b, mode=mode)
        y = x.with_rows(np.concatenate([y_f.rows, y_b.rows[reversal]], axis=1))
        width = y_f.rows.shape[1]
        kept = gather_kept({"forward": back_f, "backward": back_b})

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_final_f, d_final_b = self._pair(d_state)
            d_x_f = back_f(d_y[:, :width], d_final_f)
            d_x_b = back_b(d_y[:, width:][reversal], d_final_b)
            kept.update(gather_kept({"forward": back_f, "backward": back_b}))
            d_x_b = None if d_x_b is None else d_x_b[reversal]
            d_x = d_x_f + d_x_b if d_x_f is not None and d_x_b is not None else d_x_f
            d_x = d_x_b if d_x is None else d_x
            return Gradients(d_x, (back_f.d_state, back_b.d_state))

        final = (back_f.state, back_b.state)
        return y, Backward(backward if mode.save else None, self.title, state=final, kept=kept)

    def _pair(self, state: State) -> tuple[State, State]:
        if state is None:
            return None, None
        if not isinstance(state, tuple) or len(state) != 2:
            raise ShapeError(
                f"{self.title}: expected a pair of states (forward, backward), got {type(state).__name__}."
            )
        return state
