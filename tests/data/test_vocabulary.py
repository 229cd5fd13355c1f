import json
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.data import CharacterVocabulary, Vocabulary, describe_symbol, describe_symbols
from noria.errors import DataError, RunError

characters = st.characters(exclude_categories=["Cs"])
texts = st.text(characters, min_size=1, max_size=60)


def test_ids_follow_code_points_after_the_special_symbols():
    plain = CharacterVocabulary.of_text("cab\U0001f600ñ")
    assert plain.symbols == ("<unk>", "a", "b", "c", "ñ", "\U0001f600")
    assert plain.encode("ca\U0001f600z").tolist() == [3, 1, 5, 0]
    ended = CharacterVocabulary.of_text(["ca", "b"], end=True)
    assert ended.symbols == ("<unk>", "<end>", "a", "b", "c")
    assert (ended.end_id, plain.end_id, len(ended), len(plain)) == (1, None, 5, 6)
    assert ended.encode("abc").tolist() == [2, 3, 4]


@given(texts, st.booleans())
def test_decoding_undoes_encoding_for_known_characters(text, end):
    text = unicodedata.normalize("NFC", text)
    vocabulary = CharacterVocabulary.of_text(text, end=end)
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text
    assert (ids > (1 if end else 0)).all()
    assert Vocabulary.from_dict(json.loads(json.dumps(vocabulary.to_dict()))) == vocabulary


@given(texts, texts)
def test_only_unknown_characters_become_unk(known, other):
    vocabulary = CharacterVocabulary.of_text(known)
    ids = vocabulary.encode(other)
    assert [symbol in known for symbol in other] == (ids != 0).tolist()
    assert set(vocabulary.unknown_in(other)) == {symbol for symbol in other if symbol not in known}
    shown = vocabulary.decode(ids)
    assert shown == "".join(symbol if symbol in known else "\ufffd" for symbol in other)


def test_a_text_longer_than_what_is_looked_at_together(monkeypatch):
    monkeypatch.setattr("noria.data.characters._CHUNK", 7)
    text = "the quick brown fox\n" * 3
    vocabulary = CharacterVocabulary.of_text(text)
    assert vocabulary == CharacterVocabulary.of_text(sorted(text))
    assert vocabulary.decode(vocabulary.encode(text)) == text


def test_the_end_symbol_is_silent_and_wrong_ids_are_named():
    vocabulary = CharacterVocabulary.of_text("ab", end=True)
    assert vocabulary.decode([2, 1, 0, 3]) == "a\ufffdb"
    assert vocabulary.decode(np.array([], dtype=np.int64)) == ""
    with pytest.raises(DataError, match=r"ids in \[0, 4\), got 4 at 1"):
        vocabulary.decode([2, 4])
    with pytest.raises(DataError, match="got -1 at 0"):
        vocabulary.decode([-1])


def test_what_is_written_keeps_format_and_order_and_is_checked():
    data = CharacterVocabulary.of_text("ña\n", end=True).to_dict()
    assert data == {
        "format": 1,
        "kind": "characters",
        "unknown": 0,
        "end": 1,
        "symbols": ["<unk>", "<end>", "\n", "a", "ñ"],
    }
    with pytest.raises(RunError, match=r"format 1, got 'characters' in format 2"):
        Vocabulary.from_dict(data | {"format": 2})
    with pytest.raises(RunError, match=r"v\.json: is not a vocabulary, it has no 'symbols'"):
        Vocabulary.from_dict({key: data[key] for key in ("format", "kind", "end")}, "v.json")
    with pytest.raises(RunError, match="begin with"):
        Vocabulary.from_dict(data | {"symbols": ["a", "b"]})
    with pytest.raises(DataError, match="sorted by code point"):
        Vocabulary.from_dict(data | {"symbols": ["<unk>", "<end>", "b", "a"]})


def test_symbols_are_described_so_that_they_can_be_told_apart():
    assert describe_symbol("ñ") == "'ñ' (U+00F1 LATIN SMALL LETTER N WITH TILDE)"
    assert describe_symbol("\u0301") == "'\u25cc\u0301' (U+0301 COMBINING ACUTE ACCENT)"
    assert describe_symbol("\x07") == "'\\x07' (U+0007 no name)"
    assert describe_symbols("abcdefg", most=2).endswith("SMALL LETTER B) and 5 more")
