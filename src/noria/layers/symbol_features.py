"""What can be told of symbols while they are read, beside the rows that stand for them: early fusion.

No auxiliary input is needed: the features follow from the symbols, so that training, scoring, streaming and
writing have the same ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Bool, Float, Int
from noria.errors import OptionError, ShapeError
from noria.layers.backward import Backward, Gradients
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.state import State
from noria.layers.streaming import Given, Stream
from noria.sequences import Layout, Ragged

COUNTS = "counts"


@dataclass(frozen=True)
class Count:
    """A count of symbols since one that sets it back, and the features of each value of it.

    Attributes
    ----------
    resets : array of bool, (V,)
        The symbols after which it is 0; after any other one it is 1 more than before, at most L.
    table : array of shape (L + 1, F)
        The features of the counts 0 to L.
    """

    resets: Bool[Array, " V"]
    table: Float[Array, "L F"]


class SymbolFeatures(Layer):
    """Writes features of symbols, and of counts of them, beside the rows of the layer inside.

    y_n = [layer(x)_n, table[x_n], features of each count after x_n]

    The counts are its state; no gradient goes through them, nor through the tables.

    Parameters
    ----------
    layer : Layer
        Without memory, from ids to rows: an embedding.
    table : array of shape (V, F)
        The features of each symbol; F may be 0.
    counts : sequence of Count
    """

    kind = "features"

    def __init__(
        self,
        layer: Layer,
        table: Float[Array, "V F"],
        counts: Sequence[Count] = (),
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.layer, self.table, self.counts = layer, table, tuple(counts)
        self.size: int = table.shape[1] + sum(count.table.shape[1] for count in self.counts)
        for count in self.counts:
            if len(count.resets) != len(table):
                raise ShapeError(
                    f"{self.title}: expected counts of {len(table)} symbols, got one of {len(count.resets)}."
                )
        if not self.size:
            raise OptionError(f"{self.title}: expected at least one feature, got none.")

    @property
    def causal(self) -> bool:
        """Whether the layer inside is."""
        return self.layer.causal

    def children(self) -> Iterator[tuple[str, Layer]]:
        """Give the layer inside."""
        yield "layer", self.layer

    def start(self, batch_size: int = 1) -> dict[str, Array]:
        """Give counts of 0, whole numbers (B, C)."""
        return {COUNTS: np.zeros((batch_size, len(self.counts)))}

    def _declare(self, input_size: int) -> int:
        if input_size != len(self.table):
            raise ShapeError(f"{self.title}: expected {len(self.table)} symbols, got {input_size}.")
        return self.layer.configure(input_size) + self.size

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Write features beside the rows of token ids (N,)."""
        self._configured()
        before = x.layout.to_sorted(self.counted(state, x.batch_size))
        inside, back = self.layer(x, given=given, mode=mode)
        counted = self._count(x.rows, before, x.layout)
        y = self.joined(inside.rows, x.rows, counted)
        width = inside.rows.shape[1]
        after = {COUNTS: x.layout.to_caller(counted[x.layout.last_rows]).astype(np.float64)}

        def backward(d_y: Array, d_state: State) -> Gradients:
            back(d_y[:, :width])
            return Gradients(None, {COUNTS: np.zeros((x.batch_size, len(self.counts)))}, back.d_given)

        return x.with_rows(y), Backward(backward if mode.save else None, self.title, state=after)

    def stream(self, batch_size: int = 1) -> "SymbolFeaturesStream":
        """Give the stream of the layer inside, with features beside it."""
        return SymbolFeaturesStream(self, batch_size)

    def _count(self, ids: Int[Array, " N"], before: Int[Array, "B C"], layout: Layout) -> Int[Array, "N C"]:
        """Give the counts after every symbol; sequences are in sorted order."""
        counted = np.empty((len(ids), len(self.counts)), dtype=np.int64)
        for step in range(layout.steps):
            rows = slice(layout.offsets[step], layout.offsets[step + 1])
            before = self.went_on(ids[rows], before[: rows.stop - rows.start])
            counted[rows] = before
        return counted

    def went_on(self, ids: Int[Array, " B"], before: Int[Array, "B C"]) -> Int[Array, "B C"]:
        """Give the counts after one more symbol of each sequence."""
        after = np.empty_like(before)
        for place, count in enumerate(self.counts):
            more = np.minimum(before[:, place] + 1, len(count.table) - 1)
            after[:, place] = np.where(count.resets[ids], 0, more)
        return after

    def joined(self, rows: Array, ids: Int[Array, " N"], counted: Int[Array, "N C"]) -> Array:
        """Give rows (N, F), features of the symbols and of the counts beside each other."""
        features = [count.table[counted[:, place]] for place, count in enumerate(self.counts)]
        return np.concatenate([rows, self.table[ids], *features], axis=1, dtype=rows.dtype)

    def counted(self, state: State, batch_size: int) -> Int[Array, "B C"]:
        """Give the counts of a state, in the caller's order.

        Raises
        ------
        ShapeError
            If it is no state of the layer.
        """
        first = self.start(batch_size) if state is None else state
        expected = batch_size, len(self.counts)
        counts = first.get(COUNTS) if isinstance(first, Mapping) else None
        if counts is None or counts.shape != expected:
            raise ShapeError(
                f"{self.title}: expected a state of '{COUNTS}' of shape {expected}, got another one."
            )
        most = np.array([len(count.table) - 1 for count in self.counts])
        return np.asarray(np.clip(np.rint(counts.real), 0, most), dtype=np.int64)


class SymbolFeaturesStream(Stream):
    """See :class:`noria.layers.streaming.Stream`.

    Parameters
    ----------
    layer : SymbolFeatures
    batch_size : int
    """

    def __init__(self, layer: SymbolFeatures, batch_size: int) -> None:
        super().__init__(layer, batch_size)
        self._features = layer
        self._inner = layer.layer.stream(batch_size)

    def advance(self, x: Array, state: State, given: Given) -> tuple[Array, State]:
        """Take one step."""
        layer = self._features
        before = layer.counted(state, self.batch_size)
        rows, _ = self._inner.advance(x, None, given)
        counted = layer.went_on(x, before)
        return layer.joined(rows, x, counted), {COUNTS: counted.astype(np.float64)}
