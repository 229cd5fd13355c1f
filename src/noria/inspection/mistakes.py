"""The mistakes that hand-written backwards have, each as a change of a right one, so that it can be computed.

A wrong gradient is recognised by computing what every mistake would give. The order is that in which causes
are named where two of them give the same numbers: the usual ones first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from noria.arrays import Array
from noria.inspection.tape import (
    LEAVES,
    NUMBER,
    PRODUCT,
    SLOPES,
    SOFTMAX,
    STATE,
    VALUES,
    Change,
    Edge,
    Read,
    Tape,
    Trace,
)

SQUASHING = ("tanh", "sigmoid")


@dataclass(frozen=True)
class Mistake:
    """One way to be wrong.

    Attributes
    ----------
    key : str
        Of its sentence.
    words : tuple of str
        What the sentence names.
    change : Change
    usual : bool
        Whether it is common enough to be looked for together with another.
    """

    key: str
    words: tuple[str, ...]
    change: Change
    usual: bool = False


def mistakes(tape: Tape) -> Iterator[Mistake]:
    """List the mistakes that a backward of these operations can have, the usual ones first."""
    yield from _of_outputs()
    yield from _of_the_carry(tape)
    yield from _of_time(tape)
    yield from _of_slopes(tape)
    yield from _of_gates(tape)
    yield from _of_sums(tape)
    yield from _of_products(tape)
    yield from _of_other_values(tape)
    yield from _of_other_paths(tape)


def _of_outputs() -> Iterator[Mistake]:
    def only_last(d: Array) -> Array:
        kept = np.zeros_like(d)
        kept[-1] = d[-1]
        return kept

    yield Mistake("outputs_ignored", (), Change(outputs=np.zeros_like), usual=True)
    yield Mistake("only_last_output", (), Change(outputs=only_last), usual=True)
    for shift in (1, -1):

        def shifted(d: Array, shift: int = shift) -> Array:
            moved = np.roll(d, shift, axis=0)
            moved[0 if shift > 0 else -1] = 0.0
            return moved

        def rolled(d: Array, shift: int = shift) -> Array:
            return np.roll(d, shift, axis=0)

        yield Mistake("outputs_shifted", (), Change(outputs=shifted))
        yield Mistake("outputs_shifted", (), Change(outputs=rolled))


def _of_the_carry(tape: Tape) -> Iterator[Mistake]:
    states = tape.cell.states
    yield Mistake("recurrence_missing", (states[0],), Change(not_carried=frozenset(states)), usual=True)
    direct, through = list(_uses(tape, STATE, PRODUCT, inside=False)), list(_products_of_states(tape))
    for edge in direct:
        leaf = tape.operations[_argument(tape, edge)].name
        words = (leaf, _other_factor(tape, edge), tape.operations[edge[0]].line)
        yield Mistake("carry_missing", words, Change(dropped=frozenset({edge})), usual=True)
    if len(states) > 1:
        for state in states:
            yield Mistake("recurrence_missing", (state,), Change(not_carried=frozenset({state})))
    for edge in _output_paths(tape):
        path = (_text(tape, _argument(tape, edge)), tape.operations[edge[0]].line)
        yield Mistake("output_path_missing", path, Change(dropped=frozenset({edge})), usual=True)
    if len(through) > 1:
        yield Mistake("products_missing", (states[0],), Change(dropped=frozenset(through)), usual=True)
    for edge in through:
        operation = tape.operations[edge[0]]
        users = [tape.operations[user].name for user, _ in _used_by(tape, edge[0])]
        words = (states[0], operation.name or users[0], operation.line)
        yield Mistake("product_path_missing", words, Change(dropped=frozenset({edge})))


def _of_time(tape: Tape) -> Iterator[Mistake]:
    for state in tape.cell.states:
        leaf, new = tape.targets[state], tape.targets[f"{state}'"]

        def wrong_end(trace: Trace, step: int, leaf: int = leaf, new: int = new) -> Array:
            return trace.values[step][leaf] if step else trace.values[-1][new]

        def after(trace: Trace, step: int, new: int = new) -> Array:
            return trace.values[step][new]

        def earlier(trace: Trace, step: int, leaf: int = leaf) -> Array:
            return trace.values[max(step - 1, 0)][leaf]

        def earlier_or_last(trace: Trace, step: int, leaf: int = leaf, new: int = new) -> Array:
            return trace.values[step - 1][leaf] if step else trace.values[-1][new]

        def around(trace: Trace, step: int, leaf: int = leaf) -> Array:
            return trace.values[step - 1][leaf]

        def before(trace: Trace, step: int, leaf: int = leaf) -> Array:
            return trace.values[step][leaf]

        for key, read in (
            ("wrong_end", wrong_end),
            ("state_late", after),
            ("state_early", earlier),
            ("state_early", earlier_or_last),
            ("state_early", around),
        ):
            for place, change in enumerate(_ways(tape, leaf, read)):
                yield Mistake(key, (state,), change, usual=key != "state_early" and not place)
        functions = {
            place: _of_function(tape, place, before)
            for place, operation in enumerate(tape.operations)
            if operation.arguments == (new,) and operation.kind in SLOPES
        }
        if functions:
            yield Mistake("new_state_early", (state,), Change(nodes={new: before, **functions}))
            factors = {edge: place for place in functions for edge in _used_by(tape, place)}
            own = {edge: _reading(place) for edge, place in factors.items()}
            early = {edge: functions[place] for edge, place in factors.items()}
            for change in (Change(nodes=functions, edges=own), Change(edges=early)):  # slopes, factors alone
                yield Mistake("new_state_early", (state,), change)
        yield Mistake("new_state_early", (state,), Change(nodes={new: before}))
    for name, place in _gates(tape):
        for shift in (1, -1):

            def off(trace: Trace, step: int, place: int = place, shift: int = shift) -> Array:
                return trace.values[min(max(step + shift, 0), len(trace.values) - 1)][place]

            def wrapped(trace: Trace, step: int, place: int = place, shift: int = shift) -> Array:
                return trace.values[(step + shift) % len(trace.values)][place]

            for neighbour in (off, wrapped):
                for edge in _used_by(tape, place):
                    if tape.operations[edge[0]].kind == "mul":
                        yield Mistake("gate_off", (name,), Change(edges={edge: neighbour}))
                yield Mistake("gate_off", (name,), Change(nodes={place: neighbour}))


def _of_slopes(tape: Tape) -> Iterator[Mistake]:
    squashing = [place for place, operation in enumerate(tape.operations) if operation.kind in SQUASHING]
    for kind in SQUASHING:
        places = [place for place in squashing if tape.operations[place].kind == kind]
        value, slope = VALUES[kind], SLOPES[kind]
        other = SLOPES[SQUASHING[1 - SQUASHING.index(kind)]]

        def squashed(
            y: Array, a: Array, value: Callable[..., Array] = value, slope: Callable[..., Array] = slope
        ) -> Array:
            return slope(value(y), y)

        def from_argument(y: Array, a: Array, kind: str = kind) -> Array:
            return 1.0 - a * a if kind == "tanh" else a * (1.0 - a)

        for group in [places, *([place] for place in places)] if len(places) > 1 else [places]:
            lines = tuple(dict.fromkeys(_line(tape, place) for place in group))
            for key, wrong in (
                ("squashed", squashed),
                ("slope_missing", lambda y, a: np.ones_like(y)),
                ("slope_of_other", other),
                ("unsquashed_slope", from_argument),
                ("slope_unsquared", lambda y, a: 1.0 - y),
            ):
                if group and not (key == "slope_unsquared" and kind == "sigmoid"):
                    change = Change(slopes=dict.fromkeys(group, wrong))
                    usual = len(group) == len(places) and key in ("squashed", "slope_missing")
                    yield Mistake(key, (kind, ", ".join(lines)), change, usual=usual)
    for place, operation in enumerate(tape.operations):
        if operation.kind == SOFTMAX:
            yield Mistake(
                "softmax_sigmoids", (), Change(slopes={place: lambda y, _: y * (1.0 - y)}), usual=True
            )
            yield Mistake("softmax_ignored", (), Change(slopes={place: lambda y, _: np.ones_like(y)}))
            yield Mistake("softmax_ignored", (), Change(slopes={place: lambda y, _: y}))


def _of_gates(tape: Tape) -> Iterator[Mistake]:
    gates = _gates(tape)
    for (one, a), (other, b) in permutations(gates, 2):
        read_b, read_a = _reading(b), _reading(a)
        words = (one, other)
        if one < other:
            inner = (_argument(tape, (a, 0)), _argument(tape, (b, 0)))
            yield Mistake("gates_exchanged", words, Change(exchanged=inner))
            yield Mistake("gates_exchanged", words, Change(exchanged=(a, b)))
            yield Mistake("gates_exchanged", words, Change(nodes={a: read_b, b: read_a}))
        own = dict.fromkeys(_used_by(tape, a), read_a)
        yield Mistake("gate_read", words, Change(nodes={a: read_b}, edges=own))
        yield Mistake("gate_read", words, Change(nodes={a: read_b}))
        for edge in _used_by(tape, a):
            yield Mistake("gate_read", words, Change(edges={edge: read_b}))
    for place, operation in enumerate(tape.operations):
        gate = _complemented(tape, place)
        if gate is None:
            continue
        name, whole = _text(tape, gate), _reading(gate)
        rest: Read = _reading(place)
        of_rest = dict.fromkeys(_used_by(tape, place), whole)
        of_gate = {edge: rest for edge in _used_by(tape, gate) if tape.operations[edge[0]].kind == "mul"}
        for edges in ({**of_rest, **of_gate}, of_rest, of_gate):
            yield Mistake("complement", (name,), Change(edges=edges), usual=edges is not of_gate)
        yield Mistake("gate_sign", (name,), Change(negated=frozenset({gate})), usual=True)
        assert operation.kind == "sub"
    for name, place in gates:
        yield Mistake("gate_sign", (name,), Change(negated=frozenset({place})))


def _of_sums(tape: Tape) -> Iterator[Mistake]:
    yield Mistake("kept_first", (), Change(kept=0), usual=True)
    yield Mistake("kept_last", (), Change(kept=-1), usual=True)


def _of_products(tape: Tape) -> Iterator[Mistake]:
    square = [
        operation.name
        for operation in tape.operations
        if operation.kind == PRODUCT and operation.name.startswith("U")
    ]
    matrices = list(dict.fromkeys(square))
    for group in [matrices, *([name] for name in matrices)] if len(matrices) > 1 else [matrices]:
        if group:
            change = Change(transposed=frozenset(group))
            yield Mistake("not_transposed", (", ".join(group),), change, usual=len(group) == len(matrices))
    for place, operation in enumerate(tape.operations):
        if operation.kind != PRODUCT:
            continue
        inner = tape.operations[operation.arguments[0]]
        if inner.kind == "mul":
            for argument in inner.arguments:
                words = (operation.name, _text(tape, operation.arguments[0]), _text(tape, argument))
                yield Mistake("operand", words, Change(edges={(place, 0): _reading(argument)}))


def _of_other_values(tape: Tape) -> Iterator[Mistake]:
    for place, operation in enumerate(tape.operations):
        if operation.kind != "mul":
            continue
        for position in (0, 1):
            argument = operation.arguments[position]
            inner = tape.operations[argument]
            whole, factor = _text(tape, operation.arguments[1 - position]), _text(tape, argument)
            if inner.kind in SQUASHING:
                raw = inner.arguments[0]
                words = (_text(tape, argument), _text(tape, raw), operation.line)
                yield Mistake("unsquashed_factor", words, Change(edges={(place, position): _reading(raw)}))
            change = Change(ones=frozenset({(place, 1 - position)}))
            yield Mistake("factor_missing", (factor, whole, operation.line), change)


def _of_other_paths(tape: Tape) -> Iterator[Mistake]:
    for place, operation in enumerate(tape.operations):
        for position, argument in enumerate(operation.arguments):
            if tape.operations[argument].kind != NUMBER:
                words = (_text(tape, argument), operation.line)
                yield Mistake("path_missing", words, Change(dropped=frozenset({(place, position)})))
    for state in tape.cell.states:
        edges = frozenset(_used_by(tape, tape.targets[state]))
        yield Mistake("recurrence_missing", (state,), Change(dropped=edges))


# Finding one's way among the operations.


def _argument(tape: Tape, edge: Edge) -> int:
    return tape.operations[edge[0]].arguments[edge[1]]


def _used_by(tape: Tape, place: int) -> list[Edge]:
    return [
        (consumer, position)
        for consumer, operation in enumerate(tape.operations)
        for position, argument in enumerate(operation.arguments)
        if argument == place
    ]


def _uses(tape: Tape, kind: str, consumer: str, *, inside: bool) -> Iterator[Edge]:
    """Give the edges from operations of a kind to those of another, or (``inside=False``) to all but those.

    What is multiplied before it goes into a matrix, as ``r * h``, belongs to the matrix.
    """
    for place, operation in enumerate(tape.operations):
        if operation.kind in LEAVES:
            continue
        for position, argument in enumerate(operation.arguments):
            if tape.operations[argument].kind == kind:
                into = operation.kind in (consumer, "join") or any(
                    tape.operations[edge[0]].kind in (consumer, "join") for edge in _used_by(tape, place)
                )
                if into is inside:
                    yield place, position


def _products_of_states(tape: Tape) -> Iterator[Edge]:
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
            if operand.kind == "join":
                yield from ((inner, position) for position in of_state)
            elif operand.kind == STATE or of_state:
                yield place, 0


def _kinds(tape: Tape, place: int) -> set[str]:
    return {tape.operations[argument].kind for argument in tape.operations[place].arguments}


def _output_paths(tape: Tape) -> Iterator[Edge]:
    """Give the edges over which the output's gradient reaches another new state, as c' in o * tanh(c')."""
    new = {tape.targets[f"{state}'"] for state in tape.cell.states if state != "h"}
    for place in new:
        yield from _used_by(tape, place)


def _gates(tape: Tape) -> list[tuple[str, int]]:
    """List the named values of a step that are squashed, by name."""
    return [
        (name, place)
        for name, place in tape.targets.items()
        if tape.operations[place].kind in SQUASHING and not name.endswith("'") and name != "y"
    ]


def _complemented(tape: Tape, place: int) -> int | None:
    """Give z where an operation is 1 - z."""
    operation = tape.operations[place]
    if operation.kind != "sub":
        return None
    first, second = operation.arguments
    return second if tape.operations[first].number == 1.0 else None


def _ways(tape: Tape, leaf: int, read: Read) -> Iterator[Change]:
    """Read a state wrongly everywhere, in matrix products alone, or element by element alone."""
    edges = _used_by(tape, leaf)
    again = {
        place: _of_pair(tape, place, leaf, read)
        for place, _ in edges
        if tape.operations[place].kind == "mul" and _feeds_product(tape, place)
    }
    if again:
        yield Change(nodes={leaf: read, **again})
    yield Change(nodes={leaf: read})
    kinds = {
        edge: tape.operations[edge[0]].kind in (PRODUCT, "join") or _feeds_product(tape, edge[0])
        for edge in edges
    }
    if len(set(kinds.values())) == 2:
        for inside in (True, False):
            yield Change(edges={edge: read for edge in edges if kinds[edge] is inside})


def _feeds_product(tape: Tape, place: int) -> bool:
    return any(tape.operations[edge[0]].kind == PRODUCT for edge in _used_by(tape, place))


def _reading(place: int) -> Read:
    return lambda trace, step: trace.values[step][place]


def _of_pair(tape: Tape, place: int, leaf: int, read: Read) -> Read:
    """Read a product of two values as it is with one of them read otherwise."""
    one, other = tape.operations[place].arguments
    kept = other if one == leaf else one
    return lambda trace, step: read(trace, step) * trace.values[step][kept]


def _of_function(tape: Tape, place: int, inner: Read) -> Read:
    value = VALUES[tape.operations[place].kind]
    return lambda trace, step: value(inner(trace, step))


def _other_factor(tape: Tape, edge: Edge) -> str:
    operation = tape.operations[edge[0]]
    if operation.kind != "mul":
        return "1"
    return _text(tape, operation.arguments[1 - edge[1]])


def _line(tape: Tape, place: int) -> str:
    """Say where a function stands: the gate it gives, or its argument and the line it stands in."""
    name = next((name for name, target in tape.targets.items() if target == place), "")
    return name or f"{_text(tape, place)} in {tape.operations[place].line}"


def _text(tape: Tape, place: int) -> str:
    """Write a value as its equation does."""
    for name, target in tape.targets.items():
        if target == place:
            return name
    operation = tape.operations[place]
    parts = [_text(tape, argument) for argument in operation.arguments]
    signs = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
    if operation.kind in signs:
        return f"({parts[0]} {signs[operation.kind]} {parts[1]})"
    if operation.kind == PRODUCT:
        return f"{operation.name} @ {parts[0]}"
    if operation.kind == NUMBER:
        return f"{operation.number:g}"
    return f"{operation.kind}({', '.join(parts)})" if parts else operation.name
