"""The graph of one step of a cell: what is computed from what, with sizes.

Every node stands for one vector per row (size symbol ``"H"``, ``"D"``, ...) or one number per row (size
``ONE``). Nodes are made by a :class:`Graph`, which never makes the same node twice and leaves out
arithmetic that changes nothing, so that equal subexpressions, in the forward and between forward and
backward, are one node.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

ONE = "1"
"""The size symbol of a single number per row, spread over the units where it meets a vector."""

LEAVES = frozenset({"number", "inverse_size", "input", "given", "old", "vector", "d_output", "carried"})
PRODUCTS = frozenset({"product", "product_t"})


@dataclass(frozen=True)
class Block:
    """The columns of a weight matrix that meet one operand: all, unless that is part of a concatenation."""

    matrix: str
    part: int
    rows: str
    columns: tuple[str, ...]

    @property
    def column(self) -> str:
        """The size symbol of the operand."""
        return self.columns[self.part]


@dataclass(frozen=True, eq=False)
class Node:
    """One value per row.

    ``attribute`` holds what is not a node: the name of a leaf, the number of a constant, the exponent of a
    power, the block of a product (a tuple of blocks for ``product_t``, one for each argument).
    ``recurrent`` is true when the value depends on a state before the step.
    """

    op: str
    arguments: tuple["Node", ...]
    size: str
    attribute: object
    index: int
    owner: str
    recurrent: bool

    def __repr__(self) -> str:
        return f"%{self.index}:{self.op}"


@dataclass(eq=False)
class Graph:
    """Makes nodes; ``owner`` is the equation being read, and is noted on the nodes that are made for it."""

    nodes: list[Node] = field(default_factory=list)
    owner: str = ""
    _made: dict[tuple[object, ...], Node] = field(default_factory=dict)

    def make(self, op: str, arguments: tuple[Node, ...] = (), *, size: str, attribute: object = None) -> Node:
        """Give the node of ``op`` over ``arguments``, making it the first time."""
        key = (op, tuple(node.index for node in arguments), size, attribute)
        node = self._made.get(key)
        if node is None:
            recurrent = op == "old" or any(argument.recurrent for argument in arguments)
            node = Node(op, arguments, size, attribute, len(self.nodes), self.owner, recurrent)
            self.nodes.append(node)
            self._made[key] = node
        return node

    def number(self, value: float) -> Node:
        """Give the node of a constant."""
        return self.make("number", size=ONE, attribute=float(value))

    def inverse_size(self, size: str) -> Node:
        """Give the node of 1 / (number of units of ``size``)."""
        return self.make("inverse_size", size=ONE, attribute=size)

    def leaf(self, op: str, name: str, size: str) -> Node:
        """Give the node of something that comes from outside the step."""
        return self.make(op, size=size, attribute=name)

    def product(self, block: Block, operand: Node) -> Node:
        """Give ``block @ operand``."""
        return self.make("product", (operand,), size=block.rows, attribute=block)

    def transposed(self, terms: list[tuple[Block, Node]]) -> Node:
        """Give the sum of ``block.T @ value`` over ``terms``; one product in the engines."""
        blocks = tuple(block for block, _ in terms)
        return self.make(
            "product_t", tuple(node for _, node in terms), size=blocks[0].column, attribute=blocks
        )

    def sum(self, value: Node) -> Node:
        """Give the sum over the units of each row."""
        return value if value.size == ONE else self.make("sum", (value,), size=ONE)

    def spread(self, value: Node, size: str) -> Node:
        """Give a number per row as a vector of equal entries."""
        return value if value.size == size else self.make("spread", (value,), size=size)

    def apply(self, op: str, *arguments: Node, attribute: object = None) -> Node:
        """Give an elementwise function of ``arguments``, simplified where that changes nothing."""
        size = next((node.size for node in arguments if node.size != ONE), ONE)
        if any(node.size == size and node.op != "spread" for node in arguments):
            arguments = tuple(node.arguments[0] if node.op == "spread" else node for node in arguments)
        simpler = _SIMPLER[op](self, *arguments) if op in _SIMPLER else None
        if simpler is not None and (simpler.size == size or size == ONE):
            return simpler
        return self.make(op, arguments, size=size, attribute=attribute)

    def total(self, terms: list[Node]) -> Node:
        """Give the sum of ``terms``.

        Those that do not wait for the recurrence come first, so that their sum leaves the time loop.
        """
        ordered = [t for t in terms if not t.recurrent] + [t for t in terms if t.recurrent]
        result = ordered[0]
        for term in ordered[1:]:
            result = self.apply("add", result, term)
        return result

    def scaled(self, value: Node, factor: float) -> Node:
        """Give ``factor * value``."""
        return self.apply("mul", value, self.number(factor))


def is_number(node: Node, value: float) -> bool:
    """Tell whether ``node`` is the constant ``value``."""
    return node.op == "number" and node.attribute == value


def _simpler_add(graph: Graph, a: Node, b: Node) -> Node | None:
    if is_number(a, 0.0):
        return b
    if is_number(b, 0.0):
        return a
    if b.op == "neg":
        return graph.apply("sub", a, b.arguments[0])
    return None


def _simpler_sub(graph: Graph, a: Node, b: Node) -> Node | None:
    if is_number(b, 0.0):
        return a
    if is_number(a, 0.0):
        return graph.apply("neg", b)
    if b.op == "neg":
        return graph.apply("add", a, b.arguments[0])
    return None


def _simpler_mul(graph: Graph, a: Node, b: Node) -> Node | None:
    for one, other in ((a, b), (b, a)):
        if is_number(one, 1.0):
            return other
        if is_number(one, -1.0):
            return graph.apply("neg", other)
    if a.op == "neg":
        return graph.apply("neg", graph.apply("mul", a.arguments[0], b))
    if b.op == "neg":
        return graph.apply("neg", graph.apply("mul", a, b.arguments[0]))
    return None


def _simpler_div(graph: Graph, a: Node, b: Node) -> Node | None:
    return a if is_number(b, 1.0) else None


def _simpler_neg(graph: Graph, a: Node) -> Node | None:
    if a.op == "neg":
        return a.arguments[0]
    if a.op == "number" and isinstance(a.attribute, float):
        return graph.number(-a.attribute)
    return None


_SIMPLER: dict[str, Callable[..., Node | None]] = {
    "add": _simpler_add,
    "sub": _simpler_sub,
    "mul": _simpler_mul,
    "div": _simpler_div,
    "neg": _simpler_neg,
}
