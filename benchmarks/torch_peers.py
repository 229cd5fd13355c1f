"""PyTorch's sides: its own modules, a loop over time written by hand, and single steps."""

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import torch
from hand_cells import HAND_CELLS, HandCell, Operations
from sides import STREAMED, Arrays, Point, Side, Subject
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from noria.arrays import Array
from noria.layers.interchange import GATES, to_torch

MODULES: dict[str, Callable[..., torch.nn.RNNBase]] = {
    "lstm": torch.nn.LSTM,
    "gru_reset_after": torch.nn.GRU,
    "rnn": torch.nn.RNN,
}
COMPILED_AT = Point(30, 32, 64, 128)
"""A loop is unrolled when it is compiled, which takes about a second for each of its steps."""

COMPILE_SECONDS = 150


def _normalised(a: torch.Tensor, count: int, gain: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    parts = a.reshape(*a.shape[:-1], count, -1)
    return torch.addcmul(bias, functional.layer_norm(parts, parts.shape[-1:]).flatten(-2), gain)


OPERATIONS = Operations(
    affine=lambda a, h, U: torch.addmm(a, h, U.t()),
    sigmoid=torch.sigmoid,
    tanh=torch.tanh,
    parts=lambda a, count: a.chunk(count, -1),
    normalised=_normalised,
)


def module(subject: Subject) -> Side:
    """Run ``nn.LSTM``, ``nn.GRU`` or ``nn.RNN``, time outermost as they like it best."""
    return _module(subject, _dense(subject, subject.x.rows, tracked=True), _dense(subject, subject.d_y))


def packed(subject: Subject) -> Side:
    """Run the module on a packed sequence, packed beforehand; its rows lie as ours do."""
    rows = torch.from_numpy(subject.x.rows).requires_grad_()
    counts = torch.from_numpy(subject.x.layout.counts.copy())
    return _module(subject, rows, torch.from_numpy(subject.d_y), counts)


def _module(subject: Subject, x: torch.Tensor, d_y: torch.Tensor, counts: torch.Tensor | None = None) -> Side:
    net = _loaded(subject, MODULES[subject.cell.name](subject.point.inputs, subject.point.hidden))
    parameters = dict(net.named_parameters())
    leaves = [x, *parameters.values()]

    def run() -> tuple[torch.Tensor, ...]:
        y = net(x if counts is None else PackedSequence(x, counts))[0]
        rows = y if counts is None else y.data
        return rows, *torch.autograd.grad(rows, leaves, d_y)

    names = ["y", "d_x", *(name.removesuffix("_l0") for name in parameters)]
    return Side(run, lambda: _named(names, run(), 2), lambda ours: _as_module(subject.cell.name, ours))


def loop(subject: Subject) -> Side:
    """Run a loop over time, the product with the input before it."""
    return _loop(subject, lambda forward: forward)


def compiled(subject: Subject) -> Side | str:
    """Run the same loop through ``torch.compile``, at one small point; or say why not; nothing elsewhere."""
    if subject.point != COMPILED_AT:
        return ""
    side = _loop(subject, lambda forward: torch.compile(forward, dynamic=False))
    before = signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(COMPILE_SECONDS)
    try:
        side.run()
    except Exception as error:  # a compiler may fail in any way
        return f"torch.compile failed: {type(error).__name__}: {str(error).strip().splitlines()[:1]}"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return side


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"not done after {COMPILE_SECONDS} seconds")


def _loop(subject: Subject, prepared: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Side:
    cell = HAND_CELLS[subject.cell.name]
    weights = {k: torch.from_numpy(v).requires_grad_() for k, v in cell.weights(subject.parameters).items()}
    x, d_y = _dense(subject, subject.x.rows, tracked=True), _dense(subject, subject.d_y)
    leaves = [x, *weights.values()]
    forward = prepared(_forward_of(cell, subject.point))

    def run() -> tuple[torch.Tensor, ...]:
        y = forward(weights, x)
        return y, *torch.autograd.grad(y, leaves, d_y)

    return Side(
        run,
        lambda: _named(["y", "d_x", *weights], run(), 2),
        lambda ours: {"y": ours["y"], "d_x": ours["d_x"], **cell.weights(ours)},
    )


def _forward_of(cell: HandCell, point: Point) -> Callable[..., torch.Tensor]:
    widths = [len(group) * point.hidden for group in cell.groups]

    def forward(weights: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        products = functional.linear(x, weights["W"], weights.get("b"))
        state = (torch.zeros(point.batch, point.hidden),) * cell.states
        outputs = []
        for a in zip(*(group.unbind(0) for group in torch.split(products, widths, -1)), strict=True):
            state = cell.step(OPERATIONS, weights, a, state)
            outputs.append(state[0])
        return torch.stack(outputs)

    return forward


def inference(subject: Subject) -> Side:
    """Run the module forward under ``inference_mode``."""
    net = _loaded(subject, MODULES[subject.cell.name](subject.point.inputs, subject.point.hidden)).eval()
    x = _dense(subject, subject.x.rows)

    def run() -> torch.Tensor:
        with torch.inference_mode():
            y: torch.Tensor = net(x)[0]
        return y

    return Side(run, lambda: _named(["y"], (run(),), 1))


def single_step(subject: Subject) -> Side:
    """Run ``nn.LSTMCell`` under ``inference_mode``, its states handed on."""
    net = _loaded(subject, torch.nn.LSTMCell(subject.point.inputs, subject.point.hidden)).eval()
    x = torch.from_numpy(subject.x.rows)
    zeros = torch.zeros(subject.point.batch, subject.point.hidden)
    holder = {"state": (zeros, zeros)}

    def run() -> torch.Tensor:
        with torch.inference_mode():
            holder["state"] = net(x, holder["state"])
        return holder["state"][0]

    return Side(run, lambda: {"h": [run() for _ in range(STREAMED)][-1].numpy()})


def _loaded(subject: Subject, net: Any) -> Any:
    arrays = to_torch(subject.cell.name, subject.parameters)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            parameter.copy_(torch.from_numpy(arrays[name.removesuffix("_l0")]))
    return net


def _dense(subject: Subject, rows: Array, *, tracked: bool = False) -> torch.Tensor:
    steps, batch = subject.point[:2]
    return torch.from_numpy(rows).view(steps, batch, -1).requires_grad_(tracked)


def _named(names: list[str], tensors: tuple[torch.Tensor, ...], rows: int) -> Arrays:
    """Give arrays by name; the first few are rows, without a time axis."""
    arrays = {name: tensor.detach().numpy() for name, tensor in zip(names, tensors, strict=True)}
    return {
        name: array.reshape(-1, array.shape[-1]) if name in names[:rows] else array
        for name, array in arrays.items()
    }


def _as_module(cell: str, ours: Arrays) -> Arrays:
    """Stack our gradients as a module does; where it has two biases for our one, both have its gradient."""
    return {"y": ours["y"], "d_x": ours["d_x"], **gradients_as_module(cell, ours)}


def gradients_as_module(cell: str, gradients: Arrays) -> dict[str, Array]:
    """Stack the gradients of a cell as a module does."""
    arrays = to_torch(cell, gradients)
    second = [gradients.get(f"b_h{gate.removeprefix('_')}", gradients[f"b{gate}"]) for gate in GATES[cell]]
    return {**arrays, "bias_hh": np.concatenate(second)}
