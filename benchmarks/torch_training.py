"""The character model of ``training.py`` in PyTorch."""

from typing import Any

import torch
from sides import Arrays
from torch.nn import functional
from torch_peers import MODULES, gradients_as_module

from noria.arrays import Array
from noria.layers import FlatParameters
from noria.layers.interchange import to_torch

State = Any


class CharacterModel(torch.nn.Module):
    """One-hot or embedding, a recurrent module, a linear layer."""

    def __init__(self, cell: str, symbols: int, embedding: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.symbols = symbols
        self.embedding = torch.nn.Embedding(symbols, embedding) if embedding else None
        self.recurrent = MODULES[cell](embedding or symbols, hidden, layers)
        self.output = torch.nn.Linear(hidden, symbols)

    def forward(self, ids: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Give the logits and the state after the window."""
        if self.embedding is None:
            x = functional.one_hot(ids, self.symbols).float()
        else:
            x = self.embedding(ids)
        h, state = self.recurrent(x, state)
        return self.output(h), state


class Steps:
    """Training steps over the windows of a text, read as our streams read it."""

    def __init__(
        self,
        model: CharacterModel,
        ids: Array,
        streams: int,
        window: int,
        *,
        rate: float,
        clip: float,
        **how: Any,
    ) -> None:
        self.model, self.clip = model, clip
        self.optimiser = torch.optim.Adam(model.parameters(), rate, **how)
        count = (len(ids) - 1) // (streams * window)
        length = count * window
        text = torch.from_numpy(ids[: streams * length + 1].astype("int64"))
        inputs, targets = (text[k : k + streams * length].reshape(streams, length).T for k in (0, 1))
        self.inputs, self.targets = (torch.split(part.contiguous(), window) for part in (inputs, targets))
        self.state: State = None
        self.count = 0

    def gradients(self) -> tuple[float, Arrays]:
        """Run the next window forward and backward; give the loss and the gradients by name."""
        k = self.count % len(self.inputs)
        state = None if k == 0 else self._detached()
        self.optimiser.zero_grad()
        logits, self.state = self.model(self.inputs[k], state)
        loss = functional.cross_entropy(logits.flatten(0, 1), self.targets[k].flatten())
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

    def _detached(self) -> State:
        if isinstance(self.state, tuple):
            return tuple(part.detach() for part in self.state)
        return self.state.detach()


def load(model: CharacterModel, cell: str, flat: FlatParameters) -> None:
    """Give the model our weights."""
    arrays = as_model(model, cell, flat.state_dict(), gradients=False)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(arrays[name]))


def as_model(model: CharacterModel, cell: str, ours: Arrays, *, gradients: bool) -> dict[str, Array]:
    """Give our weights or gradients, by path, as the model names and stacks them."""
    arrays = {"output.weight": ours["output.W"], "output.bias": ours["output.b"]}
    if model.embedding is not None:
        arrays["embedding.weight"] = ours["input.table"]
    stacked = gradients_as_module if gradients else to_torch
    for layer in range(model.recurrent.num_layers):
        start = f"recurrent.{layer}."
        own = {path.removeprefix(start): array for path, array in ours.items() if path.startswith(start)}
        arrays |= {f"recurrent.{name}_l{layer}": array for name, array in stacked(cell, own).items()}
    return arrays
