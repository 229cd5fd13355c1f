import pytest

from noria.data.graphemes import whole_characters

FAMILY = "\U0001f468\U0001f3fd\u200d\U0001f469\u200d\U0001f467"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    "pieces",
    [
        ["a", "q\u0323\u0307", "b"],
        [FAMILY, "x", "\u2764\ufe0f"],
        ["\U0001f1ea\U0001f1f8", "\U0001f1eb\U0001f1f7", "."],
        [SCOTLAND, "!"],
        ["a\u200d", "b"],
        ["\n", "\u0301", "\r", "\n"],
        ["ש", "ל", "د"],
        [],
    ],
)
def test_what_a_reader_sees_as_one_is_handed_on_as_one(pieces):
    assert list(whole_characters("".join(pieces))) == pieces


def test_a_piece_is_handed_on_when_the_next_symbol_ends_it():
    handed = []

    def symbols():
        for symbol in "ae\u0301b":
            handed.append(symbol)
            yield symbol

    pieces = whole_characters(symbols())
    assert next(pieces) == "a"
    assert handed == ["a", "e"]
    assert next(pieces) == "e\u0301"
    assert handed == ["a", "e", "\u0301", "b"]
