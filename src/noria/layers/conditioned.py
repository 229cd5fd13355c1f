"""One to many: a vector of features gives recurrent layers the state in which they begin."""

from collections.abc import Iterator, Mapping

import numpy as np

from noria.arrays import Array
from noria.equations import Initial
from noria.errors import OptionError, ShapeError
from noria.layers.auxiliary import FEATURES, handed_in
from noria.layers.backward import Backward, Gradients
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.parameters import Parameter
from noria.layers.state import State, restore_state, state_arrays
from noria.layers.streaming import Given, Stream
from noria.sequences import Ragged


class Conditioned(Layer):
    """Begins with ``s_0 = W features + b`` for each state s of each recurrent layer inside.

    Auxiliary input ``"features"``: an array (B, size) in the caller's order of sequences; its gradient is in
    ``backward.d_given``. A call that goes on from a state, as the next window or step does, has none, and one
    with neither begins as the layer inside would.

    Parameters
    ----------
    layer : Layer
        A recurrent layer, or a stack with such layers; what else has a state (attention) begins as without
        features. Its auxiliary inputs keep their names.
    size : int
        Number of features; at least 1.
    """

    kind = "conditioned"

    def __init__(self, layer: Layer, size: int, *, name: str | None = None) -> None:
        super().__init__(name)
        if size < 1:
            raise OptionError(f"The 'size' option of {self.title} must be an int of at least 1. Got {size}.")
        self.layer, self.size = layer, size
        self._maps: dict[str, tuple[Parameter, Parameter]] = {}

    @property
    def causal(self) -> bool:
        """Whether the layer inside is."""
        return self.layer.causal

    def children(self) -> Iterator[tuple[str, Layer]]:
        """Give the layer inside."""
        yield "layer", self.layer

    def own_parameters(self) -> Iterator[Parameter]:
        """Give W and b of each state, ``"initial.0.h.W"`` for that of layer 0."""
        for matrix, bias in self._maps.values():
            yield from (matrix, bias)

    def initial_states(self, prefix: str = "") -> Iterator[tuple[str, int, Initial]]:
        """Give those of the layer inside, whose state is this one's."""
        yield from self.layer.initial_states(prefix)

    def start(self, batch_size: int = 1) -> State:
        """Give the state in which the layer inside begins without features."""
        return self.layer.start(batch_size)

    def begin(self, features: Array) -> State:
        """Give the state in which the layer inside begins with features (B, size)."""
        given = {FEATURES: features}
        features = handed_in(self.title, given, FEATURES, (len(features), self.size))
        return self._initial(features, self._values())

    def _declare(self, input_size: int) -> int:
        output_size = self.layer.configure(input_size)
        for path, width, law in self.layer.initial_states():
            matrix = Parameter(f"initial.{path}.W", (width, self.size), Initial("xavier", ()))
            # The state in which the cell itself begins is where training starts from.
            self._maps[path] = matrix, Parameter(f"initial.{path}.b", (width,), law)
        if not self._maps:
            raise OptionError(
                f"{self.title}: there is no recurrent layer inside, and so no state to begin with."
            )
        return output_size

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Run the layer inside, from the state that the features give."""
        self._configured()
        features, inside = self._taken_apart(given, state, x.batch_size)
        begin = state if features is None else self._initial(features, self._values())
        y, back = self.layer(x, state=begin, given=inside, mode=mode)

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_rows = back(d_y, d_state)
            if features is None:
                return Gradients(d_rows, back.d_state, back.d_given)
            d_features = np.zeros(features.shape, d_y.dtype)
            d_states = state_arrays(back.d_state)
            for path, (matrix, bias) in self._maps.items():
                matrix.add(d_states[path].T @ features)
                bias.add(d_states[path].sum(axis=0))
                d_features += d_states[path] @ matrix.value
            return Gradients(d_rows, None, {**back.d_given, FEATURES: d_features})

        return y, Backward(backward if mode.save else None, self.title, state=back.state, kept=back.kept)

    def stream(self, batch_size: int = 1) -> "ConditionedStream":
        """Give the stream of the layer inside; its first step takes the features."""
        return ConditionedStream(self, batch_size)

    def _values(self) -> dict[str, tuple[Array, Array]]:
        return {path: (matrix.value, bias.value) for path, (matrix, bias) in self._maps.items()}

    def _initial(self, features: Array, maps: Mapping[str, tuple[Array, Array]]) -> State:
        arrays = {path: features @ W.T + b for path, (W, b) in maps.items()}
        start = self.layer.start(len(features))
        return restore_state(start, state_arrays(start) | arrays)

    def _taken_apart(
        self, given: Inputs | None, state: State, batch_size: int
    ) -> tuple[Array | None, dict[str, Array]]:
        """Give the features, checked, and the auxiliary inputs of the layer inside."""
        inside = dict(given or {})
        if FEATURES not in inside:
            return None, inside
        features = handed_in(self.title, inside, FEATURES, (batch_size, self.size))
        del inside[FEATURES]
        if state is not None:
            raise ShapeError(
                f"{self.title}: expected features or a state to begin with, got both.\n"
                "  Features are for the first call; later ones go on from its state."
            )
        return features, inside


class ConditionedStream(Stream):
    """See :class:`noria.layers.streaming.Stream`; ``given={"features": ...}`` with the first step.

    Parameters
    ----------
    layer : Conditioned
    batch_size : int
    """

    def __init__(self, layer: Conditioned, batch_size: int) -> None:
        super().__init__(layer, batch_size)
        self._conditioned = layer
        self._maps = {path: (np.array(W), np.array(b)) for path, (W, b) in layer._values().items()}
        self._inner = layer.layer.stream(batch_size)

    def advance(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Take one step."""
        return self._inner.advance(x, *self._begun(state, given))

    def advance_all(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Take several steps, the features before the first of them."""
        return self._inner.advance_all(x, *self._begun(state, given))

    def _begun(self, state: State, given: Given) -> tuple[State, Given]:
        """Give the state to begin with, and what is left of the auxiliary inputs."""
        if not given:
            return state, None
        features, inside = self._conditioned._taken_apart(given, state, self.batch_size)
        if features is not None:
            state = self._conditioned._initial(features, self._maps)
        return state, inside or None
