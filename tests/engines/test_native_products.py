"""The products of the native engine against NumPy, with guards around every buffer."""

import sys
import threading
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from child_process import output_of
from noria.engines.native.code import Numbers
from noria.engines.native.host import host
from noria.engines.native.memory import aligned
from noria.engines.native.products import add_outer, build, library, multiply, pack
from noria.errors import ShapeError

KINDS = ("float32", "float64")
GUARD = 64
MARK = 12345.5


def narrow(dtype, size):
    """Products compiled for narrower vectors and fewer registers than this processor has."""
    return build(Numbers(np.dtype(dtype), replace(host(), vector_bytes=size, registers=16)))


NARROW = {}


@pytest.fixture(params=["float32", "float64", "8 lanes", "4 lanes"])
def products(request):
    if request.param in KINDS:
        return library(request.param)
    if request.param not in NARROW:
        NARROW[request.param] = narrow("float32", 4 * int(request.param[0]))
    return NARROW[request.param]


def guarded(values, stride=None):
    """A copy whose rows lie ``stride`` apart, and the memory around it, marked where the copy is not."""
    rows, columns = values.shape
    stride = stride or columns
    memory = np.full(GUARD + rows * stride + GUARD, MARK, values.dtype)
    inner = memory[GUARD : GUARD + rows * stride].reshape(rows, stride)[:, :columns]
    inner[...] = values
    return inner, memory


def untouched(inner, memory):
    """Everything outside of ``inner`` is still marked."""
    copy = memory.copy()
    start = (inner.ctypes.data - memory.ctypes.data) // memory.itemsize
    view = np.lib.stride_tricks.as_strided(copy[start:], inner.shape, inner.strides)
    view[...] = MARK
    return bool((copy == MARK).all())


def normal(rng, products, *shape):
    return rng.standard_normal(shape).astype(products.numbers.dtype)


def close(found, expected, products, terms):
    """Sums of n products of standard normal numbers agree up to rounding.

    Partial sums are about sqrt(k) large and each is rounded once: n eps / 3 in all, of which the largest of
    thousands of entries has a few times as much.
    """
    epsilon = np.finfo(products.numbers.dtype).eps
    return np.abs(found - expected).max(initial=0.0) <= 2 * epsilon * (terms + 8)


def packed_by_hand(B, products):
    """The packed layout, as documented: panels one after the other, each K rows of whole vectors."""
    lanes, panel = products.numbers.lanes, products.panel * products.numbers.lanes
    padded = np.zeros((len(B), products.numbers.padded(B.shape[1])), B.dtype)
    padded[:, : B.shape[1]] = B
    pieces = [padded[:, i : i + panel].ravel() for i in range(0, padded.shape[1], panel)]
    assert padded.shape[1] % lanes == 0
    return np.concatenate(pieces) if pieces else np.zeros(0, B.dtype)


def call_multiply(products, A, P, vectors, C, add, panels=None):
    first, last = panels or (0, -(-vectors // products.panel))
    lanes = products.numbers.size
    products.functions["multiply"](
        A.ctypes.data, A.strides[0] // lanes, *A.shape, P.ctypes.data, first, last, vectors,
        C.ctypes.data, C.strides[0] // lanes, add,
    )  # fmt: skip


@pytest.mark.parametrize("add", [0, 1])
def test_multiply_agrees_with_numpy_at_every_height(products, add):
    rng = np.random.default_rng(3)
    lanes = products.numbers.lanes
    for rows in [*range(1, 41), 85]:
        K, N = int(rng.integers(1, 300)), int(rng.integers(1, 200))
        vectors = -(-N // lanes)
        A, A_memory = guarded(normal(rng, products, rows, K), K + int(rng.integers(0, 9)))
        B = normal(rng, products, K, N)
        P, P_memory = guarded(packed_by_hand(B, products)[None, :])
        old = normal(rng, products, rows, vectors * lanes)
        C, C_memory = guarded(old, vectors * lanes + int(rng.integers(0, 9)))
        call_multiply(products, A, P, vectors, C, add)
        expected = A.astype(np.float64) @ B + (old[:, :N] if add else 0.0)
        assert close(C[:, :N], expected, products, K), (rows, K, N)
        assert np.array_equal(C[:, N:], old[:, N:] if add else np.zeros_like(old[:, N:]))
        assert untouched(A, A_memory)
        assert untouched(P, P_memory)
        assert untouched(C, C_memory)


@pytest.mark.parametrize(("rows", "K", "N"), [(3, 5000, 35), (250, 1100, 18), (700, 300, 7), (14, 0, 20)])
def test_multiply_agrees_where_it_is_cut_into_blocks(products, rows, K, N):
    rng = np.random.default_rng(4)
    A, B = normal(rng, products, rows, K), normal(rng, products, K, N)
    found = multiply(A, pack(B, products=products))
    assert close(found, A.astype(np.float64) @ B, products, K)


def test_multiply_computes_only_the_panels_asked_for(products):
    rng = np.random.default_rng(5)
    rows, K = 9, 23
    lanes, panel = products.numbers.lanes, products.panel
    vectors = 3 * panel + 1
    A, B = normal(rng, products, rows, K), normal(rng, products, K, vectors * lanes)
    P = packed_by_hand(B, products)
    for first, last in [(0, 2), (1, 3), (3, 4), (2, 2)]:
        C = np.full((rows, vectors * lanes), MARK, A.dtype)
        call_multiply(products, A, P, vectors, C, 0, (first, last))
        low, high = first * panel * lanes, min(last * panel, vectors) * lanes
        assert close(C[:, low:high], A.astype(np.float64) @ B[:, low:high], products, K)
        assert (np.delete(C, np.s_[low:high], axis=1) == MARK).all()


def test_nothing_is_read_behind_the_rows_and_padding_makes_no_nan(products):
    rng = np.random.default_rng(6)
    for rows, K, N in [(1, 7, 5), (2, 33, 19), (13, 18, 50)]:
        lanes = products.numbers.lanes
        wide = np.full((rows, K + 40), np.nan, products.numbers.dtype)
        A = wide[:, 3 : 3 + K]
        A[...] = normal(rng, products, rows, K)
        W = np.full((N, K + 5), np.nan, products.numbers.dtype)
        W[:, :K] = normal(rng, products, N, K)
        packed = pack(W[:, :K], transposed=True, products=products)
        assert np.array_equal(packed.data, packed_by_hand(W[:, :K].T, products))
        C = np.full((rows, packed.padded), np.nan, A.dtype)
        call_multiply(products, A, packed.data, packed.vectors, C, 0)
        assert close(C[:, :N], A.astype(np.float64) @ W[:, :K].T, products, K)
        assert (C[:, N:] == 0).all()
        assert packed.padded % lanes == 0


def test_nan_and_infinity_pass_on_as_in_numpy(products):
    rng = np.random.default_rng(7)
    A, B = normal(rng, products, 16, 21), normal(rng, products, 21, 37)
    A[3, 20], A[5, 0], B[11, 36], B[2, 4] = np.nan, np.inf, np.inf, np.nan
    A[7, 11] = 0.0  # times infinity
    d, x = normal(rng, products, 21, 29), B.copy()
    with np.errstate(invalid="ignore"):
        expected, outer = A @ B, d.T @ x
    found = multiply(A, pack(B, products=products))
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.array_equal(np.isinf(found), np.isinf(expected))
    assert np.isnan(found[3]).all()
    assert np.isnan(found[7, 36])
    total = np.zeros_like(outer)
    add_outer(d, x, total, products=products)
    assert np.array_equal(np.isnan(total), np.isnan(outer))
    assert np.array_equal(np.isinf(total), np.isinf(outer))


@pytest.mark.parametrize("K", [1, 3, 16, 19, 50, 131])
def test_several_transposed_matrices_stand_side_by_side(products, K):
    rng = np.random.default_rng(K)
    lanes, size = products.numbers.lanes, products.numbers.size
    sizes = [1, lanes, 2 * lanes + 3, lanes - 1, 37]
    padded = [products.numbers.padded(outs) for outs in sizes]
    vectors = sum(padded) // lanes
    P, memory = guarded(np.full((1, products.packed_size(K, vectors)), np.nan, products.numbers.dtype))
    B = np.zeros((K, sum(padded)), products.numbers.dtype)
    start = 0
    for outs, width in zip(sizes, padded, strict=True):
        W, W_memory = guarded(normal(rng, products, outs, K), K + 3)
        B[:, start : start + outs] = W.T
        products.functions["pack_transposed"](
            W.ctypes.data, W.strides[0] // size, outs, K, P.ctypes.data, start // lanes, vectors
        )
        start += width
        assert untouched(W, W_memory)
    assert np.array_equal(P[0], packed_by_hand(B, products))
    assert untouched(P, memory)


@pytest.mark.parametrize("columns", [1, 16, 45, 64, 83])
def test_several_straight_matrices_stand_one_below_the_other(products, columns):
    rng = np.random.default_rng(columns)
    size = products.numbers.size
    vectors = products.numbers.padded(columns) // products.numbers.lanes + 1  # one of them is all padding
    heights, padded = [1, 13, 8], [4, 16, 8]
    total = sum(padded)
    P, memory = guarded(np.full((1, products.packed_size(total, vectors)), np.nan, products.numbers.dtype))
    B = np.zeros((total, vectors * products.numbers.lanes), products.numbers.dtype)
    start = 0
    for rows, room in zip(heights, padded, strict=True):
        W, W_memory = guarded(normal(rng, products, rows, columns), columns + 5)
        B[start : start + rows, :columns] = W
        products.functions["pack_straight"](
            W.ctypes.data, columns + 5, rows, columns, P.ctypes.data, start, room, total, vectors
        )
        start += room
        assert untouched(W, W_memory)
    assert size == P.itemsize
    assert np.array_equal(P[0], packed_by_hand(B, products))
    assert untouched(P, memory)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (5, 3), (16, 16), (17, 40), (70, 33), (64, 128)])
def test_transpose_pads_rows_with_zeros(products, rows, columns):
    rng = np.random.default_rng(rows)
    W, W_memory = guarded(normal(rng, products, rows, columns), columns + 2)
    width = products.numbers.padded(rows)
    T, memory = guarded(np.full((columns, width), np.nan, W.dtype), width + 7)
    products.functions["transpose"](W.ctypes.data, columns + 2, rows, columns, T.ctypes.data, width + 7)
    assert np.array_equal(T[:, :rows], W.T)
    assert (T[:, rows:] == 0).all()
    assert untouched(T, memory)
    assert untouched(W, W_memory)


@pytest.mark.parametrize("gathered", [False, True])
@pytest.mark.parametrize(
    ("rows", "gates", "group", "N"),
    [(1, 1, 1, 1), (5, 3, 7, 35), (400, 4, 50, 62), (33, 2, 64, 128), (1000, 1, 29, 3), (40, 3, 300, 9)],
)
def test_outer_adds_what_numpy_gives(products, rows, gates, group, N, gathered):
    rng = np.random.default_rng(rows + gates)
    size, M = products.numbers.size, gates * group
    stride = products.numbers.padded(group)
    D = np.full((rows, gates, stride), np.nan, products.numbers.dtype)
    D[:, :, :group] = normal(rng, products, rows, gates, group)
    A, A_memory = guarded(D.reshape(rows, gates * stride), gates * stride + 3)
    X, X_memory = guarded(normal(rng, products, rows + 6, N), N + 5)
    index = rng.integers(0, rows + 6, rows) if gathered else None
    old = normal(rng, products, M, N)
    C, C_memory = guarded(old, N + 1)
    work = aligned(products.work_size(N) + GUARD, A.dtype)
    work[...] = MARK
    for m0, m1 in [(0, M // 3), (M // 3, M)]:
        products.functions["outer"](
            A.ctypes.data, A.strides[0] // size, group, stride, m0, m1, X.ctypes.data, N + 5, N, rows,
            None if index is None else index.ctypes.data, C.ctypes.data, N + 1, work.ctypes.data,
        )  # fmt: skip
    chosen = X[:rows] if index is None else X[index]
    expected = old + D[:, :, :group].reshape(rows, M).astype(np.float64).T @ chosen
    assert close(C, expected, products, rows)
    assert (work[-GUARD:] == MARK).all()
    assert untouched(A, A_memory)
    assert untouched(X, X_memory)
    assert untouched(C, C_memory)


def test_outer_agrees_where_columns_are_cut_into_blocks(products):
    rng = np.random.default_rng(8)
    d, x = normal(rng, products, 30, 11), normal(rng, products, 30, 5003)
    out = normal(rng, products, 11, 5003)
    expected = out + d.astype(np.float64).T @ x
    add_outer(d, x, out, products=products)
    assert close(out, expected, products, 30)


@pytest.mark.parametrize(("K", "N"), [(5, 16), (17, 69), (4500, 35)])
def test_a_row_is_added_to_every_row(products, K, N):
    rng = np.random.default_rng(K)
    B, row = normal(rng, products, K, N), normal(rng, products, N)
    packed = pack(B, products=products)
    for rows in (1, 2, 3, 4, 11, 29):
        A = normal(rng, products, rows, K)
        out, memory = guarded(np.full((rows, packed.padded), np.nan, A.dtype), packed.padded + 3)
        found = multiply(A, packed, out, row=row)
        assert close(found, A.astype(np.float64) @ B + row, products, K), rows
        assert (out[:, N:] == 0).all()
        assert untouched(out, memory)
        assert np.array_equal(multiply(A, packed, row=row), found)
    with pytest.raises(ShapeError, match=f"a row of {N} numbers"):
        multiply(A, packed, row=row[1:])


def test_asking_ahead_changes_nothing(products):
    rng = np.random.default_rng(11)
    rows, K, N, size = 40, 70, 90, products.numbers.size
    A, packed = normal(rng, products, rows, K), pack(normal(rng, products, K, N), products=products)
    found = np.full((rows, packed.padded), np.nan, A.dtype)
    for ahead, wanted in [(0, 0), (found.ctypes.data, found.size), (64, 1 << 40), (A.ctypes.data, 1)]:
        out = np.empty_like(found)
        products.functions["multiply_ahead"](
            A.ctypes.data, K, rows, K, packed.data.ctypes.data, 0, packed.panels, packed.vectors,
            out.ctypes.data, out.strides[0] // size, 0, ahead, wanted,
        )  # fmt: skip
        assert np.array_equal(out[:, :N], multiply(A, packed))


@pytest.mark.parametrize("columns", [1, 15, 16, 65, 130, 200])
def test_rows_are_summed(products, columns):
    rng = np.random.default_rng(columns)
    R, R_memory = guarded(normal(rng, products, 57, columns), columns + 3)
    old = normal(rng, products, 1, columns)
    sums, memory = guarded(old)
    products.functions["sum_rows"](R.ctypes.data, columns + 3, 57, columns, sums.ctypes.data)
    assert close(sums, old + R.astype(np.float64).sum(axis=0), products, 57)
    assert untouched(sums, memory)
    assert untouched(R, R_memory)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (5, 3), (16, 16), (17, 40), (65, 50), (64, 128)])
def test_a_transposed_matrix_is_added(products, rows, columns):
    rng = np.random.default_rng(rows)
    W, W_memory = guarded(normal(rng, products, rows, columns), columns + 2)
    old = normal(rng, products, columns, rows)
    T, memory = guarded(old, rows + 7)
    products.functions["add_transposed"](W.ctypes.data, columns + 2, rows, columns, T.ctypes.data, rows + 7)
    assert np.array_equal(T, old + W.T)
    assert untouched(T, memory)
    assert untouched(W, W_memory)


def test_add_rows_adds_repeated_rows(products):
    rng = np.random.default_rng(9)
    lanes = products.numbers.lanes
    ids = np.array([4, 1, 4, 0, 4])
    R, _ = guarded(normal(rng, products, 5, 3 * lanes), 3 * lanes + 1)
    old = normal(rng, products, 6, 3 * lanes)
    T, memory = guarded(old, 3 * lanes + 2)
    products.functions["add_rows"](
        T.ctypes.data, 3 * lanes + 2, ids.ctypes.data, 5, R.ctypes.data, 3 * lanes + 1, lanes, 3 * lanes
    )
    expected = old.astype(np.float64)
    np.add.at(expected[:, lanes:], ids, R[:, lanes:])
    assert close(T, expected, products, 3)
    assert np.array_equal(T[:, :lanes], old[:, :lanes])
    assert untouched(T, memory)


@pytest.mark.parametrize("dtype", KINDS)
def test_arrays_of_any_layout_give_the_same(dtype):
    rng = np.random.default_rng(10)
    W, A = rng.standard_normal((45, 27)).astype(dtype), rng.standard_normal((22, 27)).astype(dtype)
    expected = multiply(A, pack(W, transposed=True))
    assert np.allclose(expected, A @ W.T, rtol=0, atol=1e-4)
    assert np.array_equal(
        multiply(np.asfortranarray(A), pack(np.asfortranarray(W), transposed=True)), expected
    )
    assert np.array_equal(multiply(A, pack(W.T)), expected)
    assert np.array_equal(multiply(A[::-1], pack(W.T))[::-1], expected)
    raw = np.zeros(A.nbytes + 1, np.uint8)[1:].view(dtype).reshape(A.shape)
    raw[...] = A
    assert np.array_equal(multiply(raw, pack(W.T)), expected)
    packed = pack(W.T)
    exact, roomy = np.full((22, 50), MARK, dtype), np.empty((22, packed.padded), dtype)
    assert np.array_equal(multiply(A, packed, exact[:, :45]), expected)
    assert (exact[:, 45:] == MARK).all()
    assert np.shares_memory(multiply(A, packed, roomy), roomy)
    assert np.array_equal(roomy[:, :45], expected)
    square = rng.standard_normal((96, 96)).astype(dtype)
    own = square.copy()
    assert np.allclose(multiply(own, pack(square), out=own), square @ square, rtol=0, atol=1e-3)
    across = np.zeros((27, 45), dtype).T
    once = np.zeros((45, 27), dtype)
    add_outer(expected, A, across)
    add_outer(expected, A, once)
    assert np.array_equal(across, once)


AT_THE_EDGE = """
import ctypes, mmap, sys
import numpy as np
from noria.engines.native.products import library

def edge(shape, dtype, fill=1.0):
    # The last number is the last of a page, and the next page may be neither read nor written.
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, room + mmap.PAGESIZE)
    whole = np.frombuffer(memory, np.uint8)
    assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(whole.ctypes.data + room), mmap.PAGESIZE, 0) == 0
    array = whole[room - size : room].view(dtype).reshape(shape)
    array[...] = fill
    return array

for dtype in ("float32", "float64"):
    products = library(dtype)
    for rows, K, N in [(1, 3, 5), (9, 21, 37), (14, 30, 33), (5, 1, 1)]:
        lanes, wide = products.numbers.lanes, products.numbers.padded(N)
        vectors, tall = wide // lanes, products.numbers.padded(K)
        f = {name: lambda *given, g=g: g(*(x.ctypes.data if isinstance(x, np.ndarray) else x for x in given))
             for name, g in products.functions.items()}
        P, T = edge(K * wide, dtype), edge((N, tall), dtype)
        W, A, X = edge((N, K), dtype), edge((rows, K), dtype), edge((rows, N), dtype)
        f["pack_transposed"](W, K, N, K, P, 0, vectors)
        panels, Y = -(-vectors // products.panel), edge((rows, wide), dtype)
        f["multiply"](A, K, rows, K, P, 0, panels, vectors, Y, wide, 0)
        assert (Y[:, :N] == K).all() and (Y[:, N:] == 0).all()
        f["pack_straight"](edge((K, N), dtype), N, K, N, P, 0, K, K, vectors)
        f["transpose"](edge((K, N), dtype), N, K, N, T, tall)
        assert (T[:, :K] == 1).all() and (T[:, K:] == 0).all()
        work, C = edge(products.work_size(N), dtype, 0.0), edge((K, N), dtype)
        f["outer"](A, K, K, K, 0, K, X, N, N, rows, edge(rows, np.int64, 0), C, N, work)
        assert (C == 1 + rows).all()
print("nothing foreign was touched")
"""


if sys.platform == "linux":  # elsewhere pages are protected in other ways

    def test_nothing_behind_the_last_number_is_read_or_written():
        assert output_of(AT_THE_EDGE) == "nothing foreign was touched\n"


def test_threads_share_rows():
    rng = np.random.default_rng(11)
    A, W = rng.standard_normal((90, 40)), rng.standard_normal((40, 70))
    packed, out, total = pack(W), np.empty((90, 80)), np.zeros((40, 72))
    D = np.ascontiguousarray(rng.standard_normal((90, 72)))
    cuts = [0, 25, 61, 90]
    threads = [
        threading.Thread(target=multiply, args=(A[low:high], packed, out[low:high, : packed.padded]))
        for low, high in pairwise(cuts)
    ] + [
        threading.Thread(target=add_outer, args=(A[:, low:high], D, total[low:high]))
        for low, high in [(0, 17), (17, 40)]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.allclose(out[:, :70], A @ W, rtol=0, atol=1e-12)
    assert np.allclose(total, A.T @ D, rtol=0, atol=1e-12)


def test_what_does_not_fit_is_refused_before_an_address_is_passed():
    a, w = np.ones((3, 4), np.float32), np.ones((4, 5), np.float32)
    packed = pack(w)
    with pytest.raises(ShapeError, match="rows of 4 numbers, got 5"):
        multiply(np.ones((3, 5), np.float32), packed)
    with pytest.raises(ShapeError, match="float32, got float64"):
        multiply(a.astype(np.float64), packed)
    with pytest.raises(ShapeError, match="float32 or float64, got int64"):
        pack(np.ones((4, 5), np.int64))
    with pytest.raises(ShapeError, match="to be a matrix"):
        pack(np.ones(4, np.float32))
    with pytest.raises(ShapeError, match="out of shape"):
        multiply(a, packed, np.ones((3, 6), np.float32))
    with pytest.raises(ShapeError, match="out of float32"):
        multiply(a, packed, np.ones((3, 5)))
    frozen = np.ones((3, 5), np.float32)
    frozen.flags.writeable = False
    with pytest.raises(ShapeError, match="read-only"):
        multiply(a, packed, frozen)
    with pytest.raises(ShapeError, match="3 rows, as many as d, got 2"):
        add_outer(a, a[:2], np.ones((4, 4), np.float32))
    with pytest.raises(ShapeError, match=r"shape \(4, 4\), got \(4, 5\)"):
        add_outer(a, a, np.ones((4, 5), np.float32))
    with pytest.raises(ShapeError, match="from 0 to 2, got -1 to 3"):
        add_outer(a, a, np.ones((4, 4), np.float32), np.array([3, -1, 0]))
    with pytest.raises(ShapeError, match="int64 index"):
        add_outer(a, a, np.ones((4, 4), np.float32), np.array([0.0, 1.0, 2.0]))
    with pytest.raises(ShapeError, match="float32 or float64"):
        library(np.dtype("float16"))


def test_memory_begins_on_a_cache_line():
    for shape in [3, (5, 7), (1, 4), (33,)]:
        for dtype in KINDS:
            array = aligned(shape, dtype)
            assert array.ctypes.data % 64 == 0
            assert array.flags.c_contiguous
            assert array.shape == (shape if isinstance(shape, tuple) else (shape,))
            assert array.dtype == dtype
