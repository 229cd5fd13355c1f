"""The classes as a user's type checker sees them: mypy reads this file as it reads the library."""

from typing import assert_type

import numpy as np
import pytest

from noria import Forecaster, LanguageModel, SequenceClassifier, SequenceRegressor, SequenceTagger, Translator
from noria.errors import NotFittedError
from noria.models.model import Model


def made() -> list[Model]:
    """Make one of each, as it is made most often: with an option or two."""
    return [
        LanguageModel(cell="gru", hidden_size=16),
        SequenceClassifier(hidden_size=16, dropout=0.0),
        SequenceRegressor(hidden_size=16),
        SequenceTagger(hidden_size=16, crf=True),
        Forecaster(horizon=12),
        Translator(hidden_size=16, attention="dot"),
    ]


def test_every_task_is_made_of_options_alone() -> None:
    assert [model.task for model in made()] == ["text", "classify", "regress", "tag", "forecast", "translate"]


def test_fit_gives_the_class_back() -> None:
    model = LanguageModel(hidden_size=4, sample_length=0).fit("to be or not to be. " * 20, steps=1)
    assert_type(model, LanguageModel)
    assert isinstance(model.evaluate("to be\n")["loss"], float)


def test_what_comes_with_training_is_known_before() -> None:
    model = SequenceClassifier(hidden_size=4)
    with pytest.raises(NotFittedError):
        model.predict_proba(["a"])
    fitted = model.fit(["aa", "bb"] * 12, ["a", "b"] * 12, steps=1)
    assert np.array_equal(fitted.classes_, ["a", "b"])
