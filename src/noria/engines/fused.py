"""What surrounds the recurrence in a training step, each in one pass: loss, squares, update rules.

The passes run in machine code where that can be had; elsewhere, and for other dtypes, their obvious twins in
NumPy take over.
"""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from noria.arrays import Array
from noria.engines.binding import why_not_native
from noria.engines.pieces import each, split

CHUNK = 65536
"""Numbers that NumPy works on at a time, so that they stay in the cache through the small operations."""
ROWS_AT_ONCE = 4096
"""Rows of logits that NumPy works on at a time."""
PIECE = 262144
"""Numbers that machine code works on at a time. Sums are summed by piece, in order: always the same bits."""


@cache
def is_native(dtype: np.dtype) -> bool:
    """Tell whether passes over numbers of this type run in machine code here."""
    return not why_not_native(dtype)


# Softmax and cross-entropy
# --------------------------------------------------------------------------------------------------------


def cross_entropy(logits: Array, ids: Array, d_logits: Array | None = None) -> Array:
    """Cross-entropy of each row, and on wish the gradient of its mean.

    Parameters
    ----------
    logits : array of shape (N, V)
        Rows may lie apart, as in a view of a wider array.
    ids : integer array of shape (N,)
        Each in [0, V): whoever calls has checked that.
    d_logits : array of shape (N, V), optional
        Where ``(softmax(logits) - one_hot(ids)) / N`` is written: `logits` itself, or memory of its own.

    Returns
    -------
    array of shape (N,)
        ``-log softmax(logits_n)[ids_n]`` in nats, float64.
    """
    out = logits if d_logits is None else d_logits
    fits = (
        _are_rows(logits, out) and (d_logits is None or out.flags.writeable) and ids.shape == (len(logits),)
    )
    if not is_native(logits.dtype) or not fits:
        return _numpy_cross_entropy(logits, ids, d_logits)
    from noria.engines.native.softmax import softmax_of

    function = softmax_of(logits.dtype, d_logits is not None)
    count, symbols = logits.shape
    stride, out_stride = logits.strides[0] // logits.itemsize, out.strides[0] // out.itemsize
    ids = np.ascontiguousarray(ids, dtype=np.int64)
    of_targets, sums = np.empty(count), np.empty(count)

    def rows(part: slice) -> None:
        function(
            logits[part].ctypes.data,
            stride,
            ids[part].ctypes.data,
            part.stop - part.start,
            symbols,
            of_targets[part].ctypes.data,
            sums[part].ctypes.data,
            out[part].ctypes.data,
            out_stride,
            1.0 / count,
        )

    each(split(count, 1 + logits.size // PIECE), rows)
    return np.asarray(np.log(sums) - of_targets)


def _numpy_cross_entropy(logits: Array, ids: Array, d_logits: Array | None) -> Array:
    count = len(ids)
    precision = np.promote_types(logits.dtype, np.float32)
    nats = np.empty(count)
    for start in range(0, count, ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        rows = np.arange(len(ids[part]))
        with np.errstate(invalid="ignore", divide="ignore"):
            largest = logits[part].max(axis=1, keepdims=True)
            shifted = np.subtract(logits[part], largest, dtype=precision)
            of_targets = shifted[rows, ids[part]].astype(np.float64)
            exponentials = np.exp(shifted, out=shifted)
            sums = exponentials.sum(axis=1, dtype=np.float64)
            nats[part] = np.log(sums) - of_targets
            if d_logits is not None:
                share = (1.0 / count / sums)[:, None].astype(precision)
                np.multiply(exponentials, share, out=d_logits[part])
                d_logits[part][rows, ids[part]] -= 1.0 / count
    return nats


# Flat vectors
# --------------------------------------------------------------------------------------------------------


def sum_of_squares(vector: Array) -> float:
    """Give the sum of squares of a vector, summed in float64; NaN or infinite if a number is.

    Parameters
    ----------
    vector : array of shape (P,)
    """
    if not is_native(vector.dtype) or not _are_flat(vector):
        return _numpy_sum_of_squares(vector)
    from noria.engines.native.flat import squares_of

    function = squares_of(vector.dtype)
    parts = split(vector.size, 1 + vector.size // PIECE)
    sums = dict.fromkeys((part.start for part in parts), 0.0)

    def squares(part: slice) -> None:
        sums[part.start] = function(vector[part].ctypes.data, part.stop - part.start)

    each(parts, squares)
    return sum(sums.values())


def _numpy_sum_of_squares(vector: Array) -> float:
    total = 0.0
    for part in split(vector.size, 1 + vector.size // CHUNK):
        exact = vector[part].astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            total += float(np.square(exact, out=exact).sum())
    return total


def sgd(
    values: Array,
    gradients: Array,
    velocity: Array | None = None,
    *,
    rate: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    scale: float = 1.0,
) -> None:
    """Take a step of gradient descent, with momentum if there is a velocity; in place.

    velocity' = momentum * velocity + gradient;  values' = values - rate * velocity'
    (Nesterov: values' = values - rate * (gradient + momentum * velocity'))

    Parameters
    ----------
    values, gradients, velocity : arrays of shape (P,)
    rate, momentum : float
    nesterov : bool
    scale : float
        What the gradients are multiplied by on the way; they stay as they are.
    """

    def plain(values: Array, gradients: Array) -> None:
        values -= rate * gradients

    def with_momentum(values: Array, gradients: Array, velocity: Array) -> None:
        velocity *= momentum
        velocity += gradients
        values -= rate * (momentum * velocity + gradients if nesterov else velocity)

    vectors = {"values": values, "gradients": gradients}
    if velocity is None:
        _update("sgd", vectors, plain, scale=scale, rate=rate)
    else:
        vectors["velocity"] = velocity
        rule = "nesterov" if nesterov else "momentum"
        _update(rule, vectors, with_momentum, scale=scale, rate=rate, momentum=momentum)


def adagrad(
    values: Array, gradients: Array, squares: Array, *, rate: float, epsilon: float, scale: float = 1.0
) -> None:
    """Take a step of AdaGrad, in place.

    squares' = squares + gradient**2;  values' = values - rate * gradient / (sqrt(squares') + epsilon)

    Parameters
    ----------
    values, gradients, squares : arrays of shape (P,)
    rate, epsilon : float
    scale : float
        As in :func:`sgd`.
    """

    def twin(values: Array, gradients: Array, squares: Array) -> None:
        squares += gradients * gradients
        values -= rate * (gradients / (np.sqrt(squares) + epsilon))

    vectors = {"values": values, "gradients": gradients, "squares": squares}
    _update("adagrad", vectors, twin, scale=scale, rate=rate, epsilon=epsilon)


def adam(
    values: Array,
    gradients: Array,
    mean: Array,
    mean_square: Array,
    *,
    rate: float,
    beta1: float,
    beta2: float,
    correction: float,
    epsilon: float,
    scale: float = 1.0,
) -> None:
    """Take a step of Adam, in place; the corrections of the means' start at zero come from the caller.

    mean' = beta1 * mean + (1 - beta1) * gradient
    mean_square' = beta2 * mean_square + (1 - beta2) * gradient**2
    values' = values - rate * mean' / (correction * sqrt(mean_square') + epsilon)

    Parameters
    ----------
    values, gradients, mean, mean_square : arrays of shape (P,)
    rate, beta1, beta2, correction, epsilon : float
    scale : float
        As in :func:`sgd`.
    """
    rest1, rest2 = 1.0 - beta1, 1.0 - beta2

    def twin(values: Array, gradients: Array, mean: Array, mean_square: Array) -> None:
        mean *= beta1
        mean += rest1 * gradients
        mean_square *= beta2
        mean_square += rest2 * (gradients * gradients)
        values -= rate * (mean / (correction * np.sqrt(mean_square) + epsilon))

    vectors = {"values": values, "gradients": gradients, "mean": mean, "mean_square": mean_square}
    decays = {"beta1": beta1, "rest1": rest1, "beta2": beta2, "rest2": rest2}
    _update("adam", vectors, twin, scale=scale, rate=rate, correction=correction, epsilon=epsilon, **decays)


def _update(
    rule: str, vectors: Mapping[str, Array], twin: Callable[..., None], *, scale: float, **others: float
) -> None:
    """Apply a rule piece by piece: its compiled form, or the twin to gradients already scaled."""
    size = vectors["values"].size
    changed = [array for name, array in vectors.items() if name != "gradients"]
    fits = _are_flat(*vectors.values()) and all(array.flags.writeable for array in changed)
    if is_native(vectors["values"].dtype) and fits:
        from noria.engines.native.flat import RULES, update_of

        function = update_of(rule, vectors["values"].dtype)
        arrays = [vectors[name] for name in RULES[rule].vectors]
        constants = [{"scale": scale, **others}[name] for name in RULES[rule].constants]

        def update(part: slice) -> None:
            function(*(array[part].ctypes.data for array in arrays), part.stop - part.start, *constants)

        each(split(size, 1 + size // PIECE), update)
        return
    # A square may overflow in single precision; whoever trains looks at the loss, and a warning would say
    # less than its error.
    with np.errstate(over="ignore", under="ignore"):
        for part in split(size, 1 + size // CHUNK):
            pieces = {name: array[part] for name, array in vectors.items()}
            if scale != 1.0:
                pieces["gradients"] = scale * pieces["gradients"]
            twin(**pieces)


def _are_flat(*vectors: Array) -> bool:
    """Tell whether these are vectors of one length and dtype, without gaps."""
    first = vectors[0]
    return all(
        vector.ndim == 1
        and vector.size == first.size
        and vector.dtype == first.dtype
        and vector.flags.c_contiguous
        and vector.flags.aligned
        for vector in vectors
    )


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
