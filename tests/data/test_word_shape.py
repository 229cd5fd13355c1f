"""The shape of words, against answers written out by hand."""

import numpy as np
import pytest

from noria.data.word_shape import ENDINGS, QUESTIONS, SHAPE_SIZE, word_shapes


@pytest.mark.parametrize(
    ("word", "answers", "ending"),
    [
        ("the", [], None),
        ("Atlanta", ["begins with a capital"], None),
        ("NASA", ["begins with a capital", "capitals throughout", "a capital further on"], None),
        ("eBay", ["a capital further on"], None),
        ("A", ["begins with a capital"], None),
        ("1,961", ["a digit", "digits throughout, but for signs"], None),
        ("B-52", ["begins with a capital", "a digit", "a hyphen"], None),
        ("well-being", ["a hyphen"], "ing"),
        ("-", ["no letter and no digit"], None),
        ("...", ["a full stop", "no letter and no digit"], None),
        ("don't", ["an apostrophe"], None),
        (
            "U.S.",
            ["begins with a capital", "capitals throughout", "a capital further on", "a full stop"],
            None,
        ),
        ("Ñandúes", ["begins with a capital", "letters beyond ASCII"], "s"),
        ("Quickly", ["begins with a capital"], "ly"),
        ("ing", [], None),
    ],
)
def test_answers_are_those_that_one_would_give(word, answers, ending):
    (row,) = word_shapes([word])
    assert [question for question, answer in zip(QUESTIONS, row, strict=False) if answer] == answers
    endings = row[len(QUESTIONS) : -1]
    assert [one for one, answer in zip(ENDINGS, endings, strict=True) if answer] == (
        [ending] if ending else []
    )
    assert row[-1] == np.float32(len(word) / 20)


def test_every_word_has_a_row_of_its_own():
    rows = word_shapes(["the", "x" * 50, "Cat"])
    assert rows.shape == (3, SHAPE_SIZE)
    assert rows.max() == 1
    assert rows[1, -1] == 1
    assert word_shapes([]).shape == (0, SHAPE_SIZE)
