"""What the trainer trains of a model of separate examples: batches of like length, shuffled every epoch."""

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from noria.arrays import Array
from noria.layers import FlatParameters, Mode
from noria.sequences import Batches
from noria.training import StepResult
from noria.training.randomness import generator
from noria.training.task import Part

Example = TypeVar("Example")

SIDE_BY_SIDE = 64
"""Examples that are evaluated in one batch."""
MOST_MEASURED = 512
"""Training examples, at most, that are measured at each evaluation."""


class ExamplesTask(ABC, Generic[Example]):
    """Separate examples, each read from the initial state.

    A task says how a batch of them goes forward and backward, and how a list of them is measured.

    Parameters
    ----------
    name : str
        Of the task.
    parameters : FlatParameters
    train, validation, test : sequences of examples
    batch_size : int
    seed : int
        Where the order of each epoch comes from.
    """

    most_measured: ClassVar[int] = MOST_MEASURED
    measured_together: ClassVar[int] = SIDE_BY_SIDE

    def __init__(
        self,
        name: str,
        parameters: FlatParameters,
        train: Sequence[Example],
        validation: Sequence[Example],
        test: Sequence[Example],
        *,
        batch_size: int,
        seed: int,
    ) -> None:
        self.name = name
        self._parameters = parameters
        self.train, self.validation, self.test = train, validation, test
        self.batch_size, self.seed = batch_size, seed
        self._batches = Batches([self.length_of(example) for example in train], batch_size)
        self._epoch: tuple[int, list[Array]] = (-1, [])

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch."""
        return len(self._batches)

    @property
    def tokens_per_epoch(self) -> int:
        """What the examples of an epoch count, all in all."""
        return sum(self.tokens_of(example) for example in self.train)

    @property
    def parameters(self) -> FlatParameters:
        """All parameters of the network."""
        return self._parameters

    @abstractmethod
    def forward_backward(self, examples: Sequence[Example], mode: Mode) -> StepResult:
        """Run a batch forward and backward; add to the gradients of the parameters."""

    @abstractmethod
    def length_of(self, example: Example) -> int:
        """Give the steps of an example, by which batches are made; it looks at nothing but the example."""

    def tokens_of(self, example: Example) -> int:
        """Give what an example counts in the results of steps: its steps, unless a task says otherwise."""
        return self.length_of(example)

    @abstractmethod
    def figures(self, examples: Sequence[Example]) -> dict[str, float]:
        """Measure examples: ``"loss"`` among the figures, lower is better. There is at least one."""

    def examples_of(self, epoch: int) -> Sequence[Example]:
        """Give the training examples of an epoch, as many as there were; augmentation changes them here."""
        return self.train

    def step(self, step: int, mode: Mode) -> StepResult:
        """Run one batch; the order of an epoch is drawn from the seed and the number of the epoch."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if self._epoch[0] != epoch:
            self._epoch = epoch, self.epoch_of(epoch)
        examples = self.examples_of(epoch)
        return self.forward_backward([examples[index] for index in self._epoch[1][place]], mode)

    def epoch_of(self, epoch: int) -> list[Array]:
        """Draw the batches of an epoch as arrays of indices."""
        return self._batches.epoch(generator(self.seed, "order", epoch))

    def evaluate(self, part: Part) -> dict[str, float]:
        """Measure a part; empty if the part is."""
        examples = self.validation if part == "validation" else self.test
        return self.figures(examples) if len(examples) else {}

    def evaluate_training(self) -> dict[str, float]:
        """Measure the training sample, with the weights as they are and without what regularises."""
        return self.figures(self.training_sample) if self.training_sample else {}

    @cached_property
    def training_sample(self) -> list[Example]:
        """Training examples that are measured at each evaluation, drawn once: no more than validation has."""
        known = self.measurable()
        count = min(len(known), len(self.validation), self.most_measured)
        drawn = generator(self.seed, "measured").permutation(len(known))[:count]
        return [known[index] for index in np.sort(drawn)]

    def measurable(self) -> Sequence[Example]:
        """Give the training examples that can be measured as those of the other parts are."""
        return self.train

    def rehearse(self, part: Part, share: float) -> float:
        """Measure this share of a part or a little more, in batches like those of the whole of it."""
        measured = [self.validation, self.training_sample] if part == "validation" else [self.test]
        read = whole = 0
        for examples in measured:
            some = self._spread(examples, share)
            if some:
                self.figures(some)
            read += sum(map(self.length_of, some))
            whole += sum(map(self.length_of, examples))
        return read / whole if whole else 1.0

    def _spread(self, examples: Sequence[Example], share: float) -> list[Example]:
        return spread(
            examples, [self.length_of(example) for example in examples], share, self.measured_together
        )

    def sample(self, rng: np.random.Generator) -> str | None:
        """Show nothing, unless a task has something to show."""
        return None

    def carried(self) -> dict[str, Array]:
        """Nothing goes from batch to batch."""
        return {}

    def restore_carried(self, carried: Mapping[str, Array]) -> None:
        """Go on from what :meth:`carried` gave."""
        assert not carried

    def layer_norms(self) -> dict[str, float]:
        """Norm of the gradient of each layer, in the order in which data pass through them."""
        return layer_norms(self.parameters)


def layer_norms(parameters: FlatParameters) -> dict[str, float]:
    """Give the norm of the gradient of each layer, in the order in which data pass through them."""
    squares: dict[str, float] = {}
    for path, parameter in parameters.named():
        layer = path.rpartition(".")[0]
        square = float(np.square(parameter.gradient, dtype=np.float64).sum())
        squares[layer] = squares.get(layer, 0.0) + square
    return {layer: math.sqrt(square) for layer, square in squares.items()}


def side_by_side(
    examples: Sequence[Example], lengths: Sequence[int], most: int = SIDE_BY_SIDE
) -> Iterable[list[int]]:
    """Cut examples into batches for evaluation, by indices, like lengths together.

    Parameters
    ----------
    examples : sequence
    lengths : sequence of int
        Steps of each.
    most : int, default 64
        Examples of a batch.
    """
    order = np.argsort(-np.asarray(lengths), kind="stable")
    for begin in range(0, len(examples), most):
        yield [int(index) for index in order[begin : begin + most]]


def spread(
    examples: Sequence[Example], lengths: Sequence[int], share: float, most: int = SIDE_BY_SIDE
) -> list[Example]:
    """Choose this share of the batches of :func:`side_by_side`, evenly from the longest to the shortest.

    Parameters
    ----------
    examples : sequence
    lengths : sequence of int
        Steps of each.
    share : float
        In (0, 1]; of so little that it is one batch, that is the middle one.
    most : int, default 64
        Examples of a batch.
    """
    batches = list(side_by_side(examples, lengths, most))
    count = math.ceil(share * len(batches))
    # never the last one, which may be small, unless it is all of them
    places = ((2 * np.arange(count) + 1) * len(batches) - 1) // max(1, 2 * count)
    return [examples[index] for place in places for index in batches[place]]


def digest(*parts: Iterable[Any]) -> str:
    """Give digits that two lists of parts do not share: of arrays by their bytes, of the rest by its text."""
    whole = hashlib.blake2b(digest_size=16)
    for number, part in enumerate(parts):
        whole.update(f"part {number}".encode())
        for item in part:
            if isinstance(item, np.ndarray):
                whole.update(f"{item.dtype}{item.shape}".encode())
                whole.update(np.ascontiguousarray(item).tobytes())
            else:
                written = repr(item).encode()
                whole.update(f"{len(written)}:".encode())
                whole.update(written)
    return whole.hexdigest()
