"""Is a program legal? Checked each time one is made.

A fault of the schedule is an error here and not a wrong gradient later.
"""

from noria.compiler.graph import LEAVES, ONE, Block, Node
from noria.compiler.program import AFTER, BEFORE, INPUT, LOOP, Pass, Product, Program, inputs, outputs
from noria.errors import ProgramError

_SEEN_BY = {
    BEFORE: (BEFORE,),
    LOOP: (BEFORE, LOOP),
    AFTER: (BEFORE, LOOP, AFTER),
    INPUT: (BEFORE, LOOP, AFTER, INPUT),
}
"""Which phases' values an instruction may read; those of the loop only if they are stored for every row."""


def check_program(program: Program) -> None:
    """Raise ``ProgramError`` unless ``program`` is legal.

    Every value has to be computed once, before it is read, where its reader can see it, in the right size.
    """
    cell = program.forward.cell
    for name, one in (("training", program.training), ("inference", program.inference)):
        _check_pass(f"{cell.name}, {name}", one, available=set())
        made = set(one.nodes())
        for state, node in program.forward.new.items():
            if node not in made:
                raise ProgramError(
                    f"{cell.name}, {name}: the new value of state '{state}' is never computed."
                )
        _check_old_states(f"{cell.name}, {name}", program, one)
    stored = _stored(program.training)
    for node in program.saved:
        if node not in stored:
            raise ProgramError(f"{cell.name}: the backward needs {node!r}, which the forward does not store.")
    _check_pass(f"{cell.name}, backward", program.backward, available=set(program.saved))
    at_hand = _stored(program.backward) | set(program.saved)
    sums = [node for gradient in program.weight_gradients for node in (*gradient.ds, gradient.operand)]
    sums += [column_sum.d for column_sum in program.derived.column_sums]
    for node in sums:
        if node.op == "carried" or (node.op not in LEAVES and node not in at_hand):
            raise ProgramError(
                f"{cell.name}: a parameter's gradient reads {node!r}, which is not stored for every row."
            )
    for what, handed in (("x", program.derived.d_x), *program.derived.d_old.items()):
        if handed is not None and handed.op == "carried":
            raise ProgramError(f"{cell.name}: the gradient of '{what}' has no place of its own.")
    _check_parameters(program)


def _stored(one: Pass) -> set[Node]:
    """Give the nodes that are there for every row when the pass is over."""
    return set(one.rows) | set(one.nodes(*(name for name in one.phases if name != LOOP)))


def _check_old_states(where: str, program: Program, one: Pass) -> None:
    """Outside the loop a state before the step can be read only if the state is stored for every row."""
    stored = _stored(one)
    for phase, items in one.phases.items():
        for node in (node for item in items for node in inputs(item)):
            if phase != LOOP and node.op == "old" and program.forward.new[str(node.attribute)] not in stored:
                raise ProgramError(f"{where}: {phase} reads '{node.attribute}', which only the loop knows.")


def _check_pass(where: str, one: Pass, available: set[Node]) -> None:
    made: dict[Node, str] = {}
    for phase, items in one.phases.items():
        for item in items:
            for node in inputs(item):
                if node.op == "carried" and phase != LOOP:
                    raise ProgramError(
                        f"{where}: {item!r} ({phase}) reads {node!r}, which only the loop knows."
                    )
                if node.op in LEAVES or node in available:
                    continue
                if node not in made:
                    raise ProgramError(f"{where}: {item!r} reads {node!r} before it is computed.")
                if made[node] not in _SEEN_BY[phase] or (
                    made[node] == LOOP != phase and node not in one.rows
                ):
                    raise ProgramError(f"{where}: {item!r} ({phase}) cannot see {node!r} ({made[node]}).")
            for node in outputs(item):
                if node in made or node in available:
                    raise ProgramError(f"{where}: {node!r} is computed twice.")
                made[node] = phase
                _check_size(where, node)
            if isinstance(item, Product) and len({block.column for block in item.blocks}) > 1:
                raise ProgramError(f"{where}: products of one operand disagree about its size.")


def _check_size(where: str, node: Node) -> None:
    expected: set[str]
    if node.op == "product":
        block = node.attribute
        assert isinstance(block, Block)
        expected = {block.rows} if node.arguments[0].size == block.column else set()
    elif node.op == "product_t":
        blocks = node.attribute
        assert isinstance(blocks, tuple)
        agree = all(d.size == block.rows for d, block in zip(node.arguments, blocks, strict=True))
        expected = {block.column for block in blocks} if agree else set()
    elif node.op == "sum":
        expected = {ONE}
    elif node.op in ("spread", "copy"):
        expected = {node.size}
    else:
        expected = {argument.size for argument in node.arguments if argument.size != ONE} or {ONE}
    if expected != {node.size}:
        raise ProgramError(
            f"{where}: {node!r} has size {node.size}, its arguments make it {sorted(expected)}."
        )


def _check_parameters(program: Program) -> None:
    names = {parameter.name for parameter in program.forward.cell.parameters}
    if set(program.order) != names:
        raise ProgramError(
            f"{program.forward.cell.name}: the order of the parameters leaves out "
            f"{names ^ set(program.order)}."
        )
    reached = {block.matrix for gradient in program.weight_gradients for block in gradient.blocks}
    reached |= {column_sum.vector for column_sum in program.derived.column_sums}
    if missing := names - reached:
        raise ProgramError(f"{program.forward.cell.name}: no gradient reaches {', '.join(sorted(missing))}.")
