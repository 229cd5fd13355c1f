"""Losses of predicted numbers: each a formula for one element, its slope beside it, and a weighted mean.

Rows are packed, so that a ragged batch needs no mask; weights leave out what was not observed.
"""

from collections.abc import Callable, Sequence
from math import log, pi

import numpy as np

from noria.arrays import Array, Float, Num
from noria.errors import BackwardError, DataError, OptionError, ShapeError
from noria.training.losses import checked_weights

LossAndBackward = tuple[float, Callable[..., Array]]


def mean_squared_error(
    predictions: Num[Array, "..."], targets: Num[Array, "..."], weights: Num[Array, "..."] | None = None
) -> LossAndBackward:
    """Mean of ``(y - t)**2``.

    Parameters
    ----------
    predictions, targets : arrays of one shape, (N,) or (N, F)
    weights : array, optional
        What each row (N,), or each element (N, F), counts, not negative; the mean is over what counts. Where
        it is zero, nothing is read: the target may be missing (NaN).

    Returns
    -------
    loss : float
        Summed in float64.
    backward : callable
        ``d_loss -> d_predictions``, in the precision of the predictions; ``d_loss`` is 1 by default. It can
        be called once.

    Raises
    ------
    ShapeError
        If shapes do not fit, or there is nothing.
    DataError
        If a weight is negative or not finite, or all are zero.
    """
    errors, counts = _errors("mean squared error", predictions, targets, weights)
    return _mean("mean squared error", errors**2, 2.0 * errors, counts, predictions)


def mean_absolute_error(
    predictions: Num[Array, "..."], targets: Num[Array, "..."], weights: Num[Array, "..."] | None = None
) -> LossAndBackward:
    """Mean of ``|y - t|``; the slope at no error is 0.

    Parameters, returns and errors are those of :func:`mean_squared_error`.
    """
    errors, counts = _errors("mean absolute error", predictions, targets, weights)
    return _mean("mean absolute error", np.abs(errors), np.sign(errors), counts, predictions)


def huber(
    predictions: Num[Array, "..."],
    targets: Num[Array, "..."],
    weights: Num[Array, "..."] | None = None,
    *,
    delta: float = 1.0,
) -> LossAndBackward:
    """Mean of ``e**2 / 2`` where the error e is at most delta, else ``delta * (|e| - delta / 2)``.

    Parameters, returns and errors are those of :func:`mean_squared_error`, and:

    Parameters
    ----------
    delta : float, default 1
        Up to where an error is squared; positive, in the unit of the targets.

    References
    ----------
    Huber 1964.
    """
    if not 0.0 < delta < np.inf:
        raise OptionError(f"The 'delta' option of huber must be a positive float. Got {delta}.")
    errors, counts = _errors("huber", predictions, targets, weights)
    clipped = np.clip(errors, -delta, delta)
    # clipped * (e - clipped / 2) is e**2 / 2 inside, and delta * (|e| - delta / 2) outside
    return _mean("huber", clipped * (errors - clipped / 2.0), clipped, counts, predictions)


def quantile(
    predictions: Num[Array, "..."],
    targets: Num[Array, "..."],
    weights: Num[Array, "..."] | None = None,
    *,
    quantiles: Sequence[float],
) -> LossAndBackward:
    """Mean pinball loss, ``max(q * (t - y), (q - 1) * (t - y))``: the minimum is the quantile q.

    Returns and errors are those of :func:`mean_squared_error`.

    Parameters
    ----------
    predictions : array of shape (N, Q) or (N, F, Q)
        One value for each quantile.
    targets : array of shape (N,) or (N, F)
    weights : array, optional
        As of :func:`mean_squared_error`.
    quantiles : sequence of Q floats
        Each in (0, 1).

    References
    ----------
    Koenker & Bassett 1978.
    """
    levels = np.asarray(quantiles, dtype=np.float64)
    if levels.ndim != 1 or not levels.size or not ((levels > 0) & (levels < 1)).all():
        raise OptionError(
            f"The 'quantiles' option of quantile must list floats in (0, 1). Got {list(quantiles)}."
        )
    _check_last("quantile", predictions, targets, levels.size, "quantile")
    wide = np.broadcast_to(targets[..., None], predictions.shape)
    errors, counts = _errors("quantile", predictions, wide, _per_element(weights, targets))
    slopes = np.where(errors > 0, 1.0 - levels, np.where(errors < 0, -levels, 0.0))
    return _mean("quantile", slopes * errors, slopes, counts, predictions)


def gaussian_likelihood(
    predictions: Num[Array, "..."], targets: Num[Array, "..."], weights: Num[Array, "..."] | None = None
) -> LossAndBackward:
    """Mean of ``(log(2 pi) + s + (t - y)**2 exp(-s)) / 2``: minus log-likelihood, in nats an element.

    Returns and errors are those of :func:`mean_squared_error`.

    Parameters
    ----------
    predictions : array of shape (N, 2) or (N, F, 2)
        The mean y, and the logarithm s of the variance, which needs no bounds.
    targets : array of shape (N,) or (N, F)
    weights : array, optional
        As of :func:`mean_squared_error`.

    References
    ----------
    Nix & Weigend 1994.
    """
    _check_last("gaussian likelihood", predictions, targets, 2, "mean and logarithm of a variance")
    errors, counts = _errors("gaussian likelihood", predictions[..., 0], targets, weights)
    log_variance = np.where(counts > 0, predictions[..., 1], 0.0).astype(np.float64)
    with np.errstate(over="ignore"):  # an infinite loss is seen by whoever trains
        scaled = errors * np.exp(-log_variance)
        squares = errors * scaled
    values = 0.5 * (log(2.0 * pi) + log_variance + squares)
    slopes = np.stack([scaled, 0.5 * (1.0 - squares)], axis=-1)
    return _mean("gaussian likelihood", values, slopes, counts, predictions)


ERRORS = {"mse": mean_squared_error, "mae": mean_absolute_error, "huber": huber}
"""The losses of one number for each target, by what options call them."""


def _errors(
    loss: str, predictions: Array, targets: Array, weights: Array | None
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Give ``y - t`` in float64, zero where nothing counts, and what each element counts."""
    if predictions.shape != targets.shape or predictions.size == 0:
        raise ShapeError(
            f"{loss}: expected one target for each prediction, and at least one, got shapes "
            f"{predictions.shape} and {targets.shape}."
        )
    per_element = _per_element(weights, targets)
    counts = checked_weights(loss, "weight per element", per_element, targets.shape)
    errors = np.subtract(predictions, targets, dtype=np.float64)
    return np.where(counts > 0, errors, 0.0), counts


def _per_element(weights: Array | None, targets: Array) -> Array | None:
    """Repeat weights of rows for all elements of a row, whose last axes may be more than the targets'."""
    if weights is None or weights.ndim == targets.ndim or weights.shape != targets.shape[: weights.ndim]:
        return weights
    return np.broadcast_to(
        weights.reshape(weights.shape + (1,) * (targets.ndim - weights.ndim)), targets.shape
    )


def _check_last(loss: str, predictions: Array, targets: Array, width: int, what: str) -> None:
    if predictions.shape != (*targets.shape, width):
        raise ShapeError(
            f"{loss}: expected {width} numbers for each target ({what}), shape {(*targets.shape, width)}, "
            f"got {predictions.shape}."
        )


def _mean(loss: str, values: Array, slopes: Array, counts: Array, predictions: Array) -> LossAndBackward:
    """Give the mean of values by what they count, and the backward that scales their slopes."""
    total = float(counts.sum())
    if total == 0.0:
        raise DataError(f"{loss}: the weights of all elements are zero.\n  Leave such a batch out.")
    shares = counts / total
    precision = np.promote_types(predictions.dtype, np.float32)
    saved = [slopes * (shares if slopes.ndim == shares.ndim else shares[..., None])]

    def backward(d_loss: float = 1.0) -> Array:
        if not saved:
            raise BackwardError(f"{loss}: this backward was called before.\n  Call the loss again.")
        return (d_loss * saved.pop()).astype(precision, copy=False)

    return float((values * shares).sum()), backward
