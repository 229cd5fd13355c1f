"""A learning rate from a short trial: it grows from step to step until the loss does."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Float
from noria.errors import DivergenceError
from noria.training.calibration import go_on
from noria.training.task import Task
from noria.training.training_options import TrainingOptions
from noria.training.update import Updater

STEPS = 120
LOWEST, HIGHEST = 1e-5, 10.0
MEMORY = 0.9
"""What the smoothed loss keeps in a step; at its beginning it is the mean of what there is."""
STILL = 10
"""Steps at the beginning whose rates are too low to change anything: the fall is counted from their mean."""
FOOT, TOP = 0.1, 0.9
"""The shares of the fall between which the middle is taken."""


@dataclass(frozen=True)
class FoundRate:
    """What a trial came to.

    Attributes
    ----------
    rates : array of shape (N,)
        The learning rate of each step.
    losses : array of shape (N,)
        The smoothed loss, in the unit of the task.
    suggestion : float
        The rate to train with, to two digits.
    """

    rates: Float[Array, " N"]
    losses: Float[Array, " N"]
    suggestion: float


def find_learning_rate(
    task: Task,
    options: TrainingOptions,
    *,
    steps: int = STEPS,
    lowest: float = LOWEST,
    highest: float = HIGHEST,
    check: Callable[[], None] = go_on,
) -> FoundRate:
    """Try learning rates that grow by the same factor from step to step.

    The suggestion is the middle, in logarithm, between the rate at which a tenth of the loss's fall is done
    and the one at which nine tenths are: half way up the stretch on which training gets anywhere. It suits a
    whole run about as well as a rate that was searched for; it does not replace a search.

    Parameters
    ----------
    task : Task
        Its parameters and its carried state are as before afterwards.
    options : TrainingOptions
        Whose optimiser and clipping are tried; neither ``lr`` nor the schedule matters.
    steps : int, default 120
        At most: the trial ends where the loss is not finite.
    lowest, highest : float
        The rates of the first and of the last step.
    check : callable
        Called before each step; what it raises ends the trial.

    Raises
    ------
    DivergenceError
        If the loss falls at none of the rates.

    References
    ----------
    Smith 2017, section 3.3; where on the curve to take the rate is our own choice.
    """
    weights = task.parameters.state_dict()
    carried = {name: array.copy() for name, array in task.carried().items()}
    try:
        rates, losses = _trial(task, options, np.geomspace(lowest, highest, steps), check)
    finally:
        task.parameters.load_state_dict(weights)
        task.restore_carried(carried)
    return FoundRate(rates, losses, _suggestion(rates, losses))


def _trial(
    task: Task, options: TrainingOptions, rates: Array, check: Callable[[], None]
) -> tuple[Array, Array]:
    updater = Updater(task, options)
    losses: list[float] = []
    mean = 0.0
    for step, rate in enumerate(rates):
        check()
        update = updater.make(step, float(rate))
        if not update.is_finite:
            break
        mean = MEMORY * mean + (1 - MEMORY) * update.loss
        losses.append(mean / (1 - MEMORY ** (step + 1)))  # as Adam's means are, without the bias to 0
    return rates[: len(losses)], np.array(losses)


def _suggestion(rates: Array, losses: Array) -> float:
    still = float(losses[:STILL].mean()) if len(losses) > STILL else 0.0
    best = STILL + int(losses[STILL:].argmin()) if len(losses) > STILL else 0
    if not best or losses[best] >= still:  # their mean: the first losses are those of a batch or two
        raise DivergenceError(
            f"lr='find': the loss falls at no learning rate that was tried, from {LOWEST:g} on.\n"
            "  Give lr a number, or look at the data: there may be nothing to learn."
        )
    fall = (still - losses[: best + 1]) / max(still - losses[best], np.finfo(float).tiny)
    foot, top = (rates[int(np.flatnonzero(fall < share)[-1]) + 1] for share in (FOOT, TOP))
    return float(f"{math.sqrt(foot * top):.2g}")
