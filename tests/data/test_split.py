import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.data import split_sequences, split_text
from noria.errors import DataError, OptionError

shares = st.sampled_from([0.0, 0.01, 0.05, 0.1, 0.3, 0.49])


def test_a_text_is_cut_in_its_order():
    text = "".join(chr(100 + k) for k in range(200))
    split = split_text(text)
    assert (len(split.train), len(split.validation), len(split.test)) == (180, 10, 10)
    assert split.train + split.validation + split.test == text


@given(st.integers(3, 400), shares, shares)
def test_every_part_that_is_asked_for_has_something(count, validation, test):
    text = "x" * count
    split = split_text(text, validation, test)
    sizes = [len(split.train), len(split.validation), len(split.test)]
    assert sum(sizes) == count
    assert sizes[0] >= 1
    for size, share in zip(sizes[1:], (validation, test), strict=True):
        assert (size >= 1) == (share > 0)
        assert abs(size - share * count) <= 1


def test_sequences_are_dealt_out_once_each_by_the_generator():
    split = split_sequences(60, np.random.default_rng(3))
    parts = np.concatenate([split.train, split.validation, split.test])
    assert sorted(parts) == list(range(60))
    assert (len(split.validation), len(split.test)) == (3, 3)
    assert not np.array_equal(split.train, np.sort(split.train))
    again = split_sequences(60, np.random.default_rng(3))
    other = split_sequences(60, np.random.default_rng(4))
    assert np.array_equal(split.train, again.train)
    assert not np.array_equal(split.train, other.train)


def test_too_little_and_impossible_shares_are_errors():
    with pytest.raises(DataError, match="at least 3 characters, got 2"):
        split_text("ab")
    with pytest.raises(DataError, match="at least 2 sequences, got 1"):
        split_sequences(1, np.random.default_rng(0), 0.0, 0.1)
    with pytest.raises(OptionError, match=r"validation 0\.6 and test 0\.4"):
        split_text("abcdef", 0.6, 0.4)


lines = st.lists(st.integers(0, 12), min_size=9, max_size=40)


@given(lines, shares, shares)
def test_parts_between_words_are_empty_where_they_are_not_asked_for(lengths, validation, test):
    text = "".join("ab " * length + "c\n" for length in lengths)
    split = split_text(text, validation, test, between_words=True)
    assert split.train + split.validation + split.test == text
    assert [bool(part) for part in (split.validation, split.test)] == [validation > 0, test > 0]
    assert split.train


def test_a_cut_moves_on_to_the_next_line_whether_or_not_validation_is_empty():
    text = "aaa bbb\nccc ddd\n" * 50
    split = split_text(text, 0, 0.0525, between_words=True)
    assert split.validation == ""
    assert split.train.endswith("aaa bbb\n")
    assert split.test == text[760:]
    assert split_text(text, 0.0525, 0, between_words=True).validation == text[760:]
