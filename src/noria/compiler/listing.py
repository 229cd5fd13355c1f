"""A program, written out for reading: phase by phase, one instruction a line."""

from collections.abc import Iterator

from noria.compiler.graph import LEAVES, Block, Node
from noria.compiler.naming import node_names
from noria.compiler.program import AFTER, BEFORE, INPUT, LOOP, Instruction, Pass, Product, Program

_TITLES = {
    BEFORE: "before the loop, over all rows",
    LOOP: "in the loop, step by step",
    AFTER: "after the loop, over all rows",
    INPUT: "only where the gradient of the input is wanted, over all rows",
}
_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


def listing(program: Program) -> str:
    """Write out ``program``."""
    return "\n".join(_lines(program))


def _lines(program: Program) -> Iterator[str]:
    names = node_names(program)
    cell = program.forward.cell
    yield f"program of {cell.name}: sizes {', '.join(cell.sizes)}; states {', '.join(cell.states)}"
    yield f"parameters, in this order: {', '.join(program.order)}"
    yield ""
    yield "forward"
    yield from _pass(program.training, names, set(program.saved))
    yield f"saved for the backward: {_list(program.saved, names)}"
    yield ""
    yield "backward"
    if program.recomputed:
        yield f"computed again rather than saved: {_list(program.recomputed, names)}"
    yield from _pass(program.backward, names, set())
    yield "  gradients of the parameters, one product over all rows each"
    for gradient in program.weight_gradients:
        matrices = _stack([f"d_{_block(block)}" for block in gradient.blocks])
        ds = _stack([names[d] for d in gradient.ds])
        yield f"    {matrices} += sum over rows {ds} {names[gradient.operand]}^T"
    for column_sum in program.derived.column_sums:
        yield f"    d_{column_sum.vector} += sum over rows {names[column_sum.d]}"
    if program.kept:
        yield f"kept because it was asked for: {', '.join(program.kept)}"


def _pass(one: Pass, names: dict[Node, str], saved: set[Node]) -> Iterator[str]:
    for phase, title in _TITLES.items():
        items = one.phases.get(phase, ())
        if items:
            yield f"  {title}"
            for item in items:
                mark = "    # saved" if isinstance(item, Node) and item in saved else ""
                yield f"    {_instruction(item, names)}{mark}"


def _instruction(item: Instruction, names: dict[Node, str]) -> str:
    if isinstance(item, Product):
        outs = ", ".join(names[node] for node in item.outs)
        return f"{outs} = {_stack([_block(block) for block in item.blocks])} @ {names[item.operand]}"
    arguments = [names[argument] for argument in item.arguments]
    if item.op == "product_t":
        assert isinstance(item.attribute, tuple)
        weights = _stack([_block(block) for block in item.attribute])
        return f"{names[item]} = {weights}^T @ {_stack(arguments)}"
    if item.op in _SIGNS:
        return f"{names[item]} = {arguments[0]} {_SIGNS[item.op]} {arguments[1]}"
    if item.op == "neg":
        return f"{names[item]} = -{arguments[0]}"
    if item.op == "power":
        return f"{names[item]} = {arguments[0]} ** {item.attribute:g}"
    return f"{names[item]} = {item.op}({', '.join(arguments)})"


def _block(block: Block) -> str:
    return block.matrix if len(block.columns) == 1 else f"{block.matrix}[:, part {block.part + 1}]"


def _stack(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"[{'; '.join(parts)}]"


def _list(nodes: tuple[Node, ...], names: dict[Node, str]) -> str:
    return ", ".join(names[node] for node in nodes if node.op not in LEAVES) or "nothing"
