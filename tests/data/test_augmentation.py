import difflib

import numpy as np
import pytest

from noria.data import WordVocabulary
from noria.data.augmentation import Augmentation, read_thesaurus, with_character_noise, with_synonyms
from noria.errors import DataError, OptionError
from noria.training.augmentation_options import AugmentationOptions

SEED = np.random.default_rng
TEXT = "It was a big house, and the BIG dog was glad.\nA small ñandú ran.\n" * 200


def test_noise_changes_about_the_share_that_was_asked_for():
    noisy = with_character_noise(TEXT, 0.1, SEED(0))
    assert noisy != TEXT
    assert noisy.count("\n") == TEXT.count("\n")
    assert abs(len(noisy) - len(TEXT)) < 0.02 * len(TEXT)
    assert set(noisy) <= set(TEXT)
    lines = list(zip(noisy.split("\n"), TEXT.split("\n"), strict=True))[:100]
    same = [difflib.SequenceMatcher(None, *pair, autojunk=False).ratio() for pair in lines]
    assert 0.85 < np.mean(same) < 0.97
    assert with_character_noise(TEXT, 0.1, SEED(0)) == noisy
    assert with_character_noise(TEXT, 0.1, SEED(1)) != noisy
    assert with_character_noise(TEXT, 0.0, SEED(1)) == TEXT
    assert with_character_noise("", 0.5, SEED(1)) == ""
    assert with_character_noise("\n\n", 0.9, SEED(1)) == "\n\n"


class Draws(np.random.Generator):
    """Draws what a test says: which characters change, how, and to what."""

    def __init__(self, kinds, new=0):
        super().__init__(np.random.PCG64(0))
        self.kinds, self.new, self.calls = np.array(kinds), new, 0

    def random(self, count):
        return np.where(self.kinds >= 0, 0.0, 1.0)

    def integers(self, low, high, count):
        self.calls += 1
        return self.kinds if self.calls == 1 else np.full(count, self.new)


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([-1, 0, -1, -1], "axcd"),
        ([-1, 1, -1, -1], "abxcd"),
        ([-1, 2, -1, -1], "acd"),
        ([-1, 3, -1, -1], "acbd"),
        ([3, -1, 2, 1], "badx"),
        ([-1, -1, -1, 3], "abcd"),
        ([3, 3, -1, -1], "acbd"),
    ],
)
def test_each_kind_of_slip(kinds, expected):
    assert with_character_noise("abcd", 0.5, Draws(kinds), alphabet="x") == expected


def test_synonyms_keep_capitals_and_space():
    thesaurus = {"big": ("large", "huge"), "house": ("home",), "a": ("one",)}
    assert (
        with_synonyms("A big house,\n BIG Big biggest", {**thesaurus, "big": ("large",)}, 1.0, SEED(0))
        == "One large home,\n LARGE Large biggest"
    )
    changed = with_synonyms(TEXT, thesaurus, 0.25, SEED(0))
    share = changed.count(" home") / TEXT.count(" house")
    assert 0.15 < share < 0.35
    assert changed.count("large") > 0 < changed.count("huge")
    assert with_synonyms(TEXT, thesaurus, 0.25, SEED(0)) == changed
    assert with_synonyms(TEXT, thesaurus, 0.0, SEED(0)) == TEXT


def test_a_thesaurus_is_groups_of_words(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("# remark\nbig, Large;huge\nlarge\twide\n\n", encoding="utf-8")
    assert read_thesaurus(path) == {
        "big": ("large", "huge"),
        "large": ("big", "huge", "wide"),
        "huge": ("big", "large"),
        "wide": ("large",),
    }
    path.write_text("big, large\nalone\n", encoding="utf-8")
    with pytest.raises(DataError, match="group 2: expected two synonyms or more, got 'alone'"):
        read_thesaurus(path)
    path.write_text("# only\n", encoding="utf-8")
    with pytest.raises(DataError, match="expected groups of synonyms, got none"):
        read_thesaurus(path)


def test_options_make_an_augmentation(tmp_path):
    assert Augmentation.of_options(AugmentationOptions()) is None
    path = tmp_path / "t.txt"
    path.write_text("big, large\n", encoding="utf-8")
    options = AugmentationOptions(synonym_rate=1.0, thesaurus=str(path))
    options.validate()
    augmentation = Augmentation.of_options(options)
    assert augmentation("a big cat", SEED(0)) == "a large cat"
    noisy = Augmentation.of_options(AugmentationOptions(character_noise=0.3))
    assert noisy(TEXT, SEED(0)) == with_character_noise(TEXT, 0.3, SEED(0))


def test_rates_out_of_range_and_half_an_option_are_refused():
    with pytest.raises(OptionError, match=r"'rate' option of augmentation must be a float in \[0, 1\)"):
        with_character_noise("ab", 1.0, SEED(0))
    with pytest.raises(OptionError, match=r"'synonym_rate'.*\[0, 1\]. Got 1.5"):
        with_synonyms("ab", {}, 1.5, SEED(0))
    with pytest.raises(OptionError, match="'thesaurus' option of M does nothing without 'synonym_rate'"):
        AugmentationOptions(thesaurus="x").validate("M")
    with pytest.raises(OptionError, match="'synonym_rate' option of M does nothing without 'thesaurus'"):
        AugmentationOptions(synonym_rate=0.1).validate("M")


def test_synonyms_that_a_vocabulary_does_not_know_are_passed_over():
    text = "A big house. BIG Big bigger"
    vocabulary = WordVocabulary.of_text(text + " Large huge HUGE")
    thesaurus = {"big": ("large", "huge", "vast"), "house": ("home",)}
    for seed in range(20):
        changed = with_synonyms(text, thesaurus, 1.0, SEED(seed), vocabulary.encode)
        assert changed == "A huge house. HUGE Large bigger"
        assert vocabulary.encode(changed).all()
    assert with_synonyms(text, {"house": ("home",)}, 1.0, SEED(0), vocabulary.encode) == text


def test_what_a_thesaurus_has_for_a_text_is_said(tmp_path):
    path = tmp_path / "t.txt"
    path.write_bytes("big, large\nhouse, caf\xe9\n".encode("latin-1"))
    options = AugmentationOptions(thesaurus=str(path), synonym_rate=0.5)
    guess, known = Augmentation.of_options(options).described("A big house, a BIG one.")
    assert guess.startswith("thesaurus: ")
    assert known == "thesaurus: 3 of 6 words to learn from have a synonym that is known"
    vocabulary = WordVocabulary.of_text("A big house, a BIG LARGE one.")
    narrow = Augmentation.of_options(options, vocabulary.encode)
    assert narrow.described("A big house, a BIG one.")[1].startswith("thesaurus: 1 of 6 words")
    assert narrow.described("Nothing.")[1].startswith("thesaurus: none of 1 words")
    assert Augmentation(character_noise=0.1).described("A big house.") == ()
