"""The network of a forecaster: recurrent layers over a window, and what they make of the time to come."""

from collections.abc import Iterator, Sequence

import numpy as np

from noria.arrays import Array
from noria.equations import Cell, Initial
from noria.errors import OptionError
from noria.layers import (
    TRACKED,
    Backward,
    Gradients,
    Inputs,
    Layer,
    Linear,
    Mode,
    Stack,
    State,
)
from noria.layers.auxiliary import handed_in
from noria.models.forecast.options import DIRECT, SEQ2SEQ, ForecastModelOptions
from noria.models.wiring import dropout_layer, initialise_matrices, recurrent_part
from noria.sequences import Ragged

AHEAD = "ahead"
FORCED = "forced"

NOTHING = Initial("zero", ())
"""The law of the weights of the output: training begins with what the differences alone would say."""


class DirectNetwork(Layer):
    """Recurrent layers over a window; their last output, beside what is known beforehand, gives all steps.

    window (B, L, D) -> recurrent -> last step -> [h, ahead] -> linear -> (B, F)

    Auxiliary input ``"ahead"``, where `ahead` is not 0: an array (B, ahead) in the caller's order.

    Parameters
    ----------
    recurrent : Stack
    size : int
        Numbers that come out, F.
    ahead : int, default 0
        Numbers that are joined to the last output.
    """

    kind = "forecast"

    def __init__(self, recurrent: Stack, size: int, ahead: int = 0, *, name: str | None = None) -> None:
        super().__init__(name)
        self.recurrent, self.size, self.ahead = recurrent, size, ahead
        self.output = Linear(size, initial=NOTHING, name="output")

    def children(self) -> Iterator[tuple[str, Layer]]:
        """Give the recurrent layers, then the output."""
        yield "recurrent", self.recurrent
        yield "output", self.output

    def start(self, batch_size: int = 1) -> State:
        """Give the initial state of the recurrent layers."""
        return self.recurrent.start(batch_size)

    def _declare(self, input_size: int) -> int:
        return self.output.configure(self.recurrent.configure(input_size) + self.ahead)

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Map windows (N rows of B sequences) to one row for each of them, in the caller's order."""
        self._check_given(given, (AHEAD,) if self.ahead else ())
        y, back = self.recurrent(x, state=state, mode=mode)
        rows, width = y.last(), y.rows.shape[1]
        if self.ahead:
            beside = handed_in(self.title, given, AHEAD, (x.batch_size, self.ahead), rows.dtype)
            rows = np.concatenate([rows, beside], axis=1)
        forecast, back_output = self.output(Ragged.from_dense(rows[:, None]), mode=mode)

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_last = back_output(d_y)
            assert d_last is not None  # the rows are numbers
            d_rows = np.zeros(y.rows.shape, d_last.dtype)
            d_rows[y.layout.last_rows[y.layout.inverse]] = d_last[:, :width]
            d_x = back(d_rows, d_state)
            return Gradients(d_x, back.d_state, {AHEAD: d_last[:, width:]} if self.ahead else {})

        return forecast, Backward(backward if mode.save else None, self.title, state=back.state)


class DecoderNetwork(Layer):
    """An encoder over a window, and a decoder that goes on from its state, a step for each that is forecast.

    window -> encoder -> state; [what came before, what is known of the step] -> decoder -> linear

    Auxiliary inputs: ``"forced"`` (B, h, C), what came before each step that is forecast, and ``"ahead"``
    (B, h, ahead), both in the caller's order. In training they are the truth (teacher forcing, Williams &
    Zipser 1989); else :meth:`encoded` and :meth:`decoded` go on from its own output.

    Parameters
    ----------
    encoder, decoder : Stack
        Of the same cells and sizes.
    channels : int
        C.
    size : int
        Numbers that come out for each step.
    ahead : int
    """

    kind = "forecast"

    def __init__(
        self,
        encoder: Stack,
        decoder: Stack,
        channels: int,
        size: int,
        ahead: int = 0,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.encoder, self.decoder = encoder, decoder
        self.channels, self.size, self.ahead = channels, size, ahead
        self.output = Linear(size, initial=NOTHING, name="output")

    def children(self) -> Iterator[tuple[str, Layer]]:
        """Give encoder, decoder and output."""
        yield "encoder", self.encoder
        yield "decoder", self.decoder
        yield "output", self.output

    def start(self, batch_size: int = 1) -> State:
        """Give the initial state of the encoder."""
        return self.encoder.start(batch_size)

    def _declare(self, input_size: int) -> int:
        self.encoder.configure(input_size)
        return self.output.configure(self.decoder.configure(self.channels + self.ahead))

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Map windows to rows (h steps of B sequences), forced to what came before each."""
        self._check_given(given, (FORCED, AHEAD))
        forced = np.asarray((given or {})[FORCED])
        steps = forced.shape[1]
        dtype = x.rows.dtype
        beside = handed_in(self.title, given, AHEAD, (x.batch_size, steps, self.ahead), dtype)
        seen, back_encoder = self.encoder(x, state=state, mode=mode)
        inputs = Ragged.from_dense(np.concatenate([forced.astype(dtype), beside], axis=2))
        y, back_decoder = self.decoder(inputs, state=back_encoder.state, mode=mode)
        forecast, back_output = self.output(y, mode=mode)

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_decoded = back_output(d_y)
            assert d_decoded is not None  # the rows are numbers
            d_inputs = back_decoder(d_decoded, d_state)
            assert d_inputs is not None
            d_x = back_encoder(np.zeros(seen.rows.shape, d_inputs.dtype), back_decoder.d_state)
            d_dense = inputs.with_rows(d_inputs).to_dense()
            d_given = {FORCED: d_dense[..., : self.channels], AHEAD: d_dense[..., self.channels :]}
            return Gradients(d_x, back_encoder.d_state, d_given)

        return forecast, Backward(backward if mode.save else None, self.title, state=back_decoder.state)


class Members(Layer):
    """Networks side by side, from different initial weights; their outputs stand one beside the other.

    Parameters
    ----------
    members : sequence of Layer
    """

    kind = "members"

    def __init__(self, members: Sequence[Layer], *, name: str | None = None) -> None:
        super().__init__(name)
        if not members:
            raise OptionError(f"The 'members' option of {self.title} must hold at least one network.")
        self.members = tuple(members)

    def children(self) -> Iterator[tuple[str, Layer]]:
        """Give the members by their numbers."""
        yield from ((str(number), member) for number, member in enumerate(self.members))

    def start(self, batch_size: int = 1) -> State:
        """Give the initial states of all members."""
        return tuple(member.start(batch_size) for member in self.members)

    def _declare(self, input_size: int) -> int:
        return sum(member.configure(input_size) for member in self.members)

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Run every member on the same rows and auxiliary inputs."""
        states = state if isinstance(state, tuple) else (None,) * len(self.members)
        calls = [
            member(x, state=part, given=given, mode=mode)
            for member, part in zip(self.members, states, strict=True)
        ]
        y = calls[0][0].with_rows(np.concatenate([rows.rows for rows, _ in calls], axis=1))
        cuts = np.cumsum([rows.rows.shape[1] for rows, _ in calls])[:-1]

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_states = d_state if isinstance(d_state, tuple) else (None,) * len(calls)
            d_x: list[Array] = []
            d_given: dict[str, Array] = {}
            for (_, back), d_part, d_end in zip(calls, np.split(d_y, cuts, axis=1), d_states, strict=True):
                d_rows = back(np.ascontiguousarray(d_part), d_end)
                assert d_rows is not None  # the rows are numbers
                d_x.append(d_rows)
                for name, array in back.d_given.items():
                    d_given[name] = d_given[name] + array if name in d_given else array
            return Gradients(sum(d_x[1:], d_x[0]), tuple(back.d_state for _, back in calls), d_given)

        final = tuple(back.state for _, back in calls)
        return y, Backward(backward if mode.save else None, self.title, state=final)


def build_network(
    options: ForecastModelOptions,
    cells: Sequence[Cell],
    *,
    inputs: int,
    ahead: int,
    channels: int,
    outputs: int,
) -> Members:
    """Build the configured network.

    Parameters
    ----------
    options : ForecastModelOptions
    cells : sequence of Cell
        One for each recurrent layer, as written.
    inputs : int
        Width of a step of the window.
    ahead : int
        Numbers that the output sees beside the last state (direct, recursive), or each step of the decoder.
    channels : int
    outputs : int
        Numbers for each step and channel.
    """

    def recurrent(name: str) -> Stack:
        stack = recurrent_part(options, cells, name=name)
        dropout = dropout_layer(options.dropout, options, "dropout")
        return (
            stack
            if dropout is None
            else Stack([*stack.layers, dropout], keys=[*stack.keys, "dropout"], name=name)
        )

    def member(number: int) -> Layer:
        if options.strategy == SEQ2SEQ:
            encoder, decoder = recurrent("encoder"), recurrent("decoder")
            return DecoderNetwork(
                encoder, decoder, channels, channels * outputs, ahead, name=f"member_{number}"
            )
        steps = options.horizon if options.strategy == DIRECT else 1
        size = steps * channels * outputs
        return DirectNetwork(recurrent("recurrent"), size, ahead, name=f"member_{number}")

    network = Members([member(number) for number in range(options.members)], name="forecaster")
    network.configure(inputs)
    initialise_matrices(network, options)
    return network
