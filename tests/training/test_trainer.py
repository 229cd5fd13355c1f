import json

import numpy as np
import pytest
from quadratic_task import QuadraticTask

from noria.engines.threads import thread_count
from noria.errors import OptionError, RunError
from noria.models.text.options import TextTrainingOptions
from noria.training.learning_rates import learning_rate
from noria.training.report import Evaluated, Finished, Sampled, Started, StepDone
from noria.training.run_folder import RunFolder
from noria.training.trainer import Trainer
from noria.training.update import Updater


def options(**changed):
    given = {
        "optimizer": "sgd",
        "lr": 0.5,
        "schedule": "constant",
        "warmup": 0,
        "grad_clip": 0.0,
        "eval_every": 10,
    }
    return TextTrainingOptions(**{**given, **changed})


def fit(task, run_folder=None, budget=None, **changed):
    events = []
    result = Trainer(task, options(**changed), run_folder, events.append).fit(**(budget or {"steps": 40}))
    return result, events


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def test_converges_to_the_known_answer():
    task = QuadraticTask()
    result, _ = fit(task)
    np.testing.assert_allclose(task.parameters.values, task.targets, atol=1e-10)
    assert result.steps == result.best_step == 40
    assert result.validation["loss"] < 1e-20
    assert not result.interrupted
    assert result.tokens == 200


def test_every_step_is_taken_once_and_in_order_with_the_scheduled_rate():
    task = QuadraticTask()
    _, events = fit(task, budget={"steps": 25}, schedule="cosine", warmup=5, final_lr_fraction=0.1)
    assert task.steps_seen == list(range(25))
    done = of(StepDone, events)
    assert [event.step for event in done] == list(range(1, 26))
    expected = [
        learning_rate(step, 25, lr=0.5, schedule="cosine", warmup=5, final_fraction=0.1) for step in range(25)
    ]
    assert [event.lr for event in done] == expected
    # Plain gradient descent on a quadratic: each step leaves 1 - lr of the distance.
    np.testing.assert_allclose(task.parameters.values, (1 - np.prod(1 - np.array(expected))) * task.targets)


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "sgd"])
def test_every_optimiser_makes_its_way(optimizer):
    task = QuadraticTask()
    start = task.loss()
    fit(task, optimizer=optimizer, lr=0.3)
    assert task.loss() < 0.2 * start


def test_gradients_are_clipped_before_the_update():
    task = QuadraticTask()
    distance = np.linalg.norm(task.targets)
    result, events = fit(task, budget={"steps": 1}, grad_clip=0.25)
    (done,) = of(StepDone, events)
    np.testing.assert_allclose(done.gradient_norm, distance)
    np.testing.assert_allclose(np.linalg.norm(task.parameters.values), 0.5 * 0.25)
    assert (done.clipped_share, result.clipped_steps) == (1.0, 1)


def test_best_weights_of_the_validation_come_back_and_are_tested():
    worse_later = lambda task, part, loss: loss if len(task.steps_seen) <= 20 else loss + 100.0  # noqa: E731
    task = QuadraticTask(on_evaluate=worse_later)
    result, events = fit(task)
    assert result.best_step == 20
    np.testing.assert_allclose(task.parameters.values, (1 - 0.5**20) * task.targets, rtol=1e-12)
    assert [(event.step, event.improved, event.best_step) for event in of(Evaluated, events)] == [
        (10, True, 10),
        (20, True, 20),
        (30, False, 20),
        (40, False, 20),
    ]
    assert result.test["loss"] == pytest.approx(100.0 + task.loss())


def test_equal_loss_is_no_improvement():
    result, _ = fit(QuadraticTask(on_evaluate=lambda task, part, loss: 1.0))
    assert result.best_step == 10


def test_test_part_is_read_once_and_last():
    task = QuadraticTask()
    fit(task)
    assert task.parts_seen == ["validation"] * 4 + ["test"]


def test_without_a_validation_part_the_last_weights_are_kept():
    task = QuadraticTask(validation=False)
    result, _ = fit(task, budget={"steps": 15})
    assert (result.best_step, result.validation) == (15, {})
    np.testing.assert_allclose(task.parameters.values, (1 - 0.5**15) * task.targets, rtol=1e-12)


def test_events_come_in_order_and_say_what_happened():
    task = QuadraticTask()
    result, events = fit(task, budget={"steps": 20}, sample_every=15)
    kinds = [type(event).__name__ for event in events]
    steps = ["StepDone"]
    assert kinds == [
        "Started", *steps * 10, "Evaluated", *steps * 5, "Sampled", *steps * 5, "Evaluated", "Sampled",
        "Finished",
    ]  # fmt: skip
    (started,) = of(Started, events)
    assert (started.task, started.steps, started.eval_every, started.parameters) == ("quadratic", 20, 10, 7)
    assert not started.calibrated
    last = of(StepDone, events)[-1]
    assert (last.epoch, last.tokens) == (2.0, 100)
    assert of(Finished, events)[0].result == result


def test_samples_draw_from_their_own_step():
    _, first = fit(QuadraticTask(noise=0.1), budget={"steps": 20}, sample_every=10)
    _, second = fit(QuadraticTask(noise=0.1), budget={"steps": 30}, sample_every=10, eval_every=7)
    texts = [event.text for event in of(Sampled, second)]
    assert [event.text for event in of(Sampled, first)] == texts[:2]
    assert len(set(texts)) == 3


def test_smoothed_loss_is_a_mean_that_leans_to_the_last():
    losses = []
    task = QuadraticTask()
    _, events = fit(task, budget={"steps": 3})
    losses = [event.batch_loss for event in of(StepDone, events)]
    weights = 0.98 ** np.arange(2, -1, -1)
    assert of(StepDone, events)[-1].loss == pytest.approx(np.average(losses, weights=weights))
    assert losses[0] > losses[1] > losses[2]


@pytest.mark.parametrize(("epochs", "steps"), [(3, 30), (0.25, 2), (0.01, 1)])
def test_epochs_are_steps_of_the_task(epochs, steps):
    assert fit(QuadraticTask(), budget={"epochs": epochs})[0].steps == steps


@pytest.mark.parametrize(("epochs", "accumulate", "steps"), [(2, 4, 5), (2, 1, 20)])
def test_epochs_are_told_in_updates(epochs, accumulate, steps):
    _, events = fit(QuadraticTask(), budget={"epochs": epochs}, accumulate=accumulate)
    (started,) = of(Started, events)
    assert (started.steps, started.steps / started.steps_per_epoch) == (steps, epochs)


@pytest.mark.parametrize(
    ("accumulate", "epochs"), [(3, [0.3, 0.6, 0.9, 1.0]), (4, [0.4, 0.8, 1.0]), (5, [0.5, 1.0])]
)
def test_an_epoch_ends_at_its_last_batch(accumulate, epochs):
    _, events = fit(QuadraticTask(), budget={"epochs": 1}, accumulate=accumulate, eval_every=2)
    assert [event.epoch for event in of(StepDone, events)] == pytest.approx(epochs)
    assert of(Evaluated, events)[-1].epoch == 1.0


def test_two_budgets_are_one_too_many():
    with pytest.raises(OptionError, match=r"epochs=2\.0 and steps=3"):
        fit(QuadraticTask(), budget={"epochs": 2, "steps": 3})


def test_wrong_options_are_refused_before_anything_happens():
    wrong = options()
    wrong.batch_size = 0
    with pytest.raises(OptionError, match="batch_size"):
        Trainer(QuadraticTask(), wrong)


class Clock:
    """A second for each step and four for an evaluation, whatever really happens."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def task(self, **arguments):
        def on_step(task, step):
            self.now += 1.0

        def on_evaluate(task, part, loss):
            self.now += 4.0
            return loss

        return QuadraticTask(on_step=on_step, on_evaluate=on_evaluate, **arguments)


def calibrated(minutes, **changed):
    clock, events = Clock(), []
    task = clock.task(noise=0.1)
    result = Trainer(task, options(**changed), None, events.append, clock=clock).fit(minutes=minutes)
    return result, events, clock, task


def test_minutes_become_steps_and_the_time_is_kept():
    result, events, clock, _ = calibrated(3, eval_every=20)
    # Calibration: 2 + 3 steps, two evaluations, since the first may compile, and the test part, 17 s. Of
    # 163 s 1.8 are left: 129 steps, 7 evaluations and the test part.
    assert result.steps == 129
    assert clock.now == 178.0
    assert of(Started, events)[0].calibrated


def test_without_a_budget_it_is_two_minutes():
    clock = Clock()
    Trainer(clock.task(), options(eval_every=20), clock=clock).fit()
    assert 115.0 < clock.now <= 120.0


def test_calibration_leaves_no_trace():
    timed, _, _, timed_task = calibrated(3, optimizer="adam", grad_clip=0.1, eval_every=0)
    plain_task = QuadraticTask(noise=0.1)
    plain, _ = fit(plain_task, budget={"steps": timed.steps}, optimizer="adam", grad_clip=0.1, eval_every=0)
    np.testing.assert_array_equal(timed_task.parameters.values, plain_task.parameters.values)
    np.testing.assert_array_equal(timed_task.counter, plain_task.counter)
    assert timed.best_step == plain.best_step
    assert timed.clipped_steps == plain.clipped_steps
    assert timed.validation["loss"] == plain.validation["loss"]


def test_interrupted_calibration_puts_everything_back():
    def on_step(task, step):
        if step == 3:
            raise KeyboardInterrupt

    task = QuadraticTask(on_step=on_step)
    task.parameters.values[...] = 0.5
    with pytest.raises(KeyboardInterrupt):
        Trainer(task, options()).fit(minutes=1)
    np.testing.assert_array_equal(task.parameters.values, np.full(7, 0.5))
    np.testing.assert_array_equal(task.counter, [0, 0])


def test_seconds_left_shrink_to_nothing_but_the_test():
    _, events, _, _ = calibrated(3, eval_every=20)
    left = [event.seconds_left for event in of(StepDone, events)]
    assert [left[0], left[19], left[20]] == pytest.approx([128 + 8 * 4, 109 + 8 * 4, 108 + 7 * 4])
    assert left[-1] == pytest.approx(2 * 4)
    assert of(StepDone, events)[-1].tokens_per_second == pytest.approx(5.0)


def folder_bytes(path, **changed):
    task = QuadraticTask(noise=0.3, dtype=np.float32)
    run = RunFolder.create(path, task="quadratic")
    fit(task, run, budget={"steps": 33}, optimizer="adam", lr=0.1, **changed)
    return {name: (path / name).read_bytes() for name in ("best.safetensors", "last.safetensors")}


def test_same_seed_and_steps_same_bytes(tmp_path):
    first = folder_bytes(tmp_path / "first", seed=5)
    assert folder_bytes(tmp_path / "second", seed=5) == first
    other = folder_bytes(tmp_path / "third", seed=6)
    assert all(other[name] != first[name] for name in first)


def test_run_folder_holds_the_run(tmp_path):
    run = RunFolder.create(tmp_path / "run", task="quadratic")
    worse_later = lambda task, part, loss: loss if len(task.steps_seen) <= 20 else loss + 100.0  # noqa: E731
    task = QuadraticTask(noise=0.1, on_evaluate=worse_later)
    result, events = fit(task, run, budget={"steps": 33}, optimizer="adam", lr=0.1, grad_clip=1.0)
    again = RunFolder.open(run.path)
    assert again.config["run"] == {
        "steps": 33,
        "eval_every": 10,
        "sample_every": 50,
        "lr": 0.1,
        "threads": thread_count(),
    }

    best = again.read_arrays("best")
    assert list(best) == ["first.low", "second.high"]
    np.testing.assert_array_equal(best["second.high"], task.parameters.values[3:].reshape(2, 2))

    last = again.read_arrays("last")
    assert set(last) == {
        "weights/first.low", "weights/second.high",
        "carried/counter",
        "trainer/step", "trainer/best_step", "trainer/best_loss", "trainer/tokens",
        "trainer/loss_total", "trainer/loss_weight", "trainer/stale", "trainer/stale_since",
    } | {f"update/{name}" for name in Updater(task, options(optimizer="adam")).state()}  # fmt: skip
    assert (
        int(last["trainer/step"]),
        int(last["trainer/best_step"]),
        int(last["update/optimiser/steps"]),
    ) == (
        33,
        20,
        33,
    )
    assert float(last["trainer/best_loss"]) == result.validation["loss"]
    assert int(last["update/clipping/events"]) == result.clipped_steps > 0
    np.testing.assert_array_equal(last["carried/counter"], [33, 33])
    assert not np.array_equal(last["weights/first.low"], best["first.low"])

    report = again.read_json("report.json")
    assert (report["best_step"], report["test"]) == (20, result.test)
    lines = [json.loads(line) for line in (run.path / "log.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == [type(event).__name__ for event in events]
    assert lines[1]["batch_loss"] == of(StepDone, events)[0].batch_loss


def test_task_that_raises_leaves_the_last_good_state(tmp_path):
    def on_step(task, step):
        if step == 24:
            raise ValueError("the disk of the corpus is gone")

    run = RunFolder.create(tmp_path / "run", task="quadratic")
    with pytest.raises(ValueError, match="corpus"):
        fit(QuadraticTask(on_step=on_step), run)
    again = RunFolder.open(run.path)
    np.testing.assert_allclose(again.read_weights()["first.low"], (1 - 0.5**20) * np.array([1.0, -2.0, 0.5]))
    assert int(again.read_arrays("last")["trainer/step"]) == 20
    assert len((run.path / "log.jsonl").read_text().splitlines()) == 1 + 24 + 2


def test_task_that_raises_at_once_leaves_the_initial_weights(tmp_path):
    def on_step(task, step):
        raise ValueError("no data")

    run = RunFolder.create(tmp_path / "run", task="quadratic")
    with pytest.raises(ValueError, match="no data"):
        fit(QuadraticTask(on_step=on_step), run)
    np.testing.assert_array_equal(RunFolder.open(run.path).read_weights()["first.low"], np.zeros(3))


def test_run_folder_that_vanishes_is_an_error_with_its_path(tmp_path):
    run = RunFolder.create(tmp_path / "run", task="quadratic")

    def on_step(task, step):
        if step == 5:
            for file in run.path.iterdir():
                file.unlink()
            run.path.rmdir()

    with pytest.raises(RunError, match=r"last\.safetensors: cannot be written: No such file"):
        fit(QuadraticTask(on_step=on_step), run)


def test_library_is_silent_and_writes_nothing_unasked(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Trainer(QuadraticTask(), options()).fit(steps=12)
    assert capsys.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_ends_before_its_first_evaluation_has_the_steps_before(tmp_path, monkeypatch):
    monkeypatch.setattr("noria.training.plan.STEPS_UNSAVED", 4)

    def on_step(task, step):
        if step == 9:
            raise ValueError("killed")

    run = RunFolder.create(tmp_path / "run", task="quadratic")
    with pytest.raises(ValueError, match="killed"):
        fit(QuadraticTask(on_step=on_step), run)
    last = run.read_arrays("last")
    assert int(last["trainer/step"]) == int(last["update/optimiser/steps"]) == 8


def test_a_run_whose_first_state_cannot_be_written_is_removed(tmp_path, monkeypatch):
    run = RunFolder.create(tmp_path / "a" / "run", task="quadratic")

    def full_disk(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("noria.training.files.os.replace", full_disk)
    with pytest.raises(RunError, match=r"last\.safetensors: cannot be written: No space left"):
        fit(QuadraticTask(), run)
    assert list(tmp_path.iterdir()) == []


def test_plateau_hears_of_the_validation_loss():
    task = QuadraticTask(on_evaluate=lambda task, part, loss: 1.0)
    _, events = fit(task, schedule="plateau", lr_patience=1, lr_decay=0.5)
    rates = [event.lr for event in of(StepDone, events)]
    # Evaluations after 10, 20 and 30 steps: nothing better in the second, too often so in the third.
    assert rates[0] == rates[29] == 0.5
    assert rates[30] == rates[39] == 0.25


def test_averaged_weights_are_what_is_evaluated_kept_and_sampled_from():
    seen = []

    def on_evaluate(task, part, loss):
        seen.append((part, task.parameters.values.copy()))
        return loss

    means, task = [], QuadraticTask(noise=0.5, on_evaluate=on_evaluate)
    task.on_step = lambda task, step: means.append(task.parameters.values.copy())
    task.sample = lambda rng: str(task.parameters.values.tolist())
    _, events = fit(task, averaging="asgd", averaging_start=0.0, sample_every=40)
    # A step sees what the updates before it left; the last update is one that no step has seen.
    before = np.mean(means[1:11], axis=0)
    np.testing.assert_allclose(seen[0][1], before, rtol=1e-12)
    assert not np.allclose(means[10], before)
    np.testing.assert_array_equal(seen[-1][1], task.parameters.values)
    best = min(zip((event.metrics["loss"] for event in of(Evaluated, events)), seen, strict=False))
    np.testing.assert_array_equal(best[1][1], task.parameters.values)
    assert of(Sampled, events)[-1].text == str(seen[3][1].tolist())
