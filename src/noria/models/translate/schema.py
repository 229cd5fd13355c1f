"""What a translator has to know of its data: the symbols of both sides, and how long targets were."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from noria.data.vocabulary import Vocabulary
from noria.errors import RunError
from noria.models.schema import Schema, entry


@dataclass(frozen=True)
class PairSchema(Schema):
    """Both vocabularies, fitted on the training part alone.

    Attributes
    ----------
    source, target : Vocabulary
        That of the targets has an end symbol, with which the decoder also begins.
    longest : int
        Symbols in the longest target of the training part, its end included.
    """

    source: Vocabulary
    target: Vocabulary
    longest: int

    @property
    def end(self) -> int:
        """The number of the end symbol."""
        end = self.target.end_id
        assert end is not None  # from_dict and fitting see to it
        return end

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {"source": self.source.to_dict(), "target": self.target.to_dict(), "longest": self.longest}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> Self:
        """Undo :meth:`to_dict`."""
        read, written = (
            Vocabulary.from_dict(entry(data, side, dict, source), source) for side in ("source", "target")
        )
        if written.end_id is None:
            raise RunError(f"{source}: the file is damaged: the vocabulary of the targets has no end symbol.")
        return cls(read, written, entry(data, "longest", int, source))
