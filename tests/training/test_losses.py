import numpy as np
import pytest

from noria.engines import cross_entropy, fused
from noria.errors import BackwardError, ShapeError, TargetError
from noria.training.losses import cross_entropy_rows, sequence_cross_entropy

pytestmark = pytest.mark.usefixtures("either_engine")


def make(rows=6, symbols=11, seed=3, dtype=np.float64, scale=2.0):
    rng = np.random.default_rng(seed)
    return (scale * rng.standard_normal((rows, symbols))).astype(dtype), rng.integers(0, symbols, rows)


def test_loss_is_the_mean_of_minus_log_softmax():
    logits, targets = make()
    by_hand = [-np.log(np.exp(row[t]) / np.exp(row).sum()) for row, t in zip(logits, targets, strict=True)]
    loss, _ = sequence_cross_entropy(logits, targets)
    assert isinstance(loss, float)
    np.testing.assert_allclose(loss, np.mean(by_hand), rtol=1e-14)
    np.testing.assert_allclose(cross_entropy_rows(logits, targets), by_hand, rtol=1e-13)


def test_gradient_equals_central_differences():
    logits, targets = make(rows=4, symbols=7)
    _, backward = sequence_cross_entropy(logits, targets)
    d_logits = backward(1.7)
    numeric = np.empty_like(logits)
    step = 1e-5
    for index in np.ndindex(logits.shape):
        up, down = logits.copy(), logits.copy()
        up[index] += step
        down[index] -= step
        numeric[index] = (
            1.7
            * (sequence_cross_entropy(up, targets)[0] - sequence_cross_entropy(down, targets)[0])
            / (2 * step)
        )
    np.testing.assert_allclose(d_logits, numeric, rtol=0, atol=1e-10)


def test_uniform_logits_cost_the_logarithm_of_the_number_of_symbols():
    loss, backward = sequence_cross_entropy(np.zeros((5, 13)), np.arange(5))
    np.testing.assert_allclose(loss, np.log(13), rtol=1e-15)
    d_logits = backward()
    np.testing.assert_allclose(d_logits.sum(axis=1), 0.0, atol=1e-16)
    np.testing.assert_allclose(d_logits[2, 2], (1 / 13 - 1) / 5, rtol=1e-15)


def test_large_logits_do_not_overflow():
    logits = np.array([[1e4, 0.0, -1e4], [-1e4, -1e4, -1e4]])
    np.testing.assert_allclose(cross_entropy_rows(logits, np.array([1, 2])), [1e4, np.log(3)], rtol=1e-14)


def test_symbols_ruled_out_by_minus_infinity_have_no_share():
    logits = np.array([[0.0, -np.inf, 0.0]])
    loss, backward = sequence_cross_entropy(logits, np.array([2]))
    np.testing.assert_allclose(loss, np.log(2))
    np.testing.assert_allclose(backward(), [[0.5, 0.0, -0.5]])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_gradient_keeps_the_precision_of_the_logits(dtype):
    logits, targets = make(dtype=dtype)
    loss, backward = sequence_cross_entropy(logits, targets)
    exact, exact_backward = sequence_cross_entropy(logits.astype(np.float64), targets)
    d_logits = backward()
    assert d_logits.dtype == dtype
    np.testing.assert_allclose(loss, exact, rtol=1e-6 if dtype != np.float64 else 0)
    np.testing.assert_allclose(d_logits, exact_backward(), rtol=0, atol=4 * np.finfo(dtype).eps)


def test_mean_of_many_rows_is_accumulated_in_double_precision():
    rows = 200_000
    logits = np.tile(np.array([[0.1, 0.0]], np.float32), (rows, 1))
    exact = np.log1p(np.exp(-np.float64(np.float32(0.1))))
    loss, _ = sequence_cross_entropy(logits, np.zeros(rows, np.int64))
    np.testing.assert_allclose(loss, exact, rtol=2e-7)


def test_rows_in_several_blocks_equal_rows_in_one(monkeypatch):
    logits, targets = make(rows=11)
    whole = cross_entropy_rows(logits, targets)
    monkeypatch.setattr(cross_entropy, "ROWS_AT_ONCE", 4)
    monkeypatch.setattr(fused, "PIECE", 40)
    np.testing.assert_array_equal(cross_entropy_rows(logits, targets), whole)


def test_forward_leaves_logits_alone():
    logits, targets = make()
    before = logits.copy()
    _, backward = sequence_cross_entropy(logits, targets)
    backward()
    np.testing.assert_array_equal(logits, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradient_may_take_the_place_of_the_logits(dtype):
    logits, targets = make(dtype=dtype)
    loss, backward = sequence_cross_entropy(logits, targets)
    in_place = logits.copy()
    loss_in_place, backward_in_place = sequence_cross_entropy(in_place, targets, out=in_place)
    assert loss_in_place == loss
    d_logits = backward_in_place(0.3)
    assert d_logits is in_place
    np.testing.assert_array_equal(d_logits, backward(0.3))


@pytest.mark.parametrize(
    "out",
    [np.empty((6, 12)), np.empty((5, 11)), np.empty((6, 11), np.float32)],
    ids=["wide", "short", "type"],
)
def test_memory_for_the_gradient_must_fit(out):
    with pytest.raises(ShapeError, match=r"\(6, 11\) and type float64"):
        sequence_cross_entropy(*make(), out=out)


def test_nan_passes_on():
    logits, targets = make()
    logits[2, 3] = np.nan
    loss, backward = sequence_cross_entropy(logits, targets)
    assert np.isnan(loss)
    assert np.isnan(backward()[2]).all()
    assert np.flatnonzero(np.isnan(cross_entropy_rows(logits, targets))).tolist() == [2]


def test_infinite_logit_is_not_mistaken_for_certainty():
    assert np.isnan(sequence_cross_entropy(np.array([[np.inf, 0.0]]), np.array([0]))[0])


@pytest.mark.parametrize("wrong", [-1, 11])
def test_target_outside_says_row_and_id(wrong):
    logits, targets = make()
    targets[4] = wrong
    with pytest.raises(TargetError, match=rf"row 4 is {wrong}, expected an id in \[0, 11\)"):
        sequence_cross_entropy(logits, targets)
    with pytest.raises(TargetError, match="row 4"):
        cross_entropy_rows(logits, targets)


def test_unsigned_targets_are_ids_too():
    logits, targets = make()
    assert (
        sequence_cross_entropy(logits, targets.astype(np.uint8))[0]
        == sequence_cross_entropy(logits, targets)[0]
    )


def test_targets_that_are_not_integers_are_refused():
    logits, targets = make()
    with pytest.raises(TargetError, match="float64"):
        sequence_cross_entropy(logits, targets.astype(float))


@pytest.mark.parametrize("count", [5, 7])
def test_one_target_for_each_row(count):
    logits, _ = make()
    with pytest.raises(ShapeError, match=rf"\(6, 11\).*\({count},\)"):
        sequence_cross_entropy(logits, np.zeros(count, np.int64))


def test_no_rows_have_no_mean():
    with pytest.raises(ShapeError, match="at least one row"):
        sequence_cross_entropy(np.zeros((0, 3)), np.zeros(0, np.int64))


def test_second_backward_is_refused():
    _, backward = sequence_cross_entropy(*make())
    backward()
    with pytest.raises(BackwardError, match="called before"):
        backward()
