"""What a tagger is looked at with: one sequence, and the tags of its tokens."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from noria.data.tagged_sequence import TaggedSequence
from noria.errors import DataError
from noria.layers import Backward, Layer, Mode, Stack
from noria.models.explaining import Loss, Subject, position, ranked
from noria.models.tag.lexicon import Lexicon
from noria.models.tag.network import CRF, SPELT
from noria.models.tag.output import output_of
from noria.models.tag.schema import TagSchema
from noria.sequences import Ragged
from noria.training.losses import sequence_cross_entropy


def subject_of(
    network: Stack, sequence: TaggedSequence, schema: TagSchema, target: Sequence[str] | None
) -> Subject:
    """Read one sequence.

    Parameters
    ----------
    network : Stack
    sequence : TaggedSequence
    schema : TagSchema
    target : sequence of str, optional
        The right tags; left out, those that the model gives.
    """
    lexicon = Lexicon.of(schema, [sequence])
    batch = lexicon.batch([lexicon.example(sequence, tagged=False)])
    steps = list(sequence.tokens)
    if target is not None and len(target) != len(steps):
        raise DataError(f"expected a tag for each of {len(steps)} tokens, got {len(target)}.")
    right = None
    if target is not None:
        tagged = TaggedSequence(sequence.tokens, list(target), sequence.features)
        right = schema.tag_ids(tagged)

    def forward(network: Layer, mode: Mode) -> tuple[Ragged, Backward]:
        return network(batch.ids, given=batch.given, mode=mode)

    def answers(y: Ragged) -> list[dict[str, Any]]:
        output = output_of(network, schema)
        found = [
            {"step": step, "top": top, "answer": schema.tags[best]}
            for step, top, best in zip(
                steps, ranked(output.probabilities(y), schema.tags), output.best(y), strict=True
            )
        ]
        for entry, tag in zip(found, target or (), strict=False):
            entry["target"] = tag
        return found

    def loss(y: Ragged, at: int | None) -> Loss:
        place = position(at, len(steps))
        tags = output_of(network, schema).best(y) if right is None else right
        tag, where = schema.tags[tags[place]], f"{steps[place]!r} (token {place + 1})"
        d_rows = np.zeros_like(y.rows)
        if CRF in dict(network.children()):  # its loss is of all tags together: no way back begins at one
            d_rows[place, tags[place]] = 1.0
            return Loss(float(y.rows[place, tags[place]]), d_rows, f"the score of {tag!r} at {where}")
        value, back = sequence_cross_entropy(y.rows[place : place + 1], tags[place : place + 1])
        d_rows[place] = back()[0]
        return Loss(value, d_rows, f"tagging {where} as {tag!r}")

    spelt = [character for word in lexicon.words for character in word]
    labels = {"": steps, f"{SPELT}.": spelt} if schema.characters else {"": steps}
    return Subject(f"sequence of {len(steps):,} tokens", labels, forward, answers, loss)
