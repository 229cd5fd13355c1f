"""What a language model is looked at with: a text, and what it expects behind each symbol of it."""

from typing import Any

import numpy as np

from noria.arrays import Array
from noria.data import Vocabulary
from noria.data.text import normalised
from noria.errors import DataError
from noria.layers import Backward, Layer, Mode
from noria.models.explaining import Loss, Subject, likeliest, network_dtype, position
from noria.models.text.corpus import begun
from noria.models.text.network import BEGINS
from noria.sequences import Ragged
from noria.training.losses import sequence_cross_entropy

BEGIN = "^"
"""What is written for the symbol before the first one."""


def subject_of(text: Any, vocabulary: Vocabulary, begins: Array | None = None) -> Subject:
    """Read a text from its beginning; at each symbol the model says what comes next.

    Parameters
    ----------
    text : str
    vocabulary : Vocabulary
    begins : array of shape (1, F), optional
        The features with which the model begins the sequence.

    Raises
    ------
    DataError
        If it is no text, or has no symbol.
    """
    if not isinstance(text, str):
        raise DataError(f"expected a text to look at, got {type(text).__name__}.")
    ids = begun(normalised(text), vocabulary)
    if len(ids) < 2:
        raise DataError("expected a text to look at, got an empty one.")
    symbols = vocabulary.symbols
    targets = ids[1:]

    def forward(network: Layer, mode: Mode) -> tuple[Ragged, Backward]:
        given = None if begins is None else {BEGINS: begins.astype(network_dtype(network))}
        return network(Ragged.from_sequences([ids]), given=given, mode=mode)

    def answers(y: Ragged) -> list[dict[str, Any]]:
        found = [
            {"step": step, "top": top} for step, top in zip(steps, likeliest(y.rows, symbols), strict=True)
        ]
        for entry, target in zip(found, targets, strict=False):  # behind the last symbol nothing is known
            entry["target"] = symbols[target]
        return found

    def loss(y: Ragged, at: int | None) -> Loss:
        place = position(at, len(targets))
        value, back = sequence_cross_entropy(y.rows[place : place + 1], targets[place : place + 1])
        d_rows = np.zeros_like(y.rows)
        d_rows[place] = back()[0]
        return Loss(value, d_rows, f"predicting {symbols[targets[place]]!r} after {place + 1} steps")

    steps = [BEGIN, *(symbols[number] for number in ids[1:])]
    return Subject(f"text of {len(ids) - 1:,} {vocabulary.unit}s", {"": steps}, forward, answers, loss)
