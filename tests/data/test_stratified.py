"""Dealing out by label: every label has its share, the same seed the same parts."""

from collections import Counter

import numpy as np
import pytest

from noria.data.stratified import split_stratified


@pytest.mark.parametrize(
    "counts", [{"a": 100}, {"a": 70, "b": 30}, {"a": 7, "b": 3, "c": 90}, {"a": 5, "b": 5}]
)
def test_every_label_has_its_share(counts):
    labels = [label for label, count in counts.items() for _ in range(count)]
    split = split_stratified(labels, np.random.default_rng(0), 0.1, 0.2)
    total = len(labels)
    assert sorted(np.concatenate([split.train, split.validation, split.test])) == list(range(total))
    assert (len(split.validation), len(split.test)) == (round(0.1 * total), round(0.2 * total))
    for part, share in ((split.validation, 0.1), (split.test, 0.2)):
        found = Counter(labels[index] for index in part)
        for label, count in counts.items():
            assert abs(found[label] - share * count) <= 1


def test_a_rare_label_is_learnt_from_before_it_is_tested():
    labels = ["a"] * 50 + ["b"]
    for seed in range(5):
        split = split_stratified(labels, np.random.default_rng(seed), 0.3, 0.3)
        assert 50 in split.train


def test_no_label_is_tested_on_that_is_not_learnt():
    labels = [label for label in "abcdefghij" for _ in range(2)]
    split = split_stratified(labels, np.random.default_rng(0), 0.0, 0.6)
    assert {labels[index] for index in split.train} == set(labels)
    assert len(split.test) == 10, "twelve would leave two labels out"


def test_the_same_seed_gives_the_same_parts_and_another_one_others():
    labels = ["a", "b"] * 50
    one, same, other = (split_stratified(labels, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.test, same.test)
    assert not np.array_equal(one.test, other.test)
    assert not np.array_equal(one.train, np.sort(one.train)), "labels are mixed"


def test_shares_of_nothing_are_empty():
    split = split_stratified(["a", "b"] * 5, np.random.default_rng(0), 0.0, 0.0)
    assert (len(split.train), len(split.validation), len(split.test)) == (10, 0, 0)
