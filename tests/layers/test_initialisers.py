"""The laws of initial values, by their moments and their algebra."""

import numpy as np
import pytest

from noria.equations import Initial
from noria.errors import OptionError, UnknownNameError
from noria.layers import initialise


def draw(kind, *arguments, shape=(300, 200), seed=0):
    return initialise(
        Initial(kind, tuple(float(number) for number in arguments)), shape, np.random.default_rng(seed)
    )


def test_constants():
    assert (draw("zero", shape=(4,)) == 0).all()
    assert (draw("constant", 1.5, shape=(4, 2)) == 1.5).all()
    np.testing.assert_array_equal(draw("identity", shape=(3, 4)), np.eye(3, 4))
    np.testing.assert_array_equal(draw("identity", 0.5, shape=(3, 3)), 0.5 * np.eye(3))


def test_xavier_is_uniform_with_the_right_limit():
    values = draw("xavier")
    limit = np.sqrt(6 / 500)
    assert 0.999 * limit < np.abs(values).max() <= limit
    assert abs(values.var() / (2 / 500) - 1) < 0.02
    assert abs(values.mean()) < 0.01 * limit
    # even over the interval: as many in each tenth
    counts, _ = np.histogram(values, bins=10, range=(-limit, limit))
    assert np.abs(counts / 6000 - 1).max() < 0.06


def test_he_is_normal_with_variance_two_over_inputs():
    values = draw("he")
    assert abs(values.var() / (2 / 200) - 1) < 0.02
    assert abs(np.mean(values**4) / values.var() ** 2 - 3) < 0.1
    assert abs(values.mean()) < 0.001


@pytest.mark.parametrize("shape", [(40, 40), (40, 25), (25, 40)])
def test_orthogonal_keeps_lengths(shape):
    values = draw("orthogonal", shape=shape)
    assert values.shape == shape
    product = values @ values.T if shape[0] <= shape[1] else values.T @ values
    np.testing.assert_allclose(product, np.eye(min(shape)), atol=1e-12)
    np.testing.assert_allclose(draw("orthogonal", 2.0, shape=shape), 2 * values, atol=1e-12)


def test_orthogonal_matrices_are_evenly_distributed():
    """The trace of an even draw has mean 0 and variance 1; LAPACK's own Q is far from that."""
    rng = np.random.default_rng(0)
    matrices = [initialise(Initial("orthogonal", ()), (5, 5), rng) for _ in range(3000)]
    traces = np.array([np.trace(matrix) for matrix in matrices])
    assert abs(traces.mean()) < 0.06
    assert abs(traces.var() - 1) < 0.1
    corners = np.array([matrix[0, 0] for matrix in matrices])
    assert abs((corners > 0).mean() - 0.5) < 0.03
    assert abs(np.mean([np.linalg.det(matrix) for matrix in matrices])) < 0.06


def test_normal_and_uniform():
    values = draw("normal", 0.05)
    assert abs(values.std() / 0.05 - 1) < 0.02
    assert abs(values.mean()) < 0.001
    values = draw("uniform", -1, 3)
    assert values.min() >= -1
    assert values.max() < 3
    assert abs(values.mean() - 1) < 0.02
    assert abs(values.var() - 16 / 12) < 0.02
    assert np.abs(draw("uniform", 0.1)).max() <= 0.1


def test_chrono_forgets_over_the_range_of_memories():
    values = draw("chrono", 100, shape=(50_000,))
    assert values.min() >= 0
    assert values.max() <= np.log(99)
    # exp(b) is uniform on [1, 99]
    assert abs(np.exp(values).mean() - 50) < 0.5
    assert abs(np.exp(values).var() - 98**2 / 12) < 15
    with pytest.raises(OptionError, match=r"more than 2 steps. Got 2"):
        draw("chrono", 2, shape=(3,))


def test_a_matrix_of_several_parts_is_one_matrix():
    from layer_checks import built

    from noria.equations import Cell
    from noria.layers import Recurrent

    cell = Cell.parse("h' = tanh(W @ [h, x] + b)\ninit:\n  W = orthogonal", name="joined")
    _layer, flat = built(Recurrent(cell, 6), 4, spread=None)
    values = flat.state_dict()["joined.W"]
    assert values.shape == (6, 10)
    np.testing.assert_allclose(values @ values.T, np.eye(6), atol=1e-12)


def test_the_same_generator_draws_the_same():
    for kind in ("xavier", "he", "orthogonal", "normal"):
        np.testing.assert_array_equal(draw(kind, seed=4), draw(kind, seed=4))
        assert (draw(kind, seed=4) != draw(kind, seed=5)).any()


def test_errors():
    with pytest.raises(UnknownNameError, match="unknown initial value 'glorot'; there are zero, constant"):
        draw("glorot")
    for kind in ("xavier", "he", "orthogonal", "identity"):
        with pytest.raises(OptionError, match=f"'{kind}' is for matrices"):
            draw(kind, shape=(3,))
    with pytest.raises(OptionError, match=r"'constant' takes other numbers. Got none"):
        draw("constant")
    with pytest.raises(OptionError, match=r"'zero' takes other numbers. Got 1, 2"):
        draw("zero", 1, 2)
