"""A language model on built-in sequences: parts as they are given, and what it knows of what is certain."""

from dataclasses import replace

import numpy as np
import pytest

from noria import LanguageModel
from noria.data.builtin_tasks import BuiltinParts, builtin_data
from noria.data.builtin_tasks.counting import behind_first_b
from noria.data.builtin_tasks.names import languages_of
from noria.layers import INFERENCE
from noria.models.text.certain import CertainTally, tally_of
from noria.models.text.corpus import corpus_of_builtin
from noria.models.text.reading import Reading
from noria.sequences import Ragged
from noria.training.token_options import TokenOptions

SMALL = {
    "cell": "gru",
    "hidden_size": 7,
    "embedding_size": 0,
    "dropout": 0.0,
    "sample_length": 0,
    "threads": 1,
}


@pytest.fixture(scope="module")
def parts():
    return builtin_data("anbn:4", "text", 3)


@pytest.fixture(scope="module")
def model(parts):
    return LanguageModel(**SMALL, lr=0.03).fit(parts, steps=60)


def test_parts_are_kept_as_they_are(parts):
    corpus = corpus_of_builtin(parts)
    decode = corpus.vocabulary.decode
    three = parts.train, parts.validation, parts.test
    for part, given in zip((corpus.train, corpus.validation, corpus.test), three, strict=True):
        assert [decode(reading.ids[1:-1]) for reading in part.readings] == given
    assert corpus.separate
    assert corpus.source == parts.source
    assert all(reading.certain is None for reading in corpus.train.readings)
    assert [list(reading.certain) for reading in corpus.test.readings] == [
        behind_first_b(text) for text in parts.test
    ]


def test_what_is_certain_is_known_of_characters_only():
    parts = BuiltinParts(["a b", "b a a"] * 3, "words", ["a b"], ["b a"], determined=lambda text: [True] * 9)
    corpus = corpus_of_builtin(parts, TokenOptions(level="words"))
    assert all(reading.certain is None for reading in corpus.test.readings)


def test_one_set_is_split_by_the_model():
    names = BuiltinParts([f"{first}{second}" for first in "abcdef" for second in "abcdef"], "pairs")
    corpus = LanguageModel(**SMALL, valid_fraction=0.25, test_fraction=0.25).prepare(names).corpus
    assert [len(part.readings) for part in (corpus.train, corpus.validation, corpus.test)] == [18, 9, 9]


def test_figures_of_what_is_certain(model, parts):
    """Every prediction anew, one sequence after the other."""
    figures = model.evaluate(parts)
    assert figures == {**model.report_["test"], "unknown": 0}
    count = correct = 0
    wrong_lengths = []
    for text in parts.test:
        ids = np.array([model.vocabulary_.end_id, *model.vocabulary_.encode(text)])
        logits = model.network_(Ragged.from_sequences([ids]), mode=INFERENCE)[0].rows
        expected = [*ids[1:], model.vocabulary_.end_id]
        hits = [
            bool(row.argmax() == target)
            for row, target, certain in zip(logits, expected, behind_first_b(text), strict=True)
            if certain
        ]
        count, correct = count + len(hits), correct + sum(hits)
        if not all(hits):
            wrong_lengths.append(len(text))
    assert 0 < correct < count  # or it tells nothing
    assert figures["certain_accuracy"] == correct / count
    assert figures["sequences_right"] == pytest.approx(1 - len(wrong_lengths) / len(parts.test))
    assert figures["right_to_length"] == min(wrong_lengths) - 1


def test_headline_says_what_is_certain(model):
    figures = {**model.report_["test"], "sequences_right": 0.956}
    assert model.headline(figures).endswith(", 95.6 % of sequences right where it is certain")
    assert "certain" not in model.headline(model.report_["baseline"])


def test_order_and_company_change_nothing(model, parts):
    backwards = BuiltinParts(
        parts.train, "x", parts.validation, parts.test[::-1], determined=parts.determined
    )
    expected = model.evaluate(parts)
    for name, value in model.evaluate(backwards).items():
        assert value == pytest.approx(expected[name], rel=1e-9), name


def test_windows_change_nothing(model, parts, monkeypatch):
    expected = model.evaluate(parts)
    monkeypatch.setattr("noria.models.text.scoring.LOGITS", 1)
    monkeypatch.setattr("noria.models.text.scoring.ROWS", 1)
    monkeypatch.setattr("noria.models.text.scoring.SIDE_BY_SIDE", 9)  # windows of seven symbols
    for name, value in model.evaluate(parts).items():
        assert value == pytest.approx(expected[name], rel=1e-6), name


def test_without_parts_nothing_is_certain(model, parts):
    assert "certain_accuracy" not in model.evaluate(parts.test[:5])


def test_further_test_parts_are_measured_too():
    parts = builtin_data("anbn-small", "text", 0)
    model = LanguageModel(**SMALL).fit(parts, steps=3)
    every = model.report_["extra"]["every n"]
    assert every["tokens"] == sum(2 * n + 1 for n in range(1, 12))
    assert {"certain_accuracy", "sequences_right", "right_to_length"} <= every.keys()


def test_what_is_known_of_a_sequence_goes_with_it():
    parts = builtin_data("names", "text", 1)
    corpus = corpus_of_builtin(parts)
    assert corpus.conditions.columns[0].labels == ("hill", "isle", "lake")
    for part, name in ((corpus.train, "train"), (corpus.validation, "validation"), (corpus.test, "test")):
        found = [("hill", "isle", "lake")[int(np.argmax(reading.begins))] for reading in part.readings]
        assert found == parts.conditions[name]["language"]
        decoded = corpus.vocabulary.decode(part.readings[7].ids[1:-1])
        assert languages_of(decoded) == [found[7]]


def test_known_at_evaluation_too():
    parts = builtin_data("names", "text", 1)
    few = replace(
        parts,
        train=parts.train[:40],
        test=parts.test[:9],
        conditions={name: {"language": known["language"][:40]} for name, known in parts.conditions.items()},
    )
    few = replace(
        few,
        validation=parts.validation[:40],
        conditions={**few.conditions, "test": {"language": parts.conditions["test"]["language"][:9]}},
    )
    model = LanguageModel(**SMALL).fit(few, steps=2)
    assert model.evaluate(few)["loss"] == model.report_["test"]["loss"]
    turned = {"language": few.conditions["test"]["language"][::-1]}
    assert model.evaluate(few, conditions=turned)["loss"] != model.report_["test"]["loss"]


def test_tally():
    readings = [
        Reading(np.zeros(4, np.int32), 1, np.array([False, True, True])),
        Reading(np.zeros(6, np.int32), 1, np.array([True, False, True, False, True])),
    ]
    tally = CertainTally(readings)
    tally.add(np.array([0, 0, 0, 1]), np.array([0, 1, 2, 1]), np.array([False, True, True, False]))
    tally.add(np.array([1, 1]), np.array([4, 0]), np.array([False, True]))
    found = tally.result()
    assert (found.count, found.correct, found.sequences, found.right) == (5, 4, 2, 1)
    assert found.reach == 3  # the wrong one has four symbols and the end
    assert tally_of([*readings, Reading(np.zeros(3, np.int32))]) is None


def test_all_right_reaches_the_longest():
    tally = CertainTally([Reading(np.zeros(4, np.int32), 1, np.ones(3, dtype=bool))])
    assert tally.result().figures() == {"certain_accuracy": 1.0, "sequences_right": 1.0, "right_to_length": 2}
