"""The seam between programs and engines.

A *kernel* is a program bound to sizes and a dtype; it holds nothing that changes and may be called by many threads. A *run* is one forward
over packed rows and, from what it saved, the backward. There are two ways through a run: over the whole batch, the time loop inside
(``forward``, ``backward``), or stepwise into the same buffers (``step``, then ``step_back`` in reverse order, then ``finish``), for decoders
that feed their output back and for streaming.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike

from noria.arrays import Array
from noria.compiler.program import Program
from noria.errors import ShapeError, UnknownNameError

ENGINES = ("auto", "reference")


class Run(Protocol):
    """One forward and its backward. Rows are time-major, sequences longest first; states are in that same order."""

    @property
    def finals(self) -> dict[str, Array]:
        """Each sequence's own last state, by name, ``(B, size)``."""
        ...

    @property
    def d_states(self) -> dict[str, Array]:
        """The gradient of the initial states, by name, ``(B, size)``; there after the backward."""
        ...

    @property
    def kept(self) -> dict[str, Array]:
        """The values that the program was asked to keep, ``(N, size)``: forward ones after the forward, ``d_...`` after the backward."""
        ...

    def forward(self, x: Array) -> Array:
        """Run the whole batch: rows ``(N, D)``, or ``(N,)`` token ids that stand for one-hot rows, to ``h`` rows ``(N, H)``."""
        ...

    def backward(
        self,
        d_h: Array,
        d_finals: Mapping[str, Array] | None,
        d_theta: Array,
        *,
        want_d_x: bool = True,
    ) -> Array | None:
        """Give ``d_x`` (``None`` for token ids, or if not wanted) and add the gradient of the parameters to ``d_theta``."""
        ...

    def step(self, x: Array, given: Mapping[str, Array] | None = None) -> Array:
        """Run one step of the sequences that are still going on: ``(n, D)`` to ``(n, H)``; ``n`` never grows."""
        ...

    def step_back(self, d_h: Array, d_finals: Mapping[str, Array] | None = None) -> Array | None:
        """Go back through the last step that was not yet gone back through; ``d_finals`` with the first call only."""
        ...

    def finish(self, d_theta: Array) -> None:
        """Add the gradient of the parameters, after the last ``step_back``."""
        ...

    def release(self) -> None:
        """Give the buffers back; ``forward``'s result stays the caller's."""
        ...


class Kernel(Protocol):
    """A program bound to sizes and a dtype."""

    engine: str
    program: Program
    sizes: Mapping[str, int]
    size: int
    layout: tuple[tuple[str, int, tuple[int, ...]], ...]

    def start(
        self,
        theta: Array,
        states: Mapping[str, Array],
        counts: Array | None,
        *,
        given: Mapping[str, Array] | None = None,
        save: bool = True,
    ) -> Run:
        """Begin a run.

        Parameters
        ----------
        theta : array of shape (P,)
            The parameters, in the order of ``layout``: (name, offset, shape).
        states : mapping of name to array of shape (B, size)
            The state before the first step.
        counts : integer array of shape (T,), or None
            How many sequences are active at each step, never growing; ``None`` for stepwise runs.
        given : mapping of name to array
            Auxiliary inputs: ``(B, size)`` those per sequence, ``(N, size)`` those per row.
        save : bool
            Keep what the backward needs.
        """
        ...


def bind(program: Program, sizes: Mapping[str, int], dtype: DTypeLike = np.float32, engine: str = "auto") -> Kernel:
    """Bind ``program`` to sizes and a dtype.

    Parameters
    ----------
    program : Program
    sizes : mapping of size symbol to int
        ``{"D": 4, "H": 7}``; free sizes of the cell that are not named (``"H_c"``) are as wide as ``H``.
    dtype : {float32, float64, complex128}
    engine : {"auto", "reference"}

    Raises
    ------
    ShapeError
        If a size is missing, unknown, or not a positive whole number.
    UnknownNameError
        If there is no such engine.
    """
    cell = program.forward.cell
    if engine not in ENGINES:
        raise UnknownNameError(f"engine '{engine}' does not exist. There are: {', '.join(ENGINES)}.")
    for symbol in sizes:
        if symbol not in cell.sizes and symbol != "D":
            raise ShapeError(f"{cell.name}: has no size '{symbol}'. Its sizes are: {', '.join(cell.sizes)}.")
    full = {}
    for symbol in cell.sizes:
        value = sizes.get(symbol, sizes.get("H") if symbol.startswith("H_") else None)
        if value is None:
            raise ShapeError(f"{cell.name}: expected a value for size '{symbol}', got none. Pass it in sizes.")
        if not isinstance(value, int | np.integer) or value < 1:
            raise ShapeError(f"{cell.name}: expected size '{symbol}' to be a whole number from 1, got {value!r}.")
        full[symbol] = int(value)
    if "D" in sizes and "D" not in full and sizes["D"] != full["H"]:
        raise ShapeError(
            f"{cell.name}: joins the input to the state element by element, so rows of {full['H']} features were expected, "
            f"got {sizes['D']}. Put a linear layer in front, or choose hidden_size={sizes['D']}."
        )
    return _bind(program, tuple(full.items()), np.dtype(dtype))


@lru_cache(maxsize=256)
def _bind(program: Program, sizes: tuple[tuple[str, int], ...], dtype: np.dtype) -> Kernel:
    from noria.engines.reference import ReferenceKernel

    return ReferenceKernel(program, dict(sizes), dtype)
