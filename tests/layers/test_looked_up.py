"""Rows looked up in a table: multiplied once per symbol, with the values and gradients of the rows."""

import numpy as np
import pytest

from noria.layers import (
    Bidirectional,
    Dropout,
    Embedding,
    FlatParameters,
    Linear,
    OneHot,
    Recurrent,
    Stack,
    recurrent_stack,
)
from noria.sequences import LookedUp, Ragged

LENGTHS = (3, 6, 2, 6)


def outcome(layers, symbols, *, seed=1):
    """Give output and gradients of a stack over drawn ids; the same draws for the same seed and sizes."""
    rng = np.random.default_rng(seed)
    net = Stack(layers)
    net.configure(symbols)
    flat = FlatParameters.build([net], rng, np.float64)
    x = Ragged.from_sequences([rng.integers(0, symbols, length) for length in LENGTHS])
    y, backward = net(x)
    assert backward(rng.standard_normal(y.rows.shape)) is None
    return y.rows.copy(), flat.gradients.copy()


class Written(Dropout):
    """Nothing but writes rows out, so that the layer above gets them as they are."""

    def __init__(self):
        super().__init__(0.0)

    def __call__(self, x, **options):
        return super().__call__(x.with_rows(x.rows), **options)


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "cornn", "lstm_projected"])
@pytest.mark.parametrize("symbols", [3, 5, 40], ids=["all occur", "some occur", "more than rows"])
def test_a_table_is_as_good_as_its_rows(engine, cell, symbols):
    above = [Recurrent(cell, 7, engine=engine), Linear(3)]
    expected = outcome(
        [Embedding(symbols, 4), Written(), Recurrent(cell, 7, engine=engine), Linear(3)], symbols
    )
    for found, right in zip(outcome([Embedding(symbols, 4), *above], symbols), expected, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("first", [lambda v: Embedding(v, 7), OneHot], ids=["embedding", "one-hot"])
def test_both_directions_share_the_table(first):
    expected = outcome(
        [first(5), recurrent_stack(["lstm", "gru"], [7, 5], bidirectional=True, engine="reference")], 5
    )
    found = outcome([first(5), recurrent_stack(["lstm", "gru"], [7, 5], bidirectional=True)], 5)
    for one, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, right, rtol=1e-12, atol=1e-13)


def test_one_direction_may_need_the_rows():
    """A cell that joins x element by element gets rows, its mate the table: both gradients arrive."""

    def layers(engine, *between):
        cells = Recurrent("indrnn", 7, engine=engine), Recurrent("lstm", 7, engine=engine)
        return [Embedding(5, 7), *between, Bidirectional(*cells)]

    from noria.equations import Cell

    joined = Cell.parse("h' = tanh(x + u * h)", name="joined")

    def both(*between):
        return [Embedding(5, 7), *between, Bidirectional(Recurrent(joined, 7), Recurrent("lstm", 7))]

    for make in (lambda *b: layers("auto", *b), both):
        for found, right in zip(outcome(make(), 5), outcome(make(Written()), 5), strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-13)


def test_a_frozen_table_gets_no_gradient():
    table = np.random.default_rng(0).standard_normal((5, 4))
    rng = np.random.default_rng(1)
    net = Stack([Embedding.from_vectors(table), Recurrent("gru", 7)])
    net.configure(5)
    flat = FlatParameters.build([net], rng, np.float64)
    y, backward = net(Ragged.from_sequences([rng.integers(0, 5, length) for length in LENGTHS]))
    backward(rng.standard_normal(y.rows.shape))
    gradients = dict(flat.named())
    assert len(gradients) > 1
    assert all(p.gradient.any() != name.endswith("table") for name, p in gradients.items())


def test_rows_are_written_out_for_who_asks():
    table, ids = np.arange(12.0).reshape(4, 3), np.array([2, 0, 2])
    layout = Ragged.from_sequences([[0, 0], [0]]).layout
    x = LookedUp(table, ids, layout)
    np.testing.assert_array_equal(x.rows, table[ids])
    assert len(x) == 3
    np.testing.assert_array_equal(x.reversed().rows, Ragged(table[ids], layout).reversed().rows)
    np.testing.assert_array_equal(x.with_rows(x.rows).rows, table[ids])
    np.testing.assert_array_equal(x.last(), Ragged(table[ids], layout).last())
