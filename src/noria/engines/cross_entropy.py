"""Softmax and cross-entropy of rows in one pass, with targets that may be weighted or spread over symbols.

The pass runs in machine code where that can be had; elsewhere, and for other dtypes, its twin in NumPy takes
over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from noria.arrays import Array
from noria.engines import fused
from noria.engines.pieces import split, together
from noria.engines.threads import NUMBERS_WORTH_SHARING, thread_count
from noria.errors import ShapeError

ROWS_AT_ONCE = 4096
"""Rows of logits that NumPy works on at a time."""


@dataclass(frozen=True)
class SoftTargets:
    """What a row is to predict: ``q[n, c] = hits[n] * (c == ids[n]) + scales[n] * shares[c]``.

    Attributes
    ----------
    hits : array of shape (N,), float64
        What lies on the row's own symbol.
    scales : array of shape (N,), float64
    shares : array of shape (V,), optional
        What lies on every symbol; None: nothing.
    """

    hits: Array
    scales: Array
    shares: Array | None = None

    def __post_init__(self) -> None:
        for name in ("hits", "scales"):  # compiled code reads them as they lie
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), np.float64))
        if self.hits.ndim != 1 or self.hits.shape != self.scales.shape:
            raise ShapeError(
                f"SoftTargets: expected hits and scales of one number for each row, got {self.hits.shape} "
                f"and {self.scales.shape}."
            )

    @property
    def totals(self) -> Array:
        """What lies on all symbols of a row together, (N,)."""
        if self.shares is None:
            return self.hits
        return np.asarray(self.hits + self.scales * self.shares.sum(dtype=np.float64))


def cross_entropy(
    logits: Array, ids: Array, d_logits: Array | None = None, soft: SoftTargets | None = None
) -> Array:
    """Cross-entropy of each row, and on wish the gradient of their mean, or of the sum of weighted ones.

    Parameters
    ----------
    logits : array of shape (N, V)
        Rows may lie apart, as in a view of a wider array.
    ids : integer array of shape (N,)
        Each in [0, V): whoever calls has checked that.
    d_logits : array of shape (N, V), optional
        Where the gradient is written: `logits` itself, or memory of its own. It is
        ``(softmax(logits) - one_hot(ids)) / N``, and ``totals * softmax(logits) - q`` with soft targets.
    soft : SoftTargets, optional
        Targets of another weight and shape than a one at the id.

    Returns
    -------
    array of shape (N,)
        ``-log softmax(logits_n)[ids_n]`` in nats, float64; ``-sum_c q[n, c] log softmax(logits_n)[c]`` with
        soft targets.
    """
    out = logits if d_logits is None else d_logits
    fits = (
        _are_rows(logits, out)
        and (d_logits is None or out.flags.writeable)
        and ids.shape == (len(logits),)
        and (soft is None or soft.hits.shape == ids.shape)
    )
    if not fused.is_native(logits.dtype) or not fits:
        return _numpy_cross_entropy(logits, ids, d_logits, soft)
    from noria.engines.native.memory import address
    from noria.engines.native.softmax import softmax_of

    count, symbols = logits.shape
    stride, out_stride = logits.strides[0] // logits.itemsize, out.strides[0] // out.itemsize
    ids = np.ascontiguousarray(ids, dtype=np.int64)
    of_targets, sums, spreads = np.empty(count), np.empty(count), np.zeros(count)
    mean = np.full(count, 1.0 / count)
    totals, hits = (mean, mean) if soft is None else (soft.totals, soft.hits)
    shares = None if soft is None or soft.shares is None else np.ascontiguousarray(soft.shares, logits.dtype)
    function = softmax_of(logits.dtype, d_logits is not None, shares is not None)
    of_logits, of_ids, of_out = address(logits), address(ids), address(out)
    by_row = [address(array) for array in (of_targets, sums)], [address(array) for array in (totals, hits)]
    spreading: list[int] = []
    if soft is not None and shares is not None:
        spreading = [address(soft.scales), address(shares), address(spreads)]

    def call(part: slice) -> Callable[[], None]:
        first, rows = part.start, part.stop - part.start
        (targets_at, sums_at), (totals_at, hits_at) = (
            [begin + 8 * first for begin in each] for each in by_row
        )
        return partial(
            function,
            of_logits + first * logits.strides[0],
            stride,
            of_ids + 8 * first,
            rows,
            symbols,
            targets_at,
            sums_at,
            of_out + first * out.strides[0],
            out_stride,
            totals_at,
            hits_at,
            *(begin + 8 * first * moves for begin, moves in zip(spreading, (1, 0, 1), strict=False)),
        )

    together(
        [call(part) for part in split(count, thread_count() if logits.size >= NUMBERS_WORTH_SHARING else 1)]
    )
    return _costs(np.log(sums), of_targets, spreads, soft)


def _numpy_cross_entropy(
    logits: Array, ids: Array, d_logits: Array | None, soft: SoftTargets | None
) -> Array:
    count = len(ids)
    precision = np.promote_types(logits.dtype, np.float32)
    of_targets, sums, spreads = np.empty(count), np.empty(count), np.zeros(count)
    shares = None if soft is None else soft.shares
    mean = np.full(count, 1.0 / count)
    totals, hits = (mean, mean) if soft is None else (soft.totals, soft.hits)
    with np.errstate(invalid="ignore", divide="ignore"):
        for start in range(0, count, ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            rows = np.arange(len(ids[part]))
            largest = logits[part].max(axis=1, keepdims=True)
            shifted = np.subtract(logits[part], largest, dtype=precision)
            of_targets[part] = shifted[rows, ids[part]]
            if shares is not None:
                spreads[part] = shifted.astype(np.float64) @ shares
            exponentials = np.exp(shifted, out=shifted)
            sums[part] = exponentials.sum(axis=1, dtype=np.float64)
            if d_logits is not None:
                factors = (totals[part] / sums[part])[:, None].astype(precision)
                np.multiply(exponentials, factors, out=d_logits[part])
                if soft is not None and shares is not None:
                    d_logits[part] -= (soft.scales[part, None] * shares).astype(precision)
                d_logits[part][rows, ids[part]] -= hits[part]
        return _costs(np.log(sums), of_targets, spreads, soft)


def _costs(logarithms: Array, of_targets: Array, spreads: Array, soft: SoftTargets | None) -> Array:
    """Put together ``-sum_c q_c log p_c``, where ``log p_c`` is a shifted logit less the sum's logarithm."""
    if soft is None:
        return np.asarray(logarithms - of_targets)
    return np.asarray(soft.totals * logarithms - soft.hits * of_targets - soft.scales * spreads)


def _are_rows(*matrices: Array) -> bool:
    """Tell whether these are matrices of one shape and dtype, without gaps inside a row."""
    first = matrices[0]
    return all(
        matrix.shape == first.shape
        and matrix.dtype == first.dtype
        and matrix.flags.aligned
        and (matrix.strides[1] == matrix.itemsize or matrix.shape[1] == 1)
        and matrix.strides[0] % matrix.itemsize == 0
        for matrix in matrices
    )
