"""Runs that end before their last planned step: no improvement, no time."""

import numpy as np
import pytest
from quadratic_task import QuadraticTask

from noria.errors import OptionError
from noria.models.text.options import TextTrainingOptions
from noria.training.report import Evaluated, Stopped
from noria.training.run_folder import RunFolder
from noria.training.stopping import Deadline, EarlyStopping
from noria.training.trainer import Trainer

GIVEN = {"optimizer": "adam", "lr": 0.1, "warmup": 0, "eval_every": 10, "sample_length": 0}


def see(losses, **given):
    early, over = EarlyStopping(**given), []
    for loss in losses:
        early.see(loss)
        over.append(early.is_over)
    return over


def test_patience_counts_evaluations_in_a_row():
    losses = [5.0, 4.0, 4.5, 4.1, 3.9, 4.0, 4.0, 4.0]
    assert see(losses, patience=3) == [False] * 7 + [True]
    assert see(losses, patience=2) == [False] * 3 + [True] + [False] * 2 + [True] * 2
    assert see(losses, patience=0) == [False] * 8


def test_a_small_improvement_does_not_count():
    assert see([5.0, 4.95, 4.91, 4.0], patience=2, min_delta=0.1) == [False, False, True, False]
    # Small ones add up, since each is compared with the last that counted.
    assert see([5.0, 4.95, 4.89, 4.85], patience=2, min_delta=0.1) == [False, False, False, False]


def test_its_state_goes_on():
    first, second = EarlyStopping(3), EarlyStopping(3)
    for loss in (2.0, 2.5, 2.5):
        first.see(loss)
    second.load_state(first.state())
    second.see(2.1)
    assert second.is_over


def losses_by_step(losses):
    return lambda task, part, loss: losses[len(task.steps_seen)] if part == "validation" else loss


def test_training_stops_with_the_best_weights_and_says_so(tmp_path):
    losses = {10: 5.0, 20: 3.0, 30: 4.0, 40: 3.5, 50: 1.0}
    events, run = [], RunFolder.create(tmp_path / "run")
    task = QuadraticTask(on_evaluate=losses_by_step(losses))
    result = Trainer(task, TextTrainingOptions(**GIVEN, patience=2), run, events.append).fit(steps=100)
    assert (result.steps, result.best_step, result.planned) == (40, 20, 100)
    assert (result.stopped, result.interrupted) == ("patience", False)
    (stopped,) = [event for event in events if isinstance(event, Stopped)]
    assert stopped.message == (
        "after step 40 of 100: no improvement in the last 2 evaluations; the best were the weights of step 20"
    )
    np.testing.assert_array_equal(run.read_arrays("best")["first.low"], task.parameters.values[:3])
    assert not np.array_equal(run.read_arrays("last")["weights/first.low"], task.parameters.values[:3])
    # Gone on with as planned it is over at once; a new plan has new patience.
    assert Trainer(QuadraticTask(), TextTrainingOptions(**GIVEN, patience=2), run).resume().steps == 40

    def killed(task, step):
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        Trainer(QuadraticTask(on_step=killed), TextTrainingOptions(**GIVEN, patience=2), run).resume(
            steps=120
        )
    flat = QuadraticTask(on_evaluate=lambda task, part, loss: 4.0)
    assert Trainer(flat, TextTrainingOptions(**GIVEN, patience=2), run).resume().steps == 60


def test_patience_needs_a_validation_part():
    with pytest.raises(OptionError, match=r"'patience' option of .* needs a validation part"):
        TextTrainingOptions(patience=3, valid_fraction=0.0).validate()


def test_a_deadline_forgives_three_percent():
    assert not Deadline(None).is_over(1e9, 1e9)
    assert not Deadline(100.0).is_over(90.0, 13.0)
    assert Deadline(100.0).is_over(91.0, 13.0)


class Judged(QuadraticTask):
    """With the loss as its only figure."""

    def evaluate(self, part):
        return {"loss": super().evaluate(part)["loss"]}


class Machine:
    """A step takes a second, an evaluation four; after some time all takes `factor` times as long."""

    def __init__(self, after, factor):
        self.now, self.after, self.factor = 0.0, after, factor

    def __call__(self):
        return self.now

    def work(self, seconds):
        self.now += seconds * (self.factor if self.now > self.after else 1.0)

    def task(self):
        def on_evaluate(task, part, loss):
            self.work(4.0)
            return loss

        return Judged(noise=0.2, on_step=lambda task, step: self.work(1.0), on_evaluate=on_evaluate)


def test_a_machine_that_stands_still_at_the_end_stops_the_run_where_it_is(tmp_path):
    machine, events = Machine(580.0, 9.0), []
    run = RunFolder.create(tmp_path / "timed")
    options = TextTrainingOptions(**{**GIVEN, "eval_every": 40})
    result = Trainer(machine.task(), options, run, events.append, clock=machine).fit(minutes=10)
    # An evaluation cannot be cut short: two here come to 72 seconds, that of the test part is one.
    assert 0.95 * 600 < machine.now < 1.05 * 600 + 72
    assert result.steps < result.planned
    assert result.stopped == "time"
    assert "much slower; the schedule was not finished" in next(
        event.message for event in events if isinstance(event, Stopped)
    )
    assert [event.step for event in events if isinstance(event, Evaluated)][-1] == result.steps

    again = RunFolder.create(tmp_path / "again")
    repeating = {"stop_after": result.steps, "replanned": result.replanned}
    options = TextTrainingOptions(**{**GIVEN, "eval_every": 40}, **repeating)
    repeated = Trainer(Judged(noise=0.2), options, again).fit(steps=result.planned)
    assert (repeated.steps, repeated.stopped) == (result.steps, "asked")
    for name in ("best.safetensors", "last.safetensors"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes()


@pytest.mark.parametrize("factor", [1.0, 1.3])
def test_a_time_budget_holds_where_the_test_is_long(factor):
    """A text is read symbol after symbol there: it may take as long as twenty evaluations."""
    machine = Machine(60.0, factor)

    class Read(Judged):
        def evaluate(self, part):
            figures = super().evaluate(part)
            machine.work(80.0 if part == "test" else 4.0)
            return figures

        def rehearse(self, part, share):
            machine.work((80.0 if part == "test" else 4.0) * share)
            return share

    task = Read(noise=0.2, on_step=lambda task, step: machine.work(1.0))
    Trainer(task, TextTrainingOptions(**{**GIVEN, "eval_every": 40}), clock=machine).fit(minutes=10)
    assert 0.95 * 600 < machine.now < 1.05 * 600


def test_a_run_that_its_time_cut_off_can_be_brought_to_its_planned_end(tmp_path):
    machine = Machine(580.0, 9.0)
    run, whole = RunFolder.create(tmp_path / "run"), RunFolder.create(tmp_path / "whole")
    options = TextTrainingOptions(**{**GIVEN, "eval_every": 40})
    first = Trainer(machine.task(), options, run, clock=machine).fit(minutes=10)
    assert first.stopped == "time"
    second = Trainer(Judged(noise=0.2), options, RunFolder.open(run.path)).resume()
    assert (second.steps, second.stopped) == (first.planned, None)
    options.replanned = first.replanned
    Trainer(Judged(noise=0.2), options, whole).fit(steps=first.planned)
    for name in ("best.safetensors", "last.safetensors"):
        assert (whole.path / name).read_bytes() == (run.path / name).read_bytes()


def test_checkpoints_by_steps_and_by_minutes(tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr("noria.training.checkpoints.Checkpoints.save", lambda self, step: saved.append(step))
    Trainer(Judged(), TextTrainingOptions(**GIVEN, save_every=4), None).fit(steps=13)
    assert saved == [4, 8, 10, 12, 13]
    saved.clear()
    machine = Machine(1e9, 1.0)
    options = TextTrainingOptions(**{**GIVEN, "eval_every": 400, "save_minutes": 0.5})
    Trainer(machine.task(), options, None, clock=machine).fit(steps=100)
    assert saved == [30, 60, 90, 100]
