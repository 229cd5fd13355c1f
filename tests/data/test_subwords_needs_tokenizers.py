import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.data import Vocabulary, build_vocabulary, builtin_text
from noria.errors import OptionError, RunError
from noria.training.options import TokenOptions

pytest.importorskip("tokenizers")

TEXT = builtin_text().text[:30_000]


@pytest.fixture(scope="module")
def vocabulary():
    return build_vocabulary(TEXT, TokenOptions(level="subwords", vocabulary_size=500))


@settings(max_examples=50)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_every_text_round_trips(vocabulary, text):
    ids = vocabulary.encode(text)
    assert (ids >= 1).all()
    assert vocabulary.decode(ids) == text
    assert vocabulary.unknown_in(text) == ()
    assert vocabulary.spelling_nats(text) == 0.0


def test_subwords_are_fewer_than_characters_and_keep_to_the_limit(vocabulary):
    assert len(vocabulary) == len(set(vocabulary.symbols)) == 500
    assert len(vocabulary.encode(TEXT)) < len(TEXT) / 2
    assert vocabulary.decode(vocabulary.encode(TEXT)) == TEXT


def test_a_long_text_is_encoded_as_its_lines_are(vocabulary, monkeypatch):
    lines = TEXT[:6000].splitlines(keepends=True)
    expected = np.concatenate([vocabulary.encode(line) for line in lines])
    monkeypatch.setattr("noria.data.words.CHUNK", 50)
    np.testing.assert_array_equal(vocabulary.encode("".join(lines)), expected)


def test_pieces_come_as_soon_as_their_characters_are_whole(vocabulary):
    ids = vocabulary.encode("é\U0001f600!").tolist()
    assert len(ids) > 3
    assert list(vocabulary.pieces(ids)) == ["é", "\U0001f600", "!"]
    assert vocabulary.decode(ids[1:2]) == "\ufffd"
    assert vocabulary.decode([0, ids[-1]]) == "\ufffd!"


def test_it_is_written_and_read_back(vocabulary):
    data = json.loads(json.dumps(vocabulary.to_dict()))
    again = Vocabulary.from_dict(data)
    assert again.symbols == vocabulary.symbols
    assert again.encode(TEXT).tolist() == vocabulary.encode(TEXT).tolist()
    with pytest.raises(RunError, match="does not belong to the symbols"):
        Vocabulary.from_dict(data | {"symbols": ["<unk>", "a"]})
    with pytest.raises(RunError, match="tokeniser is damaged"):
        Vocabulary.from_dict(data | {"tokenizer": {"model": 3}})


def test_the_same_text_gives_the_same_subwords_and_an_end_moves_them(vocabulary):
    options = TokenOptions(level="subwords", vocabulary_size=500)
    assert build_vocabulary(TEXT, options).symbols == vocabulary.symbols
    ended = build_vocabulary([TEXT], options, end=True)
    assert ended.symbols[:2] == ("<unk>", "<end>")
    assert len(ended) == 500
    assert ended.decode(ended.encode("a cat")) == "a cat"


def test_a_limit_below_the_bytes_is_refused():
    with pytest.raises(OptionError, match=r"must be above 257 for subwords.*Got 100"):
        build_vocabulary(TEXT, TokenOptions(level="subwords", vocabulary_size=100))
