"""The figure to beat: each word has the tag that it has most often."""

from collections.abc import Sequence

import numpy as np

from noria.arrays import Array, Int
from noria.models.tag.lexicon import Example

NAME = "most frequent tag per word"


def most_frequent_tags(
    train: Sequence[Example], test: Sequence[Example], words: int, tags: int
) -> list[Int[Array, " T"]]:
    """Tag each token of the test part as its word was tagged most often in the training part.

    A word that does not occur there has the most frequent tag of all. Of equally frequent tags it is the
    first.

    Parameters
    ----------
    train, test : sequences of Example
    words : int
        Words in the lexicon of both.
    tags : int
        Different tags.
    """
    pairs = [
        example.words.astype(np.int64) * tags + example.tags for example in train if example.tags is not None
    ]
    counts = np.bincount(np.concatenate(pairs), minlength=words * tags).reshape(words, tags)
    overall = counts.sum(axis=0).argmax()
    best = np.where(counts.any(axis=1), counts.argmax(axis=1), overall)
    return [best[example.words] for example in test]
