"""A batch taken one step at a time and gone back through, for decoders whose output joins the next input.

``steps = layer.stepwise(layout, ...)``; ``steps.step(x)`` takes the rows of the next step,
``steps.back(d_y)`` goes back through the last step not yet gone back through, and ``steps.finish()`` adds the
gradients of the parameters. Rows are in the order of the layout: longest sequence first, those that have
ended left out.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from noria.arrays import Array
from noria.errors import OptionError
from noria.layers.backward import Backward
from noria.layers.state import State
from noria.sequences import Layout, Ragged

if TYPE_CHECKING:
    from noria.layers.layer import Inputs, Layer, Mode


class Stepwise(ABC):
    """One call of a layer, step by step."""

    @property
    @abstractmethod
    def state(self) -> State:
        """Each sequence's state after its last step, in the caller's order."""

    @property
    @abstractmethod
    def d_state(self) -> State:
        """The gradient of the initial state, after all steps went back."""

    @abstractmethod
    def step(self, x: Array) -> Array:
        """Run one step of the sequences that still go on."""

    @abstractmethod
    def back(self, d_y: Array, d_state: State = None) -> Array:
        """Give the gradient of the rows of a step; that of the final state comes with the first call."""

    @abstractmethod
    def finish(self) -> None:
        """Add the gradients of the parameters."""

    def release(self) -> None:
        """Give up what was saved."""
        return None


class CalledSteps(Stepwise):
    """A layer without memory, called once for every step.

    Parameters
    ----------
    layer : Layer
    layout : Layout
    given : mapping of arrays, or None
        Beside the rows (N, ...), or per sequence (B, ...) in the caller's order.
    mode : Mode
    """

    state = None
    d_state = None

    def __init__(self, layer: "Layer", layout: Layout, given: "Inputs | None", mode: "Mode") -> None:
        if layer.start(1) is not None:
            raise OptionError(f"{layer.title}: cannot be taken one step at a time and gone back through.")
        self._layer, self._layout, self._mode = layer, layout, mode
        self._rows = {n: array for n, array in (given or {}).items() if len(array) == layout.total}
        self._sequences = {
            n: layout.to_sorted(array) for n, array in (given or {}).items() if n not in self._rows
        }
        self._backwards: list[Backward] = []
        self._taken = 0

    def step(self, x: Array) -> Array:
        """Call the layer."""
        count, first = len(x), int(self._layout.offsets[self._taken])
        given = {name: array[first : first + count] for name, array in self._rows.items()}
        given |= {name: array[:count] for name, array in self._sequences.items()}
        y, backward = self._layer(Ragged(x, Layout.dense(count, 1)), given=given or None, mode=self._mode)
        self._taken += 1
        if self._mode.save:
            self._backwards.append(backward)
        return y.rows

    def back(self, d_y: Array, d_state: State = None) -> Array:
        """Call the last backward."""
        d_x = self._backwards.pop()(d_y)
        assert d_x is not None  # rows came in
        return d_x

    def finish(self) -> None:
        """Nothing is left to do: each backward added its part."""


class StackedSteps(Stepwise):
    """Layers in a row.

    Parameters
    ----------
    parts : sequence of Stepwise
    """

    def __init__(self, parts: Sequence[Stepwise]) -> None:
        self._parts = parts

    @property
    def state(self) -> State:
        """Those of the layers."""
        return tuple(part.state for part in self._parts)

    @property
    def d_state(self) -> State:
        """Those of the layers."""
        return tuple(part.d_state for part in self._parts)

    def step(self, x: Array) -> Array:
        """Take the step in each layer."""
        for part in self._parts:
            x = part.step(x)
        return x

    def back(self, d_y: Array, d_state: State = None) -> Array:
        """Go back through the layers."""
        finals = d_state if isinstance(d_state, tuple) else (None,) * len(self._parts)
        for part, d_final in zip(reversed(self._parts), reversed(finals), strict=True):
            d_y = part.back(d_y, d_final)
        return d_y

    def finish(self) -> None:
        """Finish each layer."""
        for part in self._parts:
            part.finish()

    def release(self) -> None:
        """Give up what each layer saved."""
        for part in self._parts:
            part.release()
