"""One step, or a few, after another with weights that were packed once; only the results are allocated."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from noria.arrays import Array
from noria.engines import workers
from noria.engines.native import entry
from noria.engines.native.calls import prepared
from noria.engines.native.memory import address, aligned
from noria.engines.native.pages import spacious
from noria.engines.native.products import library
from noria.engines.native.sharing import parts_of, shares_columns
from noria.engines.native.steps import Steps
from noria.engines.native.workspace import Workspace
from noria.engines.seam import KernelStream, needs_given

if TYPE_CHECKING:
    from noria.engines.native.kernel import NativeKernel

KEPT_WAYS = 64
"""Numbers of rows for which the calls are kept."""


class Way(NamedTuple):
    """What running so many steps takes."""

    call: Callable[[], None]
    states: list[tuple[str, Callable[[], Array]]]
    outputs: Callable[[], Array]


class NativeStream(KernelStream):
    """See :class:`noria.engines.seam.KernelStream`.

    Every call is a run of its own: states lie in front of its rows, and the new ones behind. Addresses and
    tables are written down once.
    """

    def __init__(
        self, kernel: "NativeKernel", theta: Array, batch: int, *, symbols: bool, steps: int
    ) -> None:
        self.kernel: NativeKernel = kernel
        self.batch = batch
        self.cell = kernel.program.forward.cell
        self._one_hot = symbols and kernel.reads_input
        self._symbols = symbols and not kernel.reads_input
        self._variant = variant = kernel.variant(saves=False, symbols=self._symbols)
        self._design, driver = variant.design, variant.driver
        self._rows = rows = steps * batch
        count = kernel.sizes[self.cell.size_of["x"]] if self._symbols else 0
        key = (rows, batch, count, self._parts(rows), steps == 1)
        self._workspace = Workspace(self._design, driver.slots, {}, key, driver.block_rows, variant.work)
        self._steps = Steps(np.full(steps, batch), batch)
        self._bind("steps", self._steps.table)
        weights = spacious(sum(variant.packed.values()), kernel.dtype)
        for name, size in variant.packed.items():
            self._bind(name, weights[:size])
            weights = weights[size:]
        self._x = self._bind_input(count)
        self._given = [
            (
                given.name,
                self._bind_buffer(
                    f"given {given.name}",
                    kernel.sizes[self.cell.size_of[given.name]],
                    batch if given.per == "sequence" else rows,
                ),
            )
            for given in self.cell.givens
            if needs_given(kernel, given.name)
        ]
        self._h = self._bind_buffer("state h", kernel.sizes["H"], batch + rows)
        self._states = [
            (state, self._state_rows(state, kernel.sizes[self.cell.size_of[state]]))
            for state in self.cell.states
        ]
        self._old = [(state, home[:batch], home[:batch].shape) for state, home in self._states]
        self._ways: dict[int, Way] = {}
        self._bind("theta", theta)
        self._bind("bounds", self._steps.bounds(key[3]))
        self._prepared(0, key[3], entry.PACK)()
        self._bind("theta", None)  # nothing reads them any more

    def step(
        self, x: Array, states: Mapping[str, Array], given: Mapping[str, Array] | None = None
    ) -> dict[str, Array]:
        """Run the steps."""
        rows = len(x)
        if self._one_hot:
            self._x[:rows] = 0.0
            self._x[np.arange(rows), x] = 1.0
        else:
            self._x[:rows] = x
        for name, old, shape in self._old:
            array = states[name]
            if array.shape != shape:
                raise self._misfit(name, array)
            old[...] = array
        for name, places in self._given:
            array = self._named_given(given, name)
            places[: len(array)] = array
        self._way = way = self._ways.get(rows) or self._new_way(rows)
        way.call()
        new = {}
        for name, copy in way.states:
            new[name] = copy()
        return new

    def outputs(self) -> Array:
        """Copy the rows of h."""
        return self._way.outputs()

    # Calls
    # ----------------------------------------------------------------------------------------------------

    def _parts(self, rows: int) -> int:
        """Choose how many threads take part; never several in a single step."""
        return 1 if rows <= self.batch else parts_of(self._design, self.kernel.size, self.batch, rows)

    def _new_way(self, rows: int) -> Way:
        """Write down how so many rows are run."""
        parts = min(self._parts(rows), self._workspace.key[3])
        bounds, steps = self._steps.bounds(parts), rows // self.batch
        call = self._prepared(steps, parts, 0)
        states: list[tuple[str, Callable[[], Array]]] = []
        for state, home in self._states:
            behind = rows if state in self._design.stored else self.batch * (steps % 2)
            states.append((state, home[behind : behind + self.batch].copy))
        if len(self._ways) == KEPT_WAYS:
            del self._ways[next(iter(self._ways))]
        if self._workspace.key[3] > 1:
            call = partial(self._with_bounds, bounds, call)
        way = Way(call, states, self._h[self.batch : self.batch + rows].copy)
        self._ways[rows] = way
        return way

    def _with_bounds(self, bounds: Array, call: Callable[[], None]) -> None:
        self._bind("bounds", bounds)
        call()

    def _prepared(self, last: int, parts: int, mode: int) -> Callable[[], None]:
        """Give the call of the steps before ``last``, on all threads that take part."""
        forward, arguments = self._variant.library.address("forward"), self._workspace.block
        mode |= entry.STEPWISE if self._workspace.key[4] else 0
        mode |= entry.UNITS if shares_columns(self.batch, parts) else 0
        calls = [prepared(forward, arguments, 0, last, part, parts, mode) for part in range(parts)]
        return calls[0] if parts == 1 else partial(workers.run, calls)

    # Memory
    # ----------------------------------------------------------------------------------------------------

    def _bind(self, name: str, array: Array | None) -> None:
        self._workspace.bind(name, array)

    def _bind_buffer(self, name: str, size: int, rows: int) -> Array:
        """Make memory for a buffer of the caller's; give its columns that mean something."""
        width = self._design.buffers[name].width
        array = aligned((rows, width), self.kernel.dtype)
        array[...] = 0.0
        self._bind(name, array)
        return array[:, :size]

    def _bind_input(self, symbols: int) -> Array:
        if "x" not in self.cell.size_of:
            return np.empty((self._rows, 0), self.kernel.dtype)
        if not self._symbols:
            return self._bind_buffer("x", self.kernel.sizes[self.cell.size_of["x"]], self._rows)
        slots, arguments = self._variant.driver.slots, self._workspace.arguments
        arguments[slots["symbols"]] = symbols
        arguments[slots["table"]] = entry.TRANSPOSED
        ids = np.zeros(self._rows, np.int64)
        self._bind("ids", ids)
        return ids

    def _state_rows(self, state: str, size: int) -> Array:
        """Give the rows of a state, those before the steps in front."""
        if state in self._design.stored:
            return self._h if state == "h" else self._workspace.arrays[f"state {state}"][:, :size]
        return self._workspace.arrays[f"roll {state}"][:, :size]


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
