"""Vectors for words without a file: made of the text that a run learns from, before it begins.

Words that stand near the same words get similar vectors. Counts of what stands within ``REACH`` symbols give
positive pointwise mutual information, its strongest directions the vectors. Levy & Goldberg 2014; smoothing
of the contexts and weighting of the directions: Levy, Goldberg & Dagan 2015, sections 3.1 and 3.3.
"""

from collections.abc import Iterable

import numpy as np

from noria.arrays import Array, Float
from noria.data.vectors import Vectors
from noria.data.vocabulary import Vocabulary

OF_TRAINING = "made of the training part"
RANDOM = "random"
"""What stands in the place of a file in the option 'vectors' of a study: those of here, or none at all."""

REACH = 4
CONTEXTS = 2000
"""Only the most frequent symbols are contexts, so that the counts of a large vocabulary fit into memory."""
SMOOTHING = 0.75


def vectors_of(
    readings: Iterable[Array],
    vocabulary: Vocabulary,
    drawn: Float[Array, "V E"],
    rng: np.random.Generator,
) -> Vectors:
    """Make a vector for each symbol of a vocabulary, as large as those that the model draws.

    So both begin alike in all but what they know: the root of the mean square of the values is the same.

    Parameters
    ----------
    readings : iterable of integer arrays (T,)
        The training part, and no more.
    vocabulary : Vocabulary
    drawn : array of shape (V, E)
        What the model would begin with, and what special symbols and those without company do begin with.
        Where there are fewer directions than values in a vector, the others are 0.
    rng : numpy.random.Generator
        Draws what the decomposition begins with.
    """
    from sklearn.utils.extmath import randomized_svd

    first, count = vocabulary.first_id, len(vocabulary)
    weights = mutual_information(near(readings, first, count))
    kept = min(drawn.shape[1], *weights.shape)
    start = int(rng.integers(2**31))
    left, strength, _ = randomized_svd(weights, n_components=kept, random_state=start)
    made = left * np.sqrt(strength)
    known = np.asarray(weights.any(axis=1))
    matrix = drawn.astype(np.float32)
    if known.any():
        rows = np.zeros((known.sum(), drawn.shape[1]))
        rows[:, :kept] = made[known]
        matrix[first:][known] = rows * np.sqrt(np.mean(drawn**2) / np.mean(rows**2))
    missing = tuple(
        symbol for symbol, is_known in zip(vocabulary.symbols[first:], known, strict=True) if not is_known
    )
    found = int(known.sum())
    note = f"vectors made of the training part for {found:,} of {vocabulary.known:,} {vocabulary.kind}"
    return Vectors(matrix, found, vocabulary.known, missing, (note,))


def near(readings: Iterable[Array], first: int, count: int) -> Float[Array, "V C"]:
    """Count how often each symbol stands within ``REACH`` of each of the most frequent ones."""
    contexts = min(count - first, CONTEXTS)
    counts = np.zeros((count - first, contexts))
    for reading in readings:
        ids = np.asarray(reading).astype(np.int64) - first
        for distance in range(1, REACH + 1):
            pairs = ids[:-distance], ids[distance:]
            for symbols, others in (pairs, pairs[::-1]):
                seen = (symbols >= 0) & (others >= 0) & (others < contexts)
                np.add.at(counts, (symbols[seen], others[seen]), 1.0)
    return counts


def mutual_information(counts: Float[Array, "V C"]) -> Float[Array, "V C"]:
    """Give by how many nats symbols and contexts meet more often than by chance; 0 where it is less often."""
    rows, columns = counts.sum(axis=1, keepdims=True), counts.sum(axis=0) ** SMOOTHING
    expected = rows * (columns / max(columns.sum(), 1e-300))
    ratio = np.divide(counts, expected, out=np.ones_like(counts), where=counts > 0)
    return np.asarray(np.maximum(np.log(ratio), 0.0))
