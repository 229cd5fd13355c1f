"""The mistakes that hand-written backwards have, each as a change of a right one, so that it can be computed.

A wrong gradient is recognised by computing what every mistake would give. The order is that in which causes
are named where two of them give the same numbers: the usual ones first.
"""

from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np

from noria.arrays import Array
from noria.inspection.mistakes_of_time import of_time
from noria.inspection.tape import Tape
from noria.inspection.tape_changes import Change, Mistake, reading
from noria.inspection.tape_edges import (
    complemented,
    named_gates,
    other_factor,
    output_paths,
    products_of_states,
    source_of,
    used_by,
    uses_of_states,
    where,
    written,
)
from noria.inspection.tape_operations import NUMBER, PRODUCT, SLOPES, SOFTMAX, SQUASHING, VALUES


def mistakes(tape: Tape) -> Iterator[Mistake]:
    """List the mistakes that a backward of these operations can have, the usual ones first."""
    yield from _of_outputs()
    yield from _of_the_carry(tape)
    yield from of_time(tape)
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
    direct, through = list(uses_of_states(tape)), list(products_of_states(tape))
    for edge in direct:
        leaf = tape.operations[source_of(tape, edge)].name
        words = (leaf, other_factor(tape, edge), tape.operations[edge[0]].line)
        yield Mistake("carry_missing", words, Change(dropped=frozenset({edge})), usual=True)
    if len(states) > 1:
        for state in states:
            yield Mistake("recurrence_missing", (state,), Change(not_carried=frozenset({state})))
    for edge in output_paths(tape):
        path = (written(tape, source_of(tape, edge)), tape.operations[edge[0]].line)
        yield Mistake("output_path_missing", path, Change(dropped=frozenset({edge})), usual=True)
    if len(through) > 1:
        yield Mistake("products_missing", (states[0],), Change(dropped=frozenset(through)), usual=True)
    for edge in through:
        operation = tape.operations[edge[0]]
        users = [tape.operations[user].name for user, _ in used_by(tape, edge[0])]
        words = (states[0], operation.name or users[0], operation.line)
        yield Mistake("product_path_missing", words, Change(dropped=frozenset({edge})))


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
            lines = tuple(dict.fromkeys(where(tape, place) for place in group))
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
    gates = named_gates(tape)
    for (one, a), (other, b) in permutations(gates, 2):
        read_b, read_a = reading(b), reading(a)
        words = (one, other)
        if one < other:
            inner = (source_of(tape, (a, 0)), source_of(tape, (b, 0)))
            yield Mistake("gates_exchanged", words, Change(exchanged=inner))
            yield Mistake("gates_exchanged", words, Change(exchanged=(a, b)))
            yield Mistake("gates_exchanged", words, Change(nodes={a: read_b, b: read_a}))
        own = dict.fromkeys(used_by(tape, a), read_a)
        yield Mistake("gate_read", words, Change(nodes={a: read_b}, edges=own))
        yield Mistake("gate_read", words, Change(nodes={a: read_b}))
        for edge in used_by(tape, a):
            yield Mistake("gate_read", words, Change(edges={edge: read_b}))
    for place in range(len(tape.operations)):
        gate = complemented(tape, place)
        if gate is None:
            continue
        name, whole = written(tape, gate), reading(gate)
        rest = reading(place)
        of_rest = dict.fromkeys(used_by(tape, place), whole)
        of_gate = {edge: rest for edge in used_by(tape, gate) if tape.operations[edge[0]].kind == "mul"}
        for edges in ({**of_rest, **of_gate}, of_rest, of_gate):
            yield Mistake("complement", (name,), Change(edges=edges), usual=edges is not of_gate)
        yield Mistake("gate_sign", (name,), Change(negated=frozenset({gate})), usual=True)
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
                words = (operation.name, written(tape, operation.arguments[0]), written(tape, argument))
                yield Mistake("operand", words, Change(edges={(place, 0): reading(argument)}))


def _of_other_values(tape: Tape) -> Iterator[Mistake]:
    for place, operation in enumerate(tape.operations):
        if operation.kind != "mul":
            continue
        for position in (0, 1):
            argument = operation.arguments[position]
            inner = tape.operations[argument]
            whole, factor = written(tape, operation.arguments[1 - position]), written(tape, argument)
            if inner.kind in SQUASHING:
                raw = inner.arguments[0]
                words = (written(tape, argument), written(tape, raw), operation.line)
                yield Mistake("unsquashed_factor", words, Change(edges={(place, position): reading(raw)}))
            change = Change(ones=frozenset({(place, 1 - position)}))
            yield Mistake("factor_missing", (factor, whole, operation.line), change)


def _of_other_paths(tape: Tape) -> Iterator[Mistake]:
    for place, operation in enumerate(tape.operations):
        for position, argument in enumerate(operation.arguments):
            if tape.operations[argument].kind != NUMBER:
                words = (written(tape, argument), operation.line)
                yield Mistake("path_missing", words, Change(dropped=frozenset({(place, position)})))
    for state in tape.cell.states:
        edges = frozenset(used_by(tape, tape.targets[state]))
        yield Mistake("recurrence_missing", (state,), Change(dropped=edges))
