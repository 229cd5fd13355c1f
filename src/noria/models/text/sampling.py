"""Choosing the next symbol from a model's logits."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Float
from noria.errors import DivergenceError, OptionError
from noria.training.options import SamplingOptions, options_of


@dataclass(frozen=True)
class Sampler:
    """Draws symbols: logits are divided by the temperature, cut to the likeliest, and drawn from.

    Parameters
    ----------
    temperature : float, default 1.0
        Above 0. Below 1 bolder on what is likely, above 1 freer.
    top_k : int, default 0
        Only the k likeliest symbols can be drawn; 0: all.
    top_p : float, default 1.0
        Only the fewest likeliest symbols whose probabilities, after `temperature` and `top_k`, reach `top_p`
        can be drawn; in (0, 1].
    greedy : bool, default False
        Always take the likeliest symbol; of equals the one with the lowest id. Nothing is drawn.

    Raises
    ------
    OptionError
        If an option is outside its range.

    References
    ----------
    Top-k: Fan, Lewis & Dauphin 2018; top-p ("nucleus"): Holtzman et al. 2020.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    greedy: bool = False

    def __post_init__(self) -> None:
        for info in options_of(SamplingOptions):
            if hasattr(self, info.name) and not info.accepts(value := getattr(self, info.name)):
                raise OptionError(info.complaint("Sampler", value))

    def probabilities(self, logits: Float[Array, " V"], banned: Collection[int] = ()) -> Float[Array, " V"]:
        """Give the distribution that :meth:`draw` draws from, in float64.

        Parameters
        ----------
        logits : array of shape (V,)
            Log-probabilities, or anything that differs from them by one number.
        banned : ids
            Symbols that are never drawn.

        Raises
        ------
        DivergenceError
            If a logit is not a number.
        OptionError
            If every symbol is banned.
        """
        scaled = logits.astype(np.float64)
        if np.isnan(scaled).any():
            raise DivergenceError("sampling: expected logits, got NaN: the weights of the model are damaged.")
        scaled[list(banned)] = -np.inf
        if np.isneginf(scaled).all():
            raise OptionError("sampling: expected a symbol that may be drawn, got all of them banned.")
        order = np.argsort(-scaled, kind="stable")  # of equals the lowest id comes first
        if self.greedy:
            return np.where(np.arange(len(scaled)) == order[0], 1.0, 0.0)
        sorted_logits = scaled[order] / self.temperature
        weights = np.exp(sorted_logits - sorted_logits[0])
        if self.top_k:
            weights[self.top_k :] = 0.0
        weights /= weights.sum()
        reached_before = np.cumsum(weights) - weights
        if self.top_p < 1:
            weights[1:][reached_before[1:] >= self.top_p] = 0.0  # the likeliest always stays
        probabilities = np.zeros(len(weights))
        probabilities[order] = weights / weights.sum()
        return probabilities

    def draw(self, logits: Float[Array, " V"], rng: np.random.Generator, banned: Collection[int] = ()) -> int:
        """Draw one id. One number is taken from `rng`, none if greedy."""
        probabilities = self.probabilities(logits, banned)
        if self.greedy:
            return int(np.argmax(probabilities))
        up_to = np.cumsum(probabilities)
        place = int(np.searchsorted(up_to, rng.random() * up_to[-1], side="right"))
        return min(place, int(np.flatnonzero(probabilities)[-1]))
