"""A wide output layer, a block of rows after the other: the same loss, gradients and state."""

import numpy as np
import pytest

from noria.layers import FlatParameters, Linear, Mode, Stack
from noria.models.text import wide_output
from noria.models.text.network import build_network
from noria.models.text.options import TextModelOptions
from noria.models.text.wide_output import forward_backward
from noria.models.wiring import chosen_cells
from noria.sequences import Ragged
from noria.training.symbol_loss import SymbolLoss

SYMBOLS = 23
SEED = np.random.default_rng
THROUGH = wide_output._through
CHOICES = [
    {},
    {"dropout": 0.4, "recurrent_dropout": 0.2, "locked_dropout": True},
    {"tie_weights": True, "hidden_size": 5},
    {"attention": "general", "attention_span": 3, "num_layers": 2, "batch_norm": True},
]


def run(options, logits, monkeypatch, *, smoothing=0.0, calls=2, samples=0):
    monkeypatch.setattr(wide_output, "LOGITS", logits)
    options = TextModelOptions(**{"hidden_size": 7, "embedding_size": 5, "dropout": 0.0, **options})
    network = build_network(options, chosen_cells(options), SYMBOLS)
    parameters = FlatParameters.build(network.layers, SEED(0), np.float64)
    parameters.values += 0.1 * SEED(5).standard_normal(parameters.values.shape)
    rng, mode = SEED(1), Mode(training=True, rng=SEED(2))
    losses, state = [], None
    counts = np.arange(SYMBOLS)[::-1]
    compared = SymbolLoss(SYMBOLS, label_smoothing=smoothing, samples=samples, counts=counts)
    for _ in range(calls):
        inputs = Ragged.from_sequences([rng.integers(0, SYMBOLS, length) for length in (4, 9, 6)])
        targets = rng.integers(0, SYMBOLS, 19)
        loss, state = forward_backward(network, inputs, targets, loss=compared, state=state, mode=mode)
        losses.append(loss)
    return losses, parameters.gradients.copy(), state


def leaves(state):
    if isinstance(state, tuple):
        return [leaf for part in state for leaf in (leaves(part) if part is not None else [None])]
    return list(state.values())


@pytest.mark.parametrize("options", CHOICES)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("samples", [0, 4])
@pytest.mark.parametrize("rows", [1, 5, 18])
def test_blocks_give_what_the_whole_gives(monkeypatch, options, smoothing, samples, rows):
    whole = run(options, 19 * SYMBOLS, monkeypatch, smoothing=smoothing, samples=samples)
    width, calls = (10 if samples else SYMBOLS), []
    monkeypatch.setattr(wide_output, "_through", lambda *given: calls.append(1) or THROUGH(*given))
    blocks = run(options, rows * width + 3, monkeypatch, smoothing=smoothing, samples=samples)
    assert len(calls) >= 4  # two blocks and more, twice
    assert blocks[0] == pytest.approx(whole[0], rel=1e-13)
    np.testing.assert_allclose(blocks[1], whole[1], rtol=1e-10, atol=1e-14)
    assert np.abs(whole[1]).max() > 0.01
    assert len(whole[2]) == len(blocks[2])
    for mine, expected in zip(leaves(blocks[2]), leaves(whole[2]), strict=True):
        if expected is None:
            assert mine is None
        else:
            np.testing.assert_array_equal(mine, expected)


def test_never_more_logits_than_were_allowed_are_made(monkeypatch):
    seen = []
    call = Linear.__call__

    def spy(self, x, **options):
        y, backward = call(self, x, **options)
        seen.append(y.rows.shape)
        return y, backward

    monkeypatch.setattr(Linear, "__call__", spy)
    run({}, 8 * SYMBOLS, monkeypatch, calls=1)
    assert seen == [(7, SYMBOLS), (7, SYMBOLS), (5, SYMBOLS)]


def test_a_network_that_ends_otherwise_is_run_whole(monkeypatch):
    monkeypatch.setattr(wide_output, "LOGITS", 1)
    network = Stack([Linear(4), Stack([Linear(3)])])
    network.configure(6)
    FlatParameters.build(network.layers, SEED(0), np.float64)
    inputs = Ragged.from_sequences([np.array([0, 5, 2])])
    loss, state = forward_backward(
        network, inputs, np.array([0, 1, 2]), loss=SymbolLoss(3), state=None, mode=Mode()
    )
    assert 0 < loss < 9
    assert len(state) == 2


class Fixed(SymbolLoss):
    """Draws the same candidates every time."""

    def of_batch(self, targets, rng):
        return self.with_candidates(targets, np.array([1, 2, 9, 20]))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("options", CHOICES[1:])
def test_gradients_are_exact_given_the_candidates(options, smoothing):
    options = TextModelOptions(**{"hidden_size": 7, "embedding_size": 5, "dropout": 0.0, **options})
    rng = SEED(1)
    inputs = Ragged.from_sequences([rng.integers(0, SYMBOLS, length) for length in (4, 9, 6)])
    targets = rng.integers(0, SYMBOLS, 19)
    loss = Fixed(SYMBOLS, label_smoothing=smoothing, samples=4, counts=np.arange(SYMBOLS))
    network = build_network(options, chosen_cells(options), SYMBOLS)
    flat = FlatParameters.build(network.layers, SEED(0), np.float64)
    flat.values += 0.2 * SEED(5).standard_normal(flat.values.shape)

    def value():
        mode = Mode(training=True, rng=SEED(2))
        flat.zero_gradients()
        return forward_backward(network, inputs, targets, loss=loss, state=None, mode=mode)[0]

    value()
    exact, start, step = flat.gradients.copy(), flat.values.copy(), 1e-5
    for seed in range(4):
        direction = SEED(seed).standard_normal(exact.size)
        ends = []
        for sign in (1, -1):
            flat.values[...] = start + sign * step * direction
            ends.append(value())
        slope = (ends[0] - ends[1]) / (2 * step)
        norm = np.linalg.norm(exact) * np.linalg.norm(direction)
        assert abs(exact @ direction - slope) < 1e-8 * norm
    if not options.tie_weights:  # what was not scored has learnt nothing
        left_out = np.setdiff1d(np.arange(SYMBOLS), np.union1d(targets, [1, 2, 9, 20]))
        flat.values[...] = start
        value()
        assert len(left_out)
        assert not network.layers[-1].W.gradient[left_out].any()
        drawn = np.setdiff1d([1, 2, 9, 20], targets)
        assert (network.layers[-1].b.gradient[drawn] > 0).all()
