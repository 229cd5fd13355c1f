"""The baseline that a language model has to beat: an interpolated Kneser-Ney n-gram.

Grams are numbered, never stored: the number of a gram of k symbols is made from the number of its first k - 1
and its last symbol, and found again by binary search in a sorted table. That is exact for any vocabulary and
any order, and every step of it is a NumPy call over the whole text, or over pieces of it where something is
sorted: beside the text itself stand four numbers for each place of it and the tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Float, Int
from noria.errors import DataError, OptionError

TOGETHER = 1 << 20
"""Places of a text whose grams are sorted together."""


@dataclass(frozen=True)
class _Order:
    """The grams of one length: their sorted codes, how often they count, what is known of their contexts."""

    codes: Int[Array, " G"]  # context's number * base + last symbol
    counts: Int[Array, " G"]  # occurrences; for all but the longest grams, different symbols seen before them
    totals: Int[Array, " C"]  # sum of counts over the last symbols, for each context
    kinds: Int[Array, " C"]  # different last symbols that count, for each context
    discount: float


@dataclass(frozen=True)
class KneserNey:
    """Interpolated Kneser-Ney smoothing with one discount for each order.

    P_k(w | u) = (max(c(u w) - D_k, 0) + D_k N(u .) P_{k-1}(w | u')) / c(u .), where c counts occurrences for
    the longest grams and different predecessors for the others, N(u .) is the number of different symbols
    after u, u' is u without its first symbol, D_k = n_1 / (n_1 + 2 n_2), and P_0 is uniform over the
    vocabulary, so that a symbol never seen has a probability too.

    Build it with :meth:`fit`.

    Attributes
    ----------
    order : int
        Length of the longest grams.
    vocabulary_size : int
        Ids lie in ``[0, vocabulary_size)``.
    separate : bool
        Whether it was fitted on separate sequences; their beginning is then known to the model.

    References
    ----------
    Kneser & Ney 1995; the interpolated form and the estimate of the discount: Chen & Goodman 1999, section 3.
    """

    order: int
    vocabulary_size: int
    separate: bool
    _orders: tuple[_Order, ...]

    @classmethod
    def fit(
        cls,
        ids: Int[Array, " N"] | Sequence[Int[Array, " _"]],
        *,
        vocabulary_size: int,
        order: int = 5,
    ) -> "KneserNey":
        """Count the grams of one text (an array of ids) or of separate sequences (a list of such arrays)."""
        if order < 1:
            raise OptionError(f"The 'order' of KneserNey must be an int of at least 1. Got {order!r}.")
        separate = not isinstance(ids, np.ndarray)
        tokens, age = _laid_out(ids, vocabulary_size)
        if len(tokens) == 0:
            raise DataError("Kneser-Ney: expected at least one symbol to count, got none.")
        base = vocabulary_size + 1
        starts = (age == 0) if separate else np.zeros(len(tokens), dtype=bool)
        orders: list[_Order] = []
        codes, contexts, number = np.arange(base), 1, tokens  # of the grams of k symbols
        for k in range(1, order):
            longer, above = _extended(number, tokens, age >= k, base)
            counted = _suffix_of_each(longer, number, len(above))
            if separate and k > 1:  # nothing stands before a start: such grams count as they occur
                counted = np.concatenate([counted, number[age == k - 1]])
            orders.append(_order(codes, counted, contexts, base))
            codes, contexts, number = above, len(codes), longer
        orders.append(_order(codes, number[(number >= 0) & ~starts], contexts, base))
        return cls(order, vocabulary_size, separate, tuple(orders))

    def log_probabilities(
        self, ids: Int[Array, " N"] | Sequence[Int[Array, " _"]], context: Int[Array, " M"] | None = None
    ) -> Float[Array, " N"]:
        """Natural logarithm of the probability of each symbol given those before it.

        Parameters
        ----------
        ids : integer array, or list of integer arrays
            What is scored: one text, or separate sequences, as the model was fitted.
        context : integer array, optional
            Of one text, what stood before its first symbol; the last ``order - 1`` symbols of it are read.

        Returns
        -------
        log_probabilities : array
            In nats, sequences one after the other.
        """
        if self.separate == isinstance(ids, np.ndarray):
            wanted = "a list of sequences" if self.separate else "one array of ids"
            raise DataError(f"Kneser-Ney: expected {wanted}, as it was fitted on, got {type(ids).__name__}.")
        skipped = 0
        if context is not None and isinstance(ids, np.ndarray):
            context = context[max(0, len(context) - self.order + 1) :]
            ids, skipped = np.concatenate([context, ids]), len(context)
        tokens, age = _laid_out(ids, self.vocabulary_size)
        base = self.vocabulary_size + 1
        probability = np.full(len(tokens), 1.0 / self.vocabulary_size)
        prefix = np.zeros(len(tokens), dtype=np.int64)
        for level in self._orders:
            gram = _find(level.codes, np.where(prefix >= 0, prefix * base + tokens, -1))
            count = _known(level.counts, gram)
            total, kinds = _known(level.totals, prefix), _known(level.kinds, prefix)
            mass = np.maximum(count - level.discount, 0.0) + level.discount * kinds * probability
            probability = np.where(total > 0, mass / np.maximum(total, 1), probability)
            prefix = np.concatenate([[-1], gram[:-1]])  # no known gram goes over the end of a sequence
        scored = age > 0 if self.separate else np.arange(len(tokens)) >= skipped
        return np.asarray(np.log(probability[scored]))

    def nats(
        self, ids: Int[Array, " N"] | Sequence[Int[Array, " _"]], context: Int[Array, " M"] | None = None
    ) -> float:
        """Mean negative log-probability of :meth:`log_probabilities`, in nats per symbol."""
        return -float(np.mean(self.log_probabilities(ids, context)))


def _laid_out(ids: Array | Sequence[Array], start: int) -> tuple[Array, Array]:
    """Lay sequences end to end behind a start symbol each; give the tokens and their places."""
    if isinstance(ids, np.ndarray):
        return ids.astype(np.int32), np.arange(len(ids), dtype=np.int32)
    lengths = np.array([len(sequence) + 1 for sequence in ids], dtype=np.int64)
    firsts = np.cumsum(lengths) - lengths
    tokens = np.full(int(lengths.sum()), start, dtype=np.int32)
    age = (np.arange(len(tokens)) - np.repeat(firsts, lengths)).astype(np.int32)
    if len(tokens):
        tokens[age > 0] = np.concatenate(list(ids))
    return tokens, age


def _extended(number: Array, tokens: Array, is_end: Array, base: int) -> tuple[Array, Array]:
    """Give numbers to the grams that are one symbol longer, by where they end; give their codes, too."""
    longer = np.full(len(tokens), -1, dtype=np.int32)
    found = []
    for begin in range(0, len(tokens), TOGETHER):  # numbered within the piece ...
        ends = begin + np.flatnonzero(is_end[begin : begin + TOGETHER])
        of_piece = number[ends - 1].astype(np.int64) * base + tokens[ends]
        kinds, longer[ends] = np.unique(of_piece, return_inverse=True)
        found.append(kinds)
    codes = np.unique(np.concatenate(found))
    for place, kinds in enumerate(found):  # ... and then among all
        begin = place * TOGETHER
        ends = begin + np.flatnonzero(is_end[begin : begin + TOGETHER])
        longer[ends] = np.searchsorted(codes, kinds)[longer[ends]]
    return longer, codes


def _order(codes: Array, counted: Array, contexts: int, base: int) -> _Order:
    """Make the table of the grams of one length from the numbers of those that count."""
    counts = np.bincount(counted, minlength=len(codes))
    context = codes // base
    totals = np.bincount(context, weights=counts, minlength=contexts).astype(np.int64)
    kinds = np.bincount(context[counts > 0], minlength=contexts)
    return _Order(codes, counts, totals, kinds, _discount(counts))


def _suffix_of_each(longer: Array, shorter: Array, kinds: int) -> Array:
    """For each gram of k + 1 symbols, once, the number of the k symbols that it ends with."""
    suffix = np.empty(kinds, dtype=np.int32)
    is_end = longer >= 0
    suffix[longer[is_end]] = shorter[is_end]  # any occurrence gives the same suffix
    return suffix


def _find(codes: Array, wanted: Array) -> Array:
    """Give the place of each code in the sorted ``codes``, or -1."""
    if len(codes) == 0:
        return np.full(len(wanted), -1)
    place = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
    return np.where(codes[place] == wanted, place, -1)


def _known(values: Array, numbers: Array) -> Array:
    """Give the value of each number, 0 where the number is -1."""
    found = np.zeros(len(numbers), dtype=values.dtype)
    here = numbers >= 0
    found[here] = values[numbers[here]]
    return found


def _discount(counts: Array) -> float:
    once, twice = int(np.count_nonzero(counts == 1)), int(np.count_nonzero(counts == 2))
    return once / (once + 2 * twice) if once else 0.5  # 0.5 where nothing says what it is
