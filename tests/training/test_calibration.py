import numpy as np
import pytest
from quadratic_task import QuadraticTask

from noria.training.calibration import Timing, calibrate, steps_within, time_evaluation, time_steps, time_test
from noria.training.training_options import TrainingOptions


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_median_of_real_steps_after_the_warm_ones():
    clock = Clock()
    durations = {0: 9.0, 1: 5.0, 2: 0.1, 3: 0.3, 4: 7.0, 5: 0.2, 6: 0.2}
    taken = []

    def take_step(step):
        taken.append(step)
        clock.now += durations[step]

    assert time_steps(take_step, 3.0, clock) == pytest.approx(0.3)
    assert taken == [0, 1, 2, 3, 4]


def test_steps_are_timed_for_the_time_allowed_but_three_at_least():
    clock = Clock()
    taken = []

    def take_step(step):
        taken.append(step)
        clock.now += 0.01

    time_steps(take_step, 0.125, clock)
    assert len(taken) == 2 + 13
    taken.clear()
    time_steps(take_step, 0.00001, clock)
    assert len(taken) == 2 + 3


def test_free_steps_do_not_go_on_for_ever():
    taken = []
    time_steps(taken.append, 60.0, Clock())
    assert len(taken) == 202


@pytest.mark.parametrize(("allowed", "evaluations", "expected"), [(1.0, 2, 0.25), (0.5, 1, 0.75)])
def test_cheap_evaluation_is_timed_again_when_it_is_warm(allowed, evaluations, expected):
    clock = Clock()
    durations = iter([0.75, 0.25])
    made = []

    def evaluate():
        made.append(1)
        clock.now += next(durations)

    assert time_evaluation(evaluate, allowed, clock) == pytest.approx(expected)
    assert len(made) == evaluations


def test_task_is_as_before():
    task = QuadraticTask(noise=0.5)
    task.parameters.values[...] = 0.25
    task.counter[:] = 3
    clock = Clock()

    def on_step(task, step):
        clock.now += 1.5

    task.on_step = on_step
    timing = calibrate(task, TrainingOptions(optimizer="adam", seed=3), budget=20.0, clock=clock)
    assert timing == Timing(step=1.5, evaluation=0.0)
    assert len(task.steps_seen) == 5
    np.testing.assert_array_equal(task.parameters.values, np.full(7, 0.25))
    np.testing.assert_array_equal(task.counter, [3, 3])


@pytest.mark.parametrize(
    ("seconds", "timing", "expected"),
    [
        (10.0, Timing(0.5, 0.0), 20),
        (10.2, Timing(0.5, 0.0), 20),
        (10.0, Timing(0.5, 1.5), 14),  # 14 * 0.5 + 2 * 1.5
        (0.0, Timing(0.5, 1.5), 1),
        (-5.0, Timing(0.5, 1.5), 1),
        (0.6, Timing(0.5, 0.0), 1),
    ],
)
def test_steps_that_fit(seconds, timing, expected):
    assert steps_within(seconds, timing, lambda steps: 2) == expected


def test_more_steps_may_need_more_evaluations():
    timing = Timing(step=1.0, evaluation=10.0)
    # An evaluation every 20 steps and one more: 45 + 30 + 10 fit into 85, and a step more does not.
    assert steps_within(85.0, timing, lambda steps: -(-steps // 20) + 1) == 45


class LongPart:
    """A test part that takes 90 seconds as a whole, and 2 more the first time."""

    def __init__(self, clock, least=0.0):
        self.clock, self.least, self.shares = clock, least, []

    def __call__(self, share):
        read = max(share, self.least)
        self.clock.now += 90.0 * read + (0.0 if self.shares else 2.0)
        self.shares.append(read)
        return read


@pytest.mark.parametrize("allowed", [0.2, 3.0, 20.0])
@pytest.mark.parametrize("least", [0.0, 0.3, 1.0])
def test_a_long_test_is_foretold_from_its_beginning(allowed, least):
    clock = Clock()
    part = LongPart(clock, least)
    expected = 92.0 if least == 1.0 else 90.0  # what was read as a whole is not read again
    assert time_test(part, allowed, clock) == pytest.approx(expected)
    again = sum(part.shares[1:])
    assert again <= max(2.5 * allowed / 90.0, least, 1 / 256)


def test_a_short_test_is_read_as_a_whole():
    clock = Clock()
    shares = []

    def rehearse(share):
        shares.append(share)
        clock.now += 0.001 + 0.01 * share
        return share

    assert time_test(rehearse, 0.5, clock) == pytest.approx(0.011)
    assert shares[-1] == 1.0


def test_the_test_is_part_of_the_budget():
    assert steps_within(100.0, Timing(step=1.0, evaluation=4.0, test=30.0), lambda steps: 2) == 62
