import numpy as np
import pytest

from noria.data import Text
from noria.errors import DataError
from noria.models.text.corpus import begun, corpus_of_sequences, corpus_of_text, start_id
from noria.models.text.options import TextModelOptions, TextTrainingOptions
from noria.models.text.preparing import prepare
from noria.models.text.reading import MEMORY, Reading, long_reading, side_by_side
from noria.models.text.task import fitting_sizes
from noria.training.options import TokenOptions


@pytest.mark.parametrize("count", [1, 2, 3, 7, 50])
def test_readings_side_by_side_are_scored_on_the_same_symbols_once_each(count):
    ids = np.arange(3001)
    pieces = side_by_side(Reading(ids, 5), count)
    scored = np.concatenate([piece.ids[piece.lead :] for piece in pieces])
    np.testing.assert_array_equal(scored, ids[5:])
    assert len(pieces) == min(count, 2996 // (4 * MEMORY))
    for piece in pieces:
        np.testing.assert_array_equal(np.diff(piece.ids), 1)


def test_only_a_very_long_text_is_cut_up():
    assert len(long_reading(Reading(np.zeros(200_001, dtype=np.int32)))) == 1
    pieces = long_reading(Reading(np.zeros(350_001, dtype=np.int32)))
    assert [piece.predictions for piece in pieces] == [116_666, 116_667, 116_667]


def test_the_parts_of_a_text_are_in_order_and_the_vocabulary_is_of_the_first():
    text = "ab\n" * 300 + "xb\n" * 20 + "ay\n" * 20
    corpus = corpus_of_text(Text(text, "t"), 60 / 1020, 60 / 1020)
    assert corpus.vocabulary.characters == "\nab"
    assert (corpus.train.tokens, corpus.validation.tokens, corpus.test.tokens) == (900, 60, 60)
    assert corpus.vocabulary.decode(corpus.train.readings[0].ids) == "\n" + text[:900]
    for part, begin in ((corpus.validation, 900), (corpus.test, 960)):
        (reading,) = part.readings
        known = text[begin - MEMORY : begin + 60].replace("x", "\ufffd").replace("y", "\ufffd")
        assert reading.lead == MEMORY
        assert corpus.vocabulary.decode(reading.ids) == known
        assert (part.characters, part.unknown_count) == (60, 20)
    assert "20 characters of the validation part" in corpus.notes[0]
    assert "'y' (U+0079 LATIN SMALL LETTER Y)" in corpus.notes[1]


def test_parts_that_are_not_asked_for_are_empty():
    corpus = corpus_of_text(Text("ab" * 50), 0.0, 0.0)
    assert corpus.validation.readings == corpus.test.readings == []
    assert corpus.train.tokens == 100


def test_sequences_are_enclosed_and_each_is_in_one_part():
    sequences = [f"a{'b' * k}" for k in range(12)] + ["ñ"]
    corpus = corpus_of_sequences(sequences, 0.2, 0.2, np.random.default_rng(0))
    vocabulary = corpus.vocabulary
    assert vocabulary.end_id == 1
    found = []
    for part in (corpus.train, corpus.validation, corpus.test):
        for reading in part.readings:
            assert reading.ids[0] == reading.ids[-1] == 1
            assert reading.lead == 1
            found.append(vocabulary.decode(reading.ids))
        assert part.tokens == part.characters + len(part.readings)
    expected = [
        sequence.replace("ñ", "\ufffd") if "ñ" not in vocabulary.characters else sequence
        for sequence in sequences
    ]
    assert sorted(found) == sorted(expected)


def test_what_stands_before_everything():
    newline = corpus_of_text(Text("ab\ncd" * 9), 0.1, 0.1).vocabulary
    assert newline.decode([start_id(newline)]) == "\n"
    none = corpus_of_text(Text("dabc" * 9), 0.1, 0.1).vocabulary
    assert none.decode([start_id(none)]) == "a"
    assert begun("cd", none).tolist() == [1, 3, 4]


def test_a_text_of_one_symbol_and_empty_sequences_are_refused():
    with pytest.raises(
        DataError, match=r"t: expected at least two different symbols to train on, got 'a' \(U\+0061"
    ):
        corpus_of_text(Text("a" * 100, "t"), 0.05, 0.05)
    with pytest.raises(DataError, match="two different symbols to train on, got none"):
        corpus_of_sequences([""] * 9, 0.1, 0.1, np.random.default_rng(0))
    assert corpus_of_sequences(["a", "aa", "aaa"] * 3, 0.1, 0.1, np.random.default_rng(0)).train.tokens > 7


@pytest.mark.parametrize(
    ("symbols", "expected", "said"),
    [
        (100_000, (32, 64), 0),
        (8192, (32, 64), 0),
        (8191, (31, 64), 1),
        (300, (1, 64), 1),
        (40, (1, 40), 2),
        (16, (1, 16), 2),
    ],
)
def test_short_texts_shrink_batch_and_window(symbols, expected, said):
    batch_size, window, notes = fitting_sizes(symbols, 32, 64, "t")
    assert (batch_size, window) == expected
    assert len(notes) == said


def test_a_text_below_one_short_window_is_refused():
    with pytest.raises(DataError, match="at least 16 characters to train on, one window, got 15"):
        fitting_sizes(15, 32, 64, "t")
    assert fitting_sizes(5, 1, 5, "t")[:2] == (1, 5)


def test_one_unknown_character_is_one():
    corpus = corpus_of_text(Text("ab\n" * 300 + "x" + "ab\n" * 20, "t"), 0.05, 0.05)
    assert corpus.notes[0].startswith("1 character of the validation part is unknown")


def test_messages_about_short_texts_name_the_symbols():
    with pytest.raises(DataError, match="at least 16 words to train on, one window, got 15"):
        fitting_sizes(15, 32, 64, "t", "words")
    assert fitting_sizes(40, 32, 64, "t", "words")[2] == [
        "seq_length 64 became 40: the training part has 40 words",
        "batch_size 32 became 1: the training part has 40 words",
    ]
    tokens = TokenOptions(level="words", min_count=1)
    model, training = TextModelOptions(cell="rnn", hidden_size=3), TextTrainingOptions()
    notes = prepare(Text("a b c d\n" * 30, "t"), model, training, tokens=tokens).description.notes
    assert any(note.endswith("words") and note.startswith("batch_size 32 became") for note in notes)


def test_a_window_of_separate_sequences_is_said_to_mean_nothing():
    model = TextModelOptions(cell="rnn", hidden_size=3)
    for window, said in ((64, ()), (9, ("seq_length 9 means nothing here: every sequence is read whole",))):
        prepared = prepare(["ab", "ba", "aab"] * 9, model, TextTrainingOptions(seq_length=window))
        assert prepared.description.notes == said


def test_what_stands_before_words_is_a_newline_or_the_first_word():
    tokens = TokenOptions(level="words", min_count=1)
    for text, start in (("a b c\n" * 30, "\n"), ("c c a b " * 30, " c")):
        vocabulary = corpus_of_text(Text(text), 0.1, 0.1, tokens).vocabulary
        assert vocabulary.symbols[start_id(vocabulary)] == start
