"""Sequences in memory: what they are is seen, and what does not fit is named."""

import numpy as np
import pytest

from noria.data.records import records_of
from noria.errors import DataError, ShapeError


@pytest.mark.parametrize(
    ("sequences", "kind", "first"),
    [
        (["a b", "c"], "texts", "a b"),
        (np.array(["a b", "c"]), "texts", "a b"),
        ([[1, 2], [3]], "symbols", [1, 2]),
        ([["the", "cat"], ["sat"]], "symbols", ["the", "cat"]),
        ([np.array([1, 2]), np.array([3])], "symbols", [1, 2]),
        ([[0.5, 1.0], [2.0]], "series", [[0.5], [1.0]]),
        ([np.ones((2, 3)), np.ones((5, 3))], "series", np.ones((2, 3))),
        (np.arange(24.0).reshape(2, 4, 3), "series", np.arange(12.0).reshape(4, 3)),
        (np.arange(8.0).reshape(2, 4), "series", [[0.0], [1.0], [2.0], [3.0]]),
        (np.arange(24).reshape(2, 4, 3), "series", np.arange(12.0).reshape(4, 3)),
    ],
)
def test_what_they_are_is_seen(sequences, kind, first):
    read = records_of(sequences, [0, 1])
    one, other = read
    assert read.kind == kind
    assert np.array_equal(one.sequence, first)
    assert (one.target, other.target, other.place) == (0, 1, "sequence 1")


def test_targets_become_plain_values():
    for targets in (np.array([3, 4]), [np.int64(3), 4]):
        found = [record.target for record in records_of(["a", "b"], targets)]
        assert found == [3, 4]
        assert all(type(target) is int for target in found)


@pytest.mark.parametrize(
    ("sequences", "targets", "message"),
    [
        ([], None, "at least one sequence"),
        ("abc", None, "got one str"),
        (["a", " "], None, "sequence 1: expected a text, got nothing but white space"),
        (["a", 3], None, "sequence 1: expected a text as the first one is, got int"),
        ([[1, 2], []], None, "sequence 1"),
        ([[1, 2], "ab"], None, "sequence 1: expected a list of symbols as the first one is, got str"),
        ([np.ones((2, 3)), np.ones((0, 3))], None, "sequence 1: expected at least one step"),
        ([np.ones((2, 1)), [[1.0], [np.nan]]], None, "sequence 1, step 2, channel 1: .* got nan"),
        (["a", "b"], ["x"], "expected a target for each of 2 sequences, got 1 target"),
        (["a", "b"], ["x", None], "sequence 1: expected a target, got None"),
        (["a", "b"], ["x", " "], "sequence 1: expected a target"),
    ],
)
def test_what_does_not_fit_is_named(sequences, targets, message):
    with pytest.raises(DataError, match=message):
        records_of(sequences, targets)


def test_channels_are_the_same_everywhere():
    with pytest.raises(ShapeError, match="sequence 1: expected 3 channels as the first one has, got 2"):
        records_of([np.ones((2, 3)), np.ones((2, 2))])
