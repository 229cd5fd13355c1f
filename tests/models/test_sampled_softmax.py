"""Models whose steps score some of their symbols: chosen by their number, said, kept, and full in figures."""

import numpy as np
import pytest

from noria import LanguageModel, Translator, load
from noria.errors import OptionError
from noria.layers import Mode
from noria.models.text import corpus as corpora
from noria.models.wiring import chosen_cells
from noria.training import symbol_options
from noria.training.run_folder import RunFolder
from noria.training.symbol_loss import SampledSoftmax

WORDS = [f"w{number}" for number in range(60)]
SMALL = {"cell": "gru", "hidden_size": 12, "embedding_size": 8, "batch_size": 4, "seq_length": 10}
BY_WORDS = {"level": "words", "min_count": 1, "sample_length": 0, "dropout": 0.0, "input_dropout": 0.0}
OPTIONS = {**SMALL, **BY_WORDS}


def text(count=900, seed=0):
    """Words that mostly follow each other in a circle."""
    rng = np.random.default_rng(seed)
    steps = np.where(rng.random(count) < 0.85, 1, rng.integers(0, len(WORDS), count))
    return " ".join(WORDS[place % len(WORDS)] for place in np.cumsum(steps))


TEXT = text()


@pytest.fixture
def from_fifty_on(monkeypatch):
    monkeypatch.setattr(symbol_options, "SAMPLED_FROM", 50)
    monkeypatch.setattr(symbol_options, "SAMPLES", 9)


def test_many_symbols_are_sampled_by_themselves_and_that_is_said(from_fifty_on, tmp_path):
    model = LanguageModel(**OPTIONS)
    prepared = model.prepare(TEXT)
    symbols = prepared.symbols
    assert symbols == len(prepared.corpus.vocabulary)
    said = f"a step of training scores 9 of {symbols} words, and those that come"
    assert said in prepared.description.notes
    model.fit(prepared, steps=3, out=tmp_path / "run")
    assert (model.softmax_samples, model.chosen_["softmax_samples"]) == (None, 9)
    assert RunFolder.open(tmp_path / "run").config["options"]["softmax_samples"] == 9
    few = LanguageModel(**{**OPTIONS, "vocabulary_size": 49})
    assert not any("scores" in note for note in few.prepare(TEXT).description.notes)
    assert few.fit(TEXT, steps=1).chosen_["softmax_samples"] == 0


def test_what_is_asked_for_holds(from_fifty_on):
    for asked in (0, 4, 1000):
        model = LanguageModel(**OPTIONS, softmax_samples=asked)
        prepared = model.prepare(TEXT)
        assert any("scores 4 of " in note for note in prepared.description.notes) == (asked == 4)
        task = model._trained(model._built(chosen_cells(model), prepared.schema, {}), prepared)
        batch = task._loss.of_batch(np.array([1, 2]), np.random.default_rng(0))
        assert isinstance(batch, SampledSoftmax) == (asked == 4)
    with pytest.raises(
        OptionError, match=r"'softmax_samples' .* must be an int in \[0, inf\) or None. Got -1"
    ):
        LanguageModel(softmax_samples=-1).validate()


def test_data_that_were_read_once_serve_any_number_of_them(from_fifty_on):
    prepared = LanguageModel(**OPTIONS).prepare(TEXT)
    weights = {}
    for samples in (None, 0, 4, 9):
        model = LanguageModel(**OPTIONS, softmax_samples=samples).fit(prepared, steps=3)
        weights[samples] = model.parameters_.values.copy()
        chosen = model.chosen_.get("softmax_samples", samples)
        assert chosen == (9 if samples is None else samples)
    np.testing.assert_array_equal(weights[None], weights[9])
    assert len({array.tobytes() for array in weights.values()}) == 3


def test_a_run_of_before_goes_on_with_all_symbols(from_fifty_on, tmp_path):
    whole = LanguageModel(**OPTIONS, softmax_samples=0).fit(TEXT, steps=8)
    path = tmp_path / "run"
    LanguageModel(**OPTIONS, softmax_samples=0, stop_after=3).fit(TEXT, steps=8, out=path)
    config = path / "config.toml"
    lines = config.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("softmax_samples")]
    assert len(kept) == len(lines) - 1
    config.write_text("".join(kept), encoding="utf-8")
    resumed = LanguageModel.resume(path, TEXT)
    np.testing.assert_array_equal(resumed.parameters_.values, whole.parameters_.values)


def test_a_rate_is_found_and_weights_are_taken_over(from_fifty_on, tmp_path):
    model = LanguageModel(**OPTIONS).fit(TEXT, steps=30, out=tmp_path / "run")
    assert 1e-5 < model.find_learning_rate(TEXT).suggestion < 1
    other = LanguageModel(**OPTIONS, softmax_samples=0).fit(TEXT, steps=1, init_from=tmp_path / "run")
    assert other.report_["test"]["loss"] < model.report_["test"]["loss"] + 0.2


def test_it_learns_about_what_all_symbols_teach_and_figures_are_of_all(tmp_path):
    figures = {}
    for samples in (0, 12):
        model = LanguageModel(**OPTIONS, softmax_samples=samples, lr=0.02)
        model.fit(TEXT, steps=150, out=tmp_path / f"{samples}")
        figures[samples] = model.evaluate(text(seed=1))["loss"]
        assert load(tmp_path / f"{samples}").evaluate(text(seed=1))["loss"] == figures[samples]
    assert figures[0] < 2.2  # the entropy is 1.0; of words that know nothing of each other, 4.1
    assert figures[12] < figures[0] + 0.25
    network = load(tmp_path / "12").network_
    assert network.output_size == len(WORDS) + 2  # <unk>, and the space in the place of one that is missing


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"label_smoothing": 0.1, "tie_weights": True, "embedding_size": 12},
        {"attention": "dot", "batch_norm": True, "accumulate": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("lines", [False, True])
def test_with_what_else_there_is(more, lines):
    data = [" ".join(TEXT.split()[at : at + 9]) for at in range(0, 900, 9)] if lines else TEXT
    model = LanguageModel(**{**OPTIONS, **more}, softmax_samples=5, lr=0.02).fit(data, steps=40)
    assert model.report_["test"]["loss"] < 0.98 * np.log(len(model.vocabulary_))


@pytest.mark.parametrize(("together", "counted"), [(1 << 12, 1 << 22), (7, 5)])
def test_counts_are_those_of_what_is_to_be_predicted(monkeypatch, together, counted):
    monkeypatch.setattr(corpora, "TOGETHER", together)
    monkeypatch.setattr(corpora, "COUNTED", counted)
    corpus = LanguageModel(**OPTIONS).prepare(TEXT).corpus
    counts = corpus.target_counts()
    assert counts.sum() == corpus.train.tokens
    ids = corpus.train.readings[0].ids[1:]
    assert all(counts[symbol] == (ids == symbol).sum() for symbol in range(len(counts)))
    lines = [TEXT[at : at + 30] for at in range(0, 3000, 30)]
    corpus = LanguageModel(**SMALL).prepare(lines).corpus
    counts = corpus.target_counts()
    assert counts[corpus.vocabulary.end_id] == len(corpus.train.readings)
    assert counts.sum() == corpus.train.tokens


def test_a_translator_scores_a_sample_of_what_it_writes(from_fifty_on):
    sources = [f"{a} {b}" for a in WORDS[:20] for b in WORDS[:6]]
    targets = [f"{b} {a} {WORDS[(7 * place) % 60]}" for place, (a, b) in enumerate(map(str.split, sources))]
    small = {"cell": "gru", "hidden_size": 8, "embedding_size": 6, "level": "words", "min_count": 1}
    model = Translator(**small, dtype="float64", dropout=0.0)
    prepared = model.prepare(sources, targets)
    assert model.by_symbols(prepared.symbols) == {"softmax_samples": 9}
    assert any("words of the target" in note for note in prepared.description.notes)
    fitted = model._built(chosen_cells(model), prepared.schema, {})
    task = model._trained(fitted, prepared)
    flat, step = fitted.parameters, 1e-5

    def value():
        flat.zero_gradients()
        return task.step(0, Mode(training=True, rng=np.random.default_rng(3))).loss

    value()
    exact, start = flat.gradients.copy(), flat.values.copy()
    for seed in range(3):
        direction = np.random.default_rng(seed).standard_normal(exact.size)
        ends = []
        for sign in (1, -1):
            flat.values[...] = start + sign * step * direction
            ends.append(value())
        slope = (ends[0] - ends[1]) / (2 * step)
        assert abs(exact @ direction - slope) < 1e-8 * np.linalg.norm(exact) * np.linalg.norm(direction)
    head = dict(fitted.parameters.named())["network.decoder.output.W"]
    assert not head.gradient.all(axis=1).all()
    whole = Translator(**small).fit(sources, targets, steps=6)
    assert np.isfinite(whole.report_["test"]["loss"])
