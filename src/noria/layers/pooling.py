"""From the rows of each sequence to one row: its last, their mean, their maximum, or what attention picks.

What comes out has one step a sequence, in the caller's order: a batch of B sequences of length 1. But for
the last row, a pooling carries what it has seen as its state, so that it can be taken piece by piece.
"""

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np

from noria.arrays import Array, Num
from noria.engines.dense import add_outer, times
from noria.equations import Initial
from noria.errors import OptionError, ShapeError
from noria.layers.backward import Backward, Gradients
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.parameters import Parameter
from noria.layers.state import State, given_state
from noria.sequences import Layout, Ragged

SUM, COUNT, HIGHEST, CONTEXT, LOG_TOTAL = "sum", "count", "highest", "context", "log_total"


class Pooling(Layer):
    """Gives one row (F,) for each sequence, as rows (B, F) in the caller's order with one step each."""

    def _declare(self, input_size: int) -> int:
        return input_size

    @abstractmethod
    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Pool rows (N, F) to (B, F)."""

    def _check(self, x: Ragged, given: Inputs | None) -> None:
        self._check_given(given)
        self._check_numbers(x)


class LastPooling(Pooling):
    """Takes the last row of each sequence; of what was read backward, the first.

    Where both directions stand side by side, the last that the backward layer read is the sequence's first
    step: at the last step it has seen one row only.

    Parameters
    ----------
    backward_size : int, default 0
        How many of the features, the last ones, come from a layer that reads backward.
    """

    kind = "last"

    def __init__(self, *, backward_size: int = 0, name: str | None = None) -> None:
        super().__init__(name)
        if backward_size < 0:
            raise OptionError(
                f"The 'backward_size' option of {self.title} must be an int of at least 0. "
                f"Got {backward_size}."
            )
        self.backward_size = backward_size

    @property
    def causal(self) -> bool:
        """Whether nothing was read backward."""
        return not self.backward_size

    def _declare(self, input_size: int) -> int:
        if self.backward_size > input_size:
            raise ShapeError(
                f"{self.title}: expected at least {self.backward_size} features, those of a layer that reads "
                f"backward, got {input_size}."
            )
        return input_size

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Pool rows (N, F) to (B, F)."""
        self._no_memory(state)
        self._check(x, given)
        layout, ahead = x.layout, self.input_size - self.backward_size
        last, first = layout.last_rows[layout.inverse], layout.first_rows[layout.inverse]
        y = np.concatenate([x.rows[last, :ahead], x.rows[first, ahead:]], axis=1)

        def backward(d_y: Array, d_state: State) -> Array:
            d_x = np.zeros(x.rows.shape, d_y.dtype)
            d_x[last, :ahead] = d_y[:, :ahead]
            d_x[first, ahead:] = d_y[:, ahead:]
            return d_x

        return _one_each(y), Backward(backward if mode.save else None, self.title)


class MeanPooling(Pooling):
    """Takes the mean of the rows of each sequence."""

    kind = "mean"

    def start(self, batch_size: int = 1) -> dict[str, Array]:
        """Give the sum and the number of no rows."""
        return {SUM: np.zeros((batch_size, self.input_size)), COUNT: np.zeros((batch_size, 1))}

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Pool rows (N, F) to (B, F)."""
        self._check(x, given)
        layout = x.layout
        before = given_state(state, self.start(x.batch_size), self.title)
        count = before[COUNT] + layout.caller_lengths[:, None]
        total = before[SUM] + layout.to_caller(_summed(x.rows, layout))
        y = total / count

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_total, d_count = d_y / count, -(d_y * y / count).sum(axis=1, keepdims=True)
            d_total, d_count = d_total + _of(d_state, SUM), d_count + _of(d_state, COUNT)
            d_x = d_total[layout.caller_of_row].astype(d_y.dtype)
            return Gradients(d_x, {SUM: d_total, COUNT: d_count})

        after = {SUM: total, COUNT: count}
        return _one_each(_as_narrow(y, x.rows)), Backward(
            backward if mode.save else None, self.title, state=after
        )


class MaxPooling(Pooling):
    """Takes the highest value of each feature; of equal ones the first has the gradient."""

    kind = "max"

    def start(self, batch_size: int = 1) -> dict[str, Array]:
        """Give the highest of no values."""
        return {HIGHEST: np.full((batch_size, self.input_size), -np.inf)}

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Pool rows (N, F) to (B, F)."""
        self._check(x, given)
        layout = x.layout
        before = _as_narrow(given_state(state, self.start(x.batch_size), self.title)[HIGHEST], x.rows)
        highest, place = _highest(x.rows, layout)
        highest, place = layout.to_caller(highest), layout.to_caller(place)
        new = _above(highest, before)
        y = np.where(new, highest, before)

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_highest = d_y + _of(d_state, HIGHEST)
            d_x = np.zeros(x.rows.shape, d_y.dtype)
            d_x[place[new], np.nonzero(new)[1]] = d_highest[new]
            return Gradients(d_x, {HIGHEST: np.where(new, 0, d_highest)})

        after = {HIGHEST: y}
        return _one_each(y), Backward(backward if mode.save else None, self.title, state=after)


class AttentionPooling(Pooling):
    """Takes the mean of the rows of each sequence, weighted by how well they fit a learnt query.

    ``a_t = softmax_t(score(x_t))`` over the steps of a sequence, ``y = sum_t a_t x_t``. The score is
    additive, ``v . tanh(W_a x_t + b_a)``, where the query's product is part of ``b_a``; or the dot product
    ``v . x_t``, to which Luong's general one comes down where the query is one and the same. The weights are
    recorded in ``backward.kept["weights"]``, an array (N,) beside the rows.

    Parameters
    ----------
    score : {"additive", "dot"}

    References
    ----------
    Bahdanau et al. 2015; Luong et al. 2015; with a learnt query: Yang et al. 2016, Hierarchical attention
    networks for document classification.
    """

    kind = "attention"

    def __init__(self, *, score: str = "additive", name: str | None = None) -> None:
        super().__init__(name)
        if score not in ("additive", "dot"):
            raise OptionError(
                f"The 'score' option of {self.title} must be one of 'additive', 'dot'. Got {score!r}."
            )
        self.additive = score == "additive"

    def _declare(self, input_size: int) -> int:
        self.W = Parameter("W_a", (input_size, input_size), Initial("xavier", ()))
        self.b = Parameter("b_a", (input_size,), Initial("zero", ()))
        self.v = Parameter("v", (input_size,), Initial("normal", (input_size**-0.5,)))
        return input_size

    def own_parameters(self) -> Iterator[Parameter]:
        """Give ``W_a`` and ``b_a`` of an additive score, then ``v``."""
        if self.additive:
            yield from (self.W, self.b)
        yield self.v

    def start(self, batch_size: int = 1) -> dict[str, Array]:
        """Give the context of nothing, and the logarithm of no weight."""
        return {
            CONTEXT: np.zeros((batch_size, self.input_size)),
            LOG_TOTAL: np.full((batch_size, 1), -np.inf),
        }

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Pool rows (N, F) to (B, F).

        What was seen before is one more thing to look at: it has the context as its row, and as its score the
        logarithm of the sum of exponentials so far.
        """
        self._check(x, given)
        layout, v = x.layout, self.v
        rows = x.rows.astype(v.value.dtype, copy=False)
        before = given_state(state, self.start(x.batch_size), self.title)
        past, past_score = (
            layout.to_sorted(before[name]).astype(rows.dtype) for name in (CONTEXT, LOG_TOTAL)
        )
        keys = np.tanh(times(rows, self.W.value, transposed=True) + self.b.value) if self.additive else rows
        scores = (keys @ v.value)[:, None]
        sequence = layout.sequence_of_row
        top = _highest(scores, layout)[0].real
        top = np.where(top > past_score.real, top, past_score.real)
        log_total = top + np.log(_summed(np.exp(scores - top[sequence]), layout) + np.exp(past_score - top))
        weights, past_weight = np.exp(scores - log_total[sequence]), np.exp(past_score - log_total)
        y = _summed(weights * rows, layout) + past_weight * past

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_context = layout.to_sorted(d_y + _of(d_state, CONTEXT)).astype(rows.dtype)
            # score_t moves the context by a_t (x_t - y), and the logarithm of the total by a_t
            d_log = layout.to_sorted(np.zeros_like(past_score) + _of(d_state, LOG_TOTAL)).astype(rows.dtype)
            d_log = d_log - (d_context * y).sum(axis=1, keepdims=True)
            d_here = d_context[sequence]
            d_x = weights * d_here
            d_scores = weights * ((d_here * rows).sum(axis=1, keepdims=True) + d_log[sequence])
            v.add(keys.T @ d_scores[:, 0])
            d_keys = d_scores * v.value
            if self.additive:
                d_keys *= 1 - keys * keys
                self.b.add(d_keys.sum(axis=0))
                if not self.W.frozen:
                    add_outer(d_keys, rows, self.W.gradient)
                d_keys = times(d_keys, self.W.value, transposed=False)
            d_past = (
                past_weight * d_context,
                past_weight * ((d_context * past).sum(1, keepdims=True) + d_log),
            )
            d_before = {
                name: layout.to_caller(d) for name, d in zip((CONTEXT, LOG_TOTAL), d_past, strict=True)
            }
            return Gradients(d_x + d_keys, d_before)

        after = {CONTEXT: layout.to_caller(y), LOG_TOTAL: layout.to_caller(log_total)}
        way_back = backward if mode.save else None
        kept = {"weights": weights[:, 0]}
        if mode.recorder is not None:
            mode.recorder.take(self, layout, kept)
        return _one_each(after[CONTEXT]), Backward(way_back, self.title, state=after, kept=kept)


def _one_each(rows: Num[Array, "B F"]) -> Ragged:
    """Give rows in the caller's order as sequences of one step."""
    return Ragged(rows, Layout.dense(len(rows), 1))


def _as_narrow(values: Num[Array, "B F"], rows: Array) -> Num[Array, "B F"]:
    """Give real values in the precision of the rows."""
    return values if np.iscomplexobj(values) else values.astype(rows.dtype, copy=False)


def _summed(rows: Num[Array, "N F"], layout: Layout) -> Num[Array, "B F"]:
    """Sum up the rows of each sequence, in sorted order."""
    if layout.is_dense:
        return np.asarray(rows.reshape(layout.steps, layout.batch_size, -1).sum(axis=0))
    total = rows[: layout.batch_size].copy()
    for begin, count in zip(layout.offsets[1:], layout.counts[1:], strict=False):
        total[:count] += rows[begin : begin + count]
    return total


def _highest(rows: Num[Array, "N F"], layout: Layout) -> tuple[Num[Array, "B F"], Num[Array, "B F"]]:
    """Give the highest of each feature of each sequence, in sorted order, and in which row it stands."""
    highest = rows[: layout.batch_size].copy()
    place = np.zeros(highest.shape, np.int64) + np.arange(layout.batch_size)[:, None]
    for begin, count in zip(layout.offsets[1:], layout.counts[1:], strict=False):
        here = rows[begin : begin + count]
        better = _above(here, highest[:count])
        np.copyto(highest[:count], here, where=better)
        np.copyto(place[:count], np.arange(begin, begin + count)[:, None], where=better)
    return highest, place


def _above(value: Num[Array, "B F"], other: Num[Array, "B F"]) -> Array:
    """Say where a value is the higher one; what is no number is higher than any, so that it is seen."""
    return np.asarray((value.real > other.real) | (np.isnan(value) & ~np.isnan(other)))


def _of(d_state: State, name: str) -> Array | float:
    """Give the gradient of one array of the final state, where there is any."""
    return d_state[name] if isinstance(d_state, dict) and d_state.get(name) is not None else 0.0


POOLINGS: dict[str, type[Pooling]] = {
    pooling.kind: pooling for pooling in (LastPooling, MeanPooling, MaxPooling, AttentionPooling)
}
"""Every pooling by its name."""
