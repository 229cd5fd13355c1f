"""One stage's arithmetic as vector code: for each row, walks over its units with all values in registers."""

from collections.abc import Sequence

from llvmlite import ir

from noria.compiler.graph import LEAVES, ONE, PRODUCTS, Node
from noria.engines.native import places as kinds
from noria.engines.native.code import INDEX, POINTER, Code
from noria.engines.native.design import Design
from noria.engines.native.functions import OPERATIONS, power
from noria.engines.native.pass_design import PassDesign
from noria.engines.native.stages import Stage, Sweep

STEP = (
    "count",
    kinds.ROW,
    kinds.OLD,
    kinds.NEW,
    kinds.ROLL_OLD,
    kinds.ROLL_NEW,
    kinds.CARRY_OLD,
    kinds.CARRY_NEW,
)
"""What the table of steps says of each step: active sequences, and where its rows begin by kind of place."""

ARGUMENTS = (
    ("arguments", POINTER),
    ("step", POINTER),
    ("part", INDEX),
    ("low", INDEX),
    ("high", INDEX),
    ("block_low", INDEX),
    ("block_part", INDEX),
    ("slice", INDEX),
    ("slices", INDEX),
    ("chunk", INDEX),
)
"""Arguments of a stage's function.

Rows ``low`` to ``high`` of a step are walked over; row ``block_low`` is the first of the block that the
products wrote for ``block_part``; of the units, the share ``slice`` out of ``slices``; row ``chunk`` of the
batch is the first of the chunk.
"""

CONSTANTS = frozenset({"number", "inverse_size"})


class SweepWriter:
    """Writes the function of one stage.

    Parameters
    ----------
    code : Code
        An empty function with :data:`ARGUMENTS`.
    design, one : Design, PassDesign
    phase : str
    stage : Stage
    slots : mapping
        Where the arguments of the kernel say how a buffer is reached.
    """

    def __init__(
        self,
        code: Code,
        design: Design,
        one: PassDesign,
        phase: str,
        stage: Stage,
        slots: dict[str, int],
        block_rows: int,
    ) -> None:
        self.code, self.design, self.one, self.phase, self.stage = code, design, one, phase, stage
        self.slots, self.block_rows = slots, block_rows
        self.bases: dict[str, ir.Value] = {}
        self.starts: dict[str, ir.Value] = {}
        self.rows: dict[tuple[str, str], ir.Value] = {}
        self.numbers: dict[Node, ir.Value] = {}

    def write(self) -> None:
        """Write the whole function."""
        code = self.code
        given = code.given
        places = self._places()
        for buffer, _ in places:
            if buffer not in self.bases:
                self.bases[buffer] = self._base(buffer)
        if any(index == kinds.SYMBOL for _, index in places):
            self.ids = code.load_pointer(given["arguments"], self.slots["ids"])
        for number, name in enumerate(STEP):
            self.starts[name] = code.load_index(given["step"], number)
        self.sums = None
        if any(self.one.sinks.get(node) for sweep in self.stage.sweeps for node in sweep.nodes()):
            self.sums = self._base("sums")
        sizes = {size for sweep in self.stage.sweeps for size in sweep.vectors}
        self.shares = {size: self._share(size) for size in sorted(sizes)}
        with code.each(given["high"], start=given["low"]) as row:
            self.rows = {place: self._row(*place, row) for place in places}
            self.numbers = {}
            for sweep in self.stage.sweeps:
                self._sweep(sweep)
        code.done()

    # Where things are
    # ----------------------------------------------------------------------------------------------------

    def _base(self, buffer: str) -> ir.Value:
        code, given = self.code, self.code.given
        base = code.load_pointer(given["arguments"], self.slots[buffer])
        made = self.design.buffers[buffer]
        if made.rows == "parts":
            part = given["block_part"] if buffer == "block" else given["part"]
            rows = self.block_rows if buffer == "block" else 1
            base = code.at(base, code.b.mul(part, code.index(rows * made.width)))
        return base

    def _row(self, buffer: str, index: str, row: ir.Value) -> ir.Value:
        """Give where a row of a buffer begins."""
        code = self.code
        if index == kinds.ZERO:
            return self.bases[buffer]
        if index == kinds.SEQUENCE:
            number = row
        elif index == kinds.BLOCK:
            number = code.b.sub(row, code.given["block_low"])
        elif index == kinds.SYMBOL:
            number = code.load_index(self.ids, code.b.add(self.starts[kinds.ROW], row))
        elif index == kinds.CHUNK:
            number = code.b.sub(code.b.add(self.starts[kinds.ROW], row), code.given["chunk"])
        else:
            number = code.b.add(self.starts[index], row)
        return code.at(self.bases[buffer], code.b.mul(number, code.index(self.design.buffers[buffer].width)))

    def _places(self) -> list[tuple[str, str]]:
        """Find the buffers that the stage touches, with the ways in which it finds their rows."""
        found: dict[tuple[str, str], None] = {}
        for sweep in self.stage.sweeps:
            inside = set(sweep.nodes())
            for node in sweep.nodes():
                copied = node.op in PRODUCTS or node.op in LEAVES
                for argument in (node,) if copied else node.arguments:
                    if argument.op not in CONSTANTS and (
                        copied or argument not in inside or argument.op == "sum"
                    ):
                        place = self._find(argument)
                        if place is not None:
                            found[place.buffer, place.index] = None
                for place in self._targets(node):
                    found[place.buffer, place.index] = None
        return list(found)

    def _find(self, node: Node) -> kinds.Place | None:
        if node in self.one.staged.phase_of and node not in self.one.places:
            return None
        return self.one.find(node, self.phase)

    def _targets(self, node: Node) -> Sequence[kinds.Place]:
        """Give the places that a sweep has to write a value to."""
        places = self.one.places.get(node, [])
        return places[1:] if node.op in PRODUCTS else places

    # Arithmetic
    # ----------------------------------------------------------------------------------------------------

    def _sweep(self, sweep: Sweep) -> None:
        for node in sorted(sweep.numbers, key=lambda node: node.index):
            arguments = [self._number(argument) for argument in node.arguments]
            self.numbers[node] = self._apply(node, arguments)
            self._store_number(node)
        for size, nodes in sweep.vectors.items():
            self._units(size, sorted(nodes, key=lambda node: node.index))

    def _apply(self, node: Node, arguments: list[ir.Value]) -> ir.Value:
        if node.op == "power":
            assert isinstance(node.attribute, float)
            return power(self.code, arguments[0], node.attribute)
        if node.op in ("spread", "copy"):
            return arguments[0]
        return OPERATIONS[node.op](self.code, *arguments)

    def _constant(self, node: Node) -> ir.Value | None:
        if node.op == "number":
            assert isinstance(node.attribute, float)
            return self.code.constant(node.attribute)
        if node.op == "inverse_size":
            return self.code.constant(1.0 / self.design.size(str(node.attribute)))
        return None

    def _number(self, node: Node) -> ir.Value:
        """Give a number of the row, in every lane."""
        constant = self._constant(node)
        if constant is not None:
            return constant
        if node not in self.numbers:
            place = self._find(node)
            assert place is not None
            self.numbers[node] = self.code.spread_at(self.rows[place.buffer, place.index], place.column)
        return self.numbers[node]

    def _store_number(self, node: Node) -> None:
        code = self.code
        for place in self._targets(node):
            first = code.b.extract_element(self.numbers[node], ir.Constant(ir.IntType(32), 0))
            code.store_one(first, self.rows[place.buffer, place.index], place.column)

    def _units(self, size: str, nodes: list[Node]) -> None:
        """Write one walk over the units of a row."""
        code, b = self.code, self.code.b
        lanes, units = code.numbers.lanes, self.design.size(size)
        for node in nodes:
            for argument in node.arguments:
                if argument.size == ONE:
                    self._number(argument)
        sums = [node for node in nodes if node.op == "sum"]
        first, last = self.shares[size]

        def body(vector: ir.Value, totals: list[ir.Value]) -> list[ir.Value]:
            unit = b.mul(vector, code.index(lanes))
            inside = None
            if units % lanes and (sums or any(node in self.one.masked for node in nodes)):
                inside = self._inside(unit, units)
            values: dict[Node, ir.Value] = {}
            results = dict(zip(sums, totals, strict=True))

            def value(node: Node) -> ir.Value:
                if node.size == ONE:
                    return self._number(node)
                if node not in values:
                    place = self._find(node)
                    assert place is not None, node
                    pointer = self.rows[place.buffer, place.index]
                    values[node] = code.load(pointer, b.add(unit, code.index(place.column)))
                return values[node]

            for node in nodes:
                if node.op == "sum":
                    term = value(node.arguments[0])
                    if inside is not None:
                        term = code.where(inside, term, code.constant(0.0))
                    results[node] = b.fadd(results[node], term)
                elif node.op in PRODUCTS or node.op in LEAVES:
                    value(node)
                else:
                    values[node] = self._apply(node, [value(argument) for argument in node.arguments])
            for node in nodes:
                if node.op != "sum":
                    self._write_out(node, values[node], unit, inside)
            return [results[node] for node in sums]

        totals = code.loop(last, body, [code.constant(0.0)] * len(sums), start=first)
        for node, total in zip(sums, totals, strict=True):
            self.numbers[node] = code.spread(code.total(total))
            self._store_number(node)

    def _write_out(self, node: Node, value: ir.Value, unit: ir.Value, inside: ir.Value | None) -> None:
        code, b = self.code, self.code.b
        for start in self.one.sinks.get(node, ()):
            assert self.sums is not None
            offset = b.add(unit, code.index(start))
            code.store(code.add(code.load(self.sums, offset), value), self.sums, offset)
        targets = self._targets(node)
        if targets and inside is not None and node in self.one.masked:
            value = code.where(inside, value, code.constant(0.0))
        for place in targets:
            pointer = self.rows[place.buffer, place.index]
            code.store(value, pointer, b.add(unit, code.index(place.column)))

    def _share(self, size: str) -> tuple[ir.Value, ir.Value]:
        """Give the first vector of this thread's share of the units, and the one behind its last."""
        b, given = self.code.b, self.code.given
        count = self.code.index(-(-self.design.size(size) // self.code.numbers.lanes))
        first = b.sdiv(b.mul(count, given["slice"]), given["slices"])
        last = b.sdiv(b.mul(count, b.add(given["slice"], self.code.index(1))), given["slices"])
        return first, last

    def _inside(self, unit: ir.Value, units: int) -> ir.Value:
        """Tell which lanes belong to real units."""
        code, b = self.code, self.code.b
        numbers = code.numbers
        kind = ir.VectorType(INDEX, numbers.lanes)
        one = b.insert_element(ir.Constant(kind, ir.Undefined), unit, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), numbers.lanes), [0] * numbers.lanes)
        spread = b.shuffle_vector(one, ir.Constant(kind, ir.Undefined), zeros)
        lanes = b.add(spread, ir.Constant(kind, list(range(numbers.lanes))))
        return b.icmp_signed("<", lanes, ir.Constant(kind, [units] * numbers.lanes))


def splits_units(stage: Stage) -> bool:
    """Tell whether the units of a row may be shared among threads: no sum runs over all of them."""
    if len(stage.sweeps) > 1:
        return False
    return not any(sweep.numbers or any(node.op == "sum" for node in sweep.nodes()) for sweep in stage.sweeps)
