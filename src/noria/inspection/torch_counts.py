"""Why PyTorch counts more parameters for the same layer: second biases, most of them redundant.

PyTorch's recurrent modules add two biases in every gate, ``W x + b_ih + U h + b_hh``. Only their sum
matters, so that one is enough. In the candidate of its GRU both are needed, because the second stands inside
the reset product, ``W x + b_ih + r * (U h + b_hh)``.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from noria.equations import cells
from noria.layers import Layer, Recurrent

ONLY_ADDED = "only added to the first, so redundant"
MODULES = {
    "rnn": ("nn.RNN", 1, ONLY_ADDED),
    "rnn_relu": ("nn.RNN", 1, ONLY_ADDED),
    "lstm": ("nn.LSTM", 4, ONLY_ADDED),
    "lstm_projected": ("nn.LSTM", 4, ONLY_ADDED),
    "gru_reset_after": ("nn.GRU", 2, f"{ONLY_ADDED}; that of n, inside the reset product, is b_hn here"),
    "gru": ("nn.GRU", 3, "two are redundant, that of n counts only with the reset after the product"),
}
"""Cell to PyTorch's module, the biases that it has more, and why they are none of ours."""


@dataclass(frozen=True)
class TorchCount:
    """The parameters of one recurrent layer, here and in PyTorch.

    Attributes
    ----------
    cell : str
    hidden_size, parameters : int
    module : str
        PyTorch's.
    torch_parameters : int
        Of that module in one direction, with the same sizes.
    why : str
        What makes the difference.
    """

    cell: str
    hidden_size: int
    parameters: int
    module: str
    torch_parameters: int
    why: str

    def __str__(self) -> str:
        ours = f"{self.cell} of {self.hidden_size:,} units: {self.parameters:,} parameters"
        return f"{ours}, {self.module} {self.torch_parameters:,}; {self.why}"

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values."""
        return asdict(self)


def torch_counts(network: Layer) -> Iterator[TorchCount]:
    """Compare each recurrent layer of a configured network that PyTorch has a module for."""
    if isinstance(network, Recurrent) and (found := _compared(network)) is not None:
        yield found
    for _, child in network.children():
        yield from torch_counts(child)


def _compared(layer: Recurrent) -> TorchCount | None:
    cell = layer.cell
    if cell.name not in MODULES or cell != cells[cell.name]:
        return None
    module, more, because = MODULES[cell.name]
    size = next(layer.sizes[one.rows] for one in cell.parameters if one.name.startswith("b"))
    count = sum(one.size for one in layer.own_parameters())
    biases = f"its second biases, {more} x {size:,}, are" if more > 1 else f"its second bias, {size:,}, is"
    why = f"{biases} {because}" if because.startswith(ONLY_ADDED) else f"{biases} none of ours: {because}"
    return TorchCount(cell.name, layer.hidden_size, count, module, count + more * size, why)
