"""Writing: a network's own choices go back in as its next input."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

from noria.arrays import Array
from noria.layers import Layer, State, Stream
from noria.models.text.sampling import Sampler

KEPT_STREAMS = 4
"""Streams, each for another number of sequences, that a network keeps."""

Recorder = Callable[[Stream], None]
"""What is shown a stream after each of its steps, to look at what its layers record."""


class StreamedNetwork:
    """A network that is asked symbol by symbol, for any number of sequences and from any thread.

    There is a stream for each number of sequences, with the weights of the moment when that number came.
    """

    def __init__(self, network: Layer) -> None:
        self.network = network
        self._streams: dict[int, Stream] = {}
        self._lock = threading.Lock()

    def step(self, ids: Array, state: State) -> tuple[Array, State]:
        """Read one symbol in each of B sequences; give the logits (B, V) of the next ones, and the state."""
        with self._lock:
            return self._stream(len(ids)).step(ids, state)

    def read(self, ids: Array, state: State) -> tuple[Array, State]:
        """Read the symbols of one sequence, at least one; give the logits (V,) of the next, and the state."""
        with self._lock:
            return read(self._stream(1), ids, state)

    def _stream(self, batch_size: int) -> Stream:
        stream = self._streams.get(batch_size)
        if stream is None:
            if len(self._streams) == KEPT_STREAMS:
                del self._streams[next(iter(self._streams))]
            stream = self._streams[batch_size] = self.network.stream(batch_size)
        return stream


def read(stream: Stream, ids: Array, state: State, record: Recorder | None = None) -> tuple[Array, State]:
    """Read the symbols of one sequence, at least one; give the logits (V,) of the next one, and the state."""
    for position in range(len(ids)):
        logits, state = stream.step(ids[position : position + 1], state)
        if record is not None:
            record(stream)
    return np.asarray(logits[0]), state


def generate(
    network: Layer,
    sampler: Sampler,
    rng: np.random.Generator,
    *,
    prompt: Sequence[int] | Array,
    length: int,
    banned: Collection[int] = (),
    end: int | None = None,
    state: State = None,
    record: Recorder | None = None,
) -> Iterator[int]:
    """Draw up to `length` ids that go on from `prompt`, one at a time; `end`, once drawn, closes.

    Parameters
    ----------
    prompt : ids
        At least one: the symbol that stands before everything, then what was asked for.
    state : State, optional
        The state to begin with; None is the initial one.
    record : callable, optional
        Called after every step: as often as symbols are predicted, those of the prompt included.
    """
    stream = network.stream()
    logits, state = read(stream, np.asarray(prompt), stream.start() if state is None else state, record)
    for position in range(length):
        drawn = sampler.draw(logits, rng, banned)
        if drawn == end:
            return
        yield drawn
        if position < length - 1:
            rows, state = stream.step(drawn, state)
            logits = rows[0]
            if record is not None:
                record(stream)
