"""A language model that attends to its past: it trains, writes step by step, and is the same when loaded."""

import pytest

import noria
from noria import LanguageModel
from noria.errors import OptionError

TEXT = "a rose is a rose is a rose, and a nose is a nose is a nose.\n" * 60


def trained(**options):
    model = LanguageModel(
        hidden_size=13, embedding_size=5, dropout=0.1, batch_size=3, seq_length=11, sample_length=0, **options
    )
    return model.fit(TEXT, steps=40)


@pytest.mark.parametrize("score", ["dot", "general", "additive"])
def test_a_model_with_attention_trains_and_is_the_same_when_loaded(score, tmp_path):
    model = trained(attention=score, attention_span=7)
    assert model.report_["test"]["loss"] < 2.6  # evenly spread it would be 2.7
    model.save(tmp_path / "run")
    loaded = noria.load(tmp_path / "run")
    assert loaded.evaluate(TEXT[:500]) == model.evaluate(TEXT[:500])
    assert loaded.sample("a ", length=30, seed=1) == model.sample("a ", length=30, seed=1)


def test_steps_see_what_the_whole_text_sees():
    model = trained(attention="general", attention_span=7, dtype="float64")
    text, total = TEXT[:60], 0.0
    log_probabilities, state = model.step(model.start_symbol, model.start())
    for character in text:
        total -= log_probabilities[model.vocabulary_.encode(character)[0]]
        log_probabilities, state = model.step(character, state)
    assert total / len(text) == pytest.approx(model.evaluate(text)["loss"], abs=1e-12)


def test_a_span_without_attention_is_refused():
    with pytest.raises(OptionError, match="attention_span"):
        LanguageModel(attention_span=5).fit(TEXT, steps=1)
