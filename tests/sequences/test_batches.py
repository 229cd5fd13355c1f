"""Buckets: every sequence once an epoch, like lengths together, the order from the generator alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.errors import DataError, OptionError
from noria.sequences import Batches


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=60),
    st.integers(1, 8),
    st.integers(1, 4),
    st.integers(0, 9),
)
def test_every_sequence_stands_once_in_an_epoch(lengths, batch_size, pool, seed):
    batches = Batches(lengths, batch_size, pool=pool)
    epoch = batches.epoch(np.random.default_rng(seed))
    assert len(epoch) == len(batches)
    assert all(1 <= len(batch) <= batch_size for batch in epoch)
    np.testing.assert_array_equal(np.sort(np.concatenate(epoch)), np.arange(len(lengths)))
    for batch in epoch:
        assert (np.diff(np.asarray(lengths)[batch]) <= 0).all()


def test_the_generator_alone_decides():
    lengths = np.random.default_rng(0).integers(1, 40, 300)
    batches = Batches(lengths, 16)
    one = batches.epoch(np.random.default_rng(5))
    two = batches.epoch(np.random.default_rng(5))
    other = batches.epoch(np.random.default_rng(6))
    assert [batch.tolist() for batch in one] == [batch.tolist() for batch in two]
    assert [batch.tolist() for batch in one] != [batch.tolist() for batch in other]


def test_like_lengths_are_together_and_batches_are_not_in_order_of_length():
    lengths = np.random.default_rng(0).integers(1, 1000, 640)
    epoch = Batches(lengths, 16).epoch(np.random.default_rng(1))
    assert max(np.ptp(lengths[batch]) for batch in epoch) < 100
    means = [lengths[batch].mean() for batch in epoch]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.5
    plain = Batches(lengths, 16, pool=1).epoch(np.random.default_rng(1))
    assert np.mean([np.ptp(lengths[batch]) for batch in plain]) > 700


def test_errors():
    with pytest.raises(DataError, match="at least one sequence"):
        Batches([], 4)
    with pytest.raises(OptionError, match="'batch_size'"):
        Batches([1], 0)
    with pytest.raises(OptionError, match="'pool'"):
        Batches([1], 1, pool=0)
