"""All parameters of a model as one flat vector, and their gradients as another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from noria.arrays import Array, Inexact
from noria.errors import DataError, OptionError, ShapeError
from noria.layers.initialisers import initialise
from noria.layers.layer import Layer
from noria.layers.parameters import Block, Parameter, Statistic


@dataclass(frozen=True)
class Group:
    """A range ``[start, stop)`` of the flat vectors in which all values are treated alike."""

    start: int
    stop: int
    decay: bool
    frozen: bool


class FlatParameters:
    """All parameters of a model as one vector of values, and their gradients as another of the same layout.

    The optimiser, clipping and norms each touch one array. A parameter that stands in several places is
    counted once, under the first of its paths, and all places add to the same gradient. Statistics are saved
    and restored with the parameters, each once as well, and are in neither vector.

    Attributes
    ----------
    values, gradients : arrays of shape (P,)
    """

    def __init__(
        self,
        values: Inexact[Array, " P"],
        blocks: Sequence[Block],
        named: Mapping[str, Parameter],
        statistics: Mapping[str, Statistic],
    ) -> None:
        self.values = values
        self.gradients = np.zeros_like(values)
        self._named = dict(named)
        self._statistics = dict(statistics)
        self._starts: list[tuple[int, Parameter]] = []
        start = 0
        for block in blocks:
            stop = start + block.size
            block.place(self.values[start:stop], self.gradients[start:stop])
            self._starts += [(start + offset, parameter) for offset, parameter in block.members]
            start = stop

    @classmethod
    def build(
        cls, layers: Sequence[Layer], rng: np.random.Generator, dtype: DTypeLike = np.float32
    ) -> "FlatParameters":
        """Give the configured layers their parameters, draw the initial values and set statistics back.

        The values are drawn in float64 in the order in which parameters are declared, so that they do not
        depend on `dtype`.

        Parameters
        ----------
        layers : sequence of Layer
            Their parameters are filed under the layers' names, which must differ.
        rng : numpy.random.Generator
        dtype : dtype, default float32

        Raises
        ------
        NotFittedError
            If a layer has no sizes yet.
        OptionError
            If two layers have the same name, or `dtype` is another type.
        """
        if np.dtype(dtype) not in (np.float32, np.float64, np.complex128):  # complex: to check gradients
            raise OptionError(f"The 'dtype' of parameters must be float32 or float64. Got {np.dtype(dtype)}.")
        names = [layer.name for layer in layers]
        for name in names:
            if names.count(name) > 1:
                raise OptionError(
                    f"Two layers are named '{name}'.\n  Give each layer a name of its own: name=..."
                )
        named: dict[str, Parameter] = {}
        seen: set[int] = set()
        blocks: dict[int, Block] = {}
        statistics: dict[str, Statistic] = {}
        for layer in layers:
            _ = layer.output_size  # a layer without sizes says so
            for path, parameter in layer.named_parameters(f"{layer.name}."):
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    parameter.path = path
                    named[path] = parameter
            blocks |= {id(block): block for block in layer.blocks()}
            for path, statistic in layer.named_statistics(f"{layer.name}."):
                if id(statistic) not in seen:
                    seen.add(id(statistic))
                    statistics[path] = statistic
        values = np.zeros(sum(block.size for block in blocks.values()), dtype)
        flat = cls(values, list(blocks.values()), named, statistics)
        for parameter in named.values():
            if isinstance(parameter.initial, np.ndarray):
                parameter.value[...] = parameter.initial
            else:
                parameter.value[...] = initialise(parameter.initial, parameter.shape, rng)
        for statistic in statistics.values():
            statistic.reset()
        return flat

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values."""
        return self.values.dtype

    @property
    def count(self) -> int:
        """Number of values, tied ones counted once, frozen ones included."""
        return sum(parameter.size for parameter in self._named.values())

    def named(self) -> Iterator[tuple[str, Parameter]]:
        """Give each path with its parameter, every parameter once."""
        yield from self._named.items()

    def groups(self) -> list[Group]:
        """Give the ranges that are treated alike, neighbours merged; together they cover the whole vector."""
        groups: list[Group] = []
        ends = [*(start for start, _ in self._starts[1:]), self.values.size][: len(self._starts)]
        for (start, parameter), stop in zip(self._starts, ends, strict=True):
            if groups and (groups[-1].decay, groups[-1].frozen) == (parameter.decay, parameter.frozen):
                start = groups.pop().start
            groups.append(Group(start, stop, parameter.decay, parameter.frozen))
        return groups

    def zero_gradients(self) -> None:
        """Set all gradients to zero, as before each step."""
        self.gradients[...] = 0.0

    def state_dict(self) -> dict[str, Array]:
        """Give a copy of every parameter and every statistic by its path."""
        return {path: stored.value.copy() for path, stored in self._stored().items()}

    def load_state_dict(self, arrays: Mapping[str, Array]) -> None:
        """Set every parameter and every statistic from an array by its path.

        Raises
        ------
        DataError
            If a path is missing or not known here: says which. Nothing is changed then.
        ShapeError
            If an array has another shape. Nothing is changed then.
        """
        stored = self._stored()
        missing = [path for path in stored if path not in arrays]
        unknown = [path for path in arrays if path not in stored]
        if missing or unknown:
            parts = [f"missing: {', '.join(missing)}"] * bool(missing) + [
                f"unknown: {', '.join(unknown)}"
            ] * bool(unknown)
            raise DataError(f"parameters do not fit the model; {'; '.join(parts)}.")
        for path, one in stored.items():
            if arrays[path].shape != one.value.shape:
                raise ShapeError(
                    f"parameter '{path}': expected shape {one.value.shape}, got {arrays[path].shape}."
                )
        for path, one in stored.items():
            one.value[...] = arrays[path]

    def _stored(self) -> dict[str, Parameter | Statistic]:
        return {**self._named, **self._statistics}
