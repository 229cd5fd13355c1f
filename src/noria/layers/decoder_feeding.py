"""A decoder that remembers what it attended to: each step's output joins the next step's input."""

from collections.abc import Iterator

import numpy as np

from noria.arrays import Array
from noria.errors import ShapeError
from noria.layers.backward import Backward, Gradients
from noria.layers.decoder_attention import MEMORY, Combined, DecoderAttention
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.stack import below
from noria.layers.state import State
from noria.layers.streaming import Given, Stream
from noria.sequences import Ragged

FED = "fed"


class InputFeeding(Layer):
    """``y_t = attention(recurrent([x_t, y_{t-1}]))``: the steps of a batch are taken one after the other.

    Without it recurrent layers run over all steps in one call and attention over all of them in another,
    which takes half the time; with it the decoder knows where it looked before. The state is that of the
    recurrent layers and ``{"fed": y}``, zero in the beginning. Auxiliary inputs are called
    ``"recurrent...."`` and ``"attention.memory"``, ``"attention.lengths"``.

    Parameters
    ----------
    recurrent : Layer
        Recurrent layers, one-way; what comes out is `size` wide.
    attention : DecoderAttention
    size : int
        Features that are fed back, F.

    References
    ----------
    Luong et al. 2015, section 3.3.
    """

    kind = "input feeding"

    def __init__(
        self, recurrent: Layer, attention: DecoderAttention, size: int, *, name: str | None = None
    ) -> None:
        super().__init__(name)
        recurrent.require_causal("feed outputs back")
        self.recurrent, self.attention, self.size = recurrent, attention, size

    def children(self) -> Iterator[tuple[str, Layer]]:
        """Give the recurrent layers, then attention."""
        yield "recurrent", self.recurrent
        yield "attention", self.attention

    def start(self, batch_size: int = 1) -> State:
        """Give the state of the recurrent layers, and nothing fed."""
        nothing = np.zeros((batch_size, self.size), self.attention.W.value.dtype)
        return self.recurrent.start(batch_size), {FED: nothing}

    def _declare(self, input_size: int) -> int:
        width = self.recurrent.configure(input_size + self.size)
        if width != self.size:
            raise ShapeError(
                f"{self.title}: expected recurrent layers whose output has {self.size} features, got {width}."
            )
        return self.attention.configure(width)

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Take all steps, one after the other."""
        self._check_numbers(x)
        layout, width = x.layout, self.input_size
        spans = [slice(low, high) for low, high in zip(layout.offsets, layout.offsets[1:], strict=False)]
        begin, fed = self._taken_apart(state, x.batch_size)
        to_recurrent, to_attention = below(self.title, given, ("recurrent", "attention"))
        sorted_inputs = {name: layout.to_sorted(array) for name, array in to_attention.items()}
        memory = self.attention.memory(sorted_inputs, x.batch_size)
        steps = self.recurrent.stepwise(layout, begin, to_recurrent, mode)
        y = np.empty((len(x), self.size), self.attention.W.value.dtype)
        queries, weights, combined = [], [], []
        before = layout.to_sorted(fed).astype(y.dtype, copy=False)
        for span in spans:
            rows = x.rows[span]
            query = steps.step(np.concatenate([rows, before[: len(rows)]], 1))[:, None]
            context, weight = memory.attend(query)
            joined = Combined(self.attention, query[:, 0], context[:, 0])
            y[span] = before = joined.y
            weights.append(weight)
            if mode.save:
                queries.append(query)
                combined.append(joined)
        ends = steps.state, {FED: layout.to_caller(y[layout.last_rows])}
        kept = {}
        if self.attention.keep or mode.recorder is not None:
            kept["attention.weights"] = np.concatenate(weights)[:, 0]
        if mode.recorder is not None:
            mode.recorder.take(self.attention, layout, {"weights": kept["attention.weights"]})

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_recurrent, d_fed = d_state if isinstance(d_state, tuple) else (None, None)
            d_out = np.array(d_y, dtype=y.dtype)
            if isinstance(d_fed, dict) and d_fed.get(FED) is not None:
                d_out[layout.last_rows] += layout.to_sorted(d_fed[FED])
            d_x = np.empty((len(d_out), width), d_out.dtype)
            d_before = fed
            for number, span in reversed(list(enumerate(spans))):
                d_query, d_context = combined[number].back(d_out[span])
                d_attended = memory.back(queries[number], weights[number], d_context[:, None])
                d_joined = steps.back(d_query + d_attended[:, 0], d_recurrent)
                d_x[span], d_before = d_joined[:, :width], d_joined[:, width:]
                if number:  # the output of the step before, of the sequences that went on
                    d_out[spans[number - 1].start :][: len(d_before)] += d_before
            steps.finish()
            d_memory = layout.to_caller(memory.gradient())
            d_begin = steps.d_state, {FED: layout.to_caller(d_before)}
            return Gradients(d_x, d_begin, {f"attention.{MEMORY}": d_memory})

        if not mode.save:
            steps.release()
        way_back = backward if mode.save else None
        return x.with_rows(y), Backward(way_back, self.title, state=ends, kept=kept, release=steps.release)

    def stream(self, batch_size: int = 1) -> "InputFeedingStream":
        """Give a copy that takes one step at a time."""
        return InputFeedingStream(self, batch_size)

    def _taken_apart(self, state: State, batch_size: int) -> tuple[State, Array]:
        """Give the state of the recurrent layers, and what is fed to the first step."""
        begin = self.start(batch_size) if state is None else state
        if not isinstance(begin, tuple) or len(begin) != 2 or not isinstance(begin[1], dict):
            raise ShapeError(f"{self.title}: expected a state of the recurrent layers and {{'{FED}': ...}}.")
        fed = begin[1][FED]
        if fed.shape != (batch_size, self.size):
            raise ShapeError(
                f"{self.title}: expected state '{FED}' of shape {(batch_size, self.size)}, got {fed.shape}."
            )
        return begin[0], fed


class InputFeedingStream(Stream):
    """Feeds back step by step.

    Parameters
    ----------
    layer : InputFeeding
    batch_size : int
    """

    def __init__(self, layer: InputFeeding, batch_size: int) -> None:
        super().__init__(layer, batch_size)
        self._feeding = layer
        self._recurrent = layer.recurrent.stream(batch_size)
        self._attention = layer.attention.stream(batch_size)

    @property
    def kept(self) -> dict[str, Array]:
        """The weights of attention."""
        return {f"attention.{name}": array for name, array in self._attention.kept.items()}

    def advance(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Take one step."""
        begin, fed = self._feeding._taken_apart(state, self.batch_size)
        to_recurrent, to_attention = below(self.layer.title, given, ("recurrent", "attention"))
        query, end = self._recurrent.step(np.concatenate([x, fed], 1), begin, given=to_recurrent or None)
        y, _ = self._attention.step(query, given=to_attention)
        return y, (end, {FED: y})
