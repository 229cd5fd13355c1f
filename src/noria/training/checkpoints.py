"""Which weights are kept: the best, and the last together with all that going on from them needs.

Two files cannot be replaced at one instant, so their order is fixed: last.safetensors first, which names
the step of the best weights, then best.safetensors. Where a kill falls between the two, the best weights are
those of last.safetensors itself. An evaluation outside the plan, at an interruption, may find better weights
than the plan would have looked at; the best of the plan are then kept in last.safetensors for going on.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from noria.arrays import Array
from noria.errors import DataError, RunError, ShapeError
from noria.training.progress import Progress
from noria.training.run_folder import WEIGHTS, RunFolder
from noria.training.stopping import EarlyStopping
from noria.training.task import Task
from noria.training.update import Updater

UPDATE = "update/"
CARRIED = "carried/"
TRAINER = "trainer/"
BEST = "best/"
NOT_WRITTEN = -1


@dataclass(frozen=True)
class Best:
    """Weights that were evaluated; ``step`` 0: the initial ones, which were not."""

    weights: Mapping[str, Array]
    step: int = 0
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def loss(self) -> float:
        """Their loss; infinite where there was no evaluation."""
        return self.metrics.get("loss", math.inf)


class Checkpoints:
    """The best weights so far, and the files of both.

    Parameters
    ----------
    task : Task
        With its initial weights.
    run_folder : RunFolder, optional
        Without one, the best weights are kept in memory only.
    updater, progress, stopping
        What goes on from step to step besides the weights.
    """

    def __init__(
        self,
        task: Task,
        run_folder: RunFolder | None,
        updater: Updater,
        progress: Progress,
        stopping: EarlyStopping,
    ) -> None:
        self._task = task
        self._folder = run_folder
        self._updater, self._progress, self._stopping = updater, progress, stopping
        self._planned = self._best = Best(task.parameters.state_dict())
        self._written = 0

    @property
    def best_step(self) -> int:
        """After which step the weights were best; 0 are the initial ones."""
        return self._best.step

    @property
    def best(self) -> dict[str, float]:
        """Figures of the best weights on the validation part."""
        return self._best.metrics

    def consider(self, step: int, metrics: Mapping[str, float], *, planned: bool = True) -> bool:
        """Keep the weights if their loss is the lowest so far, or if there is no loss to judge by.

        They are written with the next :meth:`save`.

        Parameters
        ----------
        step : int
        metrics : mapping of str to float
        planned : bool
            Whether the plan has an evaluation here. If not, a run that goes on knows nothing of it.
        """
        if metrics and metrics["loss"] >= self._best.loss:
            return False
        self._best = Best(self._task.parameters.state_dict(), step, dict(metrics))
        if planned:
            self._planned = self._best
        return True

    def save(self, step: int) -> None:
        """Write everything that the next step depends on, under prefixed names; then new best weights."""
        if self._folder is None:
            return
        planned = self._planned
        counts = {
            "step": np.array(step, dtype=np.int64),
            "best_step": np.array(planned.step, dtype=np.int64),
            "best_loss": np.array(planned.loss, dtype=np.float64),
            **self._progress.state(),
            **self._stopping.state(),
        }
        parts: dict[str, Mapping[str, Array]] = {
            WEIGHTS: self._task.parameters.state_dict(),
            UPDATE: self._updater.state(),
            CARRIED: self._task.carried(),
            TRAINER: counts,
            BEST: planned.weights if planned is not self._best or (step and not planned.step) else {},
        }
        arrays = {prefix + name: array for prefix, part in parts.items() for name, array in part.items()}
        self._folder.write_arrays("last", arrays, step=step, validation=planned.metrics)
        self.write_best()

    def write_best(self) -> None:
        """Write the best weights, unless the file holds them."""
        if self._folder is not None and self._written != self._best.step:
            best = self._best
            self._folder.write_arrays("best", best.weights, step=best.step, validation=best.metrics)
            self._written = best.step

    def load(self) -> int:
        """Put everything back as :meth:`save` wrote it, and give its step; nothing is written.

        Before the next :meth:`save`, :meth:`write_best` has to be called: the best weights of the plan may be
        in last.safetensors alone.

        Raises
        ------
        RunError
            If a file is missing or damaged, or does not belong to this task.
        """
        folder = self._folder
        assert folder is not None
        arrays, note = folder.read_arrays("last"), folder.read_note("last")
        try:
            counts = _part(arrays, TRAINER)
            step, best_step = int(counts["step"]), int(counts["best_step"])
            self._task.parameters.load_state_dict(_part(arrays, WEIGHTS))
            self._updater.load_state(_part(arrays, UPDATE))
            self._task.restore_carried(_part(arrays, CARRIED))
            self._progress.load_state(counts)
            self._stopping.load_state(counts)
        except (KeyError, DataError, ShapeError, RunError) as error:
            raise RunError(
                f"{folder.path / 'last.safetensors'}: does not belong to config.toml: {error}"
            ) from None
        metrics = dict(note.get("validation") or {})  # counts stay whole numbers, as they are in the file
        if not best_step:
            self._planned = self._best = Best(_part(arrays, BEST) or _part(arrays, WEIGHTS))
        else:
            self._planned = self._best = self._find_best(arrays, step, best_step, metrics)
        return step

    def _find_best(
        self, arrays: Mapping[str, Array], step: int, best_step: int, metrics: dict[str, float]
    ) -> Best:
        folder = self._folder
        assert folder is not None
        if kept := _part(arrays, BEST):
            self._written = NOT_WRITTEN  # the file holds those of an evaluation which the plan does not have
            return Best(kept, best_step, metrics)
        if (folder.path / "best.safetensors").exists() and folder.read_note("best").get("step") == best_step:
            self._written = best_step
            return Best(folder.read_arrays("best"), best_step, metrics)
        if best_step != step:
            raise RunError(
                f"{folder.path}: best.safetensors is not that of step {best_step}, which last.safetensors "
                "names: the two files are of different runs.\n  Copy the run again from where it was made."
            )
        self._written = NOT_WRITTEN
        with self._updater.averaging.in_place(self._task.parameters):
            return Best(self._task.parameters.state_dict(), best_step, metrics)

    def restore_best(self) -> None:
        """Put the best weights back in place."""
        self._task.parameters.load_state_dict(self._best.weights)


def _part(arrays: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
