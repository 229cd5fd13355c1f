import itertools
import math

import numpy as np
import pytest

from noria.errors import RunError, UnknownNameError
from noria.training.learning_rates import SCHEDULES, learning_rate
from noria.training.schedules import Schedule
from noria.training.training_options import TrainingOptions


def rates(steps, **options):
    return [learning_rate(step, steps, lr=0.8, **options) for step in range(steps)]


def test_constant_is_constant():
    assert rates(5) == [0.8] * 5


def test_warmup_rises_in_equal_parts_to_the_full_rate():
    assert rates(10, warmup=4) == pytest.approx([0.2, 0.4, 0.6, 0.8] + [0.8] * 6)


def test_cosine_starts_full_passes_the_middle_and_ends_at_its_fraction():
    got = rates(11, schedule="cosine", final_fraction=0.25)
    assert got[0] == pytest.approx(0.8)
    assert got[5] == pytest.approx((0.8 + 0.2) / 2)
    assert got[10] == pytest.approx(0.2)
    assert got[2] == pytest.approx(0.2 + 0.6 * 0.5 * (1 + math.cos(math.pi * 0.2)))
    assert all(later < earlier for earlier, later in itertools.pairwise(got))


def test_cosine_begins_where_the_warmup_ends():
    got = rates(24, schedule="cosine", warmup=3)
    assert got[2] == got[3] == pytest.approx(0.8)
    assert got[4] < 0.8
    assert got[-1] == pytest.approx(0.0, abs=1e-15)


def test_warmup_takes_at_most_half_of_a_short_run():
    assert rates(6, warmup=50) == pytest.approx([0.8 / 3, 1.6 / 3, 0.8, 0.8, 0.8, 0.8])


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_shortest_runs_have_a_rate(schedule, steps):
    got = rates(steps, schedule=schedule, warmup=10, final_fraction=0.1)
    assert all(0 < rate <= 0.8 for rate in got)


def test_unknown_schedule_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="constant, cosine"):
        learning_rate(0, 10, lr=1.0, schedule="sine")


def test_step_and_exponential_fall_in_quarters_unless_told_and_stop_at_the_floor():
    got = rates(10, schedule="step", warmup=2, decay=0.5)
    assert got == pytest.approx([0.4, 0.8, 0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1])
    got = rates(10, schedule="exponential", warmup=2, decay=0.25)
    assert got[2:] == pytest.approx([0.8 * 0.5**k for k in range(8)])
    assert min(rates(10, schedule="exponential", decay=0.25, final_fraction=0.5)) == 0.4
    assert min(rates(10, schedule="step", decay=0.25, decay_every=1, final_fraction=0.125)) == 0.1


def test_one_cycle_rises_to_the_full_rate_and_falls_to_its_end():
    got = rates(41, schedule="one-cycle", rise=11 / 41, start_fraction=0.25, final_fraction=0.125)
    assert [got[0], got[5], got[10], got[25], got[40]] == pytest.approx([0.2, 0.5, 0.8, 0.45, 0.1])
    assert all(later > earlier for earlier, later in itertools.pairwise(got[:11]))
    assert all(later < earlier for earlier, later in itertools.pairwise(got[10:]))
    warm = rates(41, schedule="one-cycle", rise=11 / 41, start_fraction=0.25, final_fraction=0.125, warmup=4)
    assert warm == pytest.approx([rate * min(1, (step + 1) / 4) for step, rate in enumerate(got)])


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_warmup_begins_gently_whatever_follows(schedule):
    cold, warm = rates(30, schedule=schedule), rates(30, schedule=schedule, warmup=5)
    assert warm[0] <= cold[0] / 5 * (1 + 1e-12)
    assert max(warm) <= 0.8


def plateau(**options):
    made = TrainingOptions(schedule="plateau", warmup=2, lr=0.8, final_lr_fraction=0.0, **options)
    made.validate()
    return Schedule(made, steps=50)


def test_plateau_falls_after_its_patience_and_starts_counting_again():
    schedule = plateau(lr_patience=2, lr_decay=0.25, lr_threshold=0.1)
    assert schedule.rate(0) == 0.4
    #                    best 2, not by enough, best 1.7, worse...
    losses = [2.0, 1.9, 1.7, 1.7, 1.6, 1.8, 1.7, 1.7, 1.0, 1.0, 1.0, 1.0]
    fell = [schedule.observe(loss) for loss in losses]
    assert [index for index, falls in enumerate(fell) if falls] == [5, 11]
    assert schedule.rate(20) == pytest.approx(0.8 / 16)


def test_plateau_knows_losses_below_zero():
    schedule = plateau(lr_patience=0, lr_threshold=0.1)
    assert [schedule.observe(loss) for loss in (-1.0, -1.05, -1.2)] == [False, True, False]


def test_plateau_goes_on_from_its_state():
    losses = np.random.default_rng(5).random(40)
    whole, first, second = (plateau(lr_patience=1) for _ in range(3))
    for loss in losses:
        whole.observe(loss)
    for loss in losses[:17]:
        first.observe(loss)
    assert first.rate(30) != second.rate(30)
    second.load_state(first.state())
    for loss in losses[17:]:
        second.observe(loss)
    assert second.rate(30) == whole.rate(30)
    assert second.state() == whole.state()
    with pytest.raises(RunError, match="not that of a schedule"):
        second.load_state({"best": np.array(1.0)})


def test_other_schedules_do_not_look_at_losses():
    schedule = Schedule(TrainingOptions(schedule="constant", warmup=0), steps=9)
    before = schedule.rate(5)
    assert not any(schedule.observe(loss) for loss in (1.0, 2.0, 3.0, 4.0, 5.0))
    assert schedule.rate(5) == before


@pytest.mark.parametrize(
    ("option", "argument", "value", "schedule"),
    [
        ("warmup", "warmup", 3, "cosine"),
        ("final_lr_fraction", "final_fraction", 0.3, "linear"),
        ("lr_decay", "decay", 0.9, "step"),
        ("lr_decay_every", "decay_every", 3, "exponential"),
        ("one_cycle_rise", "rise", 0.2, "one-cycle"),
        ("one_cycle_start", "start_fraction", 0.5, "one-cycle"),
    ],
)
def test_options_reach_the_schedule(option, argument, value, schedule):
    plain = TrainingOptions(schedule=schedule, lr=0.8, warmup=0, final_lr_fraction=0.0)
    made = TrainingOptions(
        **{"schedule": schedule, "lr": 0.8, "warmup": 0, "final_lr_fraction": 0.0, option: value}
    )
    made.validate()
    got = [Schedule(made, 20).rate(step) for step in range(20)]
    assert got == rates(20, schedule=schedule, **{argument: value})
    assert got != [Schedule(plain, 20).rate(step) for step in range(20)]
