"""A language model that attends to its past: it trains, writes step by step, and is the same when loaded."""

import numpy as np
import pytest

import noria
from noria import LanguageModel
from noria.errors import DataError, NotFittedError, OptionError
from noria.layers import INFERENCE, CausalAttention
from noria.layers.streaming import copy_of
from noria.sequences import Ragged

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


def rows_of(model, text):
    """Give the weights of one call over the whole text, as the layer records them."""
    network = copy_of(model.network_)
    (attention,) = (layer for layer in network.layers if isinstance(layer, CausalAttention))
    attention.keep = True
    ids = np.concatenate([[model.start_symbol], model.vocabulary_.encode(text)])
    return network(Ragged.from_sequences([ids]), mode=INFERENCE)[1].kept["attention.weights"]


@pytest.mark.parametrize("score", ["dot", "general", "additive"])
def test_the_weights_of_a_text_are_those_of_the_layer(score):
    model = trained(attention=score, attention_span=7, dtype="float64")
    text = TEXT[5:30]
    weights = model.attention_weights(text)
    assert weights.shape == (25, 7)
    np.testing.assert_allclose(weights, rows_of(model, text)[:-1], atol=1e-12)
    assert not weights[0].any()
    np.testing.assert_allclose(weights[1:].sum(axis=1), 1.0, atol=1e-12)
    assert not weights[3, :4].any()
    assert weights[3, 4:].all()
    assert np.ptp(weights[12:], axis=1).max() > 1e-3


def test_what_is_looked_at_while_writing_is_recorded_symbol_by_symbol():
    model = trained(attention="general", attention_span=7, dtype="float64")
    rows = []
    options = {"length": 20, "seed": 3}
    text = model.sample("a rose", attention_weights=rows, **options)
    assert text == model.sample("a rose", **options)
    assert len(rows) == len(text) == 26
    np.testing.assert_allclose(np.stack(rows), model.attention_weights(text), atol=1e-12)
    pieces = []
    written = model.stream("a rose", attention_weights=pieces, **options)
    for _ in range(9):
        next(written)
    assert 7 < len(pieces) < 26
    np.testing.assert_array_equal(np.stack(pieces), np.stack(rows)[: len(pieces)])


def test_a_sequence_has_a_row_for_its_end():
    names = ["anna", "bob", "eve", "otto"] * 20
    small = {"hidden_size": 9, "embedding_size": 5, "batch_size": 4, "sample_length": 0}
    model = LanguageModel(**small, attention="dot", attention_span=3, lr=0.02).fit(names, steps=60)
    assert model.attention_weights("bob").shape == (4, 3)
    assert model.attention_weights("").shape == (1, 3)
    rows = []
    text = model.sample("an", length=40, greedy=True, attention_weights=rows)
    assert len(text) < 40
    assert len(rows) == len(text) + 1


def test_a_model_without_attention_says_that_it_has_none():
    plain = trained()
    with pytest.raises(OptionError, match="attention: the model has none"):
        plain.attention_weights("a rose")
    with pytest.raises(OptionError, match="attention: the model has none"):
        plain.sample("a", attention_weights=[])
    with pytest.raises(NotFittedError, match="no weights yet"):
        LanguageModel(attention="dot").attention_weights("a")
    with pytest.raises(DataError, match="at least one symbol to read"):
        trained(attention="dot", attention_span=4).attention_weights("")
