"""PyTorch as the judge of convolution and pooling: same weights, same outputs, same gradients."""

import numpy as np
import pytest
from layer_checks import built, features, run_back

from noria.layers import Stack
from noria.layers.convolution import Convolution
from noria.layers.pooling import AttentionPooling, MaxPooling, MeanPooling

torch = pytest.importorskip("torch")

LENGTHS = (2, 5, 1, 4)


def as_tensor(array):
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("width", [1, 3, 5])
def test_convolution_is_conv1d_of_each_sequence(width):
    layer, _ = built(Convolution(6, width=width), 4)
    done = run_back(layer, features(LENGTHS, 4))
    theirs = torch.nn.Conv1d(4, 6, width, padding="same").double()
    with torch.no_grad():
        theirs.weight.copy_(torch.from_numpy(layer.W.value.reshape(6, width, 4).transpose(0, 2, 1).copy()))
        theirs.bias.copy_(torch.from_numpy(layer.b.value))
    x = features(LENGTHS, 4)
    sequences = [as_tensor(sequence) for sequence in x.to_sequences()]
    gradients = x.with_rows(done.d_y).to_sequences()
    for sequence, found, d_y in zip(sequences, done.y.to_sequences(), gradients, strict=True):
        y = theirs(sequence.T[None])[0].T
        np.testing.assert_allclose(found, y.detach(), rtol=1e-12, atol=1e-12)
        (y * torch.from_numpy(d_y)).sum().backward()
    for d_x, sequence in zip(x.with_rows(done.d_x).to_sequences(), sequences, strict=True):
        np.testing.assert_allclose(d_x, sequence.grad, rtol=1e-12, atol=1e-12)
    d_W = theirs.weight.grad.numpy().transpose(0, 2, 1).reshape(6, -1)
    np.testing.assert_allclose(layer.W.gradient, d_W, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(layer.b.gradient, theirs.bias.grad, rtol=1e-11)


@pytest.mark.parametrize("kind", [MeanPooling, MaxPooling, AttentionPooling])
def test_rectified_convolution_and_pooling_together(kind):
    network, _ = built(Stack([Convolution(6, rectified=True), kind()]), 4)
    convolution, pooling = network.layers
    x = features(LENGTHS, 4)
    y, backward = network(x)
    d_y = np.random.default_rng(5).normal(size=y.rows.shape)
    d_x = backward(d_y, tuple(None for _ in network.layers))
    W = as_tensor(convolution.W.value.reshape(6, 3, 4).transpose(0, 2, 1).copy())
    sequences = [as_tensor(sequence) for sequence in x.to_sequences()]
    for sequence, row, d_row in zip(sequences, y.rows, d_y, strict=True):
        bias = torch.from_numpy(convolution.b.value)
        rows = torch.relu(torch.nn.functional.conv1d(sequence.T[None], W, bias, padding="same")[0].T)
        if kind is MeanPooling:
            pooled = rows.mean(0)
        elif kind is MaxPooling:
            pooled = rows.max(0).values
        else:
            keys = torch.tanh(rows @ torch.from_numpy(pooling.W.value.T) + torch.from_numpy(pooling.b.value))
            pooled = torch.softmax(keys @ torch.from_numpy(pooling.v.value), 0) @ rows
        np.testing.assert_allclose(row, pooled.detach(), rtol=1e-12)
        (pooled * torch.from_numpy(d_row)).sum().backward()
    for found, sequence in zip(x.with_rows(d_x).to_sequences(), sequences, strict=True):
        np.testing.assert_allclose(found, sequence.grad, rtol=1e-11, atol=1e-13)
    d_W = W.grad.numpy().transpose(0, 2, 1).reshape(6, -1)
    np.testing.assert_allclose(convolution.W.gradient, d_W, rtol=1e-11, atol=1e-12)
