"""One forward over packed rows and its backward, in NumPy."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from noria.arrays import Array
from noria.compiler.program import AFTER, BEFORE, INPUT, LOOP
from noria.engines.one_hot import add_rows, written_out
from noria.engines.reference.frame import Frame
from noria.engines.reference.plan import Plan, Stack
from noria.engines.rows import Rows, check_rows, with_last
from noria.engines.seam import Run
from noria.engines.threads import one_blas_thread
from noria.errors import BackwardError

if TYPE_CHECKING:
    from noria.engines.reference.kernel import ReferenceKernel


class ReferenceRun(Run):
    """See :class:`noria.engines.seam.Run`.

    The run says what is computed when; what lies where is its frame's to know.
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
        batch = states["h"].shape[0]
        self.rows = Rows.of_counts(counts, batch) if counts is not None else Rows.stepwise(batch)
        self.frame = Frame(kernel, plan, theta, states, given, self.rows, save)
        self.back = 0
        self.table: tuple[Array, Array] | None = None

    # The two ways through
    # ----------------------------------------------------------------------------------------------------

    def forward(self, x: Array, table: Array | None = None) -> Array:
        """Run the whole batch."""
        check_rows(self.cell.name, "x", x, self.rows.total)
        self.table = None if table is None else (table, x)
        self.frame.x = x = self._dense(x) if table is None else table[x]
        self.frame.open(self.rows.total)
        with np.errstate(all="ignore"):
            self._run_all("forward", BEFORE)
            with one_blas_thread():
                for t in range(self.rows.steps):
                    self._forward_step(t)
            self._run_all("forward", AFTER)
        return self.frame.output(0, self.rows.total)

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
        check_rows(self.cell.name, "d_h", d_h, self.rows.total)
        self.frame.d_h = self._with_unread_final(d_h, d_finals)
        derived = self.kernel.program.derived
        wanted = (
            want_d_x
            and derived.d_x is not None
            and self.frame.x is not None
            and self.frame.x.dtype.kind not in "iu"
        )
        with np.errstate(all="ignore"):
            self._run_all("backward", BEFORE)
            with one_blas_thread():
                for t in reversed(range(self.rows.steps)):
                    self._backward_step(t)
            self._run_all("backward", AFTER)
            if wanted:
                self._run_all("backward", INPUT)
            self.finish(d_theta)
        if not wanted or derived.d_x is None:
            return None
        d_x = np.array(self.frame.all_rows(derived.d_x))
        if self.table is None:
            return d_x
        table, ids = self.table
        d_table = np.zeros_like(table)
        add_rows(d_table, ids, d_x)
        return d_table

    def step(self, x: Array, given: Mapping[str, Array] | None = None) -> Array:
        """Run one more step of the sequences that are still going on."""
        x = self._dense(x)
        t = self.rows.append(len(x)) if self.save else self.rows.restart(len(x))
        self.frame.open(self.rows.total)
        low, high = self.rows.span(t)
        self.frame.append_inputs(x, given or {}, low)
        with np.errstate(all="ignore"), one_blas_thread():
            self._run_rows("forward", BEFORE, t)
            self._forward_step(t)
            self._run_rows("forward", AFTER, t)
        if not self.save:  # the states of this step are the initial ones of the next
            for state in self.cell.states:
                if state not in self.frame.rolling:
                    self.frame.buffers[state][: high - low] = self.frame.buffers[state][
                        self.rows.batch : self.rows.batch + high - low
                    ]
        return np.array(self.frame.output(low, high))

    def step_back(self, d_h: Array, d_finals: Mapping[str, Array] | None = None) -> Array | None:
        """Go back through the last step that was not yet gone back through."""
        if not self.frame.carried:
            self._begin_backward(d_finals)
            self.back = self.rows.steps
            self.frame.d_h = np.zeros((self.rows.total, d_h.shape[1]), self.kernel.dtype)
            self.frame.d_h = self._with_unread_final(self.frame.d_h, d_finals)
        if self.back == 0:
            raise BackwardError(
                f"{self.cell.name}: all {self.rows.steps} steps have been gone back through. Call finish()."
            )
        self.back -= 1
        t = self.back
        low, high = self.rows.span(t)
        assert self.frame.d_h is not None
        self.frame.d_h[low:high] += d_h
        derived = self.kernel.program.derived
        wanted = derived.d_x is not None and not self.frame.reads_ids
        with np.errstate(all="ignore"), one_blas_thread():
            self._run_rows("backward", BEFORE, t)
            self._backward_step(t)
            self._run_rows("backward", AFTER, t)
            if wanted:
                self._run_rows("backward", INPUT, t)
        return np.array(self.frame.of(derived.d_x)) if wanted and derived.d_x is not None else None

    def finish(self, d_theta: Array) -> None:
        """Add the gradients of the weights, each group as one product over all rows."""
        if self.back:
            raise BackwardError(f"{self.cell.name}: {self.back} steps have not been gone back through yet.")
        for slot in self.plan.touched["backward", "end"]:
            self.frame.show_all(slot)
        for whole, operand, stack in self.plan.gradients:
            d, value = self.frame.values[whole], self.frame.values[operand]
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
            self.kernel.view(d_theta, column_sum.vector)[...] += self.frame.of(column_sum.d).sum(axis=0)

    # What a run hands out
    # ----------------------------------------------------------------------------------------------------

    @property
    def finals(self) -> dict[str, Array]:
        """Each sequence's own last state."""
        result = {}
        for state in self.cell.states:
            if state in self.frame.rolling:
                result[state] = self.frame.rolling[state].copy()
            else:
                result[state] = self.frame.buffers[state][self.rows.last + self.rows.batch]
        return result

    @property
    def d_states(self) -> dict[str, Array]:
        """The gradient of the initial states."""
        return {state: array.copy() for state, array in self.frame.carried.items()}

    @property
    def kept(self) -> dict[str, Array]:
        """What the program was asked to keep."""
        program = self.kernel.program
        backward = set(program.backward.nodes()) | {program.derived.output, *program.derived.carried.values()}
        there = {
            name: node for name, node in program.kept.items() if self.frame.carried or node not in backward
        }
        return {name: np.array(self.frame.all_rows(node)) for name, node in there.items()}

    def release(self) -> None:
        """Give the buffers back to the pool."""
        self.frame.release()

    # One step
    # ----------------------------------------------------------------------------------------------------

    def _forward_step(self, t: int) -> None:
        self.frame.show_step("forward", LOOP, t)
        self._execute("forward", LOOP)
        count = self.rows.count(t)
        for state, array in self.frame.rolling.items():
            array[:count] = self.frame.of(self.kernel.program.forward.new[state])

    def _backward_step(self, t: int) -> None:
        self.frame.show_step("backward", LOOP, t)
        self._execute("backward", LOOP)
        count = self.rows.count(t)
        for state, node in self.kernel.program.derived.d_old.items():
            self.frame.carried[state][:count] = 0.0 if node is None else self.frame.of(node)

    def _execute(self, name: str, phase: str) -> None:
        values = self.frame.values
        for function, a, b, out in self.plan.code[name, phase]:
            if b < 0:
                function(values[a], values[out])
            else:
                function(values[a], values[b], values[out])

    def _run_all(self, name: str, phase: str) -> None:
        for slot in self.plan.touched[name, phase]:
            self.frame.show_all(slot)
        self._execute(name, phase)

    def _run_rows(self, name: str, phase: str, t: int) -> None:
        self.frame.show_step(name, phase, t)
        self._execute(name, phase)

    # Gradients that arrive
    # ----------------------------------------------------------------------------------------------------

    def _begin_backward(self, d_finals: Mapping[str, Array] | None) -> None:
        if not self.save:
            raise BackwardError(
                f"{self.cell.name}: this run saved nothing for a backward. Start it with save=True."
            )
        if self.frame.carried or self.frame.is_released:
            raise BackwardError(
                f"{self.cell.name}: the backward of a run can be called once. Run the forward again."
            )
        for state, initial in self.frame.initial.items():
            self.frame.carried[state] = np.zeros_like(initial)
            if d_finals is not None and d_finals.get(state) is not None:
                self.frame.carried[state][...] = d_finals[state]

    def _with_unread_final(self, d_h: Array, d_finals: Mapping[str, Array] | None) -> Array:
        """Where no step reads h, the gradient of its last value arrives as if from above."""
        if (
            "h" in self.kernel.program.forward.recurrent_states
            or d_finals is None
            or d_finals.get("h") is None
        ):
            return np.asarray(d_h, self.kernel.dtype)
        return with_last(np.asarray(d_h, self.kernel.dtype), self.rows.last, d_finals["h"])

    # Inputs
    # ----------------------------------------------------------------------------------------------------

    def _dense(self, x: Array) -> Array:
        """Write token ids out as one-hot rows where the cell does more with its input than multiply it."""
        if x.dtype.kind not in "iu" or not self.kernel.reads_input:
            return x
        return written_out(x, self.kernel.sizes[self.cell.size_of["x"]], self.kernel.dtype)
