"""What tests of layers share: cells, random batches, and the check of every gradient by complex step."""

from types import SimpleNamespace

import numpy as np

from noria.equations import Cell
from noria.layers import FlatParameters, Mode, map_state, state_arrays
from noria.sequences import Ragged

TINY = 1e-30

MASKED = Cell.parse(
    """
given:
  m: sequence = dropout(0.4)
  s: row = bernoulli(0.3)
n  = tanh(W @ x + U @ (m * h) + b)
h' = s * h + (1 - s) * n
""",
    name="masked",
)
"""With a mask for each sequence, and one for each row."""

DRIVEN = Cell.parse(
    """
given:
  drive: row
  scale: sequence
h' = tanh(W @ x + U @ h + drive * scale)
""",
    name="driven",
)
"""With inputs that have to be handed in."""

START_AT_ONE = Cell.parse("c' = c + h\nh' = c' * tanh(W @ x)\ninit:\n  c = 1", name="counter")
"""With a state that does not begin with zeros."""


def features(lengths, width, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return Ragged.from_sequences([rng.normal(size=(length, width)).astype(dtype) for length in lengths])


def token_ids(lengths, symbols, seed=0):
    rng = np.random.default_rng(seed)
    return Ragged.from_sequences([rng.integers(0, symbols, length) for length in lengths])


def built(layer, input_size, seed=1, dtype=np.float64, spread=0.5):
    """Configure a layer and draw every parameter, biases too; nothing is zero and no two values are equal."""
    layer.configure(input_size)
    flat = FlatParameters.build([layer], np.random.default_rng(seed), dtype)
    if spread:
        flat.values[...] = np.random.default_rng(seed + 100).normal(size=flat.values.size, scale=spread)
    return layer, flat


def like(state, seed):
    """Draw a state, or the gradient of one, of the given structure."""
    rng = np.random.default_rng(seed)
    return map_state(lambda array: rng.normal(size=array.shape, scale=0.7), state)


def run_back(layer, x, *, state=None, given=None, mode=None, seed=7):
    """Run a layer forward and backward with random gradients on all outputs and on the final state."""
    y, backward = layer(x, state=state, given=given, mode=mode or Mode())
    d_y = np.random.default_rng(seed).normal(size=y.rows.shape)
    d_final = like(backward.state, seed + 1)
    d_x = backward(d_y, d_final)
    return SimpleNamespace(y=y, backward=backward, d_y=d_y, d_final=d_final, d_x=d_x)


def inner(a, b):
    """Sum up the products of two states' arrays."""
    ours, theirs = state_arrays(a), state_arrays(b)
    assert ours.keys() == theirs.keys()
    return sum((ours[name] * theirs[name]).sum() for name in ours)


def drawing(seed, *, save=True):
    """Training with what this seed draws, or none of it."""
    return Mode(save=save) if seed is None else Mode(True, save, np.random.default_rng(seed))


def check_gradients(
    make, input_size, x, *, given=None, state=True, directions=3, tolerance=1e-12, drawn=None
):
    """Compare every gradient with the complex step along random directions.

    `make` builds the layer. Checked are the rows, each parameter, and each array of the initial state, all of
    them through the output rows and through the final state; the error is relative to the norms of the
    gradient and of the direction. `drawn` is the seed of what is drawn in training; None: nothing is.
    """
    layer, flat = built(make(), input_size)
    twin, twin_flat = built(make(), input_size, dtype=np.complex128)
    initial = like(layer.start(x.batch_size), 3) if state else None
    done = run_back(layer, x, state=initial, given=given, mode=drawing(drawn))

    def value(rows, theta, begin):
        twin_flat.values[...] = theta
        y, backward = twin(x.with_rows(rows), state=begin, given=given, mode=drawing(drawn, save=False))
        return (done.d_y * y.rows).sum() + inner(done.d_final, backward.state)

    rng = np.random.default_rng(11)
    worst = {}

    def compare(name, gradient, derivative):
        norm = np.linalg.norm(gradient)
        assert norm > 0, f"the gradient of {name} is zero"
        for _ in range(directions):
            direction = rng.normal(size=gradient.shape)
            expected = derivative(1j * TINY * direction).imag / TINY
            error = abs((gradient * direction).sum() - expected) / (norm * np.linalg.norm(direction))
            worst[name] = max(worst.get(name, 0.0), error)

    if done.d_x is not None:
        compare("x", done.d_x, lambda step: value(x.rows + step, flat.values, initial))
    for path, parameter in flat.named():
        offset = (parameter.value.ctypes.data - flat.values.ctypes.data) // flat.values.itemsize

        def along(step, offset=offset):
            theta = flat.values.astype(np.complex128)
            theta[offset : offset + step.size] += step.ravel()
            return value(x.rows, theta, initial)

        compare(path, parameter.gradient, along)
    for path, gradient in state_arrays(done.backward.d_state).items() if state else ():

        def from_state(step, path=path):
            arrays = dict(state_arrays(initial))
            arrays[path] = arrays[path] + step
            return value(x.rows, flat.values, rebuilt(initial, arrays))

        compare(f"initial {path}", gradient, from_state)
    wrong = {name: error for name, error in worst.items() if not error < tolerance}
    assert not wrong, wrong
    return worst


def rebuilt(state, arrays, prefix=""):
    """Put arrays by path back into the structure of `state`."""
    if state is None:
        return None
    if isinstance(state, tuple):
        return tuple(rebuilt(part, arrays, f"{prefix}{index}.") for index, part in enumerate(state))
    return {name: arrays[f"{prefix}{name}"] for name in state}
