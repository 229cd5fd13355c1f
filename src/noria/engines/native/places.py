"""Buffers, and places in them: the words in which the memory of a run is described."""

from dataclasses import dataclass

from noria.compiler.graph import Block

ROW, OLD, NEW, CHUNK, SEQUENCE = "row", "old", "new", "chunk", "sequence"
BLOCK, ZERO, SYMBOL = "block", "zero", "symbol"
ROLL_OLD, ROLL_NEW, CARRY_OLD, CARRY_NEW = "roll_old", "roll_new", "carry_old", "carry_new"
"""How a row is found in a buffer: see :meth:`noria.engines.native.sweeps.SweepWriter`."""

LASTING = frozenset({ROW, OLD, NEW, ZERO, SYMBOL, CHUNK})
"""The places whose rows outlive the step (those of a chunk: as long as somebody reads them)."""

STAYING = LASTING - {CHUNK}
"""The places whose rows are there until the run is over."""


@dataclass(frozen=True)
class Buffer:
    """Memory of a run.

    ``rows`` tells how many: ``"N"`` rows of the batch, ``"B"`` sequences, ``"B+N"``, ``"2B"``, ``"1"``,
    ``"chunk forward"`` or ``"chunk backward"`` (rows of a few steps), ``"parts"`` (one for each thread),
    ``"symbols"``, or ``""`` for memory of the caller. ``width`` is the row stride in numbers.
    """

    name: str
    rows: str
    width: int


@dataclass(frozen=True)
class Place:
    """Columns of a buffer, from ``column`` on, and the way in which its rows are found."""

    buffer: str
    column: int
    index: str


@dataclass(frozen=True, eq=False)
class Packed:
    """The weights of one multiplication (of one run of its operands), packed: K rows of whole vectors."""

    name: str
    blocks: tuple[tuple[Block, int], ...]  # with the first column (transposed: the first row) of each
    inner: int
    columns: int
    transposed: bool


@dataclass(frozen=True, eq=False)
class Multiply:
    """``target (+)= source @ packed``; ``per_step`` where the rows of all steps do not lie in a row."""

    packed: Packed
    source: Place
    target: Place
    adds: bool
    per_step: bool


@dataclass(frozen=True, eq=False)
class Outer:
    """The gradient of adjacent weights: the sum over rows of ``d operand.T``."""

    block: Block
    matrices: int
    d: Place
    group: int
    stride: int
    operand: Place
    columns: int
