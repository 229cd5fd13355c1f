"""The forward-backward algorithm over packed rows: a sum over all ways through a chain, and its gradients.

Everything is divided by its sum at each step, so that it neither overflows nor vanishes, however long a
sequence is. One matrix product a step serves the whole batch.
"""

from typing import Any

import numpy as np

from noria.arrays import Array, Inexact
from noria.sequences import Ragged


class Chain:
    """All ways through a batch of chains with scores for the K states, the moves, the first and the last.

    Computed in float64 (or complex, for gradient checks). Moves whose scores differ by less than some 600,
    as learned ones do, lose nothing but rounding.

    Parameters
    ----------
    scores : Ragged
        Rows (N, K).
    moves : array of shape (K, K)
        From row to column.
    first, last : arrays of shape (K,)

    Attributes
    ----------
    log_normaliser : float
        ``sum_b log sum_y exp(score(y))``, over all sequences y of states, for all sequences b.
    """

    def __init__(
        self,
        scores: Ragged,
        moves: Inexact[Array, "K K"],
        first: Inexact[Array, " K"],
        last: Inexact[Array, " K"],
    ) -> None:
        self._layout = layout = scores.layout
        self.dtype: np.dtype[Any] = np.result_type(scores.rows.dtype, moves.dtype, np.float64)
        counts, offsets = layout.counts, layout.offsets
        self._emitted, highest = _powers(scores.rows.astype(self.dtype), axis=1)  # u_t, each row's largest 1
        self._moves, top = _powers(moves.astype(self.dtype))
        begun, top_first = _powers(first.astype(self.dtype))
        ended, top_last = _powers(last.astype(self.dtype))
        # p_t ~ (p_{t-1} E) * u_t, each row summing to 1: the states given all up to step t
        self._filtered = np.empty_like(self._emitted)
        self._sums = np.empty((len(scores), 1), self.dtype)
        reached = np.broadcast_to(begun, (counts[0], len(begun)))
        for step, count in enumerate(counts):
            rows = slice(offsets[step], offsets[step + 1])
            if step:
                reached = self._filtered[offsets[step - 1] : offsets[step - 1] + count] @ self._moves
            here = reached * self._emitted[rows]
            self._sums[rows] = here.sum(axis=1, keepdims=True)
            self._filtered[rows] = here / self._sums[rows]
        ends = self._filtered[layout.last_rows] @ ended
        self._ended = ended / ends[:, None]
        moved = layout.total - layout.batch_size
        constant = highest.sum() + moved * top + layout.batch_size * (top_first + top_last)
        self.log_normaliser = np.log(self._sums).sum() + np.log(ends).sum() + constant

    def expectations(self) -> tuple[Inexact[Array, "N K"], Inexact[Array, "K K"]]:
        """Give the probability of each state at each row, and how often each move is expected, in all.

        These are the gradients of the log-normaliser in the scores and in the moves.
        """
        layout = self._layout
        counts, offsets = layout.counts, layout.offsets
        # b_t = E (u_{t+1} * b_{t+1} / z_{t+1}), so that p_t * b_t sums to 1
        ahead = np.empty_like(self._filtered)
        ahead[layout.last_rows] = self._ended
        arriving = np.empty_like(ahead)
        back = np.ascontiguousarray(self._moves.T)
        for step in reversed(range(layout.steps)):
            rows = slice(offsets[step], offsets[step + 1])
            arriving[rows] = ahead[rows] * self._emitted[rows] / self._sums[rows]
            if step:
                ahead[offsets[step - 1] : offsets[step - 1] + counts[step]] = arriving[rows] @ back
        later = np.arange(layout.batch_size, layout.total)
        earlier = layout.previous[later] - layout.batch_size
        return self._filtered * ahead, self._moves * (self._filtered[earlier].T @ arriving[later])


def _powers(scores: Array, axis: int | None = None) -> tuple[Array, Array]:
    """Give exponentials of what the scores have less than the highest, and the highest."""
    highest = np.asarray(scores.real.max(axis=axis, keepdims=axis is not None))
    return np.exp(scores - highest), highest
