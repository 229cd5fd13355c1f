"""The baseline of big data: counted up to a limit, scored piece by piece."""

import numpy as np
import pytest

from noria.data import Text
from noria.models.text import baseline
from noria.models.text.baseline import baseline_figures
from noria.models.text.corpus import corpus_of_sequences, corpus_of_text
from noria.models.text.kneser_ney import KneserNey

WORDS = ["rose", "nose", "is", "a", "said", "she", "sister", "ration"]


def text_corpus():
    rng = np.random.default_rng(0)
    return corpus_of_text(Text(" ".join(rng.choice(WORDS, 900))), 0.1, 0.2)


def sequence_corpus():
    rng = np.random.default_rng(0)
    sequences = [" ".join(rng.choice(WORDS, count)) for count in rng.integers(1, 9, 150)]
    return corpus_of_sequences([*sequences, "", ""], 0.1, 0.2, np.random.default_rng(1))


@pytest.mark.parametrize("corpus", [text_corpus(), sequence_corpus()])
@pytest.mark.parametrize("together", [1, 3, 7, 100])
def test_scoring_in_pieces_changes_nothing(monkeypatch, corpus, together):
    whole = baseline_figures(corpus, corpus.test)
    most = []
    score = KneserNey.log_probabilities

    def spy(self, ids, context=None):
        most.append(len(ids) if context is not None else sum(map(len, ids)))
        return score(self, ids, context)

    monkeypatch.setattr(KneserNey, "log_probabilities", spy)
    monkeypatch.setattr(baseline, "TOGETHER", together)
    pieces = baseline_figures(corpus, corpus.test)
    assert pieces.pop("name") == whole.pop("name")
    for name, figure in whole.items():
        assert pieces[name] == pytest.approx(figure, rel=1e-12)
    longest = max(reading.predictions for reading in corpus.test.readings)
    assert sum(most) == corpus.test.tokens
    assert max(most) <= (together + longest if corpus.separate else together)


def test_only_so_many_symbols_are_counted(monkeypatch):
    counted = []
    fit = KneserNey.fit

    def spy(ids, **options):
        counted.append(ids)
        return fit(ids, **options)

    monkeypatch.setattr(KneserNey, "fit", spy)
    monkeypatch.setattr(baseline, "MOST_SYMBOLS", 500)
    corpus = text_corpus()
    baseline_figures(corpus, corpus.test)
    np.testing.assert_array_equal(counted[0], corpus.train.readings[0].ids[-500:])
    corpus = sequence_corpus()
    baseline_figures(corpus, corpus.test)
    assert 440 < sum(map(len, counted[1])) <= 500
    np.testing.assert_array_equal(counted[1][5], corpus.train.readings[5].ids[1:])
    monkeypatch.setattr(baseline, "MOST_SYMBOLS", 0)
    baseline_figures(corpus, corpus.test)
    assert len(counted[2]) == 1
