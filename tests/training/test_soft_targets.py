"""Cross-entropy with smoothed labels, weighted classes and weighted rows."""

import numpy as np
import pytest

from noria.engines.cross_entropy import SoftTargets, cross_entropy
from noria.errors import DataError, OptionError, ShapeError
from noria.training.losses import sequence_cross_entropy

pytestmark = pytest.mark.usefixtures("either_engine")

ROWS, SYMBOLS = 6, 11
RNG = np.random.default_rng(8)
CLASSES, WEIGHTS = RNG.random(SYMBOLS) + 0.1, RNG.random(ROWS) * (np.arange(ROWS) != 2)
CHOICES = [
    {"label_smoothing": 0.2},
    {"class_weights": CLASSES},
    {"weights": WEIGHTS},
    {"label_smoothing": 0.1, "class_weights": CLASSES, "weights": WEIGHTS},
]
choices = pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: "+".join(choice))


def make(rows=ROWS, symbols=SYMBOLS, dtype=np.float64):
    rng = np.random.default_rng(3)
    return (2 * rng.standard_normal((rows, symbols))).astype(dtype), rng.integers(0, symbols, rows)


def by_hand(logits, targets, label_smoothing=0.0, class_weights=None, weights=None):
    logits = logits.astype(np.longdouble)
    classes = np.ones(logits.shape[1]) if class_weights is None else class_weights
    rows = np.ones(len(logits)) if weights is None else weights
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    wanted = (1 - label_smoothing) * np.eye(logits.shape[1])[targets] + label_smoothing / logits.shape[1]
    total = (rows * classes[targets]).sum()
    return -(rows[:, None] * wanted * classes * log_p).sum() / total


@choices
@pytest.mark.parametrize("symbols", [1, 2, 7, 16, 37, 131])
def test_loss_and_gradient_in_both_precisions(choice, symbols):
    choice = dict(choice)
    if "class_weights" in choice:
        choice["class_weights"] = np.random.default_rng(symbols).random(symbols) + 0.1
    logits, targets = make(symbols=symbols)
    loss, backward = sequence_cross_entropy(logits, targets, **choice)
    np.testing.assert_allclose(loss, float(by_hand(logits, targets, **choice)), rtol=1e-13, atol=1e-14)
    d_logits = backward(1.7)
    direction = np.random.default_rng(1).standard_normal(logits.shape)
    step = 1e-5 * direction
    slope = by_hand(logits + step, targets, **choice) - by_hand(logits - step, targets, **choice)
    np.testing.assert_allclose((d_logits * direction).sum(), 1.7 * float(slope) / 2e-5, rtol=0, atol=1e-9)
    single, single_backward = sequence_cross_entropy(logits.astype(np.float32), targets, **choice)
    np.testing.assert_allclose(single, loss, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(single_backward(1.7), d_logits, rtol=0, atol=5e-7)


@choices
def test_every_element_of_the_gradient(choice):
    logits, targets = make()
    d_logits = sequence_cross_entropy(logits, targets, **choice)[1]()
    numeric = np.empty_like(logits)
    for index in np.ndindex(logits.shape):
        up, down = logits.copy(), logits.copy()
        up[index] += 1e-5
        down[index] -= 1e-5
        losses = [sequence_cross_entropy(moved, targets, **choice)[0] for moved in (up, down)]
        numeric[index] = (losses[0] - losses[1]) / 2e-5
    np.testing.assert_allclose(d_logits, numeric, rtol=0, atol=1e-10)


@choices
def test_the_gradient_may_take_the_place_of_the_logits(choice):
    logits, targets = make()
    loss, backward = sequence_cross_entropy(logits, targets, **choice)
    in_place = logits.copy()
    loss_in_place, backward_in_place = sequence_cross_entropy(in_place, targets, out=in_place, **choice)
    assert loss_in_place == loss
    np.testing.assert_array_equal(backward_in_place(), backward())


def test_rows_that_count_nothing_are_as_good_as_absent():
    logits, targets = make()
    loss, backward = sequence_cross_entropy(logits, targets, weights=np.array([1, 0, 1, 1, 0, 1]))
    there = [0, 2, 3, 5]
    expected, expected_backward = sequence_cross_entropy(logits[there], targets[there])
    np.testing.assert_allclose(loss, expected, rtol=1e-14)
    d_logits = backward()
    np.testing.assert_allclose(d_logits[there], expected_backward(), rtol=1e-13, atol=1e-17)
    assert not d_logits[[1, 4]].any()


def test_smoothing_costs_what_even_targets_cost():
    """At even logits every target costs log V; a sure prediction costs the share of the others."""
    np.testing.assert_allclose(
        sequence_cross_entropy(np.zeros((2, 5)), np.array([0, 3]), label_smoothing=0.3)[0], np.log(5)
    )
    sure = np.array([[40.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(
        sequence_cross_entropy(sure, np.array([0]), label_smoothing=0.2)[0], 0.2 * 3 / 4 * 40, rtol=1e-12
    )
    ruled_out = np.array([[0.0, -np.inf]])
    assert sequence_cross_entropy(ruled_out, np.array([0]), label_smoothing=0.2)[0] == np.inf
    assert sequence_cross_entropy(ruled_out, np.array([0]), class_weights=np.array([0.4, 1]))[0] == 0.0


def test_no_smoothing_is_the_plain_loss_to_the_bit():
    logits, targets = make(dtype=np.float32)
    loss, backward = sequence_cross_entropy(logits, targets)
    same, same_backward = sequence_cross_entropy(logits, targets, label_smoothing=0.0)
    assert loss == same
    np.testing.assert_array_equal(backward(), same_backward())


def test_what_does_not_fit_is_refused():
    logits, targets = make()
    for wrong in (-0.1, 1.0, np.nan):
        with pytest.raises(OptionError, match=r"'label_smoothing' option of cross-entropy must be a float"):
            sequence_cross_entropy(logits, targets, label_smoothing=wrong)
    with pytest.raises(ShapeError, match=r"one class weight per symbol, shape \(11,\), got shape \(6,\)"):
        sequence_cross_entropy(logits, targets, class_weights=np.ones(6))
    with pytest.raises(ShapeError, match=r"one weight per row, shape \(6,\)"):
        sequence_cross_entropy(logits, targets, weights=np.ones(11))
    with pytest.raises(DataError, match=r"every weight per row to be a number of at least 0, got -1"):
        sequence_cross_entropy(logits, targets, weights=-np.ones(6))
    with pytest.raises(DataError, match="the weights of all rows are zero"):
        sequence_cross_entropy(logits, targets, weights=np.zeros(6))


def test_targets_of_another_type_or_layout_are_brought_into_form():
    rng = np.random.default_rng(4)
    logits, ids = rng.normal(size=(5, 7)).astype(np.float32), np.array([0, 6, 2, 2, 5])
    shares, hits = np.full(7, 0.1 / 7, np.float32), rng.random(10)
    expected = cross_entropy(logits, ids, soft=SoftTargets(hits[::2].copy(), np.full(5, 0.5), shares))
    loose = SoftTargets(hits[::2], np.broadcast_to(np.float32(0.5), 5), shares)
    assert np.array_equal(cross_entropy(logits, ids, soft=loose), expected)
    with pytest.raises(ShapeError, match=r"got \(5,\) and \(4,\)"):
        SoftTargets(np.ones(5), np.ones(4))
