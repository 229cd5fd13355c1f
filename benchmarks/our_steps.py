"""Whole training steps of ours, as the trainer makes them, beside those of a peer."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from sides import TOLERANCE
from tables import Row
from timing import Budget, alternate

from noria.arrays import Array
from noria.engines.threads import use_threads
from noria.layers import FlatParameters, Mode
from noria.training.training_options import TrainingOptions
from noria.training.update import Updater


class OurSteps:
    """A task that is trained by the trainer's updater; each call is a step and gives its loss."""

    def __init__(self, task: Any, flat: FlatParameters, engine: str, options: TrainingOptions) -> None:
        self.task, self.flat, self.engine = task, flat, engine
        self.rate = options.full_lr
        self.updater = Updater(task, options)
        self.count = 0

    def gradients(self) -> tuple[float, dict[str, Array]]:
        """Run the first batch forward and backward; give the loss and the gradients by path."""
        self.flat.zero_gradients()
        with use_threads(0):
            loss = self.task.step(0, Mode(training=True)).loss
        return loss, {path: parameter.gradient.copy() for path, parameter in self.flat.named()}

    def __call__(self) -> float:
        """Take one training step; give its loss."""
        with use_threads(0):  # as around a whole training; not around the other sides
            update = self.updater.make(self.count, self.rate)
        self.count += 1
        return update.loss


Sides = tuple[dict[str, Callable[[], float]], float | None]
"""Steps of a peer by column, and how far its first gradients are from ours; None: of another cell."""


def beside_torch(
    ours: OurSteps,
    torch_sides: Callable[[], Sides],
    tokens: float,
    budget: Budget,
    own: Mapping[str, Callable[[], float]] | None = None,
) -> Row:
    """Time a step of ours and of PyTorch's, where it is installed and computes the same.

    Parameters
    ----------
    ours : OurSteps
    torch_sides : callable
        Makes PyTorch's.
    tokens : float
        Of a batch.
    budget : Budget
    own : mapping of callables, optional
        More steps of ours, by column.
    """
    sides: dict[str, Callable[[], float]] = {}
    difference, notes = None, []
    if find_spec("torch") is None:
        notes.append("torch is not installed: its columns are left out")
    else:
        sides, difference = torch_sides()
    wrong = difference is not None and not difference < TOLERANCE
    found = alternate({"noria": ours, **(own or {}), **({} if wrong else sides)}, budget)
    ms = found.pop("noria").ms
    return {
        "engine": ours.engine,
        "ms": ms,
        "tokens_per_second": 1e3 * tokens / ms,
        "others": {column: {"ms": other.ms, "ratio": other.ms / ms} for column, other in found.items()},
        "difference": difference,
        "wrong": wrong,
        "notes": notes,
    }
