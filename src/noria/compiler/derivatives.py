"""The derivative table: for each operation, what it hands back to each of its arguments.

A rule takes the graph, the node ``y`` of the operation and the adjoint ``d`` of ``y`` (the gradient of the
loss with respect to ``y``), and gives one contribution per argument. Rules use the value ``y`` where that
is simpler than the argument, because ``y`` is what the forward keeps. At a kink (``relu`` at 0, ``abs`` at
0, ``max`` of equals) they take one side, the one that the forward takes.

Sums over rows (gradients of learned vectors) and the products' gradients are not here: they belong to no
single row and are made in ``differentiate``.
"""

from collections.abc import Callable

from noria.compiler.graph import Graph, Node

Rule = Callable[[Graph, Node, Node], tuple[Node, ...]]


def _mul(g: Graph, y: Node, d: Node) -> tuple[Node, ...]:
    a, b = y.arguments
    return g.apply("mul", d, b), g.apply("mul", d, a)


def _div(g: Graph, y: Node, d: Node) -> tuple[Node, ...]:
    d_a = g.apply("div", d, y.arguments[1])
    return d_a, g.apply("neg", g.apply("mul", d_a, y))


def _power(g: Graph, y: Node, d: Node) -> tuple[Node, ...]:
    exponent = y.attribute
    assert isinstance(exponent, float)
    a = y.arguments[0]
    lower = a if exponent == 2.0 else g.apply("power", a, attribute=exponent - 1.0)
    return (g.apply("mul", d, g.scaled(lower, exponent)),)


def _times(factor: Callable[[Graph, Node], Node]) -> Rule:
    """Make the rule of a function of one argument from its derivative."""
    return lambda g, y, d: (g.apply("mul", d, factor(g, y)),)


def _choice(comparison: str) -> Rule:
    """Make the rule of ``max`` or ``min``: everything goes to the argument that was taken."""

    def rule(g: Graph, y: Node, d: Node) -> tuple[Node, ...]:
        first = g.apply(comparison, *y.arguments)
        return g.apply("mul", d, first), g.apply("mul", d, g.apply("sub", g.number(1.0), first))

    return rule


def _one_minus(g: Graph, a: Node) -> Node:
    return g.apply("sub", g.number(1.0), a)


DERIVATIVES: dict[str, Rule] = {
    "add": lambda g, y, d: (d, d),
    "sub": lambda g, y, d: (d, g.apply("neg", d)),
    "mul": _mul,
    "div": _div,
    "neg": lambda g, y, d: (g.apply("neg", d),),
    "power": _power,
    "sigmoid": _times(lambda g, y: g.apply("mul", y, _one_minus(g, y))),
    "tanh": _times(lambda g, y: _one_minus(g, g.apply("mul", y, y))),
    "relu": _times(lambda g, y: g.apply("positive", y)),
    "exp": _times(lambda g, y: y),
    "log": lambda g, y, d: (g.apply("div", d, y.arguments[0]),),
    "sqrt": lambda g, y, d: (g.apply("div", g.scaled(d, 0.5), y),),
    "rsqrt": _times(lambda g, y: g.scaled(g.apply("mul", y, g.apply("mul", y, y)), -0.5)),
    "abs": _times(lambda g, y: g.apply("sign", y.arguments[0])),
    "softplus": _times(lambda g, y: g.apply("sigmoid", y.arguments[0])),
    "sin": _times(lambda g, y: g.apply("cos", y.arguments[0])),
    "cos": _times(lambda g, y: g.apply("neg", g.apply("sin", y.arguments[0]))),
    "max": _choice("not_less"),
    "min": _choice("not_greater"),
    "copy": lambda g, y, d: (d,),
    "sum": lambda g, y, d: (g.spread(d, y.arguments[0].size),),
    "spread": lambda g, y, d: (g.sum(d),),
}
"""Operation to rule.

``positive``, ``sign``, ``not_less`` and ``not_greater`` occur only in derivatives and are constant by pieces.
"""
