"""Tags that depend on each other: a linear-chain conditional random field over packed rows of scores."""

from collections.abc import Callable, Iterator

import numpy as np

from noria.arrays import Array, Bool, Float, Inexact, Int, Shaped
from noria.equations import Initial
from noria.errors import BackwardError, DataError, ShapeError, TargetError
from noria.layers.backward import Backward
from noria.layers.chain import Chain
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.parameters import Parameter
from noria.layers.state import State
from noria.sequences import Layout, Ragged

Allowed = tuple[Bool[Array, " K"], Bool[Array, "K K"], Bool[Array, " K"]]
"""Which tags may begin a sequence, which may follow which (from row to column), and which may end it."""


class ConditionalRandomField(Layer):
    """Scores whole sequences of tags: ``P(y | x) = exp(score(x, y)) / Z(x)``.

    ``score(x, y) = start[y_1] + sum_t x_t[y_t] + sum_t A[y_t, y_{t+1}] + end[y_T]``, where x_t are the K
    scores of a row, and Z sums over all K^T sequences of tags. Where A, start and end are zero it is a
    softmax for each row.

    As a layer it hands on the scores as they are, so that it can stand behind a linear layer and be saved
    with it. Its three uses are methods: :meth:`loss` to train on, :meth:`best_tags` to decode,
    :meth:`marginals` for the probability of each tag.

    References
    ----------
    Lafferty, McCallum & Pereira 2001. Above a bidirectional LSTM: Huang, Xu & Yu 2015; Lample et al. 2016.
    """

    kind = "crf"

    def own_parameters(self) -> Iterator[Parameter]:
        """Give ``A``, ``start`` and ``end``."""
        if self._sizes is not None:
            yield from (self.A, self.first, self.last)

    def _declare(self, input_size: int) -> int:
        self.A = Parameter("A", (input_size, input_size), Initial("zero", ()))
        self.first = Parameter("start", (input_size,), Initial("zero", ()))
        self.last = Parameter("end", (input_size,), Initial("zero", ()))
        return input_size

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Hand on the scores (N, K)."""
        self._no_memory(state)
        self._check_given(given)
        self._check_numbers(x)
        return x, Backward((lambda d_y, d_state: d_y) if mode.save else None, self.title)

    def loss(
        self, scores: Ragged, tags: Shaped[Array, "..."]
    ) -> tuple[float, Callable[..., Inexact[Array, "N K"]]]:
        """Give the mean negative log-likelihood of packed rows, in nats per token.

        ``L = -1/N sum_b log P(tags_b | scores_b)``

        Parameters
        ----------
        scores : Ragged
            Rows (N, K).
        tags : integer array of shape (N,)
            In [0, K), beside the rows.

        Returns
        -------
        loss : float
            Summed in float64. Not finite where a score is not.
        backward : callable
            ``d_loss -> d_scores``, shape (N, K), in the precision of the scores; ``d_loss`` is 1 by default.
            Adds to the gradients of A, start and end, and can be called once.

        Raises
        ------
        TargetError
            If a tag is outside [0, K): says which row and which id.
        ShapeError
            If there is not one tag per row.

        References
        ----------
        The gradient is what the model expects less what is there, by the forward-backward algorithm:
        Rabiner 1989, section III; Sutton & McCallum 2012, section 5.
        """
        self._check_numbers(scores)
        total, ids = len(scores), self._checked(tags, len(scores))
        starts, before, after, ends = _places(scores.layout)
        chain = self._chain(scores)
        loss = float(chain.log_normaliser - self._score(scores, ids)) / total
        saved = [chain]

        def backward(d_loss: float = 1.0) -> Inexact[Array, "N K"]:
            if not saved:
                raise BackwardError(
                    f"{self.title}: this backward was called before.\n  Call the loss again for another one."
                )
            d_scores, d_A = saved.pop().expectations()
            d_scores[np.arange(total), ids] -= 1.0  # expected less observed, for each of the four sums
            np.subtract.at(d_A, (ids[before], ids[after]), 1.0)
            factor = d_loss / total
            self.A.add(factor * d_A)
            self.first.add(factor * d_scores[starts].sum(axis=0))
            self.last.add(factor * d_scores[ends].sum(axis=0))
            return np.asarray(factor * d_scores).astype(scores.rows.dtype, copy=False)

        return loss, backward

    def marginals(self, scores: Ragged) -> Float[Array, "N K"]:
        """Give the probability of each tag at each row, given all rows of its sequence; float64."""
        self._check_numbers(scores)
        return self._chain(scores).expectations()[0]

    def best_tags(self, scores: Ragged, allowed: Allowed | None = None) -> Int[Array, " N"]:
        """Give the tags of the best-scored sequence, beside the rows.

        Parameters
        ----------
        scores : Ragged
            Rows (N, K).
        allowed : tuple of arrays of bool, optional
            What may begin, follow and end (:data:`Allowed`); nothing else is chosen.

        Raises
        ------
        DataError
            If nothing that is allowed is as long as one of the sequences.

        References
        ----------
        Viterbi 1967.
        """
        self._check_numbers(scores)
        size, counts, offsets = self.input_size, scores.layout.counts, scores.layout.offsets
        moves = [parameter.value.astype(np.float64) for parameter in (self.first, self.A, self.last)]
        if allowed is not None:
            moves = [np.where(allows, move, -np.inf) for move, allows in zip(moves, allowed, strict=True)]
        first, between, last = moves
        came_from = np.zeros((len(scores), size), np.min_scalar_type(size))
        best = first + scores.rows[: counts[0]]  # the score of the best way to each tag
        for step in range(1, len(counts)):
            rows = slice(offsets[step], offsets[step + 1])
            ways = best[: counts[step], :, None] + between
            came_from[rows] = ways.argmax(axis=1)
            best[: counts[step]] = ways.max(axis=1) + scores.rows[rows]
        # Sequences that are over keep what they ended with: no step above touches their rows again.
        best += last
        if np.isneginf(best.max(axis=1)).any():
            raise DataError(f"{self.title}: nothing that is allowed is as long as one of the sequences.")
        tag, tags = best.argmax(axis=1), np.empty(len(scores), np.int64)
        for step in reversed(range(len(counts))):
            count, begin = counts[step], offsets[step]
            tags[begin : begin + count] = tag[:count]
            tag[:count] = came_from[np.arange(begin, begin + count), tag[:count]]
        return tags

    def _score(self, scores: Ragged, ids: Array) -> np.inexact:
        """Give the scores of the tags that are there, of all sequences together."""
        starts, before, after, ends = _places(scores.layout)
        parts = (
            scores.rows[np.arange(len(scores)), ids],
            self.first.value[ids[starts]],
            self.A.value[ids[before], ids[after]],
            self.last.value[ids[ends]],
        )
        total: np.inexact = np.concatenate(parts).sum(dtype=np.result_type(*parts, np.float64))
        return total

    def _chain(self, scores: Ragged) -> Chain:
        return Chain(scores, self.A.value, self.first.value, self.last.value)

    def _checked(self, tags: Array, count: int) -> Array:
        if tags.shape != (count,):
            raise ShapeError(f"{self.title}: expected a tag for each of {count} rows, got {tags.shape}.")
        wrong = (tags < 0) | (tags >= self.input_size)
        if not np.issubdtype(tags.dtype, np.integer) or wrong.any():
            row = int(wrong.argmax())
            raise TargetError(
                f"{self.title}: the tag of row {row} is {tags[row]}, expected a whole number in "
                f"[0, {self.input_size})."
            )
        return tags


def _places(layout: Layout) -> tuple[Array, Array, Array, Array]:
    """Give the rows that begin a sequence, those before a step and behind it, and those that end one."""
    after = np.arange(layout.batch_size, layout.total)
    before = layout.previous[after] - layout.batch_size
    return layout.first_rows, before, after, layout.last_rows
