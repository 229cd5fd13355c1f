"""Recurrent layers one above the other, as most models have them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from noria.equations import Cell
from noria.equations import cells as known_cells
from noria.errors import OptionError
from noria.layers.batch_norm import BatchNorm
from noria.layers.bidirectional import Bidirectional
from noria.layers.dropout import Dropout
from noria.layers.layer import Layer
from noria.layers.linear import Linear
from noria.layers.recurrent import Recurrent, free_sizes
from noria.layers.stack import Stack

CellChoice: TypeAlias = Cell | str | Path


def recurrent_stack(
    cells: CellChoice | Sequence[CellChoice],
    hidden_sizes: int | Sequence[int],
    *,
    dropout: float = 0.0,
    locked: bool = False,
    batch_norm: bool = False,
    drop_connect: float = 0.0,
    projection: int | Sequence[int | None] | None = None,
    bidirectional: bool = False,
    sizes: Mapping[str, int] | None = None,
    engine: str = "auto",
    keep: Sequence[str] = (),
    name: str = "recurrent",
) -> Stack:
    """Build a stack of recurrent layers, each with a cell and a width of its own.

    Parameters
    ----------
    cells : cell, or a sequence of them
        Cells, names of cells that ship, or files of equations, from the input upwards. One alone stands for
        every layer.
    hidden_sizes : int or sequence of int
        Width of each layer (of each direction). One alone stands for every layer.
    dropout : float, default 0
        Probability of dropping a value between layers; not before the first, nor behind the last.
    locked : bool, default False
        Whether that dropout leaves the same features of a sequence out at all steps.
    batch_norm : bool, default False
        Whether values are normalised between layers, before dropout.
    drop_connect : float, default 0
        Probability of dropping a weight that multiplies the state, for all steps of a batch.
    projection : int, None, or a sequence of these
        Width of a linear layer behind each recurrent one, outside the recurrence; None: there is none.
    bidirectional : bool, default False
        Whether each layer reads from both ends; its output is then twice as wide.
    sizes : mapping, optional
        Further sizes for the cells that have them, ``{"c": 512}``.
    engine : {"auto", "native", "reference"}
    keep : sequence of str
        Names to record at each step, in every layer.
    name : str, default "recurrent"

    Returns
    -------
    Stack
        Recurrent layers have the keys ``"0"``, ``"1"``, ..., so that a parameter is called
        ``"recurrent.0.W_i"``; what stands behind layer 0 has ``"projection_0"``, ``"norm_0"`` and
        ``"dropout_0"``.

    Raises
    ------
    OptionError
        If sequences of different lengths are given.
    """
    lists: dict[str, list[Any]] = {
        "cells": _listed(cells),
        "hidden_sizes": _listed(hidden_sizes),
        "projection": _listed(projection),
    }
    count = max(len(values) for values in lists.values())
    for option, values in lists.items():
        if len(values) not in (1, count):
            raise OptionError(
                f"The {option!r} option of recurrent_stack lists {len(values)} layers, another one {count}."
                " Give one for all layers or one for each."
            )
    chosen = [known_cells.get(cell) for cell in lists["cells"]]
    wanted = sizes or {}
    for key in wanted:
        if not any(key in free_sizes(cell) for cell in chosen):
            raise OptionError(
                f"The 'sizes' option of recurrent_stack names {key!r}, whose size is free in "
                "none of the cells."
            )
    layers: dict[str, Layer] = {}
    for level in range(count):
        cell = chosen[level % len(chosen)]
        width, behind = (
            lists[option][level % len(lists[option])] for option in ("hidden_sizes", "projection")
        )
        own_sizes = {key: size for key, size in wanted.items() if key in free_sizes(cell)}
        layer = Recurrent(cell, width, sizes=own_sizes, engine=engine, keep=keep, drop_connect=drop_connect)
        layers[str(level)] = Bidirectional(layer) if bidirectional else layer
        if behind is not None:
            layers[f"projection_{level}"] = Linear(behind)
        if batch_norm and level < count - 1:
            layers[f"norm_{level}"] = BatchNorm()
        if dropout and level < count - 1:
            layers[f"dropout_{level}"] = Dropout(dropout, locked=locked)
    return Stack(list(layers.values()), keys=list(layers), name=name)


def _listed(value: object) -> list[Any]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(value)
    return [value]
