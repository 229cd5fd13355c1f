"""One to many: a vector of features is told to the layers at every step of a sequence."""

from collections.abc import Iterator

import numpy as np

from noria.arrays import Array
from noria.engines.one_hot import add_rows, written_out
from noria.equations import Initial
from noria.errors import OptionError, ShapeError
from noria.layers.auxiliary import FEATURES, handed_in
from noria.layers.backward import Backward, Gradients
from noria.layers.conditioned import Conditioned
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.onehot import check_ids, is_ids
from noria.layers.state import State, given_state, state_arrays
from noria.layers.streaming import Given, Stream
from noria.sequences import Ragged


class ConditionedSteps(Layer):
    """Writes the features of a sequence beside each of its rows: ``y = layer([x_n, features of sequence])``.

    Auxiliary input ``"features"``: an array (B, size) in the caller's order of sequences; its gradient is in
    ``backward.d_given``. The features are part of the state, so that a call that goes on from one, as the
    next window or step does, has none. One with neither reads zeros.

    Parameters
    ----------
    layer : Layer
        Its auxiliary inputs keep their names. A :class:`~noria.layers.conditioned.Conditioned` of as many
        features begins with the same ones.
    size : int
        Number of features; at least 1.

    References
    ----------
    Tanti, Gatt & Camilleri 2018, "par-inject", beside the "init-inject" of ``Conditioned``.
    """

    kind = "conditioned steps"

    def __init__(self, layer: Layer, size: int, *, name: str | None = None) -> None:
        super().__init__(name)
        if size < 1:
            raise OptionError(f"The 'size' option of {self.title} must be an int of at least 1. Got {size}.")
        self.layer, self.size = layer, size

    @property
    def causal(self) -> bool:
        """Whether the layer inside is."""
        return self.layer.causal

    def children(self) -> Iterator[tuple[str, Layer]]:
        """Give the layer inside."""
        yield "layer", self.layer

    def initial_states(self, prefix: str = "") -> Iterator[tuple[str, int, Initial]]:
        """Give those of the layer inside, whose state is the second part of this one's."""
        yield from self.layer.initial_states(f"{prefix}1.")

    def start(self, batch_size: int = 1) -> State:
        """Give features of 0, and the state in which the layer inside begins."""
        return {FEATURES: np.zeros((batch_size, self.size))}, self.layer.start(batch_size)

    def begin(self, features: Array) -> State:
        """Give features (B, size) as the state in which sequences begin."""
        features = handed_in(self.title, {FEATURES: features}, FEATURES, (len(features), self.size))
        inside = self.layer
        start = inside.begin(features) if isinstance(inside, Conditioned) else inside.start(len(features))
        return {FEATURES: features}, start

    def _declare(self, input_size: int) -> int:
        return self.layer.configure(input_size + self.size)

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Run the layer inside over rows (N, F), or one-hot rows of ids (N,), with the features beside."""
        if not is_ids(x.rows):
            self._check_numbers(x)
        layout, width = x.layout, self.input_size
        features, before, inside = self._taken_apart(given, state, x.batch_size)
        rows = self._beside(x.rows, features[layout.caller_of_row])
        y, back = self.layer(x.with_rows(rows), state=before, given=inside, mode=mode)

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_told, d_inside = self._parts(d_state)
            d_rows = back(d_y, d_inside)
            assert d_rows is not None  # since these rows are no ids
            d_features = np.zeros(features.shape, d_y.dtype)
            add_rows(d_features, layout.caller_of_row, d_rows[:, width:])
            d_features += state_arrays(d_told).get(FEATURES, 0.0)
            d_x = None if is_ids(x.rows) else d_rows[:, :width]
            if FEATURES not in (given or {}):
                return Gradients(d_x, ({FEATURES: d_features}, back.d_state), back.d_given)
            if FEATURES in back.d_given:
                d_features += back.d_given[FEATURES]
            return Gradients(d_x, None, {**back.d_given, FEATURES: d_features})

        after = {FEATURES: features}, back.state
        return y, Backward(backward if mode.save else None, self.title, state=after, kept=back.kept)

    def stream(self, batch_size: int = 1) -> "ConditionedStepsStream":
        """Give the stream of the layer inside; its first step takes the features."""
        return ConditionedStepsStream(self, batch_size)

    def _beside(self, rows: Array, features: Array) -> Array:
        """Write features (..., size) beside rows (..., F), in the precision of the rows, or beside ids."""
        if rows.ndim < features.ndim:
            check_ids(self.title, rows.ravel(), self.input_size)
            one_hot = written_out(rows.ravel(), self.input_size, features.dtype)
            return np.concatenate([one_hot.reshape(*rows.shape, -1), features], axis=-1)
        dtype = np.result_type(rows, features) if features.dtype.kind == "c" else rows.dtype
        return np.concatenate([rows, features], axis=-1, dtype=dtype)

    def _taken_apart(
        self, given: Inputs | None, state: State, batch_size: int
    ) -> tuple[Array, State, dict[str, Array] | None]:
        """Give the features, and state and auxiliary inputs of the layer inside."""
        inside = dict(given or {})
        if FEATURES not in inside:
            told, before = self._parts(state)
            start = {FEATURES: np.zeros((batch_size, self.size))}
            return given_state(told, start, self.title)[FEATURES], before, inside or None
        features = handed_in(self.title, inside, FEATURES, (batch_size, self.size))
        if not isinstance(self.layer, Conditioned):
            del inside[FEATURES]
        if state is not None:
            raise ShapeError(
                f"{self.title}: expected features or a state to begin with, got both.\n"
                "  Features are for the first call; later ones go on from its state."
            )
        return features, None, inside or None

    def _parts(self, state: State) -> tuple[State, State]:
        """Give the features of a state, or of its gradient, and the part of the layer inside."""
        if state is None:
            return None, None
        if not isinstance(state, tuple) or len(state) != 2:
            raise ShapeError(
                f"{self.title}: expected a state of features and of the layer inside, got another one."
            )
        return state[0], state[1]


class ConditionedStepsStream(Stream):
    """See :class:`noria.layers.streaming.Stream`; ``given={"features": ...}`` with the first step.

    Parameters
    ----------
    layer : ConditionedSteps
    batch_size : int
    """

    def __init__(self, layer: ConditionedSteps, batch_size: int) -> None:
        super().__init__(layer, batch_size)
        self._conditioned = layer
        self._inner = layer.layer.stream(batch_size)

    @property
    def kept(self) -> dict[str, Array]:
        """What the layer inside records of the last step."""
        return self._inner.kept

    def advance(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Take one step."""
        features, before, inside = self._conditioned._taken_apart(given, state, self.batch_size)
        y, after = self._inner.advance(self._conditioned._beside(x, features), before, inside)
        return y, ({FEATURES: features}, after)

    def advance_all(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Take several steps, the features beside each of them."""
        features, before, inside = self._conditioned._taken_apart(given, state, self.batch_size)
        at_each = np.broadcast_to(features, (len(x), *features.shape))
        y, after = self._inner.advance_all(self._conditioned._beside(x, at_each), before, inside)
        return y, ({FEATURES: features}, after)
