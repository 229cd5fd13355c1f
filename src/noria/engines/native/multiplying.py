"""What the products of a pass read, the weights packed for them, and where their results go."""

from noria.compiler.graph import PRODUCTS, Block, Node
from noria.compiler.program import BEFORE, LOOP
from noria.engines.native.buffers import Buffers
from noria.engines.native.pass_design import PassDesign
from noria.engines.native.places import (
    BLOCK,
    CARRY_NEW,
    CHUNK,
    NEW,
    ROW,
    SEQUENCE,
    SYMBOL,
    Multiply,
    Packed,
    Place,
)
from noria.engines.native.stages import Multiplication, Stage


class Multiplying:
    """Writes down the multiplications of one pass, all other places of which are known.

    Parameters
    ----------
    buffers : Buffers
    one : PassDesign
        It gets its ``multiplies``, and the places of their results.
    packed : list of Packed
        The packed weights of the kernel so far; those of this pass come behind.
    symbols : bool
        Whether the input is given by ids into a table.
    """

    def __init__(self, buffers: Buffers, one: PassDesign, packed: list[Packed], *, symbols: bool) -> None:
        self.buffers, self.one, self.packed, self.symbols = buffers, one, packed, symbols

    def write(self) -> None:
        """Write down the multiplications of every stage."""
        for phase, stages in self.one.staged.phases.items():
            for stage in stages:
                self.one.multiplies[id(stage)] = self._multiplies(phase, stage)

    def _multiplies(self, phase: str, stage: Stage) -> list[Multiply]:
        result: list[Multiply] = []
        block_width = 0
        for multiplication in stage.multiplications:
            target = self._target(phase, multiplication, block_width)
            if target.index == BLOCK:
                block_width += self._width(multiplication.outs)
            for number, (source, blocks) in enumerate(self._runs(phase, multiplication)):
                packed = self._pack(blocks, transposed=multiplication.transposed)
                per_step = source.index not in (ROW, NEW, CHUNK)
                result.append(Multiply(packed, source, target, number > 0, per_step))
        if block_width:
            self.buffers.widen("block", "parts", block_width)
        return result

    def _width(self, nodes: tuple[Node, ...]) -> int:
        return sum(self.buffers.width(node.size) for node in nodes)

    # Results
    # ----------------------------------------------------------------------------------------------------

    def _target(self, phase: str, multiplication: Multiplication, block_width: int) -> Place:
        """Choose where the results go, and place them there; ``block_width`` of the block is taken."""
        outs = multiplication.outs
        given = self.one.places.get(outs[0], [])
        if len(outs) == len(given) == 1 and (given[0].index == CARRY_NEW or given[0].buffer == "d_x"):
            return given[0]
        target = self._room(phase, multiplication, block_width)
        column = target.column
        for node in outs:
            # first: inside the step this is where to read it; a lasting place comes behind
            self.one.places.setdefault(node, []).insert(0, Place(target.buffer, column, target.index))
            column += self.buffers.width(node.size)
        return target

    def _room(self, phase: str, multiplication: Multiplication, block_width: int) -> Place:
        """Give room for all results of a multiplication, side by side."""
        if phase != LOOP:
            rows, index = self._rows_outside(phase, multiplication)
        elif self._read_beyond_its_stage(multiplication.outs):
            rows, index = "B", SEQUENCE
        else:
            return Place("block", block_width, BLOCK)
        buffer = f"product {len(self.packed)}"
        self.buffers.make(buffer, rows, self._width(multiplication.outs))
        return Place(buffer, 0, index)

    def _rows_outside(self, phase: str, multiplication: Multiplication) -> tuple[str, str]:
        """Choose rows for the results of a product outside the loop: of symbols, of a chunk, or all."""
        one, outs = self.one, multiplication.outs
        if self.symbols and not multiplication.transposed and multiplication.operands[0].op == "input":
            return "symbols", SYMBOL
        for_loop = phase == BEFORE and all(
            one.staged.phase_of[reader] == LOOP for node in outs for reader in one.readers[node]
        )
        if (one.name == "backward" or for_loop) and one.lasting.isdisjoint(outs):
            return f"chunk {one.name}", CHUNK
        return "N", ROW

    def _read_beyond_its_stage(self, outs: tuple[Node, ...]) -> bool:
        """Tell whether a later stage of the loop reads results, or a product does."""
        phase_of, position = self.one.staged.phase_of, self.one.staged.position
        stage, _ = position[outs[0]]
        return any(
            phase_of[reader] == LOOP and (position[reader][0] != stage or reader.op in PRODUCTS)
            for node in outs
            for reader in self.one.readers[node]
        )

    # Operands
    # ----------------------------------------------------------------------------------------------------

    def _runs(self, phase: str, multiplication: Multiplication) -> list[tuple[Place, list[Block]]]:
        """Cut the operands into runs that lie side by side: where each begins, and its blocks of weights."""
        if not multiplication.transposed:
            return [(self.one.find(multiplication.operands[0], phase), list(multiplication.blocks))]
        located = [
            (self.one.find(node, phase), node, block)
            for node, block in zip(multiplication.operands, multiplication.blocks, strict=True)
        ]
        runs: list[tuple[Place, list[Block]]] = []
        behind: Place | None = None
        for place, node, block in sorted(located, key=lambda found: (found[0].buffer, found[0].column)):
            if place == behind and place.buffer.startswith("chain"):
                runs[-1][1].append(block)
            else:
                runs.append((place, [block]))
            behind = Place(place.buffer, place.column + self.buffers.width(node.size), place.index)
        return runs

    def _pack(self, blocks: list[Block], *, transposed: bool) -> Packed:
        """Lay the weights of one run side by side: columns of results, or rows (K) where transposed."""
        placed, end = [], 0
        for block in blocks:
            placed.append((block, end))
            end += self.buffers.width(block.rows)
        first = blocks[0]
        if transposed:
            inner = end if len(blocks) > 1 else self.buffers.size(first.rows)
            columns = self.buffers.width(first.column)
        else:
            inner, columns = self.buffers.size(first.column), end
        packed = Packed(f"packed {len(self.packed)}", tuple(placed), inner, columns, transposed)
        self.packed.append(packed)
        return packed
