"""One forward over packed rows and its backward, in NumPy."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from noria.arrays import Array
from noria.compiler.graph import Node
from noria.compiler.program import AFTER, BEFORE, INPUT, LOOP
from noria.engines.one_hot import add_rows
from noria.engines.pool import POOL
from noria.engines.reference.plan import CONSTANTS, Plan, Stack
from noria.engines.rows import Rows
from noria.engines.seam import Run
from noria.engines.threads import blas_threads
from noria.errors import BackwardError, ShapeError

if TYPE_CHECKING:
    from noria.engines.reference.kernel import ReferenceKernel


class ReferenceRun(Run):
    """See :class:`noria.engines.seam.Run`.

    ``frame[slot]`` holds what the next call reads or writes: numbers and weights from the start, all rows of
    a value outside the time loop, the rows of one step inside it.
    """

    def __init__(
        self,
        kernel: "ReferenceKernel",
        plan: Plan,
        theta: Array,
        states: Mapping[str, Array],
        counts: Array | None,
        given: Mapping[str, Array],
        save: bool,
    ) -> None:
        self.kernel, self.plan, self.save = kernel, plan, save
        self.cell = kernel.program.forward.cell
        self.initial = {state: np.asarray(states[state], kernel.dtype) for state in self.cell.states}
        self.given = dict(given)
        batch = next(iter(self.initial.values())).shape[0]
        self.rows = Rows.of_counts(counts, batch) if counts is not None else Rows.stepwise(batch)
        self.rolling = {state: self.initial[state].copy() for state in plan.rolling}
        self.buffers: dict[int | str, Array] = {}
        self.pooled: list[Array] = []
        self.capacity = 0
        self.x: Array | None = None
        self.d_h: Array | None = None
        self.carried: dict[str, Array] = {}
        self.back = 0
        self.frame: list[Array] = [np.empty(0)] * plan.count
        self._set_constants(theta)

    # The two ways through
    # ----------------------------------------------------------------------------------------------------

    def forward(self, x: Array) -> Array:
        """Run the whole batch."""
        self._check_rows("x", x, self.rows.total)
        self.x = x = self._dense(x)
        self._open(self.rows.total)
        with np.errstate(all="ignore"):
            self._run_all("forward", BEFORE)
            with blas_threads(1):
                for t in range(self.rows.steps):
                    self._forward_step(t)
            self._run_all("forward", AFTER)
        return self._output(0, self.rows.total)

    def backward(
        self,
        d_h: Array,
        d_finals: Mapping[str, Array] | None,
        d_theta: Array,
        *,
        want_d_x: bool = True,
    ) -> Array | None:
        """Go back through the whole batch."""
        self._begin_backward(d_finals)
        self._check_rows("d_h", d_h, self.rows.total)
        self.d_h = self._with_unread_final(d_h, d_finals)
        derived = self.kernel.program.derived
        wanted = want_d_x and derived.d_x is not None and self.x is not None and self.x.dtype.kind not in "iu"
        with np.errstate(all="ignore"):
            self._run_all("backward", BEFORE)
            with blas_threads(1):
                for t in reversed(range(self.rows.steps)):
                    self._backward_step(t)
            self._run_all("backward", AFTER)
            if wanted:
                self._run_all("backward", INPUT)
            self.finish(d_theta)
        return np.array(self._all_rows(derived.d_x)) if wanted and derived.d_x is not None else None

    def step(self, x: Array, given: Mapping[str, Array] | None = None) -> Array:
        """Run one more step of the sequences that are still going on."""
        x = self._dense(x)
        t = self.rows.append(len(x)) if self.save else self.rows.restart(len(x))
        self._open(self.rows.total)
        low, high = self.rows.span(t)
        self._append_row_inputs(x, given or {}, low)
        with np.errstate(all="ignore"), blas_threads(1):
            self._run_rows("forward", BEFORE, t)
            self._forward_step(t)
            self._run_rows("forward", AFTER, t)
        if not self.save:  # the states of this step are the initial ones of the next
            for state in self.cell.states:
                if state not in self.rolling:
                    self.buffers[state][: high - low] = self.buffers[state][
                        self.rows.batch : self.rows.batch + high - low
                    ]
        return np.array(self._output(low, high))

    def step_back(self, d_h: Array, d_finals: Mapping[str, Array] | None = None) -> Array | None:
        """Go back through the last step that was not yet gone back through."""
        if not self.carried:
            self._begin_backward(d_finals)
            self.back = self.rows.steps
            self.d_h = np.zeros((self.rows.total, d_h.shape[1]), self.kernel.dtype)
            self.d_h = self._with_unread_final(self.d_h, d_finals)
        if self.back == 0:
            raise BackwardError(
                f"{self.cell.name}: all {self.rows.steps} steps have been gone back through. Call finish()."
            )
        self.back -= 1
        t = self.back
        low, high = self.rows.span(t)
        assert self.d_h is not None
        assert self.x is not None
        self.d_h[low:high] += d_h
        derived = self.kernel.program.derived
        wanted = derived.d_x is not None and self.x.dtype.kind not in "iu"
        with np.errstate(all="ignore"), blas_threads(1):
            self._run_rows("backward", BEFORE, t)
            self._backward_step(t)
            self._run_rows("backward", AFTER, t)
            if wanted:
                self._run_rows("backward", INPUT, t)
        return (
            np.array(self.frame[self.plan.slots[derived.d_x]]) if wanted and derived.d_x is not None else None
        )

    def finish(self, d_theta: Array) -> None:
        """Add the gradients of the weights, each group as one product over all rows."""
        if self.back:
            raise BackwardError(f"{self.cell.name}: {self.back} steps have not been gone back through yet.")
        for slot in self.plan.touched["backward", "end"]:
            self._show_all(slot)
        for whole, operand, stack in self.plan.gradients:
            d, value = self.frame[whole], self.frame[operand]
            gradient, in_place = self.kernel.stacked(d_theta, stack)
            if not in_place:
                gradient = np.zeros_like(gradient)
            if value.dtype.kind in "iu":
                add_rows(gradient.T, value, d)
            else:
                gradient += d.T @ value
            if not in_place:
                start = 0
                for block in stack.blocks:
                    one, _ = self.kernel.stacked(d_theta, Stack((block,), transposed=False))
                    one += gradient[start : start + one.shape[0]]
                    start += one.shape[0]
        for column_sum in self.kernel.program.derived.column_sums:
            self.kernel.view(d_theta, column_sum.vector)[...] += self.frame[
                self.plan.slots[column_sum.d]
            ].sum(axis=0)

    # What a run hands out
    # ----------------------------------------------------------------------------------------------------

    @property
    def finals(self) -> dict[str, Array]:
        """Each sequence's own last state."""
        result = {}
        for state in self.cell.states:
            if state in self.rolling:
                result[state] = self.rolling[state].copy()
            else:
                result[state] = self.buffers[state][self.rows.last + self.rows.batch]
        return result

    @property
    def d_states(self) -> dict[str, Array]:
        """The gradient of the initial states."""
        return {state: array.copy() for state, array in self.carried.items()}

    @property
    def kept(self) -> dict[str, Array]:
        """What the program was asked to keep."""
        program = self.kernel.program
        backward = set(program.backward.nodes()) | {program.derived.output, *program.derived.carried.values()}
        there = {name: node for name, node in program.kept.items() if self.carried or node not in backward}
        return {name: np.array(self._all_rows(node)) for name, node in there.items()}

    def release(self) -> None:
        """Give the buffers back to the pool."""
        while self.pooled:
            POOL.give(self.pooled.pop())
        self.buffers.clear()
        self.frame = []

    # One step
    # ----------------------------------------------------------------------------------------------------

    def _forward_step(self, t: int) -> None:
        self._show("forward", LOOP, t)
        self._execute("forward", LOOP)
        count = self.rows.count(t)
        for state, array in self.rolling.items():
            array[:count] = self.frame[self.plan.slots[self.kernel.program.forward.new[state]]]

    def _backward_step(self, t: int) -> None:
        self._show("backward", LOOP, t)
        self._execute("backward", LOOP)
        count = self.rows.count(t)
        low, high = self.rows.span(t)
        for state, node in self.kernel.program.derived.d_old.items():
            if node is None:
                self.carried[state][:count] = 0.0
            elif node.op == "d_output" and self.d_h is not None:
                self.carried[state][:count] = self.d_h[low:high]
            else:
                slot = self.plan.slots[node]
                place = self.plan.places.get(slot)
                if place is not None and not isinstance(place.buffer, str) and self.plan.rows[place.buffer]:
                    self.carried[state][:count] = self.buffers[place.buffer][
                        low:high, place.start : place.stop
                    ]
                else:
                    self.carried[state][:count] = self.frame[slot]

    def _execute(self, name: str, phase: str) -> None:
        frame = self.frame
        for function, a, b, out in self.plan.code[name, phase]:
            if b < 0:
                function(frame[a], frame[out])
            else:
                function(frame[a], frame[b], frame[out])

    def _run_all(self, name: str, phase: str) -> None:
        for slot in self.plan.touched[name, phase]:
            self._show_all(slot)
        self._execute(name, phase)

    def _run_rows(self, name: str, phase: str, t: int) -> None:
        self._show(name, phase, t)
        self._execute(name, phase)

    # Showing rows in the frame
    # ----------------------------------------------------------------------------------------------------

    def _show(self, name: str, phase: str, t: int) -> None:
        """Let the slots that a phase touches show the rows of step ``t``."""
        frame, places, rows, batch = self.frame, self.plan.places, self.plan.rows, self.rows.batch
        low, high = self.rows.span(t)
        count = high - low
        for slot in self.plan.touched[name, phase]:
            place = places.get(slot)
            if place is not None:
                buffer = self.buffers[place.buffer]
                if isinstance(place.buffer, str):
                    frame[slot] = buffer[batch + low : batch + high]
                elif rows[place.buffer]:
                    frame[slot] = buffer[low:high, place.start : place.stop]
                else:
                    frame[slot] = buffer[:count, place.start : place.stop]
            else:
                frame[slot] = self._leaf(self.plan.leaves[slot], t, low, high)

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

    def _show_all(self, slot: int) -> None:
        """Let one slot show all rows of the batch."""
        place = self.plan.places.get(slot)
        if place is not None:
            buffer = self.buffers[place.buffer]
            if isinstance(place.buffer, str):
                self.frame[slot] = buffer[self.rows.batch : self.rows.batch + self.rows.total]
            else:
                self.frame[slot] = buffer[: self.rows.total, place.start : place.stop]
        else:
            node = self.plan.leaves[slot]
            if node.op == "old":
                self.frame[slot] = self.rows.shifted(self.buffers[str(node.attribute)])
            elif node.op == "given" and self._per_sequence(str(node.attribute)):
                self.frame[slot] = self._given(str(node.attribute))[self.rows.sequence]
            else:
                self.frame[slot] = self._leaf(node, 0, 0, self.rows.total)

    def _all_rows(self, node: Node) -> Array:
        slot = self.plan.slot(node)
        if node.op not in CONSTANTS:
            self._show_all(slot)
        shape = self.rows.total, self.kernel.sizes.get(node.size, 1)
        return np.broadcast_to(self.frame[slot], shape)

    def _output(self, low: int, high: int) -> Array:
        batch = self.rows.batch
        return self.buffers["h"][batch + low : batch + high]

    # Memory
    # ----------------------------------------------------------------------------------------------------

    def _set_constants(self, theta: Array) -> None:
        for slot, node in self.plan.leaves.items():
            if node.op == "number":
                self.frame[slot] = np.asarray(node.attribute, self.kernel.dtype)
            elif node.op == "inverse_size":
                self.frame[slot] = np.asarray(1.0 / self.kernel.sizes[str(node.attribute)], self.kernel.dtype)
            elif node.op == "vector":
                self.frame[slot] = self.kernel.view(theta, str(node.attribute))
        for slot, stack in self.plan.stacks.items():
            matrix, _ = self.kernel.stacked(theta, stack)
            self.frame[slot] = matrix.T if stack.transposed else matrix

    def _open(self, total: int) -> None:
        """Make room for ``total`` rows in every buffer, keeping what is there."""
        if self.buffers and total <= self.capacity:
            return
        old, kept = self.buffers, self.capacity
        self.capacity = total if self.rows.fixed else max(2 * self.capacity, total, 16)
        self.buffers = {}
        batch, dtype = self.rows.batch, self.kernel.dtype
        for state in self.cell.states:
            if state not in self.rolling:
                # Not from the pool: the output is a view of it and stays the caller's.
                array = np.empty((batch + self.capacity, self.initial[state].shape[1]), dtype)
                array[:batch] = self.initial[state]
                if old:
                    array[: batch + kept] = old[state]
                self.buffers[state] = array
        given_back, self.pooled = self.pooled, []
        for k, (width, rows) in enumerate(zip(self.plan.widths, self.plan.rows, strict=True)):
            array = POOL.take((self.capacity if rows else batch, width), dtype)
            self.pooled.append(array)
            if old and rows:
                array[:kept] = old[k]
            self.buffers[k] = array
        for array in given_back:
            POOL.give(array)

    def _append_row_inputs(self, x: Array, given: Mapping[str, Array], low: int) -> None:
        """Keep the inputs of one step behind those of the steps before."""
        self.x = self._appended(self.x, x, low)
        for name, array in given.items():
            self.given[name] = self._appended(self.given.get(name), array, low)

    def _appended(self, before: Array | None, rows: Array, low: int) -> Array:
        """Write ``rows`` at row ``low``, with room to spare, so that many steps cost what their rows cost."""
        if before is None or not self.save:
            return np.array(rows)
        high = low + len(rows)
        if len(before) < high:
            longer = np.empty((max(2 * len(before), high), *before.shape[1:]), before.dtype)
            longer[:low] = before[:low]
            before = longer
        before[low:high] = rows
        return before

    # Gradients that arrive
    # ----------------------------------------------------------------------------------------------------

    def _begin_backward(self, d_finals: Mapping[str, Array] | None) -> None:
        if not self.save:
            raise BackwardError(
                f"{self.cell.name}: this run saved nothing for a backward. Start it with save=True."
            )
        if self.carried or not self.frame:
            raise BackwardError(
                f"{self.cell.name}: the backward of a run can be called once. Run the forward again."
            )
        for state, initial in self.initial.items():
            self.carried[state] = np.zeros_like(initial)
            if d_finals is not None and d_finals.get(state) is not None:
                self.carried[state][...] = d_finals[state]

    def _with_unread_final(self, d_h: Array, d_finals: Mapping[str, Array] | None) -> Array:
        """Where no step reads h, the gradient of its last value arrives as if from above."""
        if (
            "h" in self.kernel.program.forward.recurrent_states
            or d_finals is None
            or d_finals.get("h") is None
        ):
            return np.asarray(d_h, self.kernel.dtype)
        result = np.array(d_h, self.kernel.dtype)
        result[self.rows.last] += d_finals["h"]
        return result

    # Checks
    # ----------------------------------------------------------------------------------------------------

    def _check_rows(self, name: str, array: Array, total: int) -> None:
        if len(array) != total:
            raise ShapeError(
                f"{self.cell.name}: expected {total} rows of {name}, one for each step of each sequence, "
                f"got {len(array)}."
            )

    def _dense(self, x: Array) -> Array:
        """Write token ids out as one-hot rows where the cell does more with its input than multiply it."""
        if x.dtype.kind not in "iu" or not self.kernel.reads_input:
            return x
        one_hot = np.zeros((len(x), self.kernel.sizes[self.cell.size_of["x"]]), self.kernel.dtype)
        one_hot[np.arange(len(x)), x] = 1.0
        return one_hot

    def _per_sequence(self, name: str) -> bool:
        return any(given.name == name and given.per == "sequence" for given in self.cell.givens)

    def _given(self, name: str) -> Array:
        if name not in self.given:
            raise ShapeError(
                f"{self.cell.name}: expected the auxiliary input '{name}', got none. Pass it in given."
            )
        return self.given[name]
