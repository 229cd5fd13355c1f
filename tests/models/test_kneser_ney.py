from collections import Counter, defaultdict
from functools import cache

import numpy as np
import pytest

from noria.data import CharacterVocabulary, builtin_text
from noria.errors import DataError, OptionError
from noria.models.text import kneser_ney
from noria.models.text.kneser_ney import KneserNey

START = "start"


def slow_kneser_ney(sequences, order, size, separate):
    """The same model from dictionaries of tuples, one gram at a time, as the equations say it."""
    counts = [Counter() for _ in range(order + 1)]
    for sequence in sequences:
        symbols = [START, *sequence] if separate else list(sequence)
        for end in range(len(symbols)):
            for k in range(1, order + 1):
                if end + 1 - k >= 0 and symbols[end] != START:
                    counts[k][tuple(symbols[end + 1 - k : end + 1])] += 1
    used = [Counter() for _ in range(order + 1)]
    used[order] = counts[order]
    for k in range(1, order):
        for gram in counts[k + 1]:
            used[k][gram[1:]] += 1
        for gram in counts[k]:
            if k > 1 and gram[0] == START:
                used[k][gram] = counts[k][gram]
    discounts, followers = [None], [None]
    for k in range(1, order + 1):
        tally = Counter(used[k].values())
        discounts.append(tally[1] / (tally[1] + 2 * tally[2]) if tally[1] else 0.5)
        after = defaultdict(dict)
        for gram, count in used[k].items():
            after[gram[:-1]][gram[-1]] = count
        followers.append(after)

    @cache
    def probability(symbol, context):
        k = len(context) + 1
        lower = 1 / size if k == 1 else probability(symbol, context[1:])
        after = followers[k].get(context)
        if not after:
            return lower
        mass = max(after.get(symbol, 0) - discounts[k], 0) + discounts[k] * len(after) * lower
        return mass / sum(after.values())

    return probability


def slow_log_probabilities(probability, order, sequences, separate, context=()):
    out = []
    for sequence in sequences:
        symbols = [START, *sequence] if separate else [*context, *sequence]
        skipped = 1 if separate else len(context)
        for end in range(skipped, len(symbols)):
            begin = max(0, end + 1 - order)
            out.append(np.log(probability(symbols[end], tuple(symbols[begin:end]))))
    return np.array(out)


@pytest.fixture(params=["at once", "in pieces"])
def sorted_together(request, monkeypatch):
    if request.param == "in pieces":
        monkeypatch.setattr(kneser_ney, "TOGETHER", 7)


@pytest.mark.usefixtures("sorted_together")
@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", [0, 1])
def test_agrees_with_the_dictionaries_on_one_text(order, seed):
    rng = np.random.default_rng(seed)
    train, test = rng.integers(0, 4, 90), rng.integers(0, 6, 40)
    model = KneserNey.fit(train, vocabulary_size=6, order=order)
    slow = slow_kneser_ney([train.tolist()], order, 6, separate=False)
    expected = slow_log_probabilities(slow, order, [test.tolist()], False)
    np.testing.assert_allclose(model.log_probabilities(test), expected, rtol=1e-12)
    followed = slow_log_probabilities(slow, order, [test.tolist()], False, train.tolist())
    np.testing.assert_allclose(model.log_probabilities(test, context=train), followed, rtol=1e-12)
    assert model.nats(test, context=train) == pytest.approx(-followed.mean(), rel=1e-12)


@pytest.mark.usefixtures("sorted_together")
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_agrees_with_the_dictionaries_on_separate_sequences(order):
    rng = np.random.default_rng(5)
    train = [rng.integers(0, 4, rng.integers(1, 9)) for _ in range(25)]
    test = [rng.integers(0, 5, rng.integers(1, 9)) for _ in range(9)]
    model = KneserNey.fit(train, vocabulary_size=5, order=order)
    slow = slow_kneser_ney([s.tolist() for s in train], order, 5, separate=True)
    expected = slow_log_probabilities(slow, order, [s.tolist() for s in test], True)
    np.testing.assert_allclose(model.log_probabilities(test), expected, rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_probabilities_over_the_vocabulary_sum_to_one(order):
    rng = np.random.default_rng(7)
    train, size = rng.integers(0, 7, 300), 9
    model = KneserNey.fit(train, vocabulary_size=size, order=order)
    for length in (0, 1, 2, 5):
        context = rng.integers(0, size, length)
        each = [model.log_probabilities(np.array([symbol]), context=context)[0] for symbol in range(size)]
        assert np.exp(each).sum() == pytest.approx(1.0, abs=1e-12)
        assert np.exp(each).min() > 0


def test_probabilities_of_separate_sequences_sum_to_one_at_every_place():
    rng = np.random.default_rng(8)
    train, size = [rng.integers(0, 5, rng.integers(1, 8)) for _ in range(30)], 6
    model = KneserNey.fit(train, vocabulary_size=size, order=4)
    for length in (0, 1, 3, 6):
        begun = rng.integers(0, size, length)
        each = [model.log_probabilities([np.append(begun, symbol)])[-1] for symbol in range(size)]
        assert np.exp(each).sum() == pytest.approx(1.0, abs=1e-12)


def test_grams_longer_than_the_text():
    train, test = np.array([1, 2, 1]), np.array([1, 2, 1, 3, 0])
    model = KneserNey.fit(train, vocabulary_size=4, order=9)
    slow = slow_kneser_ney([train.tolist()], 9, 4, separate=False)
    expected = slow_log_probabilities(slow, 9, [test.tolist()], False)
    np.testing.assert_allclose(model.log_probabilities(test), expected, rtol=1e-12)


def test_known_figures_on_the_last_tenth_of_the_built_in_text():
    """From another implementation on the text of Python 3.11; texts of other versions differ a little."""
    text = builtin_text().text
    cut = len(text) * 9 // 10
    vocabulary = CharacterVocabulary.of_text(text[:cut])
    train, test = vocabulary.encode(text[:cut]), vocabulary.encode(text[cut:])
    for order, nats in ((5, 1.238), (7, 1.183)):
        model = KneserNey.fit(train, vocabulary_size=len(vocabulary), order=order)
        assert model.nats(test, context=train) == pytest.approx(nats, abs=0.05)


def test_big_vocabularies_and_small_integers_do_not_overflow():
    rng = np.random.default_rng(9)
    train = rng.choice(np.array([3, 60_000, 65_000], dtype=np.int32), 400)
    model = KneserNey.fit(train, vocabulary_size=65_536, order=7)
    slow = slow_kneser_ney([train.tolist()], 7, 65_536, separate=False)
    expected = slow_log_probabilities(slow, 7, [train[:50].tolist()], False)
    np.testing.assert_allclose(model.log_probabilities(train[:50]), expected, rtol=1e-12)


def test_what_cannot_be_counted_or_scored_is_an_error():
    with pytest.raises(OptionError, match="at least 1"):
        KneserNey.fit(np.array([1, 2]), vocabulary_size=3, order=0)
    with pytest.raises(DataError, match="at least one symbol"):
        KneserNey.fit(np.array([], dtype=np.int64), vocabulary_size=3)
    model = KneserNey.fit([np.array([1, 2])], vocabulary_size=3)
    with pytest.raises(DataError, match="expected a list of sequences"):
        model.nats(np.array([1, 2]))
