"""Tags of data to be measured on that a model was not trained on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from noria.data.tagged_sequence import TaggedSequence
from noria.errors import DataError
from noria.models.tag.schema import TagSchema
from noria.models.unknown import unknown_said


@dataclass(frozen=True)
class UnknownTags:
    """The sequences with unknown tags, and how often each tag comes; false if there are none."""

    sequences: Sequence[TaggedSequence]
    counts: dict[str, int]

    def __bool__(self) -> bool:
        return bool(self.sequences)

    def error(self, schema: TagSchema, measured: Sequence[TaggedSequence]) -> DataError:
        """Make the error of sequences to be measured on: the first place, and all unknown tags."""
        message = ""
        try:
            schema.tag_ids(self.sequences[0])
        except DataError as error:
            message = str(error)
        count = sum(len(sequence.tokens) for sequence in measured)
        others = len(self.sequences) < len(measured)
        return DataError(f"{message}\n{unknown_said(self.counts, count, 'tokens have tags', others=others)}")

    def figures(self) -> dict[str, Any]:
        """Give what is to be said beside the figures of the others; nothing where none was left out."""
        return {"left_out": len(self.sequences), "unknown_tags": self.counts} if self.sequences else {}


def apart(
    sequences: Sequence[TaggedSequence], schema: TagSchema
) -> tuple[Sequence[TaggedSequence], UnknownTags]:
    """Give the sequences all of whose tags were trained on, and the others."""
    tags = set(schema.tags)
    known, unknown = list[TaggedSequence](), list[TaggedSequence]()
    counts: Counter[str] = Counter()
    for sequence in sequences:
        others = [tag for tag in sequence.tags or () if tag not in tags]
        counts.update(others)
        (unknown if others else known).append(sequence)
    return known, UnknownTags(unknown, dict(counts.most_common()))
