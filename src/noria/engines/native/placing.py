"""Which values of a pass need memory, and of what kind.

A value that is read only by the sweep that computes it has no place: it stays in a register.
"""

from collections.abc import Iterable

from noria.compiler.graph import ONE, PRODUCTS, Node
from noria.compiler.program import LOOP
from noria.engines.native.buffers import Buffers
from noria.engines.native.pass_design import PassDesign
from noria.engines.native.places import CHUNK, LASTING, NEW, ROW, SEQUENCE, ZERO, Place
from noria.engines.native.stages import ONCE


class Placing:
    """Gives the nodes of one pass their places.

    Parameters
    ----------
    buffers : Buffers
    one : PassDesign
        With the places that are there already: those of states and of gradients that are handed out.
    wanted : set of Node
        Values whose rows the products behind the loop read, another pass, or somebody who asked for them.
    """

    def __init__(self, buffers: Buffers, one: PassDesign, wanted: set[Node]) -> None:
        self.buffers, self.one, self.wanted = buffers, one, wanted

    def place(self, chains: Iterable[tuple[Node, ...]] = ()) -> None:
        """Give every node that needs memory its places; results of products get their first one later.

        Parameters
        ----------
        chains : iterable of tuple of Node
            Nodes that have to lie side by side.
        """
        for number, chain in enumerate(chains):
            self._place_chain(f"chain {number}", chain)
        for node, phase in self.one.staged.phase_of.items():
            if node.op not in PRODUCTS:
                self._place(node, phase)
            elif phase == LOOP and self._is_read_beyond(node, phase):
                self._keep(node)

    def _place_chain(self, buffer: str, chain: tuple[Node, ...]) -> None:
        start = 0
        for node in chain:
            self._places(node).append(Place(buffer, start, CHUNK))
            if len(chain) > 1 and self.buffers.size(node.size) % self.buffers.numbers.lanes:
                self.one.masked.add(node)
            start += self.buffers.width(node.size)
        self.buffers.make(buffer, f"chunk {self.one.name}", start)

    def _place(self, node: Node, phase: str) -> None:
        """Place what a sweep computes: the farther away its readers, the longer it is kept."""
        position = self.one.staged.position
        readers, (stage, _) = self.one.readers[node], position[node]
        beyond_phase = self._is_read_beyond(node, phase)
        beyond_stage = any(r.op in PRODUCTS or position[r][0] != stage for r in readers)
        beyond_sweep = any(position[r] != position[node] for r in readers)
        if phase == ONCE:
            if beyond_phase or beyond_sweep:
                self._place_in("once", "1", node, ZERO)
        elif beyond_phase or (beyond_stage and phase != LOOP):
            self._keep(node)
        elif node in self.one.places:
            return
        elif beyond_stage:
            self._place_in(f"step {self.one.name}", "B", node, SEQUENCE)
        elif beyond_sweep:
            self._place_in(f"line {self.one.name}", "parts", node, ZERO)

    def _is_read_beyond(self, node: Node, phase: str) -> bool:
        phase_of = self.one.staged.phase_of
        return node in self.wanted or any(phase_of[reader] != phase for reader in self.one.readers[node])

    def _place_in(self, buffer: str, rows: str, node: Node, index: str) -> None:
        self.one.places[node] = [self.buffers.columns(buffer, rows, self.buffers.vectors(node.size), index)]

    def _keep(self, node: Node) -> None:
        """Give a node a place that outlives its step, unless it has one.

        What somebody asked to see stays until the end; the rest of a backward is needed for a chunk.
        """
        name, places = self.one.name, self._places(node)
        if name == "forward" or node in self.one.lasting:
            enough, what, rows, index = frozenset({ROW, NEW}), "rows", "N", ROW
        else:
            enough, what, rows, index = LASTING, "passing", f"chunk {name}", CHUNK
        if not any(place.index in enough and place.buffer != "d_x" for place in places):
            of_numbers = " of numbers" if node.size == ONE else ""
            width = self.buffers.width(node.size)
            places.append(self.buffers.columns(f"{what}{of_numbers} {name}", rows, width, index))

    def _places(self, node: Node) -> list[Place]:
        return self.one.places.setdefault(node, [])
