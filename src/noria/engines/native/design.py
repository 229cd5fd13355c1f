"""Where the values of a program lie while it runs: buffers, and for each node the places it is kept in.

A value that is read only by the loop over units that computes it has no place: it stays in a register. The
rows of buffers are padded to whole vectors, so that code on vectors needs no special case at their ends.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from noria.compiler.graph import LEAVES, ONE, PRODUCTS, Block, Node
from noria.compiler.program import BEFORE, LOOP, Pass, Program
from noria.engines.native.code import Numbers
from noria.engines.native.places import (
    BLOCK,
    CARRY_NEW,
    CARRY_OLD,
    CHUNK,
    LASTING,
    NEW,
    OLD,
    ROLL_NEW,
    ROLL_OLD,
    ROW,
    SEQUENCE,
    SYMBOL,
    ZERO,
    Buffer,
    Multiply,
    Outer,
    Packed,
    Place,
)
from noria.engines.native.stages import ONCE, Multiplication, Stage, Staged, staged

CHUNK_BYTES = {"forward": 3 << 18, "backward": 5 << 18}
"""How much of what products give or take may lie in a core's cache between writing and reading it."""

LIGHT_GRADIENTS = 1 << 19
"""Bytes of weight gradients up to which adding to them costs little, so that chunks may be short."""


@dataclass
class PassDesign:
    """One pass: its stages, the places of its nodes, its multiplications by stage."""

    staged: Staged
    places: dict[Node, list[Place]] = field(default_factory=dict)
    multiplies: dict[int, list[Multiply]] = field(default_factory=dict)
    sinks: dict[Node, list[int]] = field(default_factory=lambda: defaultdict(list))
    masked: set[Node] = field(default_factory=set)


class Design:
    """The memory of one kernel; ``symbols`` if the input is given by ids into a table.

    Attributes
    ----------
    buffers : dict of Buffer
    forward, backward : PassDesign
        ``backward`` is None for kernels that save nothing.
    packed : list of Packed
        All packed weights, those of the forward first.
    """

    def __init__(
        self, program: Program, sizes: Mapping[str, int], numbers: Numbers, *, saves: bool, symbols: bool
    ) -> None:
        self.program, self.sizes, self.numbers = program, dict(sizes), numbers
        self.saves, self.symbols = saves, symbols
        self.cell = program.forward.cell
        self.buffers: dict[str, Buffer] = {}
        self.packed: list[Packed] = []
        self.vectors: dict[str, int] = {}
        self.sums: list[tuple[str, int]] = []
        self.outers: list[Outer] = []
        self.leaf_sums: list[tuple[str, Node]] = []
        self._wide: dict[str, int] = {}
        self._sequence_inputs = {given.name for given in self.cell.givens if given.per == "sequence"}
        self.reads_sequence = bool(self._sequence_inputs)
        self._leaf_buffers()
        one = program.training if saves else program.inference
        self.stored = self._stored_states(one)
        self._state_buffers()
        self.forward = self._forward(one)
        self.backward = self._backward(program.backward) if saves else None
        if self.symbols:
            for buffer in sorted({outer.d.buffer for outer in self.outers if outer.operand.buffer == "x"}):
                self._buffer(f"symbols of {buffer}", "symbols", self.buffers[buffer].width)
        for name, width in self._wide.items():
            self.buffers[name] = Buffer(name, self.buffers[name].rows, max(width, 1))

    def chunk_rows(self, name: str) -> int:
        """Give the rows of a chunk: as many as a core's cache holds, if that is enough for good products."""
        rows = f"chunk {name}"
        widths = [buffer.width for buffer in self.buffers.values() if buffer.rows == rows]
        if not widths:
            return 1 << 40
        fitting = CHUNK_BYTES[name] // (sum(widths) * self.numbers.size)
        if name == "forward":
            return max(64, fitting)
        gradients = sum(outer.matrices * outer.group * outer.columns for outer in self.outers)
        return max(128 if gradients * self.numbers.size <= LIGHT_GRADIENTS else 512, fitting)

    # Sizes
    # ----------------------------------------------------------------------------------------------------

    def size(self, symbol: str) -> int:
        """Give the units of a size symbol."""
        return self.sizes.get(symbol, 1)

    def width(self, symbol: str) -> int:
        """Give the numbers that a value takes: whole vectors, or one number."""
        return 1 if symbol == ONE else self.numbers.padded(self.size(symbol))

    # Leaves
    # ----------------------------------------------------------------------------------------------------

    def _leaf_buffers(self) -> None:
        start = 0
        for parameter in self.cell.parameters:
            if parameter.kind != "matrix":
                self.vectors[parameter.name] = start
                start += self.width(parameter.rows)
        self._buffer("vectors", "1", start)
        reads_input = any(
            argument.op == "input"
            for node in self.program.forward.graph.nodes
            if node.op != "product"
            for argument in node.arguments
        )
        if "x" in self.cell.size_of:
            size = self.cell.size_of["x"]
            self._buffer("x", "", self.width(size) if reads_input else self.size(size))
        for given in self.cell.givens:
            self._buffer(f"given {given.name}", "", self.width(self.cell.size_of[given.name]))
        self._buffer("d_h", "", self.width("H"))

    def _stored_states(self, one: Pass) -> frozenset[str]:
        """Name the states of which every row is kept: those that somebody reads outside the loop."""
        in_loop = set(one.nodes(LOOP)) - one.rows
        new = self.program.forward.new
        return frozenset(state for state, node in new.items() if node not in in_loop)

    def _state_buffers(self) -> None:
        for state in self.cell.states:
            width = self.width(self.cell.size_of[state])
            if state == "h":
                self._buffer("state h", "", width)
            elif state in self.stored:
                self._buffer(f"state {state}", "B+N", width)
            else:
                self._buffer(f"roll {state}", "2B", width)
            if self.saves:
                self._buffer(f"carry {state}", "2B", width)

    def leaf(self, node: Node) -> Place:
        """Give where a leaf lies (numbers and sizes lie nowhere)."""
        name = str(node.attribute)
        match node.op:
            case "input":
                return Place("x", 0, ROW)
            case "given":
                return Place(f"given {name}", 0, SEQUENCE if name in self._sequence_inputs else ROW)
            case "old" if name in self.stored:
                return Place(f"state {name}", 0, OLD)
            case "old":
                return Place(f"roll {name}", 0, ROLL_OLD)
            case "vector":
                return Place("vectors", self.vectors[name], ZERO)
            case "d_output":
                return Place("d_h", 0, ROW)
            case "carried":
                return Place(f"carry {name}", 0, CARRY_OLD)
        raise AssertionError(f"{node!r} lies nowhere")

    # The two passes
    # ----------------------------------------------------------------------------------------------------

    def _forward(self, one: Pass) -> PassDesign:
        program = self.program
        new = program.forward.new
        made = set(one.nodes())
        wanted = set(new.values()) | {node for node in program.kept.values() if node in made}
        if self.saves:
            wanted |= {node for node in program.saved if node in made}
        self.lasting = wanted
        design = PassDesign(staged(program, one, wanted))
        for state, node in new.items():
            place = (
                Place(f"state {state}", 0, NEW)
                if state in self.stored
                else Place(f"roll {state}", 0, ROLL_NEW)
            )
            design.places[node] = [place]
        self._place(design, "forward", wanted, [])
        return design

    def _backward(self, one: Pass) -> PassDesign:
        program, derived = self.program, self.program.derived
        made = set(one.nodes())
        ends = {node for gradient in program.weight_gradients for node in (*gradient.ds, gradient.operand)}
        wanted = {node for node in ends | set(program.kept.values()) if node in made}
        handed = {node for node in derived.d_old.values() if node is not None}
        summed = {column_sum.d for column_sum in derived.column_sums}
        visited = wanted | (handed & made) | (summed & made)
        if derived.d_x is not None and derived.d_x in made:
            visited.add(derived.d_x)
            self._buffer("d_x", "", self.width(derived.d_x.size))
        self.lasting = set(program.kept.values())
        design = PassDesign(staged(program, one, self._swept(visited, made)))
        for state, node in derived.d_old.items():
            size = program.forward.cell.size_of[state]
            if node is None:
                handed_back = _made_up("spread", _made_up("number", size=ONE, attribute=0.0), size=size)
                design.staged.visit(handed_back)
            elif node.op in LEAVES or design.staged.phase_of[node] != LOOP:
                handed_back = _made_up("copy", node, size=size)
                design.staged.visit(handed_back)
                wanted |= {node} & made
            else:
                handed_back = node
            design.places.setdefault(handed_back, []).append(Place(f"carry {state}", 0, CARRY_NEW))
        if derived.d_x in made and derived.d_x is not None:
            design.places.setdefault(derived.d_x, []).append(Place("d_x", 0, ROW))
        self._place(design, "backward", wanted, [chain for chain in one.adjacent if set(chain) <= made])
        total = 0
        for column_sum in derived.column_sums:
            if column_sum.d.op in LEAVES or column_sum.d not in made:
                self.leaf_sums.append((column_sum.vector, column_sum.d))
                continue
            design.sinks[column_sum.d].append(total)
            self.sums.append((column_sum.vector, total))
            total += self.width(column_sum.d.size)
        self._buffer("sums", "parts", total)
        self._outers(design)
        return design

    def _swept(self, visited: set[Node], made: set[Node]) -> set[Node]:
        """Leave out products that are written to where they are wanted, without a sweep."""
        derived = self.program.derived
        handed = [node for node in derived.d_old.values() if node is not None]
        sums = {column_sum.d for column_sum in derived.column_sums}
        ends = {
            node for gradient in self.program.weight_gradients for node in (*gradient.ds, gradient.operand)
        }
        ends |= set(self.program.kept.values())
        direct = {
            node
            for node in visited
            if node.op == "product_t"
            and node not in sums
            and node not in ends
            and handed.count(node) + (node is derived.d_x) == 1
        }
        return visited - direct

    def _place(
        self, design: PassDesign, name: str, wanted: set[Node], chains: list[tuple[Node, ...]]
    ) -> None:
        """Give every node that needs memory its places; then write down the multiplications."""
        phase_of, position = design.staged.phase_of, design.staged.position
        readers: dict[Node, list[Node]] = defaultdict(list)
        for node in phase_of:
            for argument in node.arguments:
                readers[argument].append(node)
        for number, chain in enumerate(chains):
            start = 0
            buffer = f"chain {number}"
            for node in chain:
                design.places.setdefault(node, []).append(Place(buffer, start, CHUNK))
                if len(chain) > 1 and self.size(node.size) % self.numbers.lanes:
                    design.masked.add(node)
                start += self.width(node.size)
            self._buffer(buffer, f"chunk {name}", start)
        for node in phase_of:
            if node.op in PRODUCTS:
                if node in wanted and phase_of[node] == LOOP:
                    self._keep(design, name, node)
                continue
            own = phase_of[node]
            if own == ONCE:
                if wanted_or_read_elsewhere(node, readers, phase_of, position, wanted):
                    design.places[node] = [self._column("once", "1", node, ZERO)]
                continue
            outside = node in wanted or any(phase_of[r] != own for r in readers[node])
            stages = {position[r][0] for r in readers[node]} | {position[node][0]}
            multiplied = any(r.op in PRODUCTS for r in readers[node])
            if outside or (own != LOOP and (multiplied or len(stages) > 1)):
                self._keep(design, name, node)
            elif node in design.places:
                continue
            elif multiplied or len(stages) > 1:
                design.places[node] = [self._column(f"step {name}", "B", node, SEQUENCE)]
            elif node.op == "sum" or any(position[r] != position[node] for r in readers[node]):
                design.places[node] = [self._column(f"line {name}", "parts", node, ZERO)]
        for phase, stages_ in design.staged.phases.items():
            for stage in stages_:
                self._multiplications(design, name, phase, stage, readers)

    def _keep(self, design: PassDesign, name: str, node: Node) -> None:
        """Give a node a place that outlives its step, unless it has one.

        What somebody asked to see stays until the end; the rest of a backward is needed for a chunk.
        """
        places = design.places.setdefault(node, [])
        stays = name == "forward" or node in self.lasting
        if stays and not any(place.index in (ROW, NEW) and place.buffer != "d_x" for place in places):
            places.append(self._column(_named("rows", name, node), "N", node, ROW))
        elif not stays and not any(place.index in LASTING and place.buffer != "d_x" for place in places):
            places.append(self._column(_named("passing", name, node), f"chunk {name}", node, CHUNK))

    def _multiplications(
        self, design: PassDesign, name: str, phase: str, stage: Stage, readers: Mapping[Node, list[Node]]
    ) -> None:
        """Write down the products of a stage: sources, packed weights, targets."""
        column = 0
        result: list[Multiply] = []
        for multiplication in stage.multiplications:
            target, taken = self._target(design, name, phase, multiplication, readers, column)
            column += taken
            per_step = False
            runs = self._runs(design, multiplication)
            for number, (operands, blocks) in enumerate(runs):
                source = self.find(design, operands[0], phase)
                per_step = source.index not in (ROW, NEW, CHUNK)
                result.append(
                    Multiply(
                        self._pack(multiplication, operands, blocks), source, target, number > 0, per_step
                    )
                )
        design.multiplies[id(stage)] = result
        if column:
            self._grow("block", "parts", column)

    def _target(
        self,
        design: PassDesign,
        name: str,
        phase: str,
        multiplication: Multiplication,
        readers: Mapping[Node, list[Node]],
        column: int,
    ) -> tuple[Place, int]:
        """Choose where the results of a multiplication go; tell what they take of the block."""
        outs = multiplication.outs
        widths = [self.width(node.size) for node in outs]
        staged_ = design.staged
        first = outs[0]
        given = design.places.get(first, [])
        direct = [p for p in given if p.index in (CARRY_NEW,) or p.buffer == "d_x"]
        if len(outs) == 1 and len(given) == 1 and direct:
            return direct[0], 0
        here = staged_.position[first][0]
        beyond = any(
            staged_.phase_of[r] == phase and (staged_.position[r][0] != here or r.op in PRODUCTS)
            for node in outs
            for r in readers[node]
        )
        buffer = f"product {len(self.packed)}"
        if phase != LOOP:
            of_symbols = self.symbols and not multiplication.transposed and first.arguments[0].op == "input"
            passing = name == "backward" or (
                phase == BEFORE and all(staged_.phase_of[r] == LOOP for node in outs for r in readers[node])
            )
            if of_symbols:
                rows, index = "symbols", SYMBOL
            elif passing and not any(node in self.lasting for node in outs):
                rows, index = f"chunk {name}", CHUNK
            else:
                rows, index = "N", ROW
            self._buffer(buffer, rows, sum(widths))
            place, taken = Place(buffer, 0, index), 0
        elif beyond:
            self._buffer(buffer, "B", sum(widths))
            place, taken = Place(buffer, 0, SEQUENCE), 0
        else:
            place, taken = Place("block", column, BLOCK), sum(widths)
        start = place.column
        for node, width in zip(outs, widths, strict=True):
            # first: inside the step this is where to read it; a lasting place comes behind
            design.places.setdefault(node, []).insert(0, Place(place.buffer, start, place.index))
            start += width
        return place, taken

    def _runs(
        self, design: PassDesign, multiplication: Multiplication
    ) -> list[tuple[tuple[Node, ...], tuple[Block, ...]]]:
        """Cut the operands of a multiplication into runs that lie side by side."""
        if not multiplication.transposed:
            return [(multiplication.operands, multiplication.blocks)]
        phase = design.staged.phase_of[multiplication.outs[0]]
        pairs = sorted(
            zip(multiplication.operands, multiplication.blocks, strict=True),
            key=lambda pair: (lambda p: (p.buffer, p.column))(self.find(design, pair[0], phase)),
        )
        runs: list[list[tuple[Node, Block]]] = []
        for pair in pairs:
            place = self.find(design, pair[0], phase)
            if runs:
                last = runs[-1][-1][0]
                before = self.find(design, last, phase)
                adjacent = (before.buffer, before.index, before.column + self.width(last.size)) == (
                    place.buffer,
                    place.index,
                    place.column,
                )
                if adjacent and before.buffer.startswith("chain"):
                    runs[-1].append(pair)
                    continue
            runs.append([pair])
        return [(tuple(d for d, _ in run), tuple(block for _, block in run)) for run in runs]

    def _pack(
        self, multiplication: Multiplication, operands: tuple[Node, ...], blocks: tuple[Block, ...]
    ) -> Packed:
        placed, start = [], 0
        for block in blocks:
            placed.append((block, start))
            start += self.width(block.rows)
        name = f"packed {len(self.packed)}"
        if multiplication.transposed:
            inner = start if len(blocks) > 1 else self.size(blocks[0].rows)
            packed = Packed(name, tuple(placed), inner, self.width(blocks[0].column), True)
        else:
            packed = Packed(name, tuple(placed), self.size(blocks[0].column), start, False)
        self.packed.append(packed)
        return packed

    def _outers(self, design: PassDesign) -> None:
        """Write down the gradients of the weights, several as one where they and their rows are adjacent."""
        for gradient in self.program.weight_gradients:
            operand = self.gradient_place(design, gradient.operand)
            columns = self.size(gradient.blocks[0].column)
            for d, block in zip(gradient.ds, gradient.blocks, strict=True):
                place = self.gradient_place(design, d)
                group, stride = self.size(block.rows), self.width(block.rows)
                last = self.outers[-1] if self.outers else None
                if (
                    last is not None
                    and last.operand == operand
                    and last.group == group
                    and last.d.buffer == place.buffer
                    and last.d.column + last.matrices * stride == place.column
                    and self._follows(last, block)
                ):
                    self.outers[-1] = Outer(
                        last.block, last.matrices + 1, last.d, group, stride, operand, columns
                    )
                else:
                    self.outers.append(Outer(block, 1, place, group, stride, operand, columns))

    def _follows(self, last: Outer, block: Block) -> bool:
        """Tell whether the matrix of ``block`` lies behind those of ``last`` in the flat block."""
        order = self.program.order
        return (
            order.index(last.block.matrix) + last.matrices == order.index(block.matrix)
            and last.block.columns == block.columns
            and last.block.part == block.part
        )

    # Finding
    # ----------------------------------------------------------------------------------------------------

    def gradient_place(self, design: PassDesign, node: Node) -> Place:
        """Give where the rows of a value lie when the backward is over."""
        if node.op in LEAVES:
            return self.leaf(node)
        for source in (design, self.forward):
            for place in source.places.get(node, ()):
                if place.index in LASTING:
                    return place
        raise AssertionError(f"{node!r} was not kept")

    @cached_property
    def largest_product(self) -> int:
        """The most weights that a row meets in one product of the time loop."""
        passes = [one for one in (self.forward, self.backward) if one is not None]
        stages = [(one, stage) for one in passes for stage in one.staged.phases[LOOP]]
        return max(
            (m.packed.inner * m.packed.columns for one, stage in stages for m in one.multiplies[id(stage)]),
            default=0,
        )

    def tables(self) -> list[tuple[Packed, Place]]:
        """Give the products of symbols, with the places of their results."""
        return [
            (multiply.packed, multiply.target)
            for multiplies in self.forward.multiplies.values()
            for multiply in multiplies
            if multiply.target.index == SYMBOL
        ]

    def fingerprint(self) -> str:
        """Spell out all that the code of this design depends on."""
        nodes = self.program.forward.graph.nodes
        passes = [one for one in (self.forward, self.backward) if one is not None]
        return repr(
            (
                [(n.op, [a.index for a in n.arguments], n.size, n.attribute) for n in nodes],
                sorted(self.sizes.items()),
                [(one.staged.phase_of[n], n.index) for one in passes for n in one.staged.phase_of],
                [(n.index, n.size, places) for one in passes for n, places in one.places.items()],
                self.buffers,
                [(packed.blocks, packed.inner, packed.columns) for packed in self.packed],
                [(outer.block, outer.matrices, outer.d, outer.operand) for outer in self.outers],
                (self.sums, self.vectors, self.program.order, self.saves, self.symbols),
            )
        )

    def kept_place(self, node: Node) -> Place:
        """Give where all rows of a value lie that somebody asked to see."""
        if node.op in LEAVES:
            return self.leaf(node)
        sources = [one for one in (self.backward, self.forward) if one is not None]
        places = [place for one in sources for place in one.places.get(node, ())]
        return next(place for place in places if place.index in LASTING and place.index != CHUNK)

    def find(self, design: PassDesign, node: Node, phase: str) -> Place:
        """Give where a reader of ``phase`` finds a value that it does not compute."""
        if node.op in LEAVES:
            return self.leaf(node)
        if node in design.staged.phase_of:
            places = design.places[node]
            if design.staged.phase_of[node] == phase:
                return places[0]
            return next(place for place in places if place.index in LASTING)
        return next(place for place in self.forward.places[node] if place.index in LASTING)

    # Buffers
    # ----------------------------------------------------------------------------------------------------

    def _buffer(self, name: str, rows: str, width: int) -> None:
        self.buffers[name] = Buffer(name, rows, max(width, 1))

    def _column(self, name: str, rows: str, node: Node, index: str) -> Place:
        """Give a node the next columns of a buffer that many share."""
        if node.size == ONE and "numbers" not in name:
            width = self.numbers.lanes  # what comes behind it stays aligned
        else:
            width = self.width(node.size)
        start = self._wide.get(name, 0)
        self._wide[name] = start + width
        self._buffer(name, rows, start + width)
        return Place(name, start, index)

    def _grow(self, name: str, rows: str, width: int) -> None:
        self._buffer(name, rows, max(width, self.buffers[name].width if name in self.buffers else 1))


def wanted_or_read_elsewhere(
    node: Node,
    readers: Mapping[Node, list[Node]],
    phase_of: Mapping[Node, str],
    position: Mapping[Node, tuple[int, int]],
    wanted: set[Node],
) -> bool:
    """Tell whether somebody beyond the sweep that computes ``node`` wants it."""
    return (
        node in wanted
        or node.op == "sum"
        or any(phase_of[r] != phase_of[node] or position[r] != position[node] for r in readers[node])
    )


def _named(what: str, name: str, node: Node) -> str:
    """Name the buffer of several values, or of several numbers per row."""
    return f"{what} {name}" if node.size != ONE else f"{what} of numbers {name}"


def _made_up(op: str, *arguments: Node, size: str, attribute: object = None) -> Node:
    """Make a node that is in no graph: what goes back to a state where nothing computes it in the loop."""
    return Node(op, arguments, size, attribute, -1, "", False)
