"""The figure beside every language model's own: a Kneser-Ney n-gram on the same parts of the same data."""

import math
from collections.abc import Iterator
from itertools import accumulate, groupby
from typing import Any

import numpy as np

from noria.arrays import Array
from noria.models.text.corpus import Corpus, Part
from noria.models.text.kneser_ney import KneserNey
from noria.models.text.reading import Reading
from noria.models.text.scoring import bits_per_character

ORDER = {"characters": 5, "subwords": 4, "words": 3}
MOST_SYMBOLS = 10_000_000
"""Symbols that are counted at most, in some ten seconds and 250 MB: of a text the last ones."""
TOGETHER = 1 << 20
"""Symbols that are scored together."""


def baseline_figures(corpus: Corpus, part: Part, loss: float | None = None) -> dict[str, Any]:
    """Train the baseline and score it on a part; empty if the part is.

    Parameters
    ----------
    corpus : Corpus
    part : Part
        What is scored: for one text, after the symbols that stand before it.
    loss : float, optional
        Nats per token of the model that is compared.

    Returns
    -------
    dict
        ``name``, ``loss`` in nats per token, ``bits_per_character``, ``perplexity`` per token, and ``beaten``
        where `loss` is given. ``<unk>`` is a token like any other and its spelling is charged to bits per
        character, as for the model.
    """
    if not part.readings:
        return {}
    order = ORDER[corpus.vocabulary.kind]
    model = KneserNey.fit(_counted(corpus), vocabulary_size=len(corpus.vocabulary), order=order)
    scored = _of_sequences(model, part) if corpus.separate else _of_text(model, part.readings[0])
    total = -sum(float(np.sum(log_probabilities)) for log_probabilities in scored)
    nats = total / part.tokens
    figures: dict[str, Any] = {
        "name": f"Kneser-Ney {order}-gram",
        "loss": nats,
        "bits_per_character": bits_per_character(total, part.spelling, part.characters),
        "perplexity": math.exp(nats),
    }
    return figures if loss is None else {**figures, "beaten": loss < nats}


def _counted(corpus: Corpus) -> Array | list[Array]:
    """Give what is counted: the end of a text, or the first ones of sequences, which stand in no order."""
    readings = corpus.train.readings
    if not corpus.separate:
        return readings[0].ids[1:][-MOST_SYMBOLS:]
    sizes = accumulate(reading.predictions for reading in readings)
    count = sum(size <= MOST_SYMBOLS for size in sizes)
    return [reading.ids[1:] for reading in readings[: max(count, 1)]]


def _of_text(model: KneserNey, reading: Reading) -> Iterator[Array]:
    for begin in range(reading.lead, len(reading.ids), TOGETHER):
        context = reading.ids[max(0, begin - model.order) : begin]
        yield model.log_probabilities(reading.ids[begin : begin + TOGETHER], context=context)


def _of_sequences(model: KneserNey, part: Part) -> Iterator[Array]:
    ends = np.cumsum([reading.predictions for reading in part.readings])
    for _, group in groupby(zip(ends // TOGETHER, part.readings, strict=True), key=lambda pair: int(pair[0])):
        yield model.log_probabilities([reading.ids[1:] for _, reading in group])
