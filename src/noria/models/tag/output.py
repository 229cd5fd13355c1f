"""What is made of the scores of tags: a loss, tags, probabilities; token by token, or all in a chain."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from noria.arrays import Array, Float, Int
from noria.layers import INFERENCE, Stack
from noria.layers.crf import Allowed, ConditionalRandomField
from noria.models.tag.lexicon import Example, Lexicon
from noria.models.tag.network import CRF
from noria.models.tag.schema import TagSchema
from noria.sequences import Ragged
from noria.training.losses import sequence_cross_entropy
from noria.training.spans import legal_moves

Loss = tuple[float, Callable[..., Array]]

MOST_SEQUENCES, MOST_TOKENS = 64, 40_000
"""Sequences, and tokens, that are read side by side where nothing is learnt."""


class Output(ABC):
    """What scores (N, K) of tags mean."""

    @abstractmethod
    def loss(self, scores: Ragged, tags: Int[Array, " N"]) -> Loss:
        """Give nats per token, and their gradient in the scores, which may take their memory."""

    @abstractmethod
    def best(self, scores: Ragged) -> Int[Array, " N"]:
        """Give the predicted tag of each row."""

    @abstractmethod
    def probabilities(self, scores: Ragged) -> Float[Array, "N K"]:
        """Give the probability of each tag at each row."""


class Softmax(Output):
    """Each token by itself."""

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = label_smoothing

    def loss(self, scores: Ragged, tags: Int[Array, " N"]) -> Loss:
        """Give the cross-entropy."""
        return sequence_cross_entropy(scores.rows, tags, label_smoothing=self.label_smoothing)

    def best(self, scores: Ragged) -> Int[Array, " N"]:
        """Give the tag with the highest score."""
        return np.asarray(scores.rows.argmax(axis=1))

    def probabilities(self, scores: Ragged) -> Float[Array, "N K"]:
        """Give the softmax."""
        powers = np.exp(scores.rows.astype(np.float64) - scores.rows.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


class Chained(Output):
    """All tags of a sequence together.

    Parameters
    ----------
    field : ConditionalRandomField
    allowed : tuple of arrays, optional
        Moves between tags that may be predicted; left out: all.
    """

    def __init__(self, field: ConditionalRandomField, allowed: Allowed | None = None) -> None:
        self.field, self.allowed = field, allowed

    def loss(self, scores: Ragged, tags: Int[Array, " N"]) -> Loss:
        """Give the negative log-likelihood."""
        return self.field.loss(scores, tags)

    def best(self, scores: Ragged) -> Int[Array, " N"]:
        """Give the tags of the best sequence that is allowed."""
        return self.field.best_tags(scores, self.allowed)

    def probabilities(self, scores: Ragged) -> Float[Array, "N K"]:
        """Give the marginals."""
        return self.field.marginals(scores)


def output_of(network: Stack, schema: TagSchema, label_smoothing: float = 0.0) -> Output:
    """Give what the last layer of a network is for."""
    last = dict(network.children()).get(CRF)
    if not isinstance(last, ConditionalRandomField):
        return Softmax(label_smoothing)
    return Chained(last, legal_moves(schema.tags, schema.scheme) if schema.scheme else None)


def scored(
    network: Stack, lexicon: Lexicon, examples: Sequence[Example]
) -> Iterator[tuple[list[int], Ragged, Array | None]]:
    """Read examples, several side by side; give which, the scores of their tags, and the tags they have."""
    for indices in _side_by_side([len(example.words) for example in examples]):
        batch = lexicon.batch([examples[index] for index in indices])
        scores, _ = network(batch.ids, given=batch.given, mode=INFERENCE)
        yield indices, scores, batch.tags


def _side_by_side(lengths: Sequence[int]) -> Iterable[list[int]]:
    """Cut examples into batches, like lengths together."""
    batch: list[int] = []
    tokens = 0
    for index in np.argsort(-np.asarray(lengths), kind="stable"):
        if batch and (len(batch) == MOST_SEQUENCES or tokens + lengths[index] > MOST_TOKENS):
            yield batch
            batch, tokens = [], 0
        batch.append(int(index))
        tokens += lengths[index]
    if batch:
        yield batch
