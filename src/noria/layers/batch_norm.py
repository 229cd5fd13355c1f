"""Features brought to mean 0 and variance 1 over the rows of a batch."""

from collections.abc import Iterator

import numpy as np

from noria.arrays import Array
from noria.equations import Initial
from noria.errors import OptionError
from noria.layers.backward import Backward
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.parameters import Parameter, Statistic
from noria.layers.state import State
from noria.layers.stepwise import Stepwise
from noria.layers.streaming import Given, RowStream, one_step
from noria.sequences import Layout, Ragged


class BatchNorm(Layer):
    """``y = gain * (x - mean) / sqrt(variance + epsilon) + bias``, feature by feature.

    In training mean and variance are those of the batch: of its rows, which are the real tokens of all
    sequences at all steps. Otherwise they are running ones, which each training call of two rows or more
    moves by `momentum` towards those of its batch. They are saved with the weights.

    Parameters
    ----------
    momentum : float, default 0.1
        In (0, 1].
    epsilon : float, default 1e-5
        Positive.

    References
    ----------
    Ioffe & Szegedy 2015; over all steps of a sequence, and between recurrent layers: Laurent et al. 2016.
    """

    kind = "batch norm"

    def __init__(self, *, momentum: float = 0.1, epsilon: float = 1e-5, name: str | None = None) -> None:
        super().__init__(name)
        if not 0.0 < momentum <= 1.0:
            raise OptionError(
                f"The 'momentum' option of {self.title} must be a float in (0, 1]. Got {momentum}."
            )
        if not epsilon > 0.0:
            raise OptionError(
                f"The 'epsilon' option of {self.title} must be a positive float. Got {epsilon}."
            )
        self.momentum, self.epsilon = momentum, epsilon

    def _declare(self, input_size: int) -> int:
        self.gain = Parameter("gain", (input_size,), Initial("constant", (1.0,)))
        self.bias = Parameter("bias", (input_size,), Initial("zero", ()))
        self.mean = Statistic("mean", np.zeros(input_size))
        self.variance = Statistic("variance", np.ones(input_size))
        return input_size

    def own_parameters(self) -> Iterator[Parameter]:
        """Give gain, then bias."""
        yield from (self.gain, self.bias)

    def own_statistics(self) -> Iterator[Statistic]:
        """Give the running mean and variance."""
        yield from (self.mean, self.variance)

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Normalise rows (N, F), with the statistics of the batch in training and running ones otherwise."""
        self._no_memory(state)
        self._check_given(given)
        self._check_numbers(x)
        gain, bias, rows = self.gain, self.bias, x.rows
        dtype, count = rows.dtype, len(rows)
        wide = np.promote_types(dtype, np.float64)  # what many rows are summed up in
        mean, variance = self.mean.value, self.variance.value
        if mode.training:
            mean = rows.mean(axis=0, dtype=wide)
        y = np.empty_like(rows)
        normal = rows - mean.astype(dtype)
        if mode.training:
            variance = np.multiply(normal, normal, out=y).mean(axis=0, dtype=wide)
            self._move(np.real(mean), np.real(variance), count)
        scale = (1.0 / np.sqrt(variance + self.epsilon)).astype(dtype)
        normal *= scale
        np.multiply(normal, gain.value, out=y)
        y += bias.value

        def backward(d_y: Array, d_state: State) -> Array:
            d_x = d_y * normal
            d_gain, d_bias = d_x.sum(axis=0), d_y.sum(axis=0)
            gain.add(d_gain)
            bias.add(d_bias)
            if not mode.training:
                return np.asarray(np.multiply(d_y, gain.value * scale, out=d_x))
            # Each row moves the mean and the variance of all: d_y - (d_bias + normal * d_gain) / N.
            np.multiply(normal, d_gain / -count, out=d_x)
            d_x += d_y
            d_x -= d_bias / count
            d_x *= gain.value * scale
            return np.asarray(d_x)

        return x.with_rows(y), Backward(backward if mode.save else None, self.title)

    def stepwise(self, layout: Layout, state: State, given: Inputs | None, mode: Mode) -> Stepwise:
        """Refuse: the statistics of a batch are those of all its steps."""
        raise OptionError(
            f"{self.title}: normalises over all steps of a batch, and they come one at a time here.\n"
            "  Leave batch_norm out, or use layer_norm."
        )

    def stream(self, batch_size: int = 1) -> RowStream:
        """Normalise step by step, with the running statistics of this moment as one factor and one term."""
        dtype = self.gain.value.dtype
        factor = self.gain.value / np.sqrt(self.variance.value + self.epsilon)
        term = (self.bias.value - factor * self.mean.value).astype(dtype)
        factor, shape = factor.astype(dtype), (batch_size, self.input_size)

        def step(x: Array, given: Given) -> Array:
            self._check_given(given)
            if x.shape != shape:
                self._check_numbers(one_step(x))
            return np.asarray(x * factor + term)

        return RowStream(self, batch_size, step)

    def _move(self, mean: Array, variance: Array, count: int) -> None:
        if count == 1:  # one row says nothing of a variance
            return
        unbiased = variance * (count / (count - 1))
        for running, batch in ((self.mean, mean), (self.variance, unbiased)):
            running.value += self.momentum * (batch - running.value)
