"""The program of a cell: what the engines run, as data.

A program has three passes: the forward that saves what the backward needs (``training``), the forward that
saves nothing (``inference``) and the ``backward``. Each pass is cut into phases. ``before`` and ``after``
run once, over all rows of the batch; ``loop`` runs step by step; ``input`` (backward only) makes the
gradient of the input, and is left out where nobody wants it. The gradients of the weights come last, as one
product over all rows for each group.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from noria.compiler.differentiate import Backward
from noria.compiler.graph import Block, Node
from noria.compiler.lower import Forward

BEFORE, LOOP, AFTER, INPUT = "before", "loop", "after", "input"


@dataclass(frozen=True, eq=False)
class Product:
    """Several matrices times one operand, as one product: ``outs[k] = blocks[k] @ operand``."""

    blocks: tuple[Block, ...]
    operand: Node
    outs: tuple[Node, ...]


Instruction = Node | Product
"""A node stands for its own computation; products that share an operand are computed together."""


@dataclass(frozen=True, eq=False)
class WeightGradient:
    """The gradients of several matrices that met one operand.

    ``d_block[k] += sum over rows of ds[k] operand.T``.
    """

    blocks: tuple[Block, ...]
    ds: tuple[Node, ...]
    operand: Node


@dataclass(frozen=True, eq=False)
class Pass:
    """Instructions by phase, and where values lie.

    ``rows`` are the nodes of the time loop that are stored for every row, because another phase or pass
    reads them; the loop's other values live for one step. ``adjacent`` lists nodes that share one array,
    side by side, so that a grouped product reads or writes them in place.
    """

    phases: Mapping[str, tuple[Instruction, ...]]
    rows: frozenset[Node]
    adjacent: tuple[tuple[Node, ...], ...]

    def nodes(self, *phases: str) -> list[Node]:
        """Give the nodes computed in ``phases`` (all, if none is named), in order."""
        names = phases or tuple(self.phases)
        return [node for name in names for item in self.phases.get(name, ()) for node in outputs(item)]


@dataclass(frozen=True, eq=False)
class Program:
    """The derived program of one cell; see the module.

    ``order`` is the order of the parameters in the flat block; ``saved`` what the training forward keeps
    for the backward; ``recomputed`` what the backward computes again because that is cheaper than keeping
    it; ``kept`` what somebody asked to see, by name.
    """

    forward: Forward
    derived: Backward
    order: tuple[str, ...]
    training: Pass
    inference: Pass
    backward: Pass
    weight_gradients: tuple[WeightGradient, ...]
    saved: tuple[Node, ...]
    recomputed: tuple[Node, ...]
    kept: dict[str, Node]

    def __str__(self) -> str:
        from noria.compiler.listing import listing

        return listing(self)


def outputs(instruction: Instruction) -> tuple[Node, ...]:
    """Give the nodes that an instruction computes."""
    return instruction.outs if isinstance(instruction, Product) else (instruction,)


def inputs(instruction: Instruction) -> tuple[Node, ...]:
    """Give the nodes that an instruction reads."""
    return (instruction.operand,) if isinstance(instruction, Product) else instruction.arguments
