"""The passes around the recurrence: machine code against its twins in NumPy, with vectors of three widths."""

import dataclasses
import math
import sys
from functools import cache

import numpy as np
import pytest

from child_process import output_of
from noria.engines import fused, pieces, updates
from noria.engines.cross_entropy import cross_entropy
from noria.engines.native import flat, softmax
from noria.engines.native.code import Numbers
from noria.engines.native.host import host

WIDTHS = {"own": None, "8 lanes": (32, 16), "4 lanes": (16, 16)}
SIZES = (1, 2, 7, 16, 37, 64, 65, 131, 1003)
EPSILON = {np.float32: 6e-8, np.float64: 1.2e-16}


@cache
def numbers_of(width, dtype):
    here = host()
    if WIDTHS[width]:
        size, registers = WIDTHS[width]
        here = dataclasses.replace(here, vector_bytes=size, registers=registers)
    return Numbers(dtype, here)


UPDATES = cache(lambda width, name, dtype: flat.update_function(name, numbers_of(width, dtype)))
SQUARES = cache(lambda width, dtype: flat.squares_function(numbers_of(width, dtype)))
SOFTMAX = cache(
    lambda width, dtype, gradient, spread: softmax.softmax_function(
        numbers_of(width, dtype), gradient=gradient, spread=spread
    )
)


@pytest.fixture(params=WIDTHS)
def processor(request, monkeypatch):
    """Run the test on processors whose vectors have these widths."""
    width = request.param
    monkeypatch.setattr(flat, "update_of", lambda *key: UPDATES(width, *key))
    monkeypatch.setattr(flat, "squares_of", lambda *key: SQUARES(width, *key))
    monkeypatch.setattr(softmax, "softmax_of", lambda *key: SOFTMAX(width, *key))


@pytest.fixture
def numpy_only(monkeypatch):
    """Give a function that runs another one in NumPy."""

    def run(function, *arguments, **options):
        with monkeypatch.context() as patch:
            patch.setattr(fused, "is_native", lambda dtype: False)
            return function(*arguments, **options)

    return run


def fenced(array, fence=np.nan):
    """Give a copy in the middle of a larger array, and a function that tells if the fence still stands."""
    wide = np.full(tuple(size + 8 for size in array.shape), fence, array.dtype)
    inside = tuple(slice(3, 3 + size) for size in array.shape)
    wide[inside] = array

    def stands():
        outside = np.ones(wide.shape, bool)
        outside[inside] = False
        return np.array_equal(wide[outside], np.full(outside.sum(), fence, array.dtype), equal_nan=True)

    return wide[inside], stands


def exact_softmax(logits, ids):
    logits = logits.astype(np.longdouble)
    shifted = logits - logits.max(axis=1, keepdims=True)
    sums = np.exp(shifted).sum(axis=1)
    rows = np.arange(len(ids))
    d_logits = np.exp(shifted) / sums[:, None]
    d_logits[rows, ids] -= 1
    return np.log(sums) - shifted[rows, ids], d_logits / len(ids)


# Softmax
# --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("symbols", SIZES)
def test_rows_cost_what_they_should_and_nothing_beside_them_is_touched(symbols, dtype):
    rng = np.random.default_rng(symbols)
    plain = (3 * rng.standard_normal((5, symbols))).astype(dtype)
    plain[2] -= 700  # no row may lean on the size of its logits
    ids = rng.integers(0, symbols, 5)
    ids[0] = symbols - 1
    logits, logits_stand = fenced(plain)
    d_logits, d_logits_stand = fenced(np.full_like(plain, 7))
    nats, d_exact = exact_softmax(plain, ids)
    close = {"rtol": 0, "atol": 4 * EPSILON[dtype]}
    np.testing.assert_allclose(cross_entropy(logits, ids), nats, rtol=0, atol=20 * EPSILON[dtype])
    np.testing.assert_allclose(cross_entropy(logits, ids, d_logits), nats, rtol=0, atol=20 * EPSILON[dtype])
    np.testing.assert_allclose(d_logits, d_exact, **close)
    d_apart = np.empty((5, 3 * symbols), dtype)[:, symbols : 2 * symbols]
    cross_entropy(logits, ids, d_apart)
    np.testing.assert_array_equal(d_apart, d_logits)
    np.testing.assert_array_equal(logits, plain)
    assert d_logits_stand()
    cross_entropy(logits, ids, logits)
    np.testing.assert_array_equal(logits, d_logits)
    assert logits_stand()


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("symbols", [5, 37, 131])
@pytest.mark.parametrize("place", [0, 3, -1])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_pass_on_as_in_the_twin(bad, place, symbols, numpy_only):
    rng = np.random.default_rng(1)
    logits = rng.standard_normal((4, symbols)).astype(np.float32)
    logits[1, place] = bad
    logits[3] = bad
    ids = np.array([2, 1, 0, 4])
    d_logits, d_twin = np.empty_like(logits), np.empty_like(logits)
    nats = cross_entropy(logits, ids, d_logits)
    nats_twin = numpy_only(cross_entropy, logits, ids, d_twin)
    np.testing.assert_allclose(nats, nats_twin, rtol=1e-6)
    np.testing.assert_allclose(d_logits, d_twin, rtol=0, atol=1e-7)
    assert np.isnan(nats[3])
    assert np.isnan(d_logits[3]).all()
    if bad == -np.inf:
        assert d_logits[1, place] == 0.0


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize(("dtype", "gap"), [(np.float32, 65.0), (np.float64, 601.0)])
def test_symbols_far_below_have_no_share_and_cost_what_they_should(dtype, gap):
    logits = np.zeros((2, 18), dtype)
    logits[0, [4, 17]] = -gap
    d_logits = np.empty_like(logits)
    nats = cross_entropy(logits, np.array([17, 4]), d_logits)
    np.testing.assert_allclose(nats, [gap + np.log(16), np.log(18)], rtol=1e-7)
    assert d_logits[0, 4] == 0.0
    np.testing.assert_allclose(d_logits[0, [17, 0]], [-0.5, 0.5 / 16], rtol=1e-6)


def test_rows_in_any_order_and_ids_of_any_type():
    rng = np.random.default_rng(2)
    logits, ids = rng.standard_normal((6, 21)), rng.integers(0, 21, 6)
    nats = cross_entropy(logits, ids)
    np.testing.assert_array_equal(cross_entropy(logits[::-1], ids[::-1].astype(np.uint8)), nats[::-1])
    np.testing.assert_array_equal(cross_entropy(logits[::2], ids[::2]), nats[::2])
    np.testing.assert_array_equal(cross_entropy(logits[:, :1], 0 * ids), np.zeros(6))


def test_rows_that_machine_code_cannot_read_are_read_by_numpy():
    rng = np.random.default_rng(3)
    logits, ids = rng.standard_normal((6, 21)), rng.integers(0, 21, 6)
    nats = cross_entropy(logits, ids)
    shifted = np.frombuffer(b"\0" + logits.tobytes(), np.float64, offset=1).reshape(6, 21)
    columns = np.asfortranarray(logits)
    every_second = np.repeat(logits, 2, axis=1)[:, ::2]
    swapped = logits.astype(logits.dtype.newbyteorder())
    for other in (shifted, columns, every_second, swapped):
        np.testing.assert_allclose(cross_entropy(other, ids), nats, rtol=1e-14)
    d_logits = np.zeros_like(logits)
    d_logits.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        cross_entropy(logits, ids, d_logits)
    assert not d_logits.any()


# Flat vectors
# --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0, *SIZES])
def test_squares_are_summed_exactly_and_no_others_with_them(size, dtype):
    vector, _ = fenced(np.random.default_rng(size).standard_normal(size).astype(dtype))
    exact = math.fsum(float(value) ** 2 for value in vector)
    np.testing.assert_allclose(fused.sum_of_squares(vector), exact, rtol=1e-15 * (4 + size / 64))


def test_small_squares_do_not_vanish_beside_millions_of_others():
    vector = np.full(3_000_017, 0.1, np.float32)
    vector[0] = 1e15
    vector[1:] *= 1e10
    exact = float(vector[0]) ** 2 + 3_000_016 * float(vector[1]) ** 2
    np.testing.assert_allclose(fused.sum_of_squares(vector), exact, rtol=1e-11)


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("place", [0, 63, 70])
def test_squares_of_numbers_that_are_none_or_large(place):
    vector = np.ones(71, np.float32)
    for value, expected in ((np.nan, np.nan), (-np.inf, np.inf), (1e30, np.float64(np.float32(1e30)) ** 2)):
        vector[place] = value
        np.testing.assert_allclose(fused.sum_of_squares(vector), expected, rtol=1e-14)


def sgd(values, gradients, **others):
    updates.sgd(values, gradients, rate=0.3, **others)


def momentum(values, gradients, velocity, **others):
    updates.sgd(values, gradients, velocity, rate=0.3, momentum=0.8, **others)


def nesterov(values, gradients, velocity, **others):
    updates.sgd(values, gradients, velocity, rate=0.3, momentum=0.8, nesterov=True, **others)


def adagrad(values, gradients, squares, **others):
    updates.adagrad(values, gradients, squares, rate=0.3, epsilon=1e-3, **others)


def rmsprop(values, gradients, mean_square, **others):
    updates.rmsprop(values, gradients, mean_square, rate=0.3, alpha=0.9, epsilon=1e-3, **others)


def rmsprop_momentum(values, gradients, mean_square, velocity, **others):
    constants = {"alpha": 0.9, "epsilon": 1e-3, "momentum": 0.7}
    updates.rmsprop(values, gradients, mean_square, velocity, rate=0.3, **constants, **others)


ADAM = {"beta1": 0.8, "beta2": 0.95, "correction": 1.7, "epsilon": 1e-3}


def adam(values, gradients, mean, mean_square, **others):
    updates.adam(values, gradients, mean, mean_square, rate=0.3, **ADAM, **others)


def adamw(values, gradients, mean, mean_square, **others):
    updates.adam(values, gradients, mean, mean_square, rate=0.3, keep=0.97, **ADAM, **others)


RULES = {
    sgd: 0,
    momentum: 1,
    nesterov: 1,
    adagrad: 1,
    rmsprop: 1,
    rmsprop_momentum: 2,
    adam: 2,
    adamw: 2,
}
by_rule = pytest.mark.parametrize(
    ("rule", "slots"), RULES.items(), ids=lambda key: getattr(key, "__name__", "")
)


def vectors_of(size, slots, dtype=np.float64):
    rng = np.random.default_rng(size)
    return [rng.standard_normal(size).astype(dtype) for _ in range(2)] + [
        rng.random(size).astype(dtype) for _ in range(slots)
    ]


@pytest.mark.usefixtures("processor")
@by_rule
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("scale", "l2"), [(1.0, 0.0), (0.37, 0.0), (0.37, 0.2)])
def test_rules_equal_their_twins_and_change_nothing_else(rule, slots, dtype, scale, l2, numpy_only):
    for size in SIZES:
        twins = vectors_of(size, slots, dtype)
        mine, fences = zip(*(fenced(vector) for vector in twins), strict=True)
        for _ in range(3):
            rule(*mine, scale=scale, l2=l2)
            numpy_only(rule, *twins, scale=scale, l2=l2)
        for vector, twin in zip(mine, twins, strict=True):
            np.testing.assert_allclose(vector, twin, rtol=20 * EPSILON[dtype], atol=20 * EPSILON[dtype])
        assert all(stands() for stands in fences)
        np.testing.assert_array_equal(mine[1], twins[1])


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_running_mean_equals_its_twin_and_leaves_the_others(dtype, numpy_only):
    for size in SIZES:
        values, others = vectors_of(size, 0, dtype)
        (mine, stands), twin, before = fenced(values), values.copy(), others.copy()
        updates.towards(mine, others, weight=0.3)
        numpy_only(updates.towards, twin, others, weight=0.3)
        np.testing.assert_allclose(mine, values + 0.3 * (others - values), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(mine, twin, rtol=20 * EPSILON[dtype], atol=20 * EPSILON[dtype])
        np.testing.assert_array_equal(others, before)
        assert stands()


@by_rule
def test_nan_reaches_values_and_state(rule, slots):
    for place in (0, 40):
        vectors = vectors_of(41, slots)
        vectors[1][place] = np.nan
        rule(*vectors)
        for vector in vectors:
            assert np.flatnonzero(np.isnan(vector)).tolist() == [place]


@by_rule
def test_bits_do_not_depend_on_threads(rule, slots, monkeypatch):
    outcomes = []
    monkeypatch.setattr(fused, "PIECE", 96)
    logits, ids = np.random.default_rng(4).standard_normal((83, 13)), np.arange(83) % 13
    for threads in (1, 3):
        monkeypatch.setattr(pieces, "thread_count", lambda threads=threads: threads)
        vectors, d_logits = vectors_of(1003, slots), np.empty_like(logits)
        rule(*vectors)
        nats = cross_entropy(logits, ids, d_logits)
        outcomes.append([*vectors, fused.sum_of_squares(vectors[0]), nats, d_logits])
    for one, three in zip(*outcomes, strict=True):
        np.testing.assert_array_equal(one, three)


def test_running_means_without_gradient_come_to_rest_at_zero():
    mean = np.array([1e-37, -1e-37, 1e-3] * 6, np.float32)
    values, nothing, mean_square = np.ones_like(mean), np.zeros_like(mean), np.full_like(mean, 1e-30)
    for _ in range(30):
        adam(values, nothing, mean, mean_square)
    np.testing.assert_array_equal(mean[:2], [0, 0])
    np.testing.assert_allclose(mean[2], 1e-3 * 0.8**30, rtol=1e-5)
    np.testing.assert_allclose(mean_square, 1e-30 * 0.95**30, rtol=1e-5)


@by_rule
def test_vectors_that_machine_code_cannot_read_are_read_by_numpy(rule, slots, numpy_only):
    plain = vectors_of(23, slots)
    numpy_only(rule, *plain)
    wide = [np.repeat(vector, 2) for vector in vectors_of(23, slots)]
    rule(*(vector[::2] for vector in wide))
    for vector, twin in zip(wide, plain, strict=True):
        np.testing.assert_array_equal(vector[::2], twin)
        if twin is not plain[1]:
            assert (vector[1::2] != twin).all()
    fixed = vectors_of(23, slots)
    fixed[0].flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        rule(*fixed)
    with pytest.raises(ValueError, match="broadcast"):
        rule(*vectors_of(23, slots)[:-1], np.ones(22))


def test_mixed_and_complex_numbers_are_left_to_numpy():
    values, gradients = np.ones(5, np.complex128), np.full(5, 1 + 2j)
    sgd(values, gradients)
    np.testing.assert_allclose(values, 0.7 - 0.6j)
    values = np.ones(5)
    sgd(values, np.full(5, 2, np.float32))
    np.testing.assert_allclose(values, 0.4)


def test_without_machine_code_numpy_does_it_all(monkeypatch):
    logits, ids = np.random.default_rng(6).standard_normal((4, 9)), np.array([1, 8, 0, 3])
    nats = cross_entropy(logits, ids)
    for module in ("flat", "softmax"):
        monkeypatch.setitem(sys.modules, f"noria.engines.native.{module}", None)
    monkeypatch.setattr(fused, "why_not_native", lambda dtype: "there is none")
    fused.is_native.cache_clear()
    try:
        np.testing.assert_allclose(cross_entropy(logits, ids), nats, rtol=1e-14)
        assert fused.sum_of_squares(np.array([3.0, -4.0])) == 25.0
        values = np.ones(3)
        sgd(values, np.array([1.0, 2.0, -1.0]))
        np.testing.assert_allclose(values, [0.7, 0.4, 1.3])
    finally:
        fused.is_native.cache_clear()


def test_importing_the_passes_does_not_load_llvm():
    output_of("import sys, noria.training.losses; assert 'llvmlite' not in sys.modules")


def test_parts_cover_everything_once_and_are_alike():
    for count, parts in ((10, 3), (3, 10), (0, 4), (1, 1), (1003, 7)):
        cuts = pieces.split(count, parts)
        assert [index for cut in cuts for index in range(cut.start, cut.stop)] == list(range(count))
        lengths = [cut.stop - cut.start for cut in cuts]
        assert not lengths or max(lengths) - min(lengths) <= 1
        assert len(cuts) == min(count, parts)
