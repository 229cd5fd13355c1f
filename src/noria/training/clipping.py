"""Clipping of the gradient, by value and by global norm, with the events counted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Inexact
from noria.engines import fused
from noria.layers import Group
from noria.training.ranges import trainable_chunks


@dataclass(frozen=True)
class Clipped:
    """What one clipping met."""

    norm: float
    """Norm of the gradient as it came, not finite if any of its values is not."""
    clipped: bool
    """Whether anything was shortened or cut."""
    scale: float = 1.0
    """What the gradient has to be multiplied by to be as short as it may be."""


@dataclass
class Clipping:
    """Shortens gradients, and counts how often it had to.

    Parameters
    ----------
    max_norm : float
        Largest norm of the whole gradient (Pascanu et al. 2013); 0: off.
    max_value : float
        Largest magnitude of a single value, cut first; 0: off.
    """

    max_norm: float = 0.0
    max_value: float = 0.0
    steps: int = 0
    events: int = 0

    @property
    def share(self) -> float:
        """The share of the gradients so far that were clipped."""
        return self.events / self.steps if self.steps else 0.0

    def __call__(self, gradients: Inexact[Array, " P"], groups: Sequence[Group] | None = None) -> Clipped:
        """Clip one gradient in place. One that is not finite is left as it is.

        Parameters
        ----------
        gradients : array of shape (P,)
        groups : sequence of ranges, optional
            Frozen ones neither count nor change. By default, all values are trained.
        """
        met = self.measure(gradients, groups)
        if met.scale != 1.0:
            for part in trainable_chunks(gradients.size, groups):
                gradients[part] *= met.scale
        return met

    def measure(self, gradients: Inexact[Array, " P"], groups: Sequence[Group] | None = None) -> Clipped:
        """Do all of it but the shortening to a norm, which is left to whoever next goes over the gradient.

        Single values are cut in place. What is then left to do is the ``scale`` of the outcome: an optimiser
        takes it with the step, and spares the gradient one way through the memory.

        Parameters
        ----------
        gradients : array of shape (P,)
        groups : sequence of ranges, optional
            As in :meth:`__call__`.
        """
        norm = global_norm(gradients, groups)
        self.steps += 1
        if not math.isfinite(norm):
            return Clipped(norm, clipped=False)
        left, cut = norm, False
        # No value is larger than the norm, so a small norm settles the question for all of them.
        if self.max_value and norm > self.max_value:
            cut = self._cut_values(gradients, groups)
            left = global_norm(gradients, groups) if cut and self.max_norm else norm
        scale = self.max_norm / left if self.max_norm and left > self.max_norm else 1.0
        cut = cut or scale != 1.0
        self.events += cut
        return Clipped(norm, cut, scale)

    def _cut_values(self, gradients: Array, groups: Sequence[Group] | None) -> bool:
        cut = False
        for part in trainable_chunks(gradients.size, groups):
            values = gradients[part]
            if max(values.max(), -values.min()) > self.max_value:
                np.clip(values, -self.max_value, self.max_value, out=values)
                cut = True
        return cut


def global_norm(gradients: Inexact[Array, " P"], groups: Sequence[Group] | None = None) -> float:
    """Give the Euclidean norm of a flat gradient, frozen ranges left out.

    It is summed in float64, safe from overflow and underflow.

    Parameters
    ----------
    gradients : array of shape (P,)
    groups : sequence of ranges, optional

    Returns
    -------
    float
        Not finite if and only if a value is not.
    """
    ranges = [gradients[part] for part in trainable_chunks(gradients.size, groups, max(1, gradients.size))]
    total = sum(fused.sum_of_squares(vector) for vector in ranges)
    if math.isnan(total) or 1e-280 < total < math.inf:
        return math.sqrt(total)
    # Squares left the range of float64, or there is an infinite value, or all are zero: the largest one
    # tells.
    largest = max((float(np.abs(vector).max()) for vector in ranges if vector.size), default=0.0)
    if largest == 0.0 or math.isinf(largest):
        return largest
    exact = (np.divide(vector, largest, dtype=np.float64) for vector in ranges)
    return largest * math.sqrt(sum(fused.sum_of_squares(vector) for vector in exact))
