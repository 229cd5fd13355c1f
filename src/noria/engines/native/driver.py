"""The module of a kernel: forward and backward, each one function that every thread calls with its number."""

from functools import cached_property

from llvmlite import ir

from noria.compiler.program import AFTER, BEFORE, INPUT, LOOP
from noria.engines.native.barrier import write_barrier
from noria.engines.native.code import Code, Numbers
from noria.engines.native.design import Design
from noria.engines.native.entry import FIXED, OWNED, PACK
from noria.engines.native.looping import LoopingPen
from noria.engines.native.pass_design import PassDesign
from noria.engines.native.pen import Scene
from noria.engines.native.preparing import PreparingPen
from noria.engines.native.stages import ONCE, Stage
from noria.engines.native.sweeps import ARGUMENTS, SweepWriter

PHASES = {"forward": (ONCE, BEFORE, LOOP, AFTER), "backward": (ONCE, BEFORE, LOOP, AFTER, INPUT)}

SMALL_WEIGHTS, SMALL_BLOCK, LARGE_BLOCK = 1 << 20, 1 << 15, 1 << 20
"""Bytes: weights that stay in a core's cache beside everything else, and the results of a block for them
and for larger ones."""


class PassPen(PreparingPen, LoopingPen):
    """Writes one pass."""

    def write(self) -> None:
        """Write the whole function."""
        with self.code.when(self._bit(PACK)):
            self.prepare()
        self._meet()
        self.chunks(backwards=self.name == "backward")
        if self.name == "backward":
            self.end()
        self.code.done()


class Driver:
    """Writes the module of one design.

    Attributes
    ----------
    slots : dict
        Name of an argument or buffer to its place among the arguments.
    block_rows : int
        Rows that a thread multiplies before it sweeps over them.
    """

    def __init__(
        self,
        design: Design,
        numbers: Numbers,
        offsets: dict[str, int],
        *,
        tile_rows: int,
        panel: int,
        work: int,
    ) -> None:
        self.design = design
        names = [*FIXED, *design.buffers, *(packed.name for packed in design.packed)]
        self.slots = {name: number for number, name in enumerate(names)}
        self.block_rows = _block_rows(design, numbers, tile_rows)
        self._common = numbers, self.slots, offsets, self.block_rows, panel, work

    @cached_property
    def module(self) -> ir.Module:
        """The module, written when it is first asked for."""
        module, design, numbers = ir.Module("kernel"), self.design, self._common[0]
        scene = Scene(module, design, *self._common)
        write_barrier(module, numbers)
        _write_pass(scene, "forward", design.forward)
        if design.backward is not None:
            _write_pass(scene, "backward", design.backward)
        return module


def _write_pass(scene: Scene, name: str, one: PassDesign) -> None:
    functions = {
        id(stage): _write_stage(scene, name, one, phase, number, stage)
        for phase in PHASES[name]
        for number, stage in enumerate(one.staged.phases.get(phase, ()))
        if stage.sweeps
    }
    PassPen(scene, name, one, functions).write()


def _write_stage(
    scene: Scene, name: str, one: PassDesign, phase: str, number: int, stage: Stage
) -> ir.Function:
    code = Code(scene.module, scene.numbers, f"{name}_{phase}_{number}", ARGUMENTS, internal=True)
    code.function.attributes.add("noinline")
    SweepWriter(code, scene.design, one, phase, stage, scene.slots, scene.block_rows).write()
    return code.function


def _block_rows(design: Design, numbers: Numbers, tile_rows: int) -> int:
    """Choose the rows of a block.

    Where the weights fit a core's cache the block's results should too; where they do not, they are read as
    seldom as possible.
    """
    block = design.buffers.get("block")
    if block is None:
        return 1
    weights = design.largest_product * numbers.size
    room = SMALL_BLOCK if weights <= SMALL_WEIGHTS else LARGE_BLOCK
    tiles = room // (block.width * numbers.size * tile_rows)
    rows = max(1, min(128 // tile_rows, tiles)) * tile_rows
    return max(rows, OWNED)  # threads that share columns put all sequences into one block of each
