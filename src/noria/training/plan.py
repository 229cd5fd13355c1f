"""The plan of a run: how many steps, and at which of them something is evaluated or sampled.

It follows from the number of steps and the options alone, never from a clock: ``--steps N`` meets the same
evaluations, and so keeps the same best weights, as the ``--minutes`` run that came to N. Where that was
planned anew on the way, the plan knows when, and how many steps it had until then.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from noria.errors import OptionError
from noria.training.length import Length
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
    earlier: tuple[tuple[int, int], ...] = ()
    """Until which step how many steps were planned, where that was another number."""

    @property
    def length(self) -> Length:
        """What each step takes for the length of the run."""
        return Length(self.steps, self.earlier)

    def changed(self, step: int, steps: int) -> "Plan":
        """Give the plan of a run that has so many steps in all, as it is known from a step on."""
        return replace(self, steps=steps, earlier=self.length.changed(step, steps).earlier)

    def to_toml_dict(self) -> dict[str, Any]:
        """Give what the config says of the plan; not when files are written, which changes nothing."""
        return {
            "steps": self.steps,
            "replanned": self.length.written() or None,
            "eval_every": self.eval_every,
            "sample_every": self.sample_every,
            "batches": self.batches or None,
        }

    @classmethod
    def from_toml_dict(cls, run: Mapping[str, Any], save_every: int) -> "Plan":
        """Undo :meth:`to_toml_dict`.

        Raises
        ------
        KeyError, TypeError, ValueError
            Where something is missing, or is not what it should be: names it.
        """
        steps, eval_every, sample_every = (int(run[name]) for name in ("steps", "eval_every", "sample_every"))
        written = run.get("replanned", [])
        if not (isinstance(written, list) and all(isinstance(entry, str) for entry in written)):
            raise TypeError("replanned")
        try:
            earlier = Length.read(steps, written).earlier if written else ()
        except OptionError:
            raise ValueError("replanned") from None
        return cls(steps, eval_every, sample_every, save_every, int(run.get("batches", 0)), earlier)

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
        return self.evaluations_after(0)

    def evaluations_after(self, step: int) -> int:
        """Count the evaluations that are still to come after this step and its own."""
        return math.ceil(self.steps / self.eval_every) - step // self.eval_every


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
