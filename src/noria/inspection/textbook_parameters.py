"""Which of somebody's parameters is which of a textbook's: by its name, its shape, or stacked with others."""

import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from noria.arrays import Array
from noria.equations import Cell, cells
from noria.errors import NoriaError
from noria.inspection.conventions import variants
from noria.inspection.own_code import SIZES, OwnCode
from noria.inspection.tape import Tape
from noria.inspection.textbook import Textbook, View, declared_cell

GUESSED = ("lstm", "gru", "rnn")
"""The cells that are tried where a file names none, the likeliest first."""

GATE_NAMES = {"n": ("n", "h", "c", "g", "hh", "htilde"), "g": ("g", "c", "a", "ctilde")}
MATRICES = {
    "": ("w", "wxh", "wx", "wih", "win", "wax", "wlstm", "wgru"),
    "g": ("w{}", "wx{}", "w{}x", "wi{}"),
}
RECURRENT = {"": ("u", "whh", "wh", "wrec", "waa"), "g": ("u{}", "wh{}", "w{}h", "r{}")}
BIASES = {"": ("b", "bh", "ba"), "g": ("b{}", "b{}h")}
READOUTS = (("why", "wy", "v", "wout", "wya"), ("by", "bv", "bout"))


def candidates(code: OwnCode, params: Mapping[str, Array]) -> list[Textbook]:
    """List the textbook cells whose parameters these may be, the likeliest first."""
    declared = declared_cell(code)
    found: list[Textbook] = []
    for cell in [declared] if declared is not None else [cells.get(name) for name in GUESSED]:
        for variant, text in variants(cell, with_bias=any(name.lower().startswith("b") for name in params)):
            found += _fitted(cell.name, variant, text, code.names, params)
    return found


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
