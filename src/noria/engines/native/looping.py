"""The order of work over time: chunks of steps, phases around the loop, stages inside it, threads.

There are two ways to share the time loop: every thread owns some sequences from first step to last and meets
nobody, or, where there are too few, every thread owns some columns of each product and they meet after each
stage.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from llvmlite import ir

from noria.compiler.program import AFTER, BEFORE, INPUT, LOOP
from noria.engines.native import places as kinds
from noria.engines.native.code import INDEX
from noria.engines.native.entry import FINISH, MULTIPLIED, STEPWISE, TRANSPOSED, UNITS, WANT_INPUT
from noria.engines.native.gradients import GradientPen
from noria.engines.native.stages import Stage
from noria.engines.native.sweeps import STEP, splits_units

SAVED = "rows forward"
"""The buffer of what the forward computes and the backward reads."""


class LoopingPen(GradientPen):
    """Writes how a pass goes through the steps."""

    def chunks(self, *, backwards: bool) -> None:
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
            row = code.load_index(self._step(first), STEP.index(kinds.ROW))
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

    def end(self) -> None:
        """End the backward: what waits for all rows."""
        code, b = self.code, self.code.b
        with code.when(self._bit(FINISH)):
            with code.when(self._bit(STEPWISE)):
                self._gradients(code.index(0), self._row_behind(code.given["last"]))
                self._meet()
            if self.design.symbols:
                if self.one.staged.phases.get(INPUT):
                    with code.when(self._bit(WANT_INPUT)):
                        self._outside(INPUT)
                table = self._pointer_index("table")
                with code.when(b.icmp_signed("==", table, code.index(MULTIPLIED))):
                    for outer in self.design.outers:
                        if self._of_table(outer):
                            self._outer(outer, code.index(0), self._pointer_index("symbols"), of_symbols=True)
                with code.when(b.icmp_signed("==", table, code.index(TRANSPOSED))):
                    for outer in self.design.outers:
                        if self._of_table(outer):
                            self._columns_of_symbols(outer)
            with code.when(b.icmp_signed("==", self.part, code.index(0))):
                for vector, start in self.design.sums:
                    self._add_sums(vector, start)

    def _outside(self, phase: str, begin: ir.Value | None = None, end: ir.Value | None = None) -> None:
        """Run a phase stage by stage, each over all rows of the steps from ``begin`` to ``end``."""
        code = self.code
        begin = code.given["first"] if begin is None else begin
        end = code.given["last"] if end is None else end
        for stage in self.one.staged.phases.get(phase, ()):
            for multiply in self.one.multiplies[id(stage)]:
                if multiply.target.index == kinds.SYMBOL:
                    continue
                if self.design.symbols and phase == INPUT:
                    first, last = self._split(self._pointer_index("symbols"))
                    self._multiply(multiply, code.index(0), first, last, step=None)
                elif multiply.per_step:
                    with self._each_step(begin, end) as step:
                        first, last = self._split(code.load_index(step, 0))
                        self._multiply(multiply, None, first, last, step=step)
                else:
                    some = code.b.icmp_signed("<", begin, end)
                    with code.when(some):
                        low = self._step(begin)
                        row = code.load_index(low, STEP.index(kinds.ROW))
                        first, last = self._split(code.b.sub(self._row_behind(end), row))
                        self._multiply(multiply, None, first, last, step=low)
            if self.one.multiplies[id(stage)]:
                self._meet()
            if stage.sweeps:
                with self._each_step(begin, end) as step:
                    first, last = self._split(code.load_index(step, 0))
                    self._call_sweeps(stage, step, first, last, first, code.index(0), code.index(1))
                self._meet()

    def _time_loop(self, begin: ir.Value, end: ir.Value, *, backwards: bool) -> None:
        code, b = self.code, self.code.b
        stages = self.one.staged.phases[LOOP]
        if not stages:
            return
        with b.if_else(self._bit(UNITS)) as (shared, owned):
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
        ahead = self._saved_before(step) if self.name == "backward" and not stage.sweeps else None
        rows = code.index(self.scene.block_rows if stage.sweeps else 1 << 30)
        blocks = b.sdiv(b.add(b.sub(high, self.low), b.sub(rows, one)), rows)
        with code.each(blocks) as number:
            # even blocks: a few rows left over would be slow
            first = b.add(self.low, b.sdiv(b.mul(b.sub(high, self.low), number), blocks))
            last = b.add(self.low, b.sdiv(b.mul(b.sub(high, self.low), b.add(number, one)), blocks))
            for multiply in multiplies:
                self._multiply(multiply, first, first, last, step=step, block_part=self.part, ahead=ahead)
            if stage.sweeps:
                self._call_sweeps(stage, step, first, last, first, zero, one)

    def _saved_before(self, step: ir.Value) -> tuple[ir.Value, ir.Value] | None:
        """Give where this thread's rows of the step before lie that the forward saved, and their numbers.

        They have left the cache since, and the backward reads them when the last product of a step is done.
        """
        if SAVED not in self.design.buffers:
            return None
        code, b = self.code, self.code.b
        is_first = b.icmp_unsigned("==", b.ptrtoint(step, INDEX), b.ptrtoint(self.steps, INDEX))
        before = b.select(is_first, step, b.gep(step, [code.index(-len(STEP))], source_etype=INDEX))
        width = code.index(self.design.buffers[SAVED].width)
        row = b.add(code.load_index(before, STEP.index(kinds.ROW)), self.low)
        rows = b.sub(self._least(self.high, code.load_index(before, 0)), self.low)
        return code.at(self._pointer(SAVED), b.mul(row, width)), b.mul(rows, width)

    def _stage_of_units(self, stage: Stage, step: ir.Value, count: ir.Value) -> None:
        """One stage for all sequences, this thread's share of the columns."""
        code = self.code
        zero, one = code.index(0), code.index(1)
        multiplies = self.one.multiplies[id(stage)]
        for multiply in multiplies:
            self._multiply(multiply, zero, zero, count, step=step, block_part=zero, shares=True)
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
