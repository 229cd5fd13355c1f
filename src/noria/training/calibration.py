"""Minutes into steps: a few real steps are timed once; after that nothing is decided by the clock."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from noria.training.task import Task, evaluated
from noria.training.training_options import TrainingOptions
from noria.training.update import Updater

WARM_STEPS = 2
LEAST_STEPS = 3
MOST_STEPS = 200
MOST_SECONDS = 3.0
SHARE = 0.04
LEAST_REHEARSAL = 1 / 256
"""The share of the test part that is read first, to compile what reads it."""

Clock = Callable[[], float]


@dataclass(frozen=True)
class Timing:
    """What one step, one evaluation and the one of the test part take, in seconds."""

    step: float
    evaluation: float
    test: float = 0.0

    def predicted(self, steps: int, evaluations: int) -> float:
        """Seconds for a run of so many steps and evaluations, and the test at its end."""
        return steps * self.step + evaluations * self.evaluation + self.test


def go_on() -> None:
    """Do nothing, as nothing stops a calibration."""


def calibrate(
    task: Task,
    options: TrainingOptions,
    *,
    budget: float,
    clock: Clock,
    check: Callable[[], None] = go_on,
) -> Timing:
    """Time a task for a small share of its budget. Parameters and carried state are as before afterwards.

    Parameters
    ----------
    task : Task
    options : TrainingOptions
    budget : float
        Seconds that the run may take in all.
    clock : callable
        Seconds that only rise.
    check : callable
        Called before each step and evaluation; what it raises ends the calibration.
    """
    weights = task.parameters.state_dict()
    carried = {name: array.copy() for name, array in task.carried().items()}
    updater = Updater(task, options)
    allowed = min(MOST_SECONDS, SHARE * budget)

    def take_step(step: int) -> None:
        check()
        updater.make(step, 0.0)  # a learning rate of zero takes the time of any other, and leads nowhere

    def evaluate() -> None:
        check()
        evaluated(task)

    def rehearse(share: float) -> float:
        check()
        return task.rehearse_test(share)

    try:
        step = time_steps(take_step, allowed, clock)
        evaluation = time_evaluation(evaluate, allowed, clock)
        return Timing(step, evaluation, time_test(rehearse, allowed / 4, clock))
    finally:
        task.parameters.load_state_dict(weights)
        task.restore_carried(carried)


def time_steps(take_step: Callable[[int], object], allowed: float, clock: Clock) -> float:
    """Time steps for about ``allowed`` seconds, and give the median.

    The first ones are not counted: they compile kernels and fill caches. The median of the others is not
    moved by what else the machine does now and then.
    """
    for step in range(WARM_STEPS):
        take_step(step)
    seconds: list[float] = []
    while len(seconds) < LEAST_STEPS or (sum(seconds) < allowed and len(seconds) < MOST_STEPS):
        seconds.append(_timed(lambda: take_step(WARM_STEPS + len(seconds)), clock))
    return statistics.median(seconds)


def time_evaluation(evaluate: Callable[[], object], allowed: float, clock: Clock) -> float:
    """Time an evaluation; the second one where two are cheap, since the first may compile."""
    first = _timed(evaluate, clock)
    return _timed(evaluate, clock) if first < allowed else first


def time_test(rehearse: Callable[[float], float], allowed: float, clock: Clock) -> float:
    """Time the reading of a share of the test part that takes about ``allowed`` seconds; give that of all.

    Unlike validation, a text is read symbol after symbol here, which may take as long as many evaluations.

    Parameters
    ----------
    rehearse : callable
        Reads about a share of the test part, and gives the share that it has read.
    allowed : float
    clock : callable
    """
    share = read = 0.0

    def work() -> None:
        nonlocal read
        read = rehearse(share)

    share = LEAST_REHEARSAL
    seconds = _timed(work, clock)
    if read >= 1.0 and seconds >= allowed:
        return seconds
    while True:  # the first one may have compiled
        seconds = _timed(work, clock)
        if read >= 1.0 or seconds >= allowed / 2:
            return seconds / read
        share = min(1.0, read * min(16.0, max(2.0, allowed / max(seconds, 1e-9))))


def _timed(work: Callable[[], object], clock: Clock) -> float:
    before = clock()
    work()
    return clock() - before


def steps_within(seconds: float, timing: Timing, evaluations_of: Callable[[int], int]) -> int:
    """Give the largest number of steps that is predicted to fit into a time, at least 1.

    Parameters
    ----------
    seconds : float
        What is left of the budget.
    timing : Timing
    evaluations_of : callable
        Evaluations of the validation part that a run of so many steps makes.
    """

    def fits(steps: int) -> bool:
        return timing.predicted(steps, evaluations_of(steps)) <= seconds

    if not fits(1):
        return 1
    fitting, too_many = 1, 2
    while fits(too_many):
        fitting, too_many = too_many, 2 * too_many
    while too_many - fitting > 1:
        middle = (fitting + too_many) // 2
        fitting, too_many = (middle, too_many) if fits(middle) else (fitting, middle)
    return fitting
