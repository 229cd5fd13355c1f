"""The encoder-decoder in PyTorch, sentence by sentence and step by step: same weights, loss and gradients."""

import numpy as np
import pytest
from layer_checks import built, token_ids

from noria.layers import (
    DecoderAttention,
    Embedding,
    EncoderDecoder,
    InputFeeding,
    Linear,
    Stack,
    recurrent_stack,
)
from noria.training.losses import sequence_cross_entropy

torch = pytest.importorskip("torch")

READ, WRITTEN = [2, 7, 5, 1], [4, 1, 6, 6]
S, V, E, H = 9, 6, 5, 7


def network(score, feeding, bidirectional, tied):
    width = H if bidirectional or score == "dot" else 3
    encoder = Stack([Embedding(S, 4), recurrent_stack(["lstm"] * 2, width, bidirectional=bidirectional)])
    memory = width * (2 if bidirectional else 1)
    recurrent = recurrent_stack(["lstm"] * 2, H)
    reads = Embedding(V, H if tied else E)
    layers = [reads]
    if score is None:
        layers += [recurrent]
    elif feeding:
        layers += [InputFeeding(recurrent, DecoderAttention(memory, score=score), H)]
    else:
        layers += [recurrent, DecoderAttention(memory, score=score)]
    return EncoderDecoder(
        encoder, Stack([*layers, Linear(V, weight=reads.table if tied else None)]), S, name="net"
    )


class Judge:
    """The same network as a plain function of its weights."""

    def __init__(self, flat, score, feeding, bidirectional, tied):
        self.w = {path: torch.tensor(p.value, requires_grad=True) for path, p in flat.named()}
        self.score, self.feeding, self.bidirectional, self.tied = score, feeding, bidirectional, tied

    def lstm(self, path, x, state):
        w = {
            name: self.w[f"net.{path}.{name}"]
            for name in ["W_i", "U_i", "b_i", "W_f", "U_f", "b_f", "W_g", "U_g", "b_g", "W_o", "U_o", "b_o"]
        }
        h, c = state
        i, f, o = (torch.sigmoid(w[f"W_{g}"] @ x + w[f"U_{g}"] @ h + w[f"b_{g}"]) for g in "ifo")
        c = f * c + i * torch.tanh(w["W_g"] @ x + w["U_g"] @ h + w["b_g"])
        return o * torch.tanh(c), c

    def run(self, path, rows, width):
        state = (torch.zeros(width, dtype=torch.float64),) * 2
        outputs = []
        for x in rows:
            state = self.lstm(path, x, state)
            outputs.append(state[0])
        return outputs, state

    def encode(self, ids):
        rows = [self.w["net.encoder.0.table"][k] for k in ids]
        ends = []
        for level in range(2):
            path = f"encoder.1.{level}"
            if self.bidirectional:
                there, end = self.run(f"{path}.forward", rows, H)
                back, start = self.run(f"{path}.backward", rows[::-1], H)
                rows = [torch.cat(pair) for pair in zip(there, back[::-1], strict=True)]
                ends.append([torch.cat(pair) for pair in zip(end, start, strict=True)])
            else:
                rows, end = self.run(path, rows, self.w[f"net.{path}.U_i"].shape[0])
                ends.append(end)
        return torch.stack(rows), ends

    def begin(self, ends):
        at = "net.bridge.1.0" if self.feeding else "net.bridge.1"
        states = []
        for level, end in enumerate(ends):
            maps = [(self.w.get(f"{at}.{level}.{s}.W"), self.w.get(f"{at}.{level}.{s}.b")) for s in "hc"]
            states.append([e if W is None else W @ e + b for e, (W, b) in zip(end, maps, strict=True)])
        return states

    def attend(self, at, query, memory):
        w = {name: self.w.get(f"net.{at}.{name}") for name in ("W_a", "W_q", "W_k", "b_a", "v", "W_c", "b_c")}
        if self.score == "additive":
            scores = torch.tanh(w["W_q"] @ query + memory @ w["W_k"].T + w["b_a"]) @ w["v"]
        else:
            scores = (memory if self.score == "dot" else memory @ w["W_a"].T) @ query
        context = torch.softmax(scores, 0) @ memory
        return torch.tanh(w["W_c"] @ torch.cat([query, context]) + w["b_c"])

    def logits(self, read, inputs):
        memory, ends = self.encode(read)
        states, fed, rows = self.begin(ends), torch.zeros(H, dtype=torch.float64), []
        recurrent = "decoder.1.recurrent" if self.feeding else "decoder.1"
        at = "decoder.1.attention" if self.feeding else "decoder.2"
        last = "decoder.2" if self.feeding or self.score is None else "decoder.3"
        for k in inputs:
            x = self.w["net.decoder.0.table"][k]
            x = torch.cat([x, fed]) if self.feeding else x
            for level in range(2):
                states[level] = self.lstm(f"{recurrent}.{level}", x, states[level])
                x = states[level][0]
            x = fed = x if self.score is None else self.attend(at, x, memory)
            W = self.w["net.decoder.0.table" if self.tied else f"net.{last}.W"]
            rows.append(W @ x + self.w[f"net.{last}.b"])
        return torch.stack(rows)


@pytest.mark.parametrize(
    ("score", "feeding", "bidirectional", "tied"),
    [
        (None, False, True, False),
        ("dot", False, False, False),
        ("general", False, True, False),
        ("general", True, True, False),
        ("additive", False, True, False),
        ("additive", True, False, False),
        (None, False, True, True),
        ("general", False, True, True),
        ("additive", True, False, True),
    ],
)
def test_loss_and_every_gradient_are_those_of_pytorch(score, feeding, bidirectional, tied):
    made, flat = built(network(score, feeding, bidirectional, tied), V)
    source, inputs = token_ids(READ, S), token_ids(WRITTEN, V, seed=1)
    targets = token_ids(WRITTEN, V, seed=2)
    logits, backward = made(inputs, source=source)
    loss, loss_back = sequence_cross_entropy(logits.rows, targets.rows)
    backward(loss_back())

    judge = Judge(flat, score, feeding, bidirectional, tied)
    pairs = zip(source.to_sequences(), inputs.to_sequences(), strict=True)
    theirs = torch.cat([judge.logits(read, written) for read, written in pairs])
    right = torch.from_numpy(np.concatenate(targets.to_sequences()).astype(np.int64))
    expected = torch.nn.functional.cross_entropy(theirs, right)
    torch.autograd.backward(expected)
    assert abs(loss - expected.item()) < 1e-13
    for path, parameter in flat.named():
        gradient = judge.w[path].grad.numpy()
        assert np.abs(gradient).max() > 0, path
        assert np.abs(parameter.gradient - gradient).max() < 1e-12 * max(1, np.abs(gradient).max()), path
