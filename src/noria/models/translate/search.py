"""Writing a target step by step: the likeliest symbol at each step, or a beam of the likeliest beginnings."""

from dataclasses import dataclass, field

import numpy as np

from noria.arrays import Array, Float
from noria.layers import EncoderDecoder, Stream, take_sequences
from noria.sequences import Ragged


@dataclass(frozen=True)
class Found:
    """A target that was found.

    Attributes
    ----------
    ids : list of int
        Its symbols, without the end.
    log_probability : float
        Of these symbols and the end, in nats.
    ended : bool
        Whether it came to an end, and not to the limit.
    """

    ids: list[int]
    log_probability: float
    ended: bool

    def score(self, penalty: float) -> float:
        """Give what targets are compared by."""
        return self.log_probability / float((len(self.ids) + self.ended) ** penalty)


@dataclass
class Beam:
    """What is followed of one sentence: beginnings that go on, and those that have ended."""

    width: int
    penalty: float
    ended: list[Found] = field(default_factory=list)

    def is_done(self) -> bool:
        """Whether as many have ended as were followed."""
        return len(self.ended) >= self.width

    def best(self, going: list[Found]) -> Found:
        """Give the best that has ended, or else of those that go on."""
        return max(self.ended or going, key=lambda found: found.score(self.penalty))


class Writer:
    """Writes targets with a network as it is when the writer is made.

    Parameters
    ----------
    network : EncoderDecoder
        From ids to ids.
    begin, end : int
        The symbol that is read first, and the one that closes a target.
    banned : sequence of int
        Symbols that are never written.
    limit : int
        Symbols in a target at most.
    beam : int, default 1
        Beginnings that are followed for each sentence.
    penalty : float, default 1
        Targets are compared by log-probability over length to this power.

    References
    ----------
    Sutskever, Vinyals & Le 2014, section 3.2; length: Wu et al. 2016, section 7.
    """

    def __init__(
        self,
        network: EncoderDecoder,
        *,
        begin: int,
        end: int,
        banned: tuple[int, ...] = (),
        limit: int,
        beam: int = 1,
        penalty: float = 1.0,
    ) -> None:
        self.network, self.begin, self.end, self.limit = network, begin, end, limit
        self.banned, self.beam, self.penalty = list(banned), beam, penalty
        self._streams: dict[int, Stream] = {}

    def write(self, source: Ragged) -> list[Found]:
        """Write the target of each source, in the caller's order."""
        count, width = source.batch_size, self.beam
        encoded = self.network.encode(source).take(np.repeat(np.arange(count), width))
        stream, state = self._stream(count * width), encoded.state
        beams = [Beam(width, self.penalty) for _ in range(count)]
        first_of = np.arange(count)[:, None] * width
        symbols = np.full(count * width, self.begin)
        totals = np.full((count, width), -np.inf)  # all but one beginning are the same in the first step
        totals[:, 0] = 0.0
        written = np.empty((0, count * width), np.int64)
        for _ in range(self.limit):
            logits, state = stream.step(symbols, state, given=encoded.given or None)
            parents, symbols, totals = self._chosen(logits, totals, written, beams)
            rows = (first_of + parents).ravel()
            written = np.concatenate([written[:, rows], symbols[None]])
            if width > 1:
                state = take_sequences(state, rows)
            if all(beam.is_done() for beam in beams):
                break
        going = [
            [Found(written[:, row].tolist(), float(totals.flat[row]), ended=False) for row in rows]
            for rows in first_of + np.arange(width)
        ]
        return [beam.best(others) for beam, others in zip(beams, going, strict=True)]

    def _chosen(
        self, logits: Array, totals: Float[Array, "S W"], written: Array, beams: list[Beam]
    ) -> tuple[Array, Array, Float[Array, "S W"]]:
        """Choose what goes on, and put aside what ends among the best.

        Of twice as many candidates as beginnings are followed, at least half do not end.
        """
        count, width = totals.shape
        candidates = log_softmax(logits)
        candidates[:, self.banned] = -np.inf
        vocabulary = candidates.shape[1]
        candidates = (candidates.reshape(count, width, -1) + totals[:, :, None]).reshape(count, -1)
        most = min(2 * width, candidates.shape[1])
        top = np.argpartition(-candidates, most - 1, axis=1)[:, :most]
        values = np.take_along_axis(candidates, top, 1)
        order = np.lexsort((top, -values), axis=1)  # equally likely ones in the order of their numbers
        top, values = (np.take_along_axis(array, order, 1) for array in (top, values))
        parents, symbols = np.divmod(top, vocabulary)
        ends = symbols == self.end
        for sentence, place in zip(*np.nonzero(ends[:, :width]), strict=True):
            beam, value = beams[sentence], float(values[sentence, place])
            if not beam.is_done() and value > -np.inf:
                row = sentence * width + parents[sentence, place]
                beam.ended.append(Found(written[:, row].tolist(), value, ended=True))
        going = np.argsort(ends, axis=1, kind="stable")[:, :width]
        parents, symbols, values = (np.take_along_axis(a, going, 1) for a in (parents, symbols, values))
        values[np.take_along_axis(ends, going, 1)] = -np.inf
        return parents, symbols.ravel(), values

    def _stream(self, batch_size: int) -> Stream:
        if batch_size not in self._streams:
            self._streams = {batch_size: self.network.stream(batch_size)}
        return self._streams[batch_size]


def log_softmax(logits: Float[Array, "N V"]) -> Float[Array, "N V"]:
    """Give log-probabilities, in float64."""
    exact = logits.astype(np.float64)
    exact -= exact.max(axis=1, keepdims=True)
    exact -= np.log(np.exp(exact).sum(axis=1, keepdims=True))
    return exact
