"""PyTorch as the judge: its recurrent modules with random weights, and the same computation with our layers.

A case is a dictionary of arrays: the module's weights under PyTorch's names, the input, the initial states,
the gradients that arrive, and what PyTorch made of them: outputs, final states, gradients.
``make_golden_from_torch.py`` writes some of them down, so that a machine without PyTorch compares with the
same figures.
"""

from dataclasses import dataclass

import numpy as np

from noria.layers import Bidirectional, FlatParameters, Recurrent, Stack
from noria.layers.interchange import from_torch, to_torch
from noria.sequences import Ragged

LENGTHS = (3, 5, 1, 5, 2)
D, H = 4, 7
P = 3


@dataclass(frozen=True)
class Case:
    """A module of PyTorch's and the cell that is the same."""

    module: str
    cell: str
    layers: int
    bidirectional: bool = False
    lengths: tuple[int, ...] = LENGTHS

    @property
    def name(self):
        way = "-bidirectional" if self.bidirectional else ""
        shape = "ragged" if len(set(self.lengths)) > 1 else "dense"
        return f"{self.cell}-{self.layers}{way}-{shape}"

    @property
    def projected(self):
        return self.cell == "lstm_projected"

    @property
    def width(self):
        return P if self.projected else H


KINDS = (
    ("RNN", "rnn"),
    ("RNN", "rnn_relu"),
    ("LSTM", "lstm"),
    ("LSTM", "lstm_projected"),
    ("GRU", "gru_reset_after"),
)
CASES = tuple(
    Case(module, cell, layers, bidirectional, lengths)
    for module, cell in KINDS
    for layers in (1, 2, 3)
    for bidirectional in (False, True)
    for lengths in (LENGTHS, (5, 5, 5), (1, 1), (6,))
)
GOLDEN = tuple(case for case in CASES if case.layers == 2 and case.lengths == LENGTHS)


def make_case(case, seed=2):
    """Run the case in PyTorch, in float64."""
    import torch

    torch.manual_seed(seed)
    options = {"nonlinearity": "relu"} if case.cell == "rnn_relu" else {}
    if case.projected:
        options["proj_size"] = P
    module = getattr(torch.nn, case.module)(
        D, H, num_layers=case.layers, bidirectional=case.bidirectional, **options
    ).double()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    ways = 2 if case.bidirectional else 1
    batch = len(case.lengths)
    arrays = {f"weights.{name}": p.detach().numpy().copy() for name, p in module.named_parameters()}
    sequences = [torch.randn(length, D, dtype=torch.float64) for length in case.lengths]
    x = torch.nn.utils.rnn.pad_sequence(sequences).requires_grad_()
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(case.lengths), enforce_sorted=False)
    states = {
        "h": torch.randn(case.layers * ways, batch, case.width, dtype=torch.float64, requires_grad=True)
    }
    if case.module == "LSTM":
        states["c"] = torch.randn(case.layers * ways, batch, H, dtype=torch.float64, requires_grad=True)
    output, finals = module(packed, tuple(states.values()) if len(states) > 1 else states["h"])
    finals = dict(zip(states, finals if isinstance(finals, tuple) else (finals,), strict=True))
    y, _ = torch.nn.utils.rnn.pad_packed_sequence(output)
    mask = torch.zeros((*y.shape[:2], 1), dtype=torch.float64)
    for k, length in enumerate(case.lengths):
        mask[:length, k] = 1
    d_y = torch.randn_like(y) * mask
    d_finals = {name: torch.randn_like(final) for name, final in finals.items()}
    loss = (y * d_y).sum() + sum((finals[name] * d_finals[name]).sum() for name in finals)
    loss.backward()
    found = {"x": x, "y": y, "d_y": d_y, "d_x": x.grad}
    for name in states:
        found |= {
            f"state.{name}": states[name],
            f"final.{name}": finals[name],
            f"d_final.{name}": d_finals[name],
            f"d_state.{name}": states[name].grad,
        }
    arrays |= {name: tensor.detach().numpy().copy() for name, tensor in found.items()}
    arrays |= {f"gradients.{name}": p.grad.numpy().copy() for name, p in module.named_parameters()}
    return arrays


def check_case(case, arrays, tolerance=1e-10):
    """Run the case with our layers and compare everything; errors are relative to the norm of the tensor."""
    sizes = {"c": H} if case.projected else None
    recurrent = [Recurrent(case.cell, case.width, sizes=sizes, name="layer") for _ in range(case.layers)]
    stack = Stack([Bidirectional(layer) if case.bidirectional else layer for layer in recurrent])
    stack.configure(D)
    flat = FlatParameters.build([stack], np.random.default_rng(0), np.float64)
    places = {}
    for k, layer in enumerate(stack.layers):
        ways = ((layer.forward, ""), (layer.backward, "_reverse")) if case.bidirectional else ((layer, ""),)
        for one, suffix in ways:
            theirs = _weights(arrays, "weights", k, suffix)
            for parameter in one.parameters():
                parameter.value[...] = from_torch(case.cell, theirs)[parameter.name]
            places[k, suffix] = one

    x = Ragged.from_sequences([arrays["x"][:length, k] for k, length in enumerate(case.lengths)])
    y, backward = stack(x, state=_states(case, arrays, "state"))
    d_y = Ragged.from_sequences([arrays["d_y"][:length, k] for k, length in enumerate(case.lengths)])
    d_x = backward(d_y.rows, _states(case, arrays, "d_final"))

    _close("y", _padded(y), arrays["y"], tolerance)
    _close("d_x", _padded(x.with_rows(d_x)), arrays["d_x"], tolerance)
    for what, state in (("final", backward.state), ("d_state", backward.d_state)):
        for name in _names(case):
            _close(f"{what} {name}", _stacked(case, state, name), arrays[f"{what}.{name}"], tolerance)
    for (k, suffix), one in places.items():
        theirs = _weights(arrays, "gradients", k, suffix)
        gradients = {parameter.name: parameter.gradient for parameter in one.parameters()}
        ours = to_torch(case.cell, gradients)
        for key in ("weight_ih", "weight_hh", "bias_ih", "weight_hr"):
            if key in theirs:
                _close(f"gradient of {key}, layer {k}{suffix}", ours[key], theirs[key], tolerance)
        if "b_hn" in gradients:
            _close(
                f"gradient of b_hn, layer {k}",
                gradients["b_hn"],
                np.split(theirs["bias_hh"], 3)[2],
                tolerance,
            )
    assert np.linalg.norm(flat.gradients) > 0


def _names(case):
    return ("h", "c") if case.module == "LSTM" else ("h",)


def _weights(arrays, kind, layer, suffix):
    keys = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    names = {key: f"{kind}.{key}_l{layer}{suffix}" for key in keys}
    return {key: arrays[name] for key, name in names.items() if name in arrays}


def _states(case, arrays, what):
    """Give PyTorch's states, stacked by layer and way, as our tuples of dictionaries."""
    count = case.layers * (2 if case.bidirectional else 1)
    flat = [{name: arrays[f"{what}.{name}"][k] for name in _names(case)} for k in range(count)]
    return tuple(zip(flat[::2], flat[1::2], strict=True)) if case.bidirectional else tuple(flat)


def _stacked(case, state, name):
    parts = [part for pair in state for part in pair] if case.bidirectional else list(state)
    return np.stack([part[name] for part in parts])


def _padded(ragged):
    return np.swapaxes(ragged.to_dense(), 0, 1)


def _close(what, found, expected, tolerance):
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, PyTorch's is {expected.shape}"
    norm = np.linalg.norm(expected)
    assert norm > 0, f"{what}: PyTorch's is zero, which proves nothing"
    error = np.linalg.norm(found - expected) / norm
    assert error <= tolerance, f"{what}: differs from PyTorch by {error:.1e}"
