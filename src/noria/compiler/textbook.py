"""The backward of a cell as a textbook would print it.

The forward stands first, because the backward reads its values; one count of numbers goes through all.
Each equation of the backward gives the gradient of the loss with respect to one named value (δ), as a sum
of terms; beside it stand the paths that the terms came by. Nothing here is written by hand: the equations
are read off the derived graph that the engines run. ``docs/derivations`` derives them in words.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from noria.compiler.differentiate import Backward, differentiate
from noria.compiler.graph import Block, Node
from noria.compiler.lower import Forward, lower
from noria.compiler.writing import write
from noria.equations import Cell
from noria.equations.notation import FACTOR, SUM, Latex, Notation, PlainText


@dataclass(frozen=True)
class Line:
    """One equation: left and right side, and the path that each term of the right side carries."""

    left: str
    right: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Textbook:
    """The forward step with its pre-activations named, the backward step, the gradients of the parameters."""

    forward: tuple[Line, ...]
    backward: tuple[Line, ...]
    parameters: tuple[Line, ...]


@dataclass(frozen=True)
class TextbookBackward:
    """The forward and the derived backward of a step, numbered: in Unicode text and in LaTeX."""

    text: str
    latex: str

    def _repr_latex_(self) -> str:
        return f"$${self.latex}$$"

    def __str__(self) -> str:
        return self.text


def textbook_backward(cell: Cell) -> TextbookBackward:
    """Write the derived backward of ``cell`` as a textbook would."""
    forward = lower(cell)
    derived = differentiate(forward)
    return TextbookBackward(
        text=_as_text(_book(forward, derived, PlainText()), cell.states),
        latex=_as_latex(_book(forward, derived, Latex(cell.states))),
    )


def _book(forward: Forward, derived: Backward, notation: Notation) -> Textbook:
    values: dict[Node, str] = {}
    for name, node in forward.values.items():
        values.setdefault(node, notation.value(name))
    ordered = sorted(values, key=lambda node: node.index)
    named = {node: name for name, node in reversed(forward.values.items())}
    forward_lines = tuple(
        Line(values[node], write(node, notation, values, whole=True).text) for node in ordered
    )

    names = dict(values)
    backward_lines = []
    for node in reversed(ordered):
        if node in derived.adjoints:
            left = notation.delta(named[node])
            backward_lines.append(_line(left, node, derived, notation, names))
            names.setdefault(derived.adjoints[node], left)
    leaves = {(node.op, str(node.attribute)): node for node in forward.graph.nodes}
    for state in forward.cell.states:
        old = leaves.get(("old", state))
        if old is not None and old in derived.adjoints:
            backward_lines.append(_line(notation.delta(state), old, derived, notation, names))
    x = leaves.get(("input", "x"))
    if x is not None and x in derived.adjoints:
        backward_lines.append(_line(notation.delta("x"), x, derived, notation, names))
    return Textbook(forward_lines, tuple(backward_lines), tuple(_parameter_lines(derived, notation, names)))


def _line(left: str, node: Node, derived: Backward, notation: Notation, names: dict[Node, str]) -> Line:
    """Write the sum of what was handed back to ``node``, with the paths."""
    terms, paths = [], []
    for contribution in derived.contributions[node]:
        terms.append(notation.bracketed(write(contribution.node, notation, names), SUM))
        paths.append(contribution.through)
    right = " + ".join(terms).replace("+ -", "- ")
    return Line(left, right, tuple(dict.fromkeys(paths)))


def _parameter_lines(derived: Backward, notation: Notation, names: dict[Node, str]) -> list[Line]:
    lines: dict[str, list[str]] = {}
    for outer in reversed(derived.outers):
        d = notation.bracketed(write(outer.d, notation, names), FACTOR)
        operand = notation.bracketed(write(outer.operand, notation, names), 4)
        lines.setdefault(_block_name(outer.block, notation), []).append(f"{d} {notation.transpose(operand)}")
    for column_sum in derived.column_sums:
        lines.setdefault(column_sum.vector, []).append(write(column_sum.d, notation, names).text)
    plain = isinstance(notation, PlainText)
    return [
        Line(notation.delta(name) if plain else rf"\delta {notation.parameter(name)}", " + ".join(terms))
        for name, terms in lines.items()
    ]


def _block_name(block: Block, notation: Notation) -> str:
    return block.matrix


def _as_text(book: Textbook, states: Sequence[str]) -> str:
    number = itertools.count(1)
    after = ", ".join(f"{state}'" for state in states)
    before = f"Forward, with the arguments of the activations named ({', '.join(states)} before the step"
    lines = [f"{before}, {after} after it):"]
    lines += [f"  ({next(number)})".ljust(8) + f"{line.left} = {line.right}" for line in book.forward]
    lines += [
        "",
        "Backward, from the last step to the first (δv is the gradient of the loss with respect to v,",
        "δv(t+1) what the step after hands back):",
    ]
    width = max((len(f"{line.left} = {line.right}") for line in book.backward), default=0)
    width = min(width, 78)
    for line in book.backward:
        equation = f"{line.left} = {line.right}"
        paths = ", ".join(_path(path) for path in line.paths)
        lines.append(f"  ({next(number)})".ljust(8) + equation.ljust(width) + f"   {paths}")
    lines += ["", "Parameters, summed over all steps and sequences:"]
    for line in book.parameters:
        lines.append(f"  ({next(number)})".ljust(8) + f"{line.left} = Σ {_in_sum(line.right)}")
    return "\n".join(lines)


def _in_sum(text: str) -> str:
    return f"({text})" if " + " in text or " - " in text else text


def _path(through: str) -> str:
    return f"from {through}" if through.startswith("the ") else f"through {through}"


def _as_latex(book: Textbook) -> str:
    rows = [rf"{line.left} &= {line.right} &&" for line in book.forward]
    for line in book.backward:
        paths = ", ".join(_path(path) for path in line.paths)
        rows.append(rf"{line.left} &= {line.right} && \text{{{paths}}}")
    rows += [rf"{line.left} &= \sum_{{t}} {line.right} &&" for line in book.parameters]
    tagged = (rf"{row} \tag{{{number}}}" for number, row in enumerate(rows, start=1))
    return "\\begin{align}\n" + " \\\\\n".join(tagged) + "\n\\end{align}"
