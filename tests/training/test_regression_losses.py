"""Losses of predicted numbers: their formulas, and every gradient."""

import numpy as np
import pytest

from noria.errors import BackwardError, DataError, OptionError, ShapeError
from noria.training.regression_losses import (
    gaussian_likelihood,
    huber,
    mean_absolute_error,
    mean_squared_error,
    quantile,
)

LEVELS = (0.1, 0.5, 0.8)


def of_errors(function):
    return lambda y, t: function(y - t)


FORMULAS = {
    "squared": (mean_squared_error, {}, 0, of_errors(np.square)),
    "absolute": (mean_absolute_error, {}, 0, of_errors(np.abs)),
    "huber": (
        huber,
        {"delta": 0.7},
        0,
        of_errors(lambda e: np.where(np.abs(e) <= 0.7, e**2 / 2, 0.7 * (np.abs(e) - 0.35))),
    ),
    "quantile": (
        quantile,
        {"quantiles": LEVELS},
        3,
        lambda y, t: np.maximum(
            np.array(LEVELS) * (t[..., None] - y), (np.array(LEVELS) - 1) * (t[..., None] - y)
        ),
    ),
    "gaussian": (
        gaussian_likelihood,
        {},
        2,
        lambda y, t: 0.5 * (np.log(2 * np.pi) + y[..., 1] + (t - y[..., 0]) ** 2 / np.exp(y[..., 1])),
    ),
}
by_loss = pytest.mark.parametrize(("loss", "options", "width", "formula"), FORMULAS.values(), ids=FORMULAS)


def make(shape, width, dtype=np.float64):
    rng = np.random.default_rng(2)
    predictions = rng.normal(size=(*shape, width) if width else shape).astype(dtype)
    return predictions, 1.5 * rng.normal(size=shape)


@by_loss
@pytest.mark.parametrize("shape", [(7,), (6, 4)], ids=str)
def test_the_loss_is_the_mean_of_its_formula(shape, loss, options, width, formula):
    predictions, targets = make(shape, width)
    found, _ = loss(predictions, targets, **options)
    np.testing.assert_allclose(found, formula(predictions, targets).mean(), rtol=1e-13)
    zero = loss(
        targets if not width else np.zeros_like(predictions), targets if not width else 0 * targets, **options
    )
    np.testing.assert_allclose(zero[0], 0.5 * np.log(2 * np.pi) if width == 2 else 0.0)


@by_loss
@pytest.mark.parametrize("weighting", ["even", "rows", "elements"])
@pytest.mark.parametrize("shape", [(7,), (6, 4)], ids=str)
def test_gradients_equal_central_differences(shape, weighting, loss, options, width, formula):
    predictions, targets = make(shape, width)
    weights = {
        "even": None,
        "rows": np.arange(shape[0]) % 3,
        "elements": np.random.default_rng(1).random(shape),
    }[weighting]
    d_predictions = loss(predictions, targets, weights, **options)[1](1.3)
    numeric = np.empty_like(predictions)
    for index in np.ndindex(predictions.shape):
        up, down = predictions.copy(), predictions.copy()
        up[index] += 1e-6
        down[index] -= 1e-6
        losses = [loss(moved, targets, weights, **options)[0] for moved in (up, down)]
        numeric[index] = 1.3 * (losses[0] - losses[1]) / 2e-6
    assert np.abs(numeric).max() > 0.01
    np.testing.assert_allclose(d_predictions, numeric, rtol=0, atol=1e-8)


@by_loss
def test_what_does_not_count_may_be_missing(loss, options, width, formula):
    predictions, targets = make((6, 4), width)
    counts = np.ones((6, 4))
    counts[1], counts[3, 2] = 0, 0
    holes = np.where(counts > 0, targets, np.nan)
    found, backward = loss(predictions, holes, counts, **options)
    there = counts > 0
    expected = formula(predictions[there], targets[there]).mean()
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    d_predictions = backward()
    assert np.isfinite(d_predictions).all()
    assert not d_predictions[~there].any()
    rows, rows_backward = loss(predictions, holes, (np.arange(6) == 2).astype(float), **options)
    np.testing.assert_allclose(rows, formula(predictions[2], targets[2]).mean(), rtol=1e-13)
    assert np.flatnonzero(rows_backward().reshape(6, -1).any(axis=1)).tolist() == [2]


@by_loss
def test_precision_and_second_calls(loss, options, width, formula):
    predictions, targets = make((6, 4), width, np.float32)
    found, backward = loss(predictions, targets, **options)
    np.testing.assert_allclose(found, formula(predictions.astype(float), targets).mean(), rtol=1e-6)
    assert backward().dtype == np.float32
    with pytest.raises(BackwardError, match="was called before"):
        backward()


@by_loss
def test_what_does_not_fit_is_refused(loss, options, width, formula):
    predictions, targets = make((6, 4), width)
    with pytest.raises(ShapeError, match="expected"):
        loss(predictions, targets[:5], **options)
    with pytest.raises(ShapeError, match="weight per element"):
        loss(predictions, targets, np.ones(5), **options)
    with pytest.raises(DataError, match="at least 0"):
        loss(predictions, targets, np.full(6, -1.0), **options)
    with pytest.raises(DataError, match="weights of all elements are zero"):
        loss(predictions, targets, np.zeros(6), **options)


def test_the_lowest_pinball_loss_is_at_the_quantile():
    draws = np.random.default_rng(0).normal(size=4000)
    grid = np.linspace(-2, 2, 401)
    losses = [quantile(np.full((4000, 1), y), draws, quantiles=[0.8])[0] for y in grid]
    np.testing.assert_allclose(grid[np.argmin(losses)], np.quantile(draws, 0.8), atol=0.011)


def test_options_out_of_range_are_named():
    y, t = make((3,), 0)
    with pytest.raises(OptionError, match="'delta' option of huber must be a positive float"):
        huber(y, t, delta=0.0)
    for wrong in ([], [0.0], [0.5, 1.0]):
        with pytest.raises(OptionError, match="'quantiles' option of quantile must list floats"):
            quantile(y[:, None], t, quantiles=wrong)
