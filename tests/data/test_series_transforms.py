"""Transforms are undone exactly, and nothing of the time to come enters them."""

import numpy as np
import pytest

from noria.data.series import Series
from noria.data.series_calendar import calendar_features, calendar_names
from noria.data.series_choices import wanted_lags, wants_log
from noria.data.series_frequency import Frequency
from noria.data.series_transforms import (
    Scale,
    continued,
    differenced,
    filled,
    forward_filled,
    logarithm,
    settled,
)
from noria.errors import DataError


def walk(steps, channels, seed=0):
    return np.random.default_rng(seed).normal(size=(steps, channels)).cumsum(axis=0)


def test_differences_are_those_of_the_textbook():
    y = walk(20, 2)
    w = differenced(y, (1, 4))
    assert np.isnan(w[:5]).all()
    for t in range(5, 20):
        np.testing.assert_allclose(w[t], y[t] - y[t - 1] - y[t - 4] + y[t - 5], atol=1e-12)


@pytest.mark.parametrize("lags", [(1,), (4,), (1, 4), (1, 1)])
def test_going_on_has_no_differences(lags):
    y = walk(11, 3)
    path = np.concatenate([y, continued(y[None], lags, 7)[0]])
    np.testing.assert_allclose(differenced(path, lags)[11:], 0, atol=1e-9)


def test_going_on_is_what_the_rules_say():
    y = walk(13, 1)
    np.testing.assert_array_equal(continued(y[None], (), 2)[0], np.zeros((2, 1)))
    np.testing.assert_allclose(continued(y[None], (1,), 3)[0], np.repeat(y[-1:], 3, axis=0))
    np.testing.assert_allclose(continued(y[None], (5,), 7)[0, :, 0], [*y[-5:, 0], *y[-5:-3, 0]])
    one = continued(y[None], (1, 12), 1)[0, 0]
    np.testing.assert_allclose(one, y[-1] + y[-12] - y[-13])


def test_gaps_are_filled_from_before_alone():
    y = walk(30, 2)
    y[[3, 4, 17], 0] = np.nan
    y[29, 1] = np.nan
    for lags in ((), (1,), (6,), (1, 6)):
        whole = filled(y, lags)
        assert not np.isnan(whole).any()
        np.testing.assert_array_equal(whole[~np.isnan(y)], y[~np.isnan(y)])
        for end in (4, 5, 18):
            np.testing.assert_array_equal(filled(y[:end], lags), whole[:end])
    np.testing.assert_array_equal(filled(y, ())[3:5, 0], [y[2, 0]] * 2)
    w = differenced(filled(y, (1, 6)), (1, 6))
    assert abs(w[17, 0]) < 1e-12


def test_a_channel_that_begins_later_stands_still_before():
    y = np.array([[1, np.nan], [2, np.nan], [3, 7], [4, np.nan], [5, 9.0]])
    np.testing.assert_array_equal(filled(y, ())[:, 1], [7, 7, 7, 7, 9])
    np.testing.assert_array_equal(forward_filled(y)[:, 1], [0, 0, 7, 7, 9])


@pytest.mark.parametrize("lags", [(), (1,), (4,), (1, 4)])
def test_a_tail_is_filled_as_the_whole(lags):
    rng = np.random.default_rng(3)
    y = walk(80, 2)
    y[rng.random(80) < 0.15, 0] = np.nan
    y[:6, 1] = np.nan
    y[60:66] = np.nan
    past = np.where(rng.random((80, 1)) < 0.6, np.nan, walk(80, 1, seed=1))
    series = Series("a", 5, y, np.zeros((82, 0)), past)
    whole, known = filled(y, lags), forward_filled(past)
    longest = 0
    for steps in range(1, 81):
        tail = series.tail(steps, Frequency(), lags)
        longest = max(longest, len(tail) - steps)
        assert len(tail) >= steps
        assert tail.start == 5 + 80 - len(tail)
        np.testing.assert_array_equal(filled(tail.values, lags)[-steps:], whole[-steps:])
        np.testing.assert_array_equal(forward_filled(tail.past)[-steps:], known[-steps:])
        shorter = tail.tail(max(steps - 3, 1), Frequency(), lags)  # a tail of a tail loses nothing either
        np.testing.assert_array_equal(
            filled(shorter.values, lags)[-max(steps - 3, 1) :], whole[-max(steps - 3, 1) :]
        )
    assert longest > 0
    assert settled(walk(20, 2), lags, 13) == 13


def test_a_channel_without_a_value_stays_without():
    y = np.array([[1, np.nan], [np.nan, np.nan], [3, np.nan]])
    np.testing.assert_array_equal(filled(y, (1,)), [[1, np.nan], [1, np.nan], [3, np.nan]])


def test_a_scale_is_of_what_was_observed():
    y = np.array([[1, 5, np.nan], [3, 5, 2.0], [np.nan, 5, 4]])
    scale = Scale.of(y)
    np.testing.assert_allclose(scale.mean, [2, 5, 3])
    np.testing.assert_allclose(scale.spread, [1, 1, 1])
    np.testing.assert_allclose(scale.undo(scale.apply(y)), y)


def test_logarithms_need_positive_values():
    with pytest.raises(DataError, match=r"series 'a': expected positive values.*got -2 at step 1"):
        logarithm(np.array([[1.0], [-2], [3]]), "a")


def test_logs_and_differences_are_chosen_by_the_training_part():
    rng = np.random.default_rng(5)
    t = np.arange(120)
    season = np.exp(0.01 * t + 0.2 * np.sin(2 * np.pi * t / 12) + 0.03 * rng.normal(size=120))[:, None]
    assert wants_log([season], 12)
    assert wanted_lags([np.log(season)], 12) == (12,) or wanted_lags([np.log(season)], 12) == (1, 12)
    noise = rng.normal(size=(300, 1))
    assert not wants_log([noise], 1)
    assert wanted_lags([noise], 1) == ()
    assert wanted_lags([noise.cumsum(axis=0)], 1) == (1,)
    assert wanted_lags([noise.cumsum(axis=0)], 7) == (1,)
    gaps = noise.cumsum(axis=0)
    gaps[40:45] = np.nan
    assert wanted_lags([gaps], 1) == (1,)
    assert wanted_lags([np.ones((50, 1))], 12) == ()


def test_calendar_features_are_points_on_circles():
    hours = Frequency("h")
    assert calendar_names(hours) == ("day", "week", "year")
    found = calendar_features(hours, np.datetime64("2024-01-01T00:00:00"), 24 * 14)  # a Monday
    assert found.shape == (336, 6)
    np.testing.assert_allclose(found[:, 0::2] ** 2 + found[:, 1::2] ** 2, 1)
    np.testing.assert_allclose(found[0], [0, 1, 0, 1, 0, 1], atol=1e-12)
    np.testing.assert_allclose(found[6, :2], [1, 0], atol=1e-12)
    np.testing.assert_allclose(found[5, :4], found[5 + 168, :4], atol=1e-9)
    months = calendar_features(Frequency("MS"), np.datetime64("2024-04-01"), 13)
    np.testing.assert_allclose(months[0], [1, 0], atol=1e-12)
    np.testing.assert_allclose(months[0], months[12], atol=1e-12)
    assert calendar_features(Frequency(), 3, 5).shape == (5, 0)
    assert calendar_names(Frequency("YS-JAN")) == ()


@pytest.mark.parametrize(
    ("code", "season", "title"),
    [
        ("h", 24, "hourly"),
        ("15min", 96, "every 15 min"),
        ("MS", 12, "monthly"),
        ("QS-JAN", 4, "quarterly"),
        ("W-SUN", 52, "weekly"),
        ("B", 5, "working days"),
        ("YS-JAN", 1, "yearly"),
        ("min", 60, "every minute"),
    ],
)
def test_seasons_follow_from_the_step(code, season, title):
    assert (Frequency(code).season, Frequency(code).title) == (season, title)
