"""What the numbers that come out of a network mean: a point, quantiles, or a mean and a variance."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from noria.arrays import Array, Float
from noria.models.forecast.options import GAUSSIAN, QUANTILE, ForecastModelOptions
from noria.training.regression_losses import ERRORS, gaussian_likelihood, quantile

Loss = tuple[float, Callable[..., Array]]


@dataclass(frozen=True)
class Raw:
    """What an interval is measured from: ``low + a * unit`` to ``high + b * unit``; arrays (..., C)."""

    low: Array
    high: Array
    unit: Array


class Output(ABC):
    """How Q numbers for each step and channel are learnt and read; arrays (..., C, Q)."""

    count: int

    @abstractmethod
    def loss(self, outputs: Float[Array, "... Q"], targets: Array, weights: Array) -> Loss:
        """Give the loss, and the backward to the outputs."""

    @abstractmethod
    def centre(self, outputs: Float[Array, "... Q"]) -> Array:
        """Give the forecast itself."""

    @abstractmethod
    def raw(self, outputs: Float[Array, "... Q"]) -> Raw:
        """Give what an interval is measured from."""

    @abstractmethod
    def bounds(self, level: float) -> tuple[float, float]:
        """Give a and b of :class:`Raw` where nothing was measured."""

    def combined(self, outputs: Float[Array, "B M *rest"]) -> Float[Array, "B *rest"]:
        """Make one answer of those of several members, (B, M, ..., Q) to (B, ..., Q)."""
        return np.asarray(outputs.mean(axis=1))

    def moved(self, outputs: Float[Array, "... Q"], by: Array) -> Float[Array, "... Q"]:
        """Shift what was forecast; what it spreads stays."""
        return np.asarray(outputs + by[..., None])


@dataclass(frozen=True)
class Point(Output):
    """One number: the mean, or the median where absolute errors are learnt."""

    kind: str = "mse"
    count = 1

    def loss(self, outputs: Float[Array, "... Q"], targets: Array, weights: Array) -> Loss:
        """Give the mean of squared, absolute or Huber's errors."""
        value, back = ERRORS[self.kind](outputs[..., 0], targets, weights)
        return value, lambda: back()[..., None]

    def centre(self, outputs: Float[Array, "... Q"]) -> Array:
        """Give the number."""
        return outputs[..., 0]

    def raw(self, outputs: Float[Array, "... Q"]) -> Raw:
        """Measure from the number itself, in units of the scale."""
        centre = outputs[..., 0]
        return Raw(centre, centre, np.ones_like(centre))

    def bounds(self, level: float) -> tuple[float, float]:
        """Nothing is known of the errors."""
        return np.nan, np.nan


@dataclass(frozen=True)
class Quantiles(Output):
    """The lower end of an interval, the median, the upper end."""

    level: float
    count = 3

    def loss(self, outputs: Float[Array, "... Q"], targets: Array, weights: Array) -> Loss:
        """Give the mean pinball loss."""
        tail = (1.0 - self.level) / 2.0
        return quantile(outputs, targets, weights, quantiles=(tail, 0.5, 1.0 - tail))

    def centre(self, outputs: Float[Array, "... Q"]) -> Array:
        """Give the median."""
        return outputs[..., 1]

    def raw(self, outputs: Float[Array, "... Q"]) -> Raw:
        """Measure from the ends, which may not cross (Romano, Patterson & Candes 2019)."""
        low, middle, high = np.moveaxis(outputs, -1, 0)
        return Raw(np.minimum(low, middle), np.maximum(high, middle), np.ones_like(middle))

    def bounds(self, level: float) -> tuple[float, float]:
        """Take the ends as they are."""
        return 0.0, 0.0


@dataclass(frozen=True)
class Gaussian(Output):
    """A mean, and the logarithm of a variance."""

    count = 2

    def loss(self, outputs: Float[Array, "... Q"], targets: Array, weights: Array) -> Loss:
        """Give minus the log-likelihood."""
        return gaussian_likelihood(outputs, targets, weights)

    def centre(self, outputs: Float[Array, "... Q"]) -> Array:
        """Give the mean."""
        return outputs[..., 0]

    def raw(self, outputs: Float[Array, "... Q"]) -> Raw:
        """Measure from the mean in standard deviations."""
        return Raw(outputs[..., 0], outputs[..., 0], np.exp(outputs[..., 1] / 2.0))

    def bounds(self, level: float) -> tuple[float, float]:
        """Take the quantiles of the normal distribution."""
        deviations = NormalDist().inv_cdf((1.0 + level) / 2.0)
        return -deviations, deviations

    def combined(self, outputs: Float[Array, "B M *rest"]) -> Float[Array, "B *rest"]:
        """Give mean and variance of the mixture (Lakshminarayanan et al. 2017)."""
        means, variances = outputs[..., 0], np.exp(outputs[..., 1])
        mean = means.mean(axis=1)
        variance = (variances + means**2).mean(axis=1) - mean**2
        return np.stack([mean, np.log(np.maximum(variance, 1e-12))], axis=-1)

    def moved(self, outputs: Float[Array, "... Q"], by: Array) -> Float[Array, "... Q"]:
        """Shift the mean."""
        return np.stack([outputs[..., 0] + by, outputs[..., 1]], axis=-1)


def output_of(options: ForecastModelOptions) -> Output:
    """Give what the options ask for."""
    if options.output == QUANTILE:
        return Quantiles(options.level)
    return Gaussian() if options.output == GAUSSIAN else Point(options.loss)
