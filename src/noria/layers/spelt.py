"""Words by their characters: a reading of each word's spelling joined to the row that stands for the word."""

from collections.abc import Iterator

import numpy as np

from noria.arrays import Array
from noria.engines.one_hot import add_rows
from noria.errors import DataError, ShapeError
from noria.layers.auxiliary import handed_in
from noria.layers.backward import Backward, Gradients
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.state import State
from noria.sequences import Ragged

WORDS, CHARACTERS = "words", "characters"
"""The auxiliary inputs."""


class Spelt(Layer):
    """Writes a reading of its characters beside the row of each word, ``y_n = [x_n, r(word n)]``.

    Each of the different words of a batch is read once, however often it stands there. Auxiliary inputs:
    ``"characters"``, the ids (U, L) of the characters of the U different words, -1 behind the shorter ones;
    ``"words"``, (N,) beside the rows, says which of these each row is.

    Parameters
    ----------
    reader : Layer
        From the ids of characters to one row for each sequence: an embedding, something that reads, a
        pooling. It may read from both ends, since a word is there as a whole.
    symbols : int
        Different characters.

    References
    ----------
    Ling et al. 2015; Ma & Hovy 2016, section 2.1.
    """

    kind = "spelt"

    def __init__(self, reader: Layer, symbols: int, *, name: str | None = None) -> None:
        super().__init__(name)
        self.reader, self.symbols = reader, symbols

    def children(self) -> Iterator[tuple[str, Layer]]:
        """Give the reader."""
        yield "reader", self.reader

    def require_causal(self, purpose: str) -> None:
        """Refuse nothing: a word that is there has all of its characters."""

    def _declare(self, input_size: int) -> int:
        return input_size + self.reader.configure(self.symbols)

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Join rows (N, F) and readings of W numbers to rows (N, F + W)."""
        self._no_memory(state)
        self._check_given(given, (WORDS, CHARACTERS))
        self._check_numbers(x)
        characters = self._characters(given)
        words = handed_in(self.title, given, WORDS, (len(x),), np.int64)
        if words.size and not 0 <= words.min() <= words.max() < characters.batch_size:
            raise DataError(
                f"{self.title}: expected numbers of words in [0, {characters.batch_size}), got "
                f"{words.min()} to {words.max()}."
            )
        readings, back = self.reader(characters, mode=mode)
        width = self.input_size
        y = np.concatenate([x.rows, readings.rows[words]], axis=1)

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_readings = np.zeros(readings.rows.shape, d_y.dtype)
            add_rows(d_readings, words, d_y[:, width:])  # d_r[u] = sum over the rows of word u
            back(d_readings)
            return Gradients(d_y[:, :width])

        return x.with_rows(y), Backward(backward if mode.save else None, self.title)

    def _characters(self, given: Inputs | None) -> Ragged:
        if given is None or CHARACTERS not in given:
            raise DataError(f"{self.title}: expected the auxiliary input '{CHARACTERS}', got none.")
        table = np.asarray(given[CHARACTERS])
        if table.ndim != 2 or table.dtype.kind not in "iu":
            raise ShapeError(
                f"{self.title}: expected '{CHARACTERS}' as whole numbers (U, L), got {table.dtype} of shape "
                f"{table.shape}."
            )
        return Ragged.from_dense(table, (table >= 0).sum(axis=1))
