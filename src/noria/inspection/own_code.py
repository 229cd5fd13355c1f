"""The user's own implementation of a cell: a Python file with forward and backward, called with care.

A file holds two functions, or one class that has them as methods and is made without arguments::

    def forward(x, h0, params):       # -> (h, cache)
    def backward(d_h, cache):         # -> (d_x, d_h0, d_params)

``x`` has shape (T, B, D): T steps of B sequences of D values. ``h0`` is the state before the first step,
shape (B, H); of a cell with several states a tuple, ``(h0, c0)``, and then ``d_h0`` is a tuple too. ``h``
are the outputs of all steps, (T, B, H), or a tuple with one array for each state; ``d_h`` is the gradient of
the loss with respect to ``h``, of the same kind. ``params`` and ``d_params`` are dictionaries of
arrays; ``cache`` is
whatever the forward wants its backward to have. For ``d_x`` and ``d_h0`` None may be given: they are not
looked at then. The file (or the class) may say more:

==============  ===========================================================================================
``CELL``        the textbook's cell: ``"rnn"``, ``"lstm"``, ``"gru"``, any that ships, a file of equations, or
                equations; left out, it is guessed from the names of the parameters
``SHAPES``      ``{"W": "H D", "U": "H H", "b": "H"}``: shapes in T, B, D, H and V (another output size), with
                numbers and sums: ``"4H D"``, ``"H H+D"``; left out, those of the textbook's cell
``parameters``  ``parameters(D, H, rng)``, in the place of ``SHAPES``: gives the dictionary itself
``NAMES``       ``{"W_z": "Wxz"}``: what the textbook's parameters are called here, where it cannot be guessed
``STATES``      how many states there are, where no cell says it
``LAYOUT``      order of the axes of ``x`` and ``h``: ``"TBD"``, ``"BTD"``, ``"TDB"`` (column vectors), or
                ``"TD"`` (one sequence)
==============  ===========================================================================================

Reading the file runs it: it is the user's own code, on the user's own command.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from noria.arrays import Array
from noria.errors import DataError
from noria.inspection.own_file import SECONDS, implementation, loaded, watched

SIZES = {"T": 6, "B": 3, "D": 4, "H": 5, "V": 7}
"""All different, so that no swapped axis goes unseen."""

LAYOUTS = ("TBD", "BTD", "TDB", "TD")

Arrays: TypeAlias = dict[str, Array]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a backward gave, time first: None where it gave none."""

    d_x: Array | None
    d_states: list[Array] | None
    d_params: Arrays


class OwnCode:
    """A forward and a backward that somebody wrote; arrays go in and come out time first, (T, B, F).

    Parameters
    ----------
    path : path
        The file, or ``FILE.py:Class``.

    Raises
    ------
    DataError
        If it cannot be read, or has no forward and backward.
    """

    def __init__(self, path: str | Path) -> None:
        name, _, which = str(path).partition(".py:")
        self.path = Path(f"{name}.py" if which else str(path))
        self._module = loaded(self.path)
        self._code = implementation(self._module, self.path, which)
        self.layout = str(self._said("LAYOUT", "TBD"))
        if self.layout not in LAYOUTS:
            raise DataError(f"{self.path}: LAYOUT must be one of {', '.join(LAYOUTS)}. Got {self.layout!r}.")
        self.cell = self._said("CELL", None)
        self.shapes = self._said("SHAPES", None)
        self.names: Mapping[str, str] = self._said("NAMES", {})
        self.maker: Callable[..., Arrays] | None = self._said("parameters", None)
        self.states: int | None = self._said("STATES", None)
        self.seconds = SECONDS

    @property
    def batch(self) -> int:
        """Sequences side by side."""
        return 1 if self.layout == "TD" else SIZES["B"]

    def draw_parameters(self, rng: np.random.Generator) -> Arrays | None:
        """Draw parameters as the file says; None where it does not."""
        if self.maker is not None:
            with self._watched("parameters"):
                made = self.maker(SIZES["D"], SIZES["H"], rng)
            self._check_dictionary(made, "parameters")
            shapes = {name: np.shape(value) for name, value in made.items()}
        elif self.shapes is not None:
            self._check_dictionary(self.shapes, "SHAPES")
            shapes = {name: self._shape(name, text) for name, text in self.shapes.items()}
        else:
            return None
        return {name: 0.6 * rng.standard_normal(shape) for name, shape in shapes.items()}

    def forward(
        self, x: Array, states: Sequence[Array], params: Mapping[str, Array]
    ) -> tuple[list[Array], Any, bool]:
        """Give the outputs, the cache, and whether the outputs came as a tuple."""
        first = [self._state_out(state) for state in states]
        h0 = first[0] if len(first) == 1 else tuple(first)
        with self._watched("forward"):
            given = self._code.forward(
                self._out(x), h0, {name: value.copy() for name, value in params.items()}
            )
        if not (isinstance(given, tuple | list) and len(given) == 2):
            raise DataError(f"{self.path}, forward: expected it to return (h, cache), got {_kind(given)}.")
        several = isinstance(given[0], tuple | list)
        outputs = [self._in(value, len(x), "forward", "h") for value in (given[0] if several else [given[0]])]
        return outputs, given[1], several

    def backward(
        self, d_outputs: Sequence[Array], several: bool, cache: Any, like: "Like"
    ) -> tuple[Answer, bool]:
        """Give the gradients, and whether the arrays that were handed in have been changed."""
        handed = [self._out(value) for value in d_outputs]
        before = [value.copy() for value in handed]
        with self._watched("backward"):
            given = self._code.backward(tuple(handed) if several else handed[0], cache)
        if not (isinstance(given, tuple | list) and len(given) == 3):
            raise DataError(
                f"{self.path}, backward: expected it to return (d_x, d_h0, d_params), got {_kind(given)}."
            )
        d_x, d_h0, d_params = given
        x = None if d_x is None else self._in(d_x, len(like.x), "backward", "d_x", like.x.shape)
        changed = any(not np.array_equal(a, b) for a, b in zip(handed, before, strict=True))
        return Answer(x, self._d_states(d_h0, like.states), self._d_params(d_params, like.params)), changed

    def _d_states(self, given: Any, states: Sequence[Array]) -> list[Array] | None:
        if given is None:
            return None
        listed = list(given) if isinstance(given, tuple | list) else [given]
        if len(listed) != len(states):
            raise DataError(
                f"{self.path}, backward: expected d_h0 for {len(states)} states, got {len(listed)}."
            )
        return [self._state_in(value, state.shape) for value, state in zip(listed, states, strict=True)]

    def _d_params(self, given: Any, params: Mapping[str, Array]) -> Arrays:
        self._check_dictionary(given, "backward: d_params")
        unknown = [name for name in given if name not in params]
        if unknown:
            raise DataError(
                f"{self.path}, backward: d_params has {unknown[0]!r}, which is no parameter; they are "
                f"{', '.join(params)}."
            )
        found = {}
        for name, value in given.items():
            array = self._array(value, "backward", f"d_params[{name!r}]")
            if array.squeeze().shape != params[name].squeeze().shape:
                raise DataError(
                    f"{self.path}, backward: expected d_params[{name!r}] of shape {params[name].shape}, "
                    f"as the parameter, got {array.shape}."
                )
            found[name] = array.reshape(params[name].shape)
        return found

    def _said(self, name: str, default: Any) -> Any:
        return getattr(self._code, name, getattr(self._module, name, default))

    def _check_dictionary(self, value: Any, what: str) -> None:
        if not isinstance(value, Mapping) or not value:
            raise DataError(f"{self.path}, {what}: expected a dictionary by name, got {_kind(value)}.")

    def _shape(self, name: str, text: Any) -> tuple[int, ...]:
        try:
            return tuple(_size(word) for word in str(text).split())
        except KeyError:
            raise DataError(
                f"{self.path}, SHAPES: expected sizes such as '4H D' or 'H H+D' in {', '.join(SIZES)}, "
                f"got {text!r} for {name!r}."
            ) from None

    # Between time first and the layout of the file.

    def _out(self, value: Array) -> Array:
        match self.layout:
            case "BTD":
                return value.transpose(1, 0, 2).copy()
            case "TDB":
                return value.transpose(0, 2, 1).copy()
            case "TD":
                return value[:, 0].copy()
        return value.copy()

    def _state_out(self, value: Array) -> Array:
        match self.layout:
            case "TDB":
                turned = value.T
            case "TD":
                turned = value[0]
            case _:
                turned = value
        return turned.copy()

    def _in(
        self, value: Any, steps: int, where: str, what: str, shape: tuple[int, ...] | None = None
    ) -> Array:
        array = self._array(value, where, what)
        axes = {"TBD": (0, 1, 2), "BTD": (1, 0, 2), "TDB": (0, 2, 1), "TD": (0, 1)}[self.layout]
        if array.ndim == len(axes):
            turned = array.transpose(axes) if self.layout != "TD" else array[:, None]
            expected = shape or (steps, self.batch, turned.shape[2])
            if turned.shape == expected:
                return np.array(turned)
        sizes = {"T": steps, "B": self.batch, "D": shape[2] if shape else SIZES["H"]}
        wanted = tuple(sizes[letter] for letter in self.layout)
        letters = ", ".join(self.layout.replace("D", "D" if shape else "H"))
        raise DataError(
            f"{self.path}, {where}: expected {what} of shape {wanted} ({letters}), got {array.shape}.\n"
            "  LAYOUT says how axes are ordered: see noria check --help."
        )

    def _state_in(self, value: Any, shape: tuple[int, ...]) -> Array:
        array = self._array(value, "backward", "d_h0")
        turned = array.T if self.layout == "TDB" else array[None] if self.layout == "TD" else array
        if turned.shape != shape:
            wanted = shape[::-1] if self.layout == "TDB" else shape[1:] if self.layout == "TD" else shape
            raise DataError(f"{self.path}, backward: expected d_h0 of shape {wanted}, got {array.shape}.")
        return np.array(turned)

    def _array(self, value: Any, where: str, what: str) -> Array:
        try:
            array = np.array(value, dtype=np.float64)  # a copy: what is handed out may change later
        except (TypeError, ValueError):
            raise DataError(
                f"{self.path}, {where}: expected {what} as an array, got {_kind(value)}."
            ) from None
        return array

    def _watched(self, what: str) -> AbstractContextManager[None]:
        return watched(self.path, what, self.seconds, SIZES["T"])


@dataclass(frozen=True, eq=False)
class Like:
    """What gradients belong to."""

    x: Array
    states: Sequence[Array]
    params: Mapping[str, Array]


def _kind(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"{len(value)} values"
    return (
        f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
    )


def _size(word: str) -> int:
    total = 0
    for term in word.split("+"):
        if term.isdecimal():
            total += int(term)
            continue
        match = re.fullmatch(r"(\d*)\*?([A-Z])", term)
        if match is None:
            raise KeyError(term)
        total += int(match[1] or 1) * SIZES[match[2]]
    return total
