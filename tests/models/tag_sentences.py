"""Sentences for the tests of the tagger, and a model that learns them in a blink."""

import numpy as np

SMALL = {
    "cell": "gru",
    "engine": "reference",
    "hidden_size": 7,
    "batch_size": 8,
    "embedding_size": 5,
    "spelling_size": 3,
    "dropout": 0.0,
    "lr": 0.03,
    "warmup": 5,
    "test_fraction": 0.1,
    "eval_every": 50,
}
NOUNS, VERBS = ["mill", "Wheel", "duck", "well-field", "n2o"], ["turns", "walked", "is", "grinding"]


def sentences(count=60, seed=0):
    """Draw sentences in which a word after "to" is a verb even where it looks like a noun."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(count):
        words, tags = [], []
        for _ in range(rng.integers(1, 4)):
            noun, verb = rng.choice(NOUNS), rng.choice(VERBS)
            if rng.random() < 0.5:
                words += ["the", str(noun), str(verb)]
                tags += ["DT", "NN", "VB"]
            else:
                words += ["to", str(noun)]
                tags += ["TO", "VB"]
        X.append(words)
        y.append(tags)
    return X, y
