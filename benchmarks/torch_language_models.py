"""Language models in PyTorch with settings known to be good: an LSTM, and a small transformer.

Both train for so many minutes by the clock, with a cosine to 2 % over the time, keep the weights that did
best on the validation part, and are scored on the test part.
"""

import math
import time
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

EMBEDDING, HIDDEN, STREAMS, WINDOW, RATE = 64, 256, 32, 64, 4e-3
LAYERS, HEADS, WIDTH, CONTEXT, TOGETHER, RATE_OF_TRANSFORMER = 4, 4, 128, 64, 12, 1e-3
CLIP, FLOOR, EVALUATIONS = 1.0, 0.02, 20
STRIDE = 16
"""The transformer scores the last so many symbols of each context: each has at least 48 before it."""

Parts = dict[str, np.ndarray]


class Peer(torch.nn.Module):
    """A model that can be trained here."""

    rate: float

    @abstractmethod
    def losses(self, ids: torch.Tensor, rng: torch.Generator) -> Iterator[torch.Tensor]:
        """Give the loss of one batch after the other, without end."""

    @abstractmethod
    def nats(self, ids: torch.Tensor) -> float:
        """Score a text, in nats per symbol."""

    @abstractmethod
    def optimiser(self) -> torch.optim.Optimizer:
        """Give the optimiser."""

    tokens_in_a_batch: int


class TorchLSTM(Peer):
    """Embedding, one LSTM, dropout, linear; 32 streams, windows of 64, the state carried."""

    rate, tokens_in_a_batch = RATE, STREAMS * WINDOW

    def __init__(self, symbols: int, dropout: float) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(symbols, EMBEDDING)
        self.lstm = torch.nn.LSTM(EMBEDDING, HIDDEN)
        self.dropout = torch.nn.Dropout(dropout)
        self.output = torch.nn.Linear(HIDDEN, symbols)

    def forward(
        self, ids: torch.Tensor, state: tuple[torch.Tensor, ...] | None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        """Give the logits and the state after the window."""
        h, state = self.lstm(self.embedding(ids), state)
        return self.output(self.dropout(h)), state

    def optimiser(self) -> torch.optim.Optimizer:
        """Give Adam."""
        return torch.optim.Adam(self.parameters(), self.rate)

    def losses(self, ids: torch.Tensor, rng: torch.Generator) -> Iterator[torch.Tensor]:
        """Read the text in 32 places at once, window after window."""
        length = (len(ids) - 1) // STREAMS
        inputs = ids[: length * STREAMS].reshape(STREAMS, length).T
        targets = ids[1 : length * STREAMS + 1].reshape(STREAMS, length).T
        while True:
            state = None
            for begin in range(0, length // WINDOW * WINDOW, WINDOW):
                logits, state = self(inputs[begin : begin + WINDOW], state)
                state = tuple(part.detach() for part in state)
                yield cross_entropy(logits.flatten(0, 1), targets[begin : begin + WINDOW].flatten())

    def nats(self, ids: torch.Tensor) -> float:
        """Read the text from its beginning, the state carried."""
        total, state = 0.0, None
        for begin in range(0, len(ids) - 1, 2000):
            inputs, targets = ids[begin : begin + 2000], ids[begin + 1 : begin + 2001]
            logits, state = self(inputs[: len(targets), None], state)
            total += float(cross_entropy(logits[:, 0], targets, reduction="sum"))
        return total / (len(ids) - 1)


class TorchTransformer(Peer):
    """Four layers, 128 wide, context 64, 12 pieces of the text in a batch."""

    rate, tokens_in_a_batch = RATE_OF_TRANSFORMER, TOGETHER * CONTEXT

    def __init__(self, symbols: int, dropout: float) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(symbols, WIDTH)
        self.places = torch.nn.Embedding(CONTEXT, WIDTH)
        layer = torch.nn.TransformerEncoderLayer(
            WIDTH, HEADS, 4 * WIDTH, dropout, "gelu", batch_first=True, norm_first=True
        )
        self.layers = torch.nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self.norm = torch.nn.LayerNorm(WIDTH)
        self.output = torch.nn.Linear(WIDTH, symbols)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Give the logits of each place, which sees those before it."""
        steps = ids.shape[1]
        mask = torch.nn.Transformer.generate_square_subsequent_mask(steps)
        h = self.embedding(ids) + self.places(torch.arange(steps))
        return self.output(self.norm(self.layers(h, mask, is_causal=True)))

    def optimiser(self) -> torch.optim.Optimizer:
        """Give AdamW."""
        return torch.optim.AdamW(self.parameters(), self.rate)

    def losses(self, ids: torch.Tensor, rng: torch.Generator) -> Iterator[torch.Tensor]:
        """Draw pieces of the text anywhere in it."""
        span = torch.arange(CONTEXT + 1)
        while True:
            begins = torch.randint(0, len(ids) - CONTEXT, (TOGETHER, 1), generator=rng)
            pieces = ids[begins + span]
            yield cross_entropy(self(pieces[:, :-1]).flatten(0, 1), pieces[:, 1:].flatten())

    def nats(self, ids: torch.Tensor) -> float:
        """Score every symbol with 48 to 63 before it, those at the beginning with fewer."""
        total = 0.0
        ends = range(CONTEXT, len(ids), STRIDE)
        windows = [ids[end - CONTEXT : end + 1] for end in ends]
        first = self(windows[0][None, :-1])[0]
        total += float(cross_entropy(first, windows[0][1:], reduction="sum"))
        for begin in range(1, len(windows), 64):
            some = torch.stack(windows[begin : begin + 64])
            logits = self(some[:, :-1])[:, -STRIDE:]
            total += float(cross_entropy(logits.flatten(0, 1), some[:, -STRIDE:].flatten(), reduction="sum"))
        return total / (ends[-1])


def train(
    peer: type[Peer], parts: Parts, symbols: int, minutes: float, dropout: float, seed: int
) -> dict[str, Any]:
    """Train for the minutes, clock and all; give the figures of the best weights."""
    torch.manual_seed(seed)
    text = {name: torch.from_numpy(ids) for name, ids in parts.items()}
    model = peer(symbols, dropout)
    optimiser = model.optimiser()
    best, weights, evaluations, step = math.inf, model.state_dict(), 0, 0
    start = time.perf_counter()
    losses = model.losses(text["train"], torch.Generator().manual_seed(seed))

    def validated() -> None:
        nonlocal best, weights
        if (found := scored(model, text["validation"])) < best:
            best, weights = found, {name: tensor.clone() for name, tensor in model.state_dict().items()}

    while (share := (time.perf_counter() - start) / (60 * minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = model.rate * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * share)))
        loss = next(losses)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        step += 1
        if share * EVALUATIONS >= evaluations + 1:
            evaluations += 1
            validated()
    validated()
    model.load_state_dict(weights)
    seconds = time.perf_counter() - start
    return {
        "test_nats": scored(model, text["test"]),
        "validation_nats": best,
        "steps": step,
        "seconds": seconds,
        "tokens_per_second": step * model.tokens_in_a_batch / seconds,
    }


def scored(model: Peer, ids: torch.Tensor) -> float:
    """Score without dropout and without gradients."""
    model.eval()
    with torch.no_grad():
        found = model.nats(ids)
    model.train()
    return found
