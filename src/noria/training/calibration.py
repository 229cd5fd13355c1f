"""Minutes into steps: a few real steps are timed before the first one."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np

from noria.training.task import Part, Task
from noria.training.training_options import TrainingOptions
from noria.training.update import Updater

WARM_STEPS = 2
LEAST_STEPS = 3
MOST_STEPS = 200
MOST_SECONDS = 3.0
SHARE = 0.04
LONG = 3.0
"""How many times as long as allowed a whole part may take to be read again, when all it needs is compiled."""
HELD_UP = 3.0
"""How many times as long as usual that takes in which the machine did something else."""
EVALUATIONS, DOUBTFUL, CHEAP = 2, 0.5, 0.1
"""So many evaluations and the test are doubted where they take more than this share of the budget, and timed
once more where that has taken no more than this one."""
LEAST_REHEARSAL = 1 / 256
"""The share of a part that is read first, to compile what reads it."""

Clock: TypeAlias = Callable[[], float]
Rehearse: TypeAlias = Callable[[float], float]


@dataclass(frozen=True)
class Timing:
    """What a mean step, one evaluation and the one of the test part take.

    Attributes
    ----------
    step, evaluation, test : float
        Seconds.
    tokens : float
        Of a mean step.
    timed : int
        From how many steps that is known.
    """

    step: float
    evaluation: float
    test: float = 0.0
    tokens: float = 1.0
    timed: int = 1

    @property
    def pace(self) -> float:
        """Seconds of a token in a step; 0: not known."""
        return self.step / self.tokens if self.tokens else 0.0

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

    def take_step(step: int) -> int:
        check()
        return updater.make(step, 0.0).tokens  # a learning rate of zero takes the time of any other

    def rehearse(part: Part, share: float) -> float:
        check()
        return task.rehearse(part, share)

    try:
        pace, timed = time_steps(take_step, allowed, clock)
        tokens = options.accumulate * max(1, task.tokens_per_epoch) / task.steps_per_epoch

        def readings() -> tuple[float, float]:
            evaluation = time_reading(partial(rehearse, "validation"), allowed, clock)
            return evaluation, time_reading(partial(rehearse, "test"), allowed / 4, clock)

        before = clock()
        evaluation, test = readings()
        most = EVALUATIONS * evaluation + test > DOUBTFUL * budget
        if most and clock() - before < CHEAP * budget:  # or did the machine stand still for a moment?
            evaluation, test = map(min, (evaluation, test), readings())
        return Timing(pace * tokens, evaluation, test, tokens, timed)
    finally:
        task.parameters.load_state_dict(weights)
        task.restore_carried(carried)


def time_steps(take_step: Callable[[int], int], allowed: float, clock: Clock) -> tuple[float, int]:
    """Time steps for about ``allowed`` seconds; give the seconds of a token, and from how many steps.

    The first ones are not counted: they compile kernels, fill caches and get new memory. Nor are those that
    were held up: they took much longer than most, and not because they have more tokens. Sums over the others
    do not depend on whether long or short batches were drawn.

    Parameters
    ----------
    take_step : callable
        Makes a step, given its number, and says of how many tokens.
    allowed : float
    clock : callable
    """
    take_step(0)
    begin, warm = clock(), 1
    while warm < WARM_STEPS or (clock() - begin < allowed / 3 and warm < MOST_STEPS // 3):
        take_step(warm)
        warm += 1
    seconds: list[float] = []
    tokens: list[int] = []
    while len(seconds) < LEAST_STEPS or (sum(seconds) < allowed and len(seconds) < MOST_STEPS):
        before = clock()
        tokens.append(max(1, take_step(warm + len(seconds))))
        seconds.append(clock() - before)
    took, counted = np.array(seconds), np.array(tokens)
    pace = took / counted
    kept = (took <= HELD_UP * np.median(took)) | (pace <= HELD_UP * np.median(pace))
    return float(took[kept].sum() / counted[kept].sum()), int(kept.sum())


def time_reading(rehearse: Rehearse, allowed: float, clock: Clock) -> float:
    """Time the reading of a share of a part that takes about ``allowed`` seconds; give that of all.

    The test part of a text is read symbol after symbol, which may take as long as many evaluations.

    Parameters
    ----------
    rehearse : callable
        Reads about a share of the part, and gives the share that it has read.
    allowed : float
    clock : callable
    """
    share = read = 0.0

    def work() -> None:
        nonlocal read
        read = rehearse(share)

    share = LEAST_REHEARSAL
    seconds = _timed(work, clock)
    if read >= 1.0 and seconds >= LONG * allowed:
        return seconds
    while True:  # the first one may have compiled
        seconds = _timed(work, clock)
        if max(share, read) >= 1.0 or seconds >= allowed / 2:
            return seconds / read
        share = min(1.0, max(share, read) * min(16.0, max(2.0, allowed / max(seconds, 1e-9))))


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
