"""Networks from options with every regulariser: exact gradients, and nothing drawn at inference."""

import numpy as np
import pytest
from regularised_options import EVERYTHING

from noria.equations import cells
from noria.layers import INFERENCE, FlatParameters, Linear, Mode, OneHot, Stack
from noria.models.text.network import build_network
from noria.models.text.options import TextModelOptions
from noria.models.wiring import symbol_layer
from noria.sequences import Ragged
from noria.training.losses import sequence_cross_entropy
from noria.training.symbol_options import EmbeddingOptions

SYMBOLS = 9
LENGTHS = (3, 6, 1, 6)
ONE_BY_ONE = [
    {name: value} | ({"dropout": 0.2} if name == "locked_dropout" else {})
    for name, value in EVERYTHING.items()
    if name not in ("embedding_size", "tie_weights")
]


def network(options, dtype=np.float64, seed=1):
    options = TextModelOptions(dtype="float64", **options)
    options.validate()
    chosen = [cells.get(cell) for cell in options.layer_cells]
    net = build_network(options, chosen, SYMBOLS)
    flat = FlatParameters.build(net.layers, np.random.default_rng(seed), dtype)
    flat.values[...] = np.random.default_rng(2).normal(size=flat.values.size, scale=0.4)
    return net, flat


def batch(seed=0):
    rng = np.random.default_rng(seed)
    x = Ragged.from_sequences([rng.integers(0, SYMBOLS, length) for length in LENGTHS])
    return x, rng.integers(0, SYMBOLS, sum(LENGTHS))


def training(seed):
    return Mode(training=True, rng=np.random.default_rng(seed))


def check_exact(options, tolerance=2e-12):
    """Compare the gradient of the loss with its complex step, the masks fixed by their seed."""
    (net, flat), (twin, twin_flat) = network(options), network(options, np.complex128)
    x, targets = batch()
    smoothing = options.get("label_smoothing", 0.0)
    logits, backward = net(x, mode=training(3))
    backward(sequence_cross_entropy(logits.rows, targets, label_smoothing=smoothing)[1]())
    wanted = (1 - smoothing) * np.eye(SYMBOLS)[targets] + smoothing / SYMBOLS
    for seed in range(3):
        direction = np.random.default_rng(seed).standard_normal(flat.values.size)
        twin_flat.values[...] = flat.values + 1e-30j * direction
        rows = twin(x, mode=training(3))[0].rows
        log_p = rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))
        slope = -(wanted * log_p).sum(axis=1).mean().imag / 1e-30
        norm = np.linalg.norm(flat.gradients) * np.linalg.norm(direction)
        assert abs((flat.gradients * direction).sum() - slope) < tolerance * norm
    for path, parameter in flat.named():
        assert parameter.gradient.any(), path


@pytest.mark.parametrize("options", ONE_BY_ONE, ids=lambda options: next(iter(options)))
def test_gradients_with_one_regulariser(options):
    check_exact({"cell": "gru", "hidden_size": [4, 6], "embedding_size": 5, "dropout": 0.0} | options)


@pytest.mark.parametrize(
    "shape",
    [
        {"cell": "lstm", "hidden_size": 5},
        {"cell": ["lstm", "gru"], "hidden_size": [6, 5]},
        {"cell": ["gru", "rnn", "lstm"], "hidden_size": [4, 7, 6], "projection_size": 5},
    ],
    ids=["1 layer", "2 layers", "3 layers"],
)
def test_gradients_with_all_of_them(shape):
    check_exact(EVERYTHING | shape, tolerance=1e-11)


def test_streams_and_chunks_say_what_the_whole_says():
    net, _ = network(EVERYTHING | {"cell": ["lstm", "gru"], "hidden_size": [6, 5]})
    for seed in range(3):
        net(batch(seed)[0], mode=training(seed))
    ids = np.random.default_rng(5).integers(0, SYMBOLS, (2, 7))
    whole = net(Ragged.from_dense(ids), mode=INFERENCE)[0].rows.reshape(7, 2, SYMBOLS)
    again = net(Ragged.from_dense(ids), mode=INFERENCE)[0].rows.reshape(7, 2, SYMBOLS)
    np.testing.assert_array_equal(whole, again)
    stream, state = net.stream(2), None
    for t in range(7):
        y, state = stream.step(ids[:, t], state)
        np.testing.assert_allclose(y, whole[t], rtol=1e-11, atol=1e-12)
    first, backward = net(Ragged.from_dense(ids[:, :3]), mode=INFERENCE)
    rest, _ = net(Ragged.from_dense(ids[:, 3:]), state=backward.state, mode=INFERENCE)
    np.testing.assert_allclose(
        np.concatenate([first.rows, rest.rows]), whole.reshape(14, -1), rtol=1e-11, atol=1e-12
    )
    ragged, _ = net(Ragged.from_sequences([ids[0, :4], ids[1]]), mode=INFERENCE)
    for found, right in zip(ragged.to_sequences(), (whole[:4, 0], whole[:, 1]), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-11, atol=1e-12)


def test_expectations_stand_in_where_only_factors_are_drawn():
    """In a linear network the mean over draws is what inference says."""
    options = {
        "cell": cells.get("rnn").with_text("h' = W @ x + U @ h"),
        "hidden_size": 4,
        "embedding_size": 3,
        "dropout": 0.2,
        "locked_dropout": True,
        "input_dropout": 0.2,
        "embedding_dropout": 0.2,
        "drop_connect": 0.2,
    }
    net, _ = network(options)
    ids = np.tile([[2, 5]], (6000, 1))
    drawn, deviation = [], []
    for seed in range(30):  # weights and symbols are drawn once a batch
        rows = net(Ragged.from_dense(ids[:40]), mode=training(seed))[0].rows
        drawn.append(rows.reshape(2, 40, SYMBOLS).mean(axis=1))
    expected = net(Ragged.from_dense(ids[:1]), mode=INFERENCE)[0].rows
    deviation = np.std(drawn, axis=0) / np.sqrt(30)
    assert (np.abs(np.mean(drawn, axis=0) - expected) < 5 * deviation + 1e-12).all()
    assert (deviation > 0).any()


def test_symbols_become_rows_as_asked():
    options = EmbeddingOptions(embedding_size=5, embedding_dropout=0.4)
    layer = symbol_layer(options, SYMBOLS, "input", frozen=True)
    net = Stack([layer, Linear(3)])
    net.configure(SYMBOLS)
    FlatParameters.build(net.layers, np.random.default_rng(3), np.float64)
    assert layer.table.frozen
    rows, _ = layer(Ragged.from_dense(np.tile(np.arange(SYMBOLS), (50, 1))), mode=training(4))
    by_symbol = rows.to_dense()[0]
    dropped = ~by_symbol.any(axis=1)
    assert 0 < dropped.sum() < SYMBOLS
    np.testing.assert_allclose(by_symbol[~dropped], layer.table.value[~dropped] / 0.6)
    assert isinstance(
        symbol_layer(EmbeddingOptions(embedding_size=0), SYMBOLS, "input", frozen=False), OneHot
    )


def test_tied_weights_are_one_matrix_whose_gradients_add_up():
    shape = {"cell": "gru", "hidden_size": 7, "embedding_size": 4, "projection_size": 4, "dropout": 0.0}
    (tied, tied_flat), (free, free_flat) = network({**shape, "tie_weights": True}), network(shape)
    assert free_flat.count - tied_flat.count == SYMBOLS * 4
    paths = dict(tied_flat.named())
    assert "input.table" in paths
    assert "output.W" not in paths
    for path, parameter in free_flat.named():
        parameter.value[...] = paths.get(path, paths["input.table"]).value
    x, targets = batch()
    for net in (tied, free):
        logits, backward = net(x)
        backward(sequence_cross_entropy(logits.rows, targets)[1]())
    gradients = {path: parameter.gradient for path, parameter in free_flat.named()}
    both = gradients["input.table"] + gradients.pop("output.W")
    for path, gradient in (gradients | {"input.table": both}).items():
        np.testing.assert_allclose(paths[path].gradient, gradient, rtol=1e-12, atol=1e-15)
    assert isinstance(tied.layers[-1], Linear)
