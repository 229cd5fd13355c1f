"""The translator of ``translate.py`` in PyTorch: padded sides, packed where PyTorch can, attention masked."""

from typing import Any

import torch
from sides import Arrays
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch_peers import gradients_as_module

from noria.arrays import Array
from noria.layers import FlatParameters
from noria.layers.interchange import to_torch

PADDING = -100


class TorchTranslator(torch.nn.Module):
    """Embedding, LSTM encoder, LSTM decoder, attention, a linear layer."""

    def __init__(
        self, attention: str, bidirectional: bool, symbols: int, embedding: int, hidden: int, layers: int
    ) -> None:
        super().__init__()
        width = hidden * (2 if bidirectional else 1)
        self.attention, self.layers = attention, layers
        self.source = torch.nn.Embedding(symbols, embedding)
        self.target = torch.nn.Embedding(symbols, embedding)
        self.encoder = torch.nn.LSTM(embedding, hidden, layers, bidirectional=bidirectional)
        self.decoder = torch.nn.LSTM(embedding, hidden, layers)
        if bidirectional:
            maps = {f"{level}_{s}": torch.nn.Linear(width, hidden) for level in range(layers) for s in "hc"}
            self.bridge = torch.nn.ModuleDict(maps)
        match attention:
            case "general":
                self.W_a = torch.nn.Linear(width, hidden, bias=False)
            case "additive":
                self.W_q = torch.nn.Linear(hidden, hidden, bias=False)
                self.W_k = torch.nn.Linear(width, hidden)
                self.v = torch.nn.Linear(hidden, 1, bias=False)
        if attention != "none":
            self.combined = torch.nn.Linear(hidden + width, hidden)
        self.output = torch.nn.Linear(hidden, symbols)

    def forward(self, source: torch.Tensor, lengths: torch.Tensor | None, inputs: torch.Tensor) -> Any:
        """Give the logits (T, B, V); `lengths` of the sources where they differ."""
        x = self.source(source)
        if lengths is None:
            memory, state = self.encoder(x)
        else:
            packed, state = self.encoder(pack_padded_sequence(x, lengths, enforce_sorted=False))
            memory, _ = pad_packed_sequence(packed)
        h, _ = self.decoder(self.target(inputs), self._begin(state))
        if self.attention != "none":
            h = self._attended(h.transpose(0, 1), memory.transpose(0, 1), lengths).transpose(0, 1)
        return self.output(h)

    def _begin(self, state: Any) -> Any:
        if not self.encoder.bidirectional:
            return state
        both = [part.unflatten(0, (self.layers, 2)).transpose(1, 2).flatten(2) for part in state]
        return tuple(
            torch.stack([self.bridge[f"{level}_{s}"](part[level]) for level in range(self.layers)])
            for s, part in zip("hc", both, strict=True)
        )

    def _attended(
        self, queries: torch.Tensor, memory: torch.Tensor, lengths: torch.Tensor | None
    ) -> torch.Tensor:
        if self.attention == "additive":
            sums = self.W_q(queries)[:, :, None] + self.W_k(memory)[:, None]
            scores = self.v(torch.tanh(sums)).squeeze(-1)
        else:
            keys = self.W_a(memory) if self.attention == "general" else memory
            scores = queries @ keys.transpose(1, 2)
        if lengths is not None:
            absent = torch.arange(memory.shape[1]) >= lengths[:, None]
            scores = scores.masked_fill(absent[:, None], float("-inf"))
        context = torch.softmax(scores, -1) @ memory
        return torch.tanh(self.combined(torch.cat([queries, context], -1)))


class Steps:
    """Training steps on one batch, padded beforehand."""

    def __init__(
        self,
        model: TorchTranslator,
        read: list[Array],
        written: list[Array],
        begin: int,
        *,
        rate: float,
        clip: float,
        **how: Any,
    ) -> None:
        self.model, self.clip = model, clip
        self.optimiser = torch.optim.Adam(model.parameters(), rate, **how)
        rows = [torch.from_numpy(ids.astype("int64")) for ids in read]
        self.source = torch.nn.utils.rnn.pad_sequence(rows)
        lengths = [len(ids) for ids in read]
        self.lengths = None if len(set(lengths)) == 1 else torch.tensor(lengths)
        targets = [torch.from_numpy(ids.astype("int64")) for ids in written]
        self.targets = torch.nn.utils.rnn.pad_sequence(targets, padding_value=PADDING)
        before = torch.full_like(self.targets[:1], begin)
        self.inputs = torch.cat([before, self.targets[:-1].clamp(min=0)])

    def gradients(self) -> tuple[float, Arrays]:
        """Run the batch forward and backward; give the loss and the gradients by name."""
        self.optimiser.zero_grad()
        logits = self.model(self.source, self.lengths, self.inputs)
        loss = functional.cross_entropy(logits.flatten(0, 1), self.targets.flatten(), ignore_index=PADDING)
        torch.autograd.backward(loss)
        found = {name: p.grad.numpy() for name, p in self.model.named_parameters() if p.grad is not None}
        return float(loss.detach()), found

    def __call__(self) -> float:
        """Take one training step; give its loss."""
        loss, _ = self.gradients()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimiser.step()
        return loss


def load(model: TorchTranslator, flat: FlatParameters) -> None:
    """Give the model our weights."""
    arrays = as_model(model, flat.state_dict(), gradients=False)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(arrays[name]))


def as_model(model: TorchTranslator, ours: Arrays, *, gradients: bool) -> dict[str, Array]:
    """Give our weights or gradients, by path, as the model names and stacks them."""
    stacked = gradients_as_module if gradients else to_torch

    def under(path: str) -> dict[str, Array]:
        start = f"network.{path}."
        return {name.removeprefix(start): array for name, array in ours.items() if name.startswith(start)}

    attention = under("decoder.attention")
    arrays = {
        "source.weight": under("encoder.input")["table"],
        "target.weight": under("decoder.input")["table"],
        "output.weight": under("decoder.output")["W"],
        "output.bias": under("decoder.output")["b"],
    }
    if "W_c" in attention:
        arrays |= {"combined.weight": attention["W_c"], "combined.bias": attention["b_c"]}
    match model.attention:
        case "general":
            arrays["W_a.weight"] = attention["W_a"]
        case "additive":
            arrays |= {"W_q.weight": attention["W_q"], "W_k.weight": attention["W_k"]}
            arrays |= {"W_k.bias": attention["b_a"], "v.weight": attention["v"][None]}
    for level in range(model.layers):
        directions = {"": "", ".forward": "", ".backward": "_reverse"}
        for direction, suffix in directions.items():
            own = under(f"encoder.recurrent.{level}{direction}")
            if "W_i" in own:
                new = stacked("lstm", own)
                arrays |= {f"encoder.{name}_l{level}{suffix}": array for name, array in new.items()}
        own = under(f"decoder.recurrent.{level}")
        arrays |= {f"decoder.{n}_l{level}": array for n, array in stacked("lstm", own).items()}
        for s in "hc" * model.encoder.bidirectional:
            way = under(f"bridge.1.{level}.{s}")
            arrays |= {
                f"bridge.{level}_{s}.weight": way["W"],
                f"bridge.{level}_{s}.bias": way["b"],
            }
    return arrays
