import pytest

from noria.errors import OptionError
from noria.training.length import Length
from noria.training.plan import Plan
from noria.training.schedules import Schedule
from noria.training.training_options import Budget, TrainingOptions

CHANGED = Length(100).changed(20, 150).changed(60, 90)


def test_each_step_knows_the_length_of_its_time():
    assert (CHANGED.steps, CHANGED.earlier) == (90, ((20, 100), (60, 150)))
    assert [CHANGED.at(step) for step in (0, 19, 20, 59, 60, 89)] == [100, 100, 150, 150, 90, 90]


@pytest.mark.parametrize(
    ("share", "updates"),
    [
        (0.1, 10),
        (0.19, 19),
        (0.3, 45),  # 30 of 100 are not reached by step 20, 45 of 150 are
        (0.5, 60),  # neither 50 of 100 nor 75 of 150; of 90 they are over when that is planned
        (0.8, 72),
        (1.0, 90),
    ],
)
def test_a_share_is_over_once(share, updates):
    assert CHANGED.updates_in(share) == updates


def test_what_is_over_when_it_is_planned_is_over_then():
    shrunk = Length(100).changed(40, 60).changed(50, 90)
    assert shrunk.updates_in(0.5) == 40  # 50 of 100 are not reached by then, and 30 of 60 are


def test_it_is_written_and_read():
    assert CHANGED.written() == ["20:100", "60:150"]
    assert Length.read(90, CHANGED.written()) == CHANGED
    assert Length.read(90, ()) == Length(90)


@pytest.mark.parametrize(
    ("steps", "written"),
    [
        (90, "20:100,20:150"),
        (90, "60:100,20:150"),
        (60, "20:100,60:150"),
        (90, "0:100"),
        (90, "20:20"),
        (90, "20:100,60:50"),
        (90, "20"),
        (90, "20:"),
        (90, "a:b"),
        (90, "-3:100"),
        (90, "2.5:100"),
    ],
)
def test_what_can_be_no_run_is_refused(steps, written):
    with pytest.raises(OptionError, match=r"'replanned' option must be STEP:STEPS"):
        Length.read(steps, written.split(","))


def test_it_belongs_to_a_budget_of_steps():
    options = TrainingOptions(replanned=["20:100"])
    options.check_budget(Budget(steps=90))
    for budget in (Budget(), Budget(minutes=2.0), Budget(epochs=3.0)):
        with pytest.raises(OptionError, match=r"belongs to a budget of steps.*Got replanned=20:100 without"):
            options.check_budget(budget)
    TrainingOptions().check_budget(Budget(minutes=2.0))


def test_the_rate_of_a_step_is_that_of_its_time():
    options = TrainingOptions(lr=1.0, schedule="linear", warmup=0, final_lr_fraction=0.0)
    schedule = Schedule(options)
    schedule.length = CHANGED
    assert schedule.rate(10) == pytest.approx(1 - 10 / 99)
    assert schedule.rate(30) == pytest.approx(1 - 30 / 149)
    assert schedule.rate(70) == pytest.approx(1 - 70 / 89)
    assert schedule.rate(89) == pytest.approx(0.0)


def test_a_plan_that_is_changed_keeps_its_evaluations():
    plan = Plan(100, eval_every=8, sample_every=40).changed(20, 150).changed(60, 90)
    assert plan.length == CHANGED
    assert [step for step in range(1, 91) if plan.evaluates(step)] == [*range(8, 89, 8), 90]
    assert plan.evaluations == 12
    assert [plan.evaluations_after(step) for step in (0, 7, 8, 60, 88, 89)] == [12, 12, 11, 5, 1, 1]
    assert Plan.from_toml_dict(plan.to_toml_dict() | {"batches": 0}, 0) == plan
