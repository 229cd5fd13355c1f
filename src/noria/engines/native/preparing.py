"""The start of a call: weights are packed, vectors padded, the table of symbols made."""

from noria.compiler.graph import Block
from noria.compiler.program import BEFORE, INPUT
from noria.engines.native import places as kinds
from noria.engines.native.entry import MULTIPLIED, TRANSPOSED, WANT_INPUT
from noria.engines.native.pen import Pen
from noria.engines.native.places import Multiply, Packed
from noria.engines.native.stages import ONCE


class PreparingPen(Pen):
    """Writes what is done once in a call, before the first step."""

    def prepare(self) -> None:
        """Pack the weights, copy the vectors, compute what depends on parameters alone."""
        code = self.code
        count = 0
        stages = [stage for phase in self.one.staged.phases.values() for stage in phase]
        for_input = {id(stage) for stage in self.one.staged.phases.get(INPUT, ())}
        for stage in stages:
            for multiply in self.one.multiplies[id(stage)]:
                of_table = multiply.target.index == kinds.SYMBOL
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
            for vector, start in self.design.vectors.items():
                self._copy_vector(vector, start)
            for stage in self.one.staged.phases.get(ONCE, ()):
                if stage.sweeps:
                    zero, one_ = code.index(0), code.index(1)
                    self._call_sweeps(stage, self.steps, zero, one_, zero, zero, one_)
        if self.design.symbols and self.name == "forward":
            self._table_product()

    def _table_block(self, multiply: Multiply, block: Block, start: int) -> None:
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
                sum(self.scene.columns[block.matrix]),
                rows,
                columns,
                code.at(target, multiply.target.column + start),
                width,
            )
        with code.when(code.b.icmp_signed("==", table, code.index(MULTIPLIED))):
            self._pack_block(multiply.packed, block, start)

    def _table_product(self) -> None:
        """Multiply the rows of the symbols' table with the packed weights."""
        code = self.code
        table = self._pointer_index("table")
        with code.when(code.b.icmp_signed("==", table, code.index(MULTIPLIED))):
            self._meet()
            for stage in self.one.staged.phases[BEFORE]:
                for multiply in self.one.multiplies[id(stage)]:
                    if multiply.target.index == kinds.SYMBOL:
                        count = self._pointer_index("symbols")
                        first, last = self._split(count)
                        self._multiply(multiply, code.index(0), first, last, step=None)

    def _pack_block(self, packed: Packed, block: Block, start: int) -> None:
        rows, columns = self.design.size(block.rows), self.design.size(block.column)
        vectors = packed.columns // self.numbers.lanes
        leading = sum(self.scene.columns[block.matrix])
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
        source, target = code.at(self._pointer("theta"), self.scene.offsets[name]), self._pointer("vectors")
        with code.each(size) as k:
            code.store_one(code.load_one(source, k), target, code.b.add(k, code.index(start)))
        with code.each(self.numbers.padded(size), start=size) as k:
            code.store_one(code.number(0.0), target, code.b.add(k, code.index(start)))
