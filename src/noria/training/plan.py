"""The plan of a run: how many steps, and at which of them something is evaluated or sampled.

It follows from the number of steps and the options alone, never from a clock: ``--steps N`` meets the same
evaluations, and so keeps the same best weights, as the ``--minutes`` run that came to N.
"""

import math
from dataclasses import dataclass

from noria.training.training_options import TrainingOptions

EVALUATIONS = 30
STEPS_UNSAVED = 500
EVALUATION_SHARE = 0.07


@dataclass(frozen=True)
class Plan:
    """Steps are counted by finished updates, from 1 to ``steps``."""

    steps: int
    eval_every: int
    sample_every: int
    """0: never."""
    save_every: int = 0
    """0: at every evaluation, and every few hundred steps."""
    batches: int = 0
    """Where the steps gather several batches each, and the last one what is left: how many in all."""

    def evaluates(self, step: int) -> bool:
        """Whether the validation part is evaluated after this step; always after the last."""
        return step % self.eval_every == 0 or step == self.steps

    def samples(self, step: int) -> bool:
        """Whether a sample is written after this step."""
        return self.sample_every > 0 and (step % self.sample_every == 0 or step == self.steps)

    def saves(self, step: int) -> bool:
        """Whether the latest weights are written after this step; at an evaluation they are anyway."""
        every = self.save_every or min(self.eval_every, STEPS_UNSAVED)
        return step % every == 0 or self.evaluates(step)

    @property
    def evaluations(self) -> int:
        """Evaluations of the validation part in the whole run."""
        return math.ceil(self.steps / self.eval_every)


def make_plan(steps: int, options: TrainingOptions, steps_per_epoch: float, batches: int = 0) -> Plan:
    """Fill in what the options leave to be chosen.

    Automatic evaluation: thirty times in a run, less often where that would cost more than seven percent of
    the work (a forward pass over the validation part against steps of forward and backward), but twice at
    least.
    """
    eval_every = options.eval_every or _automatic_eval_every(steps, options, steps_per_epoch)
    return Plan(
        steps,
        eval_every,
        options.sample_interval(eval_every),
        options.save_every,
        batches,
    )


def _automatic_eval_every(steps: int, options: TrainingOptions, steps_per_epoch: float) -> int:
    trained = 1.0 - options.valid_fraction - options.test_fraction
    # Forward and backward together cost about three times the forward.
    cost_in_steps = steps_per_epoch * options.valid_fraction / trained / 3.0
    affordable = EVALUATION_SHARE * steps / max(cost_in_steps, 1e-9)
    evaluations = max(2, min(EVALUATIONS, int(affordable)))
    return math.ceil(steps / evaluations)
