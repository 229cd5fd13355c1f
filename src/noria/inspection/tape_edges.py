"""Who reads what on a tape, and how its values are written: finding one's way among the operations."""

from collections.abc import Iterator

from noria.inspection.tape import Tape
from noria.inspection.tape_changes import Edge
from noria.inspection.tape_operations import JOIN, NUMBER, PRODUCT, SQUASHING, STATE


def source_of(tape: Tape, edge: Edge) -> int:
    """Give the operation whose value is read over an edge."""
    return tape.operations[edge[0]].arguments[edge[1]]


def used_by(tape: Tape, place: int) -> list[Edge]:
    """List the edges over which the value of an operation is read."""
    return [
        (consumer, position)
        for consumer, operation in enumerate(tape.operations)
        for position, argument in enumerate(operation.arguments)
        if argument == place
    ]


def uses_of_states(tape: Tape) -> Iterator[Edge]:
    """Give the edges from states to all but matrix products.

    What is multiplied before it goes into a matrix, as ``r * h``, belongs to the matrix.
    """
    for place, operation in enumerate(tape.operations):
        users = (tape.operations[user].kind for user, _ in used_by(tape, place))
        if not {operation.kind, *users} & {PRODUCT, JOIN}:
            for position, argument in enumerate(operation.arguments):
                if tape.operations[argument].kind == STATE:
                    yield place, position


def products_of_states(tape: Tape) -> Iterator[Edge]:
    """Give the edges into the matrices that multiply a state, or what was made of one."""
    for place, operation in enumerate(tape.operations):
        if operation.kind == PRODUCT and operation.line != "y":
            inner = operation.arguments[0]
            operand = tape.operations[inner]
            of_state = [
                position
                for position, argument in enumerate(operand.arguments)
                if STATE in {tape.operations[argument].kind, *_kinds(tape, argument)}
            ]
            if operand.kind == JOIN:
                yield from ((inner, position) for position in of_state)
            elif operand.kind == STATE or of_state:
                yield place, 0


def _kinds(tape: Tape, place: int) -> set[str]:
    return {tape.operations[argument].kind for argument in tape.operations[place].arguments}


def output_paths(tape: Tape) -> Iterator[Edge]:
    """Give the edges over which the output's gradient reaches another new state, as c' in o * tanh(c')."""
    new = {tape.targets[f"{state}'"] for state in tape.cell.states if state != "h"}
    for place in new:
        yield from used_by(tape, place)


def named_gates(tape: Tape) -> list[tuple[str, int]]:
    """List the named values of a step that are squashed, by name."""
    return [
        (name, place)
        for name, place in tape.targets.items()
        if tape.operations[place].kind in SQUASHING and not name.endswith("'") and name != "y"
    ]


def complemented(tape: Tape, place: int) -> int | None:
    """Give z where an operation is 1 - z."""
    operation = tape.operations[place]
    if operation.kind != "sub":
        return None
    first, second = operation.arguments
    return second if tape.operations[first].number == 1.0 else None


def feeds_product(tape: Tape, place: int) -> bool:
    """Whether a matrix multiplies the value of an operation."""
    return any(tape.operations[edge[0]].kind == PRODUCT for edge in used_by(tape, place))


def other_factor(tape: Tape, edge: Edge) -> str:
    """Write what the value of an edge is multiplied by."""
    operation = tape.operations[edge[0]]
    if operation.kind != "mul":
        return "1"
    return written(tape, operation.arguments[1 - edge[1]])


def where(tape: Tape, place: int) -> str:
    """Say where a function stands: the gate it gives, or its argument and the line it stands in."""
    name = next((name for name, target in tape.targets.items() if target == place), "")
    return name or f"{written(tape, place)} in {tape.operations[place].line}"


def written(tape: Tape, place: int) -> str:
    """Write a value as its equation does."""
    for name, target in tape.targets.items():
        if target == place:
            return name
    operation = tape.operations[place]
    parts = [written(tape, argument) for argument in operation.arguments]
    signs = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
    if operation.kind in signs:
        return f"({parts[0]} {signs[operation.kind]} {parts[1]})"
    if operation.kind == PRODUCT:
        return f"{operation.name} @ {parts[0]}"
    if operation.kind == NUMBER:
        return f"{operation.number:g}"
    return f"{operation.kind}({', '.join(parts)})" if parts else operation.name
