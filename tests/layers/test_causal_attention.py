"""Attention over one's own past: its gradients, what it may see, and that a stream sees the same."""

import numpy as np
import pytest
from layer_checks import built, check_gradients, features, run_back

from noria.errors import OptionError, ShapeError, UnknownNameError
from noria.layers import INFERENCE, CausalAttention, Linear, Recurrent, Stack, state_arrays
from noria.sequences import Ragged

SCORES = ["dot", "general", "additive"]


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("state", [False, True])
@pytest.mark.parametrize(("lengths", "span"), [([5, 5, 5], 3), ([2, 7, 1, 5], 4), ([23, 40], 2)])
def test_every_gradient_is_that_of_the_complex_step(score, state, lengths, span):
    check_gradients(lambda: CausalAttention(span, score=score), 4, features(lengths, 4), state=state)


def test_gradients_in_a_stack_behind_a_recurrent_layer():
    def make():
        return Stack([Recurrent("gru", 7, engine="reference"), CausalAttention(3), Linear(6)])

    check_gradients(make, 4, features([5, 2, 4], 4))


def by_hand(layer, sequence):
    """Attend as the formulas are written, one step after the other."""
    W_a, (W, b) = layer.score.W.value, (layer.W.value, layer.b.value)
    outputs, weights = [], []
    for t, x in enumerate(sequence):
        past = sequence[max(0, t - layer.span) : t]
        scores = np.array([x @ W_a @ other for other in past])
        a = np.exp(scores - scores.max()) if len(past) else scores
        a = a / a.sum()
        context = sum((share * other for share, other in zip(a, past, strict=True)), np.zeros_like(x))
        outputs.append(np.tanh(W @ np.concatenate([x, context]) + b))
        weights.append(np.concatenate([np.zeros(layer.span - len(past)), a]))
    return np.array(outputs), np.array(weights)


def test_it_is_what_the_formulas_say_and_records_its_weights():
    layer, _ = built(CausalAttention(4, keep=True), 5)
    x = features([9, 3, 6], 5)
    y, backward = layer(x)
    recorded = x.with_rows(backward.kept["weights"]).to_sequences()
    for found, weights, sequence in zip(y.to_sequences(), recorded, x.to_sequences(), strict=True):
        expected, shares = by_hand(layer, sequence)
        assert np.abs(found - expected).max() < 1e-14
        assert np.abs(weights - shares).max() < 1e-14


@pytest.mark.parametrize("score", SCORES)
def test_nothing_is_seen_before_it_is_there(score):
    layer, _ = built(CausalAttention(4, score=score), 5)
    x = features([9, 6], 5)
    whole, _ = layer(x, mode=INFERENCE)
    other = x.to_dense().copy()
    other[:, 4:] += 1.0
    changed, _ = layer(type(x).from_dense(other, [9, 6]), mode=INFERENCE)
    assert np.array_equal(whole.to_dense()[:, :4], changed.to_dense()[:, :4])
    assert np.abs(whole.to_dense()[:, 5] - changed.to_dense()[:, 5]).min() > 0


@pytest.mark.parametrize("score", SCORES)
def test_windows_and_streams_go_on_where_the_last_one_ended(score):
    layer, _ = built(CausalAttention(4, score=score, keep=True), 5)
    x = features([11, 11, 11], 5)
    whole, end = layer(x)
    dense, state, outputs = x.to_dense(), None, []
    for begin, stop in ((0, 2), (2, 9), (9, 11)):
        y, backward = layer(type(x).from_dense(dense[:, begin:stop]), state=state, mode=INFERENCE)
        state = backward.state
        outputs.append(y.to_dense())
    assert np.abs(np.concatenate(outputs, 1) - whole.to_dense()).max() < 1e-14
    stream, streamed = layer.stream(3), None
    shares = x.with_rows(end.kept["weights"]).to_dense()
    for t in range(11):
        y, streamed = stream.step(dense[:, t], streamed)
        assert np.abs(y - whole.to_dense()[:, t]).max() < 1e-14
        assert np.abs(stream.weights - shares[:, t]).max() < 1e-14
    for name, array in state_arrays(end.state).items():
        assert np.abs(state_arrays(state)[name] - array).max() < 1e-14
        assert np.abs(state_arrays(streamed)[name] - array).max() < 1e-14


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_reaches_no_earlier_step_and_no_other_sequence(score, bad):
    layer, _ = built(CausalAttention(4, score=score, keep=True), 5)
    dense, lengths = features([12, 12, 12], 5).to_dense().copy(), [9, 12, 6]
    dense[1, 5, 2] = bad
    x = Ragged.from_dense(dense, lengths)
    with np.errstate(invalid="ignore"):  # inf - inf
        whole, end = layer(x)
        stream, state, steps, weights = layer.stream(3), None, [], []
        for t in range(12):
            y, state = stream.step(dense[:, t], state)
            steps.append(y)
            weights.append(stream.weights)
    streamed = Ragged.from_dense(np.stack(steps, 1), lengths)
    layout = x.layout
    near = (layout.caller_of_row == 1) & (layout.step_of_row >= 5) & (layout.step_of_row < 10)
    assert np.isfinite(whole.rows[~near]).all()
    assert bad == np.inf or np.isnan(whole.rows[near]).all()
    np.testing.assert_allclose(whole.rows, streamed.rows, rtol=1e-13)
    shares = Ragged.from_dense(np.stack(weights, 1), lengths).rows
    np.testing.assert_allclose(end.kept["weights"], shares, rtol=1e-13, atol=1e-15)


def test_gradients_that_are_not_finite_stay_near_the_step_they_come_from():
    layer, _ = built(CausalAttention(4), 5)
    x = features([12, 12], 5)
    x.rows[2 * 5] = np.nan  # the first sequence at step 5, which looks at 1 to 4, and 6 to 9 look at it
    done = run_back(layer, x)
    first, second = x.with_rows(np.isfinite(done.d_x).all(1)).to_dense()
    assert first.tolist() == [True] + [False] * 9 + [True] * 2
    assert second.all()


def test_scores_that_are_far_apart_do_not_overflow():
    layer, _ = built(CausalAttention(3, score="dot"), 2, dtype=np.float32)
    x = features([6], 2, dtype=np.float32)
    y, _ = layer(x.with_rows(x.rows * 1e3), mode=INFERENCE)
    assert np.isfinite(y.rows).all()


def test_what_does_not_fit_is_refused():
    with pytest.raises(OptionError, match="span"):
        CausalAttention(0)
    with pytest.raises(UnknownNameError, match="dot, general, additive"):
        CausalAttention(2, score="cosine")
    layer, _ = built(CausalAttention(3), 5)
    with pytest.raises(ShapeError, match=r"expected a state of 'past' \(1, 3, 5\)"):
        layer(features([4], 5), state={"past": np.zeros((1, 2, 5)), "there": np.zeros((1, 2))})
    with pytest.raises(ShapeError, match="5 features, got 4"):
        layer(features([4], 4))
    with pytest.raises(ShapeError, match="5 features, got 4"):
        layer.stream().step(np.zeros((1, 4)))
