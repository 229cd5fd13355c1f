"""The training part of an epoch, changed piece by piece."""

import numpy as np
import pytest

from noria.data import Text
from noria.data.augmentation import Augmentation, with_character_noise
from noria.models.text import augmenting
from noria.models.text.augmenting import TrainingReadings
from noria.models.text.corpus import corpus_of_sequences, corpus_of_text
from noria.training.options import TokenOptions
from noria.training.randomness import generator

TEXT = "a rose is a rose,\nsaid she, and no more.\n" * 30 + "x" * 500


class Spy(Augmentation):
    """Notes what it is given, and takes letters away or gives more."""

    def __call__(self, text, rng):
        self.seen.append(text)
        return self.change(text)


def changed(text, change, monkeypatch, *, level="characters", together=100):
    monkeypatch.setattr(augmenting, "TOGETHER", together)
    corpus = corpus_of_text(Text(text), 0.1, 0.1, TokenOptions(level=level, min_count=1))
    spy = Spy()
    object.__setattr__(spy, "seen", [])
    object.__setattr__(spy, "change", change)
    (reading,) = TrainingReadings(corpus, spy, seed=3).of_epoch(0)
    return corpus, reading, spy.seen


@pytest.mark.parametrize("level", ["characters", "words"])
def test_pieces_are_short_end_with_lines_and_make_up_the_text(monkeypatch, level):
    corpus, reading, seen = changed(TEXT, lambda text: text, monkeypatch, level=level)
    np.testing.assert_array_equal(reading.ids, corpus.train.readings[0].ids)
    assert "".join(seen) == corpus.vocabulary.decode(reading.ids[1:])
    lengths = [len(corpus.vocabulary.encode(piece)) for piece in seen]
    assert max(lengths) < 200
    assert len(seen) > 2
    if level == "words":
        assert all(piece.endswith("\n") for piece in seen[:-1])


def test_a_longer_text_loses_its_end_and_a_shorter_one_gets_the_old_one_back(monkeypatch):
    corpus, reading, _ = changed(TEXT, lambda text: text.replace("o", "oo"), monkeypatch)
    before = corpus.vocabulary.decode(corpus.train.readings[0].ids[1:])
    after = corpus.vocabulary.decode(reading.ids[1:])
    assert after == before.replace("o", "oo")[: len(before)]
    corpus, reading, _ = changed(TEXT, lambda text: text.replace("o", ""), monkeypatch)
    after = corpus.vocabulary.decode(reading.ids[1:])
    shorter = before.replace("o", "")
    assert after == shorter + before[len(shorter) :]
    assert reading.ids[0] == corpus.train.readings[0].ids[0]


def test_a_text_of_one_piece_is_changed_as_a_whole(monkeypatch):
    corpus = corpus_of_text(Text(TEXT), 0.1, 0.1)
    text = corpus.vocabulary.decode(corpus.train.readings[0].ids[1:])
    readings = TrainingReadings(corpus, Augmentation(0.2), seed=3)
    whole = readings.of_epoch(2)[0].ids
    noisy = with_character_noise(text, 0.2, generator(3, "augmentation", 2))
    shown = corpus.vocabulary.decode(whole[1:])
    common = min(len(shown), len(noisy))
    assert shown[:common] == noisy[:common]
    assert not np.array_equal(readings.of_epoch(3)[0].ids, whole)
    monkeypatch.setattr(augmenting, "MAPPED", 10)
    mapped = TrainingReadings(corpus, Augmentation(0.2), seed=3).of_epoch(2)[0].ids
    assert isinstance(mapped.base, np.memmap)
    np.testing.assert_array_equal(mapped, whole)


def test_sequences_are_changed_one_by_one():
    corpus = corpus_of_sequences(["rose" * 9, "nose" * 7], 0.0, 0.0, np.random.default_rng(0))
    readings = TrainingReadings(corpus, Augmentation(0.3), seed=1).of_epoch(0)
    for reading, before in zip(readings, corpus.train.readings, strict=True):
        assert reading.ids[0] == reading.ids[-1] == corpus.vocabulary.end_id
        assert not np.array_equal(reading.ids, before.ids)
