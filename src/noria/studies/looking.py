"""What a run is looked at for when it has ended: what it writes, how far its gradient reaches, its gates."""

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from noria.arrays import Array
from noria.models.explanation import Explanation
from noria.models.gradient_reach import TENTH, THOUSANDTH, GradientThroughTime, LayerGradient
from noria.models.prepared import Prepared
from noria.reports.gates import STEPS
from noria.training.randomness import generator
from noria.training.token_options import CHARACTERS

SAMPLE, SAMPLE_IN_WORDS = 300, 60
"""Symbols of a sample, where they are characters, and where they are words or parts of them."""
SEED = 0
"""Of samples, whatever the seed of the run: what differs between variants is what they learnt."""
SPAN = 200
"""Steps that a gradient is followed back over."""
INPUTS = 8
"""Inputs that norms are averaged over."""


def looked_at(model: Any, prepared: Prepared, place: Path) -> dict[str, Any]:
    """Give the ``sample``, the ``gradient`` and the ``gates`` of a trained model; None where there is none.

    What goes wrong here says nothing of the run: it gives None, and under ``looking`` its name with a
    message, whose first line says why it is missing, and the others where that comes from.

    Parameters
    ----------
    model : Model
    prepared : Prepared
    place : Path
        The folder that the values of the gates are written into.
    """
    looks: dict[str, Callable[[], Any]] = {
        "sample": lambda: sample_of(model),
        "gradient": lambda: gradient_of(model, prepared),
        "gates": lambda: keep_gates(model, prepared, place),
    }
    found: dict[str, Any] = {**dict.fromkeys(looks), "looking": {}}
    for name, look in looks.items():
        try:
            found[name] = look()
        except Exception as error:
            found["looking"][name] = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
    return found


def sample_of(model: Any) -> str | None:
    """Let a model of text write a fixed number of symbols from a fixed seed; None of other models."""
    if model.task != "text":
        return None
    length = SAMPLE if model.vocabulary_.kind == CHARACTERS else SAMPLE_IN_WORDS
    text: str = model.sample(length=length, seed=SEED, conditions=_drawn_conditions(model))
    return text


def gradient_of(model: Any, prepared: Prepared) -> dict[str, Any] | None:
    """Give the norm of the loss gradient in the state of the first recurrent layer, at each earlier step.

    The loss is that of the last answer to a few fixed inputs of the validation part (of a forecaster: to the
    end of each series). All states of the cell count together. The norms are averaged over the inputs, which
    are read up to ``SPAN`` steps.

    Returns
    -------
    dict or None
        ``distance`` and ``norm``, and from which distance on the norm stays below a ``tenth`` and a
        ``thousandth`` of that at distance 0; None where it is above as far back as was looked. None
        altogether where no gradient arrives, or there is no recurrent layer.
    """
    curves = []
    for data, target, row in INPUTS_OF[model.task](model, prepared, SPAN):
        layer = _first_layer(model.gradient_through_time(data, target, row=row))
        if layer is not None and not layer.is_zero:
            curves.append(layer.decay()[1][: SPAN + 1])
    return averaged(curves)


def averaged(curves: Sequence[Array]) -> dict[str, Any] | None:
    """Average norms by distance, as far back as all of them go."""
    if not curves:
        return None
    shortest = min(map(len, curves))
    norms = np.mean([curve[:shortest] for curve in curves], axis=0)
    if not np.isfinite(norms).all() or norms[0] <= 0:
        return None
    one = LayerGradient("", "", "", ("",) * shortest, norms[::-1])
    return {
        "distance": list(range(shortest)),
        "norm": norms.tolist(),
        "tenth": one.reach(TENTH),
        "thousandth": one.reach(THOUSANDTH),
    }


def _first_layer(found: GradientThroughTime) -> LayerGradient | None:
    """Join the states of the first recurrent layer into one norm at each step."""
    if not found.layers:
        return None
    first = found.layers[0]
    norms = [layer.norms for layer in found.layers if layer.path == first.path]
    return replace(first, norms=np.sqrt(np.sum(np.square(norms), axis=0)))


def keep_gates(model: Any, prepared: Prepared, place: Path) -> str | None:
    """Write what the last recurrent layer computes while it reads one input of the validation part.

    Returns
    -------
    str or None
        What was read, in words; None where there is nothing to read or no recurrent layer, and nothing is
        written.
    """
    first = next(INPUTS_OF[model.task](model, prepared, STEPS), None)
    if first is None:
        return None
    data, target, row = first
    explanation: Explanation = model.explain(data, target, row=row)
    if not explanation.layers:
        return None
    replace(explanation, layers=explanation.layers[-1:], attention=(), predictions=()).save(place)
    return explanation.source


# A few inputs of each task, read up to so many steps: data, the right answer, and the row of a file.

Input = tuple[Any, Any, int]


def _held_out(validation: Sequence[Any], train: Sequence[Any]) -> Sequence[Any]:
    """Give the validation part; where there is none, what was learnt from."""
    return validation if len(validation) else train


def _longest(part: Sequence[Any], length: Callable[[Any], int], span: int) -> list[Any]:
    """Give the longest inputs that are read whole, else the shortest of the others."""
    fitting = [one for one in part if length(one) <= span]
    if fitting:
        return sorted(fitting, key=length, reverse=True)[:INPUTS]
    return sorted(part, key=length)[:INPUTS]


def _of_text(model: Any, prepared: Any, span: int) -> Iterator[Input]:
    corpus = prepared.corpus
    readings = _held_out(corpus.validation.readings, corpus.train.readings)
    decode = corpus.vocabulary.decode
    if corpus.separate:
        known = _drawn_conditions(model)
        for one in _longest(readings, lambda reading: len(reading.ids), span):
            text = decode(one.ids[1 : span + 1])
            yield (text if known is None else (text, known)), None, 0
        return
    ids, lead = readings[0].ids, readings[0].lead
    for start in np.unique(np.linspace(lead, max(lead, len(ids) - span), INPUTS).astype(int)):
        yield decode(np.asarray(ids[start : start + span])), None, 0


def _of_sequences(model: Any, prepared: Any, span: int) -> Iterator[Input]:
    records = _held_out(prepared.validation.records, prepared.train.records)
    for one in _longest(records, lambda record: len(prepared.schema.inputs.tokens(record.sequence)), span):
        yield replace(one, sequence=_cut(one.sequence, model, span)), one.target, 0  # with what stands beside


def _cut(sequence: Any, model: Any, span: int) -> Any:
    if not isinstance(sequence, str):
        return sequence[:span]
    inputs = model.schema_.inputs
    if inputs.vocabulary.kind == CHARACTERS:
        return sequence[:span]
    return " ".join(sequence.split()[:span])


def _of_tags(model: Any, prepared: Any, span: int) -> Iterator[Input]:
    train, validation, _ = prepared.parts
    words, tags = prepared.lexicon.words, prepared.schema.tags
    for one in _longest(_held_out(validation, train), lambda example: len(example.words), span):
        tokens = [words[number] for number in one.words[:span]]
        right = [tags[number] for number in one.tags[:span]]
        yield ("".join(tokens) if prepared.schema.level == CHARACTERS else tokens), right, 0


def _of_series(model: Any, prepared: Any, span: int) -> Iterator[Input]:
    for row in range(min(INPUTS, len(prepared.series))):
        yield None, None, row


def _of_pairs(model: Any, prepared: Any, span: int) -> Iterator[Input]:
    for one in _longest(_held_out(prepared.validation, prepared.train), lambda pair: len(pair.read), span):
        yield one.source, one.target, 0


INPUTS_OF: Mapping[str, Callable[[Any, Any, int], Iterator[Input]]] = {
    "text": _of_text,
    "classify": _of_sequences,
    "regress": _of_sequences,
    "tag": _of_tags,
    "forecast": _of_series,
    "translate": _of_pairs,
}


def _drawn_conditions(model: Any) -> dict[str, Any] | None:
    """Draw with what a sequence begins, of a model that begins with something; None of others."""
    if model._conditions is None:
        return None
    drawn: dict[str, Any] = model._conditions.drawn(generator(SEED, "sample"))
    return drawn
