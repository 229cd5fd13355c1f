"""How well a network predicts texts that it is given: they are encoded, read and scored."""

from collections.abc import Sequence

from noria.arrays import Array
from noria.data import Vocabulary
from noria.data.builtin_tasks import Determined
from noria.errors import DataError
from noria.layers import Layer
from noria.models.text.corpus import begun, begun_with, enclosed, unknown_counts
from noria.models.text.reading import Reading, long_reading
from noria.models.text.scoring import score_readings


def score_texts(
    network: Layer,
    vocabulary: Vocabulary,
    texts: Sequence[str],
    determined: Determined | None = None,
    begins: Array | None = None,
) -> dict[str, float]:
    """Score every symbol of texts, each from its beginning.

    Parameters
    ----------
    network : Layer
        From token ids to logits.
    vocabulary : Vocabulary
        With an end symbol the end of each text is predicted too.
    texts : sequence of str
        Normalised. Without an end symbol, empty ones are left out, and a single very long one is read in
        several places at once.
    determined : callable, optional
        Of separate sequences by characters: which predictions are certain.
    begins : array of shape (B, F), optional
        What each separate sequence begins with.

    Returns
    -------
    dict
        The figures of :class:`~noria.models.text.scoring.Score`, and ``unknown``: how many symbols the
        vocabulary does not have.

    Raises
    ------
    DataError
        If there is nothing to score.
    """
    if vocabulary.end_id is not None:
        readings = enclosed(texts, vocabulary, determined)
        readings = readings if begins is None else begun_with(readings, begins)
    else:
        readings = [Reading(begun(text, vocabulary)) for text in texts if text]
    if not readings:
        raise DataError("evaluate: expected at least one character to score, got none.")
    if len(readings) == 1:
        readings = long_reading(readings[0])
    unknown = unknown_counts(texts, vocabulary)
    score = score_readings(
        network,
        readings,
        end=vocabulary.end_id,
        characters=sum(map(len, texts)),
        spelling=vocabulary.spelling.total_nats(unknown),
    )
    return {**score.figures(), "unknown": unknown.total()}
