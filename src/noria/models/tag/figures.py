"""How well predicted tags agree with those that are there: by token, by tag, by span."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from noria.arrays import Array
from noria.layers import Stack
from noria.models.tag.lexicon import Example, Lexicon
from noria.models.tag.output import output_of, scored
from noria.models.tag.schema import TagSchema
from noria.training.spans import span_scores

ALL = "all"


def plain_figures(
    network: Stack, schema: TagSchema, lexicon: Lexicon, examples: Sequence[Example]
) -> dict[str, float]:
    """Give ``loss``, ``accuracy`` of tokens and, where tags write spans, their ``f1``."""
    predicted, loss = predictions(network, schema, lexicon, examples)
    return {"loss": loss, **agreement(schema, examples, predicted)}


def predictions(
    network: Stack, schema: TagSchema, lexicon: Lexicon, examples: Sequence[Example]
) -> tuple[list[Array], float]:
    """Give the numbers of the predicted tags of each example, and the mean loss in nats per token."""
    output = output_of(network, schema)
    found: list[Array] = [np.zeros(0, np.int64)] * len(examples)
    total = tokens = 0.0
    for indices, scores, tags in scored(network, lexicon, examples):
        assert tags is not None  # what is measured has tags
        total += output.loss(scores, tags)[0] * len(tags)
        tokens += len(tags)
        for index, ids in zip(indices, scores.with_rows(output.best(scores)).to_sequences(), strict=True):
            found[index] = ids
    return found, total / tokens


def agreement(schema: TagSchema, examples: Sequence[Example], predicted: Sequence[Array]) -> dict[str, float]:
    """Give the accuracy of predicted tags and, where they write spans, the F1 of these, read leniently."""
    right = sum(int((ids == example.tags).sum()) for ids, example in zip(predicted, examples, strict=True))
    figures = {"accuracy": right / sum(len(ids) for ids in predicted)}
    if schema.scheme:
        figures["f1"] = span_scores(_named(schema, _gold(examples)), _named(schema, predicted))["f1"]
    return figures


def full_figures(
    network: Stack, schema: TagSchema, lexicon: Lexicon, examples: Sequence[Example]
) -> dict[str, Any]:
    """Give all figures.

    Returns
    -------
    dict
        ``loss``, ``accuracy`` and ``f1`` as :func:`plain_figures`; ``tokens``; how many are ``unknown``
        words, and the ``accuracy_of_unknown``; for each tag of ``classes`` precision, recall, F1 and count;
        for each type of ``spans``, read leniently, and of ``strict_spans``, which follow the scheme, the
        same.
    """
    predicted, loss = predictions(network, schema, lexicon, examples)
    gold = _gold(examples)
    ours, theirs = np.concatenate(predicted), np.concatenate(gold)
    unknown = np.concatenate([lexicon.ids[example.words] == 0 for example in examples])
    figures: dict[str, Any] = {"loss": loss, **agreement(schema, examples, predicted), "tokens": len(ours)}
    figures["unknown"] = int(unknown.sum())
    if unknown.any():
        figures["accuracy_of_unknown"] = float((ours == theirs)[unknown].mean())
    figures["classes"] = _classes(schema, ours, theirs)
    if schema.scheme:
        for name, strict in (("spans", None), ("strict_spans", schema.scheme)):
            scores = span_scores(_named(schema, gold), _named(schema, predicted), strict)
            kinds = scores.pop("types")
            figures[name] = {ALL: scores, **kinds}
    return figures


def headline(figures: Mapping[str, Any]) -> str:
    """Say the figures of a part in a few words."""
    spans = f", F1 of spans {100 * figures['f1']:.2f} %" if "f1" in figures else ""
    return f"{100 * figures['accuracy']:.2f} % of tokens right{spans}"


def _classes(schema: TagSchema, predicted: Array, gold: Array) -> dict[str, dict[str, Any]]:
    kinds = len(schema.tags)
    right = np.bincount(gold[predicted == gold], minlength=kinds)
    ours, theirs = np.bincount(predicted, minlength=kinds), np.bincount(gold, minlength=kinds)
    return {
        tag: {
            "precision": float(right[k] / ours[k]) if ours[k] else 0.0,
            "recall": float(right[k] / theirs[k]) if theirs[k] else 0.0,
            "f1": float(2 * right[k] / (ours[k] + theirs[k])) if ours[k] + theirs[k] else 0.0,
            "count": int(theirs[k]),
        }
        for k, tag in enumerate(schema.tags)
    }


def _gold(examples: Sequence[Example]) -> list[Array]:
    return [example.tags for example in examples if example.tags is not None]


def _named(schema: TagSchema, sequences: Sequence[Array]) -> list[list[str]]:
    return [[schema.tags[number] for number in ids] for ids in sequences]
