"""Words beside characters: the same text, bits that compare, and what is unknown paid for."""

import math

import numpy as np
import pytest

from noria.data import Text, builtin_text
from noria.data.augmentation import Augmentation
from noria.data.split import split_text
from noria.errors import DataError
from noria.layers import FlatParameters
from noria.models.text.augmenting import TrainingReadings
from noria.models.text.baseline import baseline_figures
from noria.models.text.corpus import corpus_of_sequences, corpus_of_text
from noria.models.text.evaluating import score_texts
from noria.models.text.network import build_network
from noria.models.text.options import TextModelOptions
from noria.models.text.reading import MEMORY
from noria.models.text.scoring import score_readings
from noria.models.wiring import chosen_cells
from noria.training.options import TokenOptions

LN2 = math.log(2)
WORDS = TokenOptions(level="words", min_count=2)
TEXT = "the cat saw a dog, the dog ran\nand the bird flew off\n" * 30 + "one zebra, the cat saw a yak\n" * 4


def network_for(corpus):
    options = TextModelOptions(cell="rnn", hidden_size=5)
    network = build_network(options, chosen_cells(options), len(corpus.vocabulary))
    FlatParameters.build(network.layers, np.random.default_rng(0), np.dtype("float32"))
    return network


def test_a_text_by_words_is_cut_between_lines_and_put_together_again():
    corpus = corpus_of_text(Text(TEXT), 0.05, 0.05, WORDS)
    split = split_text(TEXT, 0.05, 0.05, between_words=True)
    assert split.train + split.validation + split.test == TEXT
    assert split.train[-1] == split.validation[-1] == "\n"
    vocabulary = corpus.vocabulary
    (train,) = corpus.train.readings
    assert vocabulary.decode(train.ids) == "\n" + split.train
    assert (corpus.train.characters, corpus.test.characters) == (len(split.train), len(split.test))
    (test,) = corpus.test.readings
    shown = vocabulary.decode(test.ids[test.lead :])
    assert shown == split.test.replace(" zebra", "\ufffd").replace("one", "\ufffd").replace(" yak", "\ufffd")
    assert corpus.test.unknown == (" yak", " zebra", "one")
    assert test.lead == MEMORY
    expected = vocabulary.spelling.total_nats({word: split.test.count(word) for word in corpus.test.unknown})
    assert corpus.test.spelling == pytest.approx(expected, rel=1e-12)


def test_cuts_move_to_the_next_word_where_lines_are_long_and_stay_where_there_is_none():
    text = "abcd " * 1000
    split = split_text(text, 0.1, 0.1, between_words=True)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [4004, 500, 496]
    split = split_text("x" * 1000, 0.1, 0.1, between_words=True)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [800, 100, 100]
    short = split_text("ab cd\nef\n", 0.2, 0.2, between_words=True)
    assert all((short.train, short.validation, short.test))


def test_what_is_unknown_is_said_with_its_share():
    rare = "once upon " + TEXT
    corpus = corpus_of_text(Text(rare), 0.05, 0.05, WORDS)
    assert corpus.notes[0].startswith("2 words of the training part are too rare, so <unk>: 0.")
    assert (
        "words of the test part are unknown to the vocabulary, so <unk>: ' yak', ' zebra'" in corpus.notes[-1]
    )
    none = corpus_of_text(Text(TEXT), 0.05, 0.05, TokenOptions(level="words", min_count=1))
    assert "no <unk> to learn from: a min_count of 2" in none.notes[-1]
    kept = corpus_of_text(Text("ab\n" * 300 + "x" + "ab\n" * 20), 0.05, 0.05, TokenOptions(vocabulary_size=3))
    assert kept.notes[0].startswith("288 characters of the training part are too rare")
    assert kept.vocabulary.characters == "\na"  # as frequent as b, and before it


def test_bits_per_character_pay_for_every_symbol_and_every_spelling():
    corpus = corpus_of_text(Text(TEXT), 0.05, 0.05, WORDS)
    network, test = network_for(corpus), corpus.test
    score = score_readings(network, test.readings, characters=test.characters, spelling=test.spelling)
    figures = score.figures()
    assert figures["tokens"] == test.tokens < test.characters == figures["characters"]
    expected = (figures["loss"] * test.tokens + test.spelling) / test.characters / LN2
    assert figures["bits_per_character"] == pytest.approx(expected, rel=1e-12)
    assert figures["perplexity"] == pytest.approx(math.exp(figures["loss"]), rel=1e-12)


def test_texts_are_scored_with_their_own_characters_and_spellings():
    corpus = corpus_of_text(Text(TEXT), 0.05, 0.05, WORDS)
    network, vocabulary = network_for(corpus), corpus.vocabulary
    figures = score_texts(network, vocabulary, ["the gnu saw a gnu\n", "", "a cat"])
    assert (figures["tokens"], figures["characters"], figures["unknown"]) == (6 + 2, 18 + 5, 3)
    # a text may not begin with a word that only ever stood behind a space
    assert vocabulary.unknown_in("a cat") == ("a",)
    spelling = 2 * vocabulary.spelling.nats(" gnu") + vocabulary.spelling.nats("a")
    expected = (figures["loss"] * 8 + spelling) / 23 / LN2
    assert figures["bits_per_character"] == pytest.approx(expected, rel=1e-12)
    with pytest.raises(DataError, match="at least one character"):
        score_texts(network, vocabulary, [""])


def test_sequences_of_words_have_ends_that_are_no_characters():
    lines = [line for line in TEXT.split("\n") if line]
    corpus = corpus_of_sequences(lines, 0.1, 0.1, np.random.default_rng(3), tokens=WORDS)
    network = network_for(corpus)
    figures = score_texts(network, corpus.vocabulary, ["the cat saw a yak"])
    assert (figures["tokens"], figures["characters"]) == (6, 17)
    assert corpus.vocabulary.end_id == 1
    assert corpus.train.characters + corpus.validation.characters + corpus.test.characters == len(
        "".join(lines)
    )
    assert baseline_figures(corpus, corpus.test)["name"] == "Kneser-Ney 3-gram"


def test_the_baseline_of_words_counts_unk_and_pays_for_its_spelling():
    """On the built-in text; characters beside it, in the unit that compares."""
    corpus = corpus_of_text(builtin_text(), 0.05, 0.05, WORDS)
    figures = baseline_figures(corpus, corpus.test, loss=2.0)
    tokens, test = corpus.test.tokens, corpus.test
    assert figures["name"] == "Kneser-Ney 3-gram"
    assert figures["beaten"] is True
    assert figures["perplexity"] == pytest.approx(math.exp(figures["loss"]), rel=1e-12)
    expected = (figures["loss"] * tokens + test.spelling) / test.characters / LN2
    assert figures["bits_per_character"] == pytest.approx(expected, rel=1e-12)
    characters = corpus_of_text(builtin_text(), 0.05, 0.05)
    beside = baseline_figures(characters, characters.test)
    assert beside["name"] == "Kneser-Ney 5-gram"
    assert 0.8 < figures["bits_per_character"] / beside["bits_per_character"] < 1.2
    assert 8 < figures["perplexity"] < 40


@pytest.mark.parametrize("level", ["characters", "words"])
def test_only_the_training_part_changes_and_every_epoch_anew(level):
    corpus = corpus_of_text(Text(TEXT), 0.05, 0.05, TokenOptions(level=level))
    before = [part.readings[0].ids.copy() for part in (corpus.train, corpus.validation, corpus.test)]
    augmentation = Augmentation(0.1, 0.5, {"cat": ("dog",), "dog": ("cat",)})
    readings = TrainingReadings(corpus, augmentation, 7)
    first, second = readings.of_epoch(0)[0], readings.of_epoch(1)[0]
    assert len(first.ids) == len(second.ids) == len(before[0])
    assert not np.array_equal(first.ids, second.ids)
    assert 0.05 < np.mean(first.ids[:60] != before[0][:60]) <= 1
    np.testing.assert_array_equal(TrainingReadings(corpus, augmentation, 7).of_epoch(1)[0].ids, second.ids)
    assert not np.array_equal(TrainingReadings(corpus, augmentation, 8).of_epoch(1)[0].ids, second.ids)
    for part, ids in zip((corpus.train, corpus.validation, corpus.test), before, strict=True):
        np.testing.assert_array_equal(part.readings[0].ids, ids)
    assert TrainingReadings(corpus).of_epoch(3) is corpus.train.readings


def test_changed_sequences_keep_their_beginnings_and_ends():
    corpus = corpus_of_sequences(["a cat", "a dog", "my cat"] * 4, 0.1, 0.1, np.random.default_rng(0))
    readings = TrainingReadings(corpus, Augmentation(0.0, 1.0, {"cat": ("mouse",)}), 0).of_epoch(0)
    assert len(readings) == len(corpus.train.readings)
    for changed, reading in zip(readings, corpus.train.readings, strict=True):
        assert changed.ids[0] == changed.ids[-1] == corpus.vocabulary.end_id
        known = corpus.vocabulary.decode(reading.ids).replace("cat", "mouse")
        assert corpus.vocabulary.decode(changed.ids) == "".join(
            symbol if symbol in corpus.vocabulary.characters else "\ufffd" for symbol in known
        )
