"""One update: a batch forward and backward, its gradient checked and clipped, the optimiser's step."""

import math
from dataclasses import dataclass

import numpy as np

from noria.layers import Mode
from noria.training.clipping import Clipping
from noria.training.optimisers import make_optimiser
from noria.training.randomness import generator
from noria.training.task import Task
from noria.training.training_options import TrainingOptions


@dataclass(frozen=True)
class Update:
    """What one update met.

    Parameters
    ----------
    loss : float
        Of the batch.
    tokens : int
        In the batch.
    norm : float
        Of the gradient, before clipping.
    """

    loss: float
    tokens: int
    norm: float

    @property
    def is_finite(self) -> bool:
        """Whether loss and gradient are; if not, no weight was changed."""
        return math.isfinite(self.loss) and math.isfinite(self.norm)


class Updater:
    """Makes the updates of a task, in place, and holds what goes from one to the next.

    Parameters
    ----------
    task : Task
    options : TrainingOptions
    """

    def __init__(self, task: Task, options: TrainingOptions) -> None:
        self.optimiser = make_optimiser(options, task.parameters.values)
        self.clipping = Clipping(options.grad_clip, options.grad_clip_value)
        self._task = task
        self._seed = options.seed

    def make(self, step: int, lr: float) -> Update:
        """Make update number ``step``, counted from 0, with a learning rate."""
        parameters = self._task.parameters
        parameters.zero_gradients()
        mode = Mode(training=True, rng=generator(self._seed, "step", step))
        # What overflows shows as a loss or norm that is not finite, three lines further on.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            result = self._task.step(step, mode)
        groups = parameters.groups()
        clipped = self.clipping.measure(parameters.gradients, groups)
        update = Update(result.loss, result.tokens, clipped.norm)
        if update.is_finite:
            self.optimiser.update(parameters.values, parameters.gradients, lr, groups, scale=clipped.scale)
        return update
