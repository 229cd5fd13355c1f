"""What a layer is, and the backward that each of its calls returns.

``y, backward = layer(x)`` runs the layer forward; ``d_x = backward(d_y)`` runs the same call backwards and
adds to the gradients of the layer's parameters. Layers compose by calling their backwards in reverse order.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array
from noria.equations import Initial
from noria.errors import DataError, NotFittedError, OptionError, ShapeError, UnknownNameError
from noria.layers.backward import Backward
from noria.layers.parameters import Block, Parameter, Statistic
from noria.layers.recording import Recorder
from noria.layers.state import State
from noria.layers.stepwise import CalledSteps, Stepwise
from noria.layers.streaming import Stream, WholeStream
from noria.sequences import Layout, Ragged

Inputs = Mapping[str, Array]
"""Auxiliary inputs by name: arrays (B, size) in the caller's order, or (N, size) beside the rows."""


@dataclass(frozen=True)
class Mode:
    """How a layer is called.

    Parameters
    ----------
    training : bool, default False
        Whether regularisers draw; otherwise their expectation stands in their place.
    save : bool, default True
        Whether the call keeps what its backward needs.
    rng : numpy.random.Generator, optional
        Where regularisers draw from; only needed in training.
    recorder : Recorder, optional
        What layers hand over what they compute to.
    """

    training: bool = False
    save: bool = True
    rng: np.random.Generator | None = None
    recorder: Recorder | None = None


TRACKED = Mode()
"""Nothing is drawn, and the backward can be called."""

INFERENCE = Mode(save=False)
"""Nothing is drawn and nothing is saved."""


class Layer(ABC):
    """Something that takes packed rows to packed rows, with or without memory.

    A layer learns its input size when it is configured, its parameters get their values from
    :meth:`FlatParameters.build`, and from then on it can be called any number of times.

    Attributes
    ----------
    kind : str
        What it is: ``"linear"``, or the name of the cell.
    name : str
        What its parameters are filed under; the kind where nothing is said.
    input_size, output_size : int
        Known once it is configured.
    causal : bool
        Whether the output at a step depends on that step and earlier ones only, as generating and streaming
        need it.
    """

    kind: str = "layer"

    def __init__(self, name: str | None = None) -> None:
        self.name = self.kind if name is None else name
        self._sizes: tuple[int, int] | None = None

    @property
    def causal(self) -> bool:
        """Whether no output sees a later step."""
        return True

    @property
    def title(self) -> str:
        """What the layer is called in messages."""
        return self.kind if self.name == self.kind else f"{self.kind} '{self.name}'"

    @property
    def input_size(self) -> int:
        """Width of the input rows (number of symbols, where they are token ids)."""
        return self._configured()[0]

    @property
    def output_size(self) -> int:
        """Width of the output rows."""
        return self._configured()[1]

    def configure(self, input_size: int) -> int:
        """Fix the input size and declare the parameters.

        Returns
        -------
        int
            The output size.

        Raises
        ------
        ShapeError
            If another size was fixed before.
        """
        if self._sizes is None:
            if input_size < 1:
                raise ShapeError(f"{self.title}: expected an input size of at least 1, got {input_size}.")
            self._sizes = (input_size, self._declare(input_size))
        elif self._sizes[0] != input_size:
            raise ShapeError(
                f"{self.title}: expected rows of {self._sizes[0]} features, got {input_size}.\n"
                f"  {self._sizes[0]} was fixed when the layer was built; {input_size} needs another layer."
            )
        return self._sizes[1]

    def own_parameters(self) -> Iterator[Parameter]:
        """Give the parameters that the layer itself declares, in order."""
        yield from ()

    def children(self) -> Iterator[tuple[str, "Layer"]]:
        """Give the layers inside, each under its key."""
        yield from ()

    def own_blocks(self) -> Iterator[Block]:
        """Give the pieces of the flat vector that the layer itself needs; it may be an empty one."""
        yield from {id(parameter.block): parameter.block for parameter in self.own_parameters()}.values()

    def blocks(self) -> Iterator[Block]:
        """Give the pieces of the flat vector of this layer and those inside; a shared one may come twice."""
        yield from self.own_blocks()
        for _, child in self.children():
            yield from child.blocks()

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Give each path with its parameter; a parameter that stands in two places comes under both paths."""
        for parameter in self.own_parameters():
            yield f"{prefix}{parameter.name}", parameter
        for key, child in self.children():
            yield from child.named_parameters(f"{prefix}{key}.")

    def own_statistics(self) -> Iterator[Statistic]:
        """Give the running figures that the layer itself keeps, in order."""
        yield from ()

    def named_statistics(self, prefix: str = "") -> Iterator[tuple[str, Statistic]]:
        """Give each path with its running figure; one that stands in two places comes under both paths."""
        for statistic in self.own_statistics():
            yield f"{prefix}{statistic.name}", statistic
        for key, child in self.children():
            yield from child.named_statistics(f"{prefix}{key}.")

    def parameters(self) -> Iterator[Parameter]:
        """Give the parameters, each once even where it stands in several places."""
        self._configured()
        yield from {id(parameter): parameter for _, parameter in self.named_parameters()}.values()

    def require_causal(self, purpose: str) -> None:
        """Refuse what cannot be done with a layer that reads ahead.

        Parameters
        ----------
        purpose : str
            What is to be done, for the message: ``"generate text"``.

        Raises
        ------
        OptionError
            If this layer, or one inside it, is not causal.
        """
        for _, child in self.children():
            child.require_causal(purpose)
        if not self.causal:
            raise OptionError(
                f"{self.title}: reads each sequence from both ends, and what is to come is not known where "
                f"one wants to {purpose}.\n  Use one-way layers for that."
            )

    def start(self, batch_size: int = 1) -> State:
        """Give the state before the first step of `batch_size` sequences; None for a layer without memory."""
        return None

    def initial_states(self, prefix: str = "") -> Iterator[tuple[str, int, Initial]]:
        """Give path, size and law of each state in which a recurrent layer begins, here and inside.

        The paths are those of :func:`~noria.layers.state.state_arrays`. A layer whose state is not the tuple
        of the states of its children gives its own.
        """
        for index, (_, child) in enumerate(self.children()):
            yield from child.initial_states(f"{prefix}{index}.")

    def stream(self, batch_size: int = 1) -> Stream:
        """Give a copy of the layer that takes one step at a time, for `batch_size` sequences.

        Its weights are those of this moment, packed once; nothing is drawn. See
        :class:`~noria.layers.streaming.Stream`. A layer of a kind that has no stream of its own is copied as
        it is and called whole.

        Raises
        ------
        OptionError
            If this layer, or one inside it, reads ahead.
        """
        return WholeStream(self, batch_size, INFERENCE)

    def stepwise(self, layout: Layout, state: State, given: Inputs | None, mode: Mode) -> Stepwise:
        """Begin a call that is run, and gone back through, one step at a time.

        See :mod:`noria.layers.stepwise`; a layer without memory is called for every step.

        Raises
        ------
        OptionError
            If the layer can only be called for all steps at once.
        """
        self._no_memory(state)
        return CalledSteps(self, layout, given, mode)

    @abstractmethod
    def _declare(self, input_size: int) -> int:
        """Declare the parameters for rows of `input_size` features; give the output size."""

    @abstractmethod
    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Run forward.

        Parameters
        ----------
        x : Ragged
            Rows (N, F), or token ids (N,) where the layer takes them.
        state : State, optional
            The state before the first step, in the caller's order of sequences; None is the initial one.
        given : mapping of arrays, optional
            Auxiliary inputs by name. They take the place of what would be drawn.
        mode : Mode
            Training or not, what to save, where to draw from.

        Returns
        -------
        y : Ragged
            Output rows, with the layout of `x`.
        backward : Backward
            Also carries the final state.
        """

    def _configured(self) -> tuple[int, int]:
        if self._sizes is None:
            raise NotFittedError(
                f"{self.title}: has no sizes yet.\n"
                "  Call configure(input_size), then FlatParameters.build([layer], rng)."
            )
        return self._sizes

    def _check_width(self, x: Ragged) -> None:
        """Refuse rows that are not (N, input_size)."""
        expected = self._configured()[0]
        if x.rows.ndim != 2:
            raise ShapeError(
                f"{self.title}: expected rows of {expected} features, got an array of shape {x.rows.shape}."
            )
        if x.rows.shape[1] != expected:
            raise ShapeError(
                f"{self.title}: expected rows of {expected} features, got {x.rows.shape[1]}.\n"
                f"  {expected} was fixed when the layer was built. "
                f"Pass input_size={x.rows.shape[1]}, or leave it out to read it from the first batch."
            )

    def _check_numbers(self, x: Ragged) -> None:
        """Refuse rows that are not (N, input_size) real numbers, as token ids are not."""
        if x.rows.dtype.kind not in "fc":
            raise DataError(
                f"{self.title}: expected rows of real numbers, got {x.rows.dtype}.\n"
                "  Put it behind an embedding."
            )
        self._check_width(x)

    def _no_memory(self, state: State) -> None:
        """Refuse a state where the layer has none."""
        if state is not None:
            raise ShapeError(f"{self.title}: has no state, got one.\n  Leave state out.")

    def _check_given(self, given: Inputs | None, known: Collection[str] = ()) -> None:
        """Refuse auxiliary inputs that the layer does not have."""
        for name in given or ():
            if name not in known:
                has = ", ".join(f"'{other}'" for other in known) or "none"
                raise UnknownNameError(f"{self.title}: has no auxiliary input '{name}'; it has {has}.")
