"""Cells as one writes them by hand for PyTorch and JAX, with what makes such code fast.

The products with the input leave the loop and are one product over all steps, and gates that multiply the
same state share one product. Both libraries run the same steps through a handful of operations.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from noria.arrays import Array
from noria.equations import Cell

Tensor = Any
Weights = Mapping[str, Tensor]

OWN = Cell.parse(
    """\
# A minimal gated unit whose candidate is multiplied by a gate that the input alone opens
f  = sigmoid(W_f @ x + U_f @ h + b_f)
k  = sigmoid(W_k @ x + b_k)
n  = tanh(W_n @ x + U_n @ (f * h) + b_n)
h' = (1 - f) * h + f * (n * k)
""",
    name="own",
)


@dataclass(frozen=True)
class Operations:
    """What the steps are written in.

    ``affine(a, h, U)`` adds to ``a`` the product of ``h`` with ``U``; ``parts`` cuts the last axis into equal
    parts; ``normalised(a, n, gain, bias)`` normalises each of n parts of the last axis for itself.
    """

    affine: Callable[[Tensor, Tensor, Tensor], Tensor]
    sigmoid: Callable[[Tensor], Tensor]
    tanh: Callable[[Tensor], Tensor]
    parts: Callable[[Tensor, int], Sequence[Tensor]]
    normalised: Callable[[Tensor, int, Tensor, Tensor], Tensor]


Step = Callable[[Operations, Weights, Sequence[Tensor], tuple[Tensor, ...]], tuple[Tensor, ...]]


@dataclass(frozen=True)
class HandCell:
    """A step, and which of the cell's parameters are put below each other for it.

    ``groups`` are the gates in the order of ``W``: the step gets the input's part of each group apart.
    """

    step: Step
    states: int
    groups: tuple[str, ...]
    stacks: Mapping[str, tuple[str, ...]]

    def weights(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Stack the parameters of a cell, or their gradients: matrices (outputs, inputs)."""
        return {
            name: np.concatenate([parameters[part] for part in parts]) for name, parts in self.stacks.items()
        }


def gates(prefix: str, letters: str) -> tuple[str, ...]:
    """Give ``("W_i", "W_f")`` for ``("W", "if")``."""
    return tuple(f"{prefix}_{letter}" for letter in letters)


def lstm(f: Operations, p: Weights, a: Sequence[Tensor], state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Hochreiter & Schmidhuber 1997, with a forget gate."""
    h, c = state
    i, keep, g, o = f.parts(f.affine(a[0], h, p["U"]), 4)
    c = f.sigmoid(keep) * c + f.sigmoid(i) * f.tanh(g)
    return f.sigmoid(o) * f.tanh(c), c


def lstm_peephole(
    f: Operations, p: Weights, a: Sequence[Tensor], state: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """Gers, Schraudolph & Schmidhuber 2002."""
    h, c = state
    i, keep, g, o = f.parts(f.affine(a[0], h, p["U"]), 4)
    new = f.sigmoid(keep + p["p_f"] * c) * c + f.sigmoid(i + p["p_i"] * c) * f.tanh(g)
    return f.sigmoid(o + p["p_o"] * new) * f.tanh(new), new


def lstm_normalised(
    f: Operations, p: Weights, a: Sequence[Tensor], state: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """Normalise what goes into each gate."""
    h, c = state
    i, keep, g, o = f.parts(f.normalised(f.affine(a[0], h, p["U"]), 4, p["gain"], p["bias"]), 4)
    c = f.sigmoid(keep) * c + f.sigmoid(i) * f.tanh(g)
    return f.sigmoid(o) * f.tanh(c), c


def gru(f: Operations, p: Weights, a: Sequence[Tensor], state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Cho et al. 2014, the reset gate before the product."""
    (h,) = state
    r, z = f.parts(f.sigmoid(f.affine(a[0], h, p["U"])), 2)
    n = f.tanh(f.affine(a[1], r * h, p["U_n"]))
    return (n + z * (h - n),)


def own(f: Operations, p: Weights, a: Sequence[Tensor], state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Follow the equations of ``OWN``."""
    (h,) = state
    keep = f.sigmoid(f.affine(a[0], h, p["U_f"]))
    n = f.tanh(f.affine(a[2], keep * h, p["U_n"]))
    return (h + keep * (n * f.sigmoid(a[1]) - h),)


_LSTM = {"W": gates("W", "ifgo"), "U": gates("U", "ifgo")}
HAND_CELLS: dict[str, HandCell] = {
    "lstm": HandCell(lstm, 2, ("ifgo",), {**_LSTM, "b": gates("b", "ifgo")}),
    "lstm_peephole": HandCell(
        lstm_peephole,
        2,
        ("ifgo",),
        {**_LSTM, "b": gates("b", "ifgo"), **{f"p_{k}": (f"p_{k}",) for k in "ifo"}},
    ),
    "lstm_normalised": HandCell(
        lstm_normalised, 2, ("ifgo",), {**_LSTM, "gain": gates("gain", "ifgo"), "bias": gates("bias", "ifgo")}
    ),
    "gru": HandCell(
        gru,
        1,
        ("rz", "n"),
        {"W": gates("W", "rzn"), "b": gates("b", "rzn"), "U": gates("U", "rz"), "U_n": ("U_n",)},
    ),
    "own": HandCell(
        own,
        1,
        ("f", "k", "n"),
        {"W": gates("W", "fkn"), "b": gates("b", "fkn"), "U_f": ("U_f",), "U_n": ("U_n",)},
    ),
}
