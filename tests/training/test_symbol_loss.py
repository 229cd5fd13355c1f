"""The loss of symbols, and its estimate from some of them: candidates, value, gradient."""

import numpy as np
import pytest

from noria.errors import BackwardError, OptionError
from noria.training.losses import sequence_cross_entropy
from noria.training.symbol_loss import SymbolLoss, inclusion_probabilities, systematic_sample

V, N, K = 23, 5, 7
COUNTS = np.array([900, 400, 0, 170, 90, 60, 31, 30, 25, 22, 14, 14, 9, 8, 6, 5, 4, 3, 2, 1, 1, 0, 0])
TARGETS = np.array([4, 19, 0, 4, 12])
TICKS = 1000
"""Numbers between 0 and 1 that stand for all that may be drawn."""


def rng(seed=0):
    return np.random.default_rng(seed)


def all_draws(inclusion):
    """Give what is drawn with numbers that go evenly from 0 to 1."""
    for begin in (np.arange(TICKS) + 0.5) / TICKS:
        yield systematic_sample(np.cumsum(inclusion), begin)


def sampled(smoothing=0.0):
    return SymbolLoss(V, label_smoothing=smoothing, samples=K, counts=COUNTS)


def scores(width=V, rows=N, seed=3):
    return 1.5 * rng(seed).standard_normal((rows, width))


@pytest.mark.parametrize("samples", [1, 2, K, V - 1])
def test_candidates_are_as_many_as_asked_for_and_as_likely_as_frequent(samples):
    inclusion = inclusion_probabilities(COUNTS, samples)
    assert inclusion.sum() == pytest.approx(samples, rel=1e-13)
    assert inclusion.min() > 0
    assert inclusion.max() <= 1
    drawn = inclusion < 1
    factors = inclusion[drawn] / (COUNTS[drawn] + 1) ** 0.75
    assert factors == pytest.approx(factors[0], rel=1e-13)
    # What is certain would be drawn more than once otherwise.
    assert ((COUNTS[~drawn] + 1) ** 0.75 * factors[0] >= 1 - 1e-12).all()


def test_some_are_certain_and_some_are_not():
    assert list(np.flatnonzero(inclusion_probabilities(COUNTS, K) == 1)) == [0, 1, 3]
    assert inclusion_probabilities(np.full(V, 3), K) == pytest.approx(K / V, rel=1e-14)


@pytest.mark.parametrize("samples", [1, K, V - 1])
def test_each_is_drawn_as_often_as_its_probability_says(samples):
    inclusion, drawn = inclusion_probabilities(COUNTS, samples), np.zeros(V)
    for chosen in all_draws(inclusion):
        assert len(chosen) == samples
        assert (np.diff(chosen) > 0).all()
        drawn[chosen] += 1
    np.testing.assert_allclose(drawn / TICKS, inclusion, atol=2 / TICKS)


def test_what_begins_at_nought_is_drawn_once():
    assert list(systematic_sample(np.cumsum([1.0, 1.0, 0.5, 0.25, 0.25]), 0.0)) == [0, 1, 2]


def test_what_comes_is_scored_and_every_number_of_candidates_with_it():
    for seed in range(20):
        batch = sampled().of_batch(TARGETS, rng(seed))
        assert (np.diff(batch.scored) > 0).all()
        assert set(TARGETS) <= set(batch.scored)
        assert K <= batch.width <= K + len(set(TARGETS))
        assert batch.given("output.")["output.outputs"] is batch.scored
        others = ~np.isin(batch.scored, TARGETS)
        assert (batch.inclusion[~others] == 1).all()
        expected = inclusion_probabilities(COUNTS, K)[batch.scored[others]]
        np.testing.assert_array_equal(batch.inclusion[others], expected)


def test_the_sum_of_the_softmax_is_estimated_without_bias():
    logits, loss = scores(), sampled()
    whole = np.exp(logits).sum(axis=1)
    estimates = []
    for candidates in all_draws(loss.inclusion):
        batch = loss.with_candidates(TARGETS, candidates)
        z = logits[:, batch.scored]
        each = [batch.cost(z[n : n + 1].copy(), slice(n, n + 1))[0] for n in range(N)]
        estimates.append(np.exp(np.array(each) + logits[np.arange(N), TARGETS]))
    np.testing.assert_allclose(np.mean(estimates, axis=0), whole, rtol=5e-3)
    assert np.std(estimates, axis=0).min() > 0.05 * whole.min()  # they are estimates, all the same


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_is_its_formula_and_the_gradient_its_slope(smoothing):
    batch = sampled(smoothing).of_batch(TARGETS, rng(5))
    z = scores(batch.width)
    places = np.searchsorted(batch.scored, TARGETS)

    def by_hand(z):
        log_sum = np.log((np.exp(z) / batch.inclusion).sum(axis=1, keepdims=True))
        log_p = z - log_sum
        right = -log_p[np.arange(N), places]
        spread = -(log_p / batch.inclusion).sum(axis=1) / V
        return ((1 - smoothing) * right + smoothing * spread).mean()

    value, backward = batch.cost(z.copy())
    assert value == pytest.approx(by_hand(z), rel=1e-13)
    d_logits = backward(1.7)
    step, numeric = 1e-5, np.empty_like(z)
    for index in np.ndindex(z.shape):
        change = np.zeros_like(z)
        change[index] = step
        numeric[index] = 1.7 * (by_hand(z + change) - by_hand(z - change)) / (2 * step)
    np.testing.assert_allclose(d_logits, numeric, rtol=0, atol=1e-9)
    with pytest.raises(BackwardError, match="was called before"):
        backward()


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_rows_apart_come_to_what_they_are_together(smoothing):
    batch = sampled(smoothing).of_batch(TARGETS, rng(1))
    z = scores(batch.width)
    whole, backward = batch.cost(z.copy())
    d_whole, parts, rows = backward(), [], []
    for part in (slice(0, 2), slice(2, 5)):
        nats, back = batch.cost(z[part].copy(), part)
        share = (part.stop - part.start) / N
        parts.append(share * nats)
        rows.append(back(share))
    assert sum(parts) == pytest.approx(whole, rel=1e-13)
    np.testing.assert_allclose(np.concatenate(rows), d_whole, rtol=0, atol=1e-15)


@pytest.mark.parametrize("samples", [0, V, 10 * V])
def test_all_are_scored_where_nothing_would_be_left_out(samples):
    loss = SymbolLoss(V, label_smoothing=0.1, samples=samples, counts=COUNTS)
    batch = loss.of_batch(TARGETS, None)
    assert batch.width == V
    assert batch.given("output.") == {}
    expected, back = sequence_cross_entropy(scores(), TARGETS, label_smoothing=0.1)
    value, backward = batch.cost(scores())
    assert value == expected
    np.testing.assert_array_equal(backward(), back())


def test_the_same_generator_draws_the_same_and_none_is_an_error():
    first, second = (sampled().of_batch(TARGETS, rng(9)).scored for _ in range(2))
    np.testing.assert_array_equal(first, second)
    others = [tuple(sampled().of_batch(TARGETS, rng(seed)).scored) for seed in range(9)]
    assert len(set(others)) > 3
    with pytest.raises(OptionError, match=r"expected counts of 23 symbols, got none"):
        SymbolLoss(V, samples=K)
    with pytest.raises(OptionError, match=r"sampled softmax: .* no generator.\n  Call it with Mode"):
        sampled().of_batch(TARGETS, None)
