"""One update: batches forward and backward, their mean gradient checked and clipped, the optimiser's step."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Shaped
from noria.engines import updates
from noria.errors import RunError
from noria.layers import Mode
from noria.training.averaging import Averaging
from noria.training.clipping import Clipping
from noria.training.length import Length
from noria.training.optimisers import make_optimiser
from noria.training.randomness import generator
from noria.training.schedules import Schedule
from noria.training.states import check_state
from noria.training.task import Task
from noria.training.training_options import TrainingOptions


@dataclass(frozen=True)
class Update:
    """What one update met.

    Parameters
    ----------
    loss : float
        Mean over the tokens of its batches.
    tokens : int
        In all of them.
    norm : float
        Of the gradient, before clipping.
    lr : float
        The learning rate.
    batches : int
        How many there were.
    """

    loss: float
    tokens: int
    norm: float
    lr: float = 0.0
    batches: int = 1

    @property
    def is_finite(self) -> bool:
        """Whether loss and gradient are; if not, no weight was changed."""
        return math.isfinite(self.loss) and math.isfinite(self.norm)


class Updater:
    """Makes the updates of a task, in place, and holds what goes from one to the next.

    A run sets its length once that is known, makes its updates in order, and tells of its evaluations::

        updater.set_length(Length(steps))
        update = updater.make(step)
        with updater.averaging.in_place(task.parameters):
            ...  # evaluate, and keep the best weights
        updater.observe(validation_loss)

    Parameters
    ----------
    task : Task
    options : TrainingOptions

    Attributes
    ----------
    optimiser : Optimiser
    clipping : Clipping
        Counts the updates whose gradient was shortened.
    schedule : Schedule
    averaging : Averaging
        Follows the parameters after each update.
    """

    def __init__(self, task: Task, options: TrainingOptions) -> None:
        self.optimiser = make_optimiser(options, task.parameters.values)
        self.clipping = Clipping(float(options.grad_clip), float(options.grad_clip_value))
        self.schedule = Schedule(options)
        self.averaging = Averaging.from_options(options, task.parameters.values)
        self._task = task
        self._options = options
        self._batches: int | None = None
        self._mean: Array | None = None

    def set_length(self, length: Length, batches: int | None = None) -> None:
        """Say how long the run is, for the schedule and for what begins at a share of the run.

        Parameters
        ----------
        length : Length
            Updates in the whole run.
        batches : int, optional
            Batches in the whole run, of which ``ceil(batches / accumulate)`` updates are made: the last one
            of what is left. By default every update has all of its batches.
        """
        self.schedule.length = length
        self.averaging.start = length.updates_in(float(self._options.averaging_start))
        self._batches = batches

    def make(self, step: int, lr: float | None = None) -> Update:
        """Make update number ``step``, counted from 0; its batches are the next ``accumulate`` ones.

        Parameters
        ----------
        step : int
        lr : float, optional
            The learning rate; by default the one of the schedule, for which the length has to be set.

        Raises
        ------
        RunError
            If there is neither a learning rate nor a length to take it from.
        """
        if lr is None:
            if not self.schedule.length.steps:
                raise RunError(
                    "The schedule needs to know how long the run is.\n  Call set_length, or pass lr."
                )
            lr = self.schedule.rate(step)
        parameters = self._task.parameters
        # What overflows shows as a loss or norm that is not finite, a few lines further on.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            loss, tokens, batches = self._gather(step)
            groups = parameters.groups()
            clipped = self.clipping.measure(parameters.gradients, groups)
        update = Update(loss, tokens, clipped.norm, lr, batches)
        if update.is_finite:
            self.optimiser.update(parameters.values, parameters.gradients, lr, groups, scale=clipped.scale)
            self.averaging.update(parameters.values)
        return update

    def _gather(self, step: int) -> tuple[float, int, int]:
        """Leave the mean gradient of the update's batches, each token counting alike, in the parameters."""
        gradients = self._task.parameters.gradients
        first = step * self._options.accumulate
        count = self._options.accumulate
        if self._batches is not None:
            count = max(1, min(count, self._batches - first))
        loss, tokens = self._batch(first)
        if count == 1:
            return loss, tokens, 1
        if self._mean is None:
            self._mean = np.empty_like(gradients)
        self._mean[...] = gradients
        for batch in range(first + 1, first + count):
            batch_loss, batch_tokens = self._batch(batch)
            tokens += batch_tokens
            weight = batch_tokens / max(1, tokens)
            loss += weight * (batch_loss - loss)
            updates.towards(self._mean, gradients, weight=weight)
        gradients[...] = self._mean
        return loss, tokens, count

    def _batch(self, batch: int) -> tuple[float, int]:
        self._task.parameters.zero_gradients()
        mode = Mode(training=True, rng=generator(self._options.seed, "step", batch))
        result = self._task.step(batch, mode)
        return result.loss, result.tokens

    def observe(self, validation_loss: float) -> None:
        """Hear of an evaluation: what the plateau schedule and the trigger of nt-asgd wait for."""
        self.schedule.observe(validation_loss)
        self.averaging.observe(validation_loss)

    def state(self) -> dict[str, Shaped[Array, "..."]]:
        """Give all that the next update depends on besides parameters, options and length; not copied."""
        counts = {"steps": self.clipping.steps, "events": self.clipping.events}
        parts: dict[str, Mapping[str, Shaped[Array, "..."]]] = {
            "optimiser": self.optimiser.state(),
            "clipping": {name: np.array(count, dtype=np.int64) for name, count in counts.items()},
            "schedule": self.schedule.state(),
            "averaging": self.averaging.state(),
        }
        return {f"{part}/{name}": array for part, state in parts.items() for name, array in state.items()}

    def load_state(self, state: Mapping[str, Shaped[Array, "..."]]) -> None:
        """Go on from a state that :meth:`state` gave: the next updates are the same to the bit.

        Raises
        ------
        RunError
            If the names or the shapes are not those of this model and these options. Nothing is changed then.
        """
        check_state("these options", self.state(), state, "optimiser, averaging and sizes")

        def part(name: str) -> dict[str, Array]:
            prefix = f"{name}/"
            return {key.removeprefix(prefix): array for key, array in state.items() if key.startswith(prefix)}

        self.optimiser.load_state(part("optimiser"))
        self.clipping.steps = int(state["clipping/steps"])
        self.clipping.events = int(state["clipping/events"])
        self.schedule.load_state(part("schedule"))
        self.averaging.load_state(part("averaging"))
