"""How well a query fits a key: the scores of attention, forward and backward side by side.

All of them first turn what is attended to, (B, K, F), into keys, once; queries (B, Q, F) are then set against
the keys. They serve attention over a layer's own past as well as over what another one has read.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import partial

import numpy as np

from noria.arrays import Array, Num
from noria.engines.dense import add_outer, times
from noria.engines.pieces import spread
from noria.equations import Initial
from noria.errors import OptionError, UnknownNameError
from noria.layers.parameters import Parameter

ROOM = 1 << 22
"""Numbers, about, that one block of queries may take while it is scored."""
CACHED = 1 << 17
"""Numbers, about, that are gone through again and again in a core's cache."""


class Score(ABC):
    """One way of scoring; sums of gradients go to the parameters.

    Parameters
    ----------
    size : int
        Features of queries, F.
    attended_size : int, optional
        Features of what is attended to, A; by default as many.
    """

    def __init__(self, size: int, attended_size: int | None = None) -> None:
        self.size = size
        self.attended_size = size if attended_size is None else attended_size

    def parameters(self) -> Iterator[Parameter]:
        """Give the parameters, in order."""
        yield from ()

    def block(self, batch: int, keys: int) -> int:
        """Say how many queries may be scored at once."""
        return max(1, ROOM // (batch * keys))

    def keys(self, attended: Num[Array, "B K A"]) -> Num[Array, "B K G"]:
        """Turn what is attended to into keys."""
        return attended

    def keys_back(self, attended: Num[Array, "B K A"], d_keys: Num[Array, "B K G"]) -> Num[Array, "B K A"]:
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
    """``q . k`` (Luong et al. 2015).

    Raises
    ------
    OptionError
        If queries and what is attended to have different sizes.
    """

    def __init__(self, size: int, attended_size: int | None = None) -> None:
        super().__init__(size, attended_size)
        if type(self) is DotScore and self.attended_size != size:
            raise OptionError(
                f"Attention by 'dot' multiplies queries and keys of one size, got {size} and "
                f"{self.attended_size} features.\n  Use 'general' or 'additive', or make both equally wide."
            )

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

    def __init__(self, size: int, attended_size: int | None = None) -> None:
        super().__init__(size, attended_size)
        self.W = Parameter("W_a", (size, self.attended_size), Initial("xavier", ()))

    def parameters(self) -> Iterator[Parameter]:
        """Give the parameters, in order."""
        yield self.W

    def keys(self, attended: Num[Array, "B K A"]) -> Num[Array, "B K G"]:
        """Turn what is attended to into keys."""
        return _mapped(attended, self.W.value, transposed=True)

    def keys_back(self, attended: Num[Array, "B K A"], d_keys: Num[Array, "B K G"]) -> Num[Array, "B K A"]:
        """Give the gradient of what is attended to."""
        _add_outer(self.W, d_keys, attended)
        return _mapped(d_keys, self.W.value, transposed=False)


class AdditiveScore(Score):
    """``v . tanh(W_q q + W_k k + b_a)`` (Bahdanau et al. 2015)."""

    def __init__(self, size: int, attended_size: int | None = None) -> None:
        super().__init__(size, attended_size)
        self.W_q = Parameter("W_q", (size, size), Initial("xavier", ()))
        self.W_k = Parameter("W_k", (size, self.attended_size), Initial("xavier", ()))
        self.b = Parameter("b_a", (size,), Initial("zero", ()))
        self.v = Parameter("v", (size,), Initial("normal", (size**-0.5,)))

    def parameters(self) -> Iterator[Parameter]:
        """Give the parameters, in order."""
        yield from (self.W_q, self.W_k, self.b, self.v)

    def block(self, batch: int, keys: int) -> int:
        """Say how many queries may be scored at once."""
        return max(1, ROOM // (batch * keys * self.size))

    def keys(self, attended: Num[Array, "B K A"]) -> Num[Array, "B K G"]:
        """Turn what is attended to into keys."""
        return np.asarray(_mapped(attended, self.W_k.value, transposed=True) + self.b.value)

    def keys_back(self, attended: Num[Array, "B K A"], d_keys: Num[Array, "B K G"]) -> Num[Array, "B K A"]:
        """Give the gradient of what is attended to."""
        _add_outer(self.W_k, d_keys, attended)
        self.b.add(d_keys.sum(axis=(0, 1)))
        return _mapped(d_keys, self.W_k.value, transposed=False)

    def scores(self, queries: Num[Array, "B Q F"], keys: Num[Array, "B K G"]) -> Num[Array, "B Q K"]:
        """Score each query against each key."""
        mapped = _mapped(queries, self.W_q.value, transposed=True)
        scores = np.empty((*mapped.shape[:2], keys.shape[1]), mapped.dtype)

        def score(some: slice) -> None:
            np.matmul(_joined(mapped[some], keys[some]), self.v.value, out=scores[some])

        spread([partial(score, some) for some in _cached(scores.shape, self.size)])
        return scores

    def back(
        self, queries: Num[Array, "B Q F"], keys: Num[Array, "B K G"], d_scores: Num[Array, "B Q K"]
    ) -> tuple[Num[Array, "B Q F"], Num[Array, "B K G"]]:
        """Give the gradients of queries and keys."""
        mapped = _mapped(queries, self.W_q.value, transposed=True)
        d_mapped, d_keys = np.empty_like(mapped), np.empty_like(keys)
        pieces = _cached(d_scores.shape, self.size)
        d_v = np.empty((len(pieces), self.size), self.v.value.dtype)

        def go_back(number: int, some: slice) -> None:
            joined = _joined(mapped[some], keys[some])
            np.matmul(d_scores[some].ravel(), joined.reshape(-1, self.size), out=d_v[number])
            joined *= joined
            np.subtract(1, joined, out=joined)
            joined *= d_scores[some][..., None]  # what is left is a factor v in every row
            joined.sum(axis=2, out=d_mapped[some])
            joined.sum(axis=1, out=d_keys[some])

        spread([partial(go_back, number, some) for number, some in enumerate(pieces)])
        self.v.add(d_v.sum(axis=0))
        d_mapped *= self.v.value
        d_keys *= self.v.value
        _add_outer(self.W_q, d_mapped, queries)
        return _mapped(d_mapped, self.W_q.value, transposed=False), d_keys


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


def _joined(queries: Array, keys: Array) -> Array:
    """Give ``tanh(query + key)`` for each query with each key."""
    sums = queries[:, :, None] + keys[:, None]
    return np.asarray(np.tanh(sums, out=sums))


def _cached(shape: tuple[int, ...], size: int) -> list[slice]:
    """Cut the sequences of a batch so that what is between queries and keys stays in a core's cache."""
    batch, queries, keys = shape
    some = max(1, CACHED // (queries * keys * size))
    return [slice(first, first + some) for first in range(0, batch, some)]


def _mapped(rows: Array, W: Array, *, transposed: bool) -> Array:
    """Multiply all rows of a batch in one product."""
    return times(rows.reshape(-1, rows.shape[-1]), W, transposed=transposed).reshape(*rows.shape[:-1], -1)


def _add_outer(W: Parameter, d: Array, rows: Array) -> None:
    """Add ``d_n rows_n^T`` over all rows of a batch to the gradient."""
    if not W.frozen:
        add_outer(d.reshape(-1, d.shape[-1]), rows.reshape(-1, rows.shape[-1]), W.gradient)
