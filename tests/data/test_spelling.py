import json
import math
from collections import Counter, defaultdict
from itertools import product

import pytest

from noria.data.spelling import SCALARS, Spelling
from noria.errors import RunError

WORDS = ["abba", "ab", "cab", "b", "aab"]


def slow_probability(words, order, context, sign):
    """Witten-Bell from the formula, counting anew for every context."""
    after = defaultdict(Counter)
    for word in words:
        signs = ["<"] * (order - 1) + [*word, ">"]
        for end in range(order - 1, len(signs)):
            for length in range(order):
                after[tuple(signs[end - length : end])][signs[end]] += 1
    lower = 1 / (SCALARS + 1)
    for length in range(order):
        counts = after.get(tuple(context[len(context) - length :]))
        if not counts:
            break
        kinds = len(counts)
        lower = (counts[sign] + kinds * lower) / (counts.total() + kinds)
    return lower


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("word", ["ab", "abc", "xyz", "", "bbbab", "ñ"])
def test_a_word_costs_what_the_formula_says(order, word):
    spelling = Spelling.of_words(WORDS, order)
    signs = ["<"] * (order - 1) + [*word, ">"]
    expected = 0.0
    for end in range(order - 1, len(signs)):
        context = signs[end - order + 1 : end]
        expected -= math.log(slow_probability(WORDS, order, context, signs[end]))
    assert spelling.nats(word) == pytest.approx(expected, rel=1e-12)


def test_the_probabilities_of_all_words_are_at_most_one():
    spelling = Spelling.of_words(WORDS, 2)
    each = ["".join(letters) for length in range(7) for letters in product("abc", repeat=length)]
    total = sum(math.exp(-spelling.nats(word)) for word in each)
    assert 0.7 < total < 1.0  # longer words and other letters have the rest


def test_what_comes_next_sums_to_one():
    spelling = Spelling.of_words(WORDS, 3)
    for begin in ("", "a", "ab", "xy"):
        signs = ["<", "<", *begin]
        seen = {*"".join(WORDS), ">"}
        known = sum(slow_probability(WORDS, 3, signs[-2:], sign) for sign in seen)
        other = slow_probability(WORDS, 3, signs[-2:], "ñ") * (SCALARS + 1 - len(seen))
        assert known + other == pytest.approx(1.0, abs=1e-12)
    assert spelling.nats("ñ") > spelling.nats("b")


def test_single_characters_need_no_end():
    assert Spelling.of_characters([]).nats("x") == pytest.approx(math.log(SCALARS))
    spelling = Spelling.of_characters("xyz")
    assert spelling.nats("x") == pytest.approx(-math.log((1 + 3 / SCALARS) / 6))
    assert spelling.total_nats({"x": 2, "q": 1}) == pytest.approx(2 * spelling.nats("x") + spelling.nats("q"))


def test_it_is_written_and_read_back():
    spelling = Spelling.of_words(WORDS)
    again = Spelling.from_dict(json.loads(json.dumps(spelling.to_dict())))
    assert again == spelling
    assert again.nats("cabba") == spelling.nats("cabba")
    with pytest.raises(RunError, match=r"v\.json: the spelling is damaged"):
        Spelling.from_dict({"order": 2}, "v.json")
    with pytest.raises(RunError, match="expected grams of 2 characters"):
        Spelling.from_dict({"order": 2, "ends": True, "counts": {"abc": 1}})
