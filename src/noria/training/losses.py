"""Losses on packed rows: one row per real token, no padding and so no mask."""

from collections.abc import Callable

import numpy as np

from noria.arrays import Array, Float, Shaped
from noria.errors import BackwardError, ShapeError, TargetError

ROWS_AT_ONCE = 4096


def sequence_cross_entropy(
    logits: Float[Array, "N V"], targets: Shaped[Array, "..."]
) -> tuple[float, Callable[..., Float[Array, "N V"]]]:
    """Mean cross-entropy of packed rows, in nats per token.

    L = -1/N sum_n log softmax(logits_n)[targets_n]

    Parameters
    ----------
    logits : array of shape (N, V)
        One row per real token; there is no padding to ignore.
    targets : integer array of shape (N,)
        Token ids in [0, V).

    Returns
    -------
    loss : float
        Nats per token, summed in float64. A NaN among the logits makes it NaN.
    backward : callable
        ``d_loss -> d_logits``, shape (N, V), in the precision of the logits; ``d_loss`` is 1 by default. It
        works in the saved values and can be called once.

    Raises
    ------
    TargetError
        If a target is outside [0, V): says which row and which id.
    ShapeError
        If there is not one target per row, or no row at all.

    References
    ----------
    Bishop 2006, section 4.3.4.
    """
    ids = _checked_targets(logits, targets)
    rows = np.arange(len(ids))
    nats, exponentials, sums = _row_losses(logits, ids)
    loss = float(nats.mean())
    saved: list[Array] = [exponentials]

    def backward(d_loss: float = 1.0) -> Float[Array, "N V"]:
        # d_logits = d_loss / N * (softmax(logits) - one_hot(targets))
        if not saved:
            raise BackwardError(
                "cross-entropy: this backward was called before.\n  Call the loss again for another one."
            )
        d_logits = saved.pop()
        scale = d_loss / len(ids)
        with np.errstate(invalid="ignore", divide="ignore"):
            d_logits *= (scale / sums)[:, None].astype(d_logits.dtype)
        d_logits[rows, ids] -= scale
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
    ids = _checked_targets(logits, targets)
    nats = np.empty(len(ids))
    for start in range(0, len(ids), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        nats[part] = _row_losses(logits[part], ids[part])[0]
    return nats


def _row_losses(logits: Array, ids: Array) -> tuple[Array, Array, Array]:
    """Give the nats of each row, exp(logits - maximum) in float32 or better, and its row sums."""
    precision = np.promote_types(logits.dtype, np.float32)
    with np.errstate(invalid="ignore"):
        shifted = np.subtract(logits, logits.max(axis=1, keepdims=True), dtype=precision)
        of_targets = shifted[np.arange(len(ids)), ids].astype(np.float64)
        exponentials = np.exp(shifted, out=shifted)
        sums = exponentials.sum(axis=1, dtype=np.float64)
        return np.log(sums) - of_targets, exponentials, sums


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
