"""Labels of data to be measured on that a model was not trained on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from noria.data.records import Record
from noria.errors import DataError
from noria.models.classify.targets import LabelTargets, Targets
from noria.models.unknown import unknown_said


@dataclass(frozen=True)
class UnknownLabels:
    """The records whose labels are unknown; false if there are none."""

    records: Sequence[Record]

    def __bool__(self) -> bool:
        return bool(self.records)

    @property
    def counts(self) -> dict[str, int]:
        """How often each comes, the most frequent first."""
        return dict(Counter(str(record.target) for record in self.records).most_common())

    def error(self, targets: Targets, count: int) -> DataError:
        """Make the error of so many sequences to be measured on: the first place, and all unknown labels."""
        first, message = self.records[0], ""
        try:
            targets.encode(first.target, first.target_place)
        except DataError as error:
            message = str(error)
        others = len(self.records) < count
        said = unknown_said(self.counts, count, "sequences have labels", others=others)
        return DataError(f"{message}\n{said}")

    def figures(self, figures: Mapping[str, Any], count: int) -> dict[str, Any]:
        """Give what is to be said beside the figures of the others; nothing where none was left out."""
        if not self.records:
            return {}
        right = figures["accuracy"] * (count - len(self.records))
        return {
            "left_out": len(self.records),
            "accuracy_of_all": right / count,
            "unknown_labels": self.counts,
        }


def apart(records: Sequence[Record], targets: Targets) -> tuple[Sequence[Record], UnknownLabels]:
    """Give the records whose labels were trained on, as all numbers are, and the others."""
    if not isinstance(targets, LabelTargets):
        return records, UnknownLabels(())
    labels = set(targets.labels)
    known = [record for record in records if record.target in labels]
    return known, UnknownLabels([record for record in records if record.target not in labels])
