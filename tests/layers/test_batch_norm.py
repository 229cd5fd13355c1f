"""Batch norm: statistics of real tokens in training, running ones otherwise, saved and not trained."""

import numpy as np
import pytest
from layer_checks import built, check_gradients, drawing, features, run_back, token_ids

from noria.errors import DataError, OptionError, ShapeError
from noria.layers import INFERENCE, BatchNorm, FlatParameters, Linear, Mode, Stack, recurrent_stack
from noria.sequences import Ragged

TRAINING = Mode(training=True)
LENGTHS = (4, 6, 1, 3)


@pytest.mark.parametrize("drawn", [None, 0], ids=["running", "batch"])
def test_gradients_are_exact(drawn):
    def make():  # a bias before a batch norm has no gradient
        return Stack([Linear(5, bias=False), BatchNorm(), Linear(3)])

    check_gradients(make, 4, features(LENGTHS, 4), state=False, drawn=drawn)


def test_rows_of_a_batch_have_mean_nought_and_variance_one():
    x = features(LENGTHS, 4)
    x = x.with_rows(3.0 * x.rows + np.arange(4))
    layer, _ = built(BatchNorm(), 4, spread=None)
    rows = layer(x, mode=TRAINING)[0].rows
    np.testing.assert_allclose(rows.mean(axis=0), 0.0, atol=1e-15)
    np.testing.assert_allclose(rows.var(axis=0), 1.0, rtol=1e-5)
    layer.gain.value[...], layer.bias.value[...] = 2.0, np.arange(4)
    np.testing.assert_allclose(layer(x, mode=TRAINING)[0].rows, 2.0 * rows + np.arange(4), rtol=1e-13)


def test_statistics_are_of_real_tokens_only():
    """Ragged sequences give what their tokens give one by one; no padding is counted."""
    x = features(LENGTHS, 3)
    layer, _ = built(BatchNorm(momentum=1.0), 3)
    layer(x, mode=TRAINING)
    np.testing.assert_allclose(layer.mean.value, x.rows.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(layer.variance.value, x.rows.var(axis=0, ddof=1), rtol=1e-13)
    single, _ = built(BatchNorm(), 3)
    tokens = Ragged.from_sequences([row[None] for row in x.rows])
    np.testing.assert_allclose(
        layer(x, mode=TRAINING)[0].rows, single(tokens, mode=TRAINING)[0].rows, rtol=1e-12
    )


def test_running_statistics_follow_and_stand_in_at_inference():
    layer, _ = built(BatchNorm(momentum=0.25), 3)
    mean, variance = np.zeros(3), np.ones(3)
    for seed in range(3):
        x = features(LENGTHS, 3, seed)
        layer(x, mode=TRAINING)
        mean += 0.25 * (x.rows.mean(axis=0) - mean)
        variance += 0.25 * (x.rows.var(axis=0, ddof=1) - variance)
    np.testing.assert_allclose(layer.mean.value, mean, rtol=1e-13)
    np.testing.assert_allclose(layer.variance.value, variance, rtol=1e-13)
    expected = layer.gain.value * (x.rows - mean) / np.sqrt(variance + 1e-5) + layer.bias.value
    for mode in (INFERENCE, Mode()):
        np.testing.assert_allclose(layer(x, mode=mode)[0].rows, expected, rtol=1e-12)
    np.testing.assert_allclose(layer.mean.value, mean, rtol=1e-13)
    alone = Ragged.from_sequences([x.rows[:1]])
    np.testing.assert_allclose(layer(alone, mode=INFERENCE)[0].rows, expected[:1], rtol=1e-12)


def test_a_stream_has_the_statistics_of_its_moment():
    layer, _ = built(Stack([BatchNorm(), Linear(2)]), 3)
    layer(features(LENGTHS, 3), mode=TRAINING)
    x = features([5, 5], 3, 9)
    expected = layer(x)[0].rows.reshape(5, 2, 2)
    stream = layer.stream(2)
    layer(features(LENGTHS, 3, 4), mode=TRAINING)
    for rows, right in zip(x.rows.reshape(5, 2, 3), expected, strict=True):
        np.testing.assert_allclose(stream.step(rows)[0], right, rtol=1e-12)


def test_statistics_are_saved_with_the_weights_and_are_none():
    layer, flat = built(Stack([BatchNorm(), Linear(2)], name="net"), 3)
    assert flat.count == flat.values.size == 3 + 3 + 6 + 2
    layer(features(LENGTHS, 3), mode=TRAINING)
    saved = flat.state_dict()
    assert {"net.0.mean", "net.0.variance"} <= set(saved)
    before = layer(features([2], 3))[0].rows
    layer(features(LENGTHS, 3, 8), mode=TRAINING)
    assert not np.allclose(layer(features([2], 3))[0].rows, before)
    flat.load_state_dict(saved)
    np.testing.assert_array_equal(layer(features([2], 3))[0].rows, before)
    with pytest.raises(DataError, match=r"missing: net\.0\.mean"):
        flat.load_state_dict({path: array for path, array in saved.items() if path != "net.0.mean"})
    with pytest.raises(ShapeError, match=r"'net\.0\.mean': expected shape \(3,\), got \(4,\)"):
        flat.load_state_dict({**saved, "net.0.mean": np.zeros(4)})


def test_a_shared_one_has_one_set_of_statistics():
    shared = BatchNorm()
    layer, flat = built(Stack([shared, Linear(3), shared], name="net"), 3)
    layer(features(LENGTHS, 3), mode=TRAINING)
    saved = flat.state_dict()
    assert sorted(path for path in saved if "bias" in path or "mean" in path) == ["net.0.bias", "net.0.mean"]
    before = layer(features([2], 3))[0].rows
    layer(features(LENGTHS, 3, 8), mode=TRAINING)
    flat.load_state_dict(saved)
    np.testing.assert_array_equal(layer(features([2], 3))[0].rows, before)
    x = features(LENGTHS, 3)

    def make():
        one = BatchNorm()
        return Stack([Linear(5, bias=False), one, Linear(5, bias=False), one])

    for drawn in (None, 0):
        check_gradients(make, 3, x, state=False, drawn=drawn)


def test_building_again_begins_again():
    layer, flat = built(BatchNorm(), 3, spread=None)
    fresh = flat.state_dict()
    layer(features(LENGTHS, 3), mode=TRAINING)
    assert (layer.mean.value != 0).all()
    _, again = built(layer, 3, spread=None)
    for path, array in again.state_dict().items():
        np.testing.assert_array_equal(array, fresh[path])


def test_weight_decay_leaves_gains_alone():
    _, flat = built(BatchNorm(), 3)
    assert [group.decay for group in flat.groups()] == [False]


def test_single_precision_stays_single():
    layer, _ = built(BatchNorm(), 3, dtype=np.float32)
    x = features(LENGTHS, 3, dtype=np.float32)
    for mode in (TRAINING, INFERENCE):
        assert layer(x, mode=mode)[0].rows.dtype == np.float32
    assert layer.stream(1).step(x.rows[0])[0].dtype == np.float32
    assert run_back(layer, x, mode=drawing(0)).d_x.dtype == np.float64  # as the gradient that came in


def test_many_rows_of_single_precision_are_summed_up_in_double():
    x = features([30_000], 2, dtype=np.float32)
    x = x.with_rows(x.rows + np.float32(1000.0))
    layer, _ = built(BatchNorm(momentum=1.0), 2, dtype=np.float32)
    layer(x, mode=TRAINING)
    exact = x.rows.astype(np.float64)
    np.testing.assert_allclose(layer.mean.value, exact.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(layer.variance.value, exact.var(axis=0, ddof=1), rtol=1e-6)


def test_one_row_has_no_variance_and_moves_nothing():
    layer, _ = built(BatchNorm(), 3)
    y = layer(features([1], 3), mode=TRAINING)[0]
    np.testing.assert_allclose(y.rows, layer.bias.value[None])
    np.testing.assert_array_equal(layer.mean.value, np.zeros(3))
    np.testing.assert_array_equal(layer.variance.value, np.ones(3))


def test_it_stands_between_layers_of_a_stack():
    stack = recurrent_stack("gru", [4, 5, 3], batch_norm=True, dropout=0.1, projection=[6, None, None])
    assert list(dict(stack.children())) == [
        "0", "projection_0", "norm_0", "dropout_0", "1", "norm_1", "dropout_1", "2",
    ]  # fmt: skip


def test_what_does_not_fit_is_refused():
    for option, value in (("momentum", 0.0), ("momentum", 1.5), ("epsilon", 0.0)):
        with pytest.raises(OptionError, match=f"'{option}' option of batch norm must be"):
            BatchNorm(**{option: value})
    layer = BatchNorm()
    layer.configure(3)
    FlatParameters.build([layer], np.random.default_rng(0))
    with pytest.raises(ShapeError, match="expected rows of 3 features, got 4"):
        layer(features([2], 4))
    with pytest.raises(DataError, match="expected rows of real numbers"):
        layer(token_ids([2], 3))
