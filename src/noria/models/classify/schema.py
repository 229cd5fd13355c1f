"""All that a model of whole sequences knows of its data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from noria.errors import RunError
from noria.models.classify.inputs import KINDS, Inputs
from noria.models.classify.scaling import Scales
from noria.models.classify.targets import TARGETS, Targets
from noria.models.schema import Schema, entry


@dataclass(frozen=True)
class SequenceSchema(Schema):
    """How sequences, further numbers and targets are turned into what the network has.

    Attributes
    ----------
    inputs : Inputs
    targets : Targets
    extras : Scales or None
        Of the numbers that are joined to every step.
    columns : mapping
        What stands in which column of a table: ``text``, ``label``, ``id``, ``time``.
    recordings : bool
        Whether the series are recordings.
    """

    inputs: Inputs
    targets: Targets
    extras: Scales | None
    columns: Mapping[str, str]
    recordings: bool

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        return {
            "inputs": self.inputs.to_dict(),
            "targets": self.targets.to_dict(),
            "extras": None if self.extras is None else self.extras.to_dict(),
            "columns": dict(self.columns),
            "recordings": self.recordings,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> Self:
        """Undo :meth:`to_dict`."""
        inputs, targets = (entry(data, name, dict, source) for name in ("inputs", "targets"))
        for part, known in ((inputs, list(KINDS)), (targets, list(TARGETS))):
            if part.get("kind") not in known:
                raise RunError(f"{source}: expected one of {', '.join(known)}, got {part.get('kind')!r}.")
        extras = data.get("extras")
        return cls(
            KINDS[inputs["kind"]].from_dict(inputs, source),
            TARGETS[targets["kind"]].from_dict(targets, source),
            None if extras is None else Scales.from_dict(extras, source),
            entry(data, "columns", dict, source),
            entry(data, "recordings", bool, source),
        )
