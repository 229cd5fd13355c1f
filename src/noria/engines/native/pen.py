"""What every part of a kernel's functions is written with: arguments, rows of steps, calls of products."""

from collections.abc import Iterator
from contextlib import contextmanager

from llvmlite import ir

from noria.compiler.graph import Block
from noria.engines.native import places as kinds
from noria.engines.native.code import INDEX, Code, Numbers
from noria.engines.native.design import Design
from noria.engines.native.entry import ENTRY
from noria.engines.native.pass_design import PassDesign
from noria.engines.native.places import Multiply, Place
from noria.engines.native.stages import Stage
from noria.engines.native.sweeps import STEP


class Scene:
    """What the functions of one kernel have in common.

    Attributes
    ----------
    module : llvmlite module
        Where they are written.
    slots : dict
        Name of an argument or buffer to its place among the arguments.
    offsets : dict
        Where each parameter begins in the flat block.
    columns : dict
        The columns of each matrix, cut into those of its operands.
    block_rows : int
        Rows that a thread multiplies before it sweeps over them.
    panel, work : int
        Vectors in a panel of packed weights; numbers that a product of rows with rows works in.
    """

    def __init__(
        self,
        module: ir.Module,
        design: Design,
        numbers: Numbers,
        slots: dict[str, int],
        offsets: dict[str, int],
        block_rows: int,
        panel: int,
        work: int,
    ) -> None:
        self.module, self.design, self.numbers, self.slots = module, design, numbers, slots
        self.offsets, self.block_rows, self.panel, self.work = offsets, block_rows, panel, work
        self.columns = {
            parameter.name: [design.size(size) for size in parameter.columns]
            for parameter in design.cell.parameters
        }


class Pen:
    """Writes one function of a kernel.

    Parameters
    ----------
    scene : Scene
    name : str
        Of the function, and of the pass that it runs.
    one : PassDesign
    functions : dict
        The function that sweeps for each stage, by the stage's id.
    """

    def __init__(self, scene: Scene, name: str, one: PassDesign, functions: dict[int, ir.Function]) -> None:
        self.scene, self.name, self.one, self.functions = scene, name, one, functions
        self.design, self.numbers = scene.design, scene.numbers
        self.code = code = Code(scene.module, scene.numbers, name, ENTRY)
        self.arguments, self.part, self.parts = (code.given[key] for key in ("arguments", "part", "parts"))
        self.steps = self._pointer("steps")
        bounds = self._pointer("bounds")
        self.low = code.load_index(bounds, self.part)
        self.high = code.load_index(bounds, code.b.add(self.part, code.index(1)))
        self.chunk: ir.Value = code.index(0)

    # Calls
    # ----------------------------------------------------------------------------------------------------

    def _multiply(
        self,
        multiply: Multiply,
        block_low: ir.Value | None,
        first: ir.Value,
        last: ir.Value,
        *,
        step: ir.Value | None,
        block_part: ir.Value | None = None,
        shares: bool = False,
        ahead: tuple[ir.Value, ir.Value] | None = None,
    ) -> None:
        """Multiply rows ``first`` to ``last`` of a step (without one: of the table of symbols).

        ``ahead`` says where numbers lie that are read next, and how many.
        """
        code, b = self.code, self.code.b
        packed = multiply.packed
        vectors = packed.columns // self.numbers.lanes
        panels = -(-vectors // self.scene.panel)
        source = self._rows_from(multiply.source, first, step, block_low, block_part)
        target = self._rows_from(multiply.target, first, step, block_low, block_part)
        low, high = code.index(0), code.index(panels)
        if shares:
            low, high = self._split(high)
        self._library(
            "multiply_ahead" if ahead else "multiply",
            source,
            self._stride(multiply.source, step),
            b.sub(last, first),
            packed.inner,
            self._pointer(packed.name),
            low,
            high,
            vectors,
            target,
            self._stride(multiply.target, step),
            int(multiply.adds),
            *(ahead or ()),
        )

    def _rows_from(
        self,
        place: Place,
        row: ir.Value,
        step: ir.Value | None,
        block_low: ir.Value | None,
        block_part: ir.Value | None,
    ) -> ir.Value:
        """Give where row ``row`` of a step lies in a place."""
        code, b = self.code, self.code.b
        name = place.buffer if step is not None else self._of_symbols(place.buffer)
        buffer = self.design.buffers[name]
        base = self._pointer(name)
        if place.index == kinds.BLOCK:
            assert block_low is not None
            assert block_part is not None
            base = code.at(base, b.mul(block_part, code.index(self.scene.block_rows * buffer.width)))
            number = b.sub(row, block_low)
        elif place.index in (kinds.SEQUENCE, kinds.SYMBOL) or step is None:
            number = row
        elif place.index == kinds.ZERO:
            number = code.index(0)
        elif place.index == kinds.CHUNK:
            number = b.sub(b.add(code.load_index(step, STEP.index(kinds.ROW)), row), self.chunk)
        else:
            number = b.add(code.load_index(step, STEP.index(place.index)), row)
        return code.at(base, b.add(b.mul(number, code.index(buffer.width)), code.index(place.column)))

    def _of_symbols(self, buffer: str) -> str:
        """Give the buffer that holds per symbol what another holds per row."""
        return f"symbols of {buffer}" if f"symbols of {buffer}" in self.design.buffers else buffer

    def _stride(self, place: Place, step: ir.Value | None) -> int:
        name = place.buffer if step is not None else self._of_symbols(place.buffer)
        return self.design.buffers[name].width

    def _call_sweeps(
        self,
        stage: Stage,
        step: ir.Value,
        low: ir.Value,
        high: ir.Value,
        block_low: ir.Value,
        share: ir.Value,
        shares: ir.Value,
        *,
        block_part: ir.Value | None = None,
    ) -> None:
        function = self.functions[id(stage)]
        part = self.part
        self.code.b.call(
            function,
            [
                self.arguments,
                step,
                part,
                low,
                high,
                block_low,
                part if block_part is None else block_part,
                share,
                shares,
                self.chunk,
            ],
        )

    def _library(self, name: str, *arguments: "ir.Value | int") -> None:
        self.code.call(
            f"noria_{name}_f{8 * self.numbers.size}",
            [self.code.index(argument) if isinstance(argument, int) else argument for argument in arguments],
        )

    def _meet(self) -> None:
        """Wait for all threads that take part."""
        self.code.call("meet", [self._pointer("barrier"), self.parts])

    # Arguments, steps, shares
    # ----------------------------------------------------------------------------------------------------

    def _pointer(self, name: str) -> ir.Value:
        return self.code.load_pointer(self.arguments, self.scene.slots[name])

    def _pointer_index(self, name: str) -> ir.Value:
        return self.code.load_index(self.arguments, self.scene.slots[name])

    def _weights(self, block: Block) -> ir.Value:
        columns = self.scene.columns[block.matrix]
        return self.code.at(
            self._pointer("theta"), self.scene.offsets[block.matrix] + sum(columns[: block.part])
        )

    def _bit(self, bit: int) -> ir.Value:
        b, code = self.code.b, self.code
        return b.icmp_signed("!=", b.and_(code.given["mode"], code.index(bit)), code.index(0))

    def _step(self, t: ir.Value) -> ir.Value:
        b, code = self.code.b, self.code
        return b.gep(self.steps, [b.mul(t, code.index(len(STEP)))], source_etype=INDEX)

    def _row_behind(self, last: ir.Value) -> ir.Value:
        """Give the row behind those of the steps before ``last``."""
        step = self._step(self.code.b.sub(last, self.code.index(1)))
        row, count = self.code.load_index(step, STEP.index(kinds.ROW)), self.code.load_index(step, 0)
        return self.code.b.add(row, count)

    @contextmanager
    def _each_step(self, begin: ir.Value, end: ir.Value) -> Iterator[ir.Value]:
        with self.code.each(end, start=begin) as t:
            yield self._step(t)

    def _split(self, count: ir.Value) -> tuple[ir.Value, ir.Value]:
        """Give this thread's share of ``count`` things."""
        b, code = self.code.b, self.code
        first = b.sdiv(b.mul(count, self.part), self.parts)
        last = b.sdiv(b.mul(count, b.add(self.part, code.index(1))), self.parts)
        return first, last

    def _least(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return self.code.b.select(self.code.b.icmp_signed("<", a, b), a, b)
