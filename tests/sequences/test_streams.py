"""Parallel readings: nothing twice, nothing left out beyond what is said, the target is the next token."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.errors import DataError, OptionError
from noria.sequences import Streams


def positions(streams):
    """Read each window's inputs as positions, the ids being their own positions."""
    return [window.inputs.to_sequences() for window in streams]


def test_readings_are_contiguous_and_targets_are_the_next_tokens():
    streams = Streams(np.arange(100, 100 + 24), 3, 2)
    # 23 predictions hold 3 windows of 3 readings by 2 steps, 5 at the end are dropped
    assert (len(streams), streams.predictions, streams.dropped) == (3, 18, 5)
    first, second, third = (window.inputs.to_dense().tolist() for window in streams)
    assert first == [[100, 101], [106, 107], [112, 113]]
    assert second == [[102, 103], [108, 109], [114, 115]]
    assert third == [[104, 105], [110, 111], [116, 117]]
    for window in streams:
        np.testing.assert_array_equal(window.targets, window.inputs.rows + 1)
    assert [window.carries for window in streams] == [False, True, True]


def test_any_window_is_found_by_its_number_alone():
    ids = np.random.default_rng(0).integers(0, 9, 200)
    streams = Streams(ids, 4, 7)
    in_order = list(streams)
    for index in (5, 0, 3):
        window = streams.window(index)
        assert window.index == index
        np.testing.assert_array_equal(window.inputs.rows, in_order[index].inputs.rows)
        np.testing.assert_array_equal(window.targets, in_order[index].targets)


@given(st.integers(2, 80), st.integers(1, 6), st.integers(1, 9))
def test_training_drops_only_a_tail_that_fills_no_window(tokens, batch_size, window):
    ids = np.arange(tokens)
    if tokens - 1 < batch_size * window:
        with pytest.raises(DataError, match=f"need {batch_size * window + 1} tokens, the text has {tokens}"):
            Streams(ids, batch_size, window)
        return
    streams = Streams(ids, batch_size, window)
    seen = np.sort(np.concatenate([window.inputs.rows for window in streams]))
    np.testing.assert_array_equal(seen, np.arange(len(seen)))
    assert len(seen) == streams.predictions == tokens - 1 - streams.dropped
    assert 0 <= streams.dropped < batch_size * window
    assert all(window.inputs.layout.is_dense for window in streams)


@given(st.integers(2, 80), st.integers(1, 6), st.integers(1, 9))
def test_a_whole_reading_makes_every_prediction_exactly_once(tokens, batch_size, window):
    streams = Streams(np.arange(tokens), batch_size, window, whole=True)
    windows = list(streams)
    assert len(windows) == len(streams)
    seen = np.sort(np.concatenate([window.inputs.rows for window in windows]))
    np.testing.assert_array_equal(seen, np.arange(tokens - 1))
    assert streams.predictions == tokens - 1
    assert streams.dropped == 0
    for piece in windows:
        np.testing.assert_array_equal(piece.targets, piece.inputs.rows + 1)
    # whoever goes on is among the first, in the same place, where it stopped
    for before, after in zip(positions(streams), positions(streams)[1:], strict=False):
        assert len(after) <= len(before)
        for earlier, later in zip(before, after, strict=False):
            assert later[0] == earlier[-1] + 1


def test_too_short_or_senseless():
    with pytest.raises(DataError, match="text of 1 tokens"):
        Streams(np.arange(1), 1, 1, whole=True)
    with pytest.raises(OptionError, match="'batch_size'"):
        Streams(np.arange(9), 0, 1)
    with pytest.raises(OptionError, match="'window'"):
        Streams(np.arange(9), 1, 0)
    with pytest.raises(OptionError, match=r"\[0, 4\), got 4"):
        Streams(np.arange(9), 1, 2).window(4)
