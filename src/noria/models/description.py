"""What was understood before training: the data, the network and how it will be read, as plain values."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class DataDescription(ABC):
    """The data as they were read; each task adds what is to be said of its own.

    Attributes
    ----------
    source : str
        Where they come from.
    notes : tuple of str
        What was done to them, and what does not fit.
    """

    label: ClassVar[str] = "Data"
    """What stands before the summary."""

    source: str
    notes: tuple[str, ...]

    @abstractmethod
    def summary(self) -> str:
        """Say in one line what the data are and how they are cut."""


@dataclass(frozen=True)
class LayerDescription:
    """One layer: where its parameters are filed, what it is, its output size, how many parameters it has."""

    path: str
    kind: str
    size: int
    parameters: int


@dataclass(frozen=True)
class ModelDescription:
    """The network.

    Attributes
    ----------
    cells : tuple of str
        Name of the cell of each recurrent layer.
    hidden_sizes : tuple of int
    bidirectional : int
        How many layers read from both ends: each is two among the cells.
    layers : tuple of LayerDescription
    parameters : int
        In all layers together.
    members : int
        How many networks side by side the layers are shared out to.
    engines : tuple of str
        What runs each recurrent layer.
    dtype : str
    processor : str
        What the native engine computes with, and how wide; empty where it runs no layer.
    why_not_native : str
        Why the native engine, the fast one, does not run every layer; empty where it does.
    threads : int
        How many threads the engines may use.
    """

    cells: tuple[str, ...]
    hidden_sizes: tuple[int, ...]
    bidirectional: int
    layers: tuple[LayerDescription, ...]
    parameters: int
    members: int
    engines: tuple[str, ...]
    dtype: str
    processor: str
    why_not_native: str
    threads: int


@dataclass(frozen=True)
class Description:
    """All that a user should see before the first step.

    Attributes
    ----------
    data : DataDescription
    model : ModelDescription
    batch_size : int
        As it will be used: few data shrink it, which a note says.
    steps_per_epoch : int
    notes : tuple of str
        Everything worth saying about data and sizes.
    seq_length : int or None
        Steps in a window of one long text, as it will be used; None where every sequence is read whole.
    """

    data: DataDescription
    model: ModelDescription
    batch_size: int
    steps_per_epoch: int
    notes: tuple[str, ...]
    seq_length: int | None = None

    @property
    def reading(self) -> str:
        """How the data are gone through."""
        if self.seq_length is None:
            return f"batches of {self.batch_size} sequences"
        return f"{self.batch_size} streams, windows of {self.seq_length} steps"

    def to_dict(self) -> dict[str, Any]:
        """Give it as nested plain values, for JSON."""
        return asdict(self)
