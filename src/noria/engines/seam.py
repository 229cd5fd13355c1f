"""What an engine has to offer: kernels that start runs.

A *kernel* is a program bound to sizes and a dtype; it holds nothing that changes and may be called by many
threads. A *run* is one forward over packed rows and, from what it saved, the backward. There are two ways
through a run: over the whole batch, the time loop inside (``forward``, ``backward``), or stepwise into the
same buffers (``step``, then ``step_back`` in reverse order, then ``finish``), for decoders that feed their
output back. A *stream* runs step after step with the weights of one moment, and keeps nothing but these.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property

from noria.arrays import Array
from noria.compiler.program import Program
from noria.engines.parameters import ParameterLayout
from noria.errors import ShapeError


class Run(ABC):
    """One forward and its backward. Rows are time-major, sequences and their states longest first."""

    @property
    @abstractmethod
    def finals(self) -> dict[str, Array]:
        """Each sequence's own last state, by name, ``(B, size)``."""

    @property
    @abstractmethod
    def d_states(self) -> dict[str, Array]:
        """The gradient of the initial states, by name, ``(B, size)``; there after the backward."""

    @property
    @abstractmethod
    def kept(self) -> dict[str, Array]:
        """The values that the program was asked to keep, ``(N, size)``.

        Those of the forward are there after the forward, ``d_...`` after the backward.
        """

    @abstractmethod
    def forward(self, x: Array, table: Array | None = None) -> Array:
        """Run the whole batch: rows ``(N, D)`` to ``h`` rows ``(N, H)``.

        Token ids ``(N,)`` stand for one-hot rows, or for rows of a ``table`` (V, D).
        """

    @abstractmethod
    def backward(
        self,
        d_h: Array,
        d_finals: Mapping[str, Array] | None,
        d_theta: Array,
        *,
        want_d_x: bool = True,
    ) -> Array | None:
        """Give ``d_x``, and add the gradient of the parameters to ``d_theta``.

        ``d_x`` is ``None`` for token ids, or if it is not wanted; with a table it is that of the table.
        """

    @abstractmethod
    def step(self, x: Array, given: Mapping[str, Array] | None = None) -> Array:
        """Run one step of the sequences that still go on: ``(n, D)`` to ``(n, H)``; ``n`` never grows."""

    @abstractmethod
    def step_back(self, d_h: Array, d_finals: Mapping[str, Array] | None = None) -> Array | None:
        """Go back through the last step not yet gone back through; ``d_finals`` with the first call only."""

    @abstractmethod
    def finish(self, d_theta: Array) -> None:
        """Add the gradient of the parameters, after the last ``step_back``."""

    @abstractmethod
    def release(self) -> None:
        """Give the buffers back; ``forward``'s result stays the caller's."""


class KernelStream(ABC):
    """A few steps at a time, T of them, with weights that were packed once.

    ``kernel`` is the kernel that it streams. It belongs to one thread at a time.
    """

    kernel: "Kernel"

    @abstractmethod
    def step(
        self, x: Array, states: Mapping[str, Array], given: Mapping[str, Array] | None = None
    ) -> dict[str, Array]:
        """Run the steps; the caller has checked shapes and ids of the input.

        Parameters
        ----------
        x : array of shape (T * B, D), or (T * B,)
            Rows in the order of time, or token ids, as the stream was made for.
        states : mapping of name to array of shape (B, size)
            Before the steps. They stay as they are.
        given : mapping of name to array of shape (B, size) or (T * B, size)
            Auxiliary inputs that the program reads, per sequence or per row.

        Returns
        -------
        dict of arrays of shape (B, size)
            The states after the steps, new arrays; ``h`` is also the output of the last one.

        Raises
        ------
        KeyError
            If a state is missing.
        ShapeError
            If a state has another shape, or an auxiliary input is missing.
        """

    @abstractmethod
    def outputs(self) -> Array:
        """Give ``h`` after each step of the last call, (T * B, H), a new array."""

    def _misfit(self, name: str, state: Array) -> ShapeError:
        return ShapeError(
            f"{self.kernel.program.forward.cell.name}: a state '{name}' of shape {state.shape} does not fit "
            "this stream. Make one for as many sequences."
        )

    def _named_given(self, given: Mapping[str, Array] | None, name: str) -> Array:
        if given is None or name not in given:
            raise ShapeError(
                f"{self.kernel.program.forward.cell.name}: expected the auxiliary input '{name}', got none. "
                "Pass it in given."
            )
        return given[name]


class Kernel(ABC):
    """A program bound to sizes and a dtype."""

    engine: str
    program: Program
    sizes: Mapping[str, int]
    size: int
    layout: ParameterLayout

    def __deepcopy__(self, memo: object) -> "Kernel":
        """Give the kernel itself: it holds nothing that changes."""
        return self

    @cached_property
    def reads_input(self) -> bool:
        """Whether the cell does more with its input than multiply it once.

        Ids cannot stand for rows then: they are written out.
        """
        nodes = self.program.forward.graph.nodes
        once = {n for n in nodes if n.op == "product" and n.arguments[0].op == "input"}
        readers = [n for n in nodes if n not in once]
        twice = any(a in once for n in readers if n.op == "product" for a in n.arguments)
        return twice or any(a.op == "input" for n in readers for a in n.arguments)

    def view(self, theta: Array, name: str) -> Array:
        """Give one parameter as a view into the flat block."""
        start, shape = self._where[name]
        return theta[start : start + math.prod(shape)].reshape(shape)

    @cached_property
    def _where(self) -> dict[str, tuple[int, tuple[int, ...]]]:
        return {name: (start, shape) for name, start, shape in self.layout}

    @abstractmethod
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

    @abstractmethod
    def stream(self, theta: Array, batch: int, *, symbols: bool, steps: int = 1) -> KernelStream:
        """Make a stream of `batch` sequences.

        Parameters
        ----------
        theta : array of shape (P,)
            The parameters; later changes do not reach the stream.
        symbols : bool
            Whether token ids will come, and not rows.
        steps : int
            Steps in a call, at most.
        """


def needs_given(kernel: Kernel, name: str) -> bool:
    """Tell whether the program reads an auxiliary input."""
    graph = kernel.program.forward.graph
    return any(node.op == "given" and node.attribute == name for node in graph.nodes)
