import numpy as np
import pytest
from quadratic_task import QuadraticTask

from noria.layers import Group
from noria.training.clipping import Clipping, global_norm
from noria.training.options import TrainingOptions
from noria.training.update import Updater

pytestmark = pytest.mark.usefixtures("either_engine")


def test_norm_is_euclidean_over_many_chunks():
    gradients = np.random.default_rng(0).standard_normal(20_011)
    np.testing.assert_allclose(global_norm(gradients), np.linalg.norm(gradients), rtol=1e-14)
    np.testing.assert_allclose(
        global_norm(gradients.astype(np.float32)), np.linalg.norm(gradients), rtol=1e-7
    )


def test_norm_of_single_precision_is_summed_in_double():
    # In single precision the small squares would vanish beside the large one.
    gradients = np.full(10_001, 1e-4, np.float32)
    gradients[0] = 1.0
    np.testing.assert_allclose(global_norm(gradients), np.sqrt(1 + 1e-4), rtol=1e-9)


@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 1e30), (np.float64, 1e200), (np.float64, 1e-200)])
def test_norm_neither_overflows_nor_underflows(dtype, size):
    np.testing.assert_allclose(global_norm(np.array([3 * size, 4 * size], dtype)), 5 * size, rtol=1e-6)


def test_norm_of_nothing_is_zero():
    assert global_norm(np.zeros(5)) == 0.0
    assert global_norm(np.ones(3), [Group(0, 3, True, True)]) == 0.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_bad_value_makes_the_norm_bad_and_nothing_is_changed(bad):
    gradients = np.arange(9_000.0)
    gradients[8_500] = bad
    before = gradients.copy()
    clipping = Clipping(max_norm=1.0, max_value=0.1)
    outcome = clipping(gradients)
    assert not np.isfinite(outcome.norm)
    assert not outcome.clipped
    np.testing.assert_array_equal(gradients, before)


def test_long_gradient_is_shortened_to_the_norm_in_its_direction():
    gradients = np.array([3.0, -4.0])
    outcome = Clipping(max_norm=2.0)(gradients)
    assert (outcome.norm, outcome.clipped) == (5.0, True)
    np.testing.assert_allclose(gradients, [1.2, -1.6], rtol=1e-15)


def test_short_gradient_is_left_to_the_bit():
    gradients = np.array([0.3, -0.4])
    outcome = Clipping(max_norm=0.6, max_value=0.45)(gradients)
    assert not outcome.clipped
    np.testing.assert_array_equal(gradients, [0.3, -0.4])


def test_values_are_cut_one_by_one():
    gradients = np.array([3.0, -4.0, 0.5])
    outcome = Clipping(max_value=2.5)(gradients)
    np.testing.assert_allclose(outcome.norm, np.sqrt(25.25))
    assert outcome.clipped
    np.testing.assert_array_equal(gradients, [2.5, -2.5, 0.5])


def test_norm_above_the_largest_value_need_not_mean_a_cut():
    gradients = np.array([3.0, 4.0])
    assert not Clipping(max_value=4.5)(gradients).clipped
    np.testing.assert_array_equal(gradients, [3.0, 4.0])


def test_values_are_cut_before_the_norm_is_taken():
    gradients = np.array([30.0, 0.4])
    outcome = Clipping(max_norm=0.25, max_value=0.3)(gradients)
    np.testing.assert_allclose(outcome.norm, np.hypot(30.0, 0.4))
    np.testing.assert_allclose(gradients, 0.25 * np.array([0.3, 0.3]) / np.hypot(0.3, 0.3), rtol=1e-14)


def test_off_means_off():
    gradients = np.array([1e6, -1e6])
    assert not Clipping()(gradients).clipped
    np.testing.assert_array_equal(gradients, [1e6, -1e6])


def test_frozen_values_neither_count_nor_change():
    gradients = np.array([3.0, 100.0, 4.0])
    groups = [Group(0, 1, True, False), Group(1, 2, True, True), Group(2, 3, False, False)]
    outcome = Clipping(max_norm=1.0, max_value=3.5)(gradients, groups)
    assert outcome.norm == 5.0
    np.testing.assert_allclose(gradients, [3.0 / np.hypot(3, 3.5), 100.0, 3.5 / np.hypot(3, 3.5)])


def test_events_are_counted():
    clipping = Clipping(max_norm=1.0)
    assert clipping.share == 0.0
    for size in (0.5, 2.0, 3.0, 0.1):
        clipping(np.array([size, 0.0]))
    assert (clipping.steps, clipping.events, clipping.share) == (4, 2, 0.5)


def test_single_precision_stays_single():
    gradients = np.array([3.0, 4.0], np.float32)
    Clipping(max_norm=1.0)(gradients)
    assert gradients.dtype == np.float32
    np.testing.assert_allclose(gradients, [0.6, 0.8], rtol=1e-6)


def test_what_measuring_leaves_to_do_is_a_scale():
    gradients = np.array([30.0, 0.4, -0.2])
    groups = [Group(0, 2, True, False), Group(2, 3, True, True)]
    whole = gradients.copy()
    clipping = Clipping(max_norm=0.25, max_value=0.3)
    met = clipping.measure(gradients, groups)
    np.testing.assert_array_equal(gradients, [0.3, 0.3, -0.2])
    np.testing.assert_allclose(met.scale, 0.25 / np.hypot(0.3, 0.3))
    assert met == Clipping(max_norm=0.25, max_value=0.3)(whole, groups)
    np.testing.assert_array_equal(whole, [*(met.scale * gradients[:2]), -0.2])
    assert clipping.measure(np.array([0.1, 0.1])).scale == 1.0
    assert clipping.measure(np.array([np.inf, 0.1])).scale == 1.0
    assert (clipping.steps, clipping.events) == (3, 1)


@pytest.mark.parametrize("clip", [2.0, 0.0])
def test_an_update_takes_the_shortened_gradient(clip):
    task = QuadraticTask()
    updater = Updater(task, TrainingOptions(optimizer="sgd", grad_clip=clip))
    update = updater.make(0, 0.25)
    norm = np.linalg.norm(task.targets)
    np.testing.assert_allclose(update.norm, norm)
    np.testing.assert_allclose(task.parameters.values, 0.25 * task.targets * (clip / norm if clip else 1.0))
    assert updater.clipping.events == bool(clip)
