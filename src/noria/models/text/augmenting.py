"""The training part of every epoch: as it is, or changed anew."""

from collections.abc import Iterator

import numpy as np

from noria.arrays import Array
from noria.data import map_ids
from noria.data.augmentation import LOOKED_AT, Augmentation
from noria.models.text.corpus import Corpus, begun_with, enclosed
from noria.models.text.reading import Reading
from noria.training.randomness import generator

TOGETHER = 1 << 20
"""Symbols that are changed together, and some more up to the end of a line."""
MAPPED = 1 << 24
"""A changed text of so many symbols and more lies in a temporary file."""


class TrainingReadings:
    """Gives what is learnt from in an epoch; validation and test are none of its business.

    Parameters
    ----------
    corpus : Corpus
    augmentation : Augmentation or None
        None: every epoch reads the same.
    seed : int
        The changes of an epoch are drawn from the seed and the number of the epoch alone, so that a run that
        is resumed reads what the uninterrupted one would have read.
    """

    def __init__(self, corpus: Corpus, augmentation: Augmentation | None = None, seed: int = 0) -> None:
        self._corpus = corpus
        self._augmentation = augmentation
        self._seed = seed
        self._epoch, self._readings = -1, corpus.train.readings

    @property
    def are_the_same(self) -> bool:
        """Whether every epoch reads the same."""
        return self._augmentation is None

    def of_epoch(self, epoch: int) -> list[Reading]:
        """Give the readings of an epoch, as many and, of one text, as long as those of the corpus.

        A changed text that became shorter is filled up with the unchanged end; one that became longer loses
        its own.
        """
        if self._augmentation is not None and epoch != self._epoch:
            self._readings = self._changed(self._augmentation, generator(self._seed, "augmentation", epoch))
            self._epoch = epoch
        return self._readings

    def _changed(self, augmentation: Augmentation, rng: np.random.Generator) -> list[Reading]:
        vocabulary, readings = self._corpus.vocabulary, self._corpus.train.readings
        if self._corpus.separate:
            texts = (vocabulary.decode(reading.ids[reading.lead :]) for reading in readings)
            changed = enclosed([augmentation(text, rng) for text in texts], vocabulary)
            return begun_with(changed, [reading.begins for reading in readings])
        (reading,) = readings
        pieces = self._changed_pieces(reading, augmentation, rng)
        if len(reading.ids) >= MAPPED:
            ids = map_ids(pieces, self._corpus.source)
        else:
            ids = np.concatenate(list(pieces))
        return [Reading(ids, reading.lead)]

    def _changed_pieces(
        self, reading: Reading, augmentation: Augmentation, rng: np.random.Generator
    ) -> Iterator[Array]:
        """Give the changed text piece by piece, and of the unchanged end as much as is missing."""
        vocabulary = self._corpus.vocabulary
        newline = int(vocabulary.encode("\n")[0])
        yield reading.ids[: reading.lead]
        place = reading.lead
        for piece in _pieces(reading.ids[reading.lead :], newline):
            ids = vocabulary.encode(augmentation(vocabulary.decode(piece), rng))[: len(reading.ids) - place]
            yield ids
            place += len(ids)
        for begin in range(place, len(reading.ids), TOGETHER):
            yield reading.ids[begin : begin + TOGETHER]


def beginning_of(corpus: Corpus) -> str:
    """Give the beginning of what is learnt from, for augmentation to look at."""
    texts, left = [], LOOKED_AT
    for reading in corpus.train.readings:
        texts.append(corpus.vocabulary.decode(reading.ids[reading.lead : reading.lead + left]))
        left -= reading.predictions
        if left <= 0:
            break
    return "\n".join(texts)


def _pieces(ids: Array, newline: int) -> Iterator[Array]:
    """Cut a text into pieces that fit into memory many times over, at ends of lines where there are some."""
    begin = 0
    while begin < len(ids):
        end = begin + TOGETHER
        ends_of_lines = np.flatnonzero(ids[end - 1 : end - 1 + TOGETHER] == newline)
        end += int(ends_of_lines[0]) if len(ends_of_lines) else 0
        yield ids[begin:end]
        begin = end
