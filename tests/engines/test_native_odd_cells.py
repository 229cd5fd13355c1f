"""Cells that nobody would write, and ways of running that nobody thinks of first."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from engine_problems import assert_same, evaluate, problem

from noria.compiler import compile_cell
from noria.engines.native.kernel import NativeKernel
from noria.equations import Cell

TEXTS = {
    "product of a product of x": "h' = tanh(P @ (W @ x) + U @ h + b)",
    "output is a product of x": "h' = W @ x",
    "x does not meet the state": "c' = c\nh' = tanh(W @ x + c)",
    "states swapped": "c' = h\nh' = tanh(W @ x + U @ c)",
    "output nobody reads": "c' = tanh(W @ x + U @ c)\nh' = c'",
    "one matrix twice": "h' = tanh(W @ x + U @ tanh(U @ h))",
    "x multiplied and joined": "h' = tanh(W @ x + U @ h + W @ (0.5 * x))",
    "vector multiplied": "v = V @ b\nh' = tanh(W @ x + U @ (v * h) + b)",
    "three products deep": "a = tanh(U_a @ h + W_a @ x)\ng = tanh(U_g @ a)\nh' = h / 2 + tanh(R @ g)",
    "infinite in the padding": "a = 1 / (W @ x)\nh' = tanh(U @ h + a) + log(abs(b))",
    "normalised twice": "h' = layer_norm(tanh(W @ x + U @ layer_norm(h)) + V @ layer_norm(h))",
    "read out": "c' = U @ c + W @ x\nh' = V @ c'",
}


AS_WIDE_AS_THE_STATE = {
    "x times h multiplied": "h' = tanh(W @ (x * h) + b)",
    "x beside h multiplied": "h' = tanh(W @ (x + h)) + x",
    "x times h added": "n = x * h\nh' = tanh(W @ x + W @ h + n)",
    "x times h in two states": "a = x * h\nc' = tanh(W @ a) * c\nh' = c' + a * tanh(U @ (c + a))",
}


@pytest.mark.parametrize("text", AS_WIDE_AS_THE_STATE.values(), ids=AS_WIDE_AS_THE_STATE)
def test_cells_whose_input_is_as_wide_as_the_state(text):
    one = problem(Cell.parse(text, name="odd"), D=7, H=7, lengths=(5, 4, 4, 1), idle=1)
    assert_same(evaluate(one.bound("native"), one), evaluate(one.bound("reference"), one))


@pytest.mark.parametrize("ids", [False, True], ids=["rows", "ids"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_odd_cells(text, ids):
    one = problem(Cell.parse(text, name="odd"), D=3, H=7, lengths=(5, 4, 4, 1), idle=1, ids=ids)
    assert_same(evaluate(one.bound("native"), one), evaluate(one.bound("reference"), one))


@pytest.mark.parametrize("text", [text for name, text in TEXTS.items() if "of x" not in name], ids=str)
def test_odd_cells_with_a_table(text):
    one = problem(Cell.parse(text, name="odd"), D=4, H=7, lengths=(5, 4, 4, 1))
    rng = np.random.default_rng(1)
    table, ids = rng.standard_normal((3, 4)), rng.integers(0, 3, one.total)
    found = []
    for engine in ("native", "reference"):
        kernel = one.bound(engine)
        if kernel.reads_input:
            return
        run = one.run(kernel)
        d_theta = np.zeros_like(one.theta)
        h = run.forward(ids, table).copy()
        found.append({"h": h, "d_table": run.backward(one.d_h, None, d_theta), "d_theta": d_theta})
    assert_same(*found)


@pytest.mark.parametrize("batch", [3, 33])
def test_many_steps_of_many_sequences(batch):
    """Memory has more room than was asked for, and grows by what there is."""
    one = problem("lstm", D=3, H=8, lengths=(18,) * batch)
    expected = evaluate(one.bound("native"), one, inference=False)
    run = one.bound("native").start(one.theta, one.states, None)
    h = np.concatenate([run.step(one.x[span]) for span in one.spans])
    np.testing.assert_allclose(h, expected["h"], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_ids_of_any_width_in_turn(engine):
    one = problem("rnn", D=300, H=5, lengths=(2, 2), ids=True)
    run = one.bound(engine).start(one.theta, one.states, None)
    steps = np.array([[1, 2], [200, 299]])
    found = [run.step(steps[0].astype(np.int8)), run.step(steps[1].astype(np.uint16))]
    expected = one.bound("reference").start(one.theta, one.states, np.array([2, 2])).forward(steps.ravel())
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=1e-12)
    d_h, d_theta, whole = np.ones((4, 5)), np.zeros_like(one.theta), np.zeros_like(one.theta)
    run.step_back(d_h[2:])
    run.step_back(d_h[:2])
    run.finish(d_theta)
    right = one.bound("reference").start(one.theta, one.states, np.array([2, 2]))
    right.forward(steps.ravel())
    right.backward(d_h, None, whole)
    np.testing.assert_allclose(d_theta, whole, rtol=1e-12, atol=1e-13)


def test_vectors_changed_in_between_are_those_of_the_backward():
    """As the matrices: parameters belong to the call that reads them."""
    one = problem("lstm_peephole", D=3, H=8, lengths=(3, 3))
    found = []
    for engine in ("native", "reference"):
        theta = one.theta.copy()
        run = one.bound(engine).start(theta, one.states, one.counts)
        run.forward(one.x)
        theta *= 1.5
        found.append({"d_x": run.backward(one.d_h, None, np.zeros_like(theta))})
    assert_same(*found)


def test_first_kernels_of_many_threads():
    """Each may make the library of products; none may lose it while its kernel lives."""
    ones = [problem(name, D=3, H=6, lengths=(3, 2)) for name in ("lstm", "gru", "rnn", "mgu")]
    expected = [evaluate(one.bound("reference"), one) for one in ones]

    def work(one):
        return evaluate(NativeKernel(compile_cell(one.cell), one.sizes, np.dtype(np.float64)), one)

    with ThreadPoolExecutor(4) as pool:
        for found, right in zip(pool.map(work, ones), expected, strict=True):
            assert_same(found, right)
