"""Where the leaves of a graph lie: parameters, inputs, states before the step, gradients that arrive."""

from noria.compiler.graph import Node
from noria.compiler.program import LOOP, Pass, Program
from noria.engines.native.buffers import Buffers
from noria.engines.native.places import CARRY_OLD, NEW, OLD, ROLL_NEW, ROLL_OLD, ROW, SEQUENCE, ZERO, Place


class Leaves:
    """The buffers that hold what a step finds, and where in them each leaf lies.

    Parameters
    ----------
    program : Program
    one : Pass
        The forward that is run.
    buffers : Buffers
        They get those of the leaves and of the states.
    saves : bool
        Whether gradients come back.

    Attributes
    ----------
    vectors : dict of int
        First column of each parameter that is no matrix, in the buffer ``"vectors"``.
    stored : frozenset of str
        The states of which every row is kept; of the others there is the row before the step and that after.
    per_sequence : frozenset of str
        The auxiliary inputs that have one row for each sequence.
    """

    def __init__(self, program: Program, one: Pass, buffers: Buffers, *, saves: bool) -> None:
        self.cell = program.forward.cell
        self.vectors: dict[str, int] = {}
        self.stored = _stored(program, one)
        self.per_sequence = frozenset(given.name for given in self.cell.givens if given.per == "sequence")
        self._make_parameters(buffers)
        self._make_inputs(buffers, reads_input=_reads_input(program))
        self._make_states(buffers, saves=saves)

    def place(self, node: Node) -> Place:
        """Give where a leaf lies (numbers and sizes lie nowhere)."""
        name = str(node.attribute)
        match node.op:
            case "input":
                return Place("x", 0, ROW)
            case "given":
                return Place(f"given {name}", 0, SEQUENCE if name in self.per_sequence else ROW)
            case "old" if name in self.stored:
                return Place(f"state {name}", 0, OLD)
            case "old":
                return Place(f"roll {name}", 0, ROLL_OLD)
            case "vector":
                return Place("vectors", self.vectors[name], ZERO)
            case "d_output":
                return Place("d_h", 0, ROW)
            case "carried":
                return Place(f"carry {name}", 0, CARRY_OLD)
        raise AssertionError(f"{node!r} lies nowhere")

    def place_after(self, state: str) -> Place:
        """Give where a state goes when the step is done."""
        return (
            Place(f"state {state}", 0, NEW) if state in self.stored else Place(f"roll {state}", 0, ROLL_NEW)
        )

    def _make_parameters(self, buffers: Buffers) -> None:
        start = 0
        for parameter in self.cell.parameters:
            if parameter.kind != "matrix":
                self.vectors[parameter.name] = start
                start += buffers.width(parameter.rows)
        buffers.make("vectors", "1", start)

    def _make_inputs(self, buffers: Buffers, *, reads_input: bool) -> None:
        size_of = self.cell.size_of
        if "x" in size_of:
            # products take rows of any width, sweeps whole vectors
            buffers.make("x", "", buffers.width(size_of["x"]) if reads_input else buffers.size(size_of["x"]))
        for given in self.cell.givens:
            buffers.make(f"given {given.name}", "", buffers.width(size_of[given.name]))
        buffers.make("d_h", "", buffers.width("H"))

    def _make_states(self, buffers: Buffers, *, saves: bool) -> None:
        for state in self.cell.states:
            width = buffers.width(self.cell.size_of[state])
            if state == "h":
                buffers.make("state h", "", width)
            elif state in self.stored:
                buffers.make(f"state {state}", "B+N", width)
            else:
                buffers.make(f"roll {state}", "2B", width)
            if saves:
                buffers.make(f"carry {state}", "2B", width)


def _stored(program: Program, one: Pass) -> frozenset[str]:
    """Name the states that somebody reads outside the loop."""
    in_loop = set(one.nodes(LOOP)) - one.rows
    return frozenset(state for state, node in program.forward.new.items() if node not in in_loop)


def _reads_input(program: Program) -> bool:
    """Tell whether the cell does more with its input than multiply it."""
    return any(
        argument.op == "input"
        for node in program.forward.graph.nodes
        if node.op != "product"
        for argument in node.arguments
    )
