"""Layers that know nothing of time: linear, embedding, dropout, one-hot."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layer_checks import built, check_gradients, features, run_back, token_ids

from noria.engines.one_hot import add_rows
from noria.equations import Initial
from noria.errors import DataError, OptionError, ShapeError
from noria.layers import INFERENCE, Dropout, Embedding, Linear, Mode, OneHot
from noria.layers.auxiliary import draw
from noria.sequences import Ragged

TRAINING = [Mode(training=True, rng=np.random.default_rng(seed)) for seed in range(3)]


@pytest.mark.parametrize("lengths", [[5, 2, 5, 1], [1], [3, 3]], ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_affine_and_its_gradients_are_exact(lengths, bias):
    x = features(lengths, 4)
    check_gradients(lambda: Linear(3, bias=bias), 4, x, state=False)
    layer, _ = built(Linear(3, bias=bias), 4)
    expected = [layer.W.value @ row + (layer.b.value if bias else 0) for row in x.rows]
    np.testing.assert_allclose(layer(x)[0].rows, expected, rtol=1e-13)


def test_linear_looks_ids_up_as_one_hot_rows():
    ids = token_ids([4, 2], 5)
    check_gradients(lambda: Linear(3), 5, ids, state=False)
    layer, _ = built(Linear(3), 5)
    np.testing.assert_allclose(
        layer(ids)[0].rows, layer(ids.with_rows(np.eye(5)[ids.rows]))[0].rows, rtol=1e-14
    )


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("wanted", [[1, 3, 4], [5], [0, 1, 2, 3, 4, 5]], ids=str)
@pytest.mark.parametrize("ids", [True, False])
def test_linear_gives_the_outputs_that_are_wanted_and_leaves_the_others_alone(bias, wanted, ids):
    x = token_ids([5, 2, 1], 4) if ids else features([5, 2, 1], 4)
    some = {"outputs": np.array(wanted)}
    (layer, flat), (twin, twin_flat) = (built(Linear(6, bias=bias), 4) for _ in range(2))
    rest = run_back(layer, x)  # gradients that are there already are added to
    y, backward = layer(x, given=some)
    np.testing.assert_allclose(y.rows, rest.y.rows[:, wanted], rtol=1e-13)
    d_y = np.random.default_rng(3).normal(size=y.rows.shape)
    d_x = backward(d_y)
    everywhere = np.zeros((len(x), 6))
    everywhere[:, wanted] = d_y
    run_back(twin, x)
    expected = twin(x)[1](everywhere)
    np.testing.assert_allclose(flat.gradients, twin_flat.gradients, rtol=1e-12, atol=1e-14)
    if ids:
        assert d_x is expected is None
    else:
        np.testing.assert_allclose(d_x, expected, rtol=1e-12, atol=1e-14)


def test_wanted_outputs_are_increasing_ids():
    layer, _ = built(Linear(6, name="output"), 4)
    x = features([3], 4)
    order = r"'output': .* 'outputs' to hold increasing ids in \[0, 6\), got {} at place {}\."
    for wrong, number, place in (([2, 1], 1, 1), ([1, 1], 1, 1), ([-1, 3], -1, 0), ([0, 2, 6], 6, 2)):
        with pytest.raises(DataError, match=order.format(number, place)):
            layer(x, given={"outputs": np.array(wrong)})
    for wrong in ([2, 1], [2, 1, 2], [3, 200, 4]):
        with pytest.raises(DataError, match="to hold increasing ids"):
            layer(x, given={"outputs": np.array(wrong, np.uint8)})
    with pytest.raises(DataError, match="'outputs' to hold whole numbers, got float64"):
        layer(x, given={"outputs": np.array([0.0, 1.0])})
    for wrong in ([], [[1, 2]]):
        with pytest.raises(ShapeError, match=r"'outputs' of shape \(S,\) with S of at least 1"):
            layer(x, given={"outputs": np.array(wrong, int)})
    layer.W.frozen = layer.b.frozen = True
    assert layer(x, given={"outputs": np.array([2])})[1](np.ones((3, 1))).shape == (3, 4)
    assert not layer.W.gradient.any()


def test_embedding_looks_up_and_adds_up():
    ids = Ragged.from_sequences([[2, 0, 2], [2]])
    layer, _flat = built(Embedding(4, 3), 4)
    y, backward = layer(ids)
    np.testing.assert_array_equal(y.rows, layer.table.value[[2, 2, 0, 2]])
    d_y = np.random.default_rng(0).normal(size=(4, 3))
    assert backward(d_y) is None
    expected = np.zeros((4, 3))
    expected[2] = d_y[0] + d_y[1] + d_y[3]
    expected[0] = d_y[2]
    np.testing.assert_allclose(layer.table.gradient, expected, rtol=1e-14)
    check_gradients(lambda: Embedding(6, 4), 6, token_ids([5, 2, 5], 6), state=False)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.integers(0, 9))
def test_rows_are_added_as_add_at_adds_them(ids, seed):
    rng = np.random.default_rng(seed)
    rows, table = rng.normal(size=(len(ids), 3)), rng.normal(size=(7, 3))
    expected = table.copy()
    np.add.at(expected, np.array(ids), rows)
    add_rows(table, np.array(ids), rows)
    np.testing.assert_allclose(table, expected, rtol=0, atol=1e-13)


def test_known_vectors_start_the_table_and_stay_if_frozen():
    vectors = np.random.default_rng(0).normal(size=(5, 3))
    frozen, flat = built(Embedding.from_vectors(vectors), 5, spread=None)
    np.testing.assert_array_equal(frozen.table.value, vectors)
    run_back(frozen, token_ids([3], 5))
    assert not flat.gradients.any()
    assert [group.frozen for group in flat.groups()] == [True]
    tuned, flat = built(Embedding.from_vectors(vectors, frozen=False), 5, spread=None)
    run_back(tuned, token_ids([3], 5))
    assert flat.gradients.any()


def test_frozen_linear_layers_hand_gradients_on_and_keep_none():
    layer, flat = built(Linear(3), 4)
    layer.W.frozen = layer.b.frozen = True
    done = run_back(layer, features([2], 4))
    np.testing.assert_allclose(done.d_x, done.d_y @ layer.W.value, rtol=1e-14)
    assert not flat.gradients.any()


def test_embedding_rows_have_length_one_on_average():
    layer, _ = built(Embedding(500, 40), 500, spread=None)
    assert abs((layer.table.value**2).sum(axis=1).mean() - 1) < 0.05
    uniform, _ = built(Embedding(500, 40, initial=Initial("uniform", (-0.1, 0.1))), 500, spread=None)
    assert np.abs(uniform.table.value).max() <= 0.1


def test_dropout_uses_one_mask_forward_and_backward():
    x = features([300, 200], 4)
    layer, _ = built(Dropout(0.3), 4)
    y, backward = layer(x, mode=TRAINING[0])
    d_x = backward(np.ones_like(y.rows))
    np.testing.assert_allclose(y.rows, x.rows * d_x, rtol=1e-14)
    assert set(np.unique(d_x)) == {0.0, 1 / 0.7}
    assert abs((d_x == 0).mean() - 0.3) < 0.04
    check_gradients(lambda: Dropout(0.3), 4, features([3, 1], 4), given={"mask": d_x[:4]}, state=False)


def test_dropout_is_nothing_outside_of_training():
    x = features([3], 4)
    for mode, p in ((INFERENCE, 0.3), (Mode(), 0.3), (TRAINING[1], 0.0)):
        layer, _ = built(Dropout(p), 4)
        assert layer(x, mode=mode)[0].rows is x.rows
    layer, _ = built(Dropout(0.3), 4)
    d_y = np.ones((3, 4))
    np.testing.assert_array_equal(layer(x)[1](d_y), d_y)


def test_dropout_keeps_the_dtype_and_draws_the_same_in_both():
    x = features([5], 4)
    layer, _ = built(Dropout(0.5), 4)
    double, _ = layer(x, mode=Mode(training=True, rng=np.random.default_rng(3)))
    single, _ = layer(
        x.with_rows(x.rows.astype(np.float32)), mode=Mode(training=True, rng=np.random.default_rng(3))
    )
    assert single.rows.dtype == np.float32
    np.testing.assert_array_equal(double.rows == 0, single.rows == 0)


def test_errors_name_the_layer():
    with pytest.raises(OptionError, match=r"'p' option of Dropout must be a float in \[0, 1\). Got 1.2"):
        Dropout(1.2)
    layer, _ = built(Dropout(0.5, name="between"), 4)
    with pytest.raises(OptionError, match="dropout 'between': draws in training"):
        layer(features([2], 4), mode=Mode(training=True))
    with pytest.raises(DataError, match="Put it behind an embedding"):
        layer(token_ids([2], 4))
    with pytest.raises(ShapeError, match=r"'mask' of shape \(2, 4\), got \(2, 3\)"):
        layer(features([2], 4), given={"mask": np.ones((2, 3))})
    linear, _ = built(Linear(3, name="output"), 4)
    with pytest.raises(ShapeError, match="linear 'output': expected rows of 4 features, got 5"):
        linear(features([2], 5))
    with pytest.raises(ShapeError, match="linear 'output': has no state"):
        linear(features([2], 4), state={})
    embedding, _ = built(Embedding(4, 3), 4)
    with pytest.raises(DataError, match=r"embedding: row 2 has id 4, there are 4 symbols \(0 to 3\)"):
        embedding(Ragged.from_sequences([[0, 3, 4, 7]]))
    with pytest.raises(DataError, match="row 1 has id -1"):
        embedding(Ragged.from_sequences([[0, -1]]))
    with pytest.raises(DataError, match="expected token ids"):
        embedding(features([2], 4))
    with pytest.raises(ShapeError, match="input size of 4 symbols, got 5"):
        Embedding(4, 3).configure(5)
    with pytest.raises(ShapeError, match="input size of 4 symbols, got 5"):
        OneHot(4).configure(5)
    with pytest.raises(ShapeError, match="at least 1"):
        Linear(3).configure(0)


def test_one_hot_copies_nothing():
    ids = token_ids([3, 2], 5)
    layer, flat = built(OneHot(), 5)
    y, backward = layer(ids)
    assert y is ids
    assert layer.output_size == 5
    assert flat.count == 0
    assert flat.groups() == []
    assert backward(np.ones((5, 5))) is None


@pytest.mark.parametrize("p", [0.0, 1e-6, 0.3, 0.5, 1 - 1e-6])
def test_what_is_drawn_happens_as_often_as_it_should(p):
    count = 2_000_000
    found = draw("it", (2, count // 2), p, np.random.default_rng(0)).sum()
    assert abs(found - p * count) <= 5 * np.sqrt(p * (1 - p) * count) + 1e-9


def test_between_two_of_sixteen_bits_it_is_drawn_once_more():
    """A probability of 1.5 in 65536: values 0 always, values 1 every other time."""
    p = 1.5 / 65536
    bits = np.random.default_rng(1).integers(0, 65536, 4_000_000, dtype=np.uint16)
    found = draw("it", bits.shape, p, np.random.default_rng(1))
    assert found[bits == 0].all()
    assert not found[bits > 1].any()
    assert 0.2 < found[bits == 1].mean() < 0.8
