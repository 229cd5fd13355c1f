"""Features of symbols and counts of them, beside the rows of an embedding."""

import numpy as np
import pytest
from layer_checks import built, check_gradients, run_back, token_ids

from noria.errors import OptionError, ShapeError
from noria.layers import Embedding, Linear, OneHot, Stack, SymbolFeatures, first_sequences, recurrent_stack
from noria.layers.symbol_features import Count
from noria.sequences import LookedUp, Ragged
from noria.testing import check_layer

SYMBOLS, WIDTH = 7, 4
LENGTHS = (3, 6, 1, 5)
TABLE = np.random.default_rng(3).normal(size=(SYMBOLS, 2))
LINE = Count(np.arange(SYMBOLS) == 2, np.arange(4.0)[:, None])
WORD = Count(np.arange(SYMBOLS) % 3 == 2, np.random.default_rng(4).normal(size=(5, 3)))


def described():
    return SymbolFeatures(Embedding(SYMBOLS, WIDTH), TABLE, [LINE, WORD])


def network():
    return Stack([described(), recurrent_stack(["gru", "lstm"], [5, 6]), Linear(3)])


def naive(ids, count, start=0):
    values = []
    for symbol in ids:
        start = 0 if count.resets[symbol] else min(start + 1, len(count.table) - 1)
        values.append(start)
    return values


def test_rows_features_and_counts_stand_beside_each_other():
    layer, _ = built(described(), SYMBOLS)
    assert layer.output_size == WIDTH + 2 + 1 + 3
    x = token_ids(LENGTHS, SYMBOLS)
    before = {"counts": np.array([[2.0, 3], [0, 1], [1, 0], [3, 4]])}
    y, backward = layer(x, state=before)
    for index, (ids, rows) in enumerate(zip(x.to_sequences(), y.to_sequences(), strict=True)):
        line, word = (naive(ids, count, before["counts"][index, k]) for k, count in enumerate((LINE, WORD)))
        np.testing.assert_array_equal(rows[:, :WIDTH], layer.layer.table.value[ids])
        np.testing.assert_array_equal(rows[:, WIDTH : WIDTH + 2], TABLE[ids])
        np.testing.assert_array_equal(rows[:, WIDTH + 2], line)
        np.testing.assert_array_equal(rows[:, WIDTH + 3 :], WORD.table[np.array(word, dtype=int)])
        np.testing.assert_array_equal(backward.state["counts"][index], [line[-1], word[-1]])


def test_a_symbol_with_its_counts_is_looked_up_once_however_often_it_comes():
    layer, _ = built(described(), SYMBOLS)
    x = token_ids([40, 37], SYMBOLS)
    y, _ = layer(x)
    assert isinstance(y, LookedUp)
    assert len(y.table) == len(np.unique(y.rows, axis=0)) < len(x)


def test_one_hot_rows_have_features_beside_them():
    layer, _ = built(SymbolFeatures(OneHot(), TABLE, [LINE]), SYMBOLS)
    x = token_ids(LENGTHS, SYMBOLS)
    y, _ = layer(x)
    np.testing.assert_array_equal(y.rows[:, :SYMBOLS], np.eye(SYMBOLS)[x.rows])
    np.testing.assert_array_equal(y.rows[:, SYMBOLS:-1], TABLE[x.rows])

    def one_hot_network():
        return Stack([SymbolFeatures(OneHot(), TABLE, [LINE]), recurrent_stack(["gru"], [5]), Linear(3)])

    check_gradients(one_hot_network, SYMBOLS, x, state=False)


def test_counts_begin_at_nothing_and_stop_at_the_end_of_the_table():
    layer, _ = built(
        SymbolFeatures(Embedding(3, 2), np.zeros((3, 0)), [Count(np.arange(3) == 1, LINE.table)]), 3
    )
    y, _ = layer(Ragged.from_sequences([np.array([0, 2, 1, 0, 0, 2, 0, 0])]))
    assert y.rows[:, 2].tolist() == [1, 2, 0, 1, 2, 3, 3, 3]


def test_gradients_reach_the_embedding_and_nothing_else():
    for lengths in (LENGTHS, (2, 1)):  # more ids than symbols, and fewer
        check_gradients(network, SYMBOLS, token_ids(lengths, SYMBOLS), state=False)
    layer, _ = built(described(), SYMBOLS)
    done = run_back(layer, token_ids(LENGTHS, SYMBOLS))
    assert done.d_x is None
    assert not done.backward.d_state["counts"].any()
    layer = described()
    layer.configure(SYMBOLS)
    check_layer(layer, token_ids(LENGTHS, SYMBOLS))


def test_windows_and_streams_read_what_the_whole_reads():
    layer, _ = built(network(), SYMBOLS)
    ids = token_ids([9, 9], SYMBOLS, seed=5)
    whole = layer(ids)[0].rows.reshape(9, 2, 3)
    state, parts = None, []
    for begin, end in ((0, 4), (4, 9)):
        part, backward = layer(Ragged.from_dense(ids.rows.reshape(9, 2)[begin:end].T), state=state)
        state = backward.state
        parts.append(part.rows.reshape(end - begin, 2, 3))
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=0, atol=1e-12)
    stream, state = layer.stream(2), None
    for step, expected in zip(ids.rows.reshape(9, 2), whole, strict=True):
        y, state = stream.step(step, state)
        np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12)
    chunks, _ = stream.steps(ids.rows.reshape(9, 2))
    np.testing.assert_allclose(chunks, whole, rtol=0, atol=1e-12)


def test_fewer_sequences_go_on_from_the_states_of_the_first():
    layer, _ = built(network(), SYMBOLS)
    longer, shorter = np.array([1, 2, 3, 4, 5]), np.array([6, 0, 1])
    whole = layer(Ragged.from_sequences([longer, shorter]))[0].to_sequences()[0]
    _, backward = layer(Ragged.from_sequences([longer[:3], shorter]))
    rest, _ = layer(Ragged.from_sequences([longer[3:]]), state=first_sequences(backward.state, 1))
    np.testing.assert_allclose(rest.rows, whole[3:], rtol=0, atol=1e-12)


def test_single_precision_stays_single():
    layer, _ = built(described(), SYMBOLS, dtype=np.float32)
    assert layer(token_ids(LENGTHS, SYMBOLS))[0].rows.dtype == np.float32
    assert layer.stream(1).step(3)[0].dtype == np.float32


def test_what_does_not_fit_is_refused():
    with pytest.raises(OptionError, match="at least one feature, got none"):
        SymbolFeatures(Embedding(SYMBOLS, WIDTH), np.zeros((SYMBOLS, 0)))
    with pytest.raises(ShapeError, match="counts of 7 symbols, got one of 5"):
        SymbolFeatures(Embedding(SYMBOLS, WIDTH), TABLE, [Count(np.zeros(5, bool), LINE.table)])
    with pytest.raises(ShapeError, match="expected 7 symbols, got 8"):
        described().configure(8)
    layer, _ = built(described(), SYMBOLS)
    with pytest.raises(ShapeError, match=r"state of 'counts' \(4, 2\), got another"):
        layer(token_ids(LENGTHS, SYMBOLS), state={"counts": np.zeros((4, 3))})
