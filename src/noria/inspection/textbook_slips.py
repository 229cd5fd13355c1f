"""A textbook's cell with one slip in its equations, and by the other conventions of textbooks."""

import itertools
import re
from collections.abc import Iterator, Mapping

from noria.equations import Cell, cells
from noria.errors import EquationError
from noria.inspection.conventions import variants
from noria.inspection.tape import Tape
from noria.inspection.textbook import Textbook


def slips(textbook: Textbook) -> Iterator[Textbook]:
    """Give the textbook's cell with one slip in its equations: of products, terms and functions."""
    lines = textbook.cell.text.splitlines()
    gates = {
        match[1]: number for number, line in enumerate(lines) if (match := re.match(r"(\w+)\s*= \w+\(", line))
    }
    written = list(_swapped_products(lines, gates)) + list(_left_out(lines)) + list(_other_functions(lines))
    for key, words, text in written:
        try:
            cell = Cell.parse(text, name=textbook.cell.name)
        except EquationError:
            continue
        if {one.name for one in cell.parameters} <= textbook.views.keys() and Tape.can_follow(cell):
            views = {one.name: textbook.views[one.name] for one in cell.parameters}
            tape = _same_readout(textbook, cell)
            full = {**textbook.views, **views}
            yield Textbook(cell, textbook.variant, full, tape, (key, words))


def other_conventions(textbook: Textbook) -> Iterator[tuple[tuple[str, str], Tape]]:
    """Give a GRU by its other conventions, each with the lines that differ: the other's, and its own."""
    if textbook.cell.name not in ("gru", "gru_reset_after"):
        return
    with_bias = any(name.startswith("b") for name in textbook.views)
    own = _lines_by_target(textbook.cell.text)
    for _, text in variants(cells["gru"], with_bias=with_bias):
        cell, others = Cell.parse(text, name=textbook.cell.name), _lines_by_target(text)
        if others.keys() != own.keys():  # one's own lines may be more, and cannot be told apart then
            continue
        differing = [(line, own[name]) for name, line in others.items() if line != own[name]]
        if differing and set(cell.parameters) <= set(textbook.cell.parameters):
            theirs, ours = (", ".join(side) for side in zip(*differing, strict=True))
            yield (theirs, ours), _same_readout(textbook, cell)


def _lines_by_target(text: str) -> dict[str, str]:
    lines = [" ".join(line.partition("#")[0].split()) for line in text.splitlines()]
    return {line.partition("=")[0].strip(): line for line in lines if "=" in line}


def _same_readout(textbook: Textbook, cell: Cell) -> Tape:
    """Put the same readout behind another cell."""
    own = {one.name for one in textbook.cell.parameters}
    readout = tuple(name for name in textbook.views if name not in own)
    softmaxed = textbook.tape.operations[-1].kind == "softmax"
    return Tape(cell, (readout[0], readout[1]), softmaxed=softmaxed) if len(readout) == 2 else Tape(cell)


def _swapped_products(
    lines: list[str], gates: Mapping[str, int]
) -> Iterator[tuple[str, tuple[str, ...], str]]:
    for (one, place), other in itertools.product(gates.items(), gates):
        if one == other:
            continue
        for letters in ("WUb", "WU", "U", "W", "b"):
            changed = re.sub(rf"\b([{letters}])_{one}\b", rf"\1_{other}", lines[place])
            text = "\n".join([*lines[:place], changed, *lines[place + 1 :]])
            yield "forward_products", (one, other), text


def _left_out(lines: list[str]) -> Iterator[tuple[str, tuple[str, ...], str]]:
    for place, line in enumerate(lines):
        for term in re.finditer(r" \+ (b\w*|U\w* @ (?:h|\([^)]*\)))(?=[ )]|$)", line):
            changed = line[: term.start()] + line[term.end() :]
            yield (
                "forward_term",
                (term[1], line.split("=")[0].strip()),
                "\n".join([*lines[:place], changed, *lines[place + 1 :]]),
            )


def _other_functions(lines: list[str]) -> Iterator[tuple[str, tuple[str, ...], str]]:
    for place, line in enumerate(lines):
        for old, new in (("sigmoid(", "tanh("), ("tanh(", "sigmoid("), ("tanh(", "(")):
            if old in line:
                changed = line.replace(old, new)
                words = (old[:-1], new[:-1] or "-", line.split("=")[0].strip())
                yield "forward_function", words, "\n".join([*lines[:place], changed, *lines[place + 1 :]])
