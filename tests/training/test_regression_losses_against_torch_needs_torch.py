"""Losses with weights, against PyTorch's."""

import numpy as np
import pytest

from noria.training import regression_losses as ours
from noria.training.losses import sequence_cross_entropy

torch = pytest.importorskip("torch")
theirs = torch.nn.functional


def make(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def pinball(y, t):
    levels = torch.tensor([0.2, 0.6])
    e = t[..., None] - y
    return torch.maximum(levels * e, (levels - 1) * e)


CASES = {
    "squared": (ours.mean_squared_error, {}, 0, lambda y, t: (y - t) ** 2),
    "absolute": (ours.mean_absolute_error, {}, 0, lambda y, t: theirs.l1_loss(y, t, reduction="none")),
    "huber": (
        ours.huber,
        {"delta": 0.6},
        0,
        lambda y, t: theirs.huber_loss(y, t, reduction="none", delta=0.6),
    ),
    "quantile": (ours.quantile, {"quantiles": (0.2, 0.6)}, 2, pinball),
    "gaussian": (
        ours.gaussian_likelihood,
        {},
        2,
        lambda y, t: theirs.gaussian_nll_loss(
            y[..., 0], t, y[..., 1].exp(), full=True, eps=0, reduction="none"
        ),
    ),
}


@pytest.mark.parametrize(("loss", "options", "width", "judge"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_loss_and_gradient_are_pytorchs(weighted, loss, options, width, judge):
    predictions, targets = make(*((7, 3, width) if width else (7, 3))), 1.4 * make(7, 3, seed=1)
    weights = np.arange(7.0) if weighted else np.ones(7)
    y = torch.tensor(predictions, requires_grad=True)
    each = judge(y, torch.tensor(targets))
    each = each.reshape(7, -1).mean(dim=1)
    expected = (each * torch.tensor(weights)).sum() / weights.sum()
    expected.backward()
    found, backward = loss(predictions, targets, weights if weighted else None, **options)
    np.testing.assert_allclose(found, expected.item(), rtol=1e-7 if width == 2 else 1e-13)
    np.testing.assert_allclose(backward(), y.grad.numpy(), rtol=1e-6 if width == 2 else 1e-12, atol=1e-15)


@pytest.mark.parametrize("smoothing", [0.0, 0.15])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("symbols", [3, 37])
def test_smoothing_and_class_weights_are_pytorchs(smoothing, weighted, symbols):
    logits, targets = 2 * make(9, symbols), np.random.default_rng(1).integers(0, symbols, 9)
    classes = np.random.default_rng(2).random(symbols) + 0.1 if weighted else None
    y = torch.tensor(logits, requires_grad=True)
    expected = theirs.cross_entropy(
        y,
        torch.tensor(targets),
        weight=None if classes is None else torch.tensor(classes),
        label_smoothing=smoothing,
    )
    expected.backward()
    found, backward = sequence_cross_entropy(
        logits, targets, label_smoothing=smoothing, class_weights=classes
    )
    np.testing.assert_allclose(found, expected.item(), rtol=1e-13)
    np.testing.assert_allclose(backward(), y.grad.numpy(), rtol=1e-11, atol=1e-16)
