"""What a language model has to know of its data besides its weights."""

import hashlib
import json
from dataclasses import dataclass

from noria.data import Vocabulary
from noria.data.conditions import Conditions

CONDITIONS = "conditions.json"


@dataclass(frozen=True)
class TextSchema:
    """The symbols of a text, and what is known of whole sequences.

    Attributes
    ----------
    vocabulary : Vocabulary
    conditions : Conditions or None
        What sequences begin with; None where nothing is told of them.
    """

    vocabulary: Vocabulary
    conditions: Conditions | None = None

    @property
    def condition_size(self) -> int:
        """How many features sequences begin with."""
        return 0 if self.conditions is None else self.conditions.size

    def fingerprint(self) -> str:
        """Give digits that two schemas do not share."""
        written = "\0".join(self.vocabulary.symbols)
        if self.conditions is not None:
            written += "\0\0" + json.dumps(self.conditions.to_dict(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(written.encode()).hexdigest()[:16]


def condition_differences(stored: Conditions | None, given: Conditions | None) -> list[str]:
    """Say in what conditions are not those of a run."""
    if stored == given:
        return []
    there, here = _named(stored), _named(given)
    return [f"conditions: {there} in the run, {here if here != there else 'others'} here"]


def _named(conditions: Conditions | None) -> str:
    if conditions is None:
        return "none"
    return ", ".join(
        f"{column.name} ({len(column.labels)} labels)" if column.labels else column.name
        for column in conditions.columns
    )
