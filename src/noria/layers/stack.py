"""Layers in a row."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from noria.arrays import Array
from noria.errors import OptionError, ShapeError, UnknownNameError
from noria.layers.backward import Backward, Gradients
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.state import State
from noria.layers.stepwise import StackedSteps
from noria.layers.streaming import Advance, Given, Stream
from noria.sequences import Layout, Ragged


class Stack(Layer):
    """Feeds the output of each layer to the next.

    The state is a tuple of the layers' states. Auxiliary inputs and recorded values are called by the
    layer's key and a dot, ``"0.mask_h"``, and so are parameters, ``"0.W_i"``. The same layer may stand in
    several places: its parameters are then shared.

    Parameters
    ----------
    layers : sequence of Layer
        At least one.
    keys : sequence of str, optional
        What each layer is filed under; by default its number, from 0.
    """

    kind = "stack"

    def __init__(
        self, layers: Sequence[Layer], *, keys: Sequence[str] | None = None, name: str | None = None
    ) -> None:
        super().__init__(name)
        self.layers = tuple(layers)
        self.keys = tuple(str(number) for number in range(len(layers))) if keys is None else tuple(keys)
        if not self.layers:
            raise OptionError(f"The 'layers' option of {self.title} must hold at least one layer. Got none.")
        if len(set(self.keys)) != len(self.layers) or any("." in key for key in self.keys):
            raise OptionError(
                f"The 'keys' option of {self.title} must hold {len(self.layers)} different names without "
                f"dots. Got {self.keys}."
            )

    @property
    def causal(self) -> bool:
        """Whether all layers are."""
        return all(layer.causal for layer in self.layers)

    def children(self) -> Iterator[tuple[str, Layer]]:
        """Give the layers under their keys."""
        yield from zip(self.keys, self.layers, strict=True)

    def start(self, batch_size: int = 1) -> State:
        """Give the initial states of all layers."""
        return tuple(layer.start(batch_size) for layer in self.layers)

    def _declare(self, input_size: int) -> int:
        size = input_size
        for layer in self.layers:
            size = layer.configure(size)
        return size

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Run the layers one after the other."""
        self._configured()
        states = self._parts(state, "state")
        givens = below(self.title, given, self.keys)
        backwards: dict[str, Backward] = {}
        y = x
        for key, layer, part, inputs in zip(self.keys, self.layers, states, givens, strict=True):
            y, backwards[key] = layer(y, state=part, given=inputs, mode=mode)
        final = tuple(backward.state for backward in backwards.values())
        kept = gather_kept(backwards)
        if not mode.save:
            return y, Backward(None, self.title, state=final, kept=kept)

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_rows: Array | None = d_y
            d_finals = self._parts(d_state, "d_state")
            for back, d_final in zip(reversed(backwards.values()), reversed(d_finals), strict=True):
                if d_rows is None:  # token ids travelled from here to the layer behind, and have no gradient
                    back.release()
                else:
                    d_rows = back(d_rows, d_final)
            kept.update(gather_kept(backwards))
            d_given = {
                f"{key}.{name}": array
                for key, back in backwards.items()
                for name, array in back.d_given.items()
            }
            return Gradients(d_rows, tuple(back.d_state for back in backwards.values()), d_given)

        return y, Backward(backward, self.title, state=final, kept=kept)

    def stream(self, batch_size: int = 1) -> "StackStream":
        """Give the streams of all layers, one behind the other."""
        return StackStream(self, batch_size, self._parts)

    def stepwise(self, layout: Layout, state: State, given: Inputs | None, mode: Mode) -> StackedSteps:
        """Take a step in each layer before the next one."""
        ways = zip(self.layers, self._parts(state, "state"), below(self.title, given, self.keys), strict=True)
        return StackedSteps([layer.stepwise(layout, part, inputs, mode) for layer, part, inputs in ways])

    def _parts(self, state: State, what: str) -> tuple[State, ...]:
        if state is None:
            return (None,) * len(self.layers)
        if not isinstance(state, tuple) or len(state) != len(self.layers):
            got = f"{len(state)} parts" if isinstance(state, tuple) else type(state).__name__
            raise ShapeError(
                f"{self.title}: expected {what} as a tuple of {len(self.layers)} parts, got {got}."
            )
        return state


class StackStream(Stream):
    """Streams the layers of a stack, each with a stream of its own.

    Parameters
    ----------
    stack : Stack
    batch_size : int
    parts : callable
        Cuts a state into those of the layers.
    """

    def __init__(
        self, stack: Stack, batch_size: int, parts: Callable[[State, str], tuple[State, ...]]
    ) -> None:
        super().__init__(stack, batch_size)
        self._keys, self._parts = stack.keys, parts
        self._streams = [layer.stream(batch_size) for layer in stack.layers]
        self._nothing: list[Given] = [None] * len(self._streams)

    @property
    def kept(self) -> dict[str, Array]:
        """What the layers record of the last step, named by the layer's key and a dot."""
        return gather_kept(dict(zip(self._keys, self._streams, strict=True)))

    def advance(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Take one step in each layer."""
        return self._through(x, state, given, lambda stream: stream.advance)

    def advance_all(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Take all steps in each layer, before the next one begins."""
        return self._through(x, state, given, lambda stream: stream.advance_all)

    def _through(
        self, x: Array, state: State, given: Given, way: Callable[[Stream], Advance]
    ) -> tuple[Array, State]:
        states = self._parts(state, "state")
        givens = below(self.layer.title, given, self._keys) if given else self._nothing
        ends = []
        for stream, part, inputs in zip(self._streams, states, givens, strict=True):
            x, end = way(stream)(x, part, inputs)
            ends.append(end)
        return x, tuple(ends)


def below(title: str, given: Inputs | None, keys: Sequence[str]) -> list[dict[str, Array]]:
    """Sort auxiliary inputs by the layer that their names begin with, and take that beginning off."""
    parts: dict[str, dict[str, Array]] = {key: {} for key in keys}
    for name, array in (given or {}).items():
        key, _, rest = name.partition(".")
        if key not in parts or not rest:
            known = ", ".join(f"'{key}.'" for key in keys)
            raise UnknownNameError(f"{title}: no auxiliary input '{name}'; names begin with one of {known}.")
        parts[key][rest] = array
    return list(parts.values())


def gather_kept(recorders: Mapping[str, Backward | Stream]) -> dict[str, Array]:
    """Give the recorded values of several layers, named by the layer's key and a dot."""
    return {
        f"{key}.{name}": array for key, recorder in recorders.items() for name, array in recorder.kept.items()
    }
