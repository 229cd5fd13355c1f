"""Convolution over packed sequences: its gradients, its windows, and that no sequence sees another."""

import numpy as np
import pytest
from layer_checks import built, check_gradients, features, run_back

from noria.errors import DataError, OptionError
from noria.layers import Stack
from noria.layers.convolution import Convolution
from noria.sequences import Ragged
from noria.testing import check_layer

LENGTHS = (2, 5, 1, 4)


@pytest.mark.parametrize("rectified", [False, True])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 7])
def test_every_gradient_is_that_of_the_complex_step(width, rectified):
    def make():
        return Convolution(6, width=width, rectified=rectified)

    check_gradients(make, 4, features(LENGTHS, 4), state=False)
    check_layer(make(), features((3, 3), 4))


@pytest.mark.parametrize("width", [1, 2, 3, 6])
def test_each_step_is_a_product_with_its_window(width):
    layer, _ = built(Convolution(6, width=width), 4)
    x = features(LENGTHS, 4)
    y, _ = layer(x)
    before = (width - 1) // 2
    for sequence, found in zip(x.to_sequences(), y.to_sequences(), strict=True):
        padded = np.concatenate([np.zeros((before, 4)), sequence, np.zeros((width, 4))])
        windows = [padded[t : t + width].ravel() for t in range(len(sequence))]
        np.testing.assert_allclose(found, windows @ layer.W.value.T + layer.b.value, rtol=1e-12, atol=1e-13)


def test_no_sequence_leaks_into_another():
    layer, _ = built(Convolution(6, width=5), 4)
    x = features(LENGTHS, 4)
    sequences = x.to_sequences()
    y = layer(x)[0].to_sequences()
    sequences[1] = sequences[1] + 1.0
    changed = layer(Ragged.from_sequences(sequences))[0].to_sequences()
    for index in (0, 2, 3):
        np.testing.assert_array_equal(y[index], changed[index])
    assert np.abs(y[1] - changed[1]).min() > 0


def test_a_layer_in_three_places_sums_the_gradients_of_three():
    one = Convolution(4, width=1, rectified=True)
    shared, flat = built(Stack([one, one, one], keys=["0", "1", "2"]), 4)
    apart, three = built(Stack([Convolution(4, width=1, rectified=True) for _ in range(3)]), 4)
    assert three.count == 3 * flat.count
    three.values[...] = np.tile(flat.values, 3)
    x = features(LENGTHS, 4)
    d_y = np.random.default_rng(5).normal(size=x.rows.shape)
    for network in (shared, apart):
        _, backward = network(x)
        backward(d_y)
    np.testing.assert_allclose(flat.gradients, three.gradients.reshape(3, -1).sum(axis=0), rtol=1e-12)


def test_single_precision_stays_single():
    layer, _ = built(Convolution(6, rectified=True), 4, dtype=np.float32)
    done = run_back(layer, features(LENGTHS, 4, dtype=np.float32))
    assert done.y.rows.dtype == done.d_x.dtype == np.float32
    assert (done.y.rows >= 0).all()
    assert (done.y.rows == 0).any()


def test_refusals():
    with pytest.raises(OptionError, match="'width'"):
        Convolution(6, width=0)
    layer, _ = built(Convolution(6), 4)
    with pytest.raises(DataError, match="embedding"):
        layer(Ragged.from_sequences([[1, 2]]))
    with pytest.raises(OptionError, match="stream"):
        layer.stream()
    assert built(Convolution(6, width=1), 4)[0].stream().step(np.ones(4))[0].shape == (1, 6)
