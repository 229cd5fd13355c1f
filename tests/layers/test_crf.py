"""The conditional random field against all sequences of tags written out; gradients by complex step."""

import itertools

import numpy as np
import pytest
from layer_checks import TINY, built, features

from noria.errors import BackwardError, DataError, ShapeError, TargetError
from noria.layers import INFERENCE
from noria.layers.crf import ConditionalRandomField
from noria.sequences import Ragged
from noria.testing import check_layer

LENGTHS = [2, 5, 1, 4, 5]
TAGS = 3


def field(tags=TAGS, dtype=np.float64, seed=1):
    return built(ConditionalRandomField(), tags, seed=seed, dtype=dtype)


def drawn_tags(scores, seed=4):
    return np.random.default_rng(seed).integers(0, scores.rows.shape[1], len(scores))


def score(crf, rows, tags):
    """Score one sequence as the definition is written."""
    moves = sum(crf.A.value[one, two] for one, two in itertools.pairwise(tags))
    return crf.first.value[tags[0]] + rows[range(len(tags)), tags].sum() + moves + crf.last.value[tags[-1]]


def ways(crf, rows):
    """Give every sequence of tags with its score."""
    every = list(itertools.product(range(rows.shape[1]), repeat=len(rows)))
    return every, np.array([score(crf, rows, list(tags)) for tags in every])


@pytest.mark.parametrize(("tags", "lengths"), [(3, LENGTHS), (4, [3, 3, 3]), (4, [5]), (3, [1, 1])])
def test_loss_marginals_and_best_tags_are_those_of_all_sequences_written_out(tags, lengths):
    crf, _ = field(tags)
    scores = features(lengths, tags)
    gold = drawn_tags(scores)
    costs, marginals, best = [], [], []
    golds = scores.with_rows(gold).to_sequences()
    for rows, own in zip(scores.to_sequences(), golds, strict=True):
        every, values = ways(crf, rows)
        log_z = np.log(np.exp(values).sum())
        costs.append(log_z - score(crf, rows, own))
        shares = np.exp(values - log_z)
        marginals.append(
            [
                [
                    sum(share for share, way in zip(shares, every, strict=True) if way[t] == k)
                    for k in range(tags)
                ]
                for t in range(len(rows))
            ]
        )
        best.append(every[int(values.argmax())])
    loss, _ = crf.loss(scores, gold)
    assert abs(loss - sum(costs) / sum(lengths)) < 1e-13
    found = scores.with_rows(crf.marginals(scores)).to_sequences()
    for probabilities, expected in zip(found, marginals, strict=True):
        np.testing.assert_allclose(probabilities, expected, atol=1e-13)
    decoded = scores.with_rows(crf.best_tags(scores)).to_sequences()
    assert [tuple(tags) for tags in decoded] == best


def test_without_moves_it_is_a_softmax_of_each_row():
    crf, flat = field()
    flat.values[...] = 0
    scores = features(LENGTHS, TAGS)
    powers = np.exp(scores.rows)
    np.testing.assert_allclose(crf.marginals(scores), powers / powers.sum(axis=1, keepdims=True), rtol=1e-13)
    assert np.array_equal(crf.best_tags(scores), scores.rows.argmax(axis=1))


def test_every_gradient_is_that_of_the_complex_step():
    crf, flat = field()
    twin, twin_flat = field(dtype=np.complex128)
    scores = features(LENGTHS, TAGS)
    gold = drawn_tags(scores)
    _, backward = crf.loss(scores, gold)
    d_scores = backward(1.7)

    def slope(rows):
        complex_scores = scores.with_rows(rows)
        cost = twin._chain(complex_scores).log_normaliser - twin._score(complex_scores, gold)
        return 1.7 * cost.imag / TINY / len(scores)

    for index in np.ndindex(scores.rows.shape):
        rows = scores.rows.astype(complex)
        rows[index] += 1j * TINY
        twin_flat.values[...] = flat.values
        assert abs(slope(rows) - d_scores[index]) < 1e-13
    for index in range(flat.values.size):
        twin_flat.values[...] = flat.values
        twin_flat.values[index] += 1j * TINY
        assert abs(slope(scores.rows) - flat.gradients[index]) < 1e-13
    assert (np.abs(flat.gradients) > 1e-3).all()


def test_gradients_of_two_calls_add_up_and_a_frozen_parameter_keeps_none():
    crf, flat = field()
    scores = features(LENGTHS, TAGS)
    crf.loss(scores, drawn_tags(scores))[1]()
    once = flat.gradients.copy()
    crf.loss(scores, drawn_tags(scores))[1]()
    np.testing.assert_allclose(flat.gradients, 2 * once, rtol=1e-13)
    crf.A.frozen = True
    flat.zero_gradients()
    crf.loss(scores, drawn_tags(scores))[1]()
    assert not crf.A.gradient.any()
    np.testing.assert_allclose(crf.first.gradient, once[TAGS * TAGS : TAGS * (TAGS + 1)], rtol=1e-13)


def test_batch_mates_and_their_order_change_nothing():
    crf, _ = field()
    sequences = features(LENGTHS, TAGS).to_sequences()
    together = Ragged.from_sequences(sequences)
    marginals = together.with_rows(crf.marginals(together)).to_sequences()
    decoded = together.with_rows(crf.best_tags(together)).to_sequences()
    for index, sequence in enumerate(sequences):
        alone = Ragged.from_sequences([sequence])
        np.testing.assert_allclose(crf.marginals(alone), marginals[index], atol=1e-14)
        assert np.array_equal(crf.best_tags(alone), decoded[index])


def test_single_precision_is_stable_over_two_thousand_steps_and_with_scores_far_apart():
    crf, flat = field(dtype=np.float32)
    scores = features([2000, 1500], TAGS, dtype=np.float32)
    scores = scores.with_rows(np.float32(30) * scores.rows)
    gold = drawn_tags(scores)
    loss, backward = crf.loss(scores, gold)
    d_scores = backward()
    exact, exact_flat = field()
    exact_flat.values[...] = flat.values
    wide = scores.with_rows(scores.rows.astype(np.float64))
    exact_loss, exact_back = exact.loss(wide, gold)
    assert d_scores.dtype == np.float32
    assert abs(loss / exact_loss - 1) < 1e-6
    np.testing.assert_allclose(d_scores, exact_back(), atol=1e-9)
    np.testing.assert_allclose(flat.gradients, exact_flat.gradients, rtol=2e-5)
    marginals = crf.marginals(scores)
    np.testing.assert_allclose(marginals.sum(axis=1), 1, rtol=1e-11)
    assert np.isfinite(marginals).all()


def test_only_what_is_allowed_is_chosen_and_of_that_the_best():
    crf, _ = field(4)
    scores = features([5, 3, 4], 4, seed=9)
    rng = np.random.default_rng(5)
    allowed = (
        np.array([True, False, True, True]),
        rng.random((4, 4)) < 0.6,
        np.array([True, True, False, True]),
    )
    decoded = scores.with_rows(crf.best_tags(scores, allowed)).to_sequences()
    free = scores.with_rows(crf.best_tags(scores)).to_sequences()
    assert any(not np.array_equal(one, other) for one, other in zip(decoded, free, strict=True))
    for rows, found in zip(scores.to_sequences(), decoded, strict=True):
        every, values = ways(crf, rows)
        begins, follows, ends = allowed
        legal = [
            begins[way[0]] and ends[way[-1]] and all(follows[pair] for pair in itertools.pairwise(way))
            for way in every
        ]
        best = np.where(legal, values, -np.inf).argmax()
        assert tuple(found) == every[int(best)]
    never = (allowed[0], np.zeros((4, 4), bool), allowed[2])
    with pytest.raises(DataError, match="nothing that is allowed"):
        crf.best_tags(scores, never)


def test_as_a_layer_it_hands_scores_on():
    crf, _ = field()
    scores = features(LENGTHS, TAGS)
    y, _ = crf(scores, mode=INFERENCE)
    assert y.rows is scores.rows
    check_layer(ConditionalRandomField(), scores)


def test_what_does_not_fit_is_refused():
    crf, _ = field()
    scores = features([2, 3], TAGS)
    with pytest.raises(TargetError, match=r"row 4 is 3, expected a whole number in \[0, 3\)"):
        crf.loss(scores, np.array([0, 1, 2, 0, 3]))
    with pytest.raises(ShapeError, match="each of 5 rows"):
        crf.loss(scores, np.array([0, 1]))
    with pytest.raises(ShapeError, match="3 features, got 4"):
        crf.marginals(features([2], 4))
    _, backward = crf.loss(scores, np.zeros(5, int))
    backward()
    with pytest.raises(BackwardError, match="called before"):
        backward()
