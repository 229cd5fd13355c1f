"""The gradients of the parameters: weights by products of rows with rows, vectors by sums over rows."""

from llvmlite import ir

from noria.engines.native import places as kinds
from noria.engines.native.code import INDEX, POINTER
from noria.engines.native.pen import Pen
from noria.engines.native.places import Outer, Place
from noria.engines.native.sweeps import STEP


class GradientPen(Pen):
    """Writes how rows become gradients of parameters."""

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
        columns = self.scene.columns[outer.block.matrix]
        name = self._of_symbols(outer.d.buffer) if of_symbols else outer.d.buffer
        operand, index = self._operand(outer.operand, row)
        first, last = self._split(code.index(outer.matrices * outer.group))
        target = code.at(
            self._pointer("d_theta"),
            self.scene.offsets[outer.block.matrix] + sum(columns[: outer.block.part]),
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
            code.at(self._pointer("work"), b.mul(self.part, code.index(self.scene.work))),
        )

    def _columns_of_symbols(self, outer: Outer) -> None:
        """Add what the rows of every symbol add up to: a column of the weights' gradient each."""
        code, design, columns = self.code, self.design, self.scene.columns[outer.block.matrix]
        name, leading = self._of_symbols(outer.d.buffer), sum(columns)
        behind = self.scene.offsets[outer.block.matrix] + sum(columns[: outer.block.part])
        for number in range(outer.matrices):
            mine = code.b.icmp_signed("==", code.b.srem(code.index(number), self.parts), self.part)
            with code.when(mine):
                self._library(
                    "add_transposed",
                    code.at(self._pointer(name), outer.d.column + number * outer.stride),
                    design.buffers[name].width,
                    self._pointer_index("symbols"),
                    outer.group,
                    code.at(self._pointer("d_theta"), behind + number * outer.group * leading),
                    leading,
                )

    def _row_in(self, place: Place, buffer: str, row: ir.Value) -> ir.Value:
        """Give where a row of the batch lies in a buffer of all rows or of a chunk."""
        code, b = self.code, self.code.b
        number = b.sub(row, self.chunk) if place.index == kinds.CHUNK else row
        if place.index == kinds.NEW:
            number = b.add(row, code.load_index(self._step(code.index(0)), STEP.index(kinds.NEW)))
        start = b.mul(number, code.index(self.design.buffers[buffer].width))
        return code.at(self._pointer(buffer), b.add(start, code.index(place.column)))

    def _operand(self, place: Place, row: ir.Value) -> tuple[ir.Value, ir.Value]:
        """Give where an operand's rows begin, and their numbers where they do not follow each other.

        The states before each step follow each other if all sequences are equally long; ``previous`` is null
        then.
        """
        code, b = self.code, self.code.b
        null = ir.Constant(POINTER, None)
        if place.index not in (kinds.OLD, kinds.SEQUENCE):
            return self._row_in(place, place.buffer, row), null
        numbers = self._pointer("previous" if place.index == kinds.OLD else "sequence")
        further = b.gep(numbers, [row], source_etype=INDEX)
        whole = code.at(self._pointer(place.buffer), place.column)
        if place.index == kinds.SEQUENCE:
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
            self._row_in(Place(buffer, 0, place.index), buffer, row),
            width,
            b.add(code.index(start), b.mul(first, code.index(lanes))),
            b.add(code.index(start), b.mul(last, code.index(lanes))),
        )

    def _add_sums(self, vector: str, start: int) -> None:
        code, b = self.code, self.code.b
        size = self.design.size(next(p.rows for p in self.design.cell.parameters if p.name == vector))
        target, sums = code.at(self._pointer("d_theta"), self.scene.offsets[vector]), self._pointer("sums")
        width = code.index(self.design.buffers["sums"].width)
        with code.each(self.parts) as part, code.each(size) as k:
            offset = b.add(b.mul(part, width), b.add(k, code.index(start)))
            code.store_one(code.add(code.load_one(target, k), code.load_one(sums, offset)), target, k)
