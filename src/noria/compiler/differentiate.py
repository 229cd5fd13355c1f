"""The backward step, derived: reverse-mode differentiation of the graph of one step, in the same graph.

Gradients arrive at a step from two sides: from above, as the gradient of the output ``h'``, and from the
step after, as what that step handed back to the states that it read. They leave it towards the input,
towards the states before the step, and towards the parameters; those last are sums over all rows, so here
they stay pairs of rows (``Outer``, ``ColumnSum``) that one product adds up after the time loop.
"""

from collections import defaultdict
from dataclasses import dataclass

from noria.compiler.derivatives import DERIVATIVES
from noria.compiler.graph import LEAVES, ONE, Block, Graph, Node
from noria.compiler.lower import Forward


@dataclass(frozen=True, eq=False)
class Outer:
    """A share in the gradient of a weight matrix: the sum over rows of ``d operand.T``."""

    block: Block
    d: Node
    operand: Node


@dataclass(frozen=True, eq=False)
class ColumnSum:
    """The gradient of a learned vector: the sum over rows of ``d``."""

    vector: str
    d: Node


@dataclass(frozen=True, eq=False)
class Contribution:
    """One term of an adjoint: the path that it came by, and the node that carries it."""

    through: str
    node: Node


@dataclass(frozen=True, eq=False)
class Backward:
    """The derived backward of one step.

    ``carried`` are the leaves for the gradients that the step after hands back, one per state; ``d_old``
    what this step hands back to the states before it (``None`` where a state is not read); ``adjoints`` the
    gradient of the loss with respect to each node.
    """

    forward: Forward
    output: Node
    carried: dict[str, Node]
    d_old: dict[str, Node | None]
    d_x: Node | None
    outers: tuple[Outer, ...]
    column_sums: tuple[ColumnSum, ...]
    adjoints: dict[Node, Node]
    contributions: dict[Node, tuple[Contribution, ...]]


def differentiate(forward: Forward) -> Backward:
    """Derive the backward step of ``forward``, by the derivative table."""
    return _Differentiation(forward).run()


class _Differentiation:
    def __init__(self, forward: Forward) -> None:
        self.forward = forward
        self.graph: Graph = forward.graph
        self.terms: dict[Node, list[Contribution]] = defaultdict(list)
        self.transposed: dict[Node, list[tuple[Block, Node, str]]] = defaultdict(list)
        self.outers: list[Outer] = []
        self.adjoints: dict[Node, Node] = {}
        self.contributions: dict[Node, tuple[Contribution, ...]] = {}

    def run(self) -> Backward:
        forward, graph = self.forward, self.graph
        steps = list(graph.nodes)
        wanted = _depends(steps, lambda node: node.op in ("input", "old", "vector", "product"))
        output, carried = self._arrivals()
        for node in reversed(steps):
            if node in wanted and (node in self.terms or node in self.transposed):
                d = self._adjoint(node)
                if node.op not in LEAVES:
                    self._hand_back(node, d, wanted)
        leaves = {(node.op, node.attribute): node for node in steps if node.op in LEAVES}
        old = {
            s: self.adjoints.get(leaves[("old", s)]) if ("old", s) in leaves else None
            for s in forward.cell.states
        }
        x = leaves.get(("input", "x"))
        sums = [
            ColumnSum(p.name, self.adjoints[leaves[("vector", p.name)]])
            for p in forward.cell.parameters
            if leaves.get(("vector", p.name)) in self.adjoints
        ]
        return Backward(
            forward=forward,
            output=output,
            carried=carried,
            d_old=old,
            d_x=self.adjoints.get(x) if x is not None else None,
            outers=tuple(self.outers),
            column_sums=tuple(sums),
            adjoints=self.adjoints,
            contributions=self.contributions,
        )

    def _arrivals(self) -> tuple[Node, dict[str, Node]]:
        """Let the gradients arrive: from above at h', from the step after at every state."""
        cell, graph = self.forward.cell, self.graph
        output = graph.leaf("d_output", "h", cell.size_of["h"])
        carried = {state: graph.leaf("carried", state, cell.size_of[state]) for state in cell.states}
        self.terms[self.forward.new["h"]].append(Contribution("the output", output))
        for state, leaf in carried.items():
            if state != "h" or "h" in self.forward.recurrent_states:
                self.terms[self.forward.new[state]].append(Contribution("the next step", leaf))
        return output, carried

    def _adjoint(self, node: Node) -> Node:
        """Add up what was handed back to ``node``: products in one, then the rest in the order of arrival."""
        terms = list(self.terms[node])
        if self.transposed[node]:
            shares = self.transposed[node]
            through = ", ".join(dict.fromkeys(name for _, _, name in shares))
            terms.append(Contribution(through, self.graph.transposed([(block, d) for block, d, _ in shares])))
        self.contributions[node] = tuple(terms)
        total = terms[0].node
        for term in terms[1:]:
            total = self.graph.apply("add", total, term.node)
        total = self.graph.sum(total) if node.size == ONE else self.graph.spread(total, node.size)
        if total.op == "carried":  # what the next step handed back is there during this step only: keep it
            total = self.graph.make("copy", (total,), size=total.size)
        self.adjoints[node] = total
        return total

    def _hand_back(self, node: Node, d: Node, wanted: set[Node]) -> None:
        if node.op == "product":
            block, operand = node.attribute, node.arguments[0]
            assert isinstance(block, Block)
            self.outers.append(Outer(block, d, operand))
            if operand in wanted:
                self.transposed[operand].append((block, d, node.owner))
            return
        for argument, share in zip(node.arguments, DERIVATIVES[node.op](self.graph, node, d), strict=True):
            if argument in wanted:
                reduced = self.graph.sum(share) if argument.size == ONE else share
                self.terms[argument].append(Contribution(node.owner, reduced))


def _depends(nodes: list[Node], source: object) -> set[Node]:
    """Give the nodes that are a source or are computed from one; ``nodes`` in the order of making."""
    assert callable(source)
    found: set[Node] = set()
    for node in nodes:
        if source(node) or any(argument in found for argument in node.arguments):
            found.add(node)
    return found
