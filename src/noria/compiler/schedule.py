"""The schedule: what leaves the time loop, what is computed together, what is saved, what is computed again.

Each decision is one function below, in the order in which they are taken:

1. ``_saved`` chooses what the forward keeps for the backward. Arithmetic that costs less than reading it
   back is computed again.
2. ``_phases`` moves everything that does not wait for the recurrence before the loop, and everything the
   recurrence does not wait for behind it. Forward and backward obey the same rule.
3. ``_grouped`` computes products that share an operand as one.
4. ``_chains`` lays the gradients of a group side by side in one array, so that the product back to the state
   and the gradient of the weights are each one matrix product over it.
"""

from collections.abc import Iterable, Mapping

from noria.compiler.differentiate import Backward, Outer, differentiate
from noria.compiler.graph import LEAVES, Block, Node
from noria.compiler.lower import Forward, lower
from noria.compiler.program import (
    AFTER,
    BEFORE,
    INPUT,
    LOOP,
    Instruction,
    Pass,
    Product,
    Program,
    WeightGradient,
    inputs,
    outputs,
)
from noria.equations import Cell
from noria.errors import UnknownNameError

CHEAP = frozenset(
    {
        "add",
        "sub",
        "mul",
        "neg",
        "max",
        "min",
        "spread",
        "copy",
        "positive",
        "sign",
        "not_less",
        "not_greater",
    }
)
"""Operations that are computed again in the backward rather than saved, where their arguments are at hand."""


def schedule(cell: Cell, keep: tuple[str, ...] = (), *, expected: bool = False) -> Program:
    """Derive and schedule the program of ``cell``; see :func:`noria.compiler.compile_cell`."""
    forward = lower(cell, expected=expected)
    count = len(forward.graph.nodes)
    derived = differentiate(forward)
    kept = _kept(forward, derived, keep)
    kept_forward = {node for node in kept.values() if node.index < count}
    targets = _backward_targets(derived) | {node for node in kept.values() if node.index >= count}
    saved, recomputed, backward_nodes = _saved(forward, targets, count, kept_forward)

    new = set(forward.new.values())
    carried_new = {forward.new[state] for state in forward.recurrent_states}
    forward_passes = []
    for extra in (saved | kept_forward | new, kept_forward | {forward.new["h"]}):
        nodes = _ancestors(new | extra)
        phases = _phases(nodes, "old", _ancestors(carried_new))
        read_outside = _leaves_read_outside(phases, "old")
        forward_passes.append((phases, extra | {forward.new[state] for state in read_outside}))

    inner = set(backward_nodes)
    old = {node for node in derived.d_old.values() if node is not None}
    # What the next step hands back is there during the step only: whoever reads it is in the loop.
    readers = {node for node in inner if any(argument.op == "carried" for argument in node.arguments)}
    placed = _phases(inner, "carried", _ancestors(old | readers, inner))
    for_input = {derived.d_x} if derived.d_x is not None else set()
    others = _ancestors(targets - for_input | old, inner)
    phases_back: dict[str, list[Node]] = {BEFORE: placed[BEFORE], LOOP: placed[LOOP], AFTER: [], INPUT: []}
    for node in placed[AFTER]:
        phases_back[AFTER if node in others else INPUT].append(node)

    gradients = _weight_gradients(derived.outers)
    chains = _chains([g.ds for g in gradients], usable=inner)
    place = {node: position for position, node in enumerate(node for chain in chains for node in chain)}
    gradients = tuple(_ordered(gradient, place) for gradient in gradients)
    rank = {(block, g.operand): k for g in gradients for k, block in enumerate(g.blocks)}
    made = []
    for phases, extra in forward_passes:
        grouped = {name: _grouped(nodes, rank) for name, nodes in phases.items()}
        made.append(Pass(grouped, _crossing(grouped, extra), _wide(grouped)))
    back = {name: tuple(nodes) for name, nodes in phases_back.items()}
    ends = (
        {node for g in gradients for node in (*g.ds, g.operand)}
        | {s.d for s in derived.column_sums}
        | set(kept.values())
    )
    order = schedule(cell).order if expected else _parameter_order(cell, gradients)
    return Program(
        forward=forward,
        derived=derived,
        order=order,
        training=made[0],
        inference=made[1],
        backward=Pass(back, _crossing(back, ends | for_input), tuple(chains)),
        weight_gradients=gradients,
        saved=tuple(sorted(saved, key=_index)),
        recomputed=tuple(sorted(recomputed, key=_index)),
        kept=kept,
    )


def _index(node: Node) -> int:
    return node.index


def _ancestors(roots: Iterable[Node], within: set[Node] | None = None) -> set[Node]:
    """Give all that ``roots`` are computed from, themselves included; stay inside ``within`` if given."""
    found: set[Node] = set()
    waiting = [node for node in roots if within is None or node in within]
    while waiting:
        node = waiting.pop()
        if node not in found and node.op not in LEAVES:
            found.add(node)
            waiting.extend(a for a in node.arguments if within is None or a in within)
    return found


def _kept(forward: Forward, derived: Backward, keep: tuple[str, ...]) -> dict[str, Node]:
    """Find what was asked for: ``i``, ``c`` (after the step), ``a_i``, ``d_...`` for the gradient of each."""
    values = {name: node for name, node in forward.values.items() if not name.endswith("'")}
    values |= forward.new
    known = dict(values)
    for name, node in values.items():
        if node in derived.adjoints:
            known[f"d_{name}"] = derived.adjoints[node]
    for name in keep:
        if name not in known:
            raise UnknownNameError(
                f"{forward.cell.name}: cannot keep '{name}': the cell has no such value. "
                f"It has: {', '.join(known)}."
            )
    return {name: known[name] for name in keep}


def _backward_targets(derived: Backward) -> set[Node]:
    """Give all that the backward has to bring forth."""
    targets = {node for node in derived.d_old.values() if node is not None}
    targets |= {node for outer in derived.outers for node in (outer.d, outer.operand)}
    targets |= {column_sum.d for column_sum in derived.column_sums}
    return targets | ({derived.d_x} if derived.d_x is not None else set())


def _saved(
    forward: Forward, targets: set[Node], count: int, kept: set[Node]
) -> tuple[set[Node], set[Node], set[Node]]:
    """Choose what is saved: give the saved nodes, the recomputed ones, and all that the backward computes."""
    new = set(forward.new.values())
    needed: set[Node] = set()
    own: set[Node] = set()
    waiting = list(targets)
    while waiting:
        node = waiting.pop()
        if node in own or node in needed or node.op in LEAVES:
            continue
        if node.index < count:
            needed.add(node)
        else:
            own.add(node)
            waiting.extend(node.arguments)
    saved = {node for node in needed if node in new or node in kept or node.op not in CHEAP}
    recomputed: set[Node] = set()

    def at_hand(node: Node) -> bool:
        if node.op in LEAVES or node in saved or node in recomputed or node in new:
            return True
        return node.op in CHEAP and all(at_hand(argument) for argument in node.arguments)

    def compute_again(node: Node) -> None:
        if node in new:
            saved.add(node)
        elif node.op not in LEAVES and node not in saved:
            recomputed.add(node)
            for argument in node.arguments:
                compute_again(argument)

    for node in sorted(needed - saved, key=_index):
        if at_hand(node):
            compute_again(node)
        else:
            saved.add(node)
    return saved, recomputed, own | recomputed


def _leaves_read_outside(phases: dict[str, list[Node]], op: str) -> set[str]:
    """Name the leaves of one kind that are read in another phase than the loop."""
    nodes = (node for name, members in phases.items() if name != LOOP for node in members)
    return {str(argument.attribute) for node in nodes for argument in node.arguments if argument.op == op}


def _phases(nodes: set[Node], source: str, needed_by_loop: set[Node]) -> dict[str, list[Node]]:
    """Cut ``nodes`` into those before the loop, in it, and behind it.

    ``source`` is the kind of leaf that a step gets from its neighbour.
    """
    phases: dict[str, list[Node]] = {BEFORE: [], LOOP: [], AFTER: []}
    waits: set[Node] = set()
    for node in sorted(nodes, key=_index):
        if any(a.op == source or a in waits for a in node.arguments):
            waits.add(node)
            phases[LOOP if node in needed_by_loop else AFTER].append(node)
        else:
            phases[BEFORE].append(node)
    return phases


def _grouped(nodes: list[Node], rank: Mapping[tuple[Block, Node], int]) -> tuple[Instruction, ...]:
    """Compute the products of one phase that share an operand together, where the first of them stands."""
    groups: dict[Node, list[Node]] = {}
    for node in nodes:
        if node.op == "product":
            groups.setdefault(node.arguments[0], []).append(node)
    result: list[Instruction] = []
    for node in nodes:
        if node.op != "product":
            result.append(node)
            continue
        operand = node.arguments[0]
        members = groups.pop(operand, None)
        if members is not None:
            members.sort(key=lambda n: rank.get((_block(n), operand), len(rank)))
            blocks = tuple(_block(member) for member in members)
            result.append(Product(blocks, operand, tuple(members)))
    return tuple(result)


def _block(product: Node) -> Block:
    assert isinstance(product.attribute, Block)
    return product.attribute


def _weight_gradients(outers: tuple[Outer, ...]) -> tuple[WeightGradient, ...]:
    """Gather the shares in the weight gradients by operand: one product over all rows each."""
    groups: dict[Node, list[Outer]] = {}
    for outer in reversed(outers):
        groups.setdefault(outer.operand, []).append(outer)
    return tuple(
        WeightGradient(tuple(o.block for o in members), tuple(o.d for o in members), operand)
        for operand, members in sorted(groups.items(), key=lambda item: item[0].index)
    )


def _chains(lists: list[tuple[Node, ...]], usable: set[Node]) -> list[tuple[Node, ...]]:
    """Put the members of each list side by side where one order serves them all.

    A list joins a chain at one of its ends, if what they share stands there; otherwise the list is left as
    it is, and the engines copy.
    """
    chains: list[list[Node]] = []
    for members in lists:
        if len(set(members)) < len(members) or not all(node in usable for node in members):
            continue
        placed = {node for chain in chains for node in chain}
        shared = [node for node in members if node in placed]
        fresh = [node for node in members if node not in placed]
        if not shared:
            chains.append(fresh)
            continue
        chain = next(c for c in chains if shared[0] in c)
        if set(chain[: len(shared)]) == set(shared):
            chain[:0] = fresh
        elif set(chain[-len(shared) :]) == set(shared):
            chain.extend(fresh)
    return [tuple(chain) for chain in chains]


def _ordered(gradient: WeightGradient, place: dict[Node, int]) -> WeightGradient:
    """Put the members of a group into the order in which their gradients lie."""
    pairs = sorted(zip(gradient.ds, gradient.blocks, strict=True), key=lambda pair: place.get(pair[0], -1))
    return WeightGradient(tuple(block for _, block in pairs), tuple(d for d, _ in pairs), gradient.operand)


def _wide(phases: Mapping[str, tuple[Instruction, ...]]) -> tuple[tuple[Node, ...], ...]:
    return tuple(item.outs for items in phases.values() for item in items if isinstance(item, Product))


def _crossing(phases: Mapping[str, tuple[Instruction, ...]], wanted: set[Node]) -> frozenset[Node]:
    """Give the nodes of the loop that another phase reads or that are wanted afterwards."""
    inside = {node for item in phases[LOOP] for node in outputs(item)}
    read = {node for name, items in phases.items() if name != LOOP for item in items for node in inputs(item)}
    return frozenset(inside & (read | wanted))


def _parameter_order(cell: Cell, gradients: tuple[WeightGradient, ...]) -> tuple[str, ...]:
    """Order the parameters: the matrices of a group one after the other, then the vectors."""
    matrices = dict.fromkeys(block.matrix for gradient in gradients for block in gradient.blocks)
    return tuple(dict.fromkeys([*matrices, *(parameter.name for parameter in cell.parameters)]))
