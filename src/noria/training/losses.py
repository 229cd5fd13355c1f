"""Losses on packed rows: one row per real token, no padding and so no mask."""

from collections.abc import Callable
from typing import Any

import numpy as np

from noria.arrays import Array, Float, Shaped
from noria.engines.cross_entropy import SoftTargets, cross_entropy
from noria.errors import BackwardError, DataError, OptionError, ShapeError, TargetError


def sequence_cross_entropy(
    logits: Float[Array, "N V"],
    targets: Shaped[Array, "..."],
    out: Float[Array, "..."] | None = None,
    *,
    label_smoothing: float = 0.0,
    class_weights: Shaped[Array, "..."] | None = None,
    weights: Shaped[Array, "..."] | None = None,
) -> tuple[float, Callable[..., Float[Array, "N V"]]]:
    """Mean cross-entropy of packed rows, in nats per token.

    L = -1/N sum_n log softmax(logits_n)[targets_n]

    With label smoothing e, class weights w and row weights m it is, as PyTorch has it,
    ``-1/Z sum_n m_n ((1 - e) w_t log p_t + e/V sum_c w_c log p_c)``, where t is the target of row n, p_c the
    row's softmax, and ``Z = sum_n m_n w_t``.

    Parameters
    ----------
    logits : array of shape (N, V)
        One row per real token; there is no padding to ignore.
    targets : integer array of shape (N,)
        Token ids in [0, V).
    out : array of shape (N, V), optional
        Memory for the gradient, in the precision of the logits, at least single. Written at once, not by the
        backward. The logits themselves will do where nobody reads them any more; by default they stay as
        they are.
    label_smoothing : float, default 0
        The part e of a target that is spread evenly over all symbols, in [0, 1).
    class_weights : array of shape (V,), optional
        What a target counts by its symbol, not negative.
    weights : array of shape (N,), optional
        What each row counts, not negative; zeros leave rows out.

    Returns
    -------
    loss : float
        Nats per token, summed in float64. A NaN among the logits makes it NaN.
    backward : callable
        ``d_loss -> d_logits``, shape (N, V), in the precision of the logits; ``d_loss`` is 1 by default. It
        gives the saved gradient itself and can be called once.

    Raises
    ------
    TargetError
        If a target is outside [0, V): says which row and which id.
    ShapeError
        If there is not one target per row, or no row at all, or if ``out`` or weights do not fit.
    OptionError
        If ``label_smoothing`` is outside [0, 1).
    DataError
        If weights are negative or not finite, or all that count here are zero.

    References
    ----------
    Bishop 2006, section 4.3.4. Label smoothing: Szegedy et al. 2016, section 7.
    """
    ids = _checked_targets(logits, targets)
    precision = np.promote_types(logits.dtype, np.float32)
    if out is None:
        out = np.empty(logits.shape, precision)
    elif out.shape != logits.shape or out.dtype != precision:
        raise ShapeError(
            f"cross-entropy: expected memory of shape {logits.shape} and type {precision} for the gradient, "
            f"got {out.shape} and {out.dtype}."
        )
    soft = _soft_targets(ids, logits.shape[1], label_smoothing, class_weights, weights)
    # The gradient of the mean costs one product more while a row's exponentials are at hand.
    costs = cross_entropy(logits, ids, out, soft)
    loss = float(costs.mean() if soft is None else costs.sum())
    # d_logits = d_loss / N * (softmax(logits) - one_hot(targets)), or what soft targets make of it
    return loss, once_backward(out, logits.dtype)


def once_backward(gradient: Float[Array, "N V"], dtype: np.dtype[Any]) -> Callable[..., Float[Array, "N V"]]:
    """Make the backward of a loss whose gradient is there: in this precision, and once, for it is given away.

    Parameters
    ----------
    gradient : array of shape (N, V)
        For ``d_loss = 1``.
    dtype : dtype
    """
    saved: list[Array] = [gradient]

    def backward(d_loss: float = 1.0) -> Array:  # (N, V)
        if not saved:
            raise BackwardError(
                "cross-entropy: this backward was called before.\n  Call the loss again for another one."
            )
        d_logits = saved.pop()
        if d_loss != 1.0:
            d_logits *= d_loss
        return d_logits.astype(dtype, copy=False)

    return backward


def cross_entropy_rows(logits: Float[Array, "N V"], targets: Shaped[Array, "..."]) -> Float[Array, " N"]:
    """Cross-entropy of each row, in nats, float64; for evaluation, where no gradient is wanted.

    Parameters
    ----------
    logits : array of shape (N, V)
    targets : integer array of shape (N,)
        Token ids in [0, V).

    Returns
    -------
    array of shape (N,)
        ``-log softmax(logits_n)[targets_n]``.

    Raises
    ------
    TargetError, ShapeError
        As :func:`sequence_cross_entropy`.
    """
    return cross_entropy(logits, _checked_targets(logits, targets))


def _soft_targets(
    ids: Array, symbols: int, smoothing: float, class_weights: Array | None, weights: Array | None
) -> SoftTargets | None:
    """Give what smoothing and weights make of the targets, divided by what all count; None: plain targets."""
    if not 0.0 <= smoothing < 1.0:
        raise OptionError(
            f"The 'label_smoothing' option of cross-entropy must be a float in [0, 1). Got {smoothing}."
        )
    if not smoothing and class_weights is None and weights is None:
        return None
    of_symbols = checked_weights("cross-entropy", "class weight per symbol", class_weights, (symbols,))
    rows = checked_weights("cross-entropy", "weight per row", weights, ids.shape)
    counted = rows * of_symbols[ids]
    total = counted.sum()
    if total == 0.0:
        raise DataError("cross-entropy: the weights of all rows are zero.\n  Leave such a batch out.")
    hits = (1.0 - smoothing) / total * counted
    return SoftTargets(hits, rows / total, smoothing / symbols * of_symbols if smoothing else None)


def checked_weights(loss: str, what: str, weights: Array | None, shape: tuple[int, ...]) -> Array:
    """Give weights in float64, ones where there are none.

    Raises
    ------
    ShapeError
        If there are more or fewer than expected.
    DataError
        If one is negative or not finite.
    """
    if weights is None:
        return np.ones(shape)
    exact = np.asarray(weights, dtype=np.float64)
    if exact.shape != shape:
        raise ShapeError(f"{loss}: expected one {what}, shape {shape}, got shape {exact.shape}.")
    if not (np.isfinite(exact) & (exact >= 0)).all():
        worst = exact[~(np.isfinite(exact) & (exact >= 0))].flat[0]
        raise DataError(f"{loss}: expected every {what} to be a number of at least 0, got {worst}.")
    return exact


def _checked_targets(logits: Array, targets: Array) -> Array:
    count, symbols = logits.shape
    if targets.shape != (count,) or count == 0 or symbols == 0:
        raise ShapeError(
            f"cross-entropy: expected at least one row of logits and one target for each, got logits of "
            f"shape {logits.shape} and targets of shape {targets.shape}."
        )
    if not np.issubdtype(targets.dtype, np.integer):
        raise TargetError(f"cross-entropy: targets are token ids and must be integers, got {targets.dtype}.")
    if targets.min() < 0 or targets.max() >= symbols:
        wrong = (targets < 0) | (targets >= symbols)
        row = int(wrong.argmax())
        outside = f"{int(wrong.sum())} of {count} targets are outside"
        raise TargetError(
            f"cross-entropy: the target of row {row} is {int(targets[row])}, expected an id in "
            f"[0, {symbols}).\n  {outside}; were they encoded with another vocabulary?"
        )
    return targets
