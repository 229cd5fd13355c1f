"""From the equations of a cell to the graph of its forward step."""

from collections.abc import Callable
from dataclasses import dataclass

from noria.compiler.graph import LEAVES, ONE, Block, Graph, Node
from noria.equations import Cell, Parameter
from noria.equations.expression import Apply, Concatenation, Expression, Name, Number, Product

NORM_EPSILON = 1e-5
"""Added to the variance in ``layer_norm``, as PyTorch does."""

EXPECTATION: dict[str, Callable[[float], float]] = {"dropout": lambda p: 1.0, "bernoulli": lambda p: p}
"""What a drawn auxiliary input is worth on average: with it, the same equations run at inference."""


@dataclass(frozen=True, eq=False)
class Forward:
    """The graph of one step, with the names that the writer gave to its nodes.

    ``values`` maps every name of the equations (``"i"``, ``"c'"``) and every pre-activation (``"a_i"``, the
    argument of the function that makes ``i``) to its node; ``new`` maps a state to its value after the
    step.
    """

    cell: Cell
    graph: Graph
    values: dict[str, Node]
    new: dict[str, Node]

    @property
    def recurrent_states(self) -> tuple[str, ...]:
        """The states whose value before the step is read by it."""
        old = {node.attribute for node in self.graph.nodes if node.op == "old"}
        return tuple(state for state in self.cell.states if state in old)


def lower(cell: Cell, *, expected: bool = False) -> Forward:
    """Build the forward graph of ``cell``.

    Parameters
    ----------
    cell : Cell
    expected : bool
        Put the expectation in the place of every drawn auxiliary input (dropout and zoneout masks), as
        inference does.
    """
    graph = Graph()
    reader = _Reader(cell, graph, expected)
    new: dict[str, Node] = {}
    for equation in cell.equations:
        graph.owner = equation.target
        node = reader.read(equation.expression)
        reader.define(equation.target, node)
        if equation.target.endswith("'"):
            new[equation.target[:-1]] = reader.values[equation.target]
    graph.owner = ""
    return Forward(cell, graph, reader.values, {state: new[state] for state in cell.states})


class _Reader:
    def __init__(self, cell: Cell, graph: Graph, expected: bool) -> None:
        self.cell = cell
        self.graph = graph
        self.values: dict[str, Node] = {}
        self.parameters: dict[str, Parameter] = {p.name: p for p in cell.parameters}
        self.given = {given.name: given for given in cell.givens}
        self.expected = expected

    def define(self, target: str, node: Node) -> None:
        if target.endswith("'"):
            node = self.state(target, node)
        argument = (
            node.arguments[0] if len(node.arguments) == 1 and node.op not in ("product", "sum") else None
        )
        if (
            node.op != "copy"
            and argument is not None
            and argument.arguments
            and argument not in self.values.values()
        ):
            name = f"a_{target.rstrip(chr(39))}"
            if name not in self.values and name not in self.cell.size_of:
                self.values[name] = argument
        self.values[target] = node

    def state(self, target: str, node: Node) -> Node:
        """Give a new state a node of its own, because each state has its own place in memory."""
        size = self.cell.size_of[target[:-1]]
        node = self.graph.spread(node, size)
        shared = any(node is self.values[name] for name in self.values if name.endswith("'"))
        if shared or node.op in LEAVES or node.op == "product":
            node = self.graph.make("copy", (node,), size=size, attribute=target)
        return node

    def read(self, expression: Expression) -> Node:
        match expression:
            case Number(value=value):
                return self.graph.number(value)
            case Name(name=name):
                return self.name(name)
            case Product(matrix=matrix, operand=operand):
                return self.product(self.parameters[matrix], operand)
            case Apply(function="power", arguments=(base, Number(value=exponent))):
                return self.power(self.read(base), exponent)
            case Apply(function="layer_norm", arguments=arguments):
                return self.layer_norm(*(self.read(argument) for argument in arguments))
            case Apply(function="clip", arguments=(value, low, high)):
                above = self.graph.apply("max", self.read(value), self.read(low))
                return self.graph.apply("min", above, self.read(high))
            case Apply(function="add"):
                return self.graph.total([self.read(term) for term in _terms(expression)])
            case Apply(function=function, arguments=arguments):
                return self.graph.apply(function, *(self.read(argument) for argument in arguments))
            case Concatenation():
                raise AssertionError("the parser lets a concatenation stand only to the right of a matrix")

    def name(self, name: str) -> Node:
        if name in self.values:
            return self.values[name]
        if name == "x":
            return self.graph.leaf("input", "x", self.cell.size_of["x"])
        if name in self.given:
            given = self.given[name]
            if self.expected and given.law in EXPECTATION:
                return self.graph.number(EXPECTATION[given.law](given.probability))
            return self.graph.leaf("given", name, self.cell.size_of[name])
        if name in self.cell.states:
            return self.graph.leaf("old", name, self.cell.size_of[name])
        return self.graph.leaf("vector", name, self.parameters[name].rows)

    def product(self, matrix: Parameter, operand: Expression) -> Node:
        parts = operand.parts if isinstance(operand, Concatenation) else (operand,)
        terms = []
        for part, expression in enumerate(parts):
            block = Block(matrix.name, part, matrix.rows, matrix.columns)
            value = self.graph.spread(self.read(expression), block.column)
            if value.op == "vector":  # it is one for all rows, and a product is over rows
                value = self.graph.make("copy", (value,), size=value.size)
            terms.append(self.graph.product(block, value))
        return self.graph.total(terms)

    def power(self, base: Node, exponent: float) -> Node:
        if exponent == 1.0:
            return base
        if exponent == 2.0:
            return self.graph.apply("mul", base, base)
        return self.graph.apply("power", base, attribute=float(exponent))

    def layer_norm(self, value: Node, gain: Node | None = None, bias: Node | None = None) -> Node:
        """Normalise over the units of a row (Ba, Kiros & Hinton 2016), then scale and shift."""
        g = self.graph
        if value.size == ONE:
            return value
        weight = g.inverse_size(value.size)
        centred = g.apply("sub", value, g.apply("mul", g.sum(value), weight))
        variance = g.apply("mul", g.sum(g.apply("mul", centred, centred)), weight)
        scale = g.apply("rsqrt", g.apply("add", variance, g.number(NORM_EPSILON)))
        result = g.apply("mul", centred, scale)
        if gain is not None:
            result = g.apply("mul", gain, result)
        return result if bias is None else g.apply("add", result, bias)


def _terms(expression: Expression) -> list[Expression]:
    """Give the terms of a nested sum, so that those which leave the time loop can be added first."""
    if isinstance(expression, Apply) and expression.function == "add":
        return [term for argument in expression.arguments for term in _terms(argument)]
    return [expression]
