"""One step after another with weights that were packed once: nothing is allocated but the results."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from noria.arrays import Array
from noria.engines.native import entry
from noria.engines.native.memory import aligned
from noria.engines.native.pages import spacious
from noria.engines.native.prepared import prepared
from noria.engines.native.products import library
from noria.engines.native.steps import Steps
from noria.engines.native.workspace import Workspace, address
from noria.engines.seam import KernelStream, needs_given

if TYPE_CHECKING:
    from noria.engines.native.kernel import NativeKernel


class NativeStream(KernelStream):
    """See :class:`noria.engines.seam.KernelStream`.

    Every step is the first one of a run of one step: states lie in front of the rows of that step, and the
    new ones behind. Addresses and tables are written down once.
    """

    def __init__(self, kernel: "NativeKernel", theta: Array, batch: int, *, symbols: bool) -> None:
        self.kernel: NativeKernel = kernel
        self.batch = batch
        self.cell = kernel.program.forward.cell
        self._one_hot = symbols and kernel.reads_input
        self._symbols = symbols and not kernel.reads_input
        self._variant = variant = kernel.variant(saves=False, symbols=self._symbols)
        self._design = variant.design
        count = kernel.sizes[self.cell.size_of["x"]] if self._symbols else 0
        key = (batch, batch, count, 1, True)
        driver = variant.driver
        self._workspace = Workspace(self._design, driver.slots, {}, key, driver.block_rows, variant.work)
        self._held: list[Array] = []
        steps = Steps(np.array([batch]), batch)
        self._bind("steps", steps.table)
        self._bind("bounds", steps.bounds(1))
        weights = spacious(sum(variant.packed.values()), kernel.dtype)
        for name, size in variant.packed.items():
            self._bind(name, weights[:size])
            weights = weights[size:]
        self._x = self._bind_input(count)
        self._given = [
            (
                given.name,
                self._bind_buffer(f"given {given.name}", kernel.sizes[self.cell.size_of[given.name]]),
            )
            for given in self.cell.givens
            if needs_given(kernel, given.name)
        ]
        self._old, self._new = self._bind_states()
        self._call = self._prepared(0, 1, entry.STEPWISE)
        place = driver.slots["theta"]
        self._workspace.arguments[place] = address(theta)
        self._prepared(0, 0, entry.STEPWISE | entry.PACK)()
        self._workspace.arguments[place] = 0  # nothing reads them any more

    def step(
        self, x: Array, states: Mapping[str, Array], given: Mapping[str, Array] | None = None
    ) -> dict[str, Array]:
        """Run one step."""
        if self._one_hot:
            self._x[...] = 0.0
            self._x[np.arange(self.batch), x] = 1.0
        else:
            self._x[...] = x
        for name, old, shape in self._old:
            array = states[name]
            if array.shape != shape:
                raise self._misfit(name, array)
            old[...] = array
        for name, rows in self._given:
            rows[...] = self._named_given(given, name)
        self._call()
        new = {}
        for name, copy in self._new:
            new[name] = copy()
        return new

    # Memory
    # ----------------------------------------------------------------------------------------------------

    def _prepared(self, first: int, last: int, mode: int) -> Callable[[], None]:
        forward = self._variant.library.address("forward")
        return prepared(forward, address(self._workspace.arguments), first, last, 0, 1, mode)

    def _bind(self, name: str, array: Array) -> None:
        self._workspace.arguments[self._variant.driver.slots[name]] = address(array)
        self._held.append(array)

    def _bind_buffer(self, name: str, size: int, rows: int | None = None) -> Array:
        """Make memory for a buffer of the caller's; give its columns that mean something."""
        width = self._design.buffers[name].width
        array = aligned((self.batch if rows is None else rows, width), self.kernel.dtype)
        array[...] = 0.0
        self._bind(name, array)
        return array[:, :size]

    def _bind_input(self, symbols: int) -> Array:
        if "x" not in self.cell.size_of:
            return np.empty((self.batch, 0), self.kernel.dtype)
        if not self._symbols:
            return self._bind_buffer("x", self.kernel.sizes[self.cell.size_of["x"]])
        slots, arguments = self._variant.driver.slots, self._workspace.arguments
        arguments[slots["symbols"]] = symbols
        arguments[slots["table"]] = entry.TRANSPOSED
        ids = np.zeros(self.batch, np.int64)
        self._bind("ids", ids)
        return ids

    def _bind_states(
        self,
    ) -> tuple[list[tuple[str, Array, tuple[int, ...]]], list[tuple[str, Callable[[], Array]]]]:
        """Give where the states before the step are written, and what copies those behind it."""
        old: list[tuple[str, Array, tuple[int, ...]]] = []
        new: list[tuple[str, Callable[[], Array]]] = []
        for state in self.cell.states:
            size = self.kernel.sizes[self.cell.size_of[state]]
            stored = state in self._design.stored
            if state == "h":
                rows = self._bind_buffer("state h", size, 2 * self.batch)
            if state != "h" or not stored:
                rows = self._workspace.arrays[f"state {state}" if stored else f"roll {state}"][:, :size]
            old.append((state, rows[: self.batch], (self.batch, size)))
            new.append((state, rows[self.batch :].copy))
        return old, new


class DenseStream:
    """``y = W x + b`` for a few rows at a time, W packed once.

    Parameters
    ----------
    W : array of shape (F', F)
    b : array of shape (F',), or None
    batch : int
        Rows of each step.
    """

    def __init__(self, W: Array, b: Array | None, batch: int) -> None:
        products = library(W.dtype)
        outs, inner = W.shape
        vectors = products.numbers.padded(outs) // products.numbers.lanes
        self._x = aligned((batch, inner), W.dtype)
        self._y = aligned((batch, products.numbers.padded(outs)), W.dtype)
        self._packed = spacious(products.packed_size(inner, vectors), W.dtype)
        self._bias = np.zeros(self._y.shape[1], W.dtype)
        if b is not None:
            self._bias[:outs] = b
        W = np.ascontiguousarray(W)
        products.functions["pack_transposed"](
            address(W), inner, outs, inner, address(self._packed), 0, vectors
        )
        panels = -(-vectors // products.panel)
        self._call = prepared(
            products.symbols[f"noria_multiply_f{8 * W.itemsize}"],
            address(self._x), inner, batch, inner, address(self._packed), 0, panels, vectors,
            address(self._y), self._y.shape[1], 1,
        )  # fmt: skip
        self._copy = self._y[:, :outs].copy

    def step(self, x: Array) -> Array:
        """Map rows (B, F) to rows (B, F')."""
        self._x[...] = x
        self._y[...] = self._bias
        self._call()
        return self._copy()
