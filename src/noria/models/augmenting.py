"""The training part of every epoch: as it is, or changed anew."""

import numpy as np

from noria.data.augmentation import Augmentation
from noria.models.corpus import Corpus, begun, enclosed
from noria.models.reading import Reading
from noria.training.randomness import generator


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
        its own. Words of a thesaurus that the vocabulary does not have become ``<unk>``.
        """
        if self._augmentation is not None and epoch != self._epoch:
            self._readings = self._changed(self._augmentation, generator(self._seed, "augmentation", epoch))
            self._epoch = epoch
        return self._readings

    def _changed(self, augmentation: Augmentation, rng: np.random.Generator) -> list[Reading]:
        vocabulary, readings = self._corpus.vocabulary, self._corpus.train.readings
        texts = [augmentation(vocabulary.decode(reading.ids[reading.lead :]), rng) for reading in readings]
        if self._corpus.separate:
            return enclosed(texts, vocabulary)
        changed = []
        for text, reading in zip(texts, readings, strict=True):
            ids = begun(text, vocabulary)[: len(reading.ids)]
            changed.append(Reading(np.concatenate([ids, reading.ids[len(ids) :]]), reading.lead))
        return changed
