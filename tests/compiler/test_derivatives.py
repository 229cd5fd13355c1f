"""Each row of the derivative table, against the complex step."""

import numpy as np
import pytest

from noria.compiler.derivatives import DERIVATIVES
from noria.compiler.graph import ONE, Graph
from noria.engines.reference.operations import OPERATIONS, power

STEP = 1e-30
POSITIVE = {"log", "sqrt", "rsqrt", "power"}
"""Functions that are taken of positive numbers only."""


def evaluate(node, leaves):
    """Compute a node of a graph from the arrays of its leaves."""
    if node in leaves:
        return leaves[node]
    if node.op == "number":
        return np.asarray(node.attribute)
    arguments = [evaluate(argument, leaves) for argument in node.arguments]
    rows = next(iter(leaves.values())).shape[0]
    width = next(iter(leaves.values())).shape[1] if node.size != ONE else 1
    out = np.empty((rows, width), np.result_type(*arguments, np.float64))
    operation = power(node.attribute) if node.op == "power" else OPERATIONS[node.op]
    operation(*arguments, out)
    return out


def arity(op):
    return 2 if op in ("add", "sub", "mul", "div", "max", "min") else 1


@pytest.mark.parametrize("op", sorted(DERIVATIVES))
@pytest.mark.parametrize("attribute", [3.0, -0.5, 2.0])
def test_rule_is_the_derivative(op, attribute):
    if op != "power" and attribute != 3.0:
        return
    rng = np.random.default_rng(len(op))
    graph = Graph()
    size = ONE if op == "spread" else "H"
    nodes = tuple(graph.leaf("input", f"v{k}", size) for k in range(arity(op)))
    out_size = {"sum": ONE, "spread": "H"}.get(op, size)
    y = graph.make(op, nodes, size=out_size, attribute=attribute if op == "power" else None)
    d = graph.leaf("d_output", "h", out_size)
    shares = DERIVATIVES[op](graph, y, d)
    assert len(shares) == len(nodes)

    width = 1 if op == "spread" else 7
    values = [rng.standard_normal((3, width)) for _ in nodes]
    if op in POSITIVE:
        values = [np.abs(value) + 0.5 for value in values]
    leaves = dict(zip(nodes, values, strict=True))
    seven = {**leaves, d: rng.standard_normal((3, 7 if out_size == "H" else 1))}
    if op == "spread":  # the width of the result is not that of the argument
        assert shares[0].op == "sum"
        assert shares[0].arguments == (d,)
        return
    for node, share in zip(nodes, shares, strict=True):
        found = np.broadcast_to(evaluate(share, seven), values[0].shape)
        expected = np.empty_like(values[0])
        for index in np.ndindex(expected.shape):
            moved = leaves[node].astype(complex)
            moved[index] += 1j * STEP
            expected[index] = np.sum(seven[d] * evaluate(y, {**leaves, node: moved})).imag / STEP
        assert np.linalg.norm(expected) > 0
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_every_operation_that_a_forward_can_hold_has_a_rule():
    only_in_derivatives = {"positive", "sign", "not_less", "not_greater"}
    assert set(OPERATIONS) - only_in_derivatives <= set(DERIVATIVES)
    assert set(DERIVATIVES) - set(OPERATIONS) == {"power"}
