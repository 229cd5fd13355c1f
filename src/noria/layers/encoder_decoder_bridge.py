"""From the state in which an encoder ended to the one in which a decoder begins."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from noria.engines.dense import add_outer, times
from noria.equations import Initial
from noria.errors import OptionError
from noria.layers.bidirectional import Bidirectional
from noria.layers.layer import Layer
from noria.layers.parameters import Parameter
from noria.layers.recurrent import Recurrent
from noria.layers.state import State, restore_state, state_arrays

Level = list[tuple[str, int, Initial]]
"""Path, size and law of each state of one recurrent layer, of both directions where there are two."""


@dataclass(frozen=True)
class Way:
    """How one state of the decoder begins: with what the encoder's states of these paths hold.

    As it is, where one state of the same size stands behind it; else ``W [s_1, s_2, ...] + b``.
    """

    path: str
    sources: tuple[str, ...]
    W: Parameter | None
    b: Parameter | None


class Bridge:
    """Each recurrent layer of a decoder begins where the encoder's layer beside it ended.

    The layers are paired from the last one downwards; where the decoder has more, its first ones share the
    encoder's first. A state begins with the encoder's state of the same name: a copy where there is one of
    the same size, a linear map of both where two directions were read, and a linear map of all states of the
    layer where none has this name.

    Parameters
    ----------
    encoder, decoder : Layer
        Configured.

    Raises
    ------
    OptionError
        If the encoder has no recurrent layer.

    References
    ----------
    Sutskever, Vinyals & Le 2014; a map for two directions: Bahdanau et al. 2015, appendix A.2.2.
    """

    def __init__(self, encoder: Layer, decoder: Layer) -> None:
        self._encoder, self._decoder = encoder, decoder
        read, written = list(_levels(encoder)), list(_levels(decoder))
        if not read:
            raise OptionError(f"{encoder.title}: there is no recurrent layer inside, and so no last state.")
        self.ways = [
            _way(state, read[max(0, len(read) - len(written) + number)])
            for number, level in enumerate(written)
            for state in level
        ]

    def parameters(self) -> Iterator[Parameter]:
        """Give W and b of each state that is not copied, ``"bridge.1.0.h.W"``."""
        for way in self.ways:
            if way.W is not None and way.b is not None:
                yield from (way.W, way.b)

    def __call__(self, final: State, batch_size: int) -> tuple[State, Callable[[State], State]]:
        """Give the state in which the decoder begins; the backward gives the gradient of the encoder's."""
        ended = state_arrays(final)
        begins, joined = {}, {}
        for way in self.ways:
            rows = np.concatenate([ended[path] for path in way.sources], 1)
            joined[way.path] = rows
            if way.W is not None and way.b is not None:
                rows = times(rows, way.W.value, transposed=True) + way.b.value
            begins[way.path] = rows
        start = self._decoder.start(batch_size)

        def backward(d_start: State) -> State:
            d_begins = state_arrays(d_start)
            d_ended = {path: np.zeros_like(array) for path, array in ended.items()}
            for way in self.ways:
                d_rows = d_begins[way.path]
                if way.W is not None and way.b is not None:
                    add_outer(d_rows, joined[way.path], way.W.gradient)
                    way.b.add(d_rows.sum(axis=0))
                    d_rows = times(d_rows, way.W.value, transposed=False)
                widths = [ended[path].shape[1] for path in way.sources]
                for path, d_part in zip(
                    way.sources, np.split(d_rows, np.cumsum(widths)[:-1], axis=1), strict=True
                ):
                    d_ended[path] += d_part
            return restore_state(final, d_ended)

        return restore_state(start, state_arrays(start) | begins), backward


def _levels(layer: Layer, prefix: str = "") -> Iterator[Level]:
    """Give the states of each recurrent layer, those of both directions together, from the input upwards."""
    if isinstance(layer, Recurrent | Bidirectional):
        yield list(layer.initial_states(prefix))
        return
    for index, (_, child) in enumerate(layer.children()):
        yield from _levels(child, f"{prefix}{index}.")


def _way(state: tuple[str, int, Initial], level: Level) -> Way:
    path, size, law = state
    name = path.rpartition(".")[2]
    beside = [(other, width) for other, width, _ in level if other.rpartition(".")[2] == name]
    beside = beside or [(other, width) for other, width, _ in level]
    sources = tuple(other for other, _ in beside)
    total = sum(width for _, width in beside)
    if len(beside) == 1 and total == size:
        return Way(path, sources, None, None)
    W = Parameter(f"bridge.{path}.W", (size, total), Initial("xavier", ()))
    return Way(path, sources, W, Parameter(f"bridge.{path}.b", (size,), law))
