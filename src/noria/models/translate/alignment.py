"""What a translation looked at: the weights of attention, with the symbols on both sides."""

from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Float
from noria.data.vocabulary import Vocabulary
from noria.layers import EncoderDecoder
from noria.models.translate.schema import PairSchema
from noria.sequences import Ragged


@dataclass(frozen=True, eq=False)
class Alignment:
    """Attention of one translation.

    Attributes
    ----------
    source : list of str
        Symbols that were read.
    target : list of str
        Symbols that were written; the last one is the end.
    weights : array of shape (T, K)
        Of each step of the target on each symbol of the source; rows sum to 1.
    """

    source: list[str]
    target: list[str]
    weights: Float[Array, "T K"]


def aligned(network: EncoderDecoder, schema: PairSchema, read: Array, target: str) -> Alignment:
    """Write a target step by step and keep what each step looked at."""
    written = np.append(schema.target.encode(target), schema.end)
    encoded = network.encode(Ragged.from_sequences([read]))
    stream, state = network.stream(1), encoded.state
    rows = []
    for symbol in np.append(schema.end, written[:-1]):
        _, state = stream.step(np.array([symbol]), state, given=encoded.given)
        (weights,) = stream.kept.values()
        rows.append(weights[0])
    return Alignment(_names(schema.source, read), _names(schema.target, written), np.stack(rows))


def _names(vocabulary: Vocabulary, ids: Array) -> list[str]:
    return [vocabulary.symbols[number] for number in ids]
