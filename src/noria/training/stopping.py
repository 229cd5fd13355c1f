"""When a run ends before its last planned step: no improvement any more, or no time left."""

import math
from collections.abc import Mapping

import numpy as np

from noria.arrays import Array

LATE = 1.03
"""How far over its time a run may go to reach its last planned step; beyond it, it stops where it is.

That happens where a machine gets much slower and no time is left to plan the rest anew."""


class EarlyStopping:
    """Counts evaluations without improvement (Prechelt 1998).

    Parameters
    ----------
    patience : int
        So many in a row end the run; 0: never.
    min_delta : float
        What a loss has to be lower by to count as an improvement.

    Attributes
    ----------
    stale : int
        Evaluations since the last improvement.
    """

    def __init__(self, patience: int = 0, min_delta: float = 0.0) -> None:
        self.patience = patience
        self.min_delta = min_delta
        self.stale = 0
        self._reference = math.inf

    def see(self, loss: float) -> None:
        """Take in the loss of one more evaluation."""
        if loss < self._reference - self.min_delta or math.isinf(self._reference):
            self._reference, self.stale = loss, 0
        else:
            self.stale += 1

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        return 0 < self.patience <= self.stale

    def state(self) -> dict[str, Array]:
        """Give what the next evaluation is judged by."""
        return {
            "stale": np.array(self.stale, dtype=np.int64),
            "stale_since": np.array(self._reference, dtype=np.float64),
        }

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Go on from what :meth:`state` gave."""
        self.stale, self._reference = int(state["stale"]), float(state["stale_since"])


class Deadline:
    """The end of a time budget.

    Parameters
    ----------
    seconds : float, optional
        What the whole run may take; without it there is no deadline.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds

    def is_over(self, spent: float, closing: float) -> bool:
        """Whether a run must end now that has spent so much and needs so much to close."""
        return self.seconds is not None and spent + closing > LATE * self.seconds
