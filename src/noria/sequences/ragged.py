"""Sequences of different lengths as one array of packed rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, SupportsIndex

import numpy as np

from noria.arrays import Array, Shaped
from noria.errors import DataError, ShapeError
from noria.sequences.layout import Layout

_KINDS = "biufc"  # booleans, integers, floats; complex for gradient checks by complex step


@dataclass(frozen=True, eq=False)
class Ragged:
    """A batch of sequences: one row per real token, time step by time step, longest sequence first.

    Attributes
    ----------
    rows : array of shape (N, ...)
        Features ``(N, F)``, or token ids ``(N,)``.
    layout : Layout
        Who stands where; the same object for all rows that belong to one batch.
    """

    rows: Shaped[Array, "N ..."]
    layout: Layout

    def __post_init__(self) -> None:
        if len(self.rows) != self.layout.total:
            raise ShapeError(f"Ragged: the layout describes {self.layout.total} rows, got {len(self.rows)}.")

    @classmethod
    def from_sequences(cls, sequences: Iterable[Any]) -> "Ragged":
        """Pack separate sequences.

        Parameters
        ----------
        sequences : arrays of shape (T_i, F), or lists (arrays of shape (T_i,)) of token ids
            In the caller's order, which results per sequence will have again.

        Raises
        ------
        DataError
            If there is none, one is empty, or one is not an array of numbers: says which.
        ShapeError
            If one has other features than the first one: says which.
        """
        arrays = [_as_array(sequence, index) for index, sequence in enumerate(sequences)]
        if not arrays:
            raise DataError("Ragged: expected at least one sequence, got none.\n  Leave an empty batch out.")
        for index, array in enumerate(arrays):
            if array.shape[1:] != arrays[0].shape[1:]:
                raise ShapeError(
                    f"Ragged: expected every sequence to have {_features(arrays[0])} as sequence 0 has, "
                    f"got {_features(array)} in sequence {index}."
                )
        layout = Layout.of_lengths([len(array) for array in arrays])
        flat = np.concatenate(arrays)
        return cls(flat[layout.position_in_sequences], layout)

    @classmethod
    def from_dense(
        cls, array: Shaped[Array, "B T ..."], lengths: Iterable[SupportsIndex] | None = None
    ) -> "Ragged":
        """Pack an array (B, T, ...) of equally long sequences, or of padded ones where `lengths` are given.

        Where all lengths are equal and time is the outermost axis in memory (``time_major.swapaxes(0, 1)``
        of a contiguous array (T, B, ...)), the rows are a view and nothing is copied; any other array is
        copied once.
        """
        array = np.asarray(array)
        if array.ndim < 2 or 0 in array.shape[:2]:
            raise ShapeError(
                f"Ragged: expected an array of shape (B, T, ...) with B and T at least 1, got {array.shape}."
            )
        if array.dtype.kind not in _KINDS:
            raise DataError(f"Ragged: expected numbers, got an array of dtype {array.dtype}.")
        batch_size, steps = array.shape[:2]
        if lengths is None:
            rows = array.swapaxes(0, 1).reshape(steps * batch_size, *array.shape[2:])
            return cls(rows, Layout.dense(batch_size, steps))
        layout = Layout.of_lengths(lengths)
        if layout.batch_size != batch_size or layout.steps > steps:
            raise ShapeError(
                f"Ragged: {layout.batch_size} lengths of up to {layout.steps} steps do not fit an array of "
                f"{batch_size} sequences and {steps} steps."
            )
        return cls(array[layout.caller_of_row, layout.step_of_row], layout)

    @property
    def batch_size(self) -> int:
        """Number of sequences, B."""
        return self.layout.batch_size

    def __len__(self) -> int:
        """Give the number of rows, N."""
        return len(self.rows)

    def __repr__(self) -> str:
        layout = self.layout
        lengths = f"{layout.lengths[-1]} to {layout.steps}" if not layout.is_dense else f"{layout.steps}"
        rows = f"rows {self.rows.shape} {self.rows.dtype}"
        return f"Ragged({layout.batch_size} sequences of {lengths} steps, {rows})"

    def to_sequences(self) -> list[Array]:
        """Give the sequences as separate arrays (T_i, ...), in the caller's order."""
        flat = np.empty_like(self.rows)
        flat[self.layout.position_in_sequences] = self.rows
        return np.split(flat, np.cumsum(self.layout.caller_lengths)[:-1])

    def to_dense(self, fill: float = 0) -> Shaped[Array, "B T ..."]:
        """Give an array (B, T, ...) in the caller's order, filled up behind the shorter sequences.

        Where all lengths are equal, it is a view of the rows.
        """
        layout, features = self.layout, self.rows.shape[1:]
        if layout.is_dense and np.array_equal(layout.order, layout.first_rows):
            return self.rows.reshape(layout.steps, layout.batch_size, *features).swapaxes(0, 1)
        dense = np.full((layout.batch_size, layout.steps, *features), fill, dtype=self.rows.dtype)
        dense[layout.caller_of_row, layout.step_of_row] = self.rows
        return dense

    def with_rows(self, rows: Shaped[Array, "N ..."]) -> "Ragged":
        """Give other rows the same layout; their number must agree."""
        return Ragged(rows, self.layout)

    def reversed(self) -> "Ragged":
        """Read every sequence backwards within its own length; twice is the identity."""
        return Ragged(self.rows[self.layout.reversal], self.layout)

    def first(self) -> Shaped[Array, "B ..."]:
        """Give the first row of each sequence, in the caller's order."""
        return np.asarray(self.rows[self.layout.first_rows[self.layout.inverse]])

    def last(self) -> Shaped[Array, "B ..."]:
        """Give the last row of each sequence (at its own length), in the caller's order."""
        return np.asarray(self.rows[self.layout.last_rows[self.layout.inverse]])

    def gather(self, indices: Iterable[SupportsIndex]) -> "Ragged":
        """Give the batch of the caller's sequences ``indices[0], indices[1], ...``, repeats allowed.

        Raises
        ------
        DataError
            If an index is outside [0, B): says which.
        """
        chosen = np.array([int(index) for index in indices], dtype=np.int64)
        here = self.layout
        outside = (chosen < 0) | (chosen >= here.batch_size)
        if outside.any():
            raise DataError(
                f"Ragged: expected sequence indices in [0, {here.batch_size}), got {chosen[outside][0]}."
            )
        sources = here.inverse[chosen]
        layout = Layout.of_lengths(here.lengths[sources])
        rows = here.offsets[layout.step_of_row] + sources[layout.caller_of_row]
        return Ragged(self.rows[rows], layout)

    def aligned_to(self, layout: Layout) -> "Ragged":
        """Give the same sequences in the order of another layout of them.

        Raises
        ------
        ShapeError
            If `layout` describes other lengths.
        """
        if layout is self.layout:
            return self
        if not np.array_equal(layout.caller_lengths, self.layout.caller_lengths):
            raise ShapeError("Ragged: cannot align with a layout of sequences of other lengths.")
        permutation = self.layout.permutation_to(layout)
        return Ragged(
            self.rows[layout.offsets[layout.step_of_row] + permutation[layout.sequence_of_row]], layout
        )


def _features(array: Array) -> str:
    match array.shape[1:]:
        case ():
            return "no features (one number a step)"
        case (width,):
            return f"{width} features"
        case shape:
            return f"features of shape {shape}"


def _as_array(sequence: object, index: int) -> Array:
    try:
        array = np.asarray(sequence)
    except ValueError:  # lists nested to different depths or lengths
        array = np.empty(0, dtype=object)
    if array.dtype.kind in "US":
        raise DataError(
            f"Ragged: sequence {index} holds text and not numbers.\n  Encode it as token ids first."
        )
    if array.dtype.kind not in _KINDS:
        raise DataError(
            f"Ragged: sequence {index} is not an array (T, F) of numbers nor a list of token ids:"
            " its steps differ in size, or hold other things than numbers."
        )
    if array.ndim == 0:
        raise DataError(
            f"Ragged: expected sequences, got the single number {array} as sequence {index}.\n"
            "  Pass a list of sequences."
        )
    if len(array) == 0:
        raise DataError(f"Ragged: sequence {index} has length 0; every sequence needs at least one step.")
    return array
