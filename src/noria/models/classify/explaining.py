"""What a classifier or regressor is looked at with: one sequence, and the answer for it."""

from typing import Any

import numpy as np

from noria.data.records import Record
from noria.layers import Backward, Layer, Mode
from noria.models.classify.schema import SequenceSchema
from noria.models.classify.targets import LabelTargets
from noria.models.classify.task import Example, batch_of
from noria.models.explaining import Loss, Subject, likeliest
from noria.sequences import Ragged


def subject_of(record: Record, example: Example, schema: SequenceSchema, target: Any) -> Subject:
    """Read one sequence.

    Parameters
    ----------
    record, example
        The sequence, and as the network has it.
    schema : SequenceSchema
    target
        What is to be told of it; None: what the model itself says.
    """
    inputs, targets = schema.inputs, schema.targets
    steps = inputs.tokens(record.sequence)
    packed, given = batch_of([example])
    of_labels = isinstance(targets, LabelTargets)
    known = None if target is None else targets.encode(target, record.place)

    def forward(network: Layer, mode: Mode) -> tuple[Ragged, Backward]:
        return network(packed, given=given, mode=mode)

    def answers(y: Ragged) -> list[dict[str, Any]]:
        entry: dict[str, Any] = {"step": " ".join(steps[-1:])}
        if isinstance(targets, LabelTargets):
            (entry["top"],) = likeliest(y.rows, targets.labels)
        else:
            (entry["value"],) = targets.answers(y.rows)
        return [entry if target is None else {**entry, "target": target}]

    def loss(y: Ragged, at: int | None) -> Loss:
        if known is None and not of_labels:
            (answer,) = targets.answers(y.rows)
            return Loss(float(answer), np.ones_like(y.rows), f"the answer {answer:.4g} itself")
        number = int(y.rows.argmax()) if known is None else known
        value, back = targets.loss(y.rows, np.array([number], dtype=targets.dtype))
        (said,) = targets.answers(_one_hot(number, y.rows)) if of_labels else (target,)
        return Loss(value, back(), f"answering {said!r}")

    return Subject(f"sequence of {len(steps):,} {inputs.unit}s", {"": steps}, forward, answers, loss)


def _one_hot(number: int | float, rows: np.ndarray) -> np.ndarray:
    marked = np.zeros_like(rows)
    marked[0, int(number)] = 1.0
    return marked
