import json
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.data import CharacterVocabulary, Vocabulary, WordVocabulary, build_vocabulary
from noria.errors import DataError, OptionError, RunError
from noria.training.options import TokenOptions

TEXT = "the cat saw the dog; the dog saw\nthe cat. A dog? A cat\n"
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


def words(**options):
    return build_vocabulary(TEXT, TokenOptions(level="words", **options))


def test_words_are_numbered_by_how_often_they_occur():
    vocabulary = words(min_count=2)
    assert vocabulary.symbols == ("<unk>", " cat", " dog", "\n", " A", " saw", " the", "the")
    assert vocabulary.encode("the cat ran\n").tolist() == [
        vocabulary.symbols.index(word) if word in vocabulary.symbols else 0
        for word in ("the", " cat", " ran", "\n")
    ]
    assert vocabulary.unknown_counts("the rat ran, the rat") == {" rat": 2, " ran": 1, ",": 1}
    assert vocabulary.unknown_in("the rat") == (" rat",)
    assert vocabulary.unit == "word"


@given(texts, st.booleans())
def test_words_round_trip_exactly_where_all_are_known(text, end):
    text = unicodedata.normalize("NFC", text)
    vocabulary = WordVocabulary.of_text(text, end=end)
    ids = vocabulary.encode(text)
    assert ids.dtype == np.int32
    assert (ids >= vocabulary.first_id).all()
    assert vocabulary.decode(ids) == text
    assert "".join(vocabulary.pieces(ids.tolist())) == text
    again = Vocabulary.from_dict(json.loads(json.dumps(vocabulary.to_dict())))
    assert again == vocabulary
    assert again.spelling == vocabulary.spelling


def test_a_limit_keeps_the_most_frequent_and_counts_the_special_ones():
    vocabulary = words(vocabulary_size=4, min_count=1)
    assert len(vocabulary) == 4
    assert vocabulary.words == words(min_count=1).words[:3]
    ended = build_vocabulary([TEXT], TokenOptions(level="words", vocabulary_size=4), end=True)
    assert ended.symbols[:2] == ("<unk>", "<end>")
    assert len(ended) == 4
    assert ended.decode([1, 0, 2]) == "\ufffd" + ended.words[0]


def test_rare_characters_become_unknown_and_are_spelt():
    options = TokenOptions(min_count=3)
    vocabulary = build_vocabulary(TEXT + "xyx", options)
    assert "x" not in vocabulary.characters
    assert "y" not in vocabulary.characters
    assert "a" in vocabulary.characters
    assert vocabulary.spelling_nats("axa") == pytest.approx(vocabulary.spelling.nats("x"))
    assert vocabulary.spelling.nats("x") < vocabulary.spelling.nats("ñ")
    again = Vocabulary.from_dict(json.loads(json.dumps(vocabulary.to_dict())))
    assert again.spelling == vocabulary.spelling
    limited = build_vocabulary("aaabbbccd", TokenOptions(vocabulary_size=3))
    assert limited.symbols == ("<unk>", "a", "b")


def test_counted_characters_make_the_same_vocabulary():
    counts = {symbol: TEXT.count(symbol) for symbol in set(TEXT)}
    made = CharacterVocabulary.of_counts(counts, min_count=2, most=7)
    assert made == CharacterVocabulary.of_text(TEXT, min_count=2, most=7)
    assert made.spelling == CharacterVocabulary.of_text(TEXT, min_count=2, most=7).spelling


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("level", ["characters", "words", "subwords"])
def test_a_limit_that_leaves_nothing_to_choose_is_refused(level, size):
    with pytest.raises(OptionError, match=f"must be 0 or an int of at least 3.*Got {size}"):
        TokenOptions(level=level, vocabulary_size=size).validate("LanguageModel")
    with pytest.raises(OptionError, match="two symbols to choose between"):
        build_vocabulary([TEXT], TokenOptions(level=level, vocabulary_size=size), end=True)


def test_options_out_of_range_are_named():
    with pytest.raises(OptionError, match="'level' option of M must be one of 'characters', 'words'"):
        TokenOptions(level="word").validate("M")
    with pytest.raises(OptionError, match="'min_count'"):
        TokenOptions(min_count=-1).validate("M")
    assert TokenOptions(level="words").least_count == 2
    assert TokenOptions(level="words").most_symbols == 30_000
    assert TokenOptions().most_symbols is None
    assert TokenOptions(level="words", min_count=5, vocabulary_size=9).least_count == 5


def test_a_text_with_nothing_frequent_enough_says_what_is_most_frequent():
    with pytest.raises(DataError, match=r"at least 99 times, got none of \d+; the most frequent, ' cat'"):
        words(min_count=99)


def test_damaged_words_are_an_error():
    data = words().to_dict()
    with pytest.raises(RunError, match="expected each word once"):
        Vocabulary.from_dict(data | {"symbols": ["<unk>", "a", "a"]})
    with pytest.raises(RunError, match="spelling is damaged"):
        Vocabulary.from_dict({key: data[key] for key in ("format", "kind", "end", "symbols")})
    with pytest.raises(RunError, match="characters, words, subwords in format 1, got 'bytes'"):
        Vocabulary.from_dict(data | {"kind": "bytes"})
