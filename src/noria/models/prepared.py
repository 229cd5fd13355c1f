"""Data that have been read for a model: what every task has of them before its first step."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from noria.errors import OptionError
from noria.models.description import Description


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared(ABC):
    """Data that have been read, cut into parts and measured; ``fit`` takes it in the place of the data.

    A task adds its parts as fields of its own.

    Attributes
    ----------
    schema : Schema or Vocabulary
        What the model has to keep of the data; fitted on the training part alone.
    description : Description
        What was understood, for whoever looks on.
    batch_size : int
        As it will be used.
    tokens : int
        How many there are to learn from; 0: not counted.
    symbols : int
        How many the network tells; 0: it tells none.
    symbol_size : int
        Parameters that belong to one of them: its row of the output layer, and of the table it is read by.
    decided : mapping
        Options that were left open and follow from the data.
    extra : mapping
        Further test parts by name, each as ``evaluate`` takes it; measured beside the test part at the end.
    origin : mapping
        How the data can be found again: ``files``, or the name of a ``builtin`` data set.
    """

    schema: Any
    description: Description
    batch_size: int
    tokens: int = 0
    symbols: int = 0
    symbol_size: int = 0
    decided: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)

    @abstractmethod
    def content(self) -> str:
        """Give digits that two data sets do not share: of everything in every part, wherever files lie."""

    def noting(self, notes: Iterable[str]) -> Self:
        """Give the same with more that a user should know."""
        said = (*self.description.notes, *notes)
        return replace(self, description=replace(self.description, notes=said))

    def about(self) -> dict[str, Any]:
        """Give what config.toml says of the data."""
        return {"source": self.description.data.source, **self.origin}


def refuse_answers(model: object, y: object) -> None:
    """Refuse a `y` where data are their own answers: scikit-learn gives None there.

    Raises
    ------
    OptionError
    """
    if y is not None:
        raise OptionError(
            f"{type(model).__name__}: what is to be predicted is in the data themselves, y must be None. Got "
            f"{type(y).__name__}.\n  Leave it out, or use a classifier or regressor of sequences."
        )
