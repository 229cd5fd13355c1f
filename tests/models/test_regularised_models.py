"""Models with every regulariser by option: trained, saved whole, refused where options do not fit."""

import signal

import numpy as np
import pytest
from regularised_options import EVERYTHING

from noria import LanguageModel, load
from noria.errors import OptionError
from noria.training.report import StepDone

TEXT = "the cat sat on the mat, and the dog lay by the log.\n" * 30
SMALL = {"cell": "gru", "hidden_size": 8, "batch_size": 4, "seq_length": 10, "sample_length": 0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"embedding_size": 0, "tie_weights": True}, "'tie_weights' option of .* needs an embedding"),
        ({"embedding_size": 0, "input_dropout": 0.1}, "'input_dropout' option of .* needs an embedding"),
        ({"embedding_size": 0, "embedding_dropout": 0.1}, "Got embedding_size=0"),
        (
            {"embedding_size": 8, "hidden_size": [4, 6], "tie_weights": True},
            "embedding_size=8 and 6 values(.|\n)*projection_size=8 or embedding_size=6",
        ),
        ({"drop_connect": 1.0}, r"'drop_connect' option of .* must be a float in \[0, 1\)"),
        ({"label_smoothing": -0.1}, r"'label_smoothing' option of .* must be a float in \[0, 1\)"),
    ],
    ids=str,
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        LanguageModel(**options).validate()


def test_a_model_with_all_of_them_trains_and_comes_back_as_it_was(tmp_path):
    options = EVERYTHING | SMALL | {"embedding_size": 8}
    model = LanguageModel(**options).fit(TEXT, steps=40, out=tmp_path / "run")
    figures = model.evaluate(TEXT)
    assert figures["loss"] < np.log(len(model.vocabulary_))
    other = load(tmp_path / "run")
    assert other.evaluate(TEXT) == figures
    assert other.sample("the ", length=20, seed=1) == model.sample("the ", length=20, seed=1)
    moved = dict(other.parameters_.state_dict())
    assert np.abs(moved["norm.mean"]).max() > 0
    assert model.summary.parameters == model.parameters_.count
    assert sum(layer.parameters for layer in model.summary.layers) == model.parameters_.count


def test_the_same_seed_gives_the_same_bits():
    runs = [LanguageModel(**EVERYTHING, **SMALL | {"hidden_size": 5}).fit(TEXT, steps=6) for _ in range(2)]
    arrays = [run.parameters_.state_dict() for run in runs]
    for path in arrays[0]:
        np.testing.assert_array_equal(arrays[0][path], arrays[1][path])


def test_smoothing_is_in_the_loss_that_is_trained_on_and_in_no_figure():
    plain, smooth = (
        LanguageModel(**SMALL, dropout=0.0, label_smoothing=e, lr=0.02).fit(TEXT, steps=100)
        for e in (0.0, 0.3)
    )
    losses = [model.evaluate(TEXT)["loss"] for model in (plain, smooth)]
    assert losses[1] > losses[0] + 0.1
    assert losses[1] < 0.8


def test_a_run_with_all_of_them_is_gone_on_with_in_the_same_bytes(tmp_path):
    options = EVERYTHING | SMALL | {"hidden_size": 5}

    def press(event):
        if isinstance(event, StepDone) and event.step == 7:
            signal.raise_signal(signal.SIGINT)

    LanguageModel(**options).fit(TEXT, steps=16, out=tmp_path / "whole")
    LanguageModel(**options).fit(TEXT, steps=16, out=tmp_path / "cut", listener=press)
    LanguageModel.resume(tmp_path / "cut", TEXT)
    for name in ("best.safetensors", "last.safetensors"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "cut" / name).read_bytes(), name
