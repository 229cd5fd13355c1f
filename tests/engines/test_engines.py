"""What holds for every engine, by value: runs, ids, kept values, what is refused, threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from engine_problems import ENGINES

from noria.compiler import compile_cell
from noria.engines import bind
from noria.equations import Cell, cells
from noria.errors import BackwardError, ShapeError, UnknownNameError

D, H = 4, 7
COUNTS = np.array([4, 3, 3, 1])
BATCH, TOTAL = 4, 11


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


def problem(engine, name="lstm", dtype=np.float64, keep=()):
    rng = np.random.default_rng(3)
    cell = cells[name] if isinstance(name, str) else name
    kernel = bind(compile_cell(cell, keep), {"D": D, "H": H}, dtype, engine)
    assert kernel.engine == engine
    theta = rng.normal(0, 0.5, kernel.size).astype(dtype)
    states = {state: rng.standard_normal((BATCH, H)).astype(dtype) for state in cell.states}
    return kernel, theta, states, rng.standard_normal((TOTAL, D)).astype(dtype), rng


def by_hand(kernel, theta, states, x):
    """An LSTM as one writes it down, one sequence after the other."""
    p = {name: kernel.view(theta, name) for name, _, _ in kernel.layout}

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    offsets = np.concatenate([[0], np.cumsum(COUNTS)])
    out, finals = np.empty((TOTAL, H)), {"h": np.empty((BATCH, H)), "c": np.empty((BATCH, H))}
    for b in range(BATCH):
        h, c = states["h"][b], states["c"][b]
        for t in range(int((b < COUNTS).sum())):
            row = offsets[t] + b
            i, f, o = (sigmoid(p[f"W_{k}"] @ x[row] + p[f"U_{k}"] @ h + p[f"b_{k}"]) for k in "ifo")
            g = np.tanh(p["W_g"] @ x[row] + p["U_g"] @ h + p["b_g"])
            c = f * c + i * g
            h = o * np.tanh(c)
            out[row] = h
        finals["h"][b], finals["c"][b] = h, c
    return out, finals


def test_an_lstm_by_hand(engine):
    kernel, theta, states, x, _ = problem(engine)
    run = kernel.start(theta, states, COUNTS)
    expected, finals = by_hand(kernel, theta, states, x)
    np.testing.assert_allclose(run.forward(x), expected, rtol=1e-13, atol=1e-14)
    for state in ("h", "c"):
        np.testing.assert_allclose(run.finals[state], finals[state], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_token_ids_are_one_hot_rows(engine, name):
    kernel, theta, states, _, rng = problem(engine, name)
    ids = rng.integers(0, D, TOTAL)
    d_h = rng.standard_normal((TOTAL, H))
    results = []
    for x in (ids, np.eye(D)[ids]):
        run = kernel.start(theta, states, COUNTS)
        h = run.forward(x)
        d_theta = np.ones_like(theta)  # gradients accumulate
        d_x = run.backward(d_h, None, d_theta)
        results.append((h, d_theta, d_x))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-13)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-12, atol=1e-13)
    assert results[0][2] is None
    assert results[1][2].shape == (TOTAL, D)


def test_token_ids_where_the_cell_does_more_than_multiply_them(engine):
    cell = Cell.parse("g = sigmoid(W_g @ x + b_g)\nh' = g * h + (1 - g) * tanh(x)", name="joined")
    kernel = bind(compile_cell(cell), {"D": H, "H": H}, np.float64, engine)
    theta = np.random.default_rng(0).standard_normal(kernel.size)
    ids = np.random.default_rng(1).integers(0, H, TOTAL)
    states = {"h": np.ones((BATCH, H))}
    dense = kernel.start(theta, states, COUNTS).forward(np.eye(H)[ids])
    np.testing.assert_allclose(kernel.start(theta, states, COUNTS).forward(ids), dense)
    with pytest.raises(ShapeError, match="joins the input to the state element by element"):
        bind(compile_cell(cell), {"D": D, "H": H}, engine=engine)


def test_kept_values_are_those_of_the_equations(engine):
    kernel, theta, states, x, rng = problem(engine, keep=("i", "a_i", "c", "d_c", "d_i"))
    run = kernel.start(theta, states, COUNTS)
    run.forward(x)
    kept = run.kept
    assert set(kept) == {"i", "a_i", "c"}
    np.testing.assert_allclose(kept["i"], 1 / (1 + np.exp(-kept["a_i"])), rtol=1e-13)
    last = np.array([10, 8, 9, 3])
    np.testing.assert_array_equal(kept["c"][last], run.finals["c"])
    d_theta = np.zeros_like(theta)
    run.backward(rng.standard_normal((TOTAL, H)), None, d_theta)
    gradient = kernel.view(d_theta, "b_i")
    np.testing.assert_allclose(
        (run.kept["d_i"] * kept["i"] * (1 - kept["i"])).sum(axis=0), gradient, rtol=1e-12
    )
    assert run.kept["d_c"].shape == (TOTAL, H)


def test_keeping_changes_nothing(engine):
    plain, theta, states, x, _ = problem(engine)
    keeping, *_ = problem(engine, keep=("i", "d_h", "a_o"))
    a, b = plain.start(theta, states, COUNTS), keeping.start(theta, states, COUNTS)
    # not to the bit: what is stored on its way is not always fused with what comes next
    np.testing.assert_allclose(a.forward(x), b.forward(x), rtol=1e-14, atol=1e-15)


def test_inference_keeps_what_is_asked_for_and_saves_nothing_else(engine):
    kernel, theta, states, x, _ = problem(engine, keep=("f",))
    run = kernel.start(theta, states, COUNTS, save=False)
    run.forward(x)
    assert run.kept["f"].shape == (TOTAL, H)
    with pytest.raises(BackwardError, match="saved nothing"):
        run.backward(np.zeros((TOTAL, H)), None, np.zeros_like(theta))


def test_a_backward_runs_once(engine):
    kernel, theta, states, x, _ = problem(engine)
    run = kernel.start(theta, states, COUNTS)
    run.forward(x)
    run.backward(np.zeros((TOTAL, H)), None, np.zeros_like(theta))
    with pytest.raises(BackwardError, match="once"):
        run.backward(np.zeros((TOTAL, H)), None, np.zeros_like(theta))


def test_float32_is_float64_rounded(engine):
    kernel, theta, states, x, _ = problem(engine)
    single = bind(kernel.program, {"D": D, "H": H}, np.float32, engine)
    low = single.start(
        theta.astype(np.float32), {k: v.astype(np.float32) for k, v in states.items()}, COUNTS
    ).forward(x.astype(np.float32))
    assert low.dtype == np.float32
    np.testing.assert_allclose(low, kernel.start(theta, states, COUNTS).forward(x), atol=5e-6)


def test_nan_passes_on(engine):
    """No clamp and no branch may hide a diverged value."""
    for text in (
        "h' = relu(W @ x + U @ h)",
        "h' = max(W @ x + U @ h, 0)",
        "h' = min(W @ x + U @ h, 1)",
        "h' = clip(W @ x + U @ h, -1, 1)",
    ):
        kernel = bind(compile_cell(Cell.parse(text, name="own")), {"D": D, "H": H}, np.float64, engine)
        x = np.full((1, D), np.nan)
        h = kernel.start(np.ones(kernel.size), {"h": np.zeros((1, H))}, np.array([1])).forward(x)
        assert np.isnan(h).all()


def test_large_values_saturate_without_warning(engine):
    kernel = bind(compile_cell(cells.lstm), {"D": 1, "H": 2}, np.float32, engine)
    states = {"h": np.zeros((2, 2), np.float32), "c": np.zeros((2, 2), np.float32)}
    theta = np.full(kernel.size, 100, np.float32)
    h = kernel.start(theta, states, np.array([2])).forward(np.array([[1e4], [-1e4]], np.float32))
    np.testing.assert_allclose(h, [[np.tanh(1)] * 2, [0, 0]], rtol=1e-6)


def test_wrong_shapes_are_named(engine):
    kernel, theta, states, x, _ = problem(engine)
    with pytest.raises(ShapeError, match=f"expected {kernel.size} parameters"):
        kernel.start(theta[1:], states, COUNTS)
    with pytest.raises(ShapeError, match="initial state 'c'"):
        kernel.start(theta, {"h": states["h"]}, COUNTS)
    with pytest.raises(ShapeError, match="expected 11 rows of x"):
        kernel.start(theta, states, COUNTS).forward(x[:10])
    with pytest.raises(ShapeError, match="never grow"):
        kernel.start(theta, states, np.array([1, 2]))
    with pytest.raises(ShapeError, match="has no size 'Q'"):
        bind(kernel.program, {"D": 1, "H": 1, "Q": 3}, engine=engine)
    with pytest.raises(ShapeError, match="expected a value for size 'D'"):
        bind(kernel.program, {"H": 1}, engine=engine)
    with pytest.raises(UnknownNameError, match="engine 'fast' does not exist"):
        bind(kernel.program, {"D": 1, "H": 1}, engine="fast")


def test_stepwise_refuses_what_makes_no_sense(engine):
    kernel, theta, states, x, _ = problem(engine)
    run = kernel.start(theta, states, None)
    run.step(x[:3])
    with pytest.raises(ShapeError, match="cannot go on"):
        run.step(x[:4])
    with pytest.raises(ShapeError):
        run.step(x[:0])
    run.step(x[:2])
    run.step_back(np.ones((2, H)))
    with pytest.raises(BackwardError, match="1 steps have not been"):
        run.finish(np.zeros_like(theta))
    run.step_back(np.ones((3, H)))
    with pytest.raises(BackwardError, match="all 2 steps"):
        run.step_back(np.ones((3, H)))


def test_many_threads_share_a_kernel(engine):
    kernel, theta, states, _, rng = problem(engine)
    inputs = [rng.standard_normal((TOTAL, D)) for _ in range(40)]

    def one(rows):
        run = kernel.start(theta, states, COUNTS)
        h = run.forward(rows)
        d_theta = np.zeros_like(theta)
        run.backward(np.ones((TOTAL, H)), None, d_theta)
        run.release()
        return h.copy(), d_theta

    expected = [one(rows) for rows in inputs]
    with ThreadPoolExecutor(8) as pool:
        for (h, d), (h2, d2) in zip(expected, pool.map(one, inputs), strict=True):
            np.testing.assert_array_equal(h, h2)
            np.testing.assert_array_equal(d, d2)


def test_an_output_outlives_its_run(engine):
    """Buffers are used again, outputs are the caller's."""
    kernel, theta, states, x, _ = problem(engine)
    run = kernel.start(theta, states, COUNTS)
    h = run.forward(x)
    before = h.copy()
    run.release()
    other = kernel.start(theta, states, COUNTS)
    other.forward(x + 1)
    np.testing.assert_array_equal(h, before)
