"""One forward over packed rows and its backward, in compiled code."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from noria.arrays import Array
from noria.compiler.graph import LEAVES, Node
from noria.engines import workers
from noria.engines.native import driver as entry
from noria.engines.native.memory import recycled
from noria.engines.native.steps import Steps
from noria.engines.native.workspace import Workspace, address
from noria.engines.seam import Run
from noria.engines.threads import thread_count
from noria.errors import BackwardError, ShapeError

if TYPE_CHECKING:
    from noria.engines.native.kernel import NativeKernel, Variant

WORTH_SHARING = 1 << 22
"""Floating-point operations of a call from which on a second thread is worth waking."""

RARE = 2
"""Symbols for each row from which on only those that occur are looked at."""

OWNED = 8
"""Sequences for each thread from which on every thread owns its sequences."""


class NativeRun(Run):
    """See :class:`noria.engines.seam.Run`.

    Every array is brought to the layout that the compiled functions expect, and checked, before its address
    is taken.
    """

    def __init__(
        self,
        kernel: "NativeKernel",
        theta: Array,
        states: Mapping[str, Array],
        counts: Array | None,
        given: dict[str, Array],
        save: bool,
    ) -> None:
        self.kernel, self.theta, self.save, self.given = kernel, theta, save, given
        self.cell = kernel.program.forward.cell
        self.initial = {state: states[state] for state in self.cell.states}
        self.batch = len(states["h"])
        self.stepwise = counts is None
        self.steps: Steps | None = Steps.of(counts, self.batch) if counts is not None else None
        self.grown: list[int] = []
        self.back = 0
        self.began_backward = False
        self.released = False
        self.workspace: Workspace | None = None
        self.variant: Variant | None = None
        self.x: Array | None = None
        self.table: Array | None = None
        self.occurring: Array | None = None
        self.d_h: Array | None = None
        self.d_x: Array | None = None
        self.h: Array
        self._held: dict[str, Array] = {}

    # The two ways through
    # ----------------------------------------------------------------------------------------------------

    def forward(self, x: Array, table: Array | None = None) -> Array:
        """Run the whole batch."""
        steps = self._steps()
        self._check_rows("x", x, steps.total)
        if table is not None and self.kernel.reads_input:
            raise ShapeError(f"{self.cell.name}: does more with its input than multiply it: give it rows.")
        self._take_table(x, table)
        self._prepare(x, steps.total)
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
        self._begin_backward(d_finals)
        self._check_rows("d_h", d_h, steps.total)
        self._check_gradient(d_theta)
        d_h = self._with_unread_final(d_h, d_finals)
        self.d_h = self._bind_padded("d_h", d_h, self.kernel.sizes["H"])
        wanted = self._wants_input(want_d_x)
        mode = entry.PACK | entry.FINISH | (entry.WANT_INPUT if wanted else 0)
        self._bind("d_theta", d_theta)
        self._call("backward", 0, steps.steps, mode)
        self._finish_leaves(d_theta)
        return self._gradient_of_input(0, steps.total if self.table is None else len(self.table)) if wanted else None

    def step(self, x: Array, given: Mapping[str, Array] | None = None) -> Array:
        """Run one more step of the sequences that are still going on."""
        count = len(x)
        before = self.grown[-1] if self.grown else self.batch
        if not 1 <= count <= before:
            raise ShapeError(
                f"expected 1 to {before} rows in this step, got {count}: "
                "a sequence that has ended cannot go on."
            )
        first = not self.grown
        if not self.save and not first:
            self._restart()
        self.grown = [*self.grown, count] if self.save else [count]
        self.steps = steps = Steps(np.asarray(self.grown), self.batch)
        t = steps.steps - 1
        low, high = int(steps.starts[t]), steps.total
        self._prepare(x, high, low)
        for name, array in (given or {}).items():
            self.given[name] = self._appended(self.given.get(name), array, low)
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
            self.d_h = self._bind_padded("d_h", self._with_unread_final(rows, d_finals), rows.shape[1], own=True)
        if self.back == 0:
            raise BackwardError(
                f"{self.cell.name}: all {steps.steps} steps have been gone back through. Call finish()."
            )
        t = self.back - 1
        low = int(steps.starts[t])
        high = low + int(steps.counts[t])
        self._check_rows("d_h", d_h, high - low)
        self.back = t
        assert self.d_h is not None
        self.d_h[low:high, : d_h.shape[1]] += d_h
        wanted = self._wants_input(True) and not self._of_symbols
        self._call("backward", t, t + 1, (entry.PACK if first else 0) | (entry.WANT_INPUT if wanted else 0))
        return self._gradient_of_input(low, high) if wanted else None

    def finish(self, d_theta: Array) -> None:
        """Add the gradients of the weights, each group as one product over all rows."""
        if self.back or not self.began_backward:
            raise BackwardError(
                f"{self.cell.name}: {self.back or self._steps().steps} steps have not been gone back through yet."
            )
        self._check_gradient(d_theta)
        self._bind("d_theta", d_theta)
        steps = self._steps()
        self._call("backward", steps.steps, steps.steps, entry.FINISH)
        self._finish_leaves(d_theta)

    # What a run hands out
    # ----------------------------------------------------------------------------------------------------

    @property
    def finals(self) -> dict[str, Array]:
        """Each sequence's own last state."""
        steps, result = self._steps(), {}
        for state in self.cell.states:
            size = self.initial[state].shape[1]
            if state in self._design.stored:
                rows = self._state_rows(state)
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
        half = self.batch if self.back % 2 else 0  # the step before last wrote the other one
        return {
            state: np.array(self._arrays[f"carry {state}"][half : half + self.batch, : array.shape[1]])
            for state, array in self.initial.items()
        }

    @property
    def kept(self) -> dict[str, Array]:
        """What the program was asked to keep."""
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
        self._held.clear()

    # Memory
    # ----------------------------------------------------------------------------------------------------

    @property
    def _of_symbols(self) -> bool:
        return self.variant is not None and self._design.symbols

    @property
    def _design(self) -> "entry.Design":
        assert self.variant is not None
        return self.variant.design

    @property
    def _arrays(self) -> dict[str, Array]:
        assert self.workspace is not None
        return self.workspace.arrays

    def _steps(self) -> Steps:
        if self.steps is None:
            raise BackwardError(f"{self.cell.name}: no step has been run yet.")
        return self.steps

    def _prepare(self, x: Array, total: int, low: int = 0) -> None:
        """Choose the compiled functions, find memory for ``total`` rows and put the inputs there."""
        is_ids = x.dtype.kind in "iu"
        if is_ids and self.kernel.reads_input:
            x, is_ids = self._one_hot(x), False
        if self.variant is None:
            self.variant = self.kernel.variant(saves=self.save, symbols=is_ids)
            self._size_of_input = self.kernel.sizes[self.cell.size_of["x"]] if "x" in self.cell.size_of else 0
        if self._of_symbols != is_ids:
            raise ShapeError(f"{self.cell.name}: expected token ids at every step of a run, or at none.")
        self._check_input(x)
        if is_ids and self.table is None and not self.stepwise and self._size_of_input > RARE * len(x):
            self.occurring, x = np.unique(x, return_inverse=True)
        if self.stepwise:
            x = self.x = self._appended(self.x, x, low)
        parts = self._parts(total)
        if self.workspace is None or self.workspace.key[0] < total:
            self._open(total, parts)
        elif self.stepwise:
            self._bind_steps()
        if is_ids:
            self._bind_ids(x)
        elif self._size_of_input:
            width = self._design.buffers["x"].width
            if width == self._size_of_input:
                self._bind("x", np.ascontiguousarray(x, self.kernel.dtype))
            else:
                self._bind_padded("x", x, self._size_of_input)

    def _open(self, total: int, parts: int) -> None:
        """Take memory for ``total`` rows, keeping what earlier steps left."""
        assert self.variant is not None
        old = self.workspace
        capacity = max(total, 2 * old.key[0]) if old is not None else total
        if self.stepwise and self.save:
            capacity = max(capacity, 16 * self.batch)
        symbols = self._symbols() if self._of_symbols else 0
        self.workspace = self.variant.take((capacity, self.batch, symbols, parts, self.stepwise))
        design = self._design
        h = recycled((self.batch + capacity, design.buffers["state h"].width), self.kernel.dtype)
        if old is None:
            self.h = h
            for state, array in self.initial.items():
                rows = h if state == "h" and "h" in design.stored else self._state_home(state)
                rows[: self.batch, : array.shape[1]] = array
        else:
            h[: len(self.h)] = self.h
            self.h = h
            for name, array in old.arrays.items():
                self._arrays[name][: len(array)] = array
            for name in ("table", "symbols"):
                slot = self.variant.driver.slots[name]
                self.workspace.arguments[slot] = old.arguments[slot]
            self.variant.give(old)
        self._bind("state h", h)
        self._bind_steps()

    def _state_home(self, state: str) -> Array:
        name = f"state {state}" if state in self._design.stored else f"roll {state}"
        return self.h if name == "state h" else self._arrays[name]

    def _state_rows(self, state: str) -> Array:
        return self._state_home(state)

    def _restart(self) -> None:
        """Let the states after the last step of a run that keeps nothing be the initial ones of the next."""
        assert self.steps is not None
        count = int(self.steps.counts[-1])
        for state in self.cell.states:
            rows = self._state_home(state)
            rows[:count] = rows[self.batch : self.batch + count]

    def _bind_steps(self) -> None:
        steps = self._steps()
        assert self.workspace is not None
        self._bind("steps", steps.table)
        self._bind("bounds", steps.bounds(self.workspace.key[3]))
        if self.save:
            if not steps.dense:
                self._bind("previous", steps.previous)
            elif self.variant is not None:
                self.workspace.arguments[self.variant.driver.slots["previous"]] = 0
            self._bind("sequence", steps.sequence)
        self._bind("theta", self.theta)

    def _bind(self, name: str, array: Array) -> None:
        """Let an argument say where an array lies, and hold on to it."""
        assert self.workspace is not None
        assert self.variant is not None
        self._held[name] = array
        self.workspace.arguments[self.variant.driver.slots[name]] = address(array)

    def _bind_padded(self, name: str, rows: Array, size: int, *, own: bool = False) -> Array:
        """Bind rows whose stride has to be a whole number of vectors; copy them where it is not."""
        width = self._design.buffers[name].width
        if rows.ndim != 2 or rows.shape[1] != size:
            raise ShapeError(
                f"{self.cell.name}: expected '{name}' as rows of {size} numbers, got shape {rows.shape}."
            )
        if width == size and rows.flags.c_contiguous and rows.dtype == self.kernel.dtype:
            array = np.array(rows) if own else rows
        else:
            array = np.zeros((len(rows), width), self.kernel.dtype)
            array[:, :size] = rows
        self._bind(name, array)
        return array

    def _bind_given(self, given: Mapping[str, Array]) -> None:
        for declared in self.cell.givens:
            if declared.name in given:
                size = self.kernel.sizes[self.cell.size_of[declared.name]]
                count = self.batch if declared.per == "sequence" else self._steps().total
                rows = given[declared.name][:count] if self.stepwise else given[declared.name]
                self._check_rows(declared.name, rows, count)
                self._bind_padded(f"given {declared.name}", rows, size)
            elif self._reads_given(declared.name):
                raise ShapeError(
                    f"{self.cell.name}: expected the auxiliary input '{declared.name}', got none. "
                    "Pass it in given."
                )

    def _reads_given(self, name: str) -> bool:
        graph = self.kernel.program.forward.graph
        return any(node.op == "given" and node.attribute == name for node in graph.nodes)

    def _take_table(self, ids: Array, table: Array | None) -> None:
        """Remember what ids stand for: rows of a table, or one-hot rows of which only some occur."""
        if table is not None:
            size = self.kernel.sizes[self.cell.size_of["x"]]
            if table.ndim != 2 or table.shape[1] != size or ids.dtype.kind not in "iu":
                raise ShapeError(
                    f"{self.cell.name}: expected token ids and a table of rows of {size} features, "
                    f"got {ids.dtype} and shape {table.shape}."
                )
            self.table = np.ascontiguousarray(table, self.kernel.dtype)

    def _symbols(self) -> int:
        """Give how many symbols the ids number."""
        if self.table is not None:
            return len(self.table)
        return len(self.occurring) if self.occurring is not None else self._size_of_input

    def _bind_ids(self, ids: Array) -> None:
        assert self.workspace is not None
        assert self.variant is not None
        slots, arguments = self.variant.driver.slots, self.workspace.arguments
        arguments[slots["symbols"]] = self._symbols()
        if self.table is not None:
            self._bind("x", self.table)
            arguments[slots["table"]] = entry.MULTIPLIED
        elif self.occurring is not None:
            self._fill_table(self.occurring)
            arguments[slots["table"]] = entry.READY
        else:
            arguments[slots["table"]] = entry.TRANSPOSED
        self._bind("ids", np.ascontiguousarray(ids, np.int64))

    def _fill_table(self, occurring: Array) -> None:
        """Look up the columns of the weights that belong to the symbols that occur."""
        for packed, place in self._design.tables():
            rows = self._arrays[place.buffer]
            for block, start in packed.blocks:
                before = sum(self.kernel.sizes[size] for size in block.columns[: block.part])
                weights = self.kernel.view(self.theta, block.matrix)
                begin = place.column + start
                rows[:, begin : begin + len(weights)] = weights[:, before + occurring].T

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

    # Calls
    # ----------------------------------------------------------------------------------------------------

    def _parts(self, total: int) -> int:
        """Choose how many threads take part."""
        wanted = thread_count()
        if wanted < 2 or self.stepwise or 2 * self.kernel.size * total < WORTH_SHARING:
            return 1
        return wanted

    def _call(self, name: str, first: int, last: int, mode: int) -> None:
        assert self.workspace is not None
        assert self.variant is not None
        function = self.variant.forward if name == "forward" else self.variant.backward
        assert function is not None
        arguments = address(self.workspace.arguments)
        if self.stepwise:
            mode |= entry.STEPWISE
        parts = self.workspace.key[3]
        if parts > 1 and self.batch < OWNED * parts:
            mode |= entry.UNITS
        if parts > 1 and workers.acquire():
            try:
                workers.run([_task(function, arguments, first, last, part, parts, mode) for part in range(parts)])
            finally:
                workers.release()
            return
        if parts > 1:
            self._bind("bounds", self._steps().bounds(1))
        function(arguments, first, last, 0, 1, mode)

    # Gradients that arrive, and those that leave
    # ----------------------------------------------------------------------------------------------------

    def _begin_backward(self, d_finals: Mapping[str, Array] | None) -> None:
        if not self.save:
            raise BackwardError(
                f"{self.cell.name}: this run saved nothing for a backward. Start it with save=True."
            )
        if self.began_backward or self.released or self.workspace is None:
            raise BackwardError(
                f"{self.cell.name}: the backward of a run can be called once. Run the forward again."
            )
        self.began_backward = True
        for state, initial in self.initial.items():
            carried = self._arrays[f"carry {state}"]
            if d_finals is not None and d_finals.get(state) is not None:
                for half in (0, self.batch):
                    carried[half : half + self.batch, : initial.shape[1]] = d_finals[state]
            else:
                carried[...] = 0.0
        self._arrays["sums"][...] = 0.0
        for name, array in self._arrays.items():
            if name.startswith("symbols of "):
                array[...] = 0.0
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
        """Add what is not worth compiled code: gradients that arrive as they leave, and those of symbols."""
        for vector, node in self._design.leaf_sums:
            self.kernel.view(d_theta, vector)[...] += self._rows_of(node).sum(axis=0)
        if not self._of_symbols or self.table is not None:
            return
        columns: slice | Array = slice(None) if self.occurring is None else self.occurring
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
                part[:, columns] += sums[: self._symbols(), start : start + outer.group].T

    def _with_unread_final(self, d_h: Array, d_finals: Mapping[str, Array] | None) -> Array:
        """Where no step reads h, the gradient of its last value arrives as if from above."""
        if (
            "h" in self.kernel.program.forward.recurrent_states
            or d_finals is None
            or d_finals.get("h") is None
        ):
            return np.asarray(d_h, self.kernel.dtype)
        result = np.array(d_h, self.kernel.dtype)
        last = self._steps().last - self.batch
        active = last >= 0
        result[last[active]] += d_finals["h"][active]
        return result

    # Reading rows
    # ----------------------------------------------------------------------------------------------------

    def _output(self, low: int, high: int) -> Array:
        return self.h[self.batch + low : self.batch + high, : self.kernel.sizes["H"]]

    def _rows_of(self, node: Node) -> Array:
        """Give all rows of a value."""
        steps, design = self._steps(), self._design
        size = self.kernel.sizes.get(node.size, 1)
        if node.op == "number":
            return np.full((steps.total, size), node.attribute, self.kernel.dtype)
        if node.op == "inverse_size":
            return np.full((steps.total, size), 1.0 / design.size(str(node.attribute)), self.kernel.dtype)
        if node.op == "vector":
            return np.tile(self.kernel.view(self.theta, str(node.attribute)), (steps.total, 1))
        if node.op == "d_output":
            assert self.d_h is not None
            return np.array(self.d_h[: steps.total, :size])
        if node.op == "input":
            assert self.x is not None
            return np.array(self.x[: steps.total])
        if node.op == "given":
            rows = self.given[str(node.attribute)]
            declared = next(given for given in self.cell.givens if given.name == node.attribute)
            return np.array(rows[steps.sequence] if declared.per == "sequence" else rows[: steps.total])
        place = design.kept_place(node)
        if place.buffer.startswith("state "):
            rows = self._state_rows(place.buffer.removeprefix("state "))
            begin = self.batch
            if place.index == "old":
                return np.array(rows[steps.previous, :size])
            return np.array(rows[begin : begin + steps.total, :size])
        rows = self._arrays[place.buffer]
        if place.index == "zero":
            return np.tile(rows[0, place.column : place.column + size], (steps.total, 1))
        if place.index == "symbol":
            assert self.x is not None
            return np.array(rows[self.x[: steps.total], place.column : place.column + size])
        return np.array(rows[: steps.total, place.column : place.column + size])

    # Checks
    # ----------------------------------------------------------------------------------------------------

    def _check_rows(self, name: str, array: Array, total: int) -> None:
        if len(array) != total:
            raise ShapeError(
                f"{self.cell.name}: expected {total} rows of {name}, one for each step of each sequence, "
                f"got {len(array)}."
            )

    def _check_input(self, x: Array) -> None:
        size = self._size_of_input if self.table is None else len(self.table)
        if self._of_symbols:
            if len(x) and (int(x.min()) < 0 or int(x.max()) >= size):
                raise ShapeError(f"{self.cell.name}: expected token ids from 0 to {size - 1}, got {x.min()} to {x.max()}.")
        elif size and (x.ndim != 2 or x.shape[1] != size):
            raise ShapeError(f"{self.cell.name}: expected rows of {size} features, got shape {x.shape}.")
        if not self.stepwise:
            self.x = x

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

    def _one_hot(self, ids: Array) -> Array:
        """Write token ids out as one-hot rows where the cell does more with its input than multiply it."""
        one_hot = np.zeros((len(ids), self.kernel.sizes[self.cell.size_of["x"]]), self.kernel.dtype)
        one_hot[np.arange(len(ids)), ids] = 1.0
        return one_hot


def _task(function: object, *arguments: int) -> "workers.Task":
    assert callable(function)
    return lambda: function(*arguments)
