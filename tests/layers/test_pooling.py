"""Pooling: one row for each sequence in the caller's order, its gradients, and that pieces give the whole."""

import numpy as np
import pytest
from layer_checks import built, check_gradients, features, run_back

from noria.errors import OptionError, ShapeError
from noria.layers import INFERENCE, Bidirectional, Linear, Recurrent, Stack
from noria.layers.pooling import POOLINGS, AttentionPooling, LastPooling, MaxPooling, MeanPooling
from noria.sequences import Ragged
from noria.testing import check_layer

LENGTHS = (2, 5, 1, 4)
MAKERS = {
    "last": LastPooling,
    "last of both ways": lambda: LastPooling(backward_size=3),
    "mean": MeanPooling,
    "max": MaxPooling,
    "additive": AttentionPooling,
    "dot": lambda: AttentionPooling(score="dot"),
}
WITH_STATE = ("mean", "max", "additive", "dot")


@pytest.mark.parametrize("lengths", [LENGTHS, (5, 5, 5), (1, 1), (6,)], ids=str)
@pytest.mark.parametrize("name", MAKERS)
def test_every_gradient_is_that_of_the_complex_step(name, lengths):
    check_gradients(MAKERS[name], 7, features(lengths, 7), state=False)


@pytest.mark.parametrize("name", WITH_STATE)
def test_what_was_seen_before_has_a_gradient_too(name):
    check_gradients(MAKERS[name], 7, features(LENGTHS, 7), state=True)


def test_the_public_battery_agrees():
    for name in MAKERS:
        check_layer(MAKERS[name](), features(LENGTHS, 4))


def test_behind_a_bidirectional_layer_and_before_a_linear_one():
    def make():
        both = Bidirectional(Recurrent("gru", 3, engine="reference"))
        return Stack([both, LastPooling(backward_size=3), Linear(5)])

    check_gradients(make, 4, features(LENGTHS, 4))


def by_hand(name, layer, sequence):
    match name:
        case "last":
            return sequence[-1]
        case "last of both ways":
            return np.concatenate([sequence[-1, :4], sequence[0, 4:]])
        case "mean":
            return sequence.mean(0)
        case "max":
            return sequence.max(0)
        case "additive":
            scores = np.array([layer.v.value @ np.tanh(layer.W.value @ x + layer.b.value) for x in sequence])
        case _:
            scores = sequence @ layer.v.value
    weights = np.exp(scores) / np.exp(scores).sum()
    return weights @ sequence


@pytest.mark.parametrize("name", MAKERS)
def test_it_is_what_the_formula_says_for_each_sequence(name):
    layer, _ = built(MAKERS[name](), 7)
    x = features(LENGTHS, 7)
    y, _ = layer(x)
    assert y.batch_size == len(LENGTHS)
    assert y.layout.total == len(LENGTHS)
    expected = [by_hand(name, layer, sequence) for sequence in x.to_sequences()]
    np.testing.assert_allclose(y.rows, expected, rtol=1e-13)


def test_both_directions_give_what_two_one_way_runs_end_in():
    both = Bidirectional(Recurrent("lstm", 3, engine="reference"))
    network, _ = built(Stack([both, LastPooling(backward_size=3)]), 4)
    x = features(LENGTHS, 4)
    y, _ = network(x)
    for way, rows, half in ((both.forward, x, y.rows[:, :3]), (both.backward, x.reversed(), y.rows[:, 3:])):
        _, end = way(rows)
        np.testing.assert_array_equal(half, end.state["h"])


@pytest.mark.parametrize("name", ["additive", "dot"])
def test_weights_of_a_sequence_sum_to_one_and_say_what_was_picked(name):
    layer, _ = built(MAKERS[name](), 7)
    x = features(LENGTHS, 7)
    y, backward = layer(x, mode=INFERENCE)
    weights = x.with_rows(backward.kept["weights"]).to_sequences()
    for row, shares, sequence in zip(y.rows, weights, x.to_sequences(), strict=True):
        assert shares.sum() == pytest.approx(1, abs=1e-14)
        np.testing.assert_allclose(shares @ sequence, row, rtol=1e-13)


@pytest.mark.parametrize("name", MAKERS)
def test_batch_mates_and_their_order_change_nothing(name):
    layer, _ = built(MAKERS[name](), 7)
    x = features(LENGTHS, 7)
    y, _ = layer(x)
    for index in range(len(LENGTHS)):
        alone, _ = layer(x.gather([index]))
        np.testing.assert_allclose(alone.rows[0], y.rows[index], rtol=1e-13)
    turned, _ = layer(x.gather([3, 1, 0, 2]))
    np.testing.assert_allclose(turned.rows, y.rows[[3, 1, 0, 2]], rtol=1e-13)


@pytest.mark.parametrize("name", ["last", *WITH_STATE])
def test_windows_and_streams_know_what_came_before(name):
    layer, _ = built(MAKERS[name](), 7)
    x = features([9, 9, 9], 7)
    whole, _ = layer(x)
    dense, state = x.to_dense(), None
    for begin, stop in ((0, 2), (2, 3), (3, 9)):
        y, backward = layer(Ragged.from_dense(dense[:, begin:stop]), state=state, mode=INFERENCE)
        state = backward.state
    np.testing.assert_allclose(y.rows, whole.rows, rtol=1e-12)
    stream, state = layer.stream(3), None
    for t in range(9):
        y, state = stream.step(dense[:, t], state)
        so_far, _ = layer(Ragged.from_dense(dense[:, : t + 1]))
        np.testing.assert_allclose(y, so_far.rows, rtol=1e-12)


@pytest.mark.parametrize("name", MAKERS)
def test_single_precision_stays_single(name):
    layer, _ = built(MAKERS[name](), 7, dtype=np.float32)
    done = run_back(layer, features(LENGTHS, 7, dtype=np.float32))
    assert done.y.rows.dtype == np.float32


def test_large_scores_do_not_overflow():
    layer, _ = built(AttentionPooling(score="dot"), 2)
    layer.v.value[...] = 1000.0
    y, backward = layer(features(LENGTHS, 2))
    assert np.isfinite(y.rows).all()
    assert np.isfinite(backward(np.ones_like(y.rows), backward.state)).all()


def test_of_equal_values_the_first_has_the_gradient():
    layer, _ = built(MaxPooling(), 2)
    x = Ragged.from_sequences([np.array([[1.0, 5.0], [3.0, 5.0], [3.0, 2.0]])])
    _, backward = layer(x)
    assert backward(np.array([[7.0, 8.0]])).tolist() == [[0, 8], [7, 0], [0, 0]]


def test_what_is_no_number_is_not_hidden_by_a_maximum():
    layer, _ = built(MaxPooling(), 2)
    x = features([3, 2], 2)
    x.rows[2, 1] = np.nan  # the second step of the first sequence
    y, _ = layer(x)
    assert np.isnan(y.rows).tolist() == [[False, True], [False, False]]


def test_what_reads_backward_cannot_be_streamed():
    layer, _ = built(LastPooling(backward_size=3), 7)
    with pytest.raises(OptionError, match="stream"):
        layer.stream()


def test_refusals():
    with pytest.raises(OptionError, match="'score'"):
        AttentionPooling(score="general")
    with pytest.raises(OptionError, match="'backward_size'"):
        LastPooling(backward_size=-1)
    with pytest.raises(ShapeError, match="at least 8 features"):
        LastPooling(backward_size=8).configure(7)
    layer, _ = built(MeanPooling(), 7)
    with pytest.raises(ShapeError, match=r"'sum' \(4, 7\)"):
        layer(features(LENGTHS, 7), state=layer.start(3))
    assert list(POOLINGS) == ["last", "mean", "max", "attention"]
