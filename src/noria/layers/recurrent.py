"""One layer of recurrence with any cell, run by the engine that its program is bound to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from noria.arrays import Array
from noria.compiler import compile_cell
from noria.engines import Kernel, bind
from noria.equations import Cell, Initial, cells
from noria.errors import OptionError, ProgramError, ShapeError
from noria.layers.backward import Backward, Gradients
from noria.layers.cell_inputs import CellInputs
from noria.layers.layer import INFERENCE, TRACKED, Inputs, Layer, Mode
from noria.layers.onehot import check_ids, is_ids
from noria.layers.parameters import Block, Parameter
from noria.layers.recurrent_steps import RecurrentSteps
from noria.layers.recurrent_stream import RecurrentStream
from noria.layers.state import State
from noria.layers.weight_drop import WeightDrop
from noria.sequences import Layout, LookedUp, Ragged


class Recurrent(Layer):
    """Runs a cell over every sequence of a batch; its output is the cell's ``h``.

    The state is a dictionary of the cell's states, arrays (B, size) in the caller's order, whose final
    values are each sequence's own. The auxiliary inputs are those that the cell names: per sequence (B,
    size) in the caller's order, per row (N, size) beside the rows of `x`. Those with a law are drawn in
    training and stand at their expectation otherwise, unless they are given; the others must be given.

    Parameters
    ----------
    cell : Cell, str or path
        A cell, the name of one that ships, or a file of equations.
    hidden_size : int
        Size of ``h``, H.
    sizes : mapping, optional
        Further sizes by the name of a value, ``{"c": 512}``; those left out are as wide as ``h``.
    input_size : int, optional
        Fixes the input size now; by default it is known when the layer is configured.
    engine : {"auto", "native", "reference"}
    keep : sequence of str
        Names to record at each step into ``backward.kept``: values (``"i"``), states after the step
        (``"c"``), their gradients (``"d_c"``, there after the backward); arrays (N, size).
    drop_connect : float, default 0
        Probability of leaving out a weight that multiplies the state, the same ones at every step of a
        batch, in training (see :class:`~noria.layers.weight_drop.WeightDrop`). ``given={"mask.U_i": ...}``
        sets the factors of a matrix; a stream, whose weights are packed once, takes none.
    frozen : bool, default False
        Whether training leaves the parameters as they are.
    """

    def __init__(
        self,
        cell: "Cell | str | Path",
        hidden_size: int,
        *,
        sizes: Mapping[str, int] | None = None,
        input_size: int | None = None,
        engine: str = "auto",
        keep: Sequence[str] = (),
        drop_connect: float = 0.0,
        frozen: bool = False,
        name: str | None = None,
    ) -> None:
        self.cell = cells.get(cell)
        self.kind = self.cell.name
        super().__init__(name)
        if hidden_size < 1:
            raise OptionError(
                f"The 'hidden_size' option of {self.title} must be an int of at least 1. Got {hidden_size}."
            )
        self.hidden_size = hidden_size
        self.engine = engine
        self.keep = tuple(keep)
        self.weight_drop = WeightDrop(self.title, self.cell, drop_connect)
        self.frozen = frozen
        self._free_sizes = {self._symbol(key): size for key, size in (sizes or {}).items()}
        self._laws = {given.name: given for given in self.cell.givens}
        self._must_be_supplied = any(given.law == "supplied" for given in self.cell.givens)
        self._parameters: dict[str, Parameter] = {}
        self._kernels: dict[tuple[np.dtype[Any], bool, bool, tuple[str, ...]], Kernel] = {}
        if input_size is not None:
            self.configure(input_size)

    def twin(self, name: str | None = None) -> "Recurrent":
        """Give a layer of the same cell and sizes, with parameters of its own."""
        sizes, keep = self._free_sizes, self.keep
        other = Recurrent(
            self.cell,
            self.hidden_size,
            sizes=sizes,
            engine=self.engine,
            keep=keep,
            drop_connect=self.weight_drop.p,
            frozen=self.frozen,
            name=name,
        )
        if self._sizes is not None:
            other.configure(self.input_size)
        return other

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The size of every symbol of the cell: ``{"D": 4, "H": 7}``."""
        known = {"D": self.input_size, "H": self.hidden_size, **self._free_sizes}
        return {symbol: known.get(symbol, self.hidden_size) for symbol in self.cell.sizes}

    @cached_property
    def _inputs(self) -> CellInputs:
        return CellInputs(self.title, self.cell, self.sizes)

    def own_parameters(self) -> Iterator[Parameter]:
        """Give the cell's parameters in the order of its equations."""
        yield from self._parameters.values()

    def own_blocks(self) -> Iterator[Block]:
        """Give the block of the cell's parameters."""
        yield self._block

    def initial_states(self, prefix: str = "") -> Iterator[tuple[str, int, Initial]]:
        """Give name, size and law of each state of the cell."""
        for state in self.cell.states:
            yield f"{prefix}{state}", self.sizes[self.cell.size_of[state]], self.cell.initial[state]

    def row_inputs(self) -> set[str]:
        """Give the names of the auxiliary inputs that lie beside the rows of the input."""
        return {given.name for given in self.cell.givens if given.per == "row"}

    def start(self, batch_size: int = 1) -> dict[str, Array]:
        """Give the cell's own initial state for `batch_size` sequences."""
        return self._inputs.start(batch_size, self._built().values.dtype)

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Run the cell over rows (N, D), or over token ids (N,) that stand for one-hot rows."""
        block, layout = self._built(), x.layout
        dtype = block.values.dtype
        kernel, theta, factors, inputs = self._ready(layout, given or {}, mode)
        begin = self._inputs.state(state, layout, dtype, "state")
        names = self._recorded(mode)
        run = kernel.start(theta, begin, layout.counts, given=inputs, save=mode.save)
        rows, table = self._rows(x, dtype, kernel)
        y = x.with_rows(run.forward(rows, table))
        receive = x.receive if isinstance(x, LookedUp) and table is not None else None
        final = {name: layout.to_caller(array) for name, array in run.finals.items()}
        recorded = run.kept if names else {}
        kept = {name: recorded[name] for name in _forward_names(names)}
        if mode.recorder is not None:
            mode.recorder.take(self, layout, kept)

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_final = None if d_state is None else self._inputs.state(d_state, layout, dtype, "d_state")
            wanted = table is None or receive is not None
            d_theta = block.gradients if factors is None else np.zeros_like(block.gradients)
            d_rows = run.backward(np.ascontiguousarray(d_y, dtype), d_final, d_theta, want_d_x=wanted)
            if factors is not None:
                block.gradients[...] += d_theta * factors
            if receive is not None and d_rows is not None:
                receive(d_rows)
            if table is not None:
                d_rows = None
            block.clear_frozen()
            if names:
                kept.update(run.kept)
            return Gradients(d_rows, {name: layout.to_caller(array) for name, array in run.d_states.items()})

        if not mode.save:
            run.release()
            return y, Backward(None, self.title, state=final, kept=kept)
        return y, Backward(backward, self.title, state=final, kept=kept, release=run.release)

    def stepwise(self, layout: Layout, state: State, given: Inputs | None, mode: Mode) -> RecurrentSteps:
        """Run the cell one step at a time; the gradients of the weights are one product at the end."""
        if mode.recorder is not None:
            mode = replace(mode, save=True)  # what is recorded is read when all steps have been taken
        kernel, theta, factors, inputs = self._ready(layout, given or {}, mode)
        by_row = {name: inputs.pop(name) for name in self.row_inputs() & set(inputs)}
        begin = self._inputs.state(state, layout, self._block.values.dtype, "state")
        run = kernel.start(theta, begin, None, given=inputs, save=mode.save)
        kept: dict[str, Array] | None = None
        if mode.recorder is not None:
            kept = {}
            mode.recorder.take(self, layout, kept)
        return RecurrentSteps(run, self._block, layout, by_row, factors, kept)

    def stream(self, batch_size: int = 1) -> RecurrentStream:
        """Give a copy of the layer that takes one step at a time; auxiliary inputs are (B, size)."""
        values = self._built().values
        dtype = values.dtype

        def sort_given(given: Inputs | None, layout: Layout) -> dict[str, Array]:
            self._check_given(given, self._laws)
            return self._inputs.given(given or {}, layout, dtype, INFERENCE)

        return RecurrentStream(
            self,
            batch_size,
            values,
            kernel_of=lambda drawn: self._kernel(dtype, drawn=drawn, save=False, keep=self.keep),
            check_rows=self._check_width,
            sort_state=lambda state, layout: self._inputs.state(state, layout, dtype, "state"),
            sort_given=sort_given,
        )

    def _declare(self, input_size: int) -> int:
        if self.cell.size_of["x"] == "H" and input_size != self.hidden_size:
            raise ShapeError(
                f"{self.title}: expected rows of {self.hidden_size} features, got {input_size}.\n"
                "  In this cell the input is as wide as the hidden state. Put a linear layer before it."
            )
        sizes = {"D": input_size, "H": self.hidden_size, **self._free_sizes}
        program = compile_cell(self.cell, self.keep)
        # where parameters lie is the program's choice, the same in every engine and dtype
        kernel = bind(program, sizes, np.float64, "reference")
        places = {name: (offset, shape) for name, offset, shape in kernel.layout}
        self._layout = kernel.layout
        for declared in self.cell.parameters:
            _, shape = places[declared.name]
            law = self.cell.initial[declared.name]
            self._parameters[declared.name] = Parameter(declared.name, shape, law, frozen=self.frozen)
        members = [(places[name][0], parameter) for name, parameter in self._parameters.items()]
        self._block = Block(kernel.size, members)
        return self.hidden_size

    def _ready(
        self, layout: Layout, given: Inputs, mode: Mode
    ) -> tuple[Kernel, Array, Array | None, dict[str, Array]]:
        """Give what a run begins with: kernel, parameters, the factors in them, auxiliary inputs."""
        values = self._built().values
        dtype = values.dtype
        self._check_given(given, [*self._laws, *self.weight_drop.names])
        factors = self.weight_drop.factors(self._parameters, self._block, self.sizes, given, mode, dtype)
        drawn = mode.training or bool(given)
        needed = drawn or self._must_be_supplied
        inputs = self._inputs.given(given, layout, dtype, mode) if needed else {}
        kernel = self._kernel(dtype, drawn=drawn, save=mode.save, keep=self._recorded(mode))
        return kernel, values if factors is None else values * factors, factors, inputs

    def _recorded(self, mode: Mode) -> tuple[str, ...]:
        """Give the names to record in a call."""
        if mode.recorder is None:
            return self.keep
        return tuple(dict.fromkeys([*self.keep, *mode.recorder.names(self.cell)]))

    def _kernel(self, dtype: np.dtype[Any], *, drawn: bool, save: bool, keep: tuple[str, ...]) -> Kernel:
        """Give the kernel; where nothing is drawn nor given, the one with expectations written into it."""
        expected = not drawn and any(given.law != "supplied" for given in self._laws.values())
        key = (dtype, expected, save, keep)
        if key not in self._kernels:
            program = compile_cell(self.cell, keep if save else _forward_names(keep), expected=expected)
            kernel = bind(program, self.sizes, dtype, self.engine)
            if kernel.layout != self._layout:
                raise ProgramError(
                    f"{self.title}: engine '{kernel.engine}' lays parameters out in another order."
                )
            self._kernels[key] = kernel
        return self._kernels[key]

    def _built(self) -> Block:
        self._configured()
        return self._block

    def _symbol(self, key: str) -> str:
        free = free_sizes(self.cell)
        if key not in free:
            names = ", ".join(f"'{name}'" for name in free if f"H_{name}" in free) or "none"
            raise OptionError(
                f"The 'sizes' option of {self.title} names '{key}', whose size is not free. "
                f"Free in this cell: {names}."
            )
        return free[key]

    def _rows(self, x: Ragged, dtype: np.dtype[Any], kernel: Kernel) -> tuple[Array, Array | None]:
        """Give the rows for the kernel: features, token ids, or ids into a table where that is less work."""
        if isinstance(x, LookedUp) and not kernel.reads_input and len(x.table) <= len(x.ids):
            table = np.ascontiguousarray(x.table, dtype)
            if table.shape[1] == self.input_size:
                return x.ids, table
        if is_ids(x.rows):
            check_ids(self.title, x.rows, self.input_size)
            return x.rows, None
        self._check_width(x)
        return np.ascontiguousarray(x.rows, dtype), None


def _forward_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Give the names to record that are not gradients, which are there after the backward only."""
    return tuple(name for name in names if not name.startswith("d_"))


def free_sizes(cell: Cell) -> dict[str, str]:
    """Give the size symbol of each name (and symbol) whose size is neither that of ``x`` nor of ``h``."""
    named = {name: symbol for name, symbol in cell.size_of.items() if symbol not in ("D", "H")}
    return named | {symbol: symbol for symbol in named.values()}
