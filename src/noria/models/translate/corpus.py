"""Pairs as ids, in three parts: what a translator learns from, is chosen on, and is measured on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array
from noria.data.parallel import Pair
from noria.errors import DataError
from noria.models.translate.schema import PairSchema
from noria.sequences import Ragged


@dataclass(frozen=True, eq=False)
class Example:
    """One pair.

    Attributes
    ----------
    source, target : str
    read : integer array of shape (K,)
        The symbols of the source.
    written : integer array of shape (T,)
        Those of the target, and the end.
    """

    source: str
    target: str
    read: Array
    written: Array


def encoded(pairs: Sequence[Pair], schema: PairSchema) -> list[Example]:
    """Cut pairs into the symbols of the vocabularies."""
    return [
        Example(
            pair.source,
            pair.target,
            source_ids(pair.source, schema, pair.place),
            np.append(schema.target.encode(pair.target), schema.end),
        )
        for pair in pairs
    ]


def source_ids(source: str, schema: PairSchema, place: str) -> Array:
    """Cut a source into symbols.

    Raises
    ------
    DataError
        If there are none.
    """
    ids = schema.source.encode(source)
    if not len(ids):
        raise DataError(f"{place}: expected a source to be read, got an empty one.")
    return ids


@dataclass(frozen=True, eq=False)
class Batch:
    """Pairs side by side.

    Attributes
    ----------
    source : Ragged
        Ids of the sources.
    inputs : Ragged
        What the decoder reads: the end symbol, with which it begins, and all of the target but its end.
    targets : integer array of shape (N,)
        What it is to write, beside the rows of `inputs`.
    """

    source: Ragged
    inputs: Ragged
    targets: Array


def batch_of(examples: Sequence[Example], end: int) -> Batch:
    """Put examples side by side."""
    source = Ragged.from_sequences([example.read for example in examples])
    written = Ragged.from_sequences([example.written for example in examples])
    first = np.full(len(examples), end, written.rows.dtype)
    before = np.concatenate([first, written.rows])[written.layout.previous]
    return Batch(source, written.with_rows(before), written.rows)
