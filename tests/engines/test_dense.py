"""Products of dense layers: NumPy's values, compiled or not, on any number of threads."""

import numpy as np
import pytest

from noria.engines import dense
from noria.engines.threads import use_threads


@pytest.fixture(autouse=True)
def everything_is_worth_sharing(monkeypatch):
    monkeypatch.setattr(dense, "WORTH_SHARING", 0)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(np.float32, 2e-5), (np.float64, 1e-13), (np.complex128, 1e-13)]
)
@pytest.mark.parametrize(("rows", "K", "columns"), [(1, 1, 1), (2, 7, 65), (37, 50, 13), (130, 65, 128)])
def test_values(threads, dtype, tolerance, rows, K, columns):
    rng = np.random.default_rng(rows)
    x, W = rng.standard_normal((rows, K)).astype(dtype), rng.standard_normal((columns, K)).astype(dtype)
    d = rng.standard_normal((rows, columns)).astype(dtype)
    started = rng.standard_normal(W.shape).astype(dtype)
    with use_threads(threads):
        found = started.copy()
        dense.add_outer(d, x, found)
        np.testing.assert_allclose(found, started + d.T @ x, rtol=tolerance, atol=tolerance * 30)
        forward = dense.times(x, W, transposed=True)
        np.testing.assert_allclose(forward, x @ W.T, rtol=tolerance, atol=tolerance * 30)
        np.testing.assert_allclose(
            dense.times(d, W, transposed=False), d @ W, rtol=tolerance, atol=tolerance * 30
        )
        np.testing.assert_array_equal(forward, dense.times(x, W, transposed=True))
        b, sums = started[:, 0].copy(), started[:, 0].copy()
        np.testing.assert_allclose(
            dense.times(x, W, transposed=True, b=b), x @ W.T + b, rtol=tolerance, atol=tolerance * 30
        )
        dense.add_sum(d, sums)
        np.testing.assert_allclose(sums, b + d.sum(axis=0), rtol=tolerance, atol=tolerance * 30)


def test_rows_may_lie_apart_and_precisions_differ():
    rng = np.random.default_rng(0)
    wide = rng.standard_normal((9, 40))
    x, W = wide[:, 3:10], rng.standard_normal((5, 7)).astype(np.float32)
    np.testing.assert_allclose(dense.times(x, W, transposed=True), x @ W.T, rtol=1e-12)
    np.testing.assert_allclose(
        dense.times(x[:, ::-1], W.astype(float), transposed=True), x[:, ::-1] @ W.T, rtol=1e-12
    )
    d, out = rng.standard_normal((9, 4)), np.ones((4, 20))
    dense.add_outer(d, x, out[:, 2:9])
    np.testing.assert_allclose(out[:, 2:9], 1 + d.T @ x, rtol=1e-12)
    assert (out[:, :2] == 1).all()
    assert (out[:, 9:] == 1).all()
