"""The memory of a kernel: what its two passes keep where, and what becomes of the gradients of parameters."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from noria.compiler.graph import ONE, Node
from noria.compiler.program import LOOP, Pass, Program
from noria.engines.native.buffers import Buffers
from noria.engines.native.code import Numbers
from noria.engines.native.leaves import Leaves
from noria.engines.native.multiplying import Multiplying
from noria.engines.native.pass_design import PassDesign
from noria.engines.native.places import CARRY_NEW, ROW, STAYING, SYMBOL, Outer, Packed, Place
from noria.engines.native.placing import Placing
from noria.engines.native.stages import staged

CHUNK_BYTES = {"forward": 3 << 18, "backward": 5 << 18}
"""How much of what products give or take may lie in a core's cache between writing and reading it."""

LIGHT_GRADIENTS = 1 << 19
"""Bytes of weight gradients up to which adding to them costs little, so that chunks may be short."""


class Design:
    """The memory of one kernel.

    Parameters
    ----------
    program : Program
    sizes : mapping
        Units of each size symbol.
    numbers : Numbers
    saves : bool
        Whether a backward follows.
    symbols : bool
        Whether the input is given by ids into a table.

    Attributes
    ----------
    buffers : Buffers
    forward, backward : PassDesign
        ``backward`` is None for kernels that save nothing.
    packed : list of Packed
        All packed weights, those of the forward first.
    outers : list of Outer
        The gradients of the weights.
    sums : list
        The other parameters, with the column of the buffer ``"sums"`` where the rows of the gradient are
        added up.
    leaf_sums : list
        The other parameters whose gradient is the sum over rows of something that no sweep computes.
    """

    def __init__(
        self, program: Program, sizes: Mapping[str, int], numbers: Numbers, *, saves: bool, symbols: bool
    ) -> None:
        self.program, self.cell, self.numbers = program, program.forward.cell, numbers
        self.saves, self.symbols = saves, symbols
        one = program.training if saves else program.inference
        self.buffers = Buffers(sizes, numbers)
        self.leaves = Leaves(program, one, self.buffers, saves=saves)
        self.stored, self.vectors = self.leaves.stored, self.leaves.vectors
        self.reads_sequence = bool(self.leaves.per_sequence)
        self.packed: list[Packed] = []
        self.sums: list[tuple[str, int]] = []
        self.leaf_sums: list[tuple[str, Node]] = []
        self.outers: list[Outer] = []
        self.forward = self._forward(one)
        self.backward = self._backward(program.backward) if saves else None

    def size(self, symbol: str) -> int:
        """Give the units of a size symbol."""
        return self.buffers.size(symbol)

    def kept_place(self, node: Node) -> Place:
        """Give where all rows of a value lie that somebody asked to see."""
        return (self.backward or self.forward).rows_of(node, STAYING)

    def tables(self) -> list[tuple[Packed, Place]]:
        """Give the products of symbols, with the places of their results."""
        return [
            (multiply.packed, multiply.target)
            for multiplies in self.forward.multiplies.values()
            for multiply in multiplies
            if multiply.target.index == SYMBOL
        ]

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

    @cached_property
    def largest_product(self) -> int:
        """The most weights that a row meets in one product of the time loop."""
        stages = [(one, stage) for one in self._passes() for stage in one.staged.phases[LOOP]]
        return max(
            (m.packed.inner * m.packed.columns for one, stage in stages for m in one.multiplies[id(stage)]),
            default=0,
        )

    def fingerprint(self) -> str:
        """Spell out all that the code of this design depends on."""
        nodes, passes = self.program.forward.graph.nodes, self._passes()
        return repr(
            (
                [(n.op, [a.index for a in n.arguments], n.size, n.attribute) for n in nodes],
                sorted(self.buffers.sizes.items()),
                [(one.staged.phase_of[n], n.index) for one in passes for n in one.staged.phase_of],
                [(n.index, n.size, places) for one in passes for n, places in one.places.items()],
                self.buffers,
                [(packed.blocks, packed.inner, packed.columns) for packed in self.packed],
                [(outer.block, outer.matrices, outer.d, outer.operand) for outer in self.outers],
                (self.sums, self.vectors, self.program.order, self.saves, self.symbols),
            )
        )

    def _passes(self) -> list[PassDesign]:
        return [one for one in (self.forward, self.backward) if one is not None]

    # The two passes
    # ----------------------------------------------------------------------------------------------------

    def _forward(self, one: Pass) -> PassDesign:
        program, made = self.program, set(one.nodes())
        new = program.forward.new
        wanted = set(new.values()) | (set(program.kept.values()) & made)
        if self.saves:
            wanted |= set(program.saved) & made
        design = PassDesign("forward", staged(program, one, wanted), self.leaves, wanted)
        for state, node in new.items():
            design.places[node] = [self.leaves.place_after(state)]
        Placing(self.buffers, design, wanted).place()
        Multiplying(self.buffers, design, self.packed, symbols=self.symbols).write()
        return design

    def _backward(self, one: Pass) -> PassDesign:
        program, made = self.program, set(one.nodes())
        kept = set(program.kept.values())
        read = {node for gradient in program.weight_gradients for node in (*gradient.ds, gradient.operand)}
        wanted = (read | kept) & made
        stages = staged(program, one, self._swept(wanted, made))
        design = PassDesign("backward", stages, self.leaves, kept, self.forward)
        wanted |= self._hand_out(design)
        Placing(self.buffers, design, wanted).place(chain for chain in one.adjacent if made.issuperset(chain))
        Multiplying(self.buffers, design, self.packed, symbols=self.symbols).write()
        self._sum_vector_gradients(design)
        self._join_weight_gradients(design)
        return design

    def _swept(self, wanted: set[Node], made: set[Node]) -> set[Node]:
        """Name the nodes of the backward that a sweep has to visit even where a product makes them.

        A result that is handed out once, and otherwise not needed, is not among them: the product writes it
        to where it is read.
        """
        derived = self.program.derived
        summed = {column_sum.d for column_sum in derived.column_sums}
        handed = [node for node in (*derived.d_old.values(), derived.d_x) if node is not None]
        written = {node for node in handed if node.op == "product_t" and handed.count(node) == 1}
        return (wanted | summed | (set(handed) - written)) & made

    def _hand_out(self, one: PassDesign) -> set[Node]:
        """Place what goes to the step before and to the input; give the nodes of which a copy goes there."""
        derived, phase_of = self.program.derived, one.staged.phase_of
        copied = set()
        for state, node in derived.d_old.items():
            size = self.cell.size_of[state]
            if node is None:
                source = _made_up("spread", _made_up("number", size=ONE, attribute=0.0), size=size)
                one.staged.visit(source)
            elif phase_of.get(node) != LOOP:
                source = _made_up("copy", node, size=size)
                one.staged.visit(source)
                copied.add(node)
            else:
                source = node
            one.places.setdefault(source, []).append(Place(f"carry {state}", 0, CARRY_NEW))
        d_x = derived.d_x
        if d_x is not None and d_x in phase_of:
            self.buffers.make("d_x", "", self.buffers.width(d_x.size))
            one.places.setdefault(d_x, []).append(Place("d_x", 0, ROW))
        return copied

    # Gradients of parameters
    # ----------------------------------------------------------------------------------------------------

    def _sum_vector_gradients(self, one: PassDesign) -> None:
        """Let sweeps add up the rows of the gradients of vectors."""
        total = 0
        for column_sum in self.program.derived.column_sums:
            if column_sum.d not in one.staged.phase_of:
                self.leaf_sums.append((column_sum.vector, column_sum.d))
                continue
            one.sinks[column_sum.d].append(total)
            self.sums.append((column_sum.vector, total))
            total += self.buffers.width(column_sum.d.size)
        self.buffers.make("sums", "parts", total)

    def _join_weight_gradients(self, one: PassDesign) -> None:
        """Write down the gradients of the weights, several as one where they and their rows are adjacent."""
        size, width = self.buffers.size, self.buffers.width
        for gradient in self.program.weight_gradients:
            operand, columns = one.rows_of(gradient.operand), size(gradient.blocks[0].column)
            for d, block in zip(gradient.ds, gradient.blocks, strict=True):
                outer = Outer(block, 1, one.rows_of(d), size(block.rows), width(block.rows), operand, columns)
                last = self.outers[-1] if self.outers else None
                if last is not None and self._follows(last, outer):
                    self.outers[-1] = replace(last, matrices=last.matrices + 1)
                else:
                    self.outers.append(outer)
        if self.symbols:
            for buffer in sorted({outer.d.buffer for outer in self.outers if outer.operand.buffer == "x"}):
                self.buffers.make(f"symbols of {buffer}", "symbols", self.buffers[buffer].width)

    def _follows(self, last: Outer, outer: Outer) -> bool:
        """Tell whether a matrix and the rows of its gradient lie behind those of ``last``."""
        order = self.program.order
        return (
            last.operand == outer.operand
            and last.group == outer.group
            and last.d.buffer == outer.d.buffer
            and last.d.column + last.matrices * last.stride == outer.d.column
            and order.index(last.block.matrix) + last.matrices == order.index(outer.block.matrix)
            and last.block.columns == outer.block.columns
            and last.block.part == outer.block.part
        )


def _made_up(op: str, *arguments: Node, size: str, attribute: object = None) -> Node:
    """Make a node that is in no graph: what goes back to a state where nothing computes it in the loop."""
    return Node(op, arguments, size, attribute, -1, "", False)
