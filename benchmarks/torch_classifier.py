"""The classifier of ``classify.py`` in PyTorch."""

from typing import Any

import numpy as np
import torch
from sides import Arrays
from torch.nn import functional
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence
from torch_peers import MODULES, gradients_as_module

from noria.arrays import Array
from noria.layers import FlatParameters
from noria.layers.interchange import to_torch


class TorchClassifier(torch.nn.Module):
    """Embedding, bidirectional layers over packed sequences, the highest value of each feature, linear."""

    def __init__(
        self, cell: str, symbols: int, embedding: int, hidden: int, layers: int, classes: int
    ) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(symbols, embedding)
        self.recurrent = MODULES[cell](embedding, hidden, layers, bidirectional=True)
        self.output = torch.nn.Linear(2 * hidden, classes)

    def forward(self, sequences: list[torch.Tensor]) -> torch.Tensor:
        """Give the logits of a batch of ids."""
        packed = pack_sequence(sequences, enforce_sorted=False)
        rows = torch.nn.utils.rnn.PackedSequence(
            self.embedding(packed.data), packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices
        )
        padded, _ = pad_packed_sequence(self.recurrent(rows)[0], padding_value=-np.inf)
        return self.output(padded.max(dim=0).values)


class Steps:
    """Training steps over the same batches as ours."""

    def __init__(
        self,
        model: TorchClassifier,
        batches: list[tuple[list[Array], Array]],
        *,
        rate: float,
        clip: float,
        **how: Any,
    ) -> None:
        self.model, self.clip = model, clip
        self.optimiser = torch.optim.Adam(model.parameters(), rate, **how)
        self.batches = [
            ([torch.from_numpy(ids) for ids in sequences], torch.from_numpy(targets))
            for sequences, targets in batches
        ]
        self.count = 0

    def gradients(self) -> tuple[float, Arrays]:
        """Run the next batch forward and backward; give the loss and the gradients by name."""
        sequences, targets = self.batches[self.count % len(self.batches)]
        self.optimiser.zero_grad()
        loss = functional.cross_entropy(self.model(sequences), targets)
        torch.autograd.backward(loss)
        found = {name: p.grad.numpy() for name, p in self.model.named_parameters() if p.grad is not None}
        return float(loss.detach()), found

    def __call__(self) -> float:
        """Take one training step; give its loss."""
        loss, _ = self.gradients()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimiser.step()
        self.count += 1
        return loss


def load(model: TorchClassifier, cell: str, flat: FlatParameters) -> None:
    """Give the model our weights."""
    arrays = as_model(model, cell, flat.state_dict(), gradients=False)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(arrays[name])))


def as_model(model: TorchClassifier, cell: str, ours: Arrays, *, gradients: bool) -> dict[str, Array]:
    """Give our weights or gradients, by path, as the model names and stacks them."""
    arrays = {
        "output.weight": ours["output.W"],
        "output.bias": ours["output.b"],
        "embedding.weight": ours["input.table"],
    }
    stacked = gradients_as_module if gradients else to_torch
    for layer in range(model.recurrent.num_layers):
        for way, suffix in (("forward", ""), ("backward", "_reverse")):
            start = f"recurrent.{layer}.{way}."
            own = {path.removeprefix(start): value for path, value in ours.items() if path.startswith(start)}
            arrays |= {f"recurrent.{name}_l{layer}{suffix}": a for name, a in stacked(cell, own).items()}
    return arrays
