"""A time budget on machines that change their speed: the time holds, the schedule ends, the run repeats."""

import json
import shutil

import numpy as np
import pytest
from quadratic_task import QuadraticTask

from noria.errors import RunError
from noria.models.text.options import TextTrainingOptions
from noria.training.calibration import Timing
from noria.training.checkpoints import Checkpoints
from noria.training.plan import Plan
from noria.training.progress import Progress
from noria.training.replanning import AIM, LOOKS, Replanning
from noria.training.report import Replanned, StepDone
from noria.training.run_folder import RunFolder
from noria.training.trainer import Trainer

GIVEN = {"optimizer": "adam", "lr": 0.1, "warmup": 0, "eval_every": 32, "sample_length": 0}
FILES = ("best.safetensors", "last.safetensors")
SECONDS = 240.0


class Judged(QuadraticTask):
    """With the loss as its only figure."""

    def evaluate(self, part):
        return {"loss": super().evaluate(part)["loss"]}


class Machine:
    """A step takes a second, an evaluation two, times what `slowness` says of the time."""

    def __init__(self, slowness):
        self.now, self.slowness = 0.0, slowness

    def __call__(self):
        return self.now

    def work(self, seconds):
        self.now += seconds * self.slowness(self.now)

    def task(self, killed_at=None):
        made = 0

        def on_step(task, step):
            nonlocal made
            made += self.now > 20.0  # those of the calibration are others
            if made == killed_at:
                raise MemoryError
            self.work(1.0)

        def on_evaluate(task, part, loss):
            self.work(2.0)
            return loss

        return Judged(noise=0.2, on_step=on_step, on_evaluate=on_evaluate)


def restless(now):
    """Between half and one and a half, another every three seconds, the same in every test."""
    return np.random.default_rng(int(now / 3.0)).uniform(0.5, 1.5)


MACHINES = {
    "steady": lambda now: 1.0,
    "slower": lambda now: 1.0 if now < 50 else 1.3,
    "much slower": lambda now: 1.0 if now < 50 else 3.0,
    "crawling": lambda now: 1.0 if now < 50 else 6.0,
    "faster": lambda now: 1.0 if now < 50 else 0.5,
    "slow at first": lambda now: 2.0 if now < 14 else 1.0,
    "slower late": lambda now: 1.0 if now < 200 else 1.5,
    "restless": restless,
}
CHANGING = sorted(MACHINES.keys() - {"steady"})


def train(path, machine, *, killed_at=None, listener=lambda event: None, **changed):
    run = None if path is None else RunFolder.create(path)
    options = TextTrainingOptions(**{**GIVEN, **changed})
    trainer = Trainer(machine.task(killed_at), options, run, listener, clock=machine)
    return trainer.fit(minutes=SECONDS / 60.0)


def repeat(path, result, **changed):
    options = TextTrainingOptions(**{**GIVEN, **changed}, replanned=result.replanned)
    return Trainer(Judged(noise=0.2), options, RunFolder.create(path)).fit(steps=result.planned)


def bytes_of(path):
    return [(path / name).read_bytes() for name in FILES]


def test_a_plan_that_fits_stays(tmp_path):
    machine = Machine(MACHINES["steady"])
    result = train(tmp_path / "run", machine)
    assert 0.97 * SECONDS < machine.now <= SECONDS
    assert (result.replanned, result.stopped) == (None, None)
    assert "replanned" not in RunFolder.open(tmp_path / "run").config["run"]


@pytest.mark.parametrize("name", CHANGING)
def test_the_time_holds_and_the_schedule_comes_to_its_end(name):
    machine, events = Machine(MACHINES[name]), []
    result = train(None, machine, listener=events.append)
    assert 0.95 * SECONDS < machine.now < 1.05 * SECONDS
    assert (result.steps, result.stopped) == (result.planned, None)
    steps = [event for event in events if isinstance(event, StepDone)]
    assert steps[-1].lr == pytest.approx(0.1 * TextTrainingOptions.final_lr_fraction)
    assert steps[-1].step == steps[-1].steps == result.steps
    changes = [event for event in events if isinstance(event, Replanned)]
    assert [f"{event.step}:{event.planned}" for event in changes] == result.replanned
    for event in changes:
        done = next(one for one in steps if one.step == event.step + 1)
        assert done.steps == event.steps


@pytest.mark.parametrize("name", ["slower", "faster", "restless"])
@pytest.mark.parametrize("changed", [{}, {"averaging": "asgd", "schedule": "one-cycle"}])
def test_steps_and_what_was_planned_repeat_it(tmp_path, name, changed):
    result = train(tmp_path / "run", Machine(MACHINES[name]), **changed)
    assert result.replanned
    repeated = repeat(tmp_path / "again", result, **changed)
    assert bytes_of(tmp_path / "again") == bytes_of(tmp_path / "run")
    assert (repeated.best_step, repeated.replanned) == (result.best_step, result.replanned)
    without = RunFolder.create(tmp_path / "without")
    options = TextTrainingOptions(**{**GIVEN, **changed})
    Trainer(Judged(noise=0.2), options, without).fit(steps=result.steps)
    assert bytes_of(without.path) != bytes_of(tmp_path / "run")


@pytest.mark.parametrize("killed_at", [70, 110, 190])
@pytest.mark.parametrize("averaging", ["none", "asgd"])
def test_a_killed_run_ends_as_it_was_planned_last(tmp_path, killed_at, averaging):
    path = tmp_path / "run"
    with pytest.raises(MemoryError):
        train(path, Machine(restless), killed_at=killed_at, averaging=averaging)
    run = RunFolder.open(path)
    assert run.config["run"]["replanned"]
    resumed = Trainer(Judged(noise=0.2), TextTrainingOptions(**GIVEN, averaging=averaging), run).resume()
    assert (resumed.steps, resumed.replanned) == (run.config["run"]["steps"], run.config["run"]["replanned"])
    repeat(tmp_path / "again", resumed, averaging=averaging)
    assert bytes_of(tmp_path / "again") == bytes_of(path)
    for one in (path, tmp_path / "again"):
        lines = (one / "log.jsonl").read_text(encoding="utf-8").splitlines()
        told = [event for event in map(json.loads, lines) if event["event"] == "Replanned"]
        assert [f"{event['step']}:{event['planned']}" for event in told] == resumed.replanned
        assert [event["steps"] for event in told[:-1]] == [event["planned"] for event in told[1:]]


def test_the_steps_it_came_to_are_no_other_plan(tmp_path):
    path, heard = tmp_path / "run", []
    with pytest.raises(MemoryError):
        train(path, Machine(restless), killed_at=100)
    shutil.copytree(path, tmp_path / "other")
    resumed = Trainer(Judged(noise=0.2), TextTrainingOptions(**GIVEN), RunFolder.open(path)).resume()
    other = RunFolder.open(tmp_path / "other")
    Trainer(Judged(noise=0.2), TextTrainingOptions(**GIVEN), other, heard.append).resume(steps=resumed.steps)
    assert bytes_of(other.path) == bytes_of(path)
    assert heard[0].planned == heard[0].steps == resumed.steps
    assert Trainer(Judged(), TextTrainingOptions(**GIVEN), other).resume(steps=resumed.steps).replanned


def test_minutes_for_a_run_that_is_gone_on_with_are_kept_as_well(tmp_path):
    path = tmp_path / "run"
    Trainer(Judged(noise=0.2), TextTrainingOptions(**GIVEN), RunFolder.create(path)).fit(steps=50)
    machine, heard = Machine(MACHINES["slower"]), []
    options = TextTrainingOptions(**GIVEN)
    trainer = Trainer(machine.task(), options, RunFolder.open(path), heard.append, clock=machine)
    result = trainer.resume(minutes=SECONDS / 60.0)
    assert 0.95 * SECONDS < machine.now < 1.05 * SECONDS
    assert result.replanned
    assert min(event.step for event in heard if isinstance(event, Replanned)) > 50


def test_a_damaged_record_is_named(tmp_path):
    path = tmp_path / "run"
    with pytest.raises(MemoryError):
        train(path, Machine(restless), killed_at=100)
    run = RunFolder.open(path)
    for damage in (["200:x"], [7], "20:30", 5, {"20:30": 1}, ["100:90", "50:90"]):
        run.update_config({"run": {"replanned": damage}})
        with pytest.raises(RunError, match=r"config\.toml: the file is damaged: run: replanned is missing"):
            Trainer(Judged(), TextTrainingOptions(**GIVEN), RunFolder.open(path)).resume()


def test_a_plan_counts_the_evaluation_that_comes_next():
    machine = Machine(MACHINES["steady"])
    progress = Progress(machine)
    progress.calibrated(Timing(step=1.0, evaluation=10.0, test=3.0, tokens=1.0, timed=5))
    replanning = Replanning(100.0, progress)
    progress.step_begins()
    machine.now = 20.0
    progress.step_ends(1.0, tokens=10)
    timing = progress.timing((0.75 * 100 / LOOKS + 20) / (0.75 * 100 / LOOKS + 10))
    assert timing.step > 1.7

    def end(steps):
        evaluated = [step for step in range(10, steps + 1) if step % 10 == 0 or step == steps]
        return 20.0 + timing.predicted(steps - 10, len(evaluated))

    plan = replanning.looked(10, Plan(50, eval_every=10, sample_every=0))
    assert plan.earlier == ((10, 50),)
    assert end(plan.steps) <= AIM * 100 < end(plan.steps + 1)


def test_another_budget_for_a_run_without_a_plan_is_no_repetition(tmp_path):
    path = tmp_path / "run"
    options = TextTrainingOptions(**GIVEN, replanned=["20:100"])
    Trainer(Judged(noise=0.2), options, RunFolder.create(path)).begin()
    result = Trainer(Judged(noise=0.2), options, RunFolder.open(path)).resume(steps=15)
    assert (result.steps, result.replanned) == (15, None)


class WithoutValidation(Machine):
    """There is a test part, which takes a while, and no validation part; an evaluation takes a moment."""

    def task(self):
        machine = self

        class Read(Judged):
            def evaluate(self, part):
                machine.work(20.0 if part == "test" else 1e-4)
                return {"loss": self.loss()} if part == "test" else {}

            def rehearse(self, part, share):
                machine.work(20.0 if part == "test" else 1e-6)
                return 1.0

        return Read(on_step=lambda task, step: self.work(1.0))


@pytest.mark.parametrize("name", ["steady", "restless"])
def test_the_time_holds_without_a_validation_part(name, monkeypatch):
    machine = WithoutValidation(MACHINES[name])
    consider = Checkpoints.consider

    def copies(self, *given, **named):
        machine.work(0.3)
        return consider(self, *given, **named)

    monkeypatch.setattr(Checkpoints, "consider", copies)
    options = TextTrainingOptions(**GIVEN, valid_fraction=0.0)
    result = Trainer(machine.task(), options, clock=machine).fit(minutes=SECONDS / 60.0)
    assert 0.95 * SECONDS < machine.now < 1.05 * SECONDS
    assert (result.steps, result.stopped) == (result.planned, None)


@pytest.mark.parametrize("extra", [0.5, 4.0, 30.0])
def test_an_evaluation_that_was_held_up_says_little_of_the_next(extra):
    machine, held_up = Machine(MACHINES["steady"]), []
    task = machine.task()
    read = task.on_evaluate

    def on_evaluate(task, part, loss):
        if part == "validation" and len(task.steps_seen) > 90 and not held_up:
            held_up.append(machine.work(extra))
        return read(task, part, loss)

    task.on_evaluate = on_evaluate
    result = Trainer(task, TextTrainingOptions(**GIVEN), clock=machine).fit(minutes=SECONDS / 60.0)
    assert held_up
    assert 0.95 * SECONDS < machine.now < 1.05 * SECONDS
    assert result.stopped is None


def test_a_reading_that_was_held_up_while_it_was_timed_leaves_no_run_of_one_step():
    machine, read = Machine(MACHINES["steady"]), []

    class Read(Judged):
        def evaluate(self, part):
            machine.work(2.0)
            return {"loss": self.loss()}

        def rehearse(self, part, share):
            read.append(part)
            held_up = len(read) <= 6
            machine.work(150.0 * share if held_up else 2.0)
            return share if held_up else 1.0

    task = Read(on_step=lambda task, step: machine.work(1.0))
    options = TextTrainingOptions(**{**GIVEN, "eval_every": 0})
    result = Trainer(task, options, clock=machine).fit(minutes=SECONDS / 60.0)
    assert 0.95 * SECONDS < machine.now < 1.05 * SECONDS
    assert result.steps > 150
