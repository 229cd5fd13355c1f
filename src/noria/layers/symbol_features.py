"""What can be told of symbols while they are read, beside the rows that stand for them: early fusion.

No auxiliary input is needed: the features follow from the symbols, so that training, scoring, streaming and
writing have the same ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Bool, Float, Int
from noria.engines.one_hot import add_rows, written_out
from noria.errors import OptionError, ShapeError
from noria.layers.backward import Backward, Gradients
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.onehot import is_ids
from noria.layers.state import State, given_state
from noria.layers.streaming import Given, Stream
from noria.sequences import Layout, LookedUp, Ragged

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
        Without memory, from ids to rows: an embedding, or one-hot.
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
        found = [np.unique(count.table, axis=0, return_inverse=True)[1] for count in self.counts]
        self._kinds = [kinds.ravel() for kinds in found]  # NumPy 2.0 gives a column
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
        y = self._beside(inside, x.rows, counted)
        width = self.output_size - self.size
        after = {COUNTS: x.layout.to_caller(counted[x.layout.last_rows]).astype(np.float64)}

        def backward(d_y: Array, d_state: State) -> Gradients:
            back(d_y[:, :width])
            return Gradients(None, {COUNTS: np.zeros((x.batch_size, len(self.counts)))}, back.d_given)

        return y, Backward(backward if mode.save else None, self.title, state=after)

    def _beside(self, inside: Ragged, ids: Int[Array, " N"], counted: Int[Array, "N C"]) -> Ragged:
        """Write features beside the rows of the layer inside.

        What is looked up stays so: a symbol and its counts come together again and again, and each such pair
        is multiplied once. A table with more rows than are read would only be cleared for its gradient.
        """
        if not isinstance(inside, LookedUp) or len(inside.table) > len(ids):
            rows = inside.rows
            if is_ids(rows):
                rows = written_out(rows, self.input_size, np.dtype(np.float64))
            return inside.with_rows(self.joined(rows, ids, counted))
        first, pairs = self._distinct(ids, counted)
        of_first, receive = inside.ids[first], inside.receive
        table = self.joined(inside.table[of_first], ids[first], counted[first])

        def receive_pairs(d_table: Array) -> None:
            assert receive is not None
            d_inside = np.zeros_like(inside.table)
            add_rows(d_inside, of_first, d_table[:, : d_inside.shape[1]])
            receive(d_inside)

        return LookedUp(table, pairs, inside.layout, None if receive is None else receive_pairs)

    def _distinct(
        self, ids: Int[Array, " N"], counted: Int[Array, "N C"]
    ) -> tuple[Int[Array, " P"], Int[Array, " N"]]:
        """Give the rows where a symbol first comes with its features, and for each row which of these."""
        key = ids.astype(np.int64)
        for place, kinds in enumerate(self._kinds):
            key = key * len(kinds) + kinds[counted[:, place]]
        _, first, pairs = np.unique(key, return_index=True, return_inverse=True)
        return first, pairs

    def stream(self, batch_size: int = 1) -> "SymbolFeaturesStream":
        """Give the stream of the layer inside, with features beside it."""
        return SymbolFeaturesStream(self, batch_size)

    def _count(self, ids: Int[Array, " N"], before: Int[Array, "B C"], layout: Layout) -> Int[Array, "N C"]:
        """Give the counts after every symbol; sequences are in sorted order."""
        step, sequence = layout.step_of_row, layout.sequence_of_row
        counted = np.empty((len(ids), len(self.counts)), dtype=np.int64)
        for place, count in enumerate(self.counts):
            reset = np.repeat(-1 - before[None, :, place], layout.steps, axis=0)  # at which step it was
            reset[step, sequence] = np.where(count.resets[ids], step, reset[step, sequence])
            last = np.maximum.accumulate(reset, axis=0)[step, sequence]
            counted[:, place] = np.minimum(step - last, len(count.table) - 1)
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
        counts = given_state(state, self.start(batch_size), self.title)[COUNTS]
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
        if is_ids(rows):
            rows = written_out(rows, layer.input_size, np.dtype(np.float64))
        counted = layer.went_on(x, before)
        return layer.joined(rows, x, counted), {COUNTS: counted.astype(np.float64)}
