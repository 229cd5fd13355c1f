"""Paired differences: against numbers computed by hand, and against their own promise over many studies."""

import math
from itertools import combinations

import numpy as np
import pytest

from noria.studies.statistics import (
    LEVEL,
    all_pairs,
    half_width,
    interval_of,
    level_of_each,
    paired_difference,
    spread,
    t_below,
    t_quantile,
)


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


def test_differences_that_are_all_the_same_exclude_nothing():
    found = paired_difference({0: 0.98, 1: 0.98, 2: 0.9}, {0: 0.97, 1: 0.97, 2: 0.89})
    assert found.mean == pytest.approx(0.01)
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert not found.has_spread
    assert 0.3 - 0.2 != 0.2 - 0.1
    assert not paired_difference({0: 0.3, 1: 0.2}, {0: 0.2, 1: 0.1}).has_spread
    assert found.verdict(higher_is_better=True) == "no difference"
    assert half_width([0.3, 0.3]) == half_width([0.0, 0.0]) == math.inf
    nearly = paired_difference({0: 0.98, 1: 0.98}, {0: 0.97, 1: 0.97001})
    assert nearly.has_spread
    assert nearly.excludes_zero
    means, halves = interval_of(np.array([[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]]))
    assert means.tolist() == [2.0, 2.0]
    assert halves.tolist() == [math.inf, pytest.approx(2.48414, abs=1e-5)]


@pytest.mark.parametrize("answers", [29, 100])
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_equal_variants_whose_answers_are_counted_are_seldom_called_different(seeds, answers):
    studies = 5000
    rng = np.random.default_rng([7, seeds, answers])
    figures = rng.binomial(answers, 0.9, size=(studies, 2, seeds)) / answers
    holds, called = judged(figures, (0.0, 0.0))
    chance = math.sqrt(0.05 * 0.95 / studies)
    assert called.mean() <= 0.05 + 2.5 * chance
    assert holds.mean() == 1.0 - called.mean()


def test_the_pairing_takes_out_what_seeds_share():
    rng = np.random.default_rng(0)
    data = 10 * rng.standard_normal(6)
    one = {seed: value + 0.1 * rng.standard_normal() for seed, value in enumerate(data)}
    other = {seed: value + 1 + 0.1 * rng.standard_normal() for seed, value in enumerate(data)}
    assert paired_difference(one, other).high < 0
    shuffled = dict(zip(other, list(other.values())[::-1], strict=True))
    assert not paired_difference(one, shuffled).excludes_zero


def outcomes(rng, gaps, *, studies, seeds, draw=np.random.Generator.standard_normal):
    """Simulate studies of variants that lie so far apart; give their figures (studies, variants, seeds).

    A run is a learning curve, of validation and of test: it falls, and rises again where it over-fits. What
    the seed does to all variants is in it, what chance does to one of them, and noise at each evaluation. The
    figure is that of the test part where the validation loss is lowest.
    """
    steps = np.arange(1, 16)
    shape = 2.0 * steps**-0.7 + 0.006 * np.maximum(0, steps - 9) ** 1.5
    shared = rng.standard_normal((studies, 1, seeds))
    ends = np.asarray(gaps)[:, None] + shared + 0.3 * draw(rng, size=(studies, len(gaps), seeds))
    curves = ends[..., None] + shape
    validation, test = (curves + 0.05 * rng.standard_normal(curves.shape) for _ in range(2))
    best = validation.argmin(axis=-1)[..., None]
    return np.take_along_axis(test, best, axis=-1)[..., 0]


def judged(figures, gaps):
    """Give in which studies all intervals hold the true differences, and in which any leaves zero out."""
    pairs = list(combinations(range(len(gaps)), 2))
    differences = np.stack([figures[:, one] - figures[:, other] for one, other in pairs], axis=1)
    mean, half = interval_of(differences, level_of_each(LEVEL, len(pairs)))
    true = np.array([gaps[one] - gaps[other] for one, other in pairs])
    return (np.abs(mean - true) <= half).all(axis=1), (np.abs(mean) > half).any(axis=1)


def by_name(study):
    return {f"v{place}": dict(enumerate(map(float, row))) for place, row in enumerate(study)}


def test_many_studies_at_once_are_judged_as_one_by_one():
    gaps = (0.0, 0.2, 0.7)
    figures = outcomes(np.random.default_rng(4), gaps, studies=30, seeds=5)
    holds, called = judged(figures, gaps)
    assert 0 < called.sum() < 30
    for study, is_held, is_called in zip(figures, holds, called, strict=True):
        found = all_pairs(by_name(study))
        true = [gaps[int(one.one[1])] - gaps[int(one.other[1])] for one in found]
        assert all(one.low <= gap <= one.high for one, gap in zip(found, true, strict=True)) == is_held
        assert any(one.excludes_zero for one in found) == is_called


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_intervals_cover_a_known_difference_as_often_as_they_say(seeds):
    for gaps in ((0.0, 0.25), (0.0, 0.1, 0.4)):
        figures = outcomes(np.random.default_rng([1, seeds]), gaps, studies=1000, seeds=seeds)
        holds, _ = judged(figures, gaps)
        assert holds.mean() == pytest.approx(LEVEL, abs=0.03)


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("variants", [2, 3, 5])
def test_equal_variants_are_seldom_called_different(seeds, variants):
    studies = 5000
    gaps = (0.0,) * variants
    figures = outcomes(np.random.default_rng([2, seeds]), gaps, studies=studies, seeds=seeds)
    _, called = judged(figures, gaps)
    chance = math.sqrt(0.05 * 0.95 / studies)  # by which a share of 5 % strays in so many studies
    assert called.mean() <= 0.05 + 2.5 * chance


def test_heavy_tails_make_fewer_claims():
    def heavy(rng, size):
        return rng.standard_t(2, size)

    figures = outcomes(np.random.default_rng(5), (0.0,) * 3, studies=3000, seeds=5, draw=heavy)
    holds, called = judged(figures, (0.0,) * 3)
    assert called.mean() < 0.04
    assert holds.mean() > 0.96


def test_failures_of_one_variant_alone_are_not_covered():
    """What the module says of them: with few seeds an interval tells of the runs that went well."""
    rng = np.random.default_rng(6)
    figures = outcomes(rng, (0.0, 0.0), studies=3000, seeds=10)
    figures[:, 1] += 5.0 * (rng.random((3000, 10)) < 0.05)
    holds, _ = judged(figures, (0.0, 0.25))
    assert 0.73 < holds.mean() < 0.83


def test_real_differences_are_found():
    figures = outcomes(np.random.default_rng(3), (0.0, 1.5), studies=200, seeds=5)
    found = [all_pairs(by_name(study))[0] for study in figures]
    assert sum(one.excludes_zero for one in found) / 200 > 0.9
    assert all(one.verdict(higher_is_better=False) != "worse" for one in found)
