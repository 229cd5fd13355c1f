"""What a layer carries from one call into the next, and what can be done with it from outside.

A recurrent layer's state is a dictionary of arrays (B, size) by the names of its equations, a layer of
layers has a tuple of its layers' states, and a layer without memory has None. Rows are always in the
caller's order of sequences.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, SupportsIndex, TypeAlias

import numpy as np

from noria.arrays import Array
from noria.errors import DataError, ShapeError

if TYPE_CHECKING:
    State: TypeAlias = Mapping[str, Array] | tuple["State", ...] | None
else:
    State = Mapping | tuple | None


def map_state(function: Callable[[Array], Array], state: State) -> State:
    """Apply `function` to each array of `state` and keep its structure."""
    if state is None:
        return None
    if isinstance(state, tuple):
        return tuple(map_state(function, part) for part in state)
    return {name: function(array) for name, array in state.items()}


def take_sequences(state: State, indices: Iterable[SupportsIndex]) -> State:
    """Give the states of the caller's sequences ``indices[0], indices[1], ...``, as a beam gathers them."""
    chosen = np.array([int(index) for index in indices], dtype=np.int64)
    return map_state(lambda array: array[chosen], state)


def first_sequences(state: State, count: int) -> State:
    """Give the states of the first `count` sequences, for a last window in which fewer of them go on."""
    return map_state(lambda array: array[:count], state)


def state_arrays(state: State, prefix: str = "") -> dict[str, Array]:
    """Give the arrays of `state` by path, ``"0.h"``, as a checkpoint stores them."""
    if state is None:
        return {}
    parts = enumerate(state) if isinstance(state, tuple) else state.items()
    named: dict[str, Array] = {}
    for key, part in parts:
        if isinstance(part, np.ndarray):
            named[f"{prefix}{key}"] = part
        else:
            named.update(state_arrays(part, f"{prefix}{key}."))
    return named


def restore_state(like: State, arrays: Mapping[str, Array]) -> State:
    """Build a state of the structure of `like` (``layer.start(B)``) from what :func:`state_arrays` gave.

    Raises
    ------
    DataError
        If an array is missing: says which.
    ShapeError
        If an array has another shape than in `like`.
    """
    if like is None:
        return None
    if isinstance(like, tuple):
        return tuple(restore_state(part, _below(arrays, str(index))) for index, part in enumerate(like))
    for name, expected in like.items():
        if name not in arrays:
            raise DataError(f"state: the array of '{name}' is missing.")
        if arrays[name].shape != expected.shape:
            raise ShapeError(f"state '{name}': expected shape {expected.shape}, got {arrays[name].shape}.")
    return {name: np.array(arrays[name], dtype=expected.dtype) for name, expected in like.items()}


def given_state(state: State, start: Mapping[str, Array], title: str) -> Mapping[str, Array]:
    """Give the state of a layer that has one dictionary of arrays: `start` where none is handed in.

    Raises
    ------
    ShapeError
        If it has not the arrays of `start`, or in other shapes.
    """
    if state is None:
        return start
    if not isinstance(state, dict) or _shapes(state) != _shapes(start):
        shapes = " and ".join(f"'{name}' {shape}" for name, shape in _shapes(start).items())
        raise ShapeError(f"{title}: expected a state of {shapes}, got another one.")
    return state


def _shapes(state: Mapping[str, Array]) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in state.items()}


def _below(arrays: Mapping[str, Array], key: str) -> dict[str, Array]:
    start = f"{key}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
