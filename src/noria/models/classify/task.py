"""What the trainer trains: batches of whole sequences, one answer for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Float, Int
from noria.layers import INFERENCE, FlatParameters, Layer, Mode, Stack
from noria.layers.auxiliary import FEATURES
from noria.models.classify.batching import way_of
from noria.models.classify.network import EXTRAS, POOLING
from noria.models.classify.options import PACKED
from noria.models.classify.targets import PLAIN, Targets, Terms
from noria.models.examples import ExamplesTask, side_by_side
from noria.sequences import Batches, Ragged
from noria.training import StepResult
from noria.training.randomness import generator


@dataclass(frozen=True, eq=False, slots=True)
class Example:
    """A sequence as the network has it.

    Attributes
    ----------
    sequence : array
        Ids (T,), or rows (T, C).
    target : int or float
        0 where it is not known.
    extras : array of shape (E,) or None
    """

    sequence: Array
    target: int | float
    extras: Array | None = None


class SequenceTask(ExamplesTask[Example]):
    """Learns one answer for each sequence.

    Parameters
    ----------
    name : str
    network : Stack
    parameters : FlatParameters
    targets : Targets
    train, validation, test : sequences of Example
    batch_size, seed : int
    terms : Terms, optional
        Of the loss that is trained on.
    resampling : {"none", "over", "under"}
        Whether an epoch has as many examples of every class.
    augmented : callable, optional
        Gives the training examples of an epoch.
    batching : {"packed", "padded", "one-by-one"}
        How batches go through the network in training.
    """

    def __init__(
        self,
        name: str,
        network: Stack,
        parameters: FlatParameters,
        targets: Targets,
        train: Sequence[Example],
        validation: Sequence[Example],
        test: Sequence[Example],
        *,
        batch_size: int,
        seed: int,
        terms: Terms = PLAIN,
        resampling: str = "none",
        augmented: Callable[[int], Sequence[Example]] | None = None,
        batching: str = PACKED,
    ) -> None:
        super().__init__(name, parameters, train, validation, test, batch_size=batch_size, seed=seed)
        self.network, self.targets = network, targets
        self._terms = terms
        self._way = way_of(batching, network, POOLING, int(self._batches.lengths.max()))
        self._balanced = None if resampling == "none" else Balanced(train, over=resampling == "over")
        self._augmented = augmented
        self._changed: tuple[int, Sequence[Example]] = (-1, train)

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch."""
        if self._balanced is None:
            return super().steps_per_epoch
        return -(-len(self._balanced) // self.batch_size)

    @property
    def tokens_per_epoch(self) -> int:
        """Steps of the sequences of an epoch; about as many, where they are drawn by their classes."""
        lengths = self._batches.lengths
        return int(lengths.sum()) if self._balanced is None else round(self._balanced.expected(lengths))

    def epoch_of(self, epoch: int) -> list[Array]:
        """Draw the batches of an epoch, of as many examples of every class where that is asked for."""
        if self._balanced is None:
            return super().epoch_of(epoch)
        rng = generator(self.seed, "order", epoch)
        chosen = self._balanced.draw(rng)
        batches = Batches(self._batches.lengths[chosen], self.batch_size)
        return [chosen[places] for places in batches.epoch(rng)]

    def examples_of(self, epoch: int) -> Sequence[Example]:
        """Give the training examples of an epoch."""
        if self._augmented is None:
            return self.train
        if self._changed[0] != epoch:
            self._changed = epoch, self._augmented(epoch)
        return self._changed[1]

    def forward_backward(self, examples: Sequence[Example], mode: Mode) -> StepResult:
        """Run a batch forward and backward."""
        inputs, given = batch_of(examples)
        outputs, backward = self._way(inputs, given, mode)
        loss, loss_backward = self.targets.loss(outputs, self._targets_of(examples), self._terms)
        backward(loss_backward())
        return StepResult(loss, len(inputs))

    def length_of(self, example: Example) -> int:
        """Give the steps of its sequence."""
        return len(example.sequence)

    def figures(self, examples: Sequence[Example]) -> dict[str, float]:
        """Measure examples."""
        outputs = outputs_of(self.network, examples)
        return self.targets.figures(outputs, self._targets_of(examples), self._terms)

    def _targets_of(self, examples: Sequence[Example]) -> Array:
        return np.array([example.target for example in examples], dtype=self.targets.dtype)


class Balanced:
    """Draws as many examples of every class.

    Parameters
    ----------
    train : sequence of Example
    over : bool
        As many as the largest class has, with repeats where there are fewer; otherwise as many as the
        smallest has.
    """

    def __init__(self, train: Sequence[Example], *, over: bool) -> None:
        labels = np.array([example.target for example in train])
        self._classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        sizes = [len(members) for members in self._classes]
        self._each = max(sizes) if over else min(sizes)

    def __len__(self) -> int:
        """Give the number of examples of an epoch."""
        return self._each * len(self._classes)

    def expected(self, values: Array) -> float:
        """Give the sum of a value of each example over those of an epoch, as it is in the mean."""
        return self._each * sum(float(values[members].mean()) for members in self._classes)

    def draw(self, rng: np.random.Generator) -> Int[Array, " _"]:
        """Draw the indices of an epoch: of a class all in turn, before one comes again."""
        drawn = []
        for members in self._classes:
            rounds = -(-self._each // len(members))
            order = np.concatenate([rng.permutation(members) for _ in range(rounds)])
            drawn.append(order[: self._each])
        return np.concatenate(drawn)


def batch_of(examples: Sequence[Example]) -> tuple[Ragged, Mapping[str, Array] | None]:
    """Give the sequences of a batch, and what is joined to their steps."""
    inputs = Ragged.from_sequences([example.sequence for example in examples])
    extras = [example.extras for example in examples if example.extras is not None]
    if not extras:
        return inputs, None
    return inputs, {f"{EXTRAS}.{FEATURES}": np.stack(extras)[inputs.layout.caller_of_row]}


def attention_of(network: Layer, examples: Sequence[Example], name: str) -> list[Float[Array, " T"]]:
    """Give the weights of attention over the steps of each example, as a layer records them under a name."""
    weights: list[Float[Array, " T"]] = [np.zeros(0)] * len(examples)
    for batch in side_by_side(examples, [len(example.sequence) for example in examples]):
        inputs, given = batch_of([examples[index] for index in batch])
        kept = network(inputs, given=given, mode=INFERENCE)[1].kept[name]
        for index, own in zip(batch, inputs.with_rows(kept).to_sequences(), strict=True):
            weights[index] = own
    return weights


def outputs_of(network: Layer, examples: Sequence[Example]) -> Float[Array, "S O"]:
    """Run the network over examples, in their order."""
    outputs = np.zeros((len(examples), network.output_size))
    for batch in side_by_side(examples, [len(example.sequence) for example in examples]):
        inputs, given = batch_of([examples[index] for index in batch])
        outputs[batch] = network(inputs, given=given, mode=INFERENCE)[0].rows
    return outputs
