"""The schedule of a run: its learning rates by its options, and what one of them remembers.

Plateau counts how often the validation loss has stopped falling; the others have no state.
"""

import math
from collections.abc import Mapping

import numpy as np

from noria.arrays import Array, Shaped
from noria.training.learning_rates import learning_rate
from noria.training.length import Length
from noria.training.states import check_state
from noria.training.training_options import TrainingOptions


class Schedule:
    """The learning rate of a run, with what the plateau schedule remembers of its evaluations.

    Parameters
    ----------
    options : TrainingOptions
    steps : int
        Updates in the whole run.

    Attributes
    ----------
    length : Length
        Of the run; may be set later.
    """

    def __init__(self, options: TrainingOptions, steps: int = 0) -> None:
        self.length = Length(steps)
        self._options = options
        self._best = math.inf
        self._waited = 0
        self._falls = 0

    def rate(self, step: int) -> float:
        """Give the learning rate of an update, counted from 0."""
        options = self._options
        return learning_rate(
            step,
            self.length.at(step),
            lr=options.full_lr,
            schedule=options.schedule,
            warmup=options.warmup,
            final_fraction=float(options.final_lr_fraction),
            decay=float(options.lr_decay),
            decay_every=options.lr_decay_every,
            rise=float(options.one_cycle_rise),
            start_fraction=float(options.one_cycle_start),
            falls=self._falls,
        )

    def observe(self, validation_loss: float) -> bool:
        """Hear of an evaluation; only plateau minds.

        Returns
        -------
        bool
            Whether the rate falls because of it.
        """
        if self._options.schedule != "plateau":
            return False
        margin = self._options.lr_threshold * abs(self._best) if math.isfinite(self._best) else 0.0
        if validation_loss < self._best - margin:
            self._best, self._waited = validation_loss, 0
        else:
            self._waited += 1
        if self._waited <= self._options.lr_patience:
            return False
        self._waited = 0
        self._falls += 1
        return True

    def state(self) -> dict[str, Shaped[Array, "..."]]:
        """Give all that the next rates depend on besides the options."""
        return {
            "best": np.array(self._best, dtype=np.float64),
            "waited": np.array(self._waited, dtype=np.int64),
            "falls": np.array(self._falls, dtype=np.int64),
        }

    def load_state(self, state: Mapping[str, Shaped[Array, "..."]]) -> None:
        """Go on from a state that :meth:`state` gave.

        Raises
        ------
        RunError
            If the names are not those of a schedule.
        """
        check_state("a schedule", self.state(), state, "version of Noria")
        self._best = float(state["best"])
        self._waited = int(state["waited"])
        self._falls = int(state["falls"])
