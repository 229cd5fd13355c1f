"""What a translator has to beat: answers that anyone could give who has only seen the training part."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from noria.models.translate.corpus import Example
from noria.models.translate.scoring import exactness

MOST = 20_000
"""Training pairs that are looked through for the nearest source."""
AT_ONCE = 500


def baseline_figures(
    train: Sequence[Example], test: Sequence[Example], exact_match: float | None = None
) -> dict[str, Any]:
    """Give the best of three answers: the source itself, the commonest target, that of the nearest source.

    Parameters
    ----------
    train, test : sequences of Example
    exact_match : float, optional
        That of the model that is compared.

    Returns
    -------
    dict
        ``name``, ``exact_match``, ``bleu`` where it can be had, and ``beaten`` where `exact_match` is given;
        empty if there is no test part.
    """
    if not test:
        return {}
    commonest = Counter(example.target for example in train).most_common(1)[0][0]
    ways = {
        "nearest source": nearest_targets(train[:MOST], [example.source for example in test]),
        "source as it is": [example.source for example in test],
        "commonest target": [commonest] * len(test),
    }
    measured = {name: exactness(answers, test, thirds=False) for name, answers in ways.items()}
    name = max(measured, key=lambda way: (measured[way]["exact_match"], measured[way].get("bleu", 0.0)))
    figures: dict[str, Any] = {"name": name, **measured[name]}
    return figures if exact_match is None else {**figures, "beaten": exact_match > figures["exact_match"]}


def nearest_targets(train: Sequence[Example], sources: Sequence[str]) -> list[str]:
    """Give, for each source, the target of the training pair whose source has most in common with it.

    What is compared is which characters stand side by side, one to three of them, rare ones counting more.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    counted = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), lowercase=False)
    known = counted.fit_transform([example.source for example in train])
    asked = counted.transform(sources)
    answers: list[str] = []
    for begin in range(0, len(sources), AT_ONCE):
        likeness = (asked[begin : begin + AT_ONCE] @ known.T).toarray()
        answers += [train[int(place)].target for place in np.argmax(likeness, axis=1)]
    return answers
