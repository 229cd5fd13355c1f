"""The memory of one run: arrays brought to the layout that compiled code expects, and bound to its arguments.

Every array's shape, dtype and order are checked, or the array is copied, before its address is taken.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from noria.arrays import Array
from noria.compiler.graph import Node
from noria.engines.native import entry
from noria.engines.native import places as kinds
from noria.engines.native.design import Design
from noria.engines.native.memory import recycled
from noria.engines.native.sharing import parts_of
from noria.engines.native.steps import Steps
from noria.engines.native.workspace import Workspace
from noria.engines.one_hot import written_out
from noria.engines.rows import appended
from noria.errors import BackwardError, ShapeError

if TYPE_CHECKING:
    from noria.engines.native.kernel import NativeKernel, Variant

RARE = 2
"""Symbols for each row from which on only those that occur are looked at."""


class Frame:
    """Memory of one run of a kernel, for the batch or step by step."""

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
        self.workspace: Workspace | None = None
        self.variant: Variant | None = None
        self.x: Array | None = None
        self.table: Array | None = None
        self.occurring: Array | None = None
        self.d_h: Array | None = None
        self.h: Array
        self._size_of_input = kernel.sizes[self.cell.size_of["x"]] if "x" in self.cell.size_of else 0

    @property
    def _of_symbols(self) -> bool:
        return self.variant is not None and self._design.symbols

    @property
    def _design(self) -> Design:
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

    def _need_memory(self) -> None:
        """Refuse to look into a run that has not begun, or was released."""
        if self.workspace is None:
            raise BackwardError(f"{self.cell.name}: nothing was run, or the run was released.")

    def _checked(self, x: Array) -> Array:
        """Choose the compiled functions for an input, and refuse one that does not fit."""
        size = self._size_of_input
        is_ids = x.dtype.kind in "iu"
        symbols = size if self.table is None else len(self.table)
        if is_ids and (x.ndim != 1 or (len(x) and not 0 <= int(x.min()) <= int(x.max()) < symbols)):
            got = f"{x.min()} to {x.max()}" if x.size else "none"
            raise ShapeError(
                f"{self.cell.name}: expected token ids from 0 to {symbols - 1} in one dimension, got {got} "
                f"in an array of shape {x.shape}."
            )
        if is_ids and self.kernel.reads_input:
            x, is_ids = written_out(x, size, self.kernel.dtype), False
        if not is_ids and size and (x.ndim != 2 or x.shape[1] != size or x.dtype.kind not in "fb"):
            raise ShapeError(
                f"{self.cell.name}: expected rows of {size} features, got {x.dtype} of shape {x.shape}."
            )
        if self.variant is None:
            self.variant = self.kernel.variant(saves=self.save, symbols=is_ids)
        if self._of_symbols != is_ids:
            raise ShapeError(f"{self.cell.name}: expected token ids at every step of a run, or at none.")
        return np.ascontiguousarray(x, np.int64 if is_ids else self.kernel.dtype)

    def _prepare(self, x: Array, total: int, low: int = 0) -> None:
        """Find memory for ``total`` rows and put the inputs there."""
        is_ids = self._of_symbols
        if is_ids and self.table is None and not self.stepwise and self._size_of_input > RARE * len(x):
            self.occurring, x = np.unique(x, return_inverse=True)
        self.x = x = appended(self.x if self.save else None, x, low) if self.stepwise else x
        if self.workspace is None or self.workspace.key[0] < total:
            parts = 1 if self.stepwise else parts_of(self._design, self.kernel.size, self.batch, total)
            self._open(total, parts)
        elif self.stepwise:
            self._bind_steps()
        if is_ids:
            self._bind_ids(x)
        elif self._size_of_input:
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
        h = recycled((self.batch + self.workspace.key[0], design.buffers["state h"].width), self.kernel.dtype)
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
        self._bind("theta", self.theta)

    def _bind_row_numbers(self) -> None:
        """Bind what the gradients of the weights need to find the rows that belong to theirs."""
        steps = self._steps()
        self._bind("previous", None if steps.dense else steps.previous)
        self._bind("sequence", steps.sequence if self._design.reads_sequence else None)

    def _bind(self, name: str, array: Array | None) -> None:
        """Let an argument say where an array lies, and hold on to it."""
        assert self.workspace is not None
        self.workspace.bind(name, array)

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
        self._check_given(given, self._steps().total)
        for declared in self.cell.givens:
            if declared.name in given:
                size = self.kernel.sizes[self.cell.size_of[declared.name]]
                count = self.batch if declared.per == "sequence" else self._steps().total
                self._bind_padded(f"given {declared.name}", given[declared.name][:count], size)

    def _check_given(self, given: Mapping[str, Array], rows: int, only: set[str] | None = None) -> None:
        """Refuse auxiliary inputs that are missing or do not fit ``rows`` rows."""
        for declared in self.cell.givens:
            array = given.get(declared.name)
            if array is None and declared.name in self.kernel.needs:
                raise ShapeError(
                    f"{self.cell.name}: expected the auxiliary input '{declared.name}', got none. "
                    "Pass it in given."
                )
            if array is None or (only is not None and declared.name not in only):
                continue
            size = self.kernel.sizes[self.cell.size_of[declared.name]]
            count = self.batch if declared.per == "sequence" else rows
            fits = len(array) >= count if self.stepwise else len(array) == count
            if array.ndim != 2 or array.shape[1] != size or not fits:
                raise ShapeError(
                    f"{self.cell.name}: expected the auxiliary input '{declared.name}' of shape "
                    f"({count}, {size}), got {array.shape}."
                )

    # Symbols
    # ----------------------------------------------------------------------------------------------------

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
                rows[: len(occurring), begin : begin + len(weights)] = weights[:, before + occurring].T

    # Rows
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
            rows = self._state_home(place.buffer.removeprefix("state "))
            begin = self.batch
            if place.index == kinds.OLD:
                return np.array(rows[steps.previous, :size])
            return _copied(rows[begin : begin + steps.total, :size])
        rows = self._arrays[place.buffer]
        if place.index == kinds.ZERO:
            return np.tile(rows[0, place.column : place.column + size], (steps.total, 1))
        if place.index == kinds.SYMBOL:
            assert self.x is not None
            return np.array(rows[self.x[: steps.total], place.column : place.column + size])
        return _copied(rows[: steps.total, place.column : place.column + size])


def _copied(rows: Array) -> Array:
    """Copy rows into memory that has been used before: fresh memory takes longer than the copying."""
    copy = recycled(rows.shape, rows.dtype)
    copy[...] = rows
    return copy
