"""A recurrent layer, step after step or a few at a time."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from noria.arrays import Array
from noria.engines.seam import Kernel, KernelStream
from noria.engines.threads import thread_count
from noria.errors import ShapeError
from noria.layers.onehot import check_few_ids, check_ids
from noria.layers.state import State
from noria.layers.streaming import Given, Stream, one_step
from noria.sequences import Layout, Ragged

if TYPE_CHECKING:
    from noria.layers.recurrent import Recurrent


AT_ONCE, ROWS_AT_ONCE = 64, 1 << 13
"""Steps, and rows, that one call takes at most; more of them are several calls."""


class RecurrentStream(Stream):
    """See :class:`noria.layers.streaming.Stream`.

    Compiled code is made ready when the first rows or the first ids come, with the weights of the moment in
    which the stream was made.

    Parameters
    ----------
    layer : Recurrent
    batch_size : int
    theta : array of shape (P,)
        The parameters, copied here.
    kernel_of : callable
        Gives the kernel with auxiliary inputs (True), or with their expectations written into it.
    check_rows, sort_state, sort_given : callable
        Refuse what does not fit; the latter two bring states and auxiliary inputs to the kernel's form.
    """

    def __init__(
        self,
        layer: "Recurrent",
        batch_size: int,
        theta: Array,
        kernel_of: Callable[[bool], Kernel],
        check_rows: Callable[[Ragged], None],
        sort_state: Callable[[State, Layout], dict[str, Array]],
        sort_given: Callable[[Given, Layout], dict[str, Array]],
    ) -> None:
        super().__init__(layer, batch_size)
        self._theta = np.array(theta)
        self._kernel_of, self._check_rows = kernel_of, check_rows
        self._sort_state, self._sort_given = sort_state, sort_given
        self._layout = Layout.dense(batch_size, 1)
        self._initial = layer.start(batch_size)
        self._supplied = any(given.law == "supplied" for given in layer.cell.givens)
        self._at_once = max(1, min(AT_ONCE, ROWS_AT_ONCE // batch_size))
        self._streams: dict[tuple[bool, bool, int, int], KernelStream] = {}

    def advance(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Take one step."""
        symbols = x.shape != self.shape
        if symbols:
            if x.ndim != 1:
                self._check_rows(one_step(x))
            check_few_ids(self.layer.title, x, self.shape[1])
        arrays = self._sort_given(given, self._layout) if given or self._supplied else None
        _, new = self._run(x, state, arrays, (symbols, bool(given), 1, 1))
        return new["h"].copy(), new

    def advance_all(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Take many steps in one call."""
        if given or self._supplied or self._at_once == 1:
            return super().advance_all(x, state, given)
        symbols = x.ndim == 2
        if symbols:
            check_ids(self.layer.title, x.ravel(), self.shape[1])
        elif x.shape[2] != self.shape[1]:
            self._check_rows(one_step(x[0]))
        outputs = []
        for begin in range(0, len(x), self._at_once):
            some = x[begin : begin + self._at_once]
            key = symbols, False, self._at_once, thread_count()
            stream, state = self._run(some.reshape(-1, *some.shape[2:]), state, None, key)
            outputs.append(stream.outputs())
        y = outputs[0] if len(outputs) == 1 else np.concatenate(outputs)
        return y.reshape(*x.shape[:2], -1), state

    def _run(
        self, x: Array, state: State, given: dict[str, Array] | None, key: tuple[bool, bool, int, int]
    ) -> tuple[KernelStream, dict[str, Array]]:
        states: dict[str, Array]
        if type(state) is dict and len(state) == len(self._initial):
            states = state
        else:
            states = self._initial if state is None else self._sort_state(state, self._layout)
        stream = self._streams.get(key) or self._open(key)
        try:
            return stream, stream.step(x, states, given)
        except (KeyError, ShapeError):
            self._sort_state(state, self._layout)  # says it in the words of the layer
            raise

    def _open(self, key: tuple[bool, bool, int, int]) -> KernelStream:
        symbols, has_given, steps, _ = key
        kernel = self._kernel_of(has_given)
        stream = kernel.stream(self._theta, self.batch_size, symbols=symbols, steps=steps)
        self._streams[key] = stream
        return stream
