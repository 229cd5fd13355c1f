"""The figures to beat: what says the same of every sequence, and a linear model of what is in it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from noria.arrays import Array, Float
from noria.models.classify.preparing import PreparedSequences
from noria.models.classify.schema import SequenceSchema
from noria.models.classify.targets import PLAIN, LabelTargets, Terms
from noria.models.classify.task import Example


def baseline_figures(prepared: PreparedSequences, terms: Terms = PLAIN) -> dict[str, Any]:
    """Fit a linear model on the training part and measure it on the test part.

    Of texts and symbols it counts how often each occurs in a sequence, of series it knows mean, spread and
    last value of each channel; further numbers stand beside them. `terms` are those of the loss.

    Returns
    -------
    dict
        ``name``, the figures of the linear model, and ``majority`` (of numbers ``mean``): those of who says
        the same of every sequence. Empty where there is no test part.
    """
    schema, train, test = prepared.schema, prepared.train.examples, prepared.test.examples
    if not test:
        return {}
    targets, tested = (np.array([example.target for example in part]) for part in (train, test))
    learnt, shown = _matrices(features_of(train, schema), features_of(test, schema))
    known = "means and spreads" if schema.inputs.channels else f"a bag of {schema.inputs.unit}s"
    constant: Float[Array, "S O"]
    if isinstance(schema.targets, LabelTargets):
        outputs = _logistic(learnt, targets, shown, schema.targets.size)
        shares = np.bincount(targets, minlength=schema.targets.size) / len(targets)
        constant = np.tile(np.log(np.maximum(shares, 1e-9)), (len(test), 1))
        name, same = f"logistic regression on {known}", "majority"
    else:
        outputs = _ridge(learnt, targets, shown)
        constant = np.full((len(test), 1), targets.mean())
        name, same = f"linear regression on {known}", "mean"
    figures = partial(schema.targets.figures, terms=terms)
    return {"name": name, **figures(outputs, tested), same: figures(constant, tested)}


def features_of(examples: Sequence[Example], schema: SequenceSchema) -> Any:
    """Give what a linear model knows of each sequence: an array, or what occurs in it and how often."""
    extras = [example.extras for example in examples if example.extras is not None]
    if schema.inputs.channels:
        rows = [
            np.concatenate([series.mean(axis=0), series.std(axis=0), series[-1]])
            for series in (example.sequence for example in examples)
        ]
        return np.concatenate([np.stack(rows), np.stack(extras)], axis=1) if extras else np.stack(rows)
    counted = []
    for example in examples:
        symbols, counts = np.unique(example.sequence, return_counts=True)
        found: dict[str, float] = dict(zip(map(str, symbols), np.log1p(counts).tolist(), strict=True))
        if example.extras is not None:
            found |= {f"extra {number}": value for number, value in enumerate(example.extras.tolist())}
        counted.append(found)
    return counted


def _matrices(learnt: Any, shown: Any) -> tuple[Any, Any]:
    """Give features as matrices, sparse ones of what is counted."""
    if isinstance(learnt, np.ndarray):
        return learnt, shown
    from sklearn.feature_extraction import DictVectorizer

    vectorizer = DictVectorizer()
    return vectorizer.fit_transform(learnt), vectorizer.transform(shown)


def _logistic(learnt: Any, targets: Array, shown: Any, size: int) -> Float[Array, "S O"]:
    """Give log-probabilities of every class, also of one that is not in the training part."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import MaxAbsScaler

    scaler = MaxAbsScaler()
    model = LogisticRegression(max_iter=1000).fit(scaler.fit_transform(learnt), targets)
    outputs = np.full((shown.shape[0], size), -1e3)
    with np.errstate(divide="ignore"):  # a probability of zero is as far down as those that are not there
        logs = model.predict_log_proba(scaler.transform(shown))
    outputs[:, model.classes_] = np.maximum(logs, -1e3)
    return outputs


def _ridge(learnt: Any, targets: Array, shown: Any) -> Float[Array, "S 1"]:
    from sklearn.linear_model import Ridge

    return np.asarray(Ridge().fit(learnt, targets).predict(shown), dtype=np.float64)[:, None]
