"""The order of work inside a step: which products come first, and how often each row is walked over.

A program says before, in and behind the time loop. Fused code wants the opposite of what separate calls
over all rows want: arithmetic is cheap where its arguments are in registers, so of the program's phases only
the products and what they need stay outside the loop, everything else is done inside it, row by row.

Each phase is a list of *stages*. A stage multiplies first, then sweeps over the units of each row; a new
stage begins where a product needs what this one computes. Within a stage a new *sweep* begins where a sum
over all units has to be known first.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from noria.compiler.graph import ONE, PRODUCTS, Block, Node
from noria.compiler.program import AFTER, BEFORE, INPUT, LOOP, Pass, Product, Program

ONCE = "once"
"""The phase of what depends on parameters alone: it is computed once in a call, not for every row."""

Position = tuple[int, int]
"""Stage and sweep."""


@dataclass(frozen=True, eq=False)
class Multiplication:
    """A product of rows with packed weights: ``outs`` side by side from ``operands`` side by side.

    Either several matrices meet one operand (``transposed`` is false: ``outs[k] = blocks[k] @ operand``), or
    several operands meet the transposes of theirs, and the results add up.
    """

    blocks: tuple[Block, ...]
    operands: tuple[Node, ...]
    outs: tuple[Node, ...]
    transposed: bool


@dataclass
class Sweep:
    """One walk over the units of a row: numbers per row first, then the vectors of each size."""

    numbers: list[Node] = field(default_factory=list)
    vectors: dict[str, list[Node]] = field(default_factory=lambda: defaultdict(list))

    def nodes(self) -> list[Node]:
        """Give all that is computed here."""
        return [*self.numbers, *(node for nodes in self.vectors.values() for node in nodes)]


@dataclass
class Stage:
    """Products, then sweeps."""

    multiplications: list[Multiplication] = field(default_factory=list)
    sweeps: list[Sweep] = field(default_factory=list)


@dataclass
class Staged:
    """The stages of one pass by phase, and where in them each node is computed."""

    phases: dict[str, list[Stage]]
    phase_of: dict[Node, str]
    position: dict[Node, Position]

    def visit(self, node: Node) -> None:
        """Let the first sweep of the loop compute a node that is not part of the pass."""
        loop = self.phases[LOOP] = self.phases[LOOP] or [Stage()]
        loop[0].sweeps = loop[0].sweeps or [Sweep()]
        loop[0].sweeps[0].vectors[node.size].append(node)


def staged(program: Program, one: Pass, wanted: set[Node]) -> Staged:
    """Order the work of one pass.

    Parameters
    ----------
    program : Program
    one : Pass
        Of this program.
    wanted : set of Node
        Nodes whose rows somebody reads afterwards, products' results and leaves included.
    """
    phases = _phases(one, _as_rows(one, wanted), program.derived.d_x)
    result = Staged({}, {}, {})
    for name, members in phases.items():
        result.phase_of.update(dict.fromkeys(members, name))
    visited = wanted | _read_behind(result.phase_of)
    for name, members in phases.items():
        result.phases[name] = _stages(members, _groups(one), visited, result.position)
    return result


def _read_behind(phase_of: Mapping[Node, str]) -> set[Node]:
    """Give the loop's products that are read behind it: a sweep has to keep their rows."""
    return {
        argument
        for node, phase in phase_of.items()
        for argument in node.arguments
        if argument.op in PRODUCTS and phase_of.get(argument) == LOOP != phase
    }


def _as_rows(one: Pass, wanted: set[Node]) -> set[Node]:
    """Give the nodes that a product or somebody behind reads as rows, so that they cannot be made once."""
    rows = set(wanted)
    for node in one.nodes():
        if node.op in PRODUCTS:
            rows.update(node.arguments)
    return rows


def _phases(one: Pass, rows: set[Node], d_x: Node | None) -> dict[str, list[Node]]:
    """Sort the nodes of a pass into phases: outside the loop only products and what they need or bring."""
    phase = {node: name for name in one.phases for node in one.nodes(name)}
    nodes = sorted(phase, key=lambda node: node.index)
    before = _ancestors((n for n in nodes if n.op in PRODUCTS and phase[n] == BEFORE), phase)
    behind: set[Node] = set()
    constant: set[Node] = set()
    result: dict[str, list[Node]] = {ONCE: [], BEFORE: [], LOOP: [], AFTER: [], INPUT: []}
    for node in nodes:
        is_product = node.op in PRODUCTS
        if (is_product and phase[node] in (AFTER, INPUT)) or any(a in behind for a in node.arguments):
            behind.add(node)
        if phase[node] == INPUT or (is_product and node is d_x):
            place = INPUT
        elif node in behind:
            place = AFTER
        elif not is_product and node not in rows and _is_constant(node, constant):
            constant.add(node)
            place = ONCE
        elif node in before:
            place = BEFORE
        else:
            place = LOOP
        result[place].append(node)
    return result


def _is_constant(node: Node, constant: set[Node]) -> bool:
    return all(a in constant or a.op in ("number", "inverse_size", "vector") for a in node.arguments)


def _ancestors(roots: Iterable[Node], within: Mapping[Node, str]) -> set[Node]:
    found: set[Node] = set()
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting.extend(a for a in node.arguments if a in within)
    return found


def _groups(one: Pass) -> dict[Node, Product]:
    """Give the group that each product belongs to."""
    items = [item for phase in one.phases.values() for item in phase if isinstance(item, Product)]
    return {node: item for item in items for node in item.outs}


def _stages(
    nodes: list[Node], groups: Mapping[Node, Product], wanted: set[Node], position: dict[Node, Position]
) -> list[Stage]:
    """Cut one phase into stages and sweeps; note the position of every node."""
    inside = set(nodes)
    earliest = _earliest(nodes, inside)
    last_sweep: dict[int, int] = defaultdict(int)
    for stage, sweep in earliest.values():
        last_sweep[stage] = max(last_sweep[stage], sweep)
    final = _latest(nodes, earliest, last_sweep)
    position.update(final)
    stages = [Stage() for _ in range(max((stage for stage, _ in final.values()), default=-1) + 1)]
    for number, made in enumerate(stages):
        made.sweeps = [Sweep() for _ in range(last_sweep[number] + 1)]
    done: set[int] = set()
    for node in nodes:
        made = stages[final[node][0]]
        if node.op in PRODUCTS:
            group = groups.get(node)
            if group is None:
                blocks = node.attribute
                assert isinstance(blocks, tuple)
                made.multiplications.append(Multiplication(blocks, node.arguments, (node,), True))
            elif id(group) not in done:
                done.add(id(group))
                made.multiplications.append(Multiplication(group.blocks, (group.operand,), group.outs, False))
            if node not in wanted:
                continue
        place = made.sweeps[final[node][1]]
        size = node.arguments[0].size if node.op == "sum" else node.size
        if node.op != "sum" and size == ONE:
            place.numbers.append(node)
        else:
            place.vectors[size].append(node)
    for made in stages:
        while made.sweeps and not made.sweeps[-1].nodes():
            made.sweeps.pop()
    return stages


def _earliest(nodes: list[Node], inside: set[Node]) -> dict[Node, Position]:
    earliest: dict[Node, Position] = {}
    for node in nodes:
        arguments = [argument for argument in node.arguments if argument in inside]
        if node.op in PRODUCTS:
            earliest[node] = (max((earliest[a][0] + 1 for a in arguments), default=0), 0)
            continue
        places = [(0, 0)]
        for argument in arguments:
            stage, sweep = earliest[argument]
            places.append((stage, sweep + 1) if argument.op == "sum" else (stage, sweep))
        earliest[node] = max(places)
    return earliest


def _latest(
    nodes: list[Node], earliest: Mapping[Node, Position], last_sweep: Mapping[int, int]
) -> dict[Node, Position]:
    """Move every node to where it is first read, so that what lies in between need not be stored."""
    readers: dict[Node, list[Node]] = defaultdict(list)
    for node in nodes:
        for argument in node.arguments:
            readers[argument].append(node)
    final: dict[Node, Position] = {}
    for node in reversed(nodes):
        bounds = []
        for reader in readers[node]:
            stage, sweep = final[reader]
            if reader.op in PRODUCTS:
                bounds.append((stage - 1, last_sweep[stage - 1]))
            elif node.op == "sum":
                bounds.append((stage, sweep - 1) if sweep else (stage - 1, last_sweep[stage - 1]))
            else:
                bounds.append((stage, sweep))
        final[node] = earliest[node] if node.op in PRODUCTS or not bounds else min(bounds)
    return final
