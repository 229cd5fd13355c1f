"""A language model by words and subwords, from a file to what it writes and back from a run folder."""

import math

import numpy as np
import pytest

from noria import LanguageModel, load
from noria.data import mapped
from noria.errors import DataError, OptionError

TEXT = "the cat saw a dog.\nthe dog ran, and the cat ran too.\n" * 60 + "a yak ran.\n"


@pytest.fixture(scope="module")
def model():
    options = {"cell": "rnn", "hidden_size": 12, "batch_size": 4, "seq_length": 8, "lr": 0.02, "seed": 3}
    return LanguageModel(level="words", **options).fit(TEXT, steps=60)


def test_it_learns_words_and_writes_them(model):
    assert model.vocabulary_.kind == "words"
    assert model.report_["test"]["loss"] < 2.0
    assert model.report_["baseline"]["name"] == "Kneser-Ney 3-gram"
    text = model.sample("the cat", length=20, temperature=0.3, seed=1)
    assert text.startswith("the cat")
    assert len(model.vocabulary_.encode(text)) == 22
    assert "\ufffd" not in text
    assert "  " not in text


def test_a_space_at_the_end_of_a_prompt_belongs_to_the_next_word(model):
    bare = model.sample("the cat", length=9, seed=2)
    spaced = model.sample("the cat ", length=9, seed=2)
    assert spaced.replace("the cat ", "", 1) == bare.replace("the cat", "", 1).removeprefix(" ")
    assert model.sample("cat", length=1, greedy=True) == "cat" + model.sample(
        " cat", length=1, greedy=True
    ).removeprefix(" cat")  # only ever behind a space
    with pytest.raises(
        DataError, match=r"prompt: the model does not know ' zebra'.\n  It knows the words of"
    ):
        model.sample("the zebra")


def test_it_is_scored_in_bits_that_pay_for_unknown_words(model):
    figures = model.evaluate("the cat saw a gnu.\n")
    vocabulary = model.vocabulary_
    assert (figures["tokens"], figures["characters"], figures["unknown"]) == (7, 19, 1)
    expected = (7 * figures["loss"] + vocabulary.spelling.nats(" gnu")) / 19 / math.log(2)
    assert figures["bits_per_character"] == pytest.approx(expected, rel=1e-9)
    test = model.report_["test"]
    assert test["characters"] > test["tokens"]


def test_a_run_brings_its_words_back(model, tmp_path):
    model.save(tmp_path / "run")
    again = load(tmp_path / "run")
    assert again.vocabulary_ == model.vocabulary_
    assert again.level == "words"
    assert again.evaluate(TEXT[:200] + "gnu") == model.evaluate(TEXT[:200] + "gnu")
    assert again.sample("the ", length=5, seed=4) == model.sample("the ", length=5, seed=4)


def test_what_cannot_be_learnt_is_refused_before_training():
    with pytest.raises(OptionError, match=r"'vocabulary_size'.*at least 3.*Got 1"):
        LanguageModel(level="words", vocabulary_size=1).fit(TEXT, steps=1)
    with pytest.raises(DataError, match="at least 999 times, got none"):
        LanguageModel(level="words", min_count=999).fit(TEXT, steps=1)
    with pytest.raises(DataError, match="got no characters"):
        LanguageModel(level="words").fit("\ufeff".encode(), steps=1)
    with pytest.raises(DataError, match="binary file"):
        LanguageModel(level="words").fit(b"\x00\x01words\n", steps=1)


def test_a_file_in_pieces_trains_to_the_same_bits(tmp_path, monkeypatch):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    options = {"cell": "rnn", "hidden_size": 6, "batch_size": 3, "seq_length": 16}
    small = LanguageModel(**options).fit(path, steps=5)
    monkeypatch.setattr(mapped, "LARGE", 10)
    large = LanguageModel(**options).fit(path, steps=5)
    for name, array in small.parameters_.state_dict().items():
        np.testing.assert_array_equal(array, large.parameters_.state_dict()[name])
    assert large.report_["test"] == small.report_["test"]


def test_noise_is_learnt_from_and_not_tested_on():
    options = {"cell": "rnn", "hidden_size": 6, "batch_size": 3, "seq_length": 16}
    plain = LanguageModel(**options).fit(TEXT, steps=3)
    noisy = LanguageModel(**options, character_noise=0.2).fit(TEXT, steps=3)
    again = LanguageModel(**options, character_noise=0.2).fit(TEXT, steps=3)
    assert noisy.vocabulary_ == plain.vocabulary_
    assert noisy.report_["test"]["tokens"] == plain.report_["test"]["tokens"]
    assert noisy.report_["baseline"]["loss"] == plain.report_["baseline"]["loss"]
    assert noisy.report_["test"]["loss"] != plain.report_["test"]["loss"]
    assert noisy.report_["test"] == again.report_["test"]
