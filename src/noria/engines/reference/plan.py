"""Where each value of a program lies and which NumPy call makes it: the program, bound to sizes.

A plan gives every node a *slot*. While a run executes, slot ``k`` of its frame holds the rows of node ``k``
at hand: all rows outside the time loop, one step's rows inside it. Nodes that lie side by side share a
buffer, so that a grouped product reads or writes them in place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from noria.compiler.graph import LEAVES, Block, Node
from noria.compiler.program import AFTER, BEFORE, INPUT, LOOP, Instruction, Pass, Product, Program, outputs
from noria.engines.reference.operations import OPERATIONS, Operation, copy, power, product

Call = tuple[Operation, int, int, int]
"""Function, slot of the first argument, slot of the second (-1: there is none), slot of the result."""


CONSTANTS = frozenset({"number", "inverse_size", "vector"})
"""Leaves that are the same for every row: they are put into the frame once, when a run starts."""


@dataclass(frozen=True)
class Place:
    """Columns ``start`` to ``stop`` of a buffer: a number, or the name of the state whose rows these are."""

    buffer: int | str
    start: int
    stop: int


@dataclass(frozen=True)
class Stack:
    """Several blocks of weights as one matrix: whether they already lie so in the flat block, and where."""

    blocks: tuple[Block, ...]
    transposed: bool


@dataclass
class Plan:
    """See the module. ``rows[k]`` tells whether buffer ``k`` keeps every row, or only those of one step."""

    program: Program
    sizes: Mapping[str, int]
    slots: dict[Node, int] = field(default_factory=dict)
    leaves: dict[int, Node] = field(default_factory=dict)
    stacks: dict[int, Stack] = field(default_factory=dict)
    widths: list[int] = field(default_factory=list)
    rows: list[bool] = field(default_factory=list)
    places: dict[int, Place] = field(default_factory=dict)
    code: dict[tuple[str, str], list[Call]] = field(default_factory=dict)
    touched: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    rolling: frozenset[str] = frozenset()
    gradients: list[tuple[int, int, Stack]] = field(default_factory=list)
    count: int = 0

    def width(self, size: str) -> int:
        """Give the number of units of a size symbol."""
        return self.sizes.get(size, 1)

    def new_slot(self) -> int:
        """Give a new slot its number."""
        self.count += 1
        return self.count - 1

    def show(self, place: Place) -> int:
        """Give a new slot for a place."""
        slot = self.new_slot()
        self.places[slot] = place
        return slot

    def slot(self, node: Node) -> int:
        """Give the slot of a node, numbering it the first time."""
        if node not in self.slots:
            self.slots[node] = self.new_slot()
            if node.op in LEAVES:
                self.leaves[self.slots[node]] = node
        return self.slots[node]

    def stack(self, blocks: tuple[Block, ...], *, transposed: bool) -> int:
        """Give the slot of several blocks of weights as one matrix."""
        wanted = Stack(blocks, transposed)
        for slot, stack in self.stacks.items():
            if stack == wanted:
                return slot
        slot = self.new_slot()
        self.stacks[slot] = wanted
        return slot

    def side_by_side(self, nodes: Iterable[Node], *, rows: bool) -> int:
        """Lay nodes into one new buffer, and give the slot of the whole."""
        buffer, start = len(self.widths), 0
        for node in nodes:
            stop = start + self.width(node.size)
            self.places[self.slot(node)] = Place(buffer, start, stop)
            start = stop
        self.widths.append(start)
        self.rows.append(rows)
        return self.show(Place(buffer, 0, start))


def make_plan(program: Program, sizes: Mapping[str, int], *, training: bool) -> Plan:
    """Bind a program to sizes, for runs that save (with the backward) or for runs that do not."""
    plan = Plan(program, sizes)
    forward = program.training if training else program.inference
    _place_states(plan, forward)
    _place(plan, "forward", forward)
    if training:
        for node in program.recomputed:  # computed a second time, into a place of its own
            plan.slots.pop(node, None)
        _place(plan, "backward", program.backward)
        for gradient in program.weight_gradients:
            whole = _whole(plan, ("backward", AFTER), gradient.ds)
            plan.gradients.append(
                (whole, plan.slot(gradient.operand), Stack(gradient.blocks, transposed=False))
            )
    constant = set(plan.stacks) | {slot for slot, node in plan.leaves.items() if node.op in CONSTANTS}
    for key, calls in plan.code.items():
        used = dict.fromkeys(slot for _, a, b, out in calls for slot in (a, b, out) if slot >= 0)
        plan.touched[key] = [slot for slot in used if slot not in constant]
    if training:  # and what goes back to the step before, wherever it was computed
        handed = [plan.slot(node) for node in program.derived.d_old.values() if node is not None]
        plan.touched["backward", LOOP] = list(dict.fromkeys([*plan.touched["backward", LOOP], *handed]))
    ends = {slot for whole, operand, _ in plan.gradients for slot in (whole, operand)}
    ends |= {plan.slot(column_sum.d) for column_sum in program.derived.column_sums} if training else set()
    plan.touched["backward", "end"] = list(ends)
    return plan


def _place_states(plan: Plan, forward: Pass) -> None:
    """Give each new state its rows, behind those of the initial state.

    It gets none if only its last value is wanted.
    """
    loop_only = set(forward.nodes(LOOP)) - forward.rows
    new = plan.program.forward.new
    plan.rolling = frozenset(state for state, node in new.items() if node in loop_only)
    for state, node in new.items():
        if state not in plan.rolling:
            plan.places[plan.slot(node)] = Place(state, 0, plan.width(node.size))


def _place(plan: Plan, name: str, one: Pass) -> None:
    everlasting = one.rows | set(one.nodes(*(phase for phase in one.phases if phase != LOOP)))
    computed = set(one.nodes())
    for group in one.adjacent:
        if not any(plan.slots.get(node) in plan.places for node in group):
            plan.side_by_side(group, rows=any(node in everlasting for node in group if node in computed))
    for phase in (BEFORE, LOOP, AFTER, INPUT):
        plan.code.setdefault((name, phase), [])
        for item in one.phases.get(phase, ()):
            for node in outputs(item):
                if plan.slot(node) not in plan.places:
                    plan.side_by_side([node], rows=node in everlasting)
            _emit(plan, (name, phase), item)


def _emit(plan: Plan, key: tuple[str, str], item: Instruction) -> None:
    """Write the call, or the few calls, that compute an instruction."""
    code = plan.code[key]
    if isinstance(item, Product):
        whole = _whole(plan, key, item.outs, reading=False)
        code.append((product, plan.slot(item.operand), plan.stack(item.blocks, transposed=True), whole))
        if len(item.outs) > 1 and _span(plan, item.outs) is None:
            code.extend(
                (copy, part, -1, plan.slot(node))
                for part, node in zip(_parts(plan, whole, item.outs), item.outs, strict=True)
            )
    elif item.op == "product_t":
        blocks = item.attribute
        assert isinstance(blocks, tuple)
        ds, blocks = _in_order(plan, item.arguments, blocks)
        whole = _whole(plan, key, ds)
        code.append((product, whole, plan.stack(blocks, transposed=False), plan.slot(item)))
    elif item.op == "power":
        assert isinstance(item.attribute, float)
        code.append((power(item.attribute), plan.slot(item.arguments[0]), -1, plan.slot(item)))
    else:
        slots = [plan.slot(argument) for argument in item.arguments]
        code.append((OPERATIONS[item.op], slots[0], slots[1] if len(slots) > 1 else -1, plan.slot(item)))


def _in_order(
    plan: Plan, ds: tuple[Node, ...], blocks: tuple[Block, ...]
) -> tuple[tuple[Node, ...], tuple[Block, ...]]:
    """Sort the terms of a product by where their rows lie, so that they can be read as one."""

    def position(pair: tuple[Node, Block]) -> tuple[str, int]:
        place = plan.places.get(plan.slot(pair[0]))
        return (str(place.buffer), place.start) if place is not None else ("", 0)

    pairs = sorted(zip(ds, blocks, strict=True), key=position)
    return tuple(d for d, _ in pairs), tuple(block for _, block in pairs)


def _span(plan: Plan, nodes: tuple[Node, ...]) -> Place | None:
    """Give the columns in which ``nodes`` lie side by side, in this order; None if they do not."""
    places = [plan.places[slot] for node in nodes if (slot := plan.slot(node)) in plan.places]
    if len(places) < len(nodes):
        return None
    together = all(a.buffer == b.buffer and a.stop == b.start for a, b in pairwise(places))
    return Place(places[0].buffer, places[0].start, places[-1].stop) if together else None


def _parts(plan: Plan, whole: int, nodes: tuple[Node, ...]) -> list[int]:
    """Give slots for the parts of a buffer that is laid out like ``nodes``."""
    place, start, slots = plan.places[whole], plan.places[whole].start, []
    for node in nodes:
        slots.append(plan.show(Place(place.buffer, start, start + plan.width(node.size))))
        start += plan.width(node.size)
    return slots


def _whole(plan: Plan, key: tuple[str, str], nodes: tuple[Node, ...], *, reading: bool = True) -> int:
    """Give a slot that shows ``nodes`` side by side.

    It shows their own rows where they lie so, else a copy that is made first.
    """
    if len(nodes) == 1:
        return plan.slot(nodes[0])
    span = _span(plan, nodes)
    if span is not None:
        return plan.show(span)
    slot = plan.show(Place(len(plan.widths), 0, sum(plan.width(node.size) for node in nodes)))
    plan.widths.append(plan.places[slot].stop)
    plan.rows.append(key[1] != LOOP)
    if reading:
        parts = _parts(plan, slot, nodes)
        plan.code[key].extend(
            (copy, plan.slot(node), -1, part) for node, part in zip(nodes, parts, strict=True)
        )
    return slot
