"""What a translator is looked at with: a source, and its translation symbol by symbol."""

from typing import Any

import numpy as np

from noria.layers import Backward, EncoderDecoder, Layer, Mode
from noria.models.explaining import Loss, Subject, likeliest, position
from noria.models.translate.corpus import Example, batch_of
from noria.models.translate.schema import PairSchema
from noria.sequences import Ragged
from noria.training.losses import sequence_cross_entropy

BEGIN = "^"
"""What is written for the symbol that the decoder reads first."""


def subject_of(example: Example, schema: PairSchema) -> Subject:
    """Read a source and write a target, the model's own or another one.

    Parameters
    ----------
    example : Example
    schema : PairSchema
    """
    batch = batch_of([example], schema.end)
    names, source = schema.target.symbols, [schema.source.symbols[number] for number in example.read]
    written = [names[number] for number in example.written]

    def forward(network: Layer, mode: Mode) -> tuple[Ragged, Backward]:
        assert isinstance(network, EncoderDecoder)
        return network(batch.inputs, source=batch.source, mode=mode)

    def answers(y: Ragged) -> list[dict[str, Any]]:
        return [
            {"step": step, "top": top, "target": target}
            for step, top, target in zip(steps, likeliest(y.rows, names), written, strict=True)
        ]

    def loss(y: Ragged, at: int | None) -> Loss:
        place = position(at, len(written))
        value, back = sequence_cross_entropy(y.rows[place : place + 1], batch.targets[place : place + 1])
        d_rows = np.zeros_like(y.rows)
        d_rows[place] = back()[0]
        return Loss(value, d_rows, f"writing {written[place]!r} as symbol {place + 1}")

    steps = [BEGIN, *written[:-1]]
    labels = {"": steps, "encoder": source}
    said = f"{example.source} -> {example.target}"
    return Subject(said, labels, forward, answers, loss, source)
