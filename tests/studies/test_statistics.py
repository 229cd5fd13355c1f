"""Paired differences: against numbers computed by hand, and against their own promise over many studies."""

import math

import numpy as np
import pytest

from noria.studies.statistics import all_pairs, half_width, paired_difference, spread, t_below, t_quantile


@pytest.mark.parametrize(
    ("share", "freedom", "value"),
    [  # from the tables of Student's t
        (0.975, 1, 12.7062),
        (0.975, 2, 4.30265),
        (0.975, 3, 3.18245),
        (0.975, 4, 2.77645),
        (0.975, 9, 2.26216),
        (0.975, 30, 2.04227),
        (0.95, 5, 2.01505),
        (0.995, 4, 4.60409),
    ],
)
def test_quantiles_of_students_t(share, freedom, value):
    assert t_quantile(share, freedom) == pytest.approx(value, abs=6e-6 * value)
    assert t_quantile(1 - share, freedom) == pytest.approx(-value, abs=6e-6 * value)
    assert t_below(value, freedom) == pytest.approx(share, abs=1e-6)


def test_a_difference_by_hand():
    # 4 - 1, 6 - 4, 9 - 8: 3, 2, 1; mean 2, deviation 1, 4.30265 / sqrt(3) = 2.48414
    found = paired_difference({0: 4.0, 1: 6.0, 2: 9.0}, {0: 1.0, 1: 4.0, 2: 8.0})
    assert found.mean == pytest.approx(2.0)
    assert (found.low, found.high) == pytest.approx((-0.48414, 4.48414), abs=1e-5)
    assert not found.excludes_zero
    # 3, 2, 3, 2: mean 2.5, deviation 0.57735, 3.18245 * 0.57735 / 2 = 0.91869
    found = paired_difference({0: 4.0, 1: 6.0, 2: 9.0, 3: 3.0}, {0: 1.0, 1: 4.0, 2: 6.0, 3: 1.0})
    assert (found.low, found.high) == pytest.approx((1.58131, 3.41869), abs=1e-5)
    assert found.verdict(higher_is_better=True) == "better"
    assert found.verdict(higher_is_better=False) == "worse"


def test_only_seeds_that_both_have_are_compared():
    found = paired_difference({0: 1.0, 1: 5.0, 3: 2.0, 4: math.nan}, {1: 3.0, 3: 1.0, 4: 1.0, 7: 9.0})
    assert found.seeds == 2
    assert found.mean == pytest.approx(1.5)
    assert paired_difference({0: 1.0}, {1: 1.0}) is None


def test_a_single_seed_excludes_nothing():
    found = paired_difference({0: 100.0}, {0: 1.0})
    assert found.mean == 99.0
    assert not found.excludes_zero
    assert math.isnan(spread([1.0]))
    assert half_width([1.0]) == math.inf


def test_the_pairing_takes_out_what_seeds_share():
    rng = np.random.default_rng(0)
    data = 10 * rng.standard_normal(6)
    one = {seed: value + 0.1 * rng.standard_normal() for seed, value in enumerate(data)}
    other = {seed: value + 1 + 0.1 * rng.standard_normal() for seed, value in enumerate(data)}
    assert paired_difference(one, other).high < 0
    shuffled = dict(zip(other, list(other.values())[::-1], strict=True))
    assert not paired_difference(one, shuffled).excludes_zero


def _curves(rng, gaps, seeds):
    """Simulate the losses that variants end at: what the seed does to all of them, and noise of each."""
    shared = rng.standard_normal(seeds)
    return {
        f"v{place}": dict(enumerate(shared + gap + 0.3 * rng.standard_normal(seeds)))
        for place, gap in enumerate(gaps)
    }


def test_intervals_cover_a_known_difference_as_often_as_they_say():
    rng, studies = np.random.default_rng(1), 1000
    covered = 0
    for _ in range(studies):
        (found,) = all_pairs(_curves(rng, (0.0, 0.25), 5))
        covered += found.low <= -0.25 <= found.high
    assert covered / studies == pytest.approx(0.95, abs=0.03)


def test_equal_variants_are_seldom_called_different():
    rng, studies = np.random.default_rng(2), 1000
    called = sum(
        any(found.excludes_zero for found in all_pairs(_curves(rng, (0.0, 0.0, 0.0), 5)))
        for _ in range(studies)
    )
    assert called / studies <= 0.05


def test_real_differences_are_found():
    rng = np.random.default_rng(3)
    found = sum(all_pairs(_curves(rng, (0.0, 1.5), 5))[0].excludes_zero for _ in range(200))
    assert found / 200 > 0.9
