import numpy as np
import pytest
from quadratic_task import QuadraticTask

from noria.errors import DivergenceError
from noria.training.options import TrainingOptions
from noria.training.report import Diverged
from noria.training.run_folder import RunFolder
from noria.training.trainer import Trainer

OPTIONS = {
    "optimizer": "sgd",
    "lr": 0.5,
    "schedule": "constant",
    "warmup": 0,
    "grad_clip": 2.0,
    "eval_every": 10,
}


def spoil(step_of_trouble, index, value):
    def on_step(task, step):
        if step == step_of_trouble:
            task.parameters.gradients[index] = value

    return on_step


def diverge(task, run_folder=None, events=None, **changed):
    listener = (events if events is not None else []).append
    with pytest.raises(DivergenceError) as caught:
        Trainer(task, TrainingOptions(**{**OPTIONS, **changed}), run_folder, listener).fit(steps=60)
    return str(caught.value)


def test_message_says_where_what_is_kept_and_three_things_to_try(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    events = []
    task = QuadraticTask(on_step=spoil(23, 1, np.nan), dtype=np.float32)
    message = diverge(task, run, events)
    first, second, third = message.splitlines()
    assert first.startswith("Step 24: the gradient is not finite (loss ")
    assert "gradient norm nan); no update was made. The learning rate was 0.5." in first
    assert "'first' (norm nan)" in second
    assert f"The best weights so far, of step 20, are kept in {run.path}." in second
    assert third == '  Try lr=0.1 (a fifth of 0.5), grad_clip=0.5 (a quarter of 2), or dtype="float64".'
    assert isinstance(events[-1], Diverged)
    assert (events[-1].step, events[-1].message) == (24, message)


def test_best_weights_are_in_place_and_on_the_disk(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    seen = {}

    def on_evaluate(task, part, loss):
        seen[len(task.steps_seen)] = task.parameters.values.copy()
        return loss

    task = QuadraticTask(on_step=spoil(23, 4, np.inf), on_evaluate=on_evaluate)
    diverge(task, run)
    np.testing.assert_array_equal(task.parameters.values, seen[20])
    np.testing.assert_array_equal(run.read_weights()["first.low"], seen[20][:3])
    assert int(run.read_arrays("last")["trainer/step"]) == 20
    assert not (run.path / "report.json").exists()


def test_bad_gradient_never_reaches_the_weights():
    task = QuadraticTask(on_step=spoil(0, 2, np.inf))
    message = diverge(task)
    np.testing.assert_array_equal(task.parameters.values, np.zeros(7))
    assert "Nothing was learnt before it." in message


def test_going_backwards_the_first_bad_layer_is_named():
    def on_step(task, step):
        task.parameters.gradients[[0, 5]] = np.nan

    assert "whose gradient is not finite is 'second'" in diverge(QuadraticTask(on_step=on_step))


def test_loss_that_is_not_finite_names_the_largest_gradient():
    class Lost(QuadraticTask):
        def loss(self):
            return float("inf")

    message = diverge(Lost())
    assert message.startswith("Step 1: the loss is not finite (loss inf, gradient norm ")
    assert "The largest gradient is that of 'second'" in message


def test_validation_loss_that_is_not_finite():
    def on_evaluate(task, part, loss):
        return loss if len(task.steps_seen) < 20 else float("nan")

    message = diverge(QuadraticTask(on_evaluate=on_evaluate))
    assert message.startswith("Step 20: the validation loss is not finite (nan).")
    assert "of step 10, are kept" in message


def test_suggestions_follow_the_options():
    message = diverge(QuadraticTask(on_step=spoil(3, 0, np.nan)), grad_clip=0.0, warmup=30)
    assert message.endswith("grad_clip=1 (it is off), or warmup=120 (it is 30).")


def test_exploding_run_is_stopped_without_a_warning():
    message = diverge(QuadraticTask(dtype=np.float32), lr=1e18, grad_clip=0.0)
    assert "is not finite" in message


def test_an_evaluation_that_refuses_is_a_divergence_of_its_step(tmp_path):
    def on_evaluate(task, part, loss):
        if len(task.steps_seen) == 10:
            raise DivergenceError("not finite")
        return loss

    run = RunFolder.create(tmp_path / "run")
    message = diverge(QuadraticTask(on_evaluate=on_evaluate), run)
    assert message.startswith("Step 10: the validation loss is not finite.")
    assert f"the model has its initial weights. The latest that were saved are in {run.path}." in message
