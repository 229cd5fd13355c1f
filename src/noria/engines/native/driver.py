"""The functions of a kernel: forward, backward and the weights' gradients, time loop and threads inside.

Each is called once by every thread that takes part, with its number; where one thread needs what another
computes, all meet at a barrier. There are two ways to share the time loop: every thread owns some sequences
from first step to last and meets nobody, or, where there are too few, every thread owns some columns of each
product and they meet after each stage.
"""

import platform
from collections.abc import Iterator
from contextlib import contextmanager

from llvmlite import ir


from noria.compiler.program import AFTER, BEFORE, INPUT, LOOP
from noria.engines.native import design as d
from noria.engines.native.code import INDEX, POINTER, Code, Numbers
from noria.engines.native.design import Design, Multiply, Outer, Packed, PassDesign
from noria.engines.native.stages import ONCE, Stage
from noria.engines.native.sweeps import ARGUMENTS, STEP, SweepWriter, splits_units

FIXED = (
    "theta",
    "d_theta",
    "ids",
    "steps",
    "bounds",
    "barrier",
    "previous",
    "sequence",
    "work",
    "symbols",
    "table",
    "chunk forward",
    "chunk backward",
)
"""Arguments of every kernel besides its buffers: addresses, but for four numbers.

``symbols`` is how many there are, ``table`` how their rows come about, ``chunk ...`` the steps of a chunk.
"""

READY, TRANSPOSED, MULTIPLIED = 0, 1, 2
"""How the table of symbols comes about: it is there, from the weights as they are, or by a product."""

ENTRY = (("arguments", POINTER), ("first", INDEX), ("last", INDEX), ("part", INDEX), ("parts", INDEX), ("mode", INDEX))
"""Arguments of the kernel's functions: steps ``first`` to ``last``, this thread's number, how many there are."""

PACK, UNITS, WANT_INPUT, FINISH, STEPWISE = 1, 2, 4, 8, 16
"""Bits of ``mode``.

Pack the weights first; share columns, not sequences; want d_x; weights' gradients too; buffers of a chunk
have room for all rows, because steps come one by one.
"""

SPINS = 4096
"""How often a thread looks at the barrier before it lets others have the core."""


class Driver:
    """Writes the module of one design.

    Attributes
    ----------
    slots : dict
        Name of an argument or buffer to its place among the arguments.
    block_rows : int
        Rows that a thread multiplies before it sweeps over them.
    """

    def __init__(self, design: Design, numbers: Numbers, offsets: dict[str, int], work: int, panel: int) -> None:
        self.design, self.numbers, self.offsets, self.panel = design, numbers, offsets, panel
        self.module = ir.Module("kernel")
        names = [*FIXED, *design.buffers, *(packed.name for packed in design.packed)]
        self.slots = {name: number for number, name in enumerate(names)}
        self.work = work
        self.suffix = f"_f{8 * numbers.size}"
        self.columns = {
            parameter.name: [design.size(size) for size in parameter.columns]
            for parameter in design.cell.parameters
        }
        self.block_rows = self._block_rows()
        self._barrier()
        self._pass("forward", design.forward, [ONCE, BEFORE, LOOP, AFTER])
        if design.backward is not None:
            self._pass("backward", design.backward, [ONCE, BEFORE, LOOP, AFTER, INPUT])

    # Choices
    # ----------------------------------------------------------------------------------------------------

    def _block_rows(self) -> int:
        """Choose the rows of a block.

        Where the weights fit a core's cache the block's results should too; where they do not, they are read
        as seldom as possible.
        """
        block = self.design.buffers.get("block")
        if block is None:
            return 1
        weights = max(
            (
                multiply.packed.inner * multiply.packed.columns * self.numbers.size
                for one in (self.design.forward, self.design.backward)
                if one is not None
                for stage in one.staged.phases[LOOP]
                for multiply in one.multiplies[id(stage)]
            ),
            default=0,
        )
        row = block.width * self.numbers.size
        room = 1 << 15 if weights <= 1 << 20 else 1 << 20
        return max(12, min(128, room // row // 6 * 6))

    # One pass
    # ----------------------------------------------------------------------------------------------------

    def _pass(self, name: str, one: PassDesign, phases: list[str]) -> None:
        functions = {
            id(stage): self._stage_function(name, one, phase, number, stage)
            for phase in phases
            for number, stage in enumerate(one.staged.phases.get(phase, ()))
            if stage.sweeps
        }
        self.code = Code(self.module, self.numbers, name, ENTRY)
        self.one, self.functions, self.chunk = one, functions, self.code.index(0)
        code, given = self.code, self.code.given
        self.arguments, self.part, self.parts = given["arguments"], given["part"], given["parts"]
        self.steps = self._pointer("steps")
        self.units = self._bit(UNITS)
        bounds = self._pointer("bounds")
        self.low = code.load_index(bounds, self.part)
        self.high = code.load_index(bounds, code.b.add(self.part, code.index(1)))
        with code.when(self._bit(PACK)):
            self._prepare(one, name)
        self._meet()
        self._chunks(backwards=name == "backward")
        if name == "backward":
            self._end(one)
        code.done()

    def _prepare(self, one: PassDesign, name: str) -> None:
        """Pack the weights, copy the vectors, compute what depends on parameters alone."""
        code = self.code
        count = 0
        stages = [stage for phase in one.staged.phases.values() for stage in phase]
        for_input = {id(stage) for stage in one.staged.phases.get(INPUT, ())}
        for stage in stages:
            for multiply in one.multiplies[id(stage)]:
                of_table = multiply.target.index == d.SYMBOL
                for block, start in multiply.packed.blocks:
                    mine = code.b.icmp_signed("==", code.b.srem(code.index(count), self.parts), self.part)
                    if id(stage) in for_input:
                        mine = code.b.and_(mine, self._bit(WANT_INPUT))
                    count += 1
                    with code.when(mine):
                        if of_table:
                            self._table_block(multiply, block, start)
                        else:
                            self._pack_block(multiply.packed, block, start)
        with code.when(code.b.icmp_signed("==", self.part, code.index(0))):
            if name == "forward":
                for vector, start in self.design.vectors.items():
                    self._copy_vector(vector, start)
            for stage in one.staged.phases.get(ONCE, ()):
                if stage.sweeps:
                    zero, one_ = code.index(0), code.index(1)
                    self._call_sweeps(stage, self.steps, zero, one_, zero, zero, one_)
        if self.design.symbols and name == "forward":
            self._table_product(one)

    def _table_block(self, multiply: Multiply, block: "d.Block", start: int) -> None:
        """Make the rows of the symbols: columns of the weights, or weights packed for a product."""
        code = self.code
        table = self._pointer_index("table")
        with code.when(code.b.icmp_signed("==", table, code.index(TRANSPOSED))):
            rows, columns = self.design.size(block.rows), self.design.size(block.column)
            target = self._pointer(multiply.target.buffer)
            width = self.design.buffers[multiply.target.buffer].width
            self._library(
                "transpose",
                self._weights(block),
                sum(self.columns[block.matrix]),
                rows,
                columns,
                code.at(target, multiply.target.column + start),
                width,
            )
        with code.when(code.b.icmp_signed("==", table, code.index(MULTIPLIED))):
            self._pack_block(multiply.packed, block, start)

    def _table_product(self, one: PassDesign) -> None:
        """Multiply the rows of the symbols' table with the packed weights."""
        code = self.code
        table = self._pointer_index("table")
        with code.when(code.b.icmp_signed("==", table, code.index(MULTIPLIED))):
            self._meet()
            for stage in one.staged.phases[BEFORE]:
                for multiply in one.multiplies[id(stage)]:
                    if multiply.target.index == d.SYMBOL:
                        count = self._pointer_index("symbols")
                        first, last = self._split(count)
                        self._multiply(multiply, code.index(0), first, last, column_of=None)

    def _pack_block(self, packed: Packed, block: "d.Block", start: int) -> None:
        rows, columns = self.design.size(block.rows), self.design.size(block.column)
        vectors = packed.columns // self.numbers.lanes
        leading = sum(self.columns[block.matrix])
        target = self._pointer(packed.name)
        if packed.transposed:
            padded = self.numbers.padded(rows) if len(packed.blocks) > 1 else rows
            self._library(
                "pack_straight",
                self._weights(block),
                leading,
                rows,
                columns,
                target,
                start,
                padded,
                packed.inner,
                vectors,
            )
        else:
            self._library(
                "pack_transposed",
                self._weights(block),
                leading,
                rows,
                columns,
                target,
                start // self.numbers.lanes,
                vectors,
            )

    def _copy_vector(self, name: str, start: int) -> None:
        code = self.code
        size = self.design.size(next(p.rows for p in self.design.cell.parameters if p.name == name))
        source, target = code.at(self._pointer("theta"), self.offsets[name]), self._pointer("vectors")
        with code.each(size) as k:
            code.store_one(code.load_one(source, k), target, code.b.add(k, code.index(start)))
        with code.each(self.numbers.padded(size), start=size) as k:
            code.store_one(code.number(0.0), target, code.b.add(k, code.index(start)))

    def _chunks(self, *, backwards: bool) -> None:
        """Go through the steps in chunks: what a product gives is still at hand where it is read.

        In the backward a chunk ends with its share in the gradients of weights and input.
        """
        code, b, given = self.code, self.code.b, self.code.given
        length = self._pointer_index("chunk backward" if backwards else "chunk forward")
        begin, end = given["first"], given["last"]
        zero = code.index(0)
        with code.each(end, start=begin, step=length) as k:
            if backwards:
                last = b.sub(end, b.sub(k, begin))
                first = b.sub(last, length)
                first = b.select(b.icmp_signed("<", first, begin), begin, first)
            else:
                first, last = k, self._least(b.add(k, length), end)
            row = code.load_index(self._step(first), STEP.index(d.ROW))
            self.chunk = b.select(self._bit(STEPWISE), zero, row)
            self._outside(BEFORE, first, last)
            self._time_loop(first, last, backwards=backwards)
            self._meet()
            self._outside(AFTER, first, last)
            if backwards:
                with code.when(b.and_(self._bit(FINISH), b.not_(self._bit(STEPWISE)))):
                    self._gradients(row, b.sub(self._row_behind(last), row))
                if self.one.staged.phases.get(INPUT) and not self.design.symbols:
                    with code.when(self._bit(WANT_INPUT)):
                        self._outside(INPUT, first, last)
                self._meet()
            elif self.one.staged.phases.get(BEFORE):
                self._meet()
        self.chunk = zero

    def _end(self, one: PassDesign) -> None:
        """End the backward: what waits for all rows."""
        code, b = self.code, self.code.b
        with code.when(self._bit(FINISH)):
            with code.when(self._bit(STEPWISE)):
                self._gradients(code.index(0), self._row_behind(code.given["last"]))
                self._meet()
            if self.design.symbols:
                if one.staged.phases.get(INPUT):
                    with code.when(self._bit(WANT_INPUT)):
                        self._outside(INPUT)
                table = self._pointer_index("table")
                with code.when(b.icmp_signed("==", table, code.index(MULTIPLIED))):
                    for outer in self.design.outers:
                        if self._of_table(outer):
                            self._outer(outer, code.index(0), self._pointer_index("symbols"), of_symbols=True)
            with code.when(b.icmp_signed("==", self.part, code.index(0))):
                for vector, start in self.design.sums:
                    self._add_sums(vector, start)

    def _row_behind(self, last: ir.Value) -> ir.Value:
        """Give the row behind those of the steps before ``last``."""
        step = self._step(self.code.b.sub(last, self.code.index(1)))
        row, count = self.code.load_index(step, STEP.index(d.ROW)), self.code.load_index(step, 0)
        return self.code.b.add(row, count)

    # Phases outside the loop
    # ----------------------------------------------------------------------------------------------------

    def _outside(self, phase: str, begin: ir.Value | None = None, end: ir.Value | None = None) -> None:
        """Run a phase stage by stage, each over all rows of the steps from ``begin`` to ``end``."""
        code = self.code
        begin = code.given["first"] if begin is None else begin
        end = code.given["last"] if end is None else end
        for stage in self.one.staged.phases.get(phase, ()):
            for multiply in self.one.multiplies[id(stage)]:
                if multiply.target.index == d.SYMBOL:
                    continue
                if self.design.symbols and phase == INPUT:
                    first, last = self._split(self._pointer_index("symbols"))
                    self._multiply(multiply, code.index(0), first, last, column_of=None)
                elif multiply.per_step:
                    with self._each_step(begin, end) as step:
                        first, last = self._split(code.load_index(step, 0))
                        self._multiply(multiply, None, first, last, column_of=step)
                else:
                    some = code.b.icmp_signed("<", begin, end)
                    with code.when(some):
                        low = self._step(begin)
                        row = code.load_index(low, STEP.index(d.ROW))
                        first, last = self._split(code.b.sub(self._row_behind(end), row))
                        self._multiply(multiply, None, first, last, column_of=low)
            if self.one.multiplies[id(stage)]:
                self._meet()
            if stage.sweeps:
                with self._each_step(begin, end) as step:
                    first, last = self._split(code.load_index(step, 0))
                    self._call_sweeps(stage, step, first, last, first, code.index(0), code.index(1))
                self._meet()

    @contextmanager
    def _each_step(self, begin: ir.Value, end: ir.Value) -> Iterator[ir.Value]:
        with self.code.each(end, start=begin) as t:
            yield self._step(t)

    # The time loop
    # ----------------------------------------------------------------------------------------------------

    def _time_loop(self, begin: ir.Value, end: ir.Value, *, backwards: bool) -> None:
        code, b = self.code, self.code.b
        stages = self.one.staged.phases[LOOP]
        if not stages:
            return
        with b.if_else(self.units) as (shared, owned):
            with shared, self._each_time(begin, end, backwards=backwards) as step:
                count = code.load_index(step, 0)
                for stage in stages:
                    self._stage_of_units(stage, step, count)
            with owned, self._each_time(begin, end, backwards=backwards) as step:
                count = code.load_index(step, 0)
                high = self._least(self.high, count)
                for stage in stages:
                    self._stage_of_rows(stage, step, high)

    @contextmanager
    def _each_time(self, begin: ir.Value, end: ir.Value, *, backwards: bool) -> Iterator[ir.Value]:
        b = self.code.b
        with self.code.each(end, start=begin) as k:
            t = b.sub(b.sub(end, self.code.index(1)), b.sub(k, begin)) if backwards else k
            yield self._step(t)

    def _stage_of_rows(self, stage: Stage, step: ir.Value, high: ir.Value) -> None:
        """One stage for this thread's sequences, block by block."""
        code, b = self.code, self.code.b
        zero, one = code.index(0), code.index(1)
        multiplies = self.one.multiplies[id(stage)]
        if not multiplies:
            self._call_sweeps(stage, step, self.low, high, self.low, zero, one)
            return
        rows = code.index(self.block_rows if stage.sweeps else 1 << 30)
        blocks = b.sdiv(b.add(b.sub(high, self.low), b.sub(rows, one)), rows)
        with code.each(blocks) as number:
            # even blocks: a few rows left over would be slow
            first = b.add(self.low, b.sdiv(b.mul(b.sub(high, self.low), number), blocks))
            last = b.add(self.low, b.sdiv(b.mul(b.sub(high, self.low), b.add(number, one)), blocks))
            for multiply in multiplies:
                self._multiply(multiply, first, first, last, column_of=step, block_part=self.part)
            if stage.sweeps:
                self._call_sweeps(stage, step, first, last, first, zero, one)

    def _stage_of_units(self, stage: Stage, step: ir.Value, count: ir.Value) -> None:
        """One stage for all sequences, this thread's share of the columns."""
        code = self.code
        zero, one = code.index(0), code.index(1)
        multiplies = self.one.multiplies[id(stage)]
        for multiply in multiplies:
            self._multiply(multiply, zero, zero, count, column_of=step, block_part=zero, shares=True)
        if multiplies:
            self._meet()
        if not stage.sweeps:
            return
        if splits_units(stage):
            self._call_sweeps(stage, step, zero, count, zero, self.part, self.parts, block_part=zero)
        else:
            first, last = self._split(count)
            self._call_sweeps(stage, step, first, last, zero, zero, one, block_part=zero)
        self._meet()

    # Calls
    # ----------------------------------------------------------------------------------------------------

    def _multiply(
        self,
        multiply: Multiply,
        block_low: ir.Value | None,
        first: ir.Value,
        last: ir.Value,
        *,
        column_of: ir.Value | None,
        block_part: ir.Value | None = None,
        shares: bool = False,
    ) -> None:
        """Multiply rows ``first`` to ``last`` of a step (without one: of the table of symbols)."""
        code, b = self.code, self.code.b
        packed = multiply.packed
        vectors = packed.columns // self.numbers.lanes
        panels = -(-vectors // self.panel)
        source = self._rows_from(multiply.source, first, column_of, block_low, block_part)
        target = self._rows_from(multiply.target, first, column_of, block_low, block_part)
        low, high = code.index(0), code.index(panels)
        if shares:
            low, high = self._split(high)
        self._library(
            "multiply",
            source,
            self._stride(multiply.source, column_of),
            b.sub(last, first),
            packed.inner,
            self._pointer(packed.name),
            low,
            high,
            vectors,
            target,
            self._stride(multiply.target, column_of),
            int(multiply.adds),
        )

    def _rows_from(
        self,
        place: "d.Place",
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
        if place.index == d.BLOCK:
            assert block_low is not None
            assert block_part is not None
            base = code.at(base, b.mul(block_part, code.index(self.block_rows * buffer.width)))
            number = b.sub(row, block_low)
        elif place.index in (d.SEQUENCE, d.SYMBOL) or step is None:
            number = row
        elif place.index == d.ZERO:
            number = code.index(0)
        elif place.index == d.CHUNK:
            number = b.sub(b.add(code.load_index(step, STEP.index(d.ROW)), row), self.chunk)
        else:
            number = b.add(code.load_index(step, STEP.index(place.index)), row)
        return code.at(base, b.add(b.mul(number, code.index(buffer.width)), code.index(place.column)))

    def _of_symbols(self, buffer: str) -> str:
        """Give the buffer that holds per symbol what another holds per row."""
        return f"symbols of {buffer}" if f"symbols of {buffer}" in self.design.buffers else buffer

    def _stride(self, place: "d.Place", step: ir.Value | None) -> int:
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
            [self.arguments, step, part, low, high, block_low, part if block_part is None else block_part, share, shares, self.chunk],
        )

    def _stage_function(self, name: str, one: PassDesign, phase: str, number: int, stage: Stage) -> ir.Function:
        code = Code(self.module, self.numbers, f"{name}_{phase}_{number}", ARGUMENTS, internal=True)
        code.function.attributes.add("noinline")
        SweepWriter(code, self.design, one, phase, stage, self.slots, self.block_rows).write()
        return code.function

    def _library(self, name: str, *arguments: "ir.Value | int") -> None:
        self.code.call(
            f"noria_{name}{self.suffix}",
            [self.code.index(argument) if isinstance(argument, int) else argument for argument in arguments],
        )

    # The gradients of the parameters
    # ----------------------------------------------------------------------------------------------------

    def _gradients(self, row: ir.Value, count: ir.Value) -> None:
        """Add what ``count`` rows from ``row`` on give to the gradients of the weights."""
        for buffer, start, stop in self._scattered():
            self._scatter(buffer, start, stop, row, count)
        for outer in self.design.outers:
            if not self._of_table(outer):
                self._outer(outer, row, count)

    def _of_table(self, outer: Outer) -> bool:
        return self.design.symbols and outer.operand.buffer == "x"

    def _scattered(self) -> list[tuple[str, int, int]]:
        """Give the columns whose rows are added up by symbol, each once however many weights they reach."""
        columns = {
            (outer.d.buffer, outer.d.column + number * outer.stride, outer.stride)
            for outer in self.design.outers
            if self._of_table(outer)
            for number in range(outer.matrices)
        }
        ranges: list[tuple[str, int, int]] = []
        for buffer, start, width in sorted(columns):
            if ranges and ranges[-1][0] == buffer and ranges[-1][2] == start:
                ranges[-1] = buffer, ranges[-1][1], start + width
            else:
                ranges.append((buffer, start, start + width))
        return ranges

    def _outer(self, outer: Outer, row: ir.Value, count: ir.Value, *, of_symbols: bool = False) -> None:
        code, b, design = self.code, self.code.b, self.design
        columns = self.columns[outer.block.matrix]
        name = self._of_symbols(outer.d.buffer) if of_symbols else outer.d.buffer
        operand, index = self._operand(outer.operand, row)
        first, last = self._split(code.index(outer.matrices * outer.group))
        target = code.at(
            self._pointer("d_theta"), self.offsets[outer.block.matrix] + sum(columns[: outer.block.part])
        )
        self._library(
            "outer",
            self._row_in(outer.d, name, row),
            design.buffers[name].width,
            outer.group,
            outer.stride,
            first,
            last,
            operand,
            design.buffers[outer.operand.buffer].width,
            outer.columns,
            count,
            index,
            target,
            sum(columns),
            code.at(self._pointer("work"), b.mul(self.part, code.index(self.work))),
        )

    def _row_in(self, place: "d.Place", buffer: str, row: ir.Value) -> ir.Value:
        """Give where a row of the batch lies in a buffer of all rows or of a chunk."""
        code, b = self.code, self.code.b
        number = b.sub(row, self.chunk) if place.index == d.CHUNK else row
        if place.index == d.NEW:
            number = b.add(row, code.load_index(self._step(code.index(0)), STEP.index(d.NEW)))
        start = b.mul(number, code.index(self.design.buffers[buffer].width))
        return code.at(self._pointer(buffer), b.add(start, code.index(place.column)))

    def _operand(self, place: "d.Place", row: ir.Value) -> tuple[ir.Value, ir.Value]:
        """Give where an operand's rows begin, and the numbers of its rows where they do not follow each other.

        The states before each step follow each other if all sequences are equally long; ``previous`` is null
        then.
        """
        code, b = self.code, self.code.b
        null = ir.Constant(POINTER, None)
        if place.index not in (d.OLD, d.SEQUENCE):
            return self._row_in(place, place.buffer, row), null
        numbers = self._pointer("previous" if place.index == d.OLD else "sequence")
        further = b.gep(numbers, [row], source_etype=INDEX)
        whole = code.at(self._pointer(place.buffer), place.column)
        if place.index == d.SEQUENCE:
            return whole, further
        follows = b.icmp_unsigned("==", numbers, null)
        operand = b.select(follows, self._row_in(place, place.buffer, row), whole)
        return operand, b.select(follows, null, further)

    def _scatter(self, buffer: str, start: int, stop: int, row: ir.Value, count: ir.Value) -> None:
        """Add up the rows of every symbol; what that means for the weights depends on the table."""
        code, b = self.code, self.code.b
        lanes = self.numbers.lanes
        first, last = self._split(code.index((stop - start) // lanes))
        width = self.design.buffers[buffer].width
        place = next(outer.d for outer in self.design.outers if outer.d.buffer == buffer)
        self._library(
            "add_rows",
            self._pointer(f"symbols of {buffer}"),
            width,
            b.gep(self._pointer("ids"), [row], source_etype=INDEX),
            count,
            self._row_in(d.Place(buffer, 0, place.index), buffer, row),
            width,
            b.add(code.index(start), b.mul(first, code.index(lanes))),
            b.add(code.index(start), b.mul(last, code.index(lanes))),
        )

    def _add_sums(self, vector: str, start: int) -> None:
        code, b = self.code, self.code.b
        size = self.design.size(next(p.rows for p in self.design.cell.parameters if p.name == vector))
        target, sums = code.at(self._pointer("d_theta"), self.offsets[vector]), self._pointer("sums")
        width = code.index(self.design.buffers["sums"].width)
        with code.each(self.parts) as part, code.each(size) as k:
            offset = b.add(b.mul(part, width), b.add(k, code.index(start)))
            code.store_one(code.add(code.load_one(target, k), code.load_one(sums, offset)), target, k)

    # Small things
    # ----------------------------------------------------------------------------------------------------

    def _pointer(self, name: str) -> ir.Value:
        return self.code.load_pointer(self.arguments, self.slots[name])

    def _pointer_index(self, name: str) -> ir.Value:
        return self.code.load_index(self.arguments, self.slots[name])

    def _weights(self, block: "d.Block") -> ir.Value:
        columns = self.columns[block.matrix]
        return self.code.at(self._pointer("theta"), self.offsets[block.matrix] + sum(columns[: block.part]))

    def _bit(self, bit: int) -> ir.Value:
        b, code = self.code.b, self.code
        return b.icmp_signed("!=", b.and_(code.given["mode"], code.index(bit)), code.index(0))

    def _step(self, t: ir.Value) -> ir.Value:
        b, code = self.code.b, self.code
        return b.gep(self.steps, [b.mul(t, code.index(len(STEP)))], source_etype=INDEX)

    def _split(self, count: ir.Value) -> tuple[ir.Value, ir.Value]:
        """Give this thread's share of ``count`` things."""
        b, code = self.code.b, self.code
        first = b.sdiv(b.mul(count, self.part), self.parts)
        last = b.sdiv(b.mul(count, b.add(self.part, code.index(1))), self.parts)
        return first, last

    def _least(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return self.code.b.select(self.code.b.icmp_signed("<", a, b), a, b)

    # Meeting
    # ----------------------------------------------------------------------------------------------------

    def _meet(self) -> None:
        """Wait for all threads that take part."""
        self.code.call("meet", [self._pointer("barrier"), self.parts])

    def _barrier(self) -> None:
        """Write ``meet``: the last thread to come opens the barrier for the others.

        The barrier is two integers in different cache lines: how many have come, how often it was opened.
        """
        code = Code(self.module, self.numbers, "meet", (("barrier", POINTER), ("parts", INDEX)), internal=True)
        code.function.attributes.add("noinline")
        b, barrier, parts = code.b, code.given["barrier"], code.given["parts"]
        with b.if_then(b.icmp_signed("<=", parts, code.index(1))):
            b.ret_void()
        opened = b.gep(barrier, [code.index(8)], source_etype=INDEX)
        before = b.load_atomic(opened, "acquire", 8, typ=INDEX)
        come = b.atomic_rmw("add", barrier, code.index(1), "acq_rel")
        is_last = b.icmp_signed("==", b.add(come, code.index(1)), parts)
        last, wait, look, rest, out = (
            code.function.append_basic_block(name) for name in ("last", "wait", "look", "rest", "out")
        )
        b.cbranch(is_last, last, wait)
        b.position_at_end(last)
        b.atomic_rmw("xchg", barrier, code.index(0), "monotonic")
        b.atomic_rmw("xchg", opened, b.add(before, code.index(1)), "release")
        b.branch(out)
        b.position_at_end(wait)
        b.branch(look)
        b.position_at_end(look)
        spins = b.phi(INDEX)
        spins.add_incoming(code.index(0), wait)
        now = b.load_atomic(opened, "acquire", 8, typ=INDEX)
        b.cbranch(b.icmp_signed("==", now, before), rest, out)
        b.position_at_end(rest)
        more = b.add(spins, code.index(1))
        if platform.machine().lower() in ("x86_64", "amd64", "i686"):
            b.call(ir.Function(self.module, ir.FunctionType(ir.VoidType(), []), "llvm.x86.sse2.pause"), [])
        long = b.icmp_signed(">", more, code.index(SPINS))
        with b.if_then(long):
            b.call(ir.Function(self.module, ir.FunctionType(ir.IntType(32), []), "noria_give_way"), [])
        spins.add_incoming(more, b.block)
        b.branch(look)
        b.position_at_end(out)
        b.ret_void()
