"""One forward over packed rows and its backward, in compiled code."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from noria.arrays import Array
from noria.compiler.graph import LEAVES
from noria.engines import workers
from noria.engines.native import entry
from noria.engines.native.frame import Frame
from noria.engines.native.memory import recycled
from noria.engines.native.sharing import shares_columns
from noria.engines.native.steps import Steps
from noria.engines.rows import appended, check_rows, with_last
from noria.engines.seam import Run
from noria.errors import BackwardError, ShapeError


class NativeRun(Frame, Run):
    """See :class:`noria.engines.seam.Run`; what lies where is the frame's to know."""

    back = 0
    began_backward = False
    finished = False
    released = False
    d_x: Array | None = None

    # The two ways through
    # ----------------------------------------------------------------------------------------------------

    def forward(self, x: Array, table: Array | None = None) -> Array:
        """Run the whole batch."""
        steps = self._steps()
        check_rows(self.cell.name, "x", x, steps.total)
        if table is not None and self.kernel.reads_input:
            raise ShapeError(f"{self.cell.name}: does more with its input than multiply it: give it rows.")
        self._take_table(x, table)
        self._prepare(self._checked(x), steps.total)
        self._bind_given(self.given)
        self._call("forward", 0, steps.steps, entry.PACK)
        return self._output(0, steps.total)

    def backward(
        self,
        d_h: Array,
        d_finals: Mapping[str, Array] | None,
        d_theta: Array,
        *,
        want_d_x: bool = True,
    ) -> Array | None:
        """Go back through the whole batch."""
        steps = self._steps()
        check_rows(self.cell.name, "d_h", d_h, steps.total)
        self._check_gradient(d_theta)
        self._begin_backward(d_finals)
        d_h = self._with_unread_final(d_h, d_finals)
        self.d_h = self._bind_padded("d_h", d_h, self.kernel.sizes["H"])
        wanted = self._wants_input(want_d_x)
        mode = entry.PACK | entry.FINISH | (entry.WANT_INPUT if wanted else 0)
        self._bind("d_theta", d_theta)
        self._call("backward", 0, steps.steps, mode)
        self._finish_leaves(d_theta)
        return (
            self._gradient_of_input(0, steps.total if self.table is None else len(self.table))
            if wanted
            else None
        )

    def step(self, x: Array, given: Mapping[str, Array] | None = None) -> Array:
        """Run one more step of the sequences that are still going on."""
        if self.began_backward:
            raise BackwardError(f"{self.cell.name}: the way back has begun. Start another run to go on.")
        count, first = len(x), self.steps is None
        before = self.batch if self.steps is None else int(self.steps.counts[-1])
        if not 1 <= count <= before:
            raise ShapeError(
                f"expected 1 to {before} rows in this step, got {count}: "
                "a sequence that has ended cannot go on."
            )
        x, given = self._checked(x), given or {}
        self._check_given({**self.given, **given}, count, set(given))
        if self.steps is None:
            self.steps = Steps(np.array([count]), self.batch)
        elif self.save:
            self.steps.append(count)
        else:
            self._restart()
            self.steps = Steps.of(np.array([count]), self.batch)
        t = self.steps.steps - 1
        low, high = int(self.steps.starts[t]), self.steps.total
        self._prepare(x, high, low)
        for name, array in given.items():
            self.given[name] = appended(self.given.get(name) if self.save else None, array, low)
        self._bind_given(self.given)
        self._call("forward", t, t + 1, entry.PACK if first else 0)
        return np.array(self._output(low, high))

    def step_back(self, d_h: Array, d_finals: Mapping[str, Array] | None = None) -> Array | None:
        """Go back through the last step that was not yet gone back through."""
        steps = self._steps()
        first = not self.began_backward
        if first:
            self._begin_backward(d_finals)
            self.back = steps.steps
            rows = np.zeros((steps.total, self.kernel.sizes["H"]), self.kernel.dtype)
            self.d_h = self._bind_padded(
                "d_h", self._with_unread_final(rows, d_finals), rows.shape[1], own=True
            )
        if self.back == 0:
            raise BackwardError(
                f"{self.cell.name}: all {steps.steps} steps have been gone back through. Call finish()."
            )
        t = self.back - 1
        low = int(steps.starts[t])
        high = low + int(steps.counts[t])
        check_rows(self.cell.name, "d_h", d_h, high - low)
        self.back = t
        assert self.d_h is not None
        self.d_h[low:high, : d_h.shape[1]] += d_h
        wanted = self._wants_input(True) and not self._of_symbols
        self._call("backward", t, t + 1, (entry.PACK if first else 0) | (entry.WANT_INPUT if wanted else 0))
        return self._gradient_of_input(low, high) if wanted else None

    def finish(self, d_theta: Array) -> None:
        """Add the gradients of the weights, each group as one product over all rows."""
        if self.finished:
            raise BackwardError(f"{self.cell.name}: the gradients of this run were added before.")
        left = self.back if self.began_backward else self._steps().steps
        if left:
            raise BackwardError(f"{self.cell.name}: {left} steps have not been gone back through yet.")
        self._check_gradient(d_theta)
        self.finished = True
        self._bind("d_theta", d_theta)
        steps = self._steps()
        self._call("backward", steps.steps, steps.steps, entry.FINISH)
        self._finish_leaves(d_theta)

    # What a run hands out
    # ----------------------------------------------------------------------------------------------------

    @property
    def finals(self) -> dict[str, Array]:
        """Each sequence's own last state."""
        self._need_memory()
        steps, result = self._steps(), {}
        for state in self.cell.states:
            size = self.initial[state].shape[1]
            if state in self._design.stored:
                rows = self._state_home(state)
                if steps.dense:
                    result[state] = np.array(rows[steps.total : steps.total + self.batch, :size])
                else:
                    result[state] = rows[steps.last, :size]
            else:
                halves = self._arrays[f"roll {state}"]
                half = steps.lengths % 2 * self.batch
                result[state] = halves[half + np.arange(self.batch), :size]
        return result

    @property
    def d_states(self) -> dict[str, Array]:
        """The gradient of the initial states."""
        if not self.began_backward:
            return {}
        self._need_memory()
        half = self.batch if self.back % 2 else 0  # the step before last wrote the other one
        return {
            state: np.array(self._arrays[f"carry {state}"][half : half + self.batch, : array.shape[1]])
            for state, array in self.initial.items()
        }

    @property
    def kept(self) -> dict[str, Array]:
        """What the program was asked to keep."""
        self._need_memory()
        program = self.kernel.program
        backward = set(program.backward.nodes()) | {program.derived.output, *program.derived.carried.values()}
        return {
            name: self._rows_of(node)
            for name, node in program.kept.items()
            if self.began_backward or node not in backward
        }

    def release(self) -> None:
        """Give the buffers back; what ``forward`` gave stays the caller's."""
        self.released = True
        if self.workspace is not None and self.variant is not None:
            self.variant.give(self.workspace)
            self.workspace = None

    # Calls
    # ----------------------------------------------------------------------------------------------------

    def _call(self, name: str, first: int, last: int, mode: int) -> None:
        assert self.workspace is not None
        assert self.variant is not None
        function = self.variant.forward if name == "forward" else self.variant.backward
        assert function is not None
        arguments = self.workspace.block
        if self.stepwise:
            mode |= entry.STEPWISE
        parts = self.workspace.key[3]
        if shares_columns(self.batch, parts):
            mode |= entry.UNITS
        if parts == 1:
            function(arguments, first, last, 0, 1, mode)
        else:
            workers.run(
                [partial(function, arguments, first, last, part, parts, mode) for part in range(parts)]
            )

    # Gradients that arrive, and those that leave
    # ----------------------------------------------------------------------------------------------------

    def _begin_backward(self, d_finals: Mapping[str, Array] | None) -> None:
        if not self.save:
            raise BackwardError(
                f"{self.cell.name}: this run saved nothing for a backward. Start it with save=True."
            )
        self._steps()
        if self.began_backward or self.released or self.workspace is None:
            raise BackwardError(
                f"{self.cell.name}: the backward of a run can be called once. Run the forward again."
            )
        for state, initial in self.initial.items():
            array = None if d_finals is None else d_finals.get(state)
            if array is not None and array.shape != initial.shape:
                raise ShapeError(
                    f"{self.cell.name}: expected the gradient of the last '{state}' of shape "
                    f"{initial.shape}, got {array.shape}."
                )
        self.began_backward = True
        self._bind_row_numbers()
        for state, initial in self.initial.items():
            carried = self._arrays[f"carry {state}"]
            if d_finals is not None and d_finals.get(state) is not None:
                for half in (0, self.batch):
                    carried[half : half + self.batch, : initial.shape[1]] = d_finals[state]
            else:
                carried[...] = 0.0
        self._arrays["sums"][...] = 0.0
        if self._of_symbols:
            for name, array in self._arrays.items():
                if name.startswith("symbols of "):
                    array[: self._symbols()] = 0.0
        if self._design.buffers.get("d_x") is not None:
            total = self.workspace.key[0] if not self._of_symbols else self._symbols()
            self.d_x = recycled((total, self._design.buffers["d_x"].width), self.kernel.dtype)
            self._bind("d_x", self.d_x)

    def _wants_input(self, wanted: bool) -> bool:
        derived = self.kernel.program.derived
        return wanted and derived.d_x is not None and (self.table is not None or not self._of_symbols)

    def _gradient_of_input(self, low: int, high: int) -> Array:
        d_x = self.kernel.program.derived.d_x
        assert d_x is not None
        if d_x.op in LEAVES:
            return self._rows_of(d_x)[low:high]
        assert self.d_x is not None
        return self.d_x[low:high, : self._size_of_input]

    def _finish_leaves(self, d_theta: Array) -> None:
        """Add what is not worth compiled code: gradients that arrive as they leave, those of rare symbols."""
        for vector, node in self._design.leaf_sums:
            self.kernel.view(d_theta, vector)[...] += self._rows_of(node).sum(axis=0)
        if self.occurring is None:
            return
        for outer in self._design.outers:
            if outer.operand.buffer != "x":
                continue
            sums = self._arrays[f"symbols of {outer.d.buffer}"]
            order = self.kernel.program.order
            first = order.index(outer.block.matrix)
            for number in range(outer.matrices):
                start = outer.d.column + number * outer.stride
                view = self.kernel.view(d_theta, order[first + number])
                begin = sum(self.kernel.sizes[size] for size in outer.block.columns[: outer.block.part])
                part = view[:, begin : begin + outer.columns]
                part[:, self.occurring] += sums[: self._symbols(), start : start + outer.group].T

    def _with_unread_final(self, d_h: Array, d_finals: Mapping[str, Array] | None) -> Array:
        """Where no step reads h, the gradient of its last value arrives as if from above."""
        if self.kernel.reads_h or d_finals is None or d_finals.get("h") is None:
            return np.asarray(d_h, self.kernel.dtype)
        last = self._steps().last - self.batch
        return with_last(np.asarray(d_h, self.kernel.dtype), last, d_finals["h"])

    # Checks
    # ----------------------------------------------------------------------------------------------------

    def _check_gradient(self, d_theta: Array) -> None:
        if (
            d_theta.shape != (self.kernel.size,)
            or d_theta.dtype != self.kernel.dtype
            or not d_theta.flags.c_contiguous
            or not d_theta.flags.writeable
        ):
            raise ShapeError(
                f"{self.cell.name}: expected room for {self.kernel.size} gradients of {self.kernel.dtype}, "
                f"got an array of shape {d_theta.shape} of {d_theta.dtype}."
            )
