"""Sequences of different lengths trained on three ways: the same update, and what each of them computes."""

import numpy as np
import pytest

from noria.errors import OptionError
from noria.layers import Mode, Recurrent
from noria.models.classify.batching import Padded
from noria.models.loading import model_class

LENGTHS = [3, 7, 1, 5, 2, 7]
WAYS = ("packed", "padded", "one-by-one")
SMALL = {
    "hidden_size": 5,
    "batch_size": 6,
    "dropout": 0.0,
    "dtype": "float64",
    "engine": "reference",
    "bidirectional": False,
    "seed": 3,
    "valid_fraction": 0.0,
    "test_fraction": 0.0,
}


def data_of(kind):
    rng = np.random.default_rng(2)
    labels = ["up", "down", "up", "side", "down", "up"]
    if kind == "series":
        return [rng.normal(size=(length, 4)) for length in LENGTHS], labels
    words = np.array(["a", "bad", "day", "dull"])
    return [" ".join(words[rng.integers(0, 4, length)]) for length in LENGTHS], labels


def task_of(kind, batching, **changed):
    model = model_class("classify")(**{**SMALL, **changed}, batching=batching)
    prepared = model.prepare(*data_of(kind))
    model.fit(prepared, steps=1)
    return model._trained(model._fitted, prepared)


def gradient_of(task, examples):
    task.parameters.zero_gradients()
    result = task.forward_backward(examples, Mode(training=True, rng=np.random.default_rng(0)))
    return result, task.parameters.gradients.copy()


CASES = [
    ("series", {"pooling": "last", "cell": "lstm"}),
    ("series", {"pooling": "mean", "cell": "gru", "num_layers": 2, "hidden_layers": 1}),
    ("words", {"pooling": "attention", "cell": "gru", "embedding_size": 3, "class_weights": "balanced"}),
    ("words", {"pooling": "max", "cell": "rnn", "embedding_size": 0, "label_smoothing": 0.1}),
    ("series", {"pooling": "last", "cell": "gru", "zoneout": 0.0, "layer_norm": True}),
]


@pytest.mark.parametrize(("kind", "changed"), CASES)
def test_all_three_make_the_same_update(kind, changed):
    tasks = {way: task_of(kind, way, **changed) for way in WAYS}
    values = tasks["packed"].parameters.values
    found = {}
    for way, task in tasks.items():
        task.parameters.values[...] = values
        found[way] = gradient_of(task, task.train)
    (packed, gradient), others = found["packed"], [found[way] for way in WAYS[1:]]
    assert np.linalg.norm(gradient) > 1e-3
    for result, other in others:
        assert result.loss == pytest.approx(packed.loss, rel=1e-13)
        assert result.tokens == packed.tokens == sum(LENGTHS)
        np.testing.assert_allclose(other, gradient, atol=1e-13 * np.linalg.norm(gradient))


def test_both_directions_are_read_one_by_one_too():
    both = {"bidirectional": True, "pooling": "last"}
    tasks = [task_of("words", way, **both) for way in ("packed", "one-by-one")]
    tasks[1].parameters.values[...] = tasks[0].parameters.values
    (_, one), (_, other) = (gradient_of(task, task.train) for task in tasks)
    np.testing.assert_allclose(one, other, atol=1e-13 * np.linalg.norm(one))


def rows_of(monkeypatch, batching):
    """Count the rows that recurrent layers see in an update, and their calls."""
    task, seen = task_of("series", batching), []
    whole = Recurrent.__call__

    def counted(layer, x, **rest):
        seen.append(len(x))
        return whole(layer, x, **rest)

    monkeypatch.setattr(Recurrent, "__call__", counted)
    gradient_of(task, [example for example in task.train if len(example.sequence) < 7])
    return sorted(seen)


@pytest.mark.parametrize(
    ("batching", "expected"),
    [("packed", [3 + 1 + 5 + 2]), ("padded", [4 * 7]), ("one-by-one", [1, 2, 3, 5])],
)
def test_what_each_of_them_computes(monkeypatch, batching, expected):
    assert rows_of(monkeypatch, batching) == expected


def test_a_sequence_that_became_longer_is_the_longest_then():
    task = task_of("series", "padded")
    packed = task_of("series", "packed")
    packed.parameters.values[...] = task.parameters.values
    short = Padded(task.network, "pooling", 4)
    task._way = short
    (one, gradient), (other, expected) = (gradient_of(each, task.train) for each in (task, packed))
    assert one.loss == pytest.approx(other.loss, rel=1e-13)
    np.testing.assert_allclose(gradient, expected, atol=1e-13)


def test_further_columns_are_filled_up_with_their_sequence():
    import pandas

    texts, labels = data_of("words")
    table = pandas.DataFrame({"text": texts, "label": labels, "age": [1.0, 5.0, 2.0, 9.0, 4.0, 3.0]})
    gradients = []
    for way in WAYS:
        model = model_class("classify")(**SMALL, batching=way, extra_columns=["age"], embedding_size=3)
        prepared = model.prepare(table)
        task = model.fit(prepared, steps=1)._trained(model._fitted, prepared)
        values = task.parameters.values
        values[...] = np.random.default_rng(1).normal(size=values.shape)
        gradients.append(gradient_of(task, task.train)[1])
    for other in gradients[1:]:
        np.testing.assert_allclose(other, gradients[0], atol=1e-13 * np.linalg.norm(gradients[0]))


@pytest.mark.parametrize(
    ("changed", "seeing"),
    [
        ({"bidirectional": True}, "bidirectional=True"),
        ({"batch_norm": True}, "batch_norm=True"),
        ({"network": "convolution", "embedding_size": 3}, "network='convolution'"),
    ],
)
def test_filler_that_would_be_seen_is_refused(changed, seeing):
    model = model_class("classify")(**{**SMALL, **changed}, batching="padded")
    with pytest.raises(OptionError, match=f"with {seeing} the network would see that"):
        model.validate()


def test_an_unknown_way_is_refused():
    with pytest.raises(OptionError, match="Did you mean 'padded'"):
        model_class("classify")(batching="pad").validate()
