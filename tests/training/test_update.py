import numpy as np
import pytest
from quadratic_task import QuadraticTask

from noria.errors import RunError
from noria.layers import FlatParameters, Parameter
from noria.training.length import Length
from noria.training.task import StepResult
from noria.training.training_options import TrainingOptions
from noria.training.update import Updater

pytestmark = pytest.mark.usefixtures("either_engine")

SIZE = 5


class LinearTask(QuadraticTask):
    """Least squares over rows given out in batches of differing numbers of rows."""

    name = "linear"

    def __init__(self, *, noise=0.0):
        matrix, bias = Parameter("matrix", (2, 2), np.zeros((2, 2))), Parameter("bias", (1,), np.zeros(1))
        named = {"matrix": matrix, "bias": bias}
        self.parameters = FlatParameters(np.zeros(SIZE), [matrix.block, bias.block], named, {})
        rng = np.random.default_rng(8)
        self.parameters.values[...] = rng.standard_normal(SIZE)
        self.rows = [rng.standard_normal((1 + (7 * k) % 4, SIZE)) for k in range(24)]
        self.targets = [rng.standard_normal(len(rows)) for rows in self.rows]
        self.noise = noise
        self.seen = []

    def step(self, step, mode):
        assert not self.parameters.gradients.any()
        self.seen.append(step)
        loss, gradient = self.of([step])
        self.parameters.gradients += gradient + self.noise * mode.rng.standard_normal(SIZE)
        return StepResult(loss, len(self.targets[step]))

    def of(self, batches):
        """Mean loss over the rows of batches, and its gradient."""
        rows = np.concatenate([self.rows[batch] for batch in batches])
        misses = rows @ self.parameters.values - np.concatenate([self.targets[batch] for batch in batches])
        return float(np.mean(misses**2) / 2), rows.T @ misses / len(misses)


def updater_of(task, **options):
    plain = {"optimizer": "sgd", "lr": 0.1, "schedule": "constant", "warmup": 0, "grad_clip": 0.0}
    made = TrainingOptions(**{**plain, **options})
    made.validate()
    return Updater(task, made)


def test_gathered_gradient_is_that_of_one_large_batch_and_the_last_group_is_what_is_left():
    task = LinearTask()
    updater = updater_of(task, accumulate=4)
    updater.set_length(Length(3), batches=10)
    for step, group in enumerate(([0, 1, 2, 3], [4, 5, 6, 7], [8, 9])):
        loss, gradient = task.of(group)
        before = task.parameters.values.copy()
        update = updater.make(step)
        assert task.seen[-len(group) :] == group
        assert update.loss == pytest.approx(loss, rel=1e-13)
        assert update.tokens == sum(len(task.targets[batch]) for batch in group)
        assert update.batches == len(group)
        assert update.norm == pytest.approx(np.linalg.norm(gradient), rel=1e-12)
        np.testing.assert_allclose(task.parameters.gradients, gradient, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(task.parameters.values, before - 0.1 * gradient, rtol=1e-12)
    assert task.seen == list(range(10))
    assert updater.optimiser.steps == 3


@pytest.mark.parametrize(
    ("batches", "accumulate", "updates"), [(12, 3, 4), (12, 5, 3), (12, 12, 1), (7, 1, 7)]
)
def test_so_many_batches_make_so_many_updates(batches, accumulate, updates):
    task = LinearTask()
    updater = updater_of(task, accumulate=accumulate)
    updater.set_length(Length(updates), batches)
    for step in range(updates):
        updater.make(step)
    assert task.seen == list(range(batches))
    assert updater.optimiser.steps == updater.clipping.steps == updates


def test_without_a_number_of_batches_every_group_is_whole():
    task = LinearTask()
    updater = updater_of(task, accumulate=3)
    updater.make(0, 0.1)
    updater.make(1, 0.1)
    assert task.seen == list(range(6))


def test_clipping_sees_the_mean_gradient_once_and_counts():
    task = LinearTask()
    _, gradient = task.of([0, 1, 2])
    norm = np.linalg.norm(gradient)
    updater = updater_of(task, accumulate=3, grad_clip=norm / 4)
    before = task.parameters.values.copy()
    updater.make(0, 0.1)
    np.testing.assert_allclose(task.parameters.values, before - 0.1 * gradient / 4, rtol=1e-12)
    assert (updater.clipping.steps, updater.clipping.events) == (1, 1)
    cut = updater_of(task, grad_clip_value=0.01)
    before = task.parameters.values.copy()
    cut.make(0, 1.0)
    np.testing.assert_allclose(np.abs(task.parameters.values - before), 0.01, rtol=1e-9)
    assert cut.clipping.share == 1.0


def test_decay_leaves_biases_alone():
    task = LinearTask()
    task.targets = [rows @ task.parameters.values for rows in task.rows]  # nothing left to learn
    before = task.parameters.values.copy()
    updater_of(task, weight_decay=0.5).make(0, 0.1)
    np.testing.assert_allclose(task.parameters.values[:4], 0.95 * before[:4], rtol=1e-12)
    np.testing.assert_allclose(task.parameters.values[4], before[4], rtol=1e-12)


def test_rate_is_that_of_the_schedule_unless_given():
    task = LinearTask()
    updater = updater_of(task, schedule="linear", final_lr_fraction=0.0)
    with pytest.raises(RunError, match="how long the run is"):
        updater.make(0)
    updater.set_length(Length(5))
    assert [updater.make(step).lr for step in range(5)] == pytest.approx([0.1, 0.075, 0.05, 0.025, 0.0])
    assert updater.make(0, 0.3).lr == 0.3


def test_rate_falls_where_the_validation_loss_stays():
    updater = updater_of(LinearTask(), schedule="plateau", lr_patience=1, lr_decay=0.25)
    updater.set_length(Length(9))
    rates = []
    for step in range(9):
        rates.append(updater.make(step).lr)
        updater.observe(1.0)
    assert rates == pytest.approx([0.1] * 3 + [0.025] * 2 + [0.00625] * 2 + [0.005] * 2)


def test_average_follows_the_updates_from_its_share_of_the_run_on():
    task = LinearTask()
    updater = updater_of(task, averaging="asgd", averaging_start=0.25)
    updater.set_length(Length(8))
    values = []
    for step in range(8):
        updater.make(step)
        values.append(task.parameters.values.copy())
    with updater.averaging.in_place(task.parameters):
        np.testing.assert_allclose(task.parameters.values, np.mean(values[2:], axis=0), rtol=1e-12)


def test_bad_batch_in_a_group_changes_nothing():
    for bad in (0, 1, 2):
        task = LinearTask()
        task.targets[bad][0] = np.nan
        updater = updater_of(task, accumulate=3, optimizer="adam", averaging="ema")
        before = task.parameters.values.copy()
        update = updater.make(0, 0.1)
        assert not update.is_finite
        assert np.isnan(update.loss)
        np.testing.assert_array_equal(task.parameters.values, before)
        assert not updater.averaging.is_active
        assert updater.optimiser.steps == 0


PLATEAU = {"schedule": "plateau", "lr_patience": 0}
TRIGGERED = {"averaging": "nt-asgd", "averaging_patience": 1}
SETTINGS = {
    "adam": {"optimizer": "adam", "schedule": "cosine", "warmup": 3, "grad_clip": 0.5},
    "sgd": {"momentum": 0.9, "nesterov": True, **PLATEAU, **TRIGGERED},
    "rmsprop": {"optimizer": "rmsprop", "momentum": 0.5, "averaging": "ema", "schedule": "one-cycle"},
    "adamw": {"optimizer": "adamw", "averaging": "asgd", "schedule": "step", "grad_clip_value": 0.1},
    "adagrad": {"optimizer": "adagrad", "schedule": "exponential", "weight_decay": 0.1},
}


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("name", SETTINGS)
def test_cut_at_any_update_and_gone_on_it_is_the_same_to_the_bit(name, accumulate):
    updates = -(-16 // accumulate)
    losses = np.random.default_rng(2).random(updates)

    def make():
        task = LinearTask(noise=0.3)
        updater = updater_of(task, accumulate=accumulate, **SETTINGS[name])
        updater.set_length(Length(updates), 16)
        return task, updater

    def go_on(updater, steps):
        for step in steps:
            updater.make(step)
            updater.observe(float(losses[step]))

    task, updater = make()
    go_on(updater, range(updates))
    for cut in (1, 2, updates // 2, updates - 1):
        first_task, first = make()
        go_on(first, range(cut))
        saved = {key: array.copy() for key, array in first.state().items()}
        weights = first_task.parameters.values.copy()
        second_task, second = make()
        second_task.parameters.values[...] = weights
        second.load_state(saved)
        go_on(second, range(cut, updates))
        np.testing.assert_array_equal(second_task.parameters.values, task.parameters.values)
        for key, array in updater.state().items():
            np.testing.assert_array_equal(second.state()[key], array, err_msg=key)


def test_numbers_of_numpy_are_plain_ones():
    ends = []
    for number in (np.float32, float):
        task = LinearTask()
        options = TrainingOptions(optimizer="adam", averaging="ema", schedule="step", warmup=0)
        for name in ("beta1", "beta2", "averaging_decay", "lr_decay", "lr", "epsilon", "weight_decay"):
            setattr(options, name, number(np.float32(0.3)))
        options.validate()
        updater = Updater(task, options)
        updater.set_length(Length(9))
        for step in range(9):
            updater.make(step)
        ends.append([task.parameters.values, updater.averaging.state()["average"]])
    np.testing.assert_array_equal(ends[0], ends[1])


def test_state_of_other_options_is_refused_whole():
    ours, theirs = updater_of(LinearTask(), momentum=0.9), updater_of(LinearTask(), averaging="ema")
    theirs.make(0, 0.1)
    with pytest.raises(RunError, match="optimiser/velocity") as caught:
        ours.load_state(theirs.state())
    assert "averaging/average" in str(caught.value)
    assert ours.clipping.steps == 0
