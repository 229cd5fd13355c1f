"""Which textbook cell somebody's forward is: parameters by other names and shapes, conventions, slips."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from noria.arrays import Array
from noria.equations import Cell, cells
from noria.errors import EquationError, NoriaError, UnknownNameError
from noria.inspection.conventions import variants
from noria.inspection.own_code import SIZES, Arrays, OwnCode
from noria.inspection.tape import Tape, Trace

GUESSED = ("lstm", "gru", "rnn")
AGREES = 1e-7
"""Largest difference of outputs, relative to their norm, between two forwards that are the same."""

GATE_NAMES = {"n": ("n", "h", "c", "g", "hh", "htilde"), "g": ("g", "c", "a", "ctilde")}
MATRICES = {
    "": ("w", "wxh", "wx", "wih", "win", "wax", "wlstm", "wgru"),
    "g": ("w{}", "wx{}", "w{}x", "wi{}"),
}
RECURRENT = {"": ("u", "whh", "wh", "wrec", "waa"), "g": ("u{}", "wh{}", "w{}h", "r{}")}
BIASES = {"": ("b", "bh", "ba"), "g": ("b{}", "b{}h")}
READOUTS = (("why", "wy", "v", "wout", "wya"), ("by", "bv", "bout"))


@dataclass(frozen=True)
class View:
    """Where a textbook's parameter lies in one of the user's."""

    own: str
    shape: tuple[int, ...]
    transposed: bool = False
    rows: tuple[int, int] | None = None

    def of(self, arrays: Mapping[str, Array]) -> Array:
        """Give the part of the user's arrays, in the textbook's shape."""
        value = arrays[self.own]
        value = value.T if self.transposed else value
        return (value if self.rows is None else value[slice(*self.rows)]).reshape(self.shape)

    def put(self, value: Array, arrays: Mapping[str, Array]) -> None:
        """Write into the user's arrays."""
        target = arrays[self.own]
        target = target.T if self.transposed else target
        part = target if self.rows is None else target[slice(*self.rows)]
        part[...] = value.reshape(part.shape)


@dataclass(frozen=True, eq=False)
class Textbook:
    """A cell with the user's parameters in it.

    Attributes
    ----------
    cell : Cell
    variant : str
        Which of the textbook's conventions.
    views : mapping of str to View
    tape : Tape
    slip : tuple
        What had to be changed in its equations to be the user's: a key and its words; empty: nothing.
    """

    cell: Cell
    variant: str
    views: Mapping[str, View]
    tape: Tape
    slip: tuple[str, tuple[str, ...]] = ("", ())
    gates: tuple[str, ...] = field(default=())

    def trace(self, x: Array, states: list[Array], params: Mapping[str, Array]) -> Trace:
        """Run it on the user's numbers."""
        named = dict(zip(self.cell.states, states, strict=True))
        return self.tape.forward(x, named, {name: view.of(params) for name, view in self.views.items()})

    def outputs(self, trace: Trace, count: int) -> list[Array]:
        """Give what the user's forward hands out: the output, or every state."""
        if count == 1:
            return [trace.outputs]
        places = [self.tape.targets[f"{state}'"] for state in self.cell.states[:count]]
        return [np.stack([values[place] for values in trace.values]) for place in places]

    def as_own(self, gradients: Mapping[str, Array], like: Mapping[str, Array]) -> Arrays:
        """Give gradients of the textbook's parameters as those of the user's."""
        own = {name: np.zeros_like(value) for name, value in like.items()}
        for name, view in self.views.items():
            view.put(gradients[name], own)
        return own


def declared_cell(code: OwnCode) -> Cell | None:
    """Give the cell that a file says it is; None where it says nothing."""
    which = code.cell
    if which is None or isinstance(which, Cell):
        return which
    text = str(which)
    if "=" in text:
        return Cell.parse(text, name=code.path.stem)
    if text.endswith(".eq") and not Path(text).is_absolute():
        return Cell.load(code.path.parent / text)
    try:
        return cells.get(text)
    except UnknownNameError as error:
        raise UnknownNameError(f"{code.path}, CELL: {error}") from None


def default_parameters(cell: Cell, rng: np.random.Generator) -> Arrays:
    """Draw a cell's own parameters by its own names."""
    sizes = {symbol: SIZES.get(symbol, SIZES["H"]) for symbol in cell.sizes}
    return {one.name: 0.6 * rng.standard_normal(one.shape(sizes)) for one in cell.parameters}


def candidates(code: OwnCode, params: Mapping[str, Array]) -> list[Textbook]:
    """List the textbook cells whose parameters these may be, the likeliest first."""
    declared = declared_cell(code)
    found: list[Textbook] = []
    for cell in [declared] if declared is not None else [cells.get(name) for name in GUESSED]:
        for variant, text in variants(cell, with_bias=any(name.lower().startswith("b") for name in params)):
            found += _fitted(cell.name, variant, text, code.names, params)
    return found


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


def _fitted(
    name: str, variant: str, text: str, names: Mapping[str, str], params: Mapping[str, Array]
) -> Iterator[Textbook]:
    """Find the user's parameters of a cell, each by itself or all gates stacked in one."""
    try:
        cell = Cell.parse(text, name=name)
    except NoriaError:
        return
    if not Tape.can_follow(cell):
        return
    sizes = {symbol: SIZES.get(symbol, SIZES["H"]) for symbol in cell.sizes}
    shapes = {one.name: one.shape(sizes) for one in cell.parameters}
    for views in (_single(shapes, names, params), *_stacked(shapes, names, params)):
        if views is None:
            continue
        left = [own for own in params if own not in {view.own for view in views.values()}]
        if not left:
            yield Textbook(cell, variant, views, Tape(cell))
        elif (readout := _readout(left, names, params, views)) is not None:
            for softmaxed in (False, True):
                tape = Tape(cell, ("W_y", "b_y"), softmaxed=softmaxed)
                yield Textbook(cell, variant, {**views, **readout}, tape)


def _single(
    shapes: Mapping[str, tuple[int, ...]], names: Mapping[str, str], params: Mapping[str, Array]
) -> dict[str, View] | None:
    by_plain = {_plain(own): own for own in params}
    found: dict[str, str] = {}
    for name in shapes:
        own = names.get(name) or (name if name in params else None)
        own = own or next((by_plain[alias] for alias in _aliases(name) if alias in by_plain), None)
        if own is None or own not in params or own in found.values():
            return None
        found[name] = own
    turned = any(
        params[own].shape == shapes[name][::-1] and len(set(shapes[name])) == 2 for name, own in found.items()
    )
    views = {}
    for name, own in found.items():
        view = _view(own, params[own].shape, shapes[name], turned)
        if view is None:
            return None
        views[name] = view
    return views


def _view(own: str, has: tuple[int, ...], wanted: tuple[int, ...], turned: bool) -> View | None:
    if len(wanted) == 1:
        return View(own, wanted) if int(np.prod(has)) == wanted[0] else None
    if turned:
        return View(own, wanted, transposed=True) if has == wanted[::-1] else None
    return View(own, wanted) if has == wanted else None


def _stacked(
    shapes: Mapping[str, tuple[int, ...]], names: Mapping[str, str], params: Mapping[str, Array]
) -> Iterator[dict[str, View] | None]:
    """All gates in one matrix, in any order of theirs."""
    gates = list(dict.fromkeys(name.partition("_")[2] for name in shapes if name.startswith("W")))
    if len(gates) < 2 or any(name.partition("_")[2] not in gates for name in shapes):
        return
    letters = list(dict.fromkeys(name[0] for name in shapes))
    if any(f"{letter}_{gate}" not in shapes for letter in letters for gate in gates):
        return
    whole = {
        letter: (len(gates) * shapes[f"{letter}_{gates[0]}"][0], *shapes[f"{letter}_{gates[0]}"][1:])
        for letter in letters
    }
    views = _single(whole, names, params)
    if views is None:
        return
    height = SIZES["H"]
    for order in itertools.permutations(gates):
        yield {
            f"{letter}_{gate}": View(
                views[letter].own,
                shapes[f"{letter}_{gate}"],
                views[letter].transposed,
                (place * height, (place + 1) * height),
            )
            for letter in letters
            for place, gate in enumerate(order)
        }


def _readout(
    left: list[str], names: Mapping[str, str], params: Mapping[str, Array], views: Mapping[str, View]
) -> dict[str, View] | None:
    if len(left) != 2:
        return None
    found = {}
    for name, aliases in zip(("W_y", "b_y"), READOUTS, strict=True):
        own = names.get(name) or next((own for own in left if _plain(own) in aliases), None)
        if own is None:
            return None
        found[name] = own
    height = int(np.prod(params[found["b_y"]].shape))
    turned = any(view.transposed for view in views.values())
    wanted = (height, SIZES["H"])
    matrix = _view(found["W_y"], params[found["W_y"]].shape, wanted, turned)
    bias = _view(found["b_y"], params[found["b_y"]].shape, (height,), turned=False)
    return None if matrix is None or bias is None else {"W_y": matrix, "b_y": bias}


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _aliases(name: str) -> list[str]:
    letter, _, gate = name.partition("_")
    if name == "b_hn":
        return ["bhn", "bun", "bhh", "bnh"]
    table = {"W": MATRICES, "U": RECURRENT, "b": BIASES}.get(letter)
    if table is None:
        return []
    if not gate:
        return list(table[""])
    return [form.format(one) for one in GATE_NAMES.get(gate, (gate,)) for form in table["g"]]
