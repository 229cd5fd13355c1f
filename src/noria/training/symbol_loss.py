"""What scores of symbols cost: all of them, or a sample where scoring them all would be most of the work."""

from collections.abc import Callable
from typing import Self, TypeAlias

import numpy as np

from noria.arrays import Array, Float, Integer
from noria.engines.cross_entropy import SoftTargets, cross_entropy
from noria.errors import OptionError
from noria.layers import OUTPUTS
from noria.training.losses import once_backward, sequence_cross_entropy
from noria.training.symbol_options import ScoringOptions

Cost: TypeAlias = tuple[float, Callable[..., Array]]
"""A loss in nats per token, and its backward: from d_loss (1 by default) to the gradient of the scores."""

POWER = 0.75
"""Candidates are drawn by the counts of symbols to this power (Mikolov et al. 2013)."""


class SymbolLoss:
    """Mean cross-entropy of symbols, over all of them or over some candidates (sampled softmax).

    For each batch it says which symbols are to be scored, and then what the scores cost::

        batch = loss.of_batch(targets, mode.rng)
        logits, backward = network(inputs, given=batch.given("output."), mode=mode)
        nats, loss_backward = batch.cost(logits.rows)

    Parameters
    ----------
    symbols : int
        How many there are, V.
    label_smoothing : float, default 0
        Part of each target that is spread evenly over all symbols.
    samples : int, default 0
        Candidates that are drawn for a batch; 0, or V and more: all symbols are scored.
    counts : integer array of shape (V,), optional
        How often each symbol is to be predicted; wanted where there are candidates.

    Notes
    -----
    Every symbol w is a candidate with probability ``P(w) = min(1, c (counts(w) + 1)^0.75)``, where c makes
    them as many as asked for: a systematic sample, of one random number. With S the candidates and all
    targets T of the batch, the sum in the softmax, ``Z = sum_w exp z_w``, is estimated without bias (Horvitz
    & Thompson 1952) by ``sum_{w in S} exp(z_w) / P(w)``, where P is 1 for what is in T. The loss is that of a
    softmax over S whose logits are ``z_w - log P(w)``; its gradient is exact given the candidates. Since the
    logarithm is concave, it is in the mean a little lower than the loss over all symbols.

    References
    ----------
    Bengio & Senécal 2008; Jean et al. 2015.
    """

    def __init__(
        self,
        symbols: int,
        *,
        label_smoothing: float = 0.0,
        samples: int = 0,
        counts: Integer[Array, " V"] | None = None,
    ) -> None:
        self.symbols, self.label_smoothing = symbols, label_smoothing
        self.inclusion: Array | None = None
        if 0 < samples < symbols:
            if counts is None:
                raise OptionError(f"sampled softmax: expected counts of {symbols} symbols, got none.")
            self.inclusion = inclusion_probabilities(counts, samples)
            self._heaped = np.cumsum(self.inclusion)

    @classmethod
    def of_options(
        cls, options: ScoringOptions, symbols: int, counts: Callable[[], Integer[Array, " V"]]
    ) -> Self:
        """Make the loss that options describe; symbols are counted where candidates are drawn."""
        samples = options.samples_of(symbols)
        counted = counts() if 0 < samples < symbols else None
        return cls(symbols, label_smoothing=options.label_smoothing, samples=samples, counts=counted)

    def of_batch(self, targets: Integer[Array, " N"], rng: np.random.Generator | None) -> "BatchLoss":
        """Say what is scored for these targets; candidates are drawn from `rng`."""
        if self.inclusion is None:
            return FullSoftmax(targets, self.symbols, self.label_smoothing)
        if rng is None:
            raise OptionError(
                "sampled softmax: draws symbols in training, and has no generator.\n"
                "  Call it with Mode(training=True, rng=rng), or set softmax_samples=0."
            )
        return self.with_candidates(targets, systematic_sample(self._heaped, rng.random()))

    def with_candidates(
        self, targets: Integer[Array, " N"], candidates: Integer[Array, " K"]
    ) -> "SampledSoftmax":
        """Take these symbols for the candidates, each once."""
        assert self.inclusion is not None
        predicted = np.unique(targets)
        scored = np.union1d(candidates, predicted)
        inclusion = self.inclusion[scored]
        inclusion[np.searchsorted(scored, predicted)] = 1.0
        return SampledSoftmax(targets, scored, inclusion, self.symbols, self.label_smoothing)


class FullSoftmax:
    """All symbols are scored."""

    def __init__(self, targets: Array, symbols: int, label_smoothing: float) -> None:
        self.width = symbols
        self._targets, self._smoothing = targets, label_smoothing

    def given(self, prefix: str) -> dict[str, Array]:
        """Give nothing: that is all symbols."""
        return {}

    def cost(self, logits: Float[Array, "N V"], rows: slice = slice(None)) -> Cost:
        """Compare scores with the targets of these rows; the memory of the scores becomes the gradient's."""
        return sequence_cross_entropy(
            logits, self._targets[rows], out=logits, label_smoothing=self._smoothing
        )


class SampledSoftmax:
    """Some symbols are scored, those to be predicted among them."""

    def __init__(
        self, targets: Array, scored: Array, inclusion: Array, symbols: int, label_smoothing: float
    ) -> None:
        self.width = len(scored)
        self.scored, self.inclusion = scored, inclusion
        self._places = np.searchsorted(scored, targets)
        self._smoothing, self._symbols = label_smoothing, symbols

    def given(self, prefix: str) -> dict[str, Array]:
        """Give the auxiliary input of the output layer, whose names begin so."""
        return {f"{prefix}{OUTPUTS}": self.scored}

    def cost(self, logits: Float[Array, "N S"], rows: slice = slice(None)) -> Cost:
        """Compare scores with the targets of these rows; the memory of the scores becomes the gradient's."""
        log_inclusion = np.log(self.inclusion)
        logits -= log_inclusion.astype(logits.dtype)
        places, smoothing = self._places[rows], self._smoothing
        if not smoothing:
            return sequence_cross_entropy(logits, places, out=logits)
        # 1/V sum_w log p_w over all symbols is estimated like Z: each candidate stands for 1 / P(w) of them.
        count = len(places)
        shares = smoothing / self._symbols / self.inclusion
        soft = SoftTargets(np.full(count, (1.0 - smoothing) / count), np.full(count, 1.0 / count), shares)
        costs = cross_entropy(logits, places, logits, soft)
        return float(costs.sum()) - float(shares @ log_inclusion), once_backward(logits, logits.dtype)


BatchLoss: TypeAlias = FullSoftmax | SampledSoftmax
"""What the scores of one batch cost."""


def inclusion_probabilities(counts: Integer[Array, " V"], samples: int) -> Float[Array, " V"]:
    """Give the probability with which each symbol is a candidate; they add up to `samples`, fewer than V.

    They are proportional to ``(counts + 1) ** 0.75``, but never more than 1.
    """
    sizes = (counts + 1.0) ** POWER
    order = np.argsort(-sizes, kind="stable")
    # With the k largest certain, the others share samples - k; k is the least that leaves none above 1.
    rest = np.cumsum(sizes[order][::-1])[::-1]
    certain = int(np.argmax(sizes[order] * (samples - np.arange(len(sizes))) <= rest))
    inclusion = np.ones(len(sizes))
    others = order[certain:]
    inclusion[others] = sizes[others] * ((samples - certain) / rest[certain])
    return inclusion


def systematic_sample(heaped: Float[Array, " V"], begin: float) -> Integer[Array, " K"]:
    """Draw places, each once and with its probability, as many as these add up to (Madow 1949).

    The probabilities lie end to end, and `heaped` says where each ends; whatever lies at ``begin``, from
    [0, 1), and at each whole number behind it is chosen.
    """
    ticks = np.arange(begin, heaped[-1], 1.0)
    return np.asarray(np.unique(np.searchsorted(heaped, ticks, side="right")))
