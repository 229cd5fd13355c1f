"""A program bound to sizes and a dtype, compiled when it is first run."""

import ctypes
import threading
from collections.abc import Mapping
from contextlib import suppress

import numpy as np

from noria.arrays import Array
from noria.compiler.program import Program
from noria.engines.native.barrier import give_way
from noria.engines.native.code import Numbers
from noria.engines.native.design import Design
from noria.engines.native.driver import Driver
from noria.engines.native.host import Library, compiled
from noria.engines.native.memory import in_steps
from noria.engines.native.products import library
from noria.engines.native.run import NativeRun
from noria.engines.native.stream import NativeStream
from noria.engines.native.workspace import Key, Workspace
from noria.engines.parameters import ParameterLayout, parameter_count, parameter_layout
from noria.engines.seam import Kernel
from noria.errors import ShapeError

KEPT_WORKSPACES = 2
"""How many workspaces wait to be used again."""

SIGNATURE = (ctypes.c_void_p, *(ctypes.c_int64,) * 5)


class Variant:
    """The compiled functions for one way of running: saving or not, rows or ids of symbols as input."""

    def __init__(self, kernel: "NativeKernel", *, saves: bool, symbols: bool) -> None:
        self.products = products = library(kernel.dtype)  # the code calls it: it has to live as long
        numbers = Numbers(kernel.dtype)
        self.design = Design(kernel.program, kernel.sizes, numbers, saves=saves, symbols=symbols)
        offsets = {name: offset for name, offset, _ in kernel.layout}
        columns = max((outer.columns for outer in self.design.outers), default=1)
        self.work = products.work_size(columns) if saves else 0
        self.driver = Driver(
            self.design,
            numbers,
            offsets,
            tile_rows=products.tile_rows,
            panel=products.panel,
            work=self.work,
        )
        self.library: Library = compiled(
            lambda: self.driver.module,
            products.symbols | give_way(),
            asked=f"kernel {numbers.suffix} {self.work} {offsets} {self.design.fingerprint()}",
        )
        self.forward = self.library.function("forward", SIGNATURE)
        self.backward = self.library.function("backward", SIGNATURE) if saves else None
        self.packed = {
            packed.name: products.packed_size(packed.inner, packed.columns // numbers.lanes)
            for packed in self.design.packed
        }
        self._free: list[Workspace] = []

    def take(self, key: Key) -> Workspace:
        """Give a workspace with room for what ``key`` says, perhaps for more rows or symbols."""
        total, batch, symbols, parts, stepwise = key
        for _ in range(len(self._free)):
            try:
                found = self._free.pop(0)
            except IndexError:  # another thread was faster
                break
            rows, found_batch, found_symbols, *others = found.key
            fits = (found_batch, *others) == (batch, parts, stepwise)
            if fits and _holds(rows, total) and _holds(found_symbols, symbols):
                return found
            self._free.append(found)
        return Workspace(
            self.design,
            self.driver.slots,
            self.packed,
            (in_steps(total), batch, in_steps(symbols), parts, stepwise),
            self.driver.block_rows,
            self.work,
        )

    def give(self, workspace: Workspace) -> None:
        """Take back a workspace that nobody needs any more."""
        workspace.let_go()
        self._free.append(workspace)
        if len(self._free) > KEPT_WORKSPACES:
            with suppress(IndexError):  # another thread was faster
                self._free.pop(0)


def _holds(room: int, needed: int) -> bool:
    """Whether there is room enough, and not far too much."""
    return needed <= room <= 2 * needed + 64


class NativeKernel(Kernel):
    """The native engine's kernel; see :mod:`noria.engines.seam`."""

    engine = "native"

    def __init__(self, program: Program, sizes: Mapping[str, int], dtype: np.dtype) -> None:
        self.program = program
        self.sizes = dict(sizes)
        self.dtype = np.dtype(dtype)
        self.layout: ParameterLayout = parameter_layout(program, self.sizes)
        self.size = parameter_count(self.layout)
        self.reads_h = "h" in program.forward.recurrent_states
        self.needs = frozenset(
            str(node.attribute) for node in program.forward.graph.nodes if node.op == "given"
        )
        self._variants: dict[tuple[bool, bool], Variant] = {}
        self._lock = threading.Lock()

    def variant(self, *, saves: bool, symbols: bool) -> Variant:
        """Give the compiled functions for one way of running, compiling them the first time."""
        key = saves, symbols
        if key not in self._variants:
            with self._lock:
                if key not in self._variants:
                    self._variants[key] = Variant(self, saves=saves, symbols=symbols)
        return self._variants[key]

    def start(
        self,
        theta: Array,
        states: Mapping[str, Array],
        counts: Array | None,
        *,
        given: Mapping[str, Array] | None = None,
        save: bool = True,
    ) -> NativeRun:
        """Begin a run; see :class:`noria.engines.seam.Kernel`."""
        cell = self.program.forward.cell
        self._check_parameters(theta)
        batch = len(states["h"]) if "h" in states else 0
        for state in cell.states:
            size = self.sizes[cell.size_of[state]]
            if state not in states or states[state].shape != (batch, size):
                got = states[state].shape if state in states else "none"
                raise ShapeError(
                    f"{cell.name}: expected an initial state '{state}' of shape (B, {size}), got {got}."
                )
        return NativeRun(self, theta, states, counts, dict(given or {}), save)

    def stream(self, theta: Array, batch: int, *, symbols: bool, steps: int = 1) -> NativeStream:
        """Make a stream; see :class:`noria.engines.seam.Kernel`."""
        self._check_parameters(theta)
        return NativeStream(self, theta, batch, symbols=symbols, steps=steps)

    def _check_parameters(self, theta: Array) -> None:
        if theta.shape != (self.size,) or theta.dtype != self.dtype or not theta.flags.c_contiguous:
            raise ShapeError(
                f"{self.program.forward.cell.name}: expected {self.size} parameters of {self.dtype} "
                f"in one block, got an array of shape {theta.shape} of {theta.dtype}."
            )
