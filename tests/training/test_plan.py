import pytest

from noria.models.text.options import TextTrainingOptions
from noria.training.plan import make_plan


def test_automatic_evaluations_are_thirty_where_they_are_cheap():
    plan = make_plan(2400, TextTrainingOptions(valid_fraction=0.05, test_fraction=0.05), steps_per_epoch=200)
    assert plan.eval_every == 80
    assert plan.evaluations == 30
    assert plan.sample_every == 400


def test_automatic_evaluations_are_fewer_where_they_are_dear():
    options = TextTrainingOptions(valid_fraction=0.05, test_fraction=0.05)
    plan = make_plan(2400, options, steps_per_epoch=1800)
    # One costs 1800 * 0.05 / 0.9 / 3 = 33.3 steps; 7 % of 2400 are 168 steps.
    assert plan.evaluations == 5
    assert make_plan(10, options, steps_per_epoch=100_000).evaluations == 2


@pytest.mark.parametrize("steps", [1, 2, 7, 100])
def test_last_step_is_always_evaluated_and_once(steps):
    plan = make_plan(steps, TextTrainingOptions(), steps_per_epoch=3)
    evaluated = [step for step in range(1, steps + 1) if plan.evaluates(step)]
    assert evaluated[-1] == steps
    assert len(evaluated) == plan.evaluations


def test_options_have_the_last_word():
    plan = make_plan(100, TextTrainingOptions(eval_every=30, sample_every=45), steps_per_epoch=3)
    assert [step for step in range(1, 101) if plan.evaluates(step)] == [30, 60, 90, 100]
    assert [step for step in range(1, 101) if plan.samples(step)] == [45, 90, 100]
    silent = make_plan(100, TextTrainingOptions(sample_every=45, sample_length=0), steps_per_epoch=3)
    assert not any(silent.samples(step) for step in range(1, 101))


def test_nothing_held_out_costs_nothing():
    plan = make_plan(60, TextTrainingOptions(valid_fraction=0.0), steps_per_epoch=1000)
    assert plan.evaluations == 30


def test_the_latest_weights_are_written_every_few_hundred_steps_however_rare_evaluations_are():
    plan = make_plan(100_000, TextTrainingOptions(eval_every=1700), 10)
    assert [step for step in range(1, 2101) if plan.saves(step)] == [500, 1000, 1500, 1700, 2000]
    often = make_plan(40, TextTrainingOptions(eval_every=7), 10)
    assert [step for step in range(1, 41) if often.saves(step)] == [7, 14, 21, 28, 35, 40]
