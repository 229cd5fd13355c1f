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
from noria.models.forecast.outputs import output_of
from noria.models.forecast.schema import ForecastSchema
from noria.models.forecast.windows import beside_size, input_size
from noria.models.wiring import dropout_layer, initialise_matrices, recurrent_part
from noria.sequences import Ragged

BESIDE = "beside"
FORCED = "forced"

NOTHING = Initial("zero", ())
"""The law of the weights of the output: training begins with what the differences alone would say."""


class DirectNetwork(Layer):
    """Recurrent layers over a window; their last output, beside what else is known, gives all steps.

    window (B, L, D) -> recurrent -> last step -> [h, beside] -> linear -> (B, F)

    With the values of the window beside it there is a linear autoregression in parallel (Lai et al. 2018).

    Auxiliary input ``"beside"``, where `beside` is not 0: an array (B, beside) in the caller's order.

    Parameters
    ----------
    recurrent : Stack
    size : int
        Numbers that come out, F.
    beside : int, default 0
        Numbers that are joined to the last output.
    """

    kind = "forecast"

    def __init__(self, recurrent: Stack, size: int, beside: int = 0, *, name: str | None = None) -> None:
        super().__init__(name)
        self.recurrent, self.size, self.beside = recurrent, size, beside
        self.output = Linear(size, initial=NOTHING, name="output")

    def children(self) -> Iterator[tuple[str, Layer]]:
        """Give the recurrent layers, then the output."""
        yield "recurrent", self.recurrent
        yield "output", self.output

    def start(self, batch_size: int = 1) -> State:
        """Give the initial state of the recurrent layers."""
        return self.recurrent.start(batch_size)

    def _declare(self, input_size: int) -> int:
        return self.output.configure(self.recurrent.configure(input_size) + self.beside)

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Map windows (N rows of B sequences) to one row for each of them, in the caller's order."""
        self._check_given(given, (BESIDE,) if self.beside else ())
        y, back = self.recurrent(x, state=state, mode=mode)
        rows, width = y.last(), y.rows.shape[1]
        if self.beside:
            more = handed_in(self.title, given, BESIDE, (x.batch_size, self.beside), rows.dtype)
            rows = np.concatenate([rows, more], axis=1)
        forecast, back_output = self.output(Ragged.from_dense(rows[:, None]), mode=mode)

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_last = back_output(d_y)
            assert d_last is not None  # the rows are numbers
            d_rows = np.zeros(y.rows.shape, d_last.dtype)
            d_rows[y.layout.last_rows[y.layout.inverse]] = d_last[:, :width]
            d_x = back(d_rows, d_state)
            return Gradients(d_x, back.d_state, {BESIDE: d_last[:, width:]} if self.beside else {})

        return forecast, Backward(backward if mode.save else None, self.title, state=back.state)


class DecoderNetwork(Layer):
    """An encoder over a window, and a decoder that goes on from its state, a step for each that is forecast.

    window -> encoder -> state; [what came before, what is known of the step] -> decoder -> linear

    Auxiliary inputs, in the caller's order: ``"forced"`` (B, h, C), what came before each step that is
    forecast, and ``"beside"`` (B, h, beside), what else is known of it. In training ``"forced"`` is the truth
    (teacher forcing, Williams & Zipser 1989); else one goes on from its own output, step by step.

    Parameters
    ----------
    encoder, decoder : Stack
        Of the same cells and sizes.
    channels : int
        C.
    size : int
        Numbers that come out for each step.
    beside : int, default 0
    """

    kind = "forecast"

    def __init__(
        self,
        encoder: Stack,
        decoder: Stack,
        channels: int,
        size: int,
        beside: int = 0,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.encoder, self.decoder = encoder, decoder
        self.channels, self.size, self.beside = channels, size, beside
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
        return self.output.configure(self.decoder.configure(self.channels + self.beside))

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Map windows to rows (h steps of B sequences), forced to what came before each."""
        self._check_given(given, (FORCED, BESIDE))
        forced = np.asarray((given or {})[FORCED])
        steps = forced.shape[1]
        dtype = x.rows.dtype
        more = handed_in(self.title, given, BESIDE, (x.batch_size, steps, self.beside), dtype)
        seen, back_encoder = self.encoder(x, state=state, mode=mode)
        inputs = Ragged.from_dense(np.concatenate([forced.astype(dtype), more], axis=2))
        y, back_decoder = self.decoder(inputs, state=back_encoder.state, mode=mode)
        forecast, back_output = self.output(y, mode=mode)

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_decoded = back_output(d_y)
            assert d_decoded is not None  # the rows are numbers
            d_inputs = back_decoder(d_decoded, d_state)
            assert d_inputs is not None
            d_x = back_encoder(np.zeros(seen.rows.shape, d_inputs.dtype), back_decoder.d_state)
            d_dense = inputs.with_rows(d_inputs).to_dense()
            d_given = {FORCED: d_dense[..., : self.channels], BESIDE: d_dense[..., self.channels :]}
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


def build_network(options: ForecastModelOptions, cells: Sequence[Cell], schema: ForecastSchema) -> Members:
    """Build the configured network.

    Parameters
    ----------
    options : ForecastModelOptions
    cells : sequence of Cell
        One for each recurrent layer, as written.
    schema : ForecastSchema
    """
    channels, outputs = len(schema.channels), output_of(options).count
    beside = beside_size(schema, options.strategy, options.horizon)

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
                encoder, decoder, channels, channels * outputs, beside, name=f"member_{number}"
            )
        steps = options.horizon if options.strategy == DIRECT else 1
        size = steps * channels * outputs
        return DirectNetwork(recurrent("recurrent"), size, beside, name=f"member_{number}")

    network = Members([member(number) for number in range(options.members)], name="forecaster")
    network.configure(input_size(schema))
    initialise_matrices(network, options)
    return network
