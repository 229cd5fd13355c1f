import math
from itertools import pairwise

import numpy as np
import pytest
from quadratic_task import QuadraticTask

from noria.training.calibration import (
    HELD_UP,
    Timing,
    calibrate,
    steps_within,
    time_reading,
    time_steps,
)
from noria.training.progress import Progress
from noria.training.training_options import TrainingOptions


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_mean_of_real_steps_after_the_warm_ones_without_those_that_were_held_up():
    clock = Clock()
    durations = {0: 9.0, 1: 5.0, 2: 0.1, 3: 0.3, 4: 7.0, 5: 0.2, 6: 0.2}
    taken = []

    def take_step(step):
        taken.append(step)
        clock.now += durations[step]
        return 10

    assert time_steps(take_step, 3.0, clock) == (pytest.approx(0.02), 2)
    assert taken == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("seed", range(5))
def test_which_batches_were_drawn_moves_nothing(seed):
    """Lengths from 3 to 200 tokens; every token takes the same time, with another 10 % of noise."""
    rng, clock = np.random.default_rng(seed), Clock()

    def take_step(step):
        tokens = int(np.exp(rng.uniform(np.log(3), np.log(200))))
        clock.now += 0.01 * tokens * rng.uniform(0.9, 1.1) * (20.0 if step % 15 == 14 else 1.0)
        return tokens

    pace, timed = time_steps(take_step, 40.0, clock)
    assert timed > 10
    assert pace == pytest.approx(0.01, rel=0.08)


def test_steps_are_timed_for_the_time_allowed_but_three_at_least():
    clock = Clock()
    taken = []

    def take_step(step):
        taken.append(step)
        clock.now += 0.01
        return 1

    time_steps(take_step, 0.125, clock)
    assert len(taken) == 1 + 5 + 13
    taken.clear()
    time_steps(take_step, 0.00001, clock)
    assert len(taken) == 2 + 3


def test_free_steps_do_not_go_on_for_ever():
    taken = []
    time_steps(lambda step: taken.append(step) or 1, 60.0, Clock())
    assert len(taken) == 266


@pytest.mark.parametrize(("compiling", "expected"), [(0.5, 0.8), (1.2, 2.0)])
def test_what_is_read_as_a_whole_is_timed_when_it_is_warm_unless_it_is_long(compiling, expected):
    clock, shares = Clock(), []

    def rehearse(share):
        clock.now += 0.8 + (0.0 if shares else compiling)
        shares.append(share)
        return 1.0

    assert time_reading(rehearse, 0.6, clock) == pytest.approx(expected)


def test_task_is_as_before():
    task = QuadraticTask(noise=0.5)
    task.parameters.values[...] = 0.25
    task.counter[:] = 3
    clock = Clock()

    def on_step(task, step):
        clock.now += 1.5

    task.on_step = on_step
    timing = calibrate(task, TrainingOptions(optimizer="adam", seed=3), budget=20.0, clock=clock)
    assert (timing.step, timing.evaluation, timing.test) == (pytest.approx(1.5), 0.0, 0.0)
    assert (timing.tokens, timing.timed) == (5.0, 3)
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
    assert time_reading(part, allowed, clock) == pytest.approx(expected)
    again = sum(part.shares[1:])
    assert again <= max(2.5 * allowed / 90.0, least, 1 / 256)


def test_a_short_test_is_read_as_a_whole():
    clock = Clock()
    shares = []

    def rehearse(share):
        shares.append(share)
        clock.now += 0.001 + 0.01 * share
        return share

    assert time_reading(rehearse, 0.5, clock) == pytest.approx(0.011)
    assert shares[-1] == 1.0


def test_a_share_grows_where_batches_are_larger_than_it_or_shorter_than_most():
    """Of four batches the first has seven tenths of all tokens, and is the last to be read."""
    clock, shares = Clock(), []

    def rehearse(share):
        read = {1: 0.1, 2: 0.2, 3: 0.3, 4: 1.0}[math.ceil(4 * share)]
        clock.now += 0.41 + 0.4 * read
        shares.append(share)
        assert len(shares) < 12
        return read

    assert time_reading(rehearse, 1.0, clock) == pytest.approx(0.81)
    assert shares == sorted(shares)


def test_the_test_is_part_of_the_budget():
    assert steps_within(100.0, Timing(step=1.0, evaluation=4.0, test=30.0), lambda steps: 2) == 62


@pytest.mark.parametrize(("tokens", "slower"), [(800, 1.0), (100, 1.0), (10, 2.0)])
def test_one_long_batch_is_no_slow_machine(tokens, slower):
    """What is left to do is foretold by the time of a token, and one short batch counts little."""
    clock = Clock()
    progress = Progress(clock)
    progress.calibrated(Timing(step=0.1, evaluation=2.0, test=4.0, tokens=100.0, timed=9))
    assert progress.closing(1) == pytest.approx(6.0)
    progress.step_begins()
    clock.now += 0.001 * tokens * slower
    progress.step_ends(1.0, tokens)
    assert progress.closing(1) == pytest.approx(6.0, rel=0.02)


def test_a_slow_machine_is_seen_whatever_the_lengths():
    clock = Clock()
    progress = Progress(clock)
    progress.calibrated(Timing(step=0.1, evaluation=2.0, test=4.0, tokens=100.0, timed=9))
    for tokens in [20, 180] * 60:
        progress.step_begins()
        clock.now += 3.0 * 0.001 * tokens
        progress.step_ends(1.0, tokens)
    assert 2.5 * 6.0 < progress.closing(1) < 3.0 * 6.0


def test_an_update_of_several_batches_takes_as_long_as_they_do():
    clock, task = Clock(), QuadraticTask()

    def on_step(task, step):
        clock.now += 1.5

    task.on_step = on_step
    timing = calibrate(task, TrainingOptions(accumulate=3), budget=20.0, clock=clock)
    assert (timing.step, timing.tokens) == (pytest.approx(4.5), 15.0)


@pytest.mark.parametrize(("slow", "least", "times"), [(40.0, 0.0, 2), (40.0, 0.15, 1), (4.0, 0.0, 1)])
def test_long_readings_are_timed_once_more_where_that_is_cheap(slow, least, times):
    clock, task, read = Clock(), QuadraticTask(), []

    def rehearse(part, share):
        read.append(part)
        clock.now += slow * max(share, least)
        return max(share, least)

    task.rehearse = rehearse
    timing = calibrate(task, TrainingOptions(), budget=120.0, clock=clock)
    assert (timing.evaluation, timing.test) == (pytest.approx(slow), pytest.approx(slow))
    assert sum(one != two for one, two in pairwise(read)) == 2 * times - 1


def test_the_test_takes_as_many_times_as_long_as_evaluations_do():
    """A model that has learnt when to stop writes less, or more, than was foretold."""
    clock = Clock()
    progress = Progress(clock)
    progress.calibrated(Timing(step=0.1, evaluation=2.0, test=5.0, tokens=100.0, timed=9))
    for slower in (1.0, 1.5):
        timing = progress.timing(0.001 * slower)
        assert (timing.step, timing.tokens) == (pytest.approx(0.1 * slower), 100.0)
        assert (timing.evaluation, timing.test) == (pytest.approx(2.0 * slower), pytest.approx(5.0 * slower))
    for _ in range(40):  # a part is read in half the time, and something else takes as long
        progress.evaluation_took(2.0, reading=1.0)
    assert progress.timing(0.001).test == pytest.approx(2.5, rel=1e-3)
    assert progress.closing(2) == pytest.approx(6.5, rel=1e-3)
    progress.evaluation_took(500.0, reading=500.0)
    assert progress.timing(0.001).evaluation < HELD_UP * 2.0
    assert progress.timing(0.001).test < HELD_UP * 5.0


def test_without_a_validation_part_the_test_follows_the_steps():
    progress = Progress(Clock())
    progress.calibrated(Timing(step=0.1, evaluation=0.0, test=5.0, tokens=100.0, timed=9))
    assert progress.timing(0.002).test == pytest.approx(10.0)
    progress.evaluation_took(0.5)
    assert progress.timing(0.002).test == pytest.approx(10.0)
