"""The law of each built-in data set that is drawn, against brute force, and parts that share no example."""

import itertools
import re
from collections import Counter

import numpy as np
import pytest

from noria.data.builtin_tasks import builtin_data
from noria.data.builtin_tasks.counting import behind_first_b
from noria.data.builtin_tasks.disjoint import disjoint_parts
from noria.data.builtin_tasks.dyck import at_depth
from noria.data.builtin_tasks.mackey_glass import trajectory
from noria.data.builtin_tasks.names import languages_of
from noria.data.builtin_tasks.sentiment import WORDS, balance
from noria.data.builtin_tasks.strings import drawn_strings


def three(parts):
    return parts.train, parts.validation, parts.test


def assert_disjoint(*parts):
    for one, other in itertools.combinations(map(set, parts), 2):
        assert not one & other


def test_disjoint_parts_draw_again_what_was_seen():
    train, validation, test = disjoint_parts(
        0, lambda rng, count: rng.integers(0, 100, count).tolist(), (50, 20, 20), lambda number: number < 3
    )
    assert (len(train), len(validation), len(test)) == (50, 20, 20)
    assert_disjoint(*({number for number in part if number >= 3} for part in (train, validation, test)))


def test_strings_are_even():
    strings = drawn_strings(np.random.default_rng(0), "abc", np.array([2] * 9000))
    counts = Counter(strings)
    assert set(counts) == {"".join(pair) for pair in itertools.product("abc", repeat=2)}
    assert max(abs(count - 1000) for count in counts.values()) < 150  # five standard deviations


def test_parity():
    parts = builtin_data("parity", "classify", 0)
    extra = parts.extra["length 100"]
    for strings, labels in (*three(parts), extra):
        assert labels[:500] == [
            "odd" if sum(int(digit) % 2 for digit in string) % 2 else "even" for string in strings[:500]
        ]
    lengths = Counter(len(string) for string in parts.test[0])
    assert set(lengths) == set(range(1, 11))
    assert min(lengths[length] for length in (1, 2, 3, 5, 6, 7, 8, 9, 10)) > 900
    assert {len(string) for string in extra[0]} == {100}
    assert len(extra[0]) == len(parts.test[0]) == 10_000
    assert_disjoint(*([string for string in part[0] if len(string) > 3] for part in three(parts)))


def test_counting():
    parts = builtin_data("anbn:6", "text", 0)
    assert {len(text) // 2 for text in parts.train} == set(range(1, 7))
    counts = Counter(len(text) // 2 for text in builtin_data("anbn:500", "text", 0).train)
    ratio = sum(counts[n] for n in range(1, 51)) / sum(counts[n] for n in range(451, 501))
    assert ratio == pytest.approx(np.exp(1.5 * 450 / 500), rel=0.15)
    assert [len(text) // 2 for text in parts.validation] == list(range(1, 13))
    assert [len(text) // 2 for text in parts.test] == list(range(1, 121))
    for text in (*parts.train, *parts.test):
        assert re.fullmatch("a+b+", text)
        assert text.count("a") == text.count("b")
    for text in builtin_data("anbncn:5", "text", 0).test:
        assert re.fullmatch("a+b+c+", text)
        assert text.count("a") == text.count("b") == text.count("c")


def test_small_counting():
    parts = builtin_data("anbn-small", "text", 0)
    assert [len(part) for part in three(parts)] == [80, 10, 10]
    assert parts.extra["every n"] == ["a" * n + "b" * n for n in range(1, 12)]
    assert set(itertools.chain(*three(parts))) <= set(parts.extra["every n"])


@pytest.mark.parametrize("symbols", ["ab", "abc"])
def test_what_is_certain_of_counting(symbols):
    words = ["".join(symbol * n for symbol in symbols) for n in range(1, 9)]
    assert_determined(words, [word + "$" for word in words[:-1]], behind_first_b)


def test_what_is_certain_of_brackets():
    words = [
        "".join(word)
        for length in range(2, 9, 2)
        for word in itertools.product("()[]", repeat=length)
        if nested("".join(word), 2)
    ]
    short = [word + "$" for word in words if len(word) <= 4]
    assert_determined(words, short, at_depth(2))


def assert_determined(words, asked, determined):
    """Compare with the symbols that follow each beginning in all words there are."""
    following = {}
    for word in words:
        for place in range(len(word) + 1):
            following.setdefault(word[:place], set()).add((word + "$")[place])
    for word in asked:
        flags = determined(word[:-1])
        certain = [len(following[word[:place]]) == 1 for place in range(len(word))]
        assert list(flags)[1:] == certain[1:], word  # the first symbol counts nowhere, certain or not


def nested(word, depth):
    while (shorter := re.sub(r"\(\)|\[\]", "", word)) != word:
        word, depth = shorter, depth - 1
    return not word and depth >= 0


def test_brackets():
    parts = builtin_data("dyck:3", "text", 0)
    depths = set()
    for word in (*parts.train[:500], *parts.test):
        open_now, deepest = [], 0
        for symbol in word:
            if symbol in "([":
                open_now.append(symbol)
                deepest = max(deepest, len(open_now))
            else:
                assert open_now.pop() + symbol in ("()", "[]")
        assert not open_now
        depths.add(deepest)
    assert depths == {1, 2, 3}
    assert_disjoint(*([word for word in part if len(word) > 8] for part in three(parts)))
    # one bracket alone: it closes at once (1/2), and the word ends (1/4)
    assert np.mean([word in ("()", "[]") for word in parts.train]) == pytest.approx(1 / 8, abs=0.03)


def test_recall():
    parts = builtin_data("recall:9", "classify", 0)
    for strings, labels in three(parts):
        assert labels == [string[0] for string in strings]
        assert {len(string) for string in strings} == {10}
        assert set("".join(strings[:200])) == set("abcdefgh")
    assert_disjoint(*(part[0] for part in three(parts)))
    assert max(Counter(parts.test[1]).values()) < 0.14 * len(parts.test[1])
    assert (
        len(builtin_data("recall:1", "classify", 0).test[0]) == 10_000
    )  # too few to be new, and no endless loop


def test_temporal_order():
    parts = builtin_data("temporal-order:60", "classify", 0)
    for strings, labels in three(parts):
        for string, label in zip(strings, labels, strict=True):
            found = re.fullmatch(r"E[abcd]*([XY])[abcd]*([XY])[abcd]*B", string)
            assert found
            assert found[1] + found[2] == label
            assert 60 <= len(string) <= 66
            assert 6 <= found.start(1) < 12
            assert 30 <= found.start(2) < 36
        assert set(labels) == {"XX", "XY", "YX", "YY"}
    assert_disjoint(*(part[0] for part in three(parts)))


def test_number_sum():
    parts = builtin_data("number-sum", "classify", 0)
    for series, labels in three(parts):
        assert all(5 <= len(numbers) <= 20 and numbers.shape[1] == 1 for numbers in series)
        for numbers, label in zip(series[:500], labels[:500], strict=True):
            assert (label == "positive") == (sum(float(number) for number in numbers[:, 0]) > 0)
        assert 0.45 < labels.count("positive") / len(labels) < 0.55
    assert_disjoint(*({numbers.tobytes() for numbers in part[0]} for part in three(parts)))


def test_sentiment():
    assert len(WORDS) == 30
    assert balance("not good") == -1
    assert balance("not not good") == -1  # only the word before counts
    assert balance("not the good bad great") == 1
    parts = builtin_data("sentiment", "classify", 0)
    for sentences, labels in three(parts):
        assert set(labels) == {"positive", "negative"}
        for sentence, label in zip(sentences[:500], labels[:500], strict=True):
            words = sentence.split()
            signs = [1, *(-1 if word == "not" else 1 for word in words)]
            value = sum(sign * polarity(word) for sign, word in zip(signs, words, strict=False))
            assert (value > 0) == (label == "positive")
            assert value
            assert 5 <= len(words) <= 15
    assert_disjoint(*(part[0] for part in three(parts)))


def test_few_sentences_of_one_kind():
    whole, rare = (builtin_data(name, "classify", 0) for name in ("sentiment", "sentiment-rare"))
    for (sentences, labels), (all_of_them, known) in zip(three(rare), three(whole), strict=True):
        right = dict(zip(all_of_them, known, strict=True))
        assert labels == [right[sentence] for sentence in sentences]
        assert labels.count("positive") == known.count("positive")
        assert labels.count("negative") == known.count("negative") // 10


def polarity(word):
    place = WORDS.index(word)
    return 1 if place < 9 else -1 if place < 18 else 0


def test_digits():
    from sklearn.datasets import load_digits

    parts = builtin_data("digits", "classify", 0)
    known = {image.tobytes(): str(label) for image, label in zip(*load_digits(return_X_y=True), strict=True)}
    for images, labels in three(parts):
        for image, label in zip(images, labels, strict=True):
            assert image.shape == (8, 8)
            assert known[(image * 16).astype(np.float64).tobytes()] == label
    assert sum(len(part[0]) for part in three(parts)) == 1797
    assert_disjoint(*({image.tobytes() for image in part[0]} for part in three(parts)))


def test_adding():
    parts = builtin_data("adding:10", "regress", 0)
    for series, sums in three(parts):
        for numbers, total in zip(series[:300], sums[:300], strict=True):
            assert numbers.shape == (10, 2)
            assert numbers[:5, 1].sum() == numbers[5:, 1].sum() == 1
            assert total == pytest.approx(float((numbers[:, 0] * numbers[:, 1]).sum()), abs=1e-6)
            assert (numbers[:, 0] >= 0).all()
            assert (numbers[:, 0] < 1).all()
    assert np.mean((parts.test[1] - 1) ** 2) == pytest.approx(1 / 6, abs=0.02)
    places = np.array([numbers[:, 1] for numbers in parts.train[0]]).mean(axis=0)
    assert places == pytest.approx(np.full(10, 0.2), abs=0.02)


def test_copying():
    parts = builtin_data("copy:4", "tag", 0)
    for tokens, tags in three(parts):
        for read, written in zip(tokens[:300], tags[:300], strict=True):
            assert "".join(read[10:]) == "____::::::::::"
            assert written == ["_"] * 14 + read[:10]
            assert set(read[:10]) <= set("abcdefgh")
    assert_disjoint(*(map("".join, part[0]) for part in three(parts)))


def test_names():
    parts = builtin_data("names", "translate", 0)
    for labels, names in three(parts):
        assert set(labels) == {"hill", "lake", "isle"}
        for label, name in zip(labels[:200], names[:200], strict=False):
            assert languages_of(name) == [label]
    assert_disjoint(*(part[1] for part in three(parts)))
    assert languages_of("Xyzzy") == []


def test_mackey_glass():
    series = builtin_data("mackey-glass", "forecast", 0).train["y"].to_numpy()
    assert len(series) == 3000
    assert 0.2 < series.min() < 0.5
    assert 1.2 < series.max() < 1.5
    fine = trajectory(np.full(171, 1.2), 40)
    assert fine[-1] == pytest.approx(by_small_steps(1.2, 17, 40), abs=2e-4)
    steady = trajectory(np.full(31, 1.0), 5)  # 0.2 / 2 = 0.1: where nothing moves
    assert steady == pytest.approx(np.ones(5), abs=1e-12)


def by_small_steps(start, delay, units, steps=2000):
    """Euler's method with steps so small that its error is below what is asked."""
    values = [start] * (delay * steps + 1)
    for _ in range(units * steps):
        late = values[-1 - delay * steps]
        values.append(values[-1] + (0.2 * late / (1 + late**10) - 0.1 * values[-1]) / steps)
    return values[-1]
