"""Dropout of whole symbols, and the same values at all steps."""

import numpy as np
import pytest
from layer_checks import built, check_gradients, drawing, features, run_back, token_ids

from noria.errors import OptionError, ShapeError, UnknownNameError
from noria.layers import INFERENCE, Dropout, Embedding, Linear, Mode, Recurrent, Stack
from noria.sequences import LookedUp, Ragged

LENGTHS = (3, 6, 2, 6)


@pytest.mark.parametrize("symbols", [5, 40], ids=["table", "rows"])
@pytest.mark.parametrize("cell", ["gru", "cornn"])
def test_gradients_are_exact_with_what_was_drawn(cell, symbols):
    def make():
        return Stack([Embedding(symbols, 4, dropout=0.4), Recurrent(cell, 4)])

    check_gradients(make, symbols, token_ids(LENGTHS, symbols), drawn=3)


def test_a_symbol_is_left_out_wherever_it_stands():
    ids = token_ids((400, 300), 9)
    layer, _ = built(Embedding(9, 4, dropout=0.5), 9)
    done = run_back(layer, ids, mode=drawing(2))
    assert isinstance(done.y, LookedUp)
    factors = done.y.rows / layer.table.value[ids.rows]
    of_symbol = {symbol: set(np.round(factors[ids.rows == symbol], 12).ravel()) for symbol in range(9)}
    assert all(found in ({0.0}, {2.0}) for found in of_symbol.values())
    assert {0.0} in of_symbol.values()
    assert {2.0} in of_symbol.values()
    zero = [symbol for symbol, found in of_symbol.items() if found == {0.0}]
    assert not layer.table.gradient[zero].any()
    assert layer.table.gradient.any()


@pytest.mark.parametrize("symbols", [6, 30], ids=["table", "rows"])
def test_given_factors_multiply_the_rows_and_their_gradients(symbols):
    ids, mask = token_ids(LENGTHS, symbols), np.random.default_rng(1).random(symbols)
    layer, _ = built(Embedding(symbols, 3), symbols)
    done = run_back(layer, ids, given={"mask": mask})
    np.testing.assert_allclose(done.y.rows, layer.table.value[ids.rows] * mask[ids.rows, None], rtol=1e-14)
    expected = np.zeros((symbols, 3))
    np.add.at(expected, ids.rows, done.d_y * mask[ids.rows, None])
    np.testing.assert_allclose(layer.table.gradient, expected, rtol=1e-13, atol=1e-15)


def test_the_expectation_is_the_table():
    layer, _ = built(Embedding(40_000, 1, dropout=0.3), 40_000)
    ids = Ragged.from_sequences([np.arange(40_000)])
    factors = layer(ids, mode=drawing(0))[0].rows / layer.table.value
    np.testing.assert_allclose(factors.mean(), 1.0, rtol=0.01)
    for mode in (INFERENCE, Mode()):
        np.testing.assert_array_equal(layer(ids, mode=mode)[0].rows, layer.table.value)


def test_frozen_vectors_stay_as_they_are():
    vectors = np.random.default_rng(0).normal(size=(5, 3))
    layer, flat = built(Stack([Embedding.from_vectors(vectors, dropout=0.2), Linear(2)]), 5, spread=None)
    run_back(layer, token_ids(LENGTHS, 5), mode=drawing(0))
    assert not layer.layers[0].table.gradient.any()
    assert flat.gradients.any()


def test_locked_dropout_leaves_the_same_features_out_at_all_steps():
    x = features((60, 3, 60, 41), 50)
    layer, _ = built(Dropout(0.3, locked=True), 50)
    done = run_back(layer, x, mode=drawing(0))
    factors = done.y.rows / x.rows
    np.testing.assert_allclose(done.d_x, done.d_y * factors, rtol=1e-12)
    by_sequence = x.with_rows(factors).to_sequences()
    firsts = np.array([sequence[0] for sequence in by_sequence])
    for sequence, first in zip(by_sequence, firsts, strict=True):
        np.testing.assert_allclose(sequence, np.broadcast_to(first, sequence.shape), rtol=1e-12)
    np.testing.assert_allclose(np.unique(np.round(firsts, 9)), [0.0, round(1 / 0.7, 9)])
    assert abs((firsts == 0).mean() - 0.3) < 0.1
    assert len({tuple(first) for first in firsts}) == 4


def test_locked_factors_are_given_in_the_order_of_the_caller():
    x = features((2, 4, 3), 5)
    mask = np.random.default_rng(3).random((3, 5))
    layer, _ = built(Dropout(0.3, locked=True), 5)
    found = layer(x, given={"mask": mask})[0].to_sequences()
    for ours, rows, factors in zip(found, x.to_sequences(), mask, strict=True):
        np.testing.assert_allclose(ours, rows * factors, rtol=1e-14)
    check_gradients(lambda: Dropout(0.3, locked=True), 5, x, given={"mask": mask}, state=False)
    y, _ = layer.stream(3).step(x.rows[:3], given={"mask": mask})
    np.testing.assert_allclose(y, x.rows[:3] * mask, rtol=1e-14)
    with pytest.raises(ShapeError, match=r"'mask' of shape \(3, 5\), got \(9, 5\)"):
        layer(x, given={"mask": np.ones((9, 5))})


def test_locked_dropout_is_nothing_outside_of_training():
    x = features((2, 4), 5)
    layer, _ = built(Dropout(0.3, locked=True), 5)
    for mode in (INFERENCE, Mode()):
        assert layer(x, mode=mode)[0].rows is x.rows


def test_what_does_not_fit_is_refused():
    with pytest.raises(OptionError, match=r"'dropout' option of embedding must be a float in \[0, 1\)"):
        Embedding(4, 3, dropout=1.0)
    layer, _ = built(Embedding(4, 3, dropout=0.5), 4)
    with pytest.raises(ShapeError, match=r"'mask' of shape \(4,\), got \(3,\)"):
        layer(token_ids([2], 4), given={"mask": np.ones(3)})
    with pytest.raises(UnknownNameError, match="has no auxiliary input 'mask'"):
        layer.stream().step(3, given={"mask": np.ones(4)})
    with pytest.raises(OptionError, match="has no generator"):
        layer(token_ids([2], 4), mode=Mode(training=True))
