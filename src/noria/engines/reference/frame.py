"""The memory of a run: where the rows of every value lie, and which of them the next calls see."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from noria.arrays import Array
from noria.compiler.graph import Node
from noria.engines.pool import POOL
from noria.engines.reference.plan import CONSTANTS, Plan
from noria.engines.rows import Rows, appended
from noria.errors import ShapeError

if TYPE_CHECKING:
    from noria.engines.reference.kernel import ReferenceKernel


class Frame:
    """Buffers for the values of a plan, and ``values[slot]``, what the next call reads or writes.

    Numbers and weights are put into ``values`` once. Of other values the slots show all rows outside the time
    loop (``show_all``) and the rows of one step inside it (``show_step``). ``rolling`` holds states of which
    only the last value is wanted; ``carried`` what a step of the backward handed to the states before it.
    """

    def __init__(
        self,
        kernel: "ReferenceKernel",
        plan: Plan,
        theta: Array,
        states: Mapping[str, Array],
        given: Mapping[str, Array],
        rows: Rows,
        save: bool,
    ) -> None:
        self.kernel, self.plan, self.rows, self.save = kernel, plan, rows, save
        self.cell = kernel.program.forward.cell
        self.initial = {state: np.asarray(states[state], kernel.dtype) for state in self.cell.states}
        self.given = dict(given)
        self.rolling = {state: self.initial[state].copy() for state in plan.rolling}
        self.x: Array | None = None
        self.d_h: Array | None = None
        self.carried: dict[str, Array] = {}
        self.buffers: dict[int | str, Array] = {}
        self.values: list[Array] = [np.empty(0)] * plan.count
        self._pooled: list[Array] = []
        self._capacity = 0
        self._set_constants(theta)

    @property
    def is_released(self) -> bool:
        """Whether the buffers were given back."""
        return not self.values

    def release(self) -> None:
        """Give the buffers back to the pool; what :meth:`output` gave stays the caller's."""
        while self._pooled:
            POOL.give(self._pooled.pop())
        self.buffers.clear()
        self.values = []

    @property
    def reads_ids(self) -> bool:
        """Whether the input are token ids, which have no gradient."""
        return self.x is not None and self.x.dtype.kind in "iu"

    def of(self, node: Node) -> Array:
        """Give the rows of a value that its slot shows now."""
        return self.values[self.plan.slots[node]]

    def show_step(self, name: str, phase: str, t: int) -> None:
        """Let the slots that a phase touches show the rows of step ``t``."""
        values, places, rows, batch = self.values, self.plan.places, self.plan.rows, self.rows.batch
        low, high = self.rows.span(t)
        count = high - low
        for slot in self.plan.touched[name, phase]:
            place = places.get(slot)
            if place is not None:
                buffer = self.buffers[place.buffer]
                if isinstance(place.buffer, str):
                    values[slot] = buffer[batch + low : batch + high]
                elif rows[place.buffer]:
                    values[slot] = buffer[low:high, place.start : place.stop]
                else:
                    values[slot] = buffer[:count, place.start : place.stop]
            else:
                values[slot] = self._leaf(self.plan.leaves[slot], t, low, high)

    def _leaf(self, node: Node, t: int, low: int, high: int) -> Array:
        name = str(node.attribute)
        match node.op:
            case "old":
                if name in self.rolling:
                    return self.rolling[name][: high - low]
                start = self.rows.previous_start(t)
                return self.buffers[name][start : start + high - low]
            case "carried":
                return self.carried[name][: high - low]
            case "d_output":
                assert self.d_h is not None
                return self.d_h[low:high]
            case "input":
                assert self.x is not None
                return self.x[low:high]
            case "given":
                array = self._given(name)
                return array[: high - low] if self._per_sequence(name) else array[low:high]
            case _:
                raise AssertionError(f"{node!r} is set once, when the run starts")

    def show_all(self, slot: int) -> None:
        """Let one slot show all rows of the batch."""
        place = self.plan.places.get(slot)
        if place is not None:
            buffer = self.buffers[place.buffer]
            if isinstance(place.buffer, str):
                self.values[slot] = buffer[self.rows.batch : self.rows.batch + self.rows.total]
            else:
                self.values[slot] = buffer[: self.rows.total, place.start : place.stop]
        else:
            node = self.plan.leaves[slot]
            if node.op == "old":
                self.values[slot] = self.rows.shifted(self.buffers[str(node.attribute)])
            elif node.op == "given" and self._per_sequence(str(node.attribute)):
                self.values[slot] = self._given(str(node.attribute))[self.rows.sequence]
            else:
                self.values[slot] = self._leaf(node, 0, 0, self.rows.total)

    def all_rows(self, node: Node) -> Array:
        """Give all rows of a value."""
        slot = self.plan.slot(node)
        if node.op not in CONSTANTS:
            self.show_all(slot)
        shape = self.rows.total, self.kernel.sizes.get(node.size, 1)
        return np.broadcast_to(self.values[slot], shape)

    def output(self, low: int, high: int) -> Array:
        """Give rows of the output."""
        batch = self.rows.batch
        return self.buffers["h"][batch + low : batch + high]

    def _set_constants(self, theta: Array) -> None:
        for slot, node in self.plan.leaves.items():
            if node.op == "number":
                self.values[slot] = np.asarray(node.attribute, self.kernel.dtype)
            elif node.op == "inverse_size":
                self.values[slot] = np.asarray(
                    1.0 / self.kernel.sizes[str(node.attribute)], self.kernel.dtype
                )
            elif node.op == "vector":
                self.values[slot] = self.kernel.view(theta, str(node.attribute))
        for slot, stack in self.plan.stacks.items():
            matrix, _ = self.kernel.stacked(theta, stack)
            self.values[slot] = matrix.T if stack.transposed else matrix

    def open(self, total: int) -> None:
        """Make room for ``total`` rows in every buffer, keeping what is there."""
        if self.buffers and total <= self._capacity:
            return
        old, kept = self.buffers, self._capacity
        self._capacity = total if self.rows.fixed else max(2 * self._capacity, total, 16)
        self.buffers = {}
        batch, dtype = self.rows.batch, self.kernel.dtype
        for state in self.cell.states:
            if state not in self.rolling:
                # Not from the pool: the output is a view of it and stays the caller's.
                array = np.empty((batch + self._capacity, self.initial[state].shape[1]), dtype)
                array[:batch] = self.initial[state]
                if old:
                    array[: batch + kept] = old[state]
                self.buffers[state] = array
        given_back, self._pooled = self._pooled, []
        for k, (width, rows) in enumerate(zip(self.plan.widths, self.plan.rows, strict=True)):
            array = POOL.take((self._capacity if rows else batch, width), dtype)
            self._pooled.append(array)
            if old and rows:
                array[:kept] = old[k]
            self.buffers[k] = array
        for array in given_back:
            POOL.give(array)

    def append_inputs(self, x: Array, given: Mapping[str, Array], low: int) -> None:
        """Keep the inputs of one step behind those of the steps before."""
        self.x = appended(self.x if self.save else None, x, low)
        for name, array in given.items():
            self.given[name] = appended(self.given.get(name) if self.save else None, array, low)

    def _per_sequence(self, name: str) -> bool:
        return any(given.name == name and given.per == "sequence" for given in self.cell.givens)

    def _given(self, name: str) -> Array:
        if name not in self.given:
            raise ShapeError(
                f"{self.cell.name}: expected the auxiliary input '{name}', got none. Pass it in given."
            )
        return self.given[name]
