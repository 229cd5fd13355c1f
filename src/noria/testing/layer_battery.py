"""The checks behind :func:`noria.testing.check_layer`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from noria.arrays import Array
from noria.errors import BackwardError
from noria.layers import Backward, FlatParameters, Layer, Mode
from noria.layers.layer import Inputs
from noria.layers.state import State, map_state, state_arrays
from noria.sequences import Ragged

STEP = 1e-5
DIRECTIONS = 3


class LayerBattery:
    """One layer, one batch, one random loss: ``sum(weights * y) + sum(final_weights * final state)``."""

    def __init__(
        self,
        layer: Layer,
        x: Ragged,
        state: State,
        given: Inputs | None,
        training: bool,
        tolerance: float,
        rng: np.random.Generator,
    ) -> None:
        self.layer, self.x, self.state, self.given = layer, x, state, given
        self.training, self.tolerance, self.rng = training, tolerance, rng
        self.seed = int(rng.integers(2**31))
        self.ids = x.rows.dtype.kind in "iu"
        if not self.ids:
            layer.configure(x.rows.shape[1])
        self.flat = FlatParameters.build([layer], rng, np.float64)
        self.flat.values[...] = rng.normal(0, 0.5, self.flat.values.shape)
        y, backward = self.forward(x, state)
        self.weights = rng.standard_normal(y.rows.shape)
        self.final_weights = map_state(lambda array: rng.standard_normal(array.shape), backward.state)

    def run(self) -> None:
        """Run every check."""
        self.flat.zero_gradients()
        _, backward = self.forward(self.x, self.state)
        d_x = backward(self.weights, self.final_weights)
        once = self.flat.gradients.copy()
        try:
            backward(self.weights, self.final_weights)
        except BackwardError:
            pass
        else:
            raise AssertionError(f"{self.layer.name}: a second call of the same backward was not refused")
        self._check_parameters(once)
        if d_x is not None:
            self._check("x", self.x.rows, d_x, lambda rows: self.loss(self.x.with_rows(rows), self.state))
        self._check_states(backward)
        _, again = self.forward(self.x, self.state)
        again(self.weights, self.final_weights)
        self._same("gradients of two calls", self.flat.gradients, 2 * once)

    def forward(self, x: Ragged, state: State) -> tuple[Ragged, Backward]:
        """Call the layer with the same random draws each time."""
        mode = Mode(training=self.training, rng=np.random.default_rng(self.seed))
        return self.layer(x, state=state, given=self.given, mode=mode)

    def loss(self, x: Ragged, state: State) -> float:
        """Give the loss of one call."""
        y, backward = self.forward(x, state)
        finals = state_arrays(backward.state)
        weights = state_arrays(self.final_weights)
        backward.release()
        return float(np.sum(y.rows * self.weights)) + sum(
            float(np.sum(finals[k] * weights[k])) for k in finals
        )

    def _check_parameters(self, gradients: Array) -> None:
        values = self.flat.values

        def loss_of(replaced: Array) -> float:
            before = values.copy()
            values[...] = replaced
            try:
                return self.loss(self.x, self.state)
            finally:
                values[...] = before

        start = 0
        for path, parameter in self.flat.named():
            start = int((parameter.value.ctypes.data - values.ctypes.data) // values.itemsize)
            mask = np.zeros(values.shape)
            mask[start : start + parameter.size] = not parameter.frozen
            self._check(path, values.copy(), gradients, loss_of, mask)

    def _check_states(self, backward: Backward) -> None:
        if self.state is None:
            return
        gradients = state_arrays(backward.d_state)
        for path, array in state_arrays(self.state).items():

            def loss_of(replaced: Array, path: str = path) -> float:
                return self.loss(self.x, _replaced(self.state, path, replaced))

            self._check(f"initial {path}", array, gradients[path], loss_of)

    def _check(
        self,
        name: str,
        point: Array,
        gradient: Array,
        loss_of: Callable[[Array], float],
        mask: Array | None = None,
    ) -> None:
        """Compare the slope along random directions with the gradient's.

        Along the gradient itself no sign can hide.
        """
        directions = [self.rng.standard_normal(point.shape) for _ in range(DIRECTIONS)]
        for direction in directions:
            step = direction if mask is None else direction * mask
            norm = float(np.linalg.norm(step))
            if norm == 0:
                continue
            step = step / norm
            slope = (loss_of(point + STEP * step) - loss_of(point - STEP * step)) / (2 * STEP)
            expected = float(np.sum(gradient * step))
            scale = max(float(np.linalg.norm(gradient if mask is None else gradient * mask)), 1e-3)
            error = abs(slope - expected) / scale
            assert error <= self.tolerance, (
                f"{self.layer.name}: gradient of '{name}' is off by {error:.1e} along a direction"
            )

    def _same(self, what: str, found: Array, expected: Array) -> None:
        error = float(np.max(np.abs(found - expected), initial=0.0))
        scale = max(float(np.max(np.abs(expected), initial=0.0)), 1.0)
        assert error <= 1e-12 * scale, f"{self.layer.name}: {what} differ by {error:.1e}"


def _replaced(state: Any, path: str, array: Array) -> Any:
    """Give ``state`` with one array in the place of another."""
    key, _, rest = path.partition(".")
    if isinstance(state, tuple):
        return tuple(_replaced(part, rest, array) if str(k) == key else part for k, part in enumerate(state))
    return {name: array if name == path else value for name, value in state.items()}
