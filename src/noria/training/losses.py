"""Losses on packed rows: one row per real token, no padding and so no mask."""

from collections.abc import Callable

import numpy as np

from noria.arrays import Array, Float, Shaped
from noria.engines import fused
from noria.errors import BackwardError, ShapeError, TargetError


def sequence_cross_entropy(
    logits: Float[Array, "N V"], targets: Shaped[Array, "..."], out: Float[Array, "..."] | None = None
) -> tuple[float, Callable[..., Float[Array, "N V"]]]:
    """Mean cross-entropy of packed rows, in nats per token.

    L = -1/N sum_n log softmax(logits_n)[targets_n]

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
        If there is not one target per row, or no row at all, or if ``out`` does not fit.

    References
    ----------
    Bishop 2006, section 4.3.4.
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
    # The gradient of the mean costs one product more while a row's exponentials are at hand.
    loss = float(fused.cross_entropy(logits, ids, out).mean())
    saved: list[Array] = [out]

    def backward(d_loss: float = 1.0) -> Float[Array, "N V"]:
        # d_logits = d_loss / N * (softmax(logits) - one_hot(targets))
        if not saved:
            raise BackwardError(
                "cross-entropy: this backward was called before.\n  Call the loss again for another one."
            )
        d_logits = saved.pop()
        if d_loss != 1.0:
            d_logits *= d_loss
        return d_logits.astype(logits.dtype, copy=False)

    return loss, backward


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
    return fused.cross_entropy(logits, _checked_targets(logits, targets))


def _checked_targets(logits: Array, targets: Array) -> Array:
    count, symbols = logits.shape
    if targets.shape != (count,) or count == 0 or symbols == 0:
        raise ShapeError(
            f"cross-entropy: expected at least one row of logits and one target for each, got logits of "
            f"shape {logits.shape} and targets of shape {targets.shape}."
        )
    if not np.issubdtype(targets.dtype, np.integer):
        raise TargetError(f"cross-entropy: targets are token ids and must be integers, got {targets.dtype}.")
    wrong = (targets < 0) | (targets >= symbols)
    if wrong.any():
        row = int(wrong.argmax())
        outside = f"{int(wrong.sum())} of {count} targets are outside"
        raise TargetError(
            f"cross-entropy: the target of row {row} is {int(targets[row])}, expected an id in "
            f"[0, {symbols}).\n  {outside}; were they encoded with another vocabulary?"
        )
    return targets
