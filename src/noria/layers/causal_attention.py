"""Attention of each step over the steps before it."""

from collections.abc import Iterator

import numpy as np

from noria.arrays import Array, Num
from noria.engines.dense import add_outer, times
from noria.equations import Initial
from noria.errors import OptionError
from noria.layers.attention_scores import score_named
from noria.layers.backward import Backward, Gradients
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.parameters import Parameter
from noria.layers.state import State, given_state
from noria.layers.streaming import Given, Stream, copy_of
from noria.sequences import Ragged

PAST, THERE = "past", "there"

Blocks = list[tuple[slice, slice, Array, Array]]
"""Queries, keys, weights and the share of a present key in its weight's denominator, block by block."""


class CausalAttention(Layer):
    """Joins each row with a mean of the `span` rows before it, weighted by how well they fit.

    ``a_s = softmax_s(score(x_t, x_s))`` over ``s = t - span, ..., t - 1``, ``context_t = sum_s a_s x_s`` and
    ``y_t = tanh(W_c [x_t, context_t] + b_c)``. Where nothing came before, the context is zero. The state
    carries the last rows from call to call, so that windows of a text see what the ones before them saw;
    ``there`` says which of them there were. Its weights are recorded in ``backward.kept["weights"]``, an
    array (N, span), the oldest step first.

    A ragged batch is filled up to its longest sequence here, unlike elsewhere: a step looks at rows of its
    own sequence, which lie apart when packed and side by side in an array (B, T, F), where a block of queries
    is one product with its keys. What is filled up is computed and not read.

    Parameters
    ----------
    span : int
        How many steps back it looks.
    score : {"general", "dot", "additive"}
    keep : bool, default False
        Whether to record the weights.

    References
    ----------
    Bahdanau et al. 2015; Luong et al. 2015; Daniluk et al. 2017, Frustratingly short attention spans in
    neural language modeling.
    """

    kind = "causal attention"

    def __init__(
        self, span: int, *, score: str = "general", keep: bool = False, name: str | None = None
    ) -> None:
        super().__init__(name)
        if span < 1:
            raise OptionError(f"The 'span' option of {self.title} must be an int of at least 1. Got {span}.")
        self.span, self.keep = span, keep
        self._score_of = score_named(score)

    def own_parameters(self) -> Iterator[Parameter]:
        """Give those of the score, then ``W_c`` and ``b_c``."""
        if self._sizes is not None:
            yield from self.score.parameters()
            yield from (self.W, self.b)

    def start(self, batch_size: int = 1) -> dict[str, Array]:
        """Give no past."""
        dtype, size = self.W.value.dtype, self.input_size
        return {
            PAST: np.zeros((batch_size, self.span, size), dtype),
            THERE: np.zeros((batch_size, self.span), dtype),
        }

    def stream(self, batch_size: int = 1) -> "AttentionStream":
        """Give a copy that takes one step at a time, and records its weights."""
        return AttentionStream(self, batch_size)

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Join rows (N, F) with their past."""
        self._check_given(given)
        self._check_width(x)
        before = given_state(state, self.start(x.batch_size), self.title)
        layout, span = x.layout, self.span
        rows = x.rows.astype(self.W.value.dtype, copy=False)
        queries = np.ascontiguousarray(x.with_rows(rows).to_dense())
        attended = np.concatenate([before[PAST], queries], 1)
        there = np.concatenate([before[THERE], np.ones(queries.shape[:2], before[THERE].dtype)], 1)
        keys = self.score.keys(attended)
        contexts = np.empty_like(queries)
        blocks: Blocks = []
        records = self.keep or mode.recorder is not None
        kept = np.zeros((*queries.shape[:2], span), rows.dtype) if records else None
        finite = bool(np.isfinite(attended).all() and np.isfinite(keys).all())
        for part in self._parts(x.batch_size, layout.steps, finite):
            seen = slice(part.start, part.stop + span - 1)
            scores = self.score.scores(queries[:, part], keys[:, seen])
            weights, shares = _weights(scores, there[:, seen], span)
            contexts[:, part] = weights @ attended[:, seen]
            if mode.save:
                blocks.append((part, seen, weights, shares))
            if kept is not None:
                for number in range(part.stop - part.start):
                    kept[:, part.start + number] = weights[:, number, number : number + span]
        place = layout.caller_of_row, layout.step_of_row
        joined = np.concatenate([rows, contexts[place]], 1)
        y = np.tanh(times(joined, self.W.value, transposed=True) + self.b.value)
        steps = layout.caller_lengths[:, None] + np.arange(span)
        last = np.arange(x.batch_size)[:, None], steps
        after = {PAST: attended[last], THERE: there[last]}
        recorded = {} if kept is None else {"weights": kept[place]}
        if mode.recorder is not None:
            mode.recorder.take(self, layout, recorded)

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_sum = d_y * (1 - y * y)
            if not self.W.frozen:
                add_outer(d_sum, joined, self.W.gradient)
            self.b.add(d_sum.sum(axis=0))
            d_joined = times(d_sum, self.W.value, transposed=False)
            d_contexts = np.zeros_like(queries)
            d_contexts[place] = d_joined[:, self.input_size :]
            d_attended, d_queries = np.zeros_like(attended), np.zeros_like(queries)
            d_keys, d_there = np.zeros_like(keys), np.zeros_like(there)
            for part, seen, weights, shares in blocks:
                d_weights = d_contexts[:, part] @ attended[:, seen].swapaxes(1, 2)
                d_attended[:, seen] += weights.swapaxes(1, 2) @ d_contexts[:, part]
                d_weights -= (d_weights * weights).sum(axis=2, keepdims=True)
                d_there[:, seen] += (d_weights * shares).sum(axis=1)
                some = self.score.back(queries[:, part], keys[:, seen], d_weights * weights)
                d_queries[:, part] += some[0]
                d_keys[:, seen] += some[1]
            d_attended += self.score.keys_back(attended, d_keys)
            for name, target in ((PAST, d_attended), (THERE, d_there)):
                if isinstance(d_state, dict) and d_state.get(name) is not None:
                    target[last] += d_state[name]
            d_queries += d_attended[:, span:]
            d_before = {PAST: d_attended[:, :span], THERE: d_there[:, :span]}
            return Gradients(d_joined[:, : self.input_size] + d_queries[place], d_before)

        way_back = backward if mode.save else None
        return x.with_rows(y), Backward(way_back, self.title, state=after, kept=recorded)

    def _declare(self, input_size: int) -> int:
        self.score = self._score_of(input_size)
        self.W = Parameter("W_c", (input_size, 2 * input_size), Initial("xavier", ()))
        self.b = Parameter("b_c", (input_size,), Initial("zero", ()))
        return input_size

    def _parts(self, batch: int, steps: int, finite: bool) -> list[slice]:
        """Cut the steps into blocks: each has all keys that its queries look at, and not many more.

        Those more weigh 0, which leaves out what is finite; beside NaN or inf a query has its own keys alone.
        """
        length = min(max(self.span, 16), self.score.block(batch, 2 * self.span)) if finite else 1
        return [slice(first, min(first + length, steps)) for first in range(0, steps, length)]


class AttentionStream(Stream):
    """Attends step by step.

    Attributes
    ----------
    weights : array of shape (B, span)
        Of the last step, the oldest step that it looked at first.
    """

    def __init__(self, layer: CausalAttention, batch_size: int) -> None:
        super().__init__(layer, batch_size)
        own = copy_of(layer)
        assert isinstance(own, CausalAttention)
        self._attention = own
        self.weights = np.zeros((batch_size, layer.span), layer.W.value.dtype)

    @property
    def kept(self) -> dict[str, Array]:
        """The weights."""
        return {"weights": self.weights}

    def advance(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Take one step."""
        layer = self._attention
        layer._check_given(given)
        before = given_state(state, layer.start(self.batch_size), layer.title)
        if x.shape != self.shape:
            layer._check_width(Ragged.from_dense(x[:, None]))
        past, there = before[PAST], before[THERE]
        rows = x.astype(self.weights.dtype, copy=False)
        scores = layer.score.scores(rows[:, None], layer.score.keys(past))
        weights, _ = _weights(scores, there, layer.span)
        self.weights = weights[:, 0]
        context = (weights @ past)[:, 0]
        y = np.tanh(np.concatenate([rows, context], 1) @ layer.W.value.T + layer.b.value)
        after = {
            PAST: np.concatenate([past[:, 1:], rows[:, None]], 1),
            THERE: np.concatenate([there[:, 1:], np.ones_like(there[:, :1])], 1),
        }
        return y, after


def _weights(
    scores: Num[Array, "B Q K"], there: Num[Array, "B K"], span: int
) -> tuple[Num[Array, "B Q K"], Num[Array, "B Q K"]]:
    """Give the weights, and each as a share of a key's presence: what it changes by with it.

    Query q looks at those of the keys q to q + span - 1 that are there.
    """
    first = np.arange(scores.shape[2]) - np.arange(scores.shape[1])[:, None]
    near = (first >= 0) & (first < span)
    visible = near & (there != 0)[:, None]
    highest = np.where(visible, scores.real, -np.inf).max(axis=2, keepdims=True)
    highest[np.isneginf(highest)] = 0.0
    powers = np.exp(np.where(visible, scores - highest, 0.0)) * visible
    total = (powers * there[:, None]).sum(axis=2, keepdims=True)
    shares = powers / np.where(total == 0, 1, total)
    return shares * there[:, None], shares
