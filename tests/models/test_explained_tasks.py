"""Looking inside a model of each task: what it reads, what it records, what it answers."""

from pathlib import Path

import numpy as np
import pytest

from noria.arrays import Array
from noria.errors import OptionError
from noria.models import (
    Explanation,
    Forecaster,
    SequenceClassifier,
    SequenceRegressor,
    SequenceTagger,
    Translator,
)
from noria.models.model import Model

TINY = {"hidden_size": 5, "engine": "reference"}


def paths(found: Explanation) -> list[str]:
    return [layer.path for layer in found.layers]


def test_a_classifier_from_both_ends(tmp_path: Path) -> None:
    texts, labels = ["good film", "bad film", "fine day", "bad day"] * 5, ["p", "n", "p", "n"] * 5
    model = SequenceClassifier(cell="gru", pooling="attention", bidirectional=True, **TINY)
    model.fit(texts, labels, steps=1)
    found = model.explain("good bad day", "n")
    assert found.steps == ("good", "bad", "day")
    assert paths(found) == ["recurrent.0.forward", "recurrent.0.backward"]
    forward, backward = found.layers
    assert (forward.reversed, backward.reversed) == (False, True)
    z, n, h = (backward.values[name] for name in "znh")
    np.testing.assert_allclose(h[1], (1 - z[1]) * n[1] + z[1] * h[2], atol=1e-6)  # it came from the right
    (pooled,) = found.attention
    assert (pooled.steps, pooled.seen) == (("the whole sequence",), found.steps)
    assert pooled.weights.sum() == pytest.approx(1.0, abs=1e-6)
    (answer,) = found.predictions
    assert answer["target"] == "n"
    assert dict(answer["top"])["p"] == pytest.approx(model.predict_proba(["good bad day"])[0][1], abs=1e-6)
    through = model.gradient_through_time("good bad day", "n")
    assert through.loss == pytest.approx(-np.log(dict(answer["top"])["n"]), abs=1e-5)
    assert through.loss_of == "answering 'n'"
    assert [one.distances.tolist() for one in through.layers] == [[2, 1, 0], [0, 1, 2]]
    table = tmp_path / "some.csv"
    table.write_text("text,label\nbad day,n\ngood film,p\n")
    assert model.explain(table, row=1).steps == ("good", "film")


def test_a_regressor_follows_its_answer_back_where_none_is_known() -> None:
    rng = np.random.default_rng(0)
    series = [rng.standard_normal((4 + number % 3, 2)) for number in range(20)]
    model = SequenceRegressor(**TINY).fit(series, np.arange(20.0), steps=1)
    found = model.explain(series[4])
    assert found.steps == ("1", "2", "3", "4", "5")
    assert found.predictions[0]["value"] == pytest.approx(float(model.predict([series[4]])[0]), rel=1e-5)
    assert model.gradient_through_time(series[4]).loss_of.startswith("the answer")


@pytest.mark.parametrize("crf", [False, True])
def test_a_tagger(crf: bool) -> None:
    words, tags = [["the", "cat"], ["a", "dog", "runs"]] * 5, [["D", "N"], ["D", "N", "V"]] * 5
    model = SequenceTagger(crf=crf, **TINY).fit(words, tags, steps=1)
    found = model.explain("the dog sees")
    assert [entry["answer"] for entry in found.predictions] == model.predict([["the", "dog", "sees"]])[0]
    spelt, *_, backward = found.layers
    assert spelt.steps == tuple("thedogsees")
    assert (backward.path, backward.steps) == ("recurrent.0.backward", ("the", "dog", "sees"))
    through = model.gradient_through_time("the dog sees", ["D", "N", "V"], at=1)
    assert through.loss_of == (
        "the score of 'N' at 'dog' (token 2)" if crf else "tagging 'dog' (token 2) as 'N'"
    )
    assert [one.path for one in through.layers[::2]] == ["recurrent.0.forward", "recurrent.0.backward"]
    assert through.layers[0].norms[2] == 0.0  # what stands behind reaches a token from the other side
    assert through.layers[2].norms[0] == 0.0


@pytest.mark.parametrize("feeding", [False, True])
def test_a_translator(feeding: bool) -> None:
    sources, targets = ["abc", "bc", "caba"] * 5, ["xyz", "yz", "zxyx"] * 5
    model = Translator(cell="gru", input_feeding=feeding, **TINY).fit(sources, targets, steps=1)
    found = model.explain("acb", "xzy")
    assert found.steps == ("^", "x", "z", "y")
    assert [entry["target"] for entry in found.predictions] == ["x", "z", "y", "<end>"]
    first, *_, last = found.layers
    assert (first.path, first.steps) == ("encoder.recurrent.0.forward", ("a", "c", "b"))
    assert last.path == ("decoder.recurrent.recurrent.0" if feeding else "decoder.recurrent.0")
    (looked,) = found.attention
    assert looked.seen == ("a", "c", "b")
    right = model.attention_weights("acb", "xzy").weights
    np.testing.assert_allclose(looked.weights, right, atol=1e-5)
    through = model.gradient_through_time("acb", "xzy", at=1)
    assert through.loss_of == "writing 'z' as symbol 2"
    decoder = through.layers[-1]
    assert (decoder.norms > 0).tolist() == [True, True, False, False]
    assert all((one.norms > 0).all() for one in through.layers[:-1])


@pytest.mark.parametrize("strategy", ["direct", "seq2seq"])
def test_a_forecaster(strategy: str) -> None:
    values: Array = np.sin(np.arange(60.0))
    model = Forecaster(horizon=3, lookback=8, strategy=strategy, members=2, **TINY)
    model.fit(values, steps=1)
    found = model.explain(None)
    assert found.steps == tuple(str(time) for time in range(52, 60))
    assert [entry["step"] for entry in found.predictions] == ["60", "61", "62"]
    inside = ["encoder", "decoder"] if strategy == "seq2seq" else ["recurrent"]
    assert paths(found) == [f"{member}.{name}.0" for member in (0, 1) for name in inside]
    assert [entry["value"] for entry in found.predictions] == pytest.approx(
        model.predict()["forecast"].tolist()
    )
    through = model.gradient_through_time(None)
    assert all((one.norms > 0).all() for one in through.layers)


def test_a_task_that_has_no_inputs_says_so() -> None:
    class Other(SequenceClassifier):
        _subject = Model._subject

    with pytest.raises(OptionError, match="Other: has no inputs that can be looked at"):
        Other()._subject("a", None, 0)
