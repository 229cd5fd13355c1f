import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.data import words
from noria.data.words import segment

texts = st.text(
    st.one_of(
        st.sampled_from("ab1 2.,:'\u2019;_-\n\t\r\u0301\u200dé日カ한ก\U0001f469\U0001f1ea\U0001f3fd"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=40,
)


def cut(text):
    return [piece for pieces in segment(text) for piece in pieces]


@given(texts)
def test_the_pieces_are_the_text(text):
    assert "".join(cut(text)) == text
    assert all(cut(text))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("The cat's 3,000 mice.", ["The", " cat's", " 3,000", " mice", "."]),
        ("e.g. 3.5 a,b 1,x", ["e.g", ".", " 3.5", " a", ",", "b", " 1", ",", "x"]),
        ("'tis \u2018so\u2019 don\u2019t", ["'", "tis", " \u2018", "so", "\u2019", " don\u2019t"]),
        ("a\n\n   b\t\tc \n", ["a", "\n", "\n", "  ", " b", "\t", "\t", "c", " ", "\n"]),
        ("snake_case x-y", ["snake_case", " x", "-", "y"]),
        ("नमस्ते दुनिया", ["नमस्ते", " दुनिया"]),
        ("日本 です 한국어 カタ", ["日", "本", " で", "す", " 한국어", " カタ"]),
        ("สวัส", ["ส", "วั", "ส"]),
        (
            "\U0001f469\u200d\U0001f467 \U0001f1ea\U0001f1f8\U0001f1eb\U0001f1f7 \U0001f44d\U0001f3fd!",
            [
                "\U0001f469\u200d\U0001f467",
                " \U0001f1ea\U0001f1f8",
                "\U0001f1eb\U0001f1f7",
                " \U0001f44d\U0001f3fd",
                "!",
            ],
        ),
        ("x\u0301y a\u0301.b", ["x\u0301y", " a\u0301.b"]),
        (" ", [" "]),
        ("", []),
    ],
)
def test_words_end_where_unicode_says(text, pieces):
    assert cut(text) == pieces


@given(texts)
def test_words_in_plain_letters_never_touch(text):
    pieces = cut(text)
    for before, after in pairwise(pieces):
        together = before[-1] + after[0]
        assert not (together.isascii() and together.isalnum())
        assert unicodedata.category(after[0]) != "Mn" or before[-1].isspace()


def test_a_long_text_is_cut_as_a_short_one(monkeypatch):
    text = "It's one, two\n\u0301three  four.\nfive's\n" * 9
    whole = cut(text)
    monkeypatch.setattr(words, "CHUNK", 11)
    assert cut(text) == whole
    assert sum(1 for _ in segment(text)) > 9
