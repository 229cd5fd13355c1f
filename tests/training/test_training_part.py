"""Figures on the training part: measured beside those of validation, where a task measures them."""

import json

import numpy as np
import pytest
from quadratic_task import QuadraticTask

from noria.models.text.options import TextTrainingOptions
from noria.training.calibration import calibrate
from noria.training.report import Evaluated
from noria.training.run_folder import RunFolder
from noria.training.task import evaluated
from noria.training.trainer import Trainer


class MeasuredTask(QuadraticTask):
    """Measures its training part as well, which takes its time."""

    def __init__(self, *, clock=None, takes=(0.0, 0.0), **changed):
        super().__init__(**changed)
        self.clock, self.takes = clock, takes

    def evaluate(self, part):
        if self.clock is not None:
            self.clock.now += self.takes[0]
        return super().evaluate(part)

    def rehearse(self, part, share):
        if part == "validation":
            self.evaluate_training()
        return super().rehearse(part, share)

    def evaluate_training(self):
        if self.clock is not None:
            self.clock.now += self.takes[1]
        self.parts_seen.append("train")
        return {"loss": self.loss() / 8, "share": float(self.parameters.values.sum())}


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def options(**changed):
    return TextTrainingOptions(
        **{"optimizer": "sgd", "lr": 0.1, "warmup": 0, "schedule": "constant", "eval_every": 5} | changed
    )


def test_a_task_that_measures_its_training_part_is_asked_for_it():
    task = MeasuredTask()
    assert evaluated(task) == ({"loss": task.loss(), "count": 1.0}, {"loss": task.loss() / 8, "share": 0.0})
    assert task.parts_seen == ["validation", "train"]
    plain = QuadraticTask()
    assert evaluated(plain) == ({"loss": plain.loss(), "count": 1.0}, {})


def test_its_figures_are_told_and_logged_and_decide_nothing(tmp_path):
    task, events = MeasuredTask(), []
    run = RunFolder.create(tmp_path / "run", task="quadratic")
    weights = []

    def listen(event):
        if isinstance(event, Evaluated):
            events.append(event)
            weights.append(task.parameters.values.copy())

    task.on_evaluate = lambda task, part, loss: 50.0 - loss  # gets worse while the training part gets better
    result = Trainer(task, options(), run, listen).fit(steps=15)
    assert [event.train["loss"] for event in events] == sorted(
        (event.train["loss"] for event in events), reverse=True
    )
    for event, values in zip(events, weights, strict=True):
        assert event.train["share"] == pytest.approx(values.sum())
    assert result.best_step == 5
    assert set(result.validation) == {"loss", "count"}
    lines = [json.loads(line) for line in (run.path / "log.jsonl").read_text().splitlines()]
    logged = [line["train"] for line in lines if line["event"] == "Evaluated"]
    assert logged == [event.train for event in events]
    assert task.parts_seen == [*["validation", "train"] * 3, "test"]


def test_averaged_weights_are_measured():
    told = []
    task = MeasuredTask(noise=0.5)
    changed = {"averaging": "ema", "averaging_decay": 0.5}

    def listen(event):
        if isinstance(event, Evaluated):
            told.append((event.train["share"], float(task.parameters.values.sum())))

    Trainer(task, options(**changed), None, listen).fit(steps=5)
    ((measured, latest),) = told
    assert abs(measured - latest) > 1e-3


def test_what_is_not_finite_there_ends_nothing():
    events = []
    task = MeasuredTask()
    task.evaluate_training = lambda: {"loss": float("nan")}
    Trainer(task, options(), None, events.append).fit(steps=5)
    (event,) = (event for event in events if isinstance(event, Evaluated))
    assert np.isnan(event.train["loss"])


def test_its_time_counts_as_that_of_an_evaluation():
    clock = Clock()
    task = MeasuredTask(clock=clock, takes=(1.0, 2.0))
    timing = calibrate(task, options(), budget=20.0, clock=clock)
    assert timing.evaluation == pytest.approx(3.0)
    events = []
    Trainer(task, options(), None, events.append, clock=clock).fit(steps=5)
    (event,) = (event for event in events if isinstance(event, Evaluated))
    assert event.seconds == pytest.approx(3.0)
