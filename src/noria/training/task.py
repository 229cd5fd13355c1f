"""What a model gives the trainer, and the trainer the model: the seam between a task and the one loop."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from noria.arrays import Array
from noria.layers import FlatParameters, Mode

Part = Literal["validation", "test"]


@dataclass(frozen=True)
class StepResult:
    """What the forward and backward of one batch found.

    Parameters
    ----------
    loss : float
        Mean over the batch: nats per token, or whatever the task minimises.
    tokens : int
        Real tokens (or rows, or examples) in the batch: what the mean of several batches is weighed by, and
        the time of a run foretold.
    """

    loss: float
    tokens: int


@runtime_checkable
class Task(Protocol):
    """A model with its data, ready to be trained.

    Steps are numbered from 0, and everything a step does must follow from its number, the seed, the
    parameters and the carried state.
    """

    name: str

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch."""

    @property
    def tokens_per_epoch(self) -> int:
        """Tokens of an epoch, as the results of its steps count them, or about as many."""

    @property
    def parameters(self) -> FlatParameters:
        """The parameters that the trainer updates in place."""

    def step(self, step: int, mode: Mode) -> StepResult:
        """Run batch number ``step`` forward and backward; add to the gradients of the parameters."""

    def evaluate(self, part: Part) -> dict[str, float]:
        """Measure a part: ``"loss"`` among the figures, lower is better; empty if the part is.

        The carried state is left as it is.
        """

    def rehearse(self, part: Part, share: float) -> float:
        """Read this share of a part or a little more, as an evaluation does, for the time it takes.

        The carried state is left as it is.

        Parameters
        ----------
        part : {"validation", "test"}
            With the validation part goes as large a share of what is measured beside it.
        share : float
            In (0, 1].

        Returns
        -------
        float
            The share that was read; 1 where it was all of it, or where there is nothing to read.
        """

    def sample(self, rng: np.random.Generator) -> str | None:
        """Write something to look at while it trains, or None."""

    def carried(self) -> dict[str, Array]:
        """Give the state that goes from step to step besides the parameters; empty if there is none."""

    def restore_carried(self, carried: Mapping[str, Array]) -> None:
        """Go on from a carried state."""

    def layer_norms(self) -> dict[str, float]:
        """Give the gradient norm of each layer, in the order in which data pass through them."""


@runtime_checkable
class MeasuredInTraining(Protocol):
    """A task whose figures do not follow from its loss: they are measured on the training part as well."""

    def evaluate_training(self) -> dict[str, float]:
        """Measure a sample of the training part as the validation part is measured, regularisers off.

        It is the same sample every time, and no larger than the validation part; empty if that is.
        """


def evaluated(task: Task) -> tuple[dict[str, float], dict[str, float]]:
    """Measure the validation part, and the sample of the training part where a task has one."""
    validation = task.evaluate("validation")
    return validation, task.evaluate_training() if isinstance(task, MeasuredInTraining) else {}
