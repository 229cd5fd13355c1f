"""Which weights are kept: the best, and the last together with all that going on from them needs."""

import math
from collections.abc import Mapping

import numpy as np

from noria.arrays import Array
from noria.training.progress import Progress
from noria.training.run_folder import WEIGHTS, RunFolder
from noria.training.task import Task
from noria.training.update import Updater

OPTIMISER = "optimiser/"
CARRIED = "carried/"
TRAINER = "trainer/"


class Checkpoints:
    """The best weights so far, and the files of both.

    Parameters
    ----------
    task : Task
    run_folder : RunFolder, optional
        Without one, the best weights are kept in memory only.

    Attributes
    ----------
    best_step : int
        After which step the weights were best; 0 are the initial ones.
    best : dict of str to float
        Their figures on the validation part.
    """

    def __init__(self, task: Task, run_folder: RunFolder | None) -> None:
        self._task = task
        self._folder = run_folder
        self._weights = task.parameters.state_dict()
        self.best_step = 0
        self.best: dict[str, float] = {}

    @property
    def best_loss(self) -> float:
        """The loss of the best weights; infinite before the first evaluation."""
        return self.best.get("loss", math.inf)

    def consider(self, step: int, metrics: Mapping[str, float]) -> bool:
        """Keep the weights if their loss is the lowest so far, or if there is no loss to judge by."""
        if metrics and metrics["loss"] >= self.best_loss:
            return False
        self._weights = self._task.parameters.state_dict()
        self.best_step, self.best = step, dict(metrics)
        if self._folder is not None:
            self._folder.write_arrays("best", self._weights, step=step, validation=self.best)
        return True

    def save_last(self, step: int, updater: Updater, progress: Progress) -> None:
        """Write everything that the next step depends on, under prefixed names."""
        if self._folder is None:
            return
        counts = {
            "step": np.array(step, dtype=np.int64),
            "best_step": np.array(self.best_step, dtype=np.int64),
            "best_loss": np.array(self.best_loss, dtype=np.float64),
            "clipped": np.array(updater.clipping.events, dtype=np.int64),
            **progress.state(),
        }
        parts: dict[str, Mapping[str, Array]] = {
            WEIGHTS: self._task.parameters.state_dict(),
            OPTIMISER: updater.optimiser.state(),
            CARRIED: self._task.carried(),
            TRAINER: counts,
        }
        arrays = {prefix + name: array for prefix, part in parts.items() for name, array in part.items()}
        self._folder.write_arrays("last", arrays, step=step)

    def restore_best(self) -> None:
        """Put the best weights back in place."""
        self._task.parameters.load_state_dict(self._weights)
