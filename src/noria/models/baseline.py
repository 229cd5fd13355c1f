"""The figure beside every language model's own: a Kneser-Ney n-gram on the same parts of the same data."""

import math
from typing import Any

import numpy as np

from noria.models.corpus import Corpus, Part
from noria.models.kneser_ney import KneserNey
from noria.models.scoring import bits_per_character

ORDER = {"characters": 5, "subwords": 4, "words": 3}
MOST_SYMBOLS = 20_000_000  # counting more takes minutes and gigabytes


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
    size, order = len(corpus.vocabulary), ORDER[corpus.vocabulary.kind]
    if corpus.separate:
        held_out = [reading.ids[1:] for reading in part.readings]
        trained = [reading.ids[1:] for reading in corpus.train.readings]
        model = KneserNey.fit(trained, vocabulary_size=size, order=order)
        log_probabilities = model.log_probabilities(held_out)
    else:
        known = corpus.train.readings[0].ids[1:][-MOST_SYMBOLS:]
        model = KneserNey.fit(known, vocabulary_size=size, order=order)
        reading = part.readings[0]
        log_probabilities = model.log_probabilities(
            reading.ids[reading.lead :], context=reading.ids[: reading.lead]
        )
    total = -float(np.sum(log_probabilities))
    nats = total / len(log_probabilities)
    figures: dict[str, Any] = {
        "name": f"Kneser-Ney {order}-gram",
        "loss": nats,
        "bits_per_character": bits_per_character(total, part.spelling, part.characters),
        "perplexity": math.exp(nats),
    }
    return figures if loss is None else {**figures, "beaten": loss < nats}
