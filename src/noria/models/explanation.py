"""What was seen of a model while it read one input, as plain arrays with the names of their rows."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np

from noria.arrays import Array, Float
from noria.errors import DataError, UnknownNameError
from noria.training.files import write_atomically
from noria.training.option import did_you_mean

ABOUT, ARRAYS = "explanation.json", "values.npz"
WEIGHTS = "weights"


@dataclass(frozen=True, eq=False)
class RecordedLayer:
    """One recurrent layer over one input.

    Attributes
    ----------
    path : str
        Where the layer stands in the network: ``"recurrent.0"``.
    cell : str
        Name of its cell.
    equations : str
        Text of its cell, with all that options wrote into it.
    states : tuple of str
        Which of the values are states.
    steps : tuple of str
        What was read at each step, T of them.
    values : mapping of arrays
        Every value that the equations name, (T, size) in the order of the steps; states after each step.
    reversed : bool
        Whether the layer read from the last step to the first.
    """

    path: str
    cell: str
    equations: str
    states: tuple[str, ...]
    steps: tuple[str, ...]
    values: Mapping[str, Array]
    reversed: bool = False

    def value(self, name: str) -> Float[Array, "T H"]:
        """Give one value by its name in the equations.

        Raises
        ------
        UnknownNameError
            If there is none: says the nearest.
        """
        if name not in self.values:
            known = ", ".join(self.values)
            raise UnknownNameError(
                f"{self.path}: the equations of {self.cell} have no value {name!r}."
                f"{did_you_mean(name, list(self.values))}\n  They have {known}."
            )
        return self.values[name]

    def neurons(self, name: str, units: Sequence[int]) -> Float[Array, "T n"]:
        """Give some units of a value.

        Raises
        ------
        UnknownNameError
            If the value has fewer.
        """
        values = self.value(name)
        for unit in units:
            if not 0 <= unit < values.shape[1]:
                last = values.shape[1] - 1
                raise UnknownNameError(f"{self.path}: value {name!r} has the units 0 to {last}, got {unit}.")
        return values[:, list(units)]


@dataclass(frozen=True, eq=False)
class RecordedAttention:
    """Where one layer looked.

    Attributes
    ----------
    path : str
    steps : tuple of str
        What looked: T steps, or one that stands for the whole sequence.
    seen : tuple of str
        What was looked at, K of them.
    weights : array of shape (T, K)
        Each row sums to 1, or is 0 where there was nothing to look at.
    """

    path: str
    steps: tuple[str, ...]
    seen: tuple[str, ...]
    weights: Float[Array, "T K"]


@dataclass(frozen=True, eq=False)
class Explanation:
    """All that was recorded.

    Attributes
    ----------
    task : str
    source : str
        What was read, in words.
    steps : tuple of str
        What was read at each step: characters, words, times.
    layers : tuple of RecordedLayer
        From the input upwards.
    attention : tuple of RecordedAttention
    predictions : tuple of dict
        What the model says, position by position: ``"step"`` (what it had read), ``"top"`` (the likeliest
        answers with their probabilities), ``"target"`` (what came, where that is known); of numbers
        ``"value"`` in the place of ``"top"``.
    """

    task: str
    source: str
    steps: tuple[str, ...]
    layers: tuple[RecordedLayer, ...]
    attention: tuple[RecordedAttention, ...]
    predictions: tuple[dict[str, Any], ...]

    def layer(self, path: str | None = None) -> RecordedLayer:
        """Give a layer by its path; the last one without.

        Raises
        ------
        UnknownNameError
            If there is none: says the nearest.
        """
        if not self.layers:
            raise UnknownNameError("the network has no recurrent layer, and so no gates nor states.")
        if path is None:
            return self.layers[-1]
        known = {layer.path: layer for layer in self.layers}
        if path not in known:
            raise UnknownNameError(
                f"there is no recurrent layer {path!r}.{did_you_mean(path, list(known))}\n"
                f"  There are {', '.join(known)}."
            )
        return known[path]

    def arrays(self) -> dict[str, Array]:
        """Give all arrays by layer and name, ``"recurrent.0/i"``; of attention ``".../weights"``."""
        values = {
            f"{layer.path}/{name}": array for layer in self.layers for name, array in layer.values.items()
        }
        return values | {f"{one.path}/{WEIGHTS}": one.weights for one in self.attention}

    def about(self) -> dict[str, Any]:
        """Give all but the arrays, as plain values."""
        return {
            "task": self.task,
            "source": self.source,
            "steps": list(self.steps),
            "layers": [
                {
                    "path": layer.path,
                    "cell": layer.cell,
                    "equations": layer.equations,
                    "states": list(layer.states),
                    "steps": list(layer.steps),
                    "values": {name: list(array.shape) for name, array in layer.values.items()},
                    "reversed": layer.reversed,
                }
                for layer in self.layers
            ],
            "attention": [
                {"path": one.path, "steps": list(one.steps), "seen": list(one.seen)} for one in self.attention
            ],
            "predictions": [dict(one) for one in self.predictions],
        }

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain values, arrays as lists, for JSON."""
        return self.about() | {"arrays": {name: array.tolist() for name, array in self.arrays().items()}}

    def save(self, folder: str | PathLike[str]) -> list[Path]:
        """Write ``explanation.json``, and the arrays as ``values.npz``, each whole or not at all; give them.

        Raises
        ------
        DataError
            If they cannot be written.
        """
        place = Path(folder)
        half = place / f".{ARRAYS}.new"
        try:
            place.mkdir(parents=True, exist_ok=True)
            try:
                with open(half, "wb") as file:  # not in memory first: they may be large
                    np.savez(file, allow_pickle=False, **self.arrays())
                half.replace(place / ARRAYS)
            finally:
                half.unlink(missing_ok=True)
            written = json.dumps(self.about(), ensure_ascii=False, indent=2)
            write_atomically(place / ABOUT, f"{written}\n".encode())
        except OSError as error:
            raise DataError(f"{place}: cannot be written: {error.strerror or error}.") from None
        return [place / ABOUT, place / ARRAYS]

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Self:
        """Read what :meth:`save` wrote.

        Raises
        ------
        DataError
            If it is not there, or is damaged.
        """
        place = Path(folder)
        try:
            about = json.loads((place / ABOUT).read_text(encoding="utf-8"))
            with open(place / ARRAYS, "rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = dict(stored)
            return cls(
                about["task"],
                about["source"],
                tuple(about["steps"]),
                tuple(_layer(entry, arrays) for entry in about["layers"]),
                tuple(_attention(entry, arrays) for entry in about["attention"]),
                tuple(about["predictions"]),
            )
        except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile) as error:
            raise DataError(f"{place}: expected a saved explanation, and cannot read it: {error}.") from None

    def __iter__(self) -> Iterator[RecordedLayer]:
        return iter(self.layers)


def _layer(entry: Mapping[str, Any], arrays: Mapping[str, Array]) -> RecordedLayer:
    values = {name: arrays[f"{entry['path']}/{name}"] for name in entry["values"]}
    states, steps = tuple(entry["states"]), tuple(entry["steps"])
    return RecordedLayer(
        entry["path"], entry["cell"], entry["equations"], states, steps, values, entry["reversed"]
    )


def _attention(entry: Mapping[str, Any], arrays: Mapping[str, Array]) -> RecordedAttention:
    path = entry["path"]
    return RecordedAttention(path, tuple(entry["steps"]), tuple(entry["seen"]), arrays[f"{path}/{WEIGHTS}"])
