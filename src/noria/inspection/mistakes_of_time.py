"""Mistakes of time: a state or a gate is read at another step, as a wrong index does it."""

from collections.abc import Iterator

from noria.arrays import Array
from noria.inspection.tape import Tape
from noria.inspection.tape_changes import Change, Mistake, Read, reading
from noria.inspection.tape_edges import feeds_product, named_gates, used_by
from noria.inspection.tape_operations import JOIN, PRODUCT, SLOPES, VALUES, Trace


def of_time(tape: Tape) -> Iterator[Mistake]:
    """List the mistakes in which a state or a gate is that of another step."""
    for state in tape.cell.states:
        leaf, new = tape.targets[state], tape.targets[f"{state}'"]
        before, after = reading(leaf), reading(new)

        def wrong_end(trace: Trace, step: int, leaf: int = leaf, new: int = new) -> Array:
            return trace.values[step][leaf] if step else trace.values[-1][new]

        def earlier(trace: Trace, step: int, leaf: int = leaf) -> Array:
            return trace.values[max(step - 1, 0)][leaf]

        def earlier_or_last(trace: Trace, step: int, leaf: int = leaf, new: int = new) -> Array:
            return trace.values[step - 1][leaf] if step else trace.values[-1][new]

        def around(trace: Trace, step: int, leaf: int = leaf) -> Array:
            return trace.values[step - 1][leaf]

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
            factors = {edge: place for place in functions for edge in used_by(tape, place)}
            own = {edge: reading(place) for edge, place in factors.items()}
            early = {edge: functions[place] for edge, place in factors.items()}
            for change in (Change(nodes=functions, edges=own), Change(edges=early)):  # slopes, factors alone
                yield Mistake("new_state_early", (state,), change)
        yield Mistake("new_state_early", (state,), Change(nodes={new: before}))
    for name, place in named_gates(tape):
        for shift in (1, -1):

            def off(trace: Trace, step: int, place: int = place, shift: int = shift) -> Array:
                return trace.values[min(max(step + shift, 0), len(trace.values) - 1)][place]

            def wrapped(trace: Trace, step: int, place: int = place, shift: int = shift) -> Array:
                return trace.values[(step + shift) % len(trace.values)][place]

            for neighbour in (off, wrapped):
                for edge in used_by(tape, place):
                    if tape.operations[edge[0]].kind == "mul":
                        yield Mistake("gate_off", (name,), Change(edges={edge: neighbour}))
                yield Mistake("gate_off", (name,), Change(nodes={place: neighbour}))


def _ways(tape: Tape, leaf: int, read: Read) -> Iterator[Change]:
    """Read a state wrongly everywhere, in matrix products alone, or element by element alone."""
    edges = used_by(tape, leaf)
    again = {
        place: _of_pair(tape, place, leaf, read)
        for place, _ in edges
        if tape.operations[place].kind == "mul" and feeds_product(tape, place)
    }
    if again:
        yield Change(nodes={leaf: read, **again})
    yield Change(nodes={leaf: read})
    kinds = {
        edge: tape.operations[edge[0]].kind in (PRODUCT, JOIN) or feeds_product(tape, edge[0])
        for edge in edges
    }
    if len(set(kinds.values())) == 2:
        for inside in (True, False):
            yield Change(edges={edge: read for edge in edges if kinds[edge] is inside})


def _of_pair(tape: Tape, place: int, leaf: int, read: Read) -> Read:
    """Read a product of two values as it is with one of them read otherwise."""
    one, other = tape.operations[place].arguments
    kept = other if one == leaf else one
    return lambda trace, step: read(trace, step) * trace.values[step][kept]


def _of_function(tape: Tape, place: int, inner: Read) -> Read:
    value = VALUES[tape.operations[place].kind]
    return lambda trace, step: value(inner(trace, step))
