"""Paired differences with confidence intervals: whether one variant is better than another, over the seeds.

Runs are paired by seed: with the same seed they have the same data, the same split and the same order, so
that what these do to the figure falls out of the difference.

How far the intervals can be trusted, in 20,000 simulated studies of 2, 3, 5 and 10 seeds, whose figures are
read off noisy learning curves at the best step:

* normal outcomes: 94.7 to 95.5 % of the intervals of 95 % hold the true difference; equal variants, two,
  three or five of them, are called different in 4.5 to 5.1 % of the studies;
* outcomes with heavy tails that both variants share (Student's t with 2 or 3 degrees of freedom, log-normal):
  the intervals are too wide, 95 to 99 %, so that less is claimed than could be;
* one variant that fails badly now and then, when the other does not: with few seeds no failure may be among
  them, and the interval tells of the runs that went well. A failure in 20 runs, far outside the spread of the
  others, leaves 92 % with 3 seeds, 87 % with 5 and 78 % with 10; one in ten, less far outside, 91 to 94 %.
  Look at the figure of every seed. Runs that diverge have no figure: they are counted, and left out here;
* figures that are counted, as accuracies of 0.9 on test parts of 29, 100 and 1,000: 94.6 to 100 % of the
  intervals hold the true difference, and equal variants are called different in 0 to 5.4 % of the studies.
  That is so because differences that are the same with every seed give no interval, as a single seed gives
  none: with two seeds and 29 answers 12 % are, and 9 % would be called different for that alone.

With two seeds only large differences are seen: the interval is 12.7 standard errors wide to either side.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Literal

import numpy as np

from noria.arrays import Array, Float

LEVEL = 0.95
ROUNDING = 1e-9
"""Deviations that are no larger, as a share of the largest value, are none: 0.3 - 0.2 is not 0.2 - 0.1."""

Verdict = Literal["better", "worse", "no difference"]


@dataclass(frozen=True)
class Difference:
    """What one variant's figures are less another's, over the seeds that both have.

    Attributes
    ----------
    one, other : str
    mean : float
    low, high : float
        The ends of the interval; infinite where there is no spread to judge by.
    seeds : int
    level : float
        Of the interval.
    """

    one: str
    other: str
    mean: float
    low: float
    high: float
    seeds: int
    level: float

    @property
    def has_spread(self) -> bool:
        """Whether there is anything to judge by: more than one seed, and differences that differ."""
        return math.isfinite(self.low)

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval leaves zero out: only then may a difference be claimed."""
        return self.low > 0 or self.high < 0

    def verdict(self, *, higher_is_better: bool) -> Verdict:
        """Say whether the first is better than the other."""
        if not self.excludes_zero:
            return "no difference"
        return "better" if (self.low > 0) is higher_is_better else "worse"


def paired_difference(
    one: Mapping[int, float],
    other: Mapping[int, float],
    *,
    level: float = LEVEL,
    names: tuple[str, str] = ("", ""),
) -> Difference | None:
    """Give the mean of the differences and its interval by Student's t; None without a common seed.

    Parameters
    ----------
    one, other : mapping of int to float
        The figure by seed. What is not finite is left out.
    level : float, default 0.95
    names : tuple of str

    References
    ----------
    Student 1908, The probable error of a mean.
    """
    seeds = sorted(
        seed for seed in one.keys() & other.keys() if math.isfinite(one[seed]) and math.isfinite(other[seed])
    )
    if not seeds:
        return None
    differences = np.array([one[seed] - other[seed] for seed in seeds])
    mean, half = map(float, interval_of(differences, level))
    return Difference(names[0], names[1], mean, mean - half, mean + half, len(seeds), level)


def all_pairs(figures: Mapping[str, Mapping[int, float]], *, level: float = LEVEL) -> list[Difference]:
    """Compare every variant with every other; the intervals hold together at the level (Bonferroni).

    Parameters
    ----------
    figures : mapping of str to mapping of int to float
        By variant and seed.
    level : float, default 0.95
        The chance that none of the intervals misses.
    """
    pairs = list(combinations(figures, 2))
    each = level_of_each(level, len(pairs))
    found = [
        paired_difference(figures[one], figures[other], level=each, names=(one, other))
        for one, other in pairs
    ]
    return [difference for difference in found if difference is not None]


def level_of_each(level: float, count: int) -> float:
    """Give the level at which each of some intervals has to stand, so that together they have another one."""
    return 1.0 - (1.0 - level) / max(1, count)


def interval_of(
    values: Float[Array, "*any S"], level: float = LEVEL
) -> tuple[Float[Array, "*any"], Float[Array, "*any"]]:
    """Give the mean along the last axis and half the width of its interval.

    The interval is that of Student's t: exact for normal values, however few. Where there is no spread, of a
    single value or of equal ones, it is infinite: equal counts tell no more of what chance does than one.
    """
    count = values.shape[-1]
    mean = np.asarray(values.mean(axis=-1))
    if count < 2:
        return mean, np.full_like(mean, math.inf)
    deviation = values.std(axis=-1, ddof=1)
    half = t_quantile(0.5 + level / 2, count - 1) * deviation / math.sqrt(count)
    return mean, np.where(deviation <= ROUNDING * np.abs(values).max(axis=-1), math.inf, half)


def half_width(values: Sequence[float], level: float = LEVEL) -> float:
    """Give half the width of the interval around the mean; infinite where values have no spread."""
    return float(interval_of(np.asarray(values, float), level)[1])


def spread(values: Sequence[float]) -> float:
    """Give the standard deviation of a sample; not a number for a single value."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan


@cache
def t_quantile(share: float, freedom: int) -> float:
    """Give the value that Student's t with so many degrees of freedom stays below with a probability."""
    if share < 0.5:
        return -t_quantile(1.0 - share, freedom)
    low, high = 0.0, 1.0
    while t_below(high, freedom) < share and high < 1e300:
        low, high = high, 2.0 * high
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if t_below(middle, freedom) < share else (low, middle)
    return 0.5 * (low + high)


def t_below(value: float, freedom: int) -> float:
    """Give the probability that Student's t is below a value (Abramowitz & Stegun 1964, 26.7.3, 26.7.4)."""
    angle = math.atan(value / math.sqrt(freedom))
    sine, cosine, odd = math.sin(angle), math.cos(angle), freedom % 2
    total, term = 0.0, cosine if odd else 1.0
    for number in range(1, freedom // 2 + 1):
        total += term
        term *= cosine * cosine * (2 * number - 1 + odd) / (2 * number + odd)
    inside = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return 0.5 * (1.0 + inside)
