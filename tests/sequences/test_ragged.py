"""Packed rows: who stands where, and that nothing is lost on the way in and out."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.errors import DataError, ShapeError
from noria.sequences import Layout, Ragged

LENGTHS = st.lists(st.integers(1, 7), min_size=1, max_size=6)


def sequences_of(lengths, width=3, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(length, width)) for length in lengths]


def test_rows_stand_step_by_step_longest_sequence_first():
    a, b, c = [10, 11, 12, 13], [20, 21], [30, 31, 32]
    ragged = Ragged.from_sequences([a, b, c])
    assert ragged.rows.tolist() == [10, 30, 20, 11, 31, 21, 12, 32, 13]
    layout = ragged.layout
    assert layout.lengths.tolist() == [4, 3, 2]
    assert layout.counts.tolist() == [3, 3, 2, 1]
    assert layout.offsets.tolist() == [0, 3, 6, 8, 9]
    assert layout.order.tolist() == [0, 2, 1]
    assert layout.caller_lengths.tolist() == [4, 2, 3]
    assert (layout.batch_size, layout.steps, layout.total, layout.is_dense) == (3, 4, 9, False)
    assert layout.first_rows.tolist() == [0, 1, 2]
    assert layout.last_rows.tolist() == [8, 7, 5]
    # a buffer of three initial rows, then the nine rows
    assert layout.previous.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 9]
    assert ragged.first().tolist() == [10, 20, 30]
    assert ragged.last().tolist() == [13, 21, 32]
    assert ragged.reversed().rows.tolist() == [13, 32, 21, 12, 31, 20, 11, 30, 10]


@given(LENGTHS)
def test_sequences_come_back_as_they_went_in(lengths):
    sequences = sequences_of(lengths)
    back = Ragged.from_sequences(sequences).to_sequences()
    assert len(back) == len(sequences)
    for ours, theirs in zip(back, sequences, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@given(LENGTHS)
def test_dense_and_back_with_the_callers_order_and_lengths(lengths):
    sequences = sequences_of(lengths)
    dense = Ragged.from_sequences(sequences).to_dense(fill=-7.0)
    assert dense.shape == (len(lengths), max(lengths), 3)
    for row, sequence in zip(dense, sequences, strict=True):
        np.testing.assert_array_equal(row[: len(sequence)], sequence)
        assert (row[len(sequence) :] == -7.0).all()
    again = Ragged.from_dense(dense, lengths)
    np.testing.assert_array_equal(again.rows, Ragged.from_sequences(sequences).rows)


@given(LENGTHS)
def test_reversal_reverses_each_sequence_and_twice_is_the_identity(lengths):
    ragged = Ragged.from_sequences(sequences_of(lengths))
    for ours, theirs in zip(ragged.reversed().to_sequences(), ragged.to_sequences(), strict=True):
        np.testing.assert_array_equal(ours, theirs[::-1])
    np.testing.assert_array_equal(ragged.reversed().reversed().rows, ragged.rows)


@given(LENGTHS)
def test_first_and_last_are_in_the_callers_order(lengths):
    sequences = sequences_of(lengths)
    ragged = Ragged.from_sequences(sequences)
    np.testing.assert_array_equal(ragged.first(), [sequence[0] for sequence in sequences])
    np.testing.assert_array_equal(ragged.last(), [sequence[-1] for sequence in sequences])


@given(LENGTHS)
def test_previous_points_at_the_same_sequences_step_before(lengths):
    layout = Layout.of_lengths(lengths)
    owner = np.concatenate([np.arange(layout.batch_size), layout.sequence_of_row])
    step = np.concatenate([np.full(layout.batch_size, -1), layout.step_of_row])
    np.testing.assert_array_equal(owner[layout.previous], layout.sequence_of_row)
    np.testing.assert_array_equal(step[layout.previous], layout.step_of_row - 1)


@given(LENGTHS, st.data())
def test_gather_takes_sequences_with_repeats(lengths, data):
    chosen = data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=8))
    sequences = sequences_of(lengths)
    gathered = Ragged.from_sequences(sequences).gather(chosen).to_sequences()
    assert len(gathered) == len(chosen)
    for ours, index in zip(gathered, chosen, strict=True):
        np.testing.assert_array_equal(ours, sequences[index])


@given(LENGTHS, st.data())
def test_rows_align_to_another_order_of_the_same_sequences(lengths, data):
    shuffled = data.draw(st.permutations(range(len(lengths))))
    order = sorted(shuffled, key=lambda index: -lengths[index])
    ragged = Ragged.from_sequences(sequences_of(lengths))
    other = ragged.aligned_to(Layout.of_lengths(lengths, order))
    assert other.layout.order.tolist() == order
    for ours, theirs in zip(other.to_sequences(), ragged.to_sequences(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@given(LENGTHS)
def test_permutation_matches_the_same_examples_of_two_batches(lengths):
    read, written = Layout.of_lengths(lengths), Layout.of_lengths(lengths[::-1])
    np.testing.assert_array_equal(read.order[read.permutation_to(written)], written.order)


@given(LENGTHS)
def test_what_belongs_to_sequences_is_sorted_and_put_back(lengths):
    layout = Layout.of_lengths(lengths)
    array = np.random.default_rng(1).normal(size=(len(lengths), 2))
    in_order = layout.to_sorted(array)
    np.testing.assert_array_equal(layout.to_sorted(np.array(lengths)), layout.lengths)
    np.testing.assert_array_equal(in_order, array[layout.order])
    np.testing.assert_array_equal(layout.to_caller(in_order), array)
    np.testing.assert_array_equal(layout.to_sorted(layout.to_caller(array)), array)
    nothing_moves = all(a >= b for a, b in pairwise(lengths))
    for moved in (in_order, layout.to_caller(array)):
        assert (moved is array) == nothing_moves
        assert np.shares_memory(moved, array) == nothing_moves


@given(LENGTHS)
def test_rows_know_the_index_of_their_sequence(lengths):
    indices = Ragged.from_sequences([np.full(length, index) for index, length in enumerate(lengths)])
    np.testing.assert_array_equal(indices.layout.caller_of_row, indices.rows)


def test_an_equally_long_batch_is_a_view():
    time_major = np.random.default_rng(0).normal(size=(5, 3, 4))
    ragged = Ragged.from_dense(time_major.swapaxes(0, 1))
    assert np.shares_memory(ragged.rows, time_major)
    assert np.shares_memory(ragged.to_dense(), time_major)
    np.testing.assert_array_equal(ragged.rows.reshape(5, 3, 4), time_major)
    assert ragged.layout is Layout.dense(3, 5)
    batch_major = np.ascontiguousarray(time_major.swapaxes(0, 1))
    copied = Ragged.from_dense(batch_major)
    assert not np.shares_memory(copied.rows, batch_major)
    np.testing.assert_array_equal(copied.rows, ragged.rows)


def test_token_lists_stay_integers_and_float32_stays_float32():
    assert Ragged.from_sequences([[3, 1], [2]]).rows.dtype.kind == "i"
    assert Ragged.from_sequences([np.ones((2, 3), np.float32)]).rows.dtype == np.float32


def test_a_layout_cannot_be_changed_by_one_of_its_users():
    layout = Layout.of_lengths([2, 1])
    with pytest.raises(ValueError, match="read-only"):
        layout.counts[0] = 9


def test_equal_lengths_stay_in_the_callers_order():
    assert Layout.of_lengths([4] * 300).order.tolist() == list(range(300))
    lengths = np.random.default_rng(0).integers(1, 4, 300)
    order = Layout.of_lengths(lengths).order
    for length in (1, 2, 3):
        assert (np.diff(order[lengths[order] == length]) > 0).all()


def test_of_lengths_leaves_the_callers_array_alone():
    lengths = np.array([1, 3, 2])
    Layout.of_lengths(lengths)
    lengths[0] = 5
    assert lengths.tolist() == [5, 3, 2]


@pytest.mark.parametrize(
    ("sequences", "error", "message"),
    [
        ([], DataError, "at least one sequence"),
        ([[1, 2], [], [3]], DataError, "sequence 1 has length 0"),
        ([np.ones((2, 3)), np.ones((4, 3)), np.ones((2, 5))], ShapeError, "5 features in sequence 2"),
        ([np.ones((2, 3)), [1, 2]], ShapeError, "sequence 1"),
        ([[1, 2], [[1, 2], [3]]], DataError, "sequence 1"),
        ([np.array([1, None], dtype=object)], DataError, "sequence 0"),
        (["abc"], DataError, "text"),
        ([["a", "b"]], DataError, "text"),
        ([4, 5], DataError, "single number 4"),
    ],
)
def test_what_cannot_be_packed_says_which_sequence(sequences, error, message):
    with pytest.raises(error, match=message):
        Ragged.from_sequences(sequences)


def test_other_errors_say_what_was_expected():
    ragged = Ragged.from_sequences([[1, 2], [3]])
    with pytest.raises(DataError, match="sequence 2 has length 0"):
        Layout.of_lengths([3, 1, 0])
    with pytest.raises(ShapeError, match="longest sequence first"):
        Layout.of_lengths([3, 1, 2], order=[0, 1, 2])
    with pytest.raises(ShapeError, match="permutation"):
        Layout.of_lengths([3, 1], order=[0, 0])
    with pytest.raises(ShapeError, match="3 rows, got 4"):
        ragged.with_rows(np.ones((4, 2)))
    with pytest.raises(DataError, match="got 2"):
        ragged.gather([0, 2])
    with pytest.raises(DataError, match="got -1"):
        ragged.gather([-1])
    with pytest.raises(ShapeError, match="other lengths"):
        ragged.aligned_to(Layout.of_lengths([1, 2]))
    with pytest.raises(ShapeError, match="with B and T at least 1"):
        Ragged.from_dense(np.ones((2, 0, 3)))
    with pytest.raises(ShapeError, match="do not fit"):
        Ragged.from_dense(np.ones((2, 3, 1)), [4, 1])
