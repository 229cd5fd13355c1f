"""One pass of a kernel: its stages, and where everything lies that they read and write."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from noria.compiler.graph import LEAVES, Node
from noria.engines.native.leaves import Leaves
from noria.engines.native.places import LASTING, Multiply, Place
from noria.engines.native.stages import Staged


@dataclass
class PassDesign:
    """One pass: its stages, the places of its nodes, its multiplications by stage.

    Attributes
    ----------
    name : str
        ``"forward"`` or ``"backward"``.
    staged : Staged
    leaves : Leaves
    lasting : set of Node
        Values whose rows somebody reads when the pass is over; those of others may go with their chunk.
    earlier : PassDesign or None
        The forward of a backward, which reads its values.
    places : dict
        Where each node is kept; a node that is not in it stays in a register. Within its phase it is read at
        the first place. A sweep writes it to all of them; the result of a product is at the first, and a
        sweep copies it to the others.
    multiplies : dict
        The multiplications of each stage, by its ``id``.
    sinks : dict
        Columns of the buffer ``"sums"`` to which sweeps add the rows of a node, in every thread its own:
        there the gradients of parameters that are no matrices come to be. One for each such parameter.
    masked : set of Node
        Nodes whose padding is written as zeros. They lie side by side and a product reads them as one row,
        padding included; what arithmetic leaves there need not be finite, and infinity times the zero among
        the weights is not zero.
    """

    name: str
    staged: Staged
    leaves: Leaves
    lasting: set[Node]
    earlier: "PassDesign | None" = None
    places: dict[Node, list[Place]] = field(default_factory=dict)
    multiplies: dict[int, list[Multiply]] = field(default_factory=dict)
    sinks: dict[Node, list[int]] = field(default_factory=lambda: defaultdict(list))
    masked: set[Node] = field(default_factory=set)

    @cached_property
    def readers(self) -> Mapping[Node, list[Node]]:
        """Who of this pass reads each value."""
        readers: dict[Node, list[Node]] = defaultdict(list)
        for node in self.staged.phase_of:
            for argument in node.arguments:
                readers[argument].append(node)
        return readers

    def find(self, node: Node, phase: str) -> Place:
        """Give where a reader of ``phase`` finds a value that it does not compute."""
        if self.staged.phase_of.get(node) == phase:
            return self.places[node][0]
        return self.rows_of(node)

    def rows_of(self, node: Node, kinds: frozenset[str] = LASTING) -> Place:
        """Give where the rows of a value lie beyond the step, here or in the pass before."""
        if node.op in LEAVES:
            return self.leaves.place(node)
        for one in (self, self.earlier):
            for place in one.places.get(node, ()) if one is not None else ():
                if place.index in kinds:
                    return place
        raise AssertionError(f"{node!r} was not kept")
