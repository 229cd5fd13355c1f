"""Language models that are told more of a symbol than which one it is."""

from itertools import pairwise

import numpy as np
import pytest

from noria import LanguageModel, load
from noria.errors import OptionError, RunError

TEXT = "the cat sat on the mat,\nand the dog lay by the log.\n" * 30
SMALL = {
    "cell": "gru",
    "hidden_size": 8,
    "embedding_size": 5,
    "batch_size": 4,
    "seq_length": 10,
    "dropout": 0.0,
}
ALL = ["shape", "line", "word"]


def fitted(data=TEXT, **options):
    return LanguageModel(**{**SMALL, "features": ALL, "sample_length": 0, **options}).fit(data, steps=4)


@pytest.mark.parametrize("embedding_size", [5, 0])
def test_reading_symbol_by_symbol_is_scoring_at_once(embedding_size):
    model = fitted(embedding_size=embedding_size)
    text = "the dog sat\non the log, "
    symbols = [model.start_symbol, *model.vocabulary_.encode(text)]
    state, nats = model.start(), 0.0
    for symbol, following in pairwise(symbols):
        log_probabilities, state = model.step(int(symbol), state)
        nats -= log_probabilities[following]
    assert nats / len(text) == pytest.approx(model.evaluate(text)["loss"], rel=1e-5)


def test_the_place_in_the_line_is_known_where_nothing_else_tells_it():
    rng = np.random.default_rng(0)
    lines = ["".join(rng.choice(list("ab"), 9)) + "\n" for _ in range(150)]
    common = {"hidden_size": 4, "sample_length": 0, "lr": 0.02, "seq_length": 8, "batch_size": 8}
    losses = [
        LanguageModel(**{**SMALL, **common, "features": features})
        .fit("".join(lines), steps=150)
        .report_["test"]["loss"]
        for features in ("none", "line")
    ]
    best = 0.9 * np.log(2)
    assert losses[1] < best + 0.05 < losses[0]


def test_a_run_knows_its_features_and_goes_on_with_their_counts(tmp_path):
    one = LanguageModel(**{**SMALL, "features": ALL, "sample_length": 0})
    one.fit(TEXT, steps=9, out=tmp_path / "whole")
    cut = LanguageModel(**{**SMALL, "features": ALL, "sample_length": 0, "stop_after": 5})
    cut.fit(TEXT, steps=9, out=tmp_path / "cut")
    resumed = LanguageModel.resume(tmp_path / "cut", TEXT)
    np.testing.assert_array_equal(resumed.parameters_.values, one.parameters_.values)
    loaded = load(tmp_path / "whole")
    assert loaded.features == ALL
    assert loaded.sample("the ", length=20) == one.sample("the ", length=20)


def test_a_run_that_does_not_name_features_has_none(tmp_path):
    one = LanguageModel(**{**SMALL, "features": "none", "sample_length": 0, "stop_after": 5})
    one.fit(TEXT, steps=9, out=tmp_path / "run")
    config = tmp_path / "run" / "config.toml"
    written = config.read_text("utf-8")
    config.write_text(written.replace('features = "none"\n', ""), "utf-8")
    assert config.read_text("utf-8") != written
    loaded = load(tmp_path / "run")
    assert loaded.features == "none"
    assert loaded.evaluate(TEXT) == one.evaluate(TEXT)
    assert LanguageModel.resume(tmp_path / "run", TEXT).report_["steps"] == 9
    left_open = LanguageModel(**{**SMALL, "features": "auto", "sample_length": 0})
    assert left_open.fit(TEXT, steps=1, init_from=tmp_path / "run").chosen_["features"] == "none"
    with pytest.raises(RunError, match="features: none in the run, line here"):
        LanguageModel(**{**SMALL, "features": "line", "sample_length": 0}).fit(
            TEXT, steps=1, init_from=tmp_path / "run"
        )


def test_separate_sequences_have_them_too():
    model = fitted(TEXT.splitlines() * 3)
    assert model.evaluate(["the cat"])["tokens"] == 8
    assert isinstance(model.sample(length=9), str)


def test_what_cannot_be_told_is_refused():
    with pytest.raises(
        OptionError, match=r"'features' option of LanguageModel must be .*'shape', 'line', 'word'"
    ):
        LanguageModel(features="size").validate()
    with pytest.raises(OptionError, match=r"or one word alone. Got \['auto', 'word'\]"):
        LanguageModel(features=["auto", "word"]).validate()
    with pytest.raises(OptionError, match="must not hold 'word' with level='words'"):
        LanguageModel(features=["word"], level="words").validate()
