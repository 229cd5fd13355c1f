"""A program bound to sizes and a dtype, ready to start runs."""

from collections.abc import Mapping

import numpy as np

from noria.arrays import Array
from noria.compiler.graph import Block
from noria.compiler.program import Program
from noria.engines.parameters import ParameterLayout, parameter_count, parameter_layout
from noria.engines.reference.plan import Plan, Stack, make_plan
from noria.engines.reference.run import ReferenceRun
from noria.engines.reference.stream import ReferenceStream
from noria.engines.seam import Kernel
from noria.errors import ShapeError


class ReferenceKernel(Kernel):
    """The reference engine's kernel; see :mod:`noria.engines.seam`."""

    engine = "reference"

    def __init__(self, program: Program, sizes: Mapping[str, int], dtype: np.dtype) -> None:
        self.program = program
        self.sizes = dict(sizes)
        self.dtype = dtype
        self.plans: dict[bool, Plan] = {
            save: make_plan(program, sizes, training=save) for save in (True, False)
        }
        self.layout: ParameterLayout = parameter_layout(program, self.sizes)
        self.size = parameter_count(self.layout)

    def stacked(self, theta: Array, stack: Stack) -> tuple[Array, bool]:
        """Give several blocks as one matrix, and whether it is a view into the flat block."""
        first = stack.blocks[0]
        start, shape = self._where[first.matrix]
        rows, expected = 0, start
        for block in stack.blocks:
            offset, block_shape = self._where[block.matrix]
            if (
                offset != expected
                or block_shape[1] != shape[1]
                or block.part != first.part
                or block.columns != first.columns
            ):
                return np.concatenate(
                    [self._columns(self.view(theta, b.matrix), b) for b in stack.blocks]
                ), False
            expected += int(np.prod(block_shape))
            rows += block_shape[0]
        whole = theta[start:expected].reshape(rows, shape[1])
        return self._columns(whole, first), True

    def _columns(self, matrix: Array, block: Block) -> Array:
        start = sum(self.sizes[size] for size in block.columns[: block.part])
        return matrix[:, start : start + self.sizes[block.column]]

    def start(
        self,
        theta: Array,
        states: Mapping[str, Array],
        counts: Array | None,
        *,
        given: Mapping[str, Array] | None = None,
        save: bool = True,
    ) -> ReferenceRun:
        """Begin a run; see :class:`noria.engines.seam.Kernel`."""
        cell = self.program.forward.cell
        if theta.shape != (self.size,):
            raise ShapeError(
                f"{cell.name}: expected {self.size} parameters in one block, "
                f"got an array of shape {theta.shape}."
            )
        for state in cell.states:
            size = self.sizes[cell.size_of[state]]
            if state not in states or states[state].ndim != 2 or states[state].shape[1] != size:
                got = states[state].shape if state in states else "none"
                raise ShapeError(
                    f"{cell.name}: expected an initial state '{state}' of shape (B, {size}), got {got}."
                )
        return ReferenceRun(self, self.plans[save], theta, states, counts, given or {}, save)

    def stream(self, theta: Array, batch: int, *, symbols: bool, steps: int = 1) -> ReferenceStream:
        """Make a stream; see :class:`noria.engines.seam.Kernel`."""
        return ReferenceStream(self, theta, batch)
