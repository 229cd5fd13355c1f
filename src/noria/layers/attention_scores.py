"""How well a query fits a key: the scores of attention, forward and backward side by side.

All of them first turn what is attended to, (B, K, F), into keys, once; queries (B, Q, F) are then set against
the keys. They serve attention over a layer's own past as well as over what another one has read.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from noria.arrays import Array, Num
from noria.equations import Initial
from noria.errors import UnknownNameError
from noria.layers.parameters import Parameter

ROOM = 1 << 22
"""Numbers, about, that one block of queries may take while it is scored."""


class Score(ABC):
    """One way of scoring; sums of gradients go to the parameters.

    Parameters
    ----------
    size : int
        Features of queries and of what is attended to, F.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def parameters(self) -> Iterator[Parameter]:
        """Give the parameters, in order."""
        yield from ()

    def block(self, batch: int, keys: int) -> int:
        """Say how many queries may be scored at once."""
        return max(1, ROOM // (batch * keys))

    def keys(self, attended: Num[Array, "B K F"]) -> Num[Array, "B K G"]:
        """Turn what is attended to into keys."""
        return attended

    def keys_back(self, attended: Num[Array, "B K F"], d_keys: Num[Array, "B K G"]) -> Num[Array, "B K F"]:
        """Give the gradient of what is attended to."""
        return d_keys

    @abstractmethod
    def scores(self, queries: Num[Array, "B Q F"], keys: Num[Array, "B K G"]) -> Num[Array, "B Q K"]:
        """Score each query against each key."""

    @abstractmethod
    def back(
        self, queries: Num[Array, "B Q F"], keys: Num[Array, "B K G"], d_scores: Num[Array, "B Q K"]
    ) -> tuple[Num[Array, "B Q F"], Num[Array, "B K G"]]:
        """Give the gradients of queries and keys."""


class DotScore(Score):
    """``q . k`` (Luong et al. 2015)."""

    def scores(self, queries: Num[Array, "B Q F"], keys: Num[Array, "B K G"]) -> Num[Array, "B Q K"]:
        """Score each query against each key."""
        return np.asarray(queries @ keys.swapaxes(1, 2))

    def back(
        self, queries: Num[Array, "B Q F"], keys: Num[Array, "B K G"], d_scores: Num[Array, "B Q K"]
    ) -> tuple[Num[Array, "B Q F"], Num[Array, "B K G"]]:
        """Give the gradients of queries and keys."""
        return d_scores @ keys, d_scores.swapaxes(1, 2) @ queries


class GeneralScore(DotScore):
    """``q . W_a k`` (Luong et al. 2015)."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.W = Parameter("W_a", (size, size), Initial("xavier", ()))

    def parameters(self) -> Iterator[Parameter]:
        """Give the parameters, in order."""
        yield self.W

    def keys(self, attended: Num[Array, "B K F"]) -> Num[Array, "B K G"]:
        """Turn what is attended to into keys."""
        return np.asarray(attended @ self.W.value.T)

    def keys_back(self, attended: Num[Array, "B K F"], d_keys: Num[Array, "B K G"]) -> Num[Array, "B K F"]:
        """Give the gradient of what is attended to."""
        self.W.add(_outer(d_keys, attended))
        return np.asarray(d_keys @ self.W.value)


class AdditiveScore(Score):
    """``v . tanh(W_q q + W_k k + b_a)`` (Bahdanau et al. 2015)."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.W_q = Parameter("W_q", (size, size), Initial("xavier", ()))
        self.W_k = Parameter("W_k", (size, size), Initial("xavier", ()))
        self.b = Parameter("b_a", (size,), Initial("zero", ()))
        self.v = Parameter("v", (size,), Initial("normal", (size**-0.5,)))

    def parameters(self) -> Iterator[Parameter]:
        """Give the parameters, in order."""
        yield from (self.W_q, self.W_k, self.b, self.v)

    def block(self, batch: int, keys: int) -> int:
        """Say how many queries may be scored at once."""
        return max(1, ROOM // (batch * keys * self.size))

    def keys(self, attended: Num[Array, "B K F"]) -> Num[Array, "B K G"]:
        """Turn what is attended to into keys."""
        return np.asarray(attended @ self.W_k.value.T + self.b.value)

    def keys_back(self, attended: Num[Array, "B K F"], d_keys: Num[Array, "B K G"]) -> Num[Array, "B K F"]:
        """Give the gradient of what is attended to."""
        self.W_k.add(_outer(d_keys, attended))
        self.b.add(d_keys.sum(axis=(0, 1)))
        return np.asarray(d_keys @ self.W_k.value)

    def scores(self, queries: Num[Array, "B Q F"], keys: Num[Array, "B K G"]) -> Num[Array, "B Q K"]:
        """Score each query against each key."""
        return np.asarray(self._joined(queries, keys) @ self.v.value)

    def back(
        self, queries: Num[Array, "B Q F"], keys: Num[Array, "B K G"], d_scores: Num[Array, "B Q K"]
    ) -> tuple[Num[Array, "B Q F"], Num[Array, "B K G"]]:
        """Give the gradients of queries and keys."""
        joined = self._joined(queries, keys)
        self.v.add(np.tensordot(d_scores, joined, 3))
        d_sums = d_scores[..., None] * self.v.value * (1 - joined * joined)
        d_queries = d_sums.sum(axis=2)
        self.W_q.add(_outer(d_queries, queries))
        return d_queries @ self.W_q.value, d_sums.sum(axis=1)

    def _joined(self, queries: Array, keys: Array) -> Array:
        return np.asarray(np.tanh((queries @ self.W_q.value.T)[:, :, None] + keys[:, None]))


SCORES: dict[str, type[Score]] = {"dot": DotScore, "general": GeneralScore, "additive": AdditiveScore}


def score_named(name: str) -> type[Score]:
    """Give the score of that name, to be made for a size.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    if name not in SCORES:
        raise UnknownNameError(f"There is no attention score {name!r}. There are: {', '.join(SCORES)}.")
    return SCORES[name]


def _outer(d: Array, rows: Array) -> Array:
    """Sum ``d_n rows_n^T`` over all rows of a batch."""
    return np.asarray(d.reshape(-1, d.shape[-1]).T @ rows.reshape(-1, rows.shape[-1]))
