import os
import signal
import threading

import numpy as np
import pytest
from quadratic_task import QuadraticTask

from noria.models.text.options import TextTrainingOptions
from noria.training.interrupt import GentleInterrupt
from noria.training.report import Evaluated, Finished, Interrupted
from noria.training.run_folder import RunFolder
from noria.training.trainer import Trainer

OPTIONS = {
    "optimizer": "sgd",
    "lr": 0.5,
    "schedule": "constant",
    "warmup": 0,
    "grad_clip": 0.0,
    "eval_every": 10,
}


def press_at(*steps):
    def on_step(task, step):
        if step in steps:
            signal.raise_signal(signal.SIGINT)

    return on_step


@pytest.fixture(autouse=True)
def handlers_are_put_back():
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    assert [signal.getsignal(number) for number in numbers] == before


def test_step_is_finished_saved_and_evaluated(tmp_path):
    events = []
    run = RunFolder.create(tmp_path / "run")
    task = QuadraticTask(on_step=press_at(13))
    result = Trainer(task, TextTrainingOptions(**OPTIONS), run, events.append).fit(steps=40)
    assert (result.interrupted, result.steps, result.best_step) == (True, 14, 14)
    np.testing.assert_allclose(task.parameters.values, (1 - 0.5**14) * task.targets, rtol=1e-12)
    assert [event.step for event in events if isinstance(event, (Evaluated, Interrupted))] == [10, 14, 14]
    assert isinstance(events[-1], Finished)
    assert events[-1].result.test["loss"] == result.validation["loss"]
    assert int(run.read_arrays("last")["trainer/step"]) == 14
    np.testing.assert_array_equal(run.read_arrays("best")["first.low"], task.parameters.values[:3])
    assert run.read_json("report.json")["interrupted"] is True


def test_at_an_evaluated_step_there_is_no_second_evaluation():
    task = QuadraticTask(on_step=press_at(9))
    result = Trainer(task, TextTrainingOptions(**OPTIONS)).fit(steps=40)
    assert (result.steps, task.parts_seen) == (10, ["validation", "test"])


def test_in_the_last_step_the_run_is_complete():
    result = Trainer(QuadraticTask(on_step=press_at(19)), TextTrainingOptions(**OPTIONS)).fit(steps=20)
    assert (result.interrupted, result.steps) == (False, 20)


def test_second_one_aborts_at_once_with_the_weights_saved(tmp_path):
    run = RunFolder.create(tmp_path / "run")

    def on_evaluate(task, part, loss):
        if len(task.steps_seen) == 14:
            signal.raise_signal(signal.SIGINT)
        return loss

    task = QuadraticTask(on_step=press_at(13), on_evaluate=on_evaluate)
    with pytest.raises(KeyboardInterrupt):
        Trainer(task, TextTrainingOptions(**OPTIONS), run).fit(steps=40)
    assert int(run.read_arrays("last")["trainer/step"]) == 14
    assert len(task.steps_seen) == 14


def test_second_one_within_the_same_step():
    with pytest.raises(KeyboardInterrupt):
        Trainer(
            QuadraticTask(on_step=lambda task, step: [press_at(3)(task, step) for _ in range(2)]),
            TextTrainingOptions(**OPTIONS),
        ).fit(steps=40)


def test_from_outside_while_it_runs():
    begun = threading.Event()

    def on_step(task, step):
        begun.set()

    def press():
        assert begun.wait(10)
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    result = Trainer(QuadraticTask(on_step=on_step), TextTrainingOptions(**OPTIONS)).fit(steps=10_000_000)
    presser.join()
    assert result.interrupted
    assert 0 < result.steps < 10_000_000


def test_another_thread_trains_without_touching_the_handler():
    seen = []
    before = signal.getsignal(signal.SIGINT)

    def train():
        task = QuadraticTask(
            on_step=lambda task, step: seen.append(signal.getsignal(signal.SIGINT) is before)
        )
        seen.append(Trainer(task, TextTrainingOptions(**OPTIONS)).fit(steps=4).steps)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert seen == [True] * 4 + [4]


def test_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with GentleInterrupt() as interrupt:
            signal.raise_signal(signal.SIGINT)
            assert not interrupt.requested
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_handler_is_put_back_after_an_error():
    def on_step(task, step):
        raise ValueError("no data")

    with pytest.raises(ValueError, match="no data"):
        Trainer(QuadraticTask(on_step=on_step), TextTrainingOptions(**OPTIONS)).fit(steps=3)


def test_while_steps_are_timed_nothing_is_trained_and_all_is_saved(tmp_path):
    events = []
    run = RunFolder.create(tmp_path / "run")
    task = QuadraticTask(on_step=press_at(3))
    result = Trainer(task, TextTrainingOptions(**OPTIONS), run, events.append).fit(minutes=1)
    assert (result.interrupted, result.steps, result.best_step, result.test) == (True, 0, 0, {})
    assert len(task.steps_seen) == 4
    np.testing.assert_array_equal(task.parameters.values, np.zeros(7))
    assert [type(event) for event in events] == [Finished]
    assert run.read_json("report.json")["steps"] == 0
    assert int(run.read_arrays("last")["trainer/step"]) == 0
    np.testing.assert_array_equal(run.read_weights()["first.low"], np.zeros(3))


def test_while_the_evaluation_is_timed():
    task = QuadraticTask()

    def on_evaluate(task, part, loss):
        signal.raise_signal(signal.SIGINT)
        return loss

    task.on_evaluate = on_evaluate
    result = Trainer(task, TextTrainingOptions(**OPTIONS)).fit(minutes=1)
    assert (result.interrupted, result.steps) == (True, 0)
    assert task.parts_seen == ["validation"]


@pytest.fixture
def heard():
    """A program that handles SIGTERM: it keeps what it heard, and interrupts what it does."""
    found = []

    def on_signal(number, frame):
        found.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, on_signal)
    yield found
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("is_ignored", [False, True])
def test_termination_is_heeded_where_the_program_heeds_it(heard, is_ignored):
    before = signal.getsignal(signal.SIGINT)
    if is_ignored:  # as in a job in the background
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with GentleInterrupt() as interrupt:
            signal.raise_signal(signal.SIGTERM)
            assert interrupt.requested
            assert heard == [signal.SIGTERM]
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
        assert len(heard) == 2
    finally:
        signal.signal(signal.SIGINT, before)


def test_after_ctrl_c_termination_insists(heard):
    with GentleInterrupt() as interrupt:
        signal.raise_signal(signal.SIGINT)
        assert interrupt.requested
        assert heard == []
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM]


def test_what_else_the_program_does_when_terminated_is_its_own_affair():
    def leave(number, frame):
        raise SystemExit(7)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        with pytest.raises(SystemExit), GentleInterrupt():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_elsewhere_termination_stays_what_it_is():
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    with GentleInterrupt():
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
