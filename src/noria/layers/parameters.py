"""Learned arrays: declared by layers, and views of a piece of the flat vectors once these are built.

Beside them stand statistics, which are saved with them and are not trained.
"""

import math
from collections.abc import Sequence

import numpy as np

from noria.arrays import Array
from noria.equations import Initial
from noria.errors import NotFittedError


class Parameter:
    """A learned array. It is declared by a layer, and gets its values when the flat vectors are built.

    Parameters
    ----------
    name : str
        Its name within the layer that declares it, ``"W_i"``.
    shape : tuple of int
    initial : Initial or array
        The law of its initial values, or the values themselves.
    decay : bool, optional
        Whether weight decay applies; by default to matrices, and not to biases, gains and other vectors.
    frozen : bool, default False
        Whether training leaves it as it is; its gradient then stays zero.

    Attributes
    ----------
    path : str
        Where it was first met when the flat vectors were built, ``"recurrent.0.W_i"``.
    """

    def __init__(
        self,
        name: str,
        shape: tuple[int, ...],
        initial: Initial | Array,
        *,
        decay: bool | None = None,
        frozen: bool = False,
    ) -> None:
        self.name = self.path = name
        self.shape = shape
        self.size = math.prod(shape)
        self.initial = initial
        self.decay = len(shape) > 1 if decay is None else decay
        self.frozen = frozen
        self.block = Block(self.size, [(0, self)])

    @property
    def value(self) -> Array:
        """Its values, a view of the flat vector of values."""
        return self.block.value_of(self)

    @property
    def gradient(self) -> Array:
        """Its gradient, a view of the flat vector of gradients; backwards add to it, unless it is frozen."""
        return self.block.gradient_of(self)

    def add(self, gradient: Array) -> None:
        """Add to its gradient; one that is frozen stays at zero."""
        if not self.frozen:
            self.gradient[...] += gradient

    def __repr__(self) -> str:
        return f"Parameter({self.path!r}, {self.shape})"


class Statistic:
    """A running figure of what passed through a layer: saved with the weights, and not trained.

    Parameters
    ----------
    name : str
        Its name within the layer that declares it, ``"mean"``.
    initial : array
        What it starts with; float64.

    Attributes
    ----------
    value : array
        Changed in place by the layer, in training only.
    """

    def __init__(self, name: str, initial: Array) -> None:
        self.name = name
        self.initial = np.array(initial, dtype=np.float64)
        self.value = self.initial.copy()

    def reset(self) -> None:
        """Go back to what it started with."""
        self.value[...] = self.initial

    def __repr__(self) -> str:
        return f"Statistic({self.name!r}, {self.value.shape})"


class Block:
    """Parameters in one piece of the flat vector, at fixed offsets: those of a compiled cell, or one alone.

    Attributes
    ----------
    values, gradients : arrays of shape (size,)
        Pieces of the flat vectors, once these are built.
    """

    def __init__(self, size: int, members: Sequence[tuple[int, Parameter]]) -> None:
        self.size = size
        self.members = sorted(members, key=lambda member: member[0])
        self._flat: tuple[Array, Array] | None = None
        self._views: dict[int, tuple[Array, Array]] = {}
        for _, parameter in members:
            parameter.block = self

    @property
    def values(self) -> Array:
        """The piece of the flat vector of values."""
        return self._placed()[0]

    @property
    def gradients(self) -> Array:
        """The piece of the flat vector of gradients."""
        return self._placed()[1]

    def place(self, values: Array, gradients: Array) -> None:
        """Let the members be views of these pieces."""
        self._flat = (values, gradients)
        # a copy of a block has members of its own: views of those before go
        self._views = {
            id(parameter): (self.piece_of(parameter, values), self.piece_of(parameter, gradients))
            for _, parameter in self.members
        }

    def value_of(self, parameter: Parameter) -> Array:
        """Give the values of one member."""
        self._placed()
        return self._views[id(parameter)][0]

    def gradient_of(self, parameter: Parameter) -> Array:
        """Give the gradient of one member."""
        self._placed()
        return self._views[id(parameter)][1]

    def piece_of(self, parameter: Parameter, flat: Array) -> Array:
        """Give the view of one member in any array of shape (size,) that is laid out as the block."""
        offset = next(offset for offset, member in self.members if member is parameter)
        return flat[offset : offset + parameter.size].reshape(parameter.shape)

    def clear_frozen(self) -> None:
        """Set the gradients of frozen members back to zero."""
        for _, parameter in self.members:
            if parameter.frozen:
                parameter.gradient[...] = 0.0

    def _placed(self) -> tuple[Array, Array]:
        if self._flat is None:
            name = self.members[0][1].path if self.members else "a block"
            raise NotFittedError(
                f"parameter '{name}': has no values yet.\n  Call FlatParameters.build([layer], rng) first."
            )
        return self._flat
