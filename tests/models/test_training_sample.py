"""The sample of the training part that is measured at each evaluation, of every task that has one."""

import json

import numpy as np
import pytest

from noria.layers import FlatParameters
from noria.models.examples import MOST_MEASURED, ExamplesTask
from noria.models.loading import model_class
from noria.models.translate.task import TRANSLATED, TranslationTask
from noria.training.report import Evaluated, Stopped
from task_data import data_of

SMALL = {"hidden_size": 5, "batch_size": 4, "engine": "reference", "seed": 3}


class Listed(ExamplesTask):
    """Examples are numbers, and what is measured of them is which they are."""

    def __init__(self, train, validation, seed=3):
        super().__init__(
            "listed",
            FlatParameters(np.zeros(1), [], {}, {}),
            train,
            validation,
            [],
            batch_size=4,
            seed=seed,
        )

    def length_of(self, example):
        return 1

    def forward_backward(self, examples, mode):
        raise AssertionError("measuring trains nothing")

    def figures(self, examples):
        return {"loss": float(len(examples)), "sum": float(sum(examples))}


def test_as_many_as_validation_has_the_same_each_time():
    task = Listed(list(range(40)), list(range(100, 107)))
    sample = task.training_sample
    assert len(sample) == len(set(sample)) == 7
    assert sample == sorted(sample)
    assert set(sample) <= set(range(40))
    assert sample != list(range(7))
    assert task.evaluate_training() == {"loss": 7.0, "sum": float(sum(sample))} == task.evaluate_training()
    assert Listed(list(range(40)), list(range(7))).training_sample == sample
    assert Listed(list(range(40)), list(range(7)), seed=4).training_sample != sample


def test_never_more_than_there_are_nor_than_are_worth_their_time():
    assert Listed([1, 2, 3], list(range(9))).training_sample == [1, 2, 3]
    many = list(range(3 * MOST_MEASURED))
    assert len(Listed(many, many).training_sample) == MOST_MEASURED
    assert TranslationTask.most_measured == TRANSLATED


def test_nothing_is_measured_without_a_validation_part():
    assert Listed(list(range(9)), []).evaluate_training() == {}


OPTIONS = {
    "classify": {"dropout": 0.5, "label_smoothing": 0.2, "class_weights": "balanced"},
    "regress": {"dropout": 0.5},
    "tag": {"dropout": 0.5},
    "translate": {"dropout": 0.5, "label_smoothing": 0.2, "max_length": 25},
}


@pytest.mark.parametrize("task", OPTIONS)
def test_it_is_measured_as_other_data_are_and_without_what_regularises(task):
    told = []
    parts = {"valid_fraction": 0.5, "test_fraction": 0.1}  # so that all of the training part is the sample
    model = model_class(task)(**SMALL, **OPTIONS[task], **parts, eval_every=1)
    prepared = model.prepare(*data_of(task))
    model.fit(prepared, steps=1, listener=told.append)
    (event,) = (one for one in told if isinstance(one, Evaluated))
    trained = model._trained(model._fitted, prepared)
    assert len(trained.training_sample) == len(trained.train) < len(trained.validation)
    assert event.train == pytest.approx(trained.figures(trained.train))
    assert set(event.train) == set(event.metrics)
    if task in ("classify", "regress"):
        learnt = [record.sequence for record in prepared.train.records]
        figures = model.evaluate(learnt, [record.target for record in prepared.train.records])
        assert event.train == pytest.approx({key: figures[key] for key in event.train})


@pytest.mark.parametrize("strategy", ["direct", "recursive"])
def test_a_forecaster_measures_windows_that_end_in_the_training_part(strategy):
    model = model_class("forecast")(**SMALL, horizon=5, lookback=9, members=1, strategy=strategy)
    gaps = np.random.default_rng(1).normal(size=90).cumsum()
    gaps[30:34] = np.nan
    series = {"long": np.sin(np.arange(80) / 3.0), "gaps": gaps}
    prepared = model.prepare(series)
    told = []
    model.fit(prepared, steps=1, listener=told.append)
    task = model._trained(model._fitted, prepared)
    known, ends = task.measurable(), [cut.learnt for cut in prepared.cuts]
    assert {number for number, _ in known} == {0, 1}
    for number, end in enumerate(ends):
        last = max(origin for series, origin in known if series == number)
        assert last + 5 == end - 1
    left_out = len(task.train) - len(known)
    assert left_out == (0 if strategy == "direct" else 2 * 4)
    (event,) = (one for one in told if isinstance(one, Evaluated))
    assert event.train == pytest.approx(task.figures(task.training_sample))
    assert np.isfinite(list(event.train.values())).all()


def told_of(path):
    lines = [json.loads(line) for line in (path / "log.jsonl").read_text().splitlines()]
    return [(line["step"], line["metrics"], line["train"]) for line in lines if line["event"] == "Evaluated"]


def test_a_run_that_is_gone_on_with_measures_the_same(tmp_path):
    changed = {**SMALL, "dropout": 0.3, "eval_every": 2, "save_every": 1}
    kind, data = model_class("classify"), data_of("classify")
    kind(**changed).fit(*data, steps=6, out=tmp_path / "whole")
    heard = []
    kind(**changed, stop_after=3).fit(*data, steps=6, out=tmp_path / "cut", listener=heard.append)
    assert any(isinstance(event, Stopped) for event in heard)
    kind.resume(tmp_path / "cut", *data)
    assert told_of(tmp_path / "cut") == told_of(tmp_path / "whole")
    assert [step for step, _, train in told_of(tmp_path / "whole") if train] == [2, 4, 6]
    for name in ("best.safetensors", "last.safetensors"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_language_model_tells_it_from_its_loss():
    told = []
    model = model_class("text")(**SMALL, seq_length=8, sample_length=0, eval_every=2)
    model.fit("".join(f"{k} ducks and a mill\n" for k in range(60)), steps=2, listener=told.append)
    (event,) = (one for one in told if isinstance(one, Evaluated))
    assert event.train == {}
