"""Attention of each row of a decoder over what an encoder has read."""

from collections.abc import Iterator

import numpy as np

from noria.arrays import Array, Num
from noria.engines.dense import add_outer, times
from noria.equations import Initial
from noria.errors import OptionError, ShapeError
from noria.layers.attention_scores import Score, score_named
from noria.layers.auxiliary import handed_in
from noria.layers.backward import Backward, Gradients
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.parameters import Parameter
from noria.layers.state import State
from noria.layers.streaming import Given, Stream, copy_of, one_step
from noria.sequences import Ragged

MEMORY, LENGTHS = "memory", "lengths"


class DecoderAttention(Layer):
    """Joins each row with a mean of the rows of a memory, weighted by how well they fit.

    ``a_tk = softmax_k(score(x_t, m_k))``, ``context_t = sum_k a_tk m_k`` and
    ``y_t = tanh(W_c [x_t, context_t] + b_c)``. The memory is what an encoder made of the other sequence of
    the pair: auxiliary inputs ``"memory"`` (B, K, A) and ``"lengths"`` (B,), how many rows of it each
    sequence has, both in the caller's order; the memory's gradient is in ``backward.d_given``. The weights
    are recorded in ``backward.kept["weights"]``, an array (N, K).

    Memory and queries are filled up to their longest sequence here, so that all steps of a sequence are one
    product with its memory. What is filled up weighs nothing and is not read.

    Parameters
    ----------
    memory_size : int
        Features of the memory, A.
    score : {"general", "dot", "additive"}
    keep : bool, default False
        Whether to record the weights.

    References
    ----------
    Bahdanau et al. 2015; Luong et al. 2015, sections 3.1 and 3.3.
    """

    kind = "attention"

    def __init__(
        self, memory_size: int, *, score: str = "general", keep: bool = False, name: str | None = None
    ) -> None:
        super().__init__(name)
        if memory_size < 1:
            raise OptionError(
                f"The 'memory_size' option of {self.title} must be an int of at least 1. Got {memory_size}."
            )
        self.memory_size, self.keep = memory_size, keep
        self._score_of = score_named(score)

    def own_parameters(self) -> Iterator[Parameter]:
        """Give those of the score, then ``W_c`` and ``b_c``."""
        if self._sizes is not None:
            yield from self.score.parameters()
            yield from (self.W, self.b)

    def _declare(self, input_size: int) -> int:
        self.score = self._score_of(input_size, self.memory_size)
        width = input_size + self.memory_size
        self.W = Parameter("W_c", (input_size, width), Initial("xavier", ()))
        self.b = Parameter("b_c", (input_size,), Initial("zero", ()))
        return input_size

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Join rows (N, F) with the memory of their sequence."""
        self._no_memory(state)
        self._check_numbers(x)
        layout = x.layout
        memory = self.memory(given, x.batch_size)
        rows = x.rows.astype(self.W.value.dtype, copy=False)
        queries = x.with_rows(rows).to_dense()
        contexts = np.empty((*queries.shape[:2], self.memory_size), rows.dtype)
        weights = np.empty((*queries.shape[:2], memory.size), rows.dtype)
        parts = memory.parts(layout.steps)
        for part in parts:
            contexts[:, part], weights[:, part] = memory.attend(queries[:, part])
        place = layout.caller_of_row, layout.step_of_row
        combined = Combined(self, rows, contexts[place])
        recorded = {"weights": weights[place]} if self.keep or mode.recorder is not None else {}
        if mode.recorder is not None:
            mode.recorder.take(self, layout, recorded)

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_rows, d_context_rows = combined.back(d_y)
            d_contexts = np.zeros_like(contexts)
            d_contexts[place] = d_context_rows
            d_queries = np.empty_like(queries)
            for part in parts:
                d_queries[:, part] = memory.back(queries[:, part], weights[:, part], d_contexts[:, part])
            return Gradients(d_rows + d_queries[place], None, {MEMORY: memory.gradient()})

        way_back = backward if mode.save else None
        return x.with_rows(combined.y), Backward(way_back, self.title, kept=recorded)

    def stream(self, batch_size: int = 1) -> "DecoderAttentionStream":
        """Give a copy that takes one step at a time, and records its weights."""
        return DecoderAttentionStream(self, batch_size)

    def memory(self, given: Inputs | None, batch_size: int) -> "Memory":
        """Check what is to be attended to, and make its keys."""
        self._check_given(given, (MEMORY, LENGTHS))
        rows = None if given is None else given.get(MEMORY)
        steps = rows.shape[1] if rows is not None and rows.ndim == 3 else 1
        shape = (batch_size, steps, self.memory_size)
        attended = handed_in(self.title, given, MEMORY, shape, self.W.value.dtype)
        lengths = handed_in(self.title, given, LENGTHS, (batch_size,))
        if lengths.min() < 1 or lengths.max() > steps:
            raise ShapeError(
                f"{self.title}: expected lengths of 1 to {steps}, the steps of the memory, got "
                f"{lengths.min()} to {lengths.max()}."
            )
        return Memory(self.score, attended, lengths)


class Memory:
    """What one call attends to, with its keys; the gradients of both gather here.

    Parameters
    ----------
    score : Score
    rows : array of shape (B, K, A)
    lengths : integer array of shape (B,)
        How many rows of each sequence there are.
    """

    def __init__(self, score: Score, rows: Num[Array, "B K A"], lengths: Array) -> None:
        self.score, self.rows = score, rows
        self.size = rows.shape[1]
        self.keys = score.keys(rows)
        absent = np.arange(self.size) >= lengths[:, None]
        self.absent = absent[:, None] if absent.any() else None
        self._d_rows: Array | None = None
        self._d_keys: Array | None = None

    def parts(self, steps: int) -> list[slice]:
        """Cut the steps into blocks of queries that are scored at once."""
        length = self.score.block(len(self.rows), self.size)
        return [slice(first, min(first + length, steps)) for first in range(0, steps, length)]

    def attend(self, queries: Num[Array, "b Q F"]) -> tuple[Num[Array, "b Q A"], Num[Array, "b Q K"]]:
        """Give contexts and weights of queries of the first b sequences."""
        some = len(queries)
        weights = self.score.scores(queries, self.keys[:some])
        if self.absent is not None:
            np.copyto(weights, -np.inf, where=self.absent[:some])
        weights -= weights.real.max(axis=2, keepdims=True)
        np.exp(weights, out=weights)
        weights /= weights.sum(axis=2, keepdims=True)
        return weights @ self.rows[:some], weights

    def back(
        self,
        queries: Num[Array, "b Q F"],
        weights: Num[Array, "b Q K"],
        d_contexts: Num[Array, "b Q A"],
    ) -> Num[Array, "b Q F"]:
        """Give the gradient of queries that were attended for."""
        if self._d_rows is None or self._d_keys is None:
            self._d_rows, self._d_keys = np.zeros_like(self.rows), np.zeros_like(self.keys)
        some = len(queries)
        self._d_rows[:some] += weights.swapaxes(1, 2) @ d_contexts
        d_scores = d_contexts @ self.rows[:some].swapaxes(1, 2)
        d_scores -= (d_scores * weights).sum(axis=2, keepdims=True)
        d_scores *= weights
        d_queries, d_keys = self.score.back(queries, self.keys[:some], d_scores)
        self._d_keys[:some] += d_keys
        return d_queries

    def gradient(self) -> Num[Array, "B K A"]:
        """Give the gradient of the rows, after all queries went back."""
        assert self._d_rows is not None
        assert self._d_keys is not None
        self._d_rows += self.score.keys_back(self.rows, self._d_keys)
        return self._d_rows


class Combined:
    """``y = tanh(W_c [x, context] + b_c)``, and its way back.

    Parameters
    ----------
    layer : DecoderAttention
    rows, contexts : arrays of shape (N, F) and (N, A)
    """

    def __init__(self, layer: DecoderAttention, rows: Array, contexts: Array) -> None:
        self._layer = layer
        self._joined = np.concatenate([rows, contexts], 1)
        y = times(self._joined, layer.W.value, transposed=True)
        y += layer.b.value
        self.y: Array = np.tanh(y, out=y)

    def back(self, d_y: Array) -> tuple[Array, Array]:
        """Give the gradients of rows and contexts."""
        layer = self._layer
        d_sum = self.y * self.y
        np.subtract(1, d_sum, out=d_sum)
        d_sum *= d_y
        if not layer.W.frozen:
            add_outer(d_sum, self._joined, layer.W.gradient)
        layer.b.add(d_sum.sum(axis=0))
        d_joined = times(d_sum, layer.W.value, transposed=False)
        return d_joined[:, : layer.input_size], d_joined[:, layer.input_size :]


class DecoderAttentionStream(Stream):
    """Attends step by step; the keys of a memory are made once, as long as the same array comes in.

    Attributes
    ----------
    weights : array of shape (B, K)
        Of the last step.
    """

    def __init__(self, layer: DecoderAttention, batch_size: int) -> None:
        super().__init__(layer, batch_size)
        own = copy_of(layer)
        assert isinstance(own, DecoderAttention)
        self._attention = own
        self._source: Array | None = None
        self.weights = np.zeros((batch_size, 1), layer.W.value.dtype)

    @property
    def kept(self) -> dict[str, Array]:
        """The weights."""
        return {"weights": self.weights}

    def advance(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Take one step."""
        layer = self._attention
        layer._no_memory(state)
        if x.shape != self.shape:
            layer._check_numbers(one_step(x))
        if given is None or given.get(MEMORY) is not self._source or self._source is None:
            self._memory = layer.memory(given, self.batch_size)
            self._source = None if given is None else given[MEMORY]
        rows = x.astype(layer.W.value.dtype, copy=False)
        contexts, weights = self._memory.attend(rows[:, None])
        self.weights = weights[:, 0]
        return Combined(layer, rows, contexts[:, 0]).y, None
