"""Step after step at low latency: a layer with the weights of one moment, packed once.

``stream = layer.stream(batch_size)`` is a copy that only runs forward. Its weights are those that the layer
has when it is made: training on changes nothing in it. ``y, state = stream.step(x, state)`` takes one step of
every sequence, ``stream.steps`` several that are there already. A stream belongs to one thread at a time; any
number of streams of one layer may run at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, SupportsIndex, TypeAlias

import numpy as np

from noria.arrays import Array
from noria.errors import ShapeError
from noria.layers.state import State
from noria.sequences import Ragged

if TYPE_CHECKING:
    from noria.layers.layer import Layer, Mode

Given: TypeAlias = Mapping[str, Array] | None
Step: TypeAlias = Array | Sequence[SupportsIndex] | SupportsIndex
"""Input of a step: rows (B, F), or token ids: B of them, or a single one."""
Advance: TypeAlias = Callable[[Array, State, Given], tuple[Array, State]]


class Stream(ABC):
    """A layer that takes one step at a time.

    Parameters
    ----------
    layer : Layer
        Configured, with values, and causal.
    batch_size : int
        Sequences that go on side by side, B.

    Raises
    ------
    OptionError
        If the layer reads ahead.
    ShapeError
        If there is no sequence.
    """

    def __init__(self, layer: "Layer", batch_size: int) -> None:
        layer.require_causal("stream")
        if batch_size < 1:
            raise ShapeError(f"{layer.title}: expected a stream of at least 1 sequence, got {batch_size}.")
        self.layer, self.batch_size = layer, batch_size
        self.shape = (batch_size, layer.input_size)

    def start(self) -> State:
        """Give the state before the first step; None for a layer without memory."""
        return self.layer.start(self.batch_size)

    @property
    def kept(self) -> dict[str, Array]:
        """What layers record of the last step, by the names of :attr:`Backward.kept`; (B, ...) each."""
        return {}

    def step(self, x: Step, state: State = None, *, given: Given = None) -> tuple[Array, State]:
        """Take one step of every sequence.

        Parameters
        ----------
        x : array of shape (B, F), or token ids of shape (B,)
            Where there is one sequence, also (F,) or one id.
        state : State, optional
            What :meth:`start` or any earlier step gave, in the caller's order of sequences. It stays as it
            is: it may be kept, used again, or its rows be gathered for a beam. None is the initial one.
        given : mapping of arrays, optional
            Auxiliary inputs by name, (B, size). Those with a law stand at their expectation where they are
            left out; the others must be given.

        Returns
        -------
        y : array of shape (B, F')
        state : State
            After the step.

        Raises
        ------
        ShapeError, DataError, UnknownNameError
            As the layer raises them, if what comes in does not fit.
        """
        if type(x) is np.ndarray and x.shape == self.shape:
            return self.advance(x, state, given)
        return self.advance(self._rows(x), state, given)

    def steps(
        self, x: Array | Sequence[Sequence[int]], state: State = None, *, given: Given = None
    ) -> tuple[Array, State]:
        """Take several steps of every sequence at once: a prompt that is there, a chunk of a signal.

        Parameters
        ----------
        x : array of shape (T, B, F), or token ids of shape (T, B)
            Where there is one sequence, also (T, F) or (T,).
        state : State, optional
            As for :meth:`step`.
        given : mapping of arrays, optional
            Auxiliary inputs by name: (B, size) for all steps, or (T, B, size).

        Returns
        -------
        y : array of shape (T, B, F')
        state : State
            After the last step.

        Raises
        ------
        ShapeError, DataError, UnknownNameError
            As for :meth:`step`.
        """
        rows = np.asarray(x)
        if self.batch_size == 1 and rows.ndim == (1 if rows.dtype.kind in "iu" else 2):
            rows = rows[:, None]
        is_ids = rows.ndim == 2 and rows.dtype.kind in "iu"
        if rows.ndim != 3 - is_ids or not len(rows) or rows.shape[1] != self.batch_size:
            raise ShapeError(
                f"{self.layer.title}: expected one step or more of {self.batch_size} sequences, (T, "
                f"{self.batch_size}, {self.shape[1]}) features or (T, {self.batch_size}) token ids, got an "
                f"array of shape {rows.shape}."
            )
        for name, array in (given or {}).items():
            if np.ndim(array) == 3 and len(array) != len(rows):
                raise ShapeError(
                    f"{self.layer.title}: expected the auxiliary input '{name}' for {len(rows)} steps, got "
                    f"{len(array)}."
                )
        return self.advance_all(rows, state, given)

    @abstractmethod
    def advance(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Take one step with B rows, or B ids."""

    def advance_all(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Take the steps (T, B, F), or ids (T, B), one after the other."""
        outputs = []
        for t, rows in enumerate(x):
            now = {name: array[t] if np.ndim(array) == 3 else array for name, array in (given or {}).items()}
            y, state = self.advance(rows, state, now or given)
            outputs.append(y)
        return np.stack(outputs), state

    def _rows(self, x: Step) -> Array:
        """Bring the input of a step to two dimensions, or that of ids to one."""
        rows = np.asarray(x)
        if rows.dtype.kind in "iu":
            rows = np.atleast_1d(rows)
        elif rows.shape == self.shape[1:] and self.batch_size == 1:
            rows = rows[None]
        if not 1 <= rows.ndim <= 2 or len(rows) != self.batch_size:
            count = f"{self.batch_size} sequence{'s' * (self.batch_size > 1)}"
            raise ShapeError(
                f"{self.layer.title}: expected a step of {count}: {self.batch_size} rows of {self.shape[1]} "
                f"features or as many token ids, got an array of shape {rows.shape}.\n"
                "  The number of sequences was fixed when the stream was made: layer.stream(batch_size)."
            )
        return rows


class RowStream(Stream):
    """Streams a layer without memory: a function of the rows of one step and of auxiliary inputs."""

    def __init__(self, layer: "Layer", batch_size: int, function: Callable[[Array, Given], Array]) -> None:
        super().__init__(layer, batch_size)
        self._function = function

    def advance(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Apply the function."""
        if state is not None:
            raise ShapeError(f"{self.layer.title}: has no state, got one.\n  Leave state out.")
        return self._function(x, given), None


class WholeStream(Stream):
    """Streams any causal layer by calling a copy of it for every step: right, and not fast."""

    def __init__(self, layer: "Layer", batch_size: int, mode: "Mode") -> None:
        super().__init__(layer, batch_size)
        self._mode = mode
        self._copy = copy_of(layer)

    def advance(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Call the copy."""
        y, end = self._copy(one_step(x), state=state, given=given, mode=self._mode)
        return np.array(y.rows), end.state


def copy_of(layer: "Layer") -> "Layer":
    """Give a copy of a layer that has its values to itself."""
    copy = deepcopy(layer)
    for block in {id(block): block for block in copy.blocks()}.values():
        block.place(block.values, block.gradients)
    return copy


def one_step(x: Array) -> Ragged:
    """Give the rows or ids of one step as a batch."""
    return Ragged.from_dense(x[:, None])
