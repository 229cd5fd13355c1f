"""One to many: a label, or numbers, of a whole sequence, told where it begins or beside every symbol."""

from itertools import pairwise

import numpy as np
import pytest

from noria import LanguageModel, load
from noria.data.augmentation import Augmentation
from noria.errors import DataError, OptionError, RunError
from noria.models.text.augmenting import TrainingReadings

SMALL = {
    "cell": "gru",
    "hidden_size": 12,
    "embedding_size": 5,
    "batch_size": 9,
    "dropout": 0.0,
    "lr": 0.03,
    "sample_length": 6,
    "eval_every": 100,
}
WORDS = ["ab", "cde", "fghi"]
RNG = np.random.default_rng(0)
KINDS = RNG.integers(0, 3, 90)
TEXTS = [WORDS[kind] for kind in KINDS]
LABELS = [["x", "y", "z"][kind] for kind in KINDS]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one-to-many") / "run"
    return LanguageModel(**SMALL).fit(TEXTS, conditions=LABELS, steps=100, out=folder), folder


def test_the_label_decides_what_is_written(fitted):
    model, _ = fitted
    for label, word in zip("xyz", WORDS, strict=True):
        assert model.sample(conditions=label, greedy=True, length=20) == word
        assert model.sample("a" if label == "x" else "", conditions={"label": label}, greedy=True) == word


def test_scoring_knows_the_label_too(fitted):
    model, _ = fitted
    right = model.evaluate(TEXTS[:12], conditions=LABELS[:12])["loss"]
    wrong = model.evaluate(TEXTS[:12], conditions=[LABELS[0]] * 12)["loss"]
    assert right < 0.3 < wrong
    assert model.report_["test"]["loss"] < 0.3
    state, nats = model.start(conditions="y"), 0.0
    symbols = [model.start_symbol, *model.vocabulary_.encode("cde"), model.start_symbol]
    for place, symbol in enumerate(symbols[:-1]):
        log_probabilities, state = model.step(int(symbol), state)
        nats -= log_probabilities[symbols[place + 1]]
    assert nats / 4 == pytest.approx(model.evaluate(["cde"], conditions=["y"])["loss"], rel=1e-4)


def test_a_run_keeps_what_it_begins_with(fitted, tmp_path):
    model, folder = fitted
    loaded = load(folder)
    assert loaded.next_steps("RUN")[0].startswith("noria sample RUN --temperature 0.7 --conditions label=")
    assert loaded.sample(conditions="z", length=9) == model.sample(conditions="z", length=9)
    cut = LanguageModel(**SMALL, stop_after=25)
    cut.fit(TEXTS, conditions=LABELS, steps=100, out=tmp_path / "cut")
    resumed = LanguageModel.resume(tmp_path / "cut", TEXTS, conditions=LABELS)
    np.testing.assert_array_equal(resumed.parameters_.values, model.parameters_.values)
    with pytest.raises(RunError, match=r"conditions: label \(3 labels\) in the run, none here"):
        LanguageModel.resume(tmp_path / "cut", TEXTS, steps=110)
    others = [*LABELS[1:], LABELS[0]]
    with pytest.raises(RunError, match="not the same"):
        LanguageModel.resume(tmp_path / "cut", TEXTS, conditions=others, steps=110)


def test_numbers_are_scaled_by_the_training_part():
    prepared = LanguageModel(**SMALL).prepare(TEXTS, conditions={"size": 100.0 + KINDS, "kind": LABELS})
    begins = np.array([reading.begins for reading in prepared.corpus.train.readings])
    assert begins.shape == (len(begins), 4)
    np.testing.assert_allclose([begins[:, 0].mean(), begins[:, 0].std()], [0, 1], atol=1e-12)
    np.testing.assert_array_equal(begins[:, 1:].sum(axis=1), 1)


def test_what_does_not_fit_is_refused(fitted):
    model, _ = fitted
    with pytest.raises(DataError, match=r"begins each sequence with 'label': one of 'x', 'y', 'z'"):
        model.sample()
    with pytest.raises(DataError, match="expected one of 'x', 'y', 'z', got 'w'"):
        model.sample(conditions="w")
    with pytest.raises(DataError, match="a value for each of 2 sequences, got 1"):
        model.evaluate(["aa", "bb"], conditions=["x"])
    with pytest.raises(DataError, match="expected 'label', got 'name'"):
        model.sample(conditions={"name": "x"})
    with pytest.raises(DataError, match="got one text"):
        LanguageModel(**SMALL).fit("one text\n" * 90, conditions=LABELS, steps=1)
    plain = LanguageModel(**SMALL).fit(TEXTS, steps=1)
    with pytest.raises(DataError, match="fitted without any"):
        plain.sample(conditions="x")


def test_a_table_says_texts_and_what_they_begin_with(tmp_path):
    table = tmp_path / "words.csv"
    rows = [f"{text},{label}" for text, label in zip(TEXTS, LABELS, strict=True)]
    table.write_text("word,kind\n" + "\n".join(rows) + "\n", encoding="utf-8")
    options = {**SMALL, "text_column": "word", "condition_columns": "kind"}
    model = LanguageModel(**options).fit(table, steps=3, out=tmp_path / "run")
    named = LanguageModel(**SMALL).fit(TEXTS, conditions={"kind": LABELS}, steps=3)
    np.testing.assert_array_equal(model.parameters_.values, named.parameters_.values)
    assert load(tmp_path / "run").evaluate(table) == named.evaluate(TEXTS, conditions={"kind": LABELS})
    assert model.description_.data.source.endswith("words.csv")
    with pytest.raises(OptionError, match="'condition_columns' option of LanguageModel belongs to a table"):
        LanguageModel(condition_columns="kind").validate()


def test_changed_texts_begin_with_what_is_known_of_them():
    model = LanguageModel(**SMALL, character_noise=0.5)
    corpus = model.prepare(TEXTS, conditions=LABELS).corpus
    changed = TrainingReadings(corpus, Augmentation.of_options(model), seed=1).of_epoch(0)
    before = corpus.train.readings
    assert any(list(one.ids) != list(other.ids) for one, other in zip(changed, before, strict=True))
    for one, other in zip(changed, before, strict=True):
        np.testing.assert_array_equal(one.begins, other.begins)


# Beside every symbol
# --------------------------------------------------------------------------------------------------------

ANSWERS = {"p": "a", "q": "b"}
KIND = RNG.choice(list(ANSWERS), 60)
DASHES = ["-" * 30 + "?" + ANSWERS[kind] for kind in KIND]
"""Behind so many dashes a question, which the label alone answers."""
FORGETFUL = {**SMALL, "cell": "rnn", "lr": 0.05}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    table = tmp_path_factory.mktemp("told") / "t.csv"
    rows = [f"{text},{kind}" for text, kind in zip(DASHES, KIND, strict=True)]
    table.write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    options = {**FORGETFUL, "text_column": "text", "condition_columns": "label", "conditions_at": "steps"}
    return LanguageModel(**options).fit(table, steps=200, out=table.parent / "run"), table


def answered(model, label):
    """Give how probable the right answer is to a model."""
    _, state = model.step(model.start_symbol, model.start(conditions=label))
    log_probabilities, _ = model.step(DASHES[0][:31], state)
    return np.exp(log_probabilities[model.vocabulary_.encode(ANSWERS[label])[0]])


def test_what_a_state_forgets_is_told_at_every_step(told):
    model, table = told
    swapped = np.where(KIND == "p", "q", "p")
    right, wrong = (model.evaluate(DASHES, conditions={"label": known})["loss"] for known in (KIND, swapped))
    assert wrong - right > 1.5 / 32  # one symbol of a text
    at_start = LanguageModel(**FORGETFUL).fit(DASHES, conditions={"label": list(KIND)}, steps=200)
    assert min(answered(model, label) for label in ANSWERS) > 0.8
    assert min(answered(at_start, label) for label in ANSWERS) < 0.6
    for label, answer in ANSWERS.items():
        assert model.sample(DASHES[0][:31], conditions=label, greedy=True, length=1)[-1] == answer
    assert model.evaluate(table)["loss"] == pytest.approx(right)


@pytest.mark.parametrize("at", ["steps", "both"])
def test_a_run_that_is_told_at_steps_is_resumed_to_the_byte(at, tmp_path):
    made = {**SMALL, "conditions_at": at}
    model = LanguageModel(**made).fit(TEXTS, conditions=LABELS, steps=20, out=tmp_path / "whole")
    LanguageModel(**made, stop_after=9).fit(TEXTS, conditions=LABELS, steps=20, out=tmp_path / "cut")
    resumed = LanguageModel.resume(tmp_path / "cut", TEXTS, conditions=LABELS)
    np.testing.assert_array_equal(resumed.parameters_.values, model.parameters_.values)
    loaded = load(tmp_path / "whole")
    assert loaded.sample(conditions="z", length=9) == model.sample(conditions="z", length=9)
    state, nats = model.start(conditions="y"), 0.0
    symbols = [model.start_symbol, *model.vocabulary_.encode("cde"), model.start_symbol]
    for before, after in pairwise(symbols):
        log_probabilities, state = model.step(int(before), state)
        nats -= log_probabilities[after]
    assert nats / 4 == pytest.approx(model.evaluate(["cde"], conditions=["y"])["loss"], rel=1e-4)
    explained = model.explain(("cde", "y"))
    assert explained.to_dict() != model.explain(("cde", "x")).to_dict()


def test_where_it_is_told_belongs_to_what_is_known():
    with pytest.raises(OptionError, match="'conditions_at' option of LanguageModel belongs to sequences of"):
        LanguageModel(**SMALL, conditions_at="steps").fit(TEXTS, steps=1)
    with pytest.raises(OptionError, match="must be one of 'start', 'steps', 'both'"):
        LanguageModel(conditions_at="end").validate()
    with pytest.raises(OptionError, match="must not hold the column of texts, 'text'"):
        LanguageModel(text_column="text", condition_columns=["label", "text"]).validate()


def test_a_label_that_the_training_part_has_not_is_told_as_none():
    prepared = LanguageModel(**SMALL).prepare(TEXTS, conditions=LABELS)
    held_out = [reading.ids.tobytes() for reading in prepared.corpus.validation.readings]
    assert held_out
    rare = [f"only {row}" if row % 2 else "x" for row in range(len(TEXTS))]  # each label but x is there once
    model = LanguageModel(**SMALL).fit(TEXTS, conditions={"kind": rare}, steps=2)
    notes = "\n".join(model.description_.notes)
    assert "condition 'kind': the labels of" in notes
    assert "of the validation part are not in the training part, so all zeros: 'only" in notes
    figures = model.evaluate(["ab", "cde"], conditions={"kind": ["x", "never"]})
    assert figures["unknown_conditions"] == 1
    assert "unknown_conditions" not in model.evaluate(["ab"], conditions={"kind": ["x"]})
    with pytest.raises(DataError, match=r"expected one of 'only 1', .* got 'never'"):
        model.sample(conditions="never")
