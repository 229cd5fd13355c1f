"""What the time of a run is foretold from: the tokens of an epoch, and parts of which a share is read."""

import numpy as np
import pytest

from noria.layers import Mode
from noria.models.examples import spread
from noria.models.loading import MODELS, model_class
from noria.models.translate.task import TRANSLATED
from task_data import data_of

SMALL = {"hidden_size": 5, "batch_size": 4, "engine": "reference", "seed": 3}


def task_of(name, **options):
    model = model_class(name)(**SMALL, **options)
    prepared = model.prepare(*data_of(name))
    model.fit(prepared, steps=1)
    return model._trained(model._fitted, prepared)


def tokens_of_an_epoch(task):
    mode = Mode(training=True, rng=np.random.default_rng(1))
    return sum(task.step(step, mode).tokens for step in range(task.steps_per_epoch))


@pytest.mark.parametrize("name", MODELS)
def test_tokens_of_an_epoch_are_those_that_its_steps_count(name):
    task = task_of(name)
    assert task.tokens_per_epoch == tokens_of_an_epoch(task)


@pytest.mark.parametrize("resampling", ["over", "under"])
def test_where_classes_are_drawn_their_lengths_count(resampling):
    texts = ["short one"] * 40 + ["a far longer text of the other class, which is rare"] * 8
    labels = ["often"] * 40 + ["rare"] * 8
    model = model_class("classify")(**SMALL, resampling=resampling)
    prepared = model.prepare([f"{text} {k}" for k, text in enumerate(texts)], labels)
    model.fit(prepared, steps=1)
    task = model._trained(model._fitted, prepared)
    assert task.tokens_per_epoch == pytest.approx(tokens_of_an_epoch(task), rel=0.02)


@pytest.mark.parametrize("name", MODELS)
def test_a_share_of_a_part_can_be_read_and_leaves_all_as_it_is(name, monkeypatch):
    monkeypatch.setattr("noria.models.examples.ExamplesTask.measured_together", 2)
    monkeypatch.setattr("noria.models.forecast.task.ForecastTask.measured_together", 2)
    task = task_of(name, valid_fraction=0.2, test_fraction=0.2)
    task.step(0, Mode(training=True, rng=np.random.default_rng(1)))
    weights = task.parameters.values.copy()
    carried = {path: array.copy() for path, array in task.carried().items()}
    assert bool(carried) == (name == "text")
    before = task.evaluate("validation"), task.evaluate("test")
    for part in ("validation", "test"):
        read = [task.rehearse(part, share) for share in (0.01, 0.5, 1.0)]
        assert 0 < read[0] < read[2] == 1.0
        assert read == sorted(read)
    assert (task.evaluate("validation"), task.evaluate("test")) == before
    np.testing.assert_array_equal(task.parameters.values, weights)
    for path, array in task.carried().items():
        np.testing.assert_array_equal(array, carried[path])


def test_a_share_is_spread_over_all_lengths():
    lengths = np.random.default_rng(2).permutation(320).tolist()
    examples = [f"{length}" for length in lengths]
    longest_first = sorted(lengths, reverse=True)

    def chosen(share):
        return [int(length) for length in spread(examples, lengths, share)]

    assert chosen(0.01) == longest_first[128:192]
    assert chosen(0.4) == longest_first[64:128] + longest_first[192:256]
    assert chosen(1.0) == longest_first
    lengths, examples = lengths[:65], examples[:65]
    assert chosen(0.01) == sorted(lengths, reverse=True)[:64]  # not the one that is left
    assert spread([], [], 0.5) == []


def test_of_many_pairs_as_much_is_translated_as_an_evaluation_would(monkeypatch):
    task = task_of("translate", valid_fraction=0.2, max_length=60)
    task.validation = [*task.validation] * 60
    assert len(task.validation) > 2 * TRANSLATED
    translated, scored, limits = [], [], []

    def translate(writer, pairs, schema):
        translated.append(pairs)
        limits.append(writer.limit)
        return [""] * len(pairs)

    monkeypatch.setattr("noria.models.translate.task.translations", translate)
    monkeypatch.setattr(
        "noria.models.translate.task.nats", lambda network, pairs, end: scored.append(len(pairs)) or (1.0, 1)
    )
    task.evaluate("validation")
    assert ([len(pairs) for pairs in translated], scored) == ([TRANSLATED], [len(task.validation)])
    assert limits == [60]
    learnt, whole = len(task.training_sample), len(task.validation)
    for share in (0.01, 0.3, 1.0):
        translated.clear(), scored.clear(), limits.clear()
        read = task.rehearse("validation", share)
        count = sum(len(pairs) for pairs in translated)
        assert share <= read == count / (TRANSLATED + learnt)
        assert scored[0] / whole == pytest.approx((count - scored[1]) / TRANSLATED, abs=64 / whole)
        assert limits == [max(len(pair.written) for pair in pairs) for pairs in translated]
        assert max(limits) < 60
    for told in (translated, scored, limits):
        told.clear()
    assert task.rehearse("test", 1.0) == 1.0
    assert scored == [sum(len(pairs) for pairs in translated)] == [len(task.test)]
    assert limits == [max(len(pair.written) for pair in pairs) for pairs in translated]
