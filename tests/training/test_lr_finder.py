"""The trial that finds a learning rate: what it tries, what it suggests, and that it leaves no trace."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from quadratic_task import QuadraticTask

from noria.errors import DivergenceError, OptionError
from noria.training.lr_finder import _suggestion, find_learning_rate
from noria.training.report import RateFound, Started
from noria.training.run_folder import RunFolder
from noria.training.trainer import Trainer
from noria.training.training_options import TrainingOptions


def options(**changed):
    made = TrainingOptions(**{"optimizer": "sgd", "grad_clip": 0.0, "eval_every": 5, **changed})
    made.validate()
    return made


def test_rates_grow_by_one_factor_and_the_losses_are_those_of_the_steps():
    found = find_learning_rate(QuadraticTask(), options(), steps=61, lowest=1e-4, highest=100.0)
    np.testing.assert_allclose(np.diff(np.log10(found.rates)), 0.1)
    distance, mean = 1.0, 0.0
    for step, rate in enumerate(found.rates):
        loss = QuadraticTask().loss() * distance**2  # each value goes the same share of its way
        mean = 0.9 * mean + 0.1 * loss
        assert found.losses[step] == pytest.approx(mean / (1 - 0.9 ** (step + 1)))
        distance *= 1 - rate


def test_the_trial_ends_where_the_loss_is_not_finite():
    def on_step(task, step):
        if step == 90:
            task.parameters.gradients[0] = np.inf

    found = find_learning_rate(QuadraticTask(on_step=on_step), options())
    assert len(found.rates) == len(found.losses) == 90
    assert 0.02 < found.suggestion < 0.5  # at 1 one step is enough


def test_noise_at_the_beginning_is_not_taken_for_a_fall():
    rng, rates = np.random.default_rng(0), np.geomspace(1e-5, 10, 120)
    clean = 3 - 1 / (1 + (0.02 / rates) ** 2)
    clean[100:] += np.arange(20)
    expected = _suggestion(rates, clean)
    for _ in range(20):
        assert _suggestion(rates, clean + 0.01 * rng.standard_normal(120)) == pytest.approx(expected, rel=0.6)


def test_a_lucky_batch_at_the_beginning_hides_no_fall():
    rates = np.geomspace(1e-5, 10, 120)
    clean = 1 - 0.3 / (1 + (0.02 / rates) ** 2)
    clean[100:] += np.arange(20)
    lucky = clean.copy()
    lucky[:5] += (0.3, 0.2, -0.2, -0.4, 0.1)  # of few losses at first: below all that is learnt later
    assert _suggestion(rates, lucky) == pytest.approx(_suggestion(rates, clean), rel=0.2)


def test_the_suggestion_is_half_way_up_the_fall():
    rates = np.geomspace(1e-4, 10, 51)
    fall = 1 / (1 + (0.02 / rates) ** 2)  # symmetric about 0.02 in the logarithm
    fall[35:] = fall[34] - np.arange(1, 17)
    assert _suggestion(rates, 5 - 3 * fall) == pytest.approx(0.02, rel=0.15)
    assert _suggestion(rates, -3 * fall) == _suggestion(rates, 5 - 3 * fall)


def test_nothing_is_changed_by_a_trial():
    task = QuadraticTask(noise=0.1)
    task.counter += 7
    before = task.parameters.values.copy()
    first = find_learning_rate(task, options())
    np.testing.assert_array_equal(task.parameters.values, before)
    assert task.counter.tolist() == [7, 7]
    again = find_learning_rate(task, options(lr=0.3, schedule="linear"))
    np.testing.assert_array_equal(again.losses, first.losses)


def test_what_is_raised_meanwhile_leaves_everything_as_it_was():
    task = QuadraticTask()
    before = task.parameters.values.copy()
    checks = []

    def check():
        checks.append(1)
        if len(checks) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_learning_rate(task, options(), check=check)
    assert task.counter.tolist() == [0, 0]
    np.testing.assert_array_equal(task.parameters.values, before)


@pytest.mark.parametrize("bad", [float("nan"), 1e9])
def test_a_loss_that_never_falls_is_refused(bad):
    def on_step(task, step):
        task.parameters.gradients *= -1
        if step:
            task.parameters.gradients[0] = bad

    with pytest.raises(DivergenceError, match="lr='find': the loss falls at no learning rate"):
        find_learning_rate(QuadraticTask(on_step=on_step), options())


def test_a_run_trains_with_what_was_found_and_says_so(tmp_path):
    trial = find_learning_rate(QuadraticTask(noise=0.1), options())
    found = trial.suggestion
    run = RunFolder.create(tmp_path / "run", task="quadratic", config={"options": {"lr": "find"}})
    asked, events, task = options(lr="find"), [], QuadraticTask(noise=0.1)
    Trainer(task, asked, run, events.append).fit(steps=12)
    assert asked.lr == "find"
    assert run.config["options"]["lr"] == run.config["run"]["lr"] == found
    assert next(event.lr for event in events if isinstance(event, Started)) == found
    assert events[0] == RateFound(found, trial.rates.tolist(), trial.losses.tolist())
    first = json.loads((run.path / "log.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first == {"event": "RateFound", **asdict(events[0])}
    given = QuadraticTask(noise=0.1)
    Trainer(given, options(lr=found)).fit(steps=12)
    np.testing.assert_array_equal(task.parameters.values, given.parameters.values)


def test_other_words_are_refused():
    with pytest.raises(
        OptionError, match=r"'lr' option .* must be a float in \(0, inf\), one of 'find' or None"
    ):
        options(lr="best")


def test_where_the_first_step_is_not_finite_there_is_no_rate():
    with pytest.raises(DivergenceError, match="the loss falls at no learning rate"):
        _suggestion(np.array([]), np.array([]))
