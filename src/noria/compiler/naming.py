"""Names for the nodes of a program, for whoever reads it: the writer's where there is one, else a number."""

from noria.compiler.graph import LEAVES, Node
from noria.compiler.program import Program


def node_names(program: Program) -> dict[Node, str]:
    """Name every node of a program: ``i``, ``c'``, ``a_i``, ``d_c'``; ``%12`` where the writer gave none."""
    names: dict[Node, str] = {}
    for node in program.forward.graph.nodes:
        if node.op in LEAVES:
            names[node] = leaf_name(node)
    for name, node in program.forward.values.items():
        names.setdefault(node, name)
    for name, node in program.forward.values.items():
        adjoint = program.derived.adjoints.get(node)
        if adjoint is not None:
            names.setdefault(adjoint, f"d_{name}")
    for state, old in program.derived.d_old.items():
        if old is not None:
            names.setdefault(old, f"d_{state}")
    if program.derived.d_x is not None:
        names.setdefault(program.derived.d_x, "d_x")
    return {node: names.get(node, f"%{node.index}") for node in program.forward.graph.nodes}


def leaf_name(node: Node) -> str:
    """Give the name of a leaf."""
    match node.op:
        case "number":
            return f"{node.attribute:g}"
        case "inverse_size":
            return f"1/{node.attribute}"
        case "d_output":
            return "d_output"
        case "carried":
            return f"d_{node.attribute}(t+1)"
        case _:
            return str(node.attribute)
