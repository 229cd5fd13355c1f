"""The conditional random field beside one that PyTorch differentiates by itself."""

import numpy as np
import pytest
from layer_checks import built, features

from noria.layers.crf import ConditionalRandomField

torch = pytest.importorskip("torch")

LENGTHS, TAGS = [4, 1, 6, 3], 5


def negative_log_likelihood(scores, tags, lengths, moves, first, last):
    """Sum over all sequences, one after the other, in log space."""
    total = torch.zeros((), dtype=scores[0].dtype)
    for rows, ids, length in zip(scores, tags, lengths, strict=True):
        forward, score = first + rows[0], first[ids[0]] + rows[0, ids[0]]
        for t in range(1, length):
            forward = torch.logsumexp(forward[:, None] + moves, 0) + rows[t]
            score = score + moves[ids[t - 1], ids[t]] + rows[t, ids[t]]
        total = total + torch.logsumexp(forward + last, 0) - score - last[ids[length - 1]]
    return total / sum(lengths)


def test_loss_and_gradients_are_those_of_pytorch():
    crf, flat = built(ConditionalRandomField(), TAGS)
    x = features(LENGTHS, TAGS)
    tags = np.random.default_rng(3).integers(0, TAGS, len(x))
    loss, backward = crf.loss(x, tags)
    d_scores = x.with_rows(backward()).to_sequences()
    parameters = [torch.tensor(one.value, requires_grad=True) for one in (crf.A, crf.first, crf.last)]
    scores = [torch.tensor(rows, requires_grad=True) for rows in x.to_sequences()]
    theirs = negative_log_likelihood(scores, x.with_rows(tags).to_sequences(), LENGTHS, *parameters)
    theirs.backward()
    assert loss == pytest.approx(theirs.item(), rel=1e-13)
    for ours, other in zip(d_scores, scores, strict=True):
        np.testing.assert_allclose(ours, other.grad.numpy(), atol=1e-14)
    for ours, other in zip((crf.A, crf.first, crf.last), parameters, strict=True):
        np.testing.assert_allclose(ours.gradient, other.grad.numpy(), atol=1e-14)
    assert flat.gradients.any()
