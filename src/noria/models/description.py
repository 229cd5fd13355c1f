"""What was understood before training: the data, the network and how it will be read, as plain values."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class DataDescription:
    """The data as they were read.

    Attributes
    ----------
    source, encoding : str
    kind : str
        ``"text"``, or ``"sequences"`` for separate ones.
    level : str
        What a symbol is: ``"characters"``, ``"words"`` or ``"subwords"``.
    characters : int
        In all parts together.
    symbols : int
        Size of the vocabulary, special symbols included.
    train, validation, test : int
        Predictions in each part: one for each symbol and, for separate sequences, one for each end.
    sequences : tuple of int
        How many sequences each part has; empty for one text.
    notes : tuple of str
        What was done to the data, and what does not fit.
    """

    source: str
    encoding: str
    kind: str
    level: str
    characters: int
    symbols: int
    train: int
    validation: int
    test: int
    sequences: tuple[int, ...]
    notes: tuple[str, ...]


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
    layers : tuple of LayerDescription
    parameters : int
        In all layers together.
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
    layers: tuple[LayerDescription, ...]
    parameters: int
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
    batch_size, seq_length : int
        As they will be used: a short text shrinks them, which a note says.
    steps_per_epoch : int
    notes : tuple of str
        Everything worth saying about data and sizes.
    """

    data: DataDescription
    model: ModelDescription
    batch_size: int
    seq_length: int
    steps_per_epoch: int
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give it as nested plain values, for JSON."""
        return asdict(self)
