"""What the native engine takes, copies and refuses; how not-a-number passes through; tables of symbols."""

import numpy as np
import pytest
from engine_problems import GIVEN, TWO_STAGES, assert_engines_agree, assert_same, evaluate, problem

from noria.engines.native import kernel as native_kernel
from noria.equations import Cell
from noria.errors import BackwardError, ShapeError

# Refused before anything runs
# --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def one():
    return problem(GIVEN, D=5, H=9)


def test_parameters_that_are_refused(one):
    kernel = one.bound("native")
    wide = np.zeros((one.theta.size, 2))
    for theta in (one.theta[:-1], one.theta.astype(np.float32), wide[:, 0], wide, one.theta[None]):
        with pytest.raises(ShapeError, match=f"expected {kernel.size} parameters of float64"):
            kernel.start(theta, one.states, one.counts, given=one.given)


def test_states_that_are_refused(one):
    kernel = one.bound("native")
    for states in ({}, {"h": one.states["h"][:, :8]}, {"h": one.states["h"][0]}, {"q": one.states["h"]}):
        with pytest.raises(ShapeError, match="expected an initial state 'h'"):
            kernel.start(one.theta, states, one.counts, given=one.given)
    lstm = problem("lstm", D=5, H=9)
    with pytest.raises(ShapeError, match=r"initial state 'c' of shape \(B, 9\), got \(2, 9\)"):
        lstm.bound("native").start(lstm.theta, lstm.states | {"c": np.zeros((2, 9))}, lstm.counts)


@pytest.mark.parametrize("counts", [[], [5], [4, 0], [0], [2, 3], [3, -1]], ids=str)
def test_counts_that_are_refused(one, counts):
    with pytest.raises(ShapeError, match="active counts that never grow"):
        one.bound("native").start(one.theta, one.states, np.array(counts, np.int64), given=one.given)


def test_inputs_that_are_refused(one):
    kernel = one.bound("native")
    for x in (one.x[:-1], np.concatenate([one.x, one.x[:1]]), np.zeros(one.total - 1, np.int64)):
        with pytest.raises(ShapeError, match=f"expected {one.total} rows of x"):
            one.run(kernel).forward(x)
    for x in (one.x[:, :4], one.x[:, 0], one.x[:, :, None]):
        with pytest.raises(ShapeError, match="rows of 5 features"):
            one.run(kernel).forward(x)
    for wrong in (-1, 5, 1 << 40):
        ids = np.zeros(one.total, np.int64)
        ids[3] = wrong
        with pytest.raises(ShapeError, match="expected token ids from 0 to 4"):
            one.run(kernel).forward(ids)


def test_ids_of_a_joined_input_that_are_refused():
    joined = problem(Cell.parse("h' = 0.5 * h + tanh(x)", name="joined to h"), D=6, H=6)
    for wrong in (-1, 6):
        ids = np.full(joined.total, wrong)
        with pytest.raises(ShapeError):
            joined.run(joined.bound("native")).forward(ids)


def test_auxiliary_inputs_that_are_refused(one):
    kernel = one.bound("native")
    wrong = {
        "mask": (one.given["mask"][:3], one.given["mask"][:, :8], one.given["mask"][0]),
        "drive": (one.given["drive"][:-1], one.given["drive"][:, :8]),
    }
    for name, arrays in wrong.items():
        for array in arrays:
            run = kernel.start(one.theta, one.states, one.counts, given=one.given | {name: array})
            with pytest.raises(ShapeError, match=name):
                run.forward(one.x)
    with pytest.raises(ShapeError, match="expected the auxiliary input 'drive', got none"):
        kernel.start(one.theta, one.states, one.counts, given={"mask": one.given["mask"]}).forward(one.x)


def test_gradients_that_are_refused(one):
    kernel = one.bound("native")

    def begun():
        run = one.run(kernel)
        run.forward(one.x)
        return run

    d_theta = np.zeros_like(one.theta)
    for d_h in (one.d_h[:-1], one.d_h[:, :8], one.d_h[:, 0]):
        with pytest.raises(ShapeError, match="d_h"):
            begun().backward(d_h, None, d_theta)
    fixed = d_theta.copy()
    fixed.flags.writeable = False
    strided = np.zeros((d_theta.size, 2))[:, 0]
    for wrong in (d_theta[1:], d_theta.astype(np.float32), strided, fixed):
        with pytest.raises(ShapeError, match=f"room for {kernel.size} gradients of float64"):
            begun().backward(one.d_h, None, wrong)
    with pytest.raises(ShapeError, match="the gradient of the last 'h'"):
        begun().backward(one.d_h, {"h": np.zeros((3, 9))}, d_theta)
    assert not d_theta.any()
    assert not fixed.any()
    run = begun()
    run.backward(one.d_h, None, d_theta)
    with pytest.raises(BackwardError, match="once"):
        run.backward(one.d_h, None, d_theta)
    run = begun()
    run.release()
    with pytest.raises(BackwardError):
        run.backward(one.d_h, None, d_theta)
    run = one.run(kernel, save=False)
    run.forward(one.x)
    with pytest.raises(BackwardError, match="saved nothing"):
        run.backward(one.d_h, None, d_theta)


# Copied
# --------------------------------------------------------------------------------------------------------


def test_arrays_that_lie_otherwise_are_copied(one):
    """Every second row, columns first, single precision, lists of small integers: the numbers count."""
    expected = evaluate(one.bound("native"), one)

    def strided(array):
        room = np.full((2 * len(array), array.shape[1] + 3), np.nan)
        view = room[::2, 1:-2]
        view[...] = array
        assert not view.flags.c_contiguous
        return view

    for turned in (strided, np.asfortranarray):
        other = problem(GIVEN, D=5, H=9)
        other.x, other.d_h = turned(one.x), turned(one.d_h)
        for name in ("states", "given", "d_finals"):
            setattr(other, name, {key: turned(array) for key, array in getattr(one, name).items()})
        assert_same(evaluate(one.bound("native"), other), expected, 0.0)
    single = one.cast(np.float32)
    single.theta = one.theta
    exact = single.cast(np.float64)
    assert_same(evaluate(one.bound("native"), single), evaluate(one.bound("native"), exact), 0.0)


@pytest.mark.parametrize(
    "kind", [np.int8, np.uint8, np.int32, np.uint32, np.uint64], ids=lambda kind: kind.__name__
)
def test_ids_of_any_integer_type(kind):
    ids = problem("gru", D=5, H=9, ids=True)
    expected = evaluate(ids.bound("native"), ids)
    ids.x = np.repeat(ids.x, 2).astype(kind)[::2]
    assert_same(evaluate(ids.bound("native"), ids), expected, 0.0)


def test_nothing_that_is_handed_in_is_changed(one):
    before = problem(GIVEN, D=5, H=9)
    evaluate(one.bound("native"), one)
    for name in ("theta", "x", "d_h"):
        np.testing.assert_array_equal(getattr(one, name), getattr(before, name))
    for name in ("states", "given", "d_finals"):
        for key, array in getattr(one, name).items():
            np.testing.assert_array_equal(array, getattr(before, name)[key])


def test_a_table_of_symbols():
    """Ids into rows of a table are those rows, and the gradient is that of the table."""
    for cell, symbols in (("lstm", 6), ("gru_reset_after", 40), (TWO_STAGES, 3)):
        rows = problem(cell, D=5, H=9, lengths=(6, 5, 1))
        rng = np.random.default_rng(4)
        table, ids = rng.standard_normal((symbols, 5)), rng.integers(0, symbols, rows.total)
        rows.x = table[ids]
        kernel = rows.bound("native")
        expected = evaluate(kernel, rows, inference=False)
        run = rows.run(kernel)
        found = {"h": run.forward(ids, table), "d_theta": np.zeros_like(rows.theta)}
        found["d_x"] = run.backward(rows.d_h, rows.d_finals, found["d_theta"])
        d_table = np.zeros_like(table)
        np.add.at(d_table, ids, expected["d_x"])
        assert_same(found, {"h": expected["h"], "d_theta": expected["d_theta"], "d_x": d_table})
        wrong = ids.copy()
        wrong[2] = symbols
        with pytest.raises(ShapeError, match=f"token ids from 0 to {symbols - 1}"):
            rows.run(kernel).forward(wrong, table)
        with pytest.raises(ShapeError, match="a table of rows of 5 features"):
            rows.run(kernel).forward(ids, table[:, :4])


def test_tables_of_other_sizes_use_the_same_memory(monkeypatch):
    """Batches that differ in how many symbols occur take no fresh memory each, and find no old sums in it."""
    made = []
    workspace = native_kernel.Workspace
    monkeypatch.setattr(native_kernel, "Workspace", lambda *about: made.append(about[3]) or workspace(*about))
    rows = problem("lstm", D=5, H=9, lengths=(6, 5, 1))
    kernel = rows.bound("native")
    rng = np.random.default_rng(4)
    for symbols in (47, 41, 48, 6, 44):
        table, ids = rng.standard_normal((symbols, 5)), rng.integers(0, symbols, rows.total)
        rows.x = table[ids]
        expected = evaluate(rows.bound("reference"), rows, inference=False)
        run = rows.run(kernel)
        run.forward(ids, table)
        d_theta = np.zeros_like(rows.theta)
        d_table = run.backward(rows.d_h, rows.d_finals, d_theta)
        occurring = np.zeros_like(table)
        np.add.at(occurring, ids, expected["d_x"])
        assert_same({"d_theta": d_theta, "d_x": d_table}, {"d_theta": expected["d_theta"], "d_x": occurring})
        run.release()
    assert [key[2] for key in made] == [48]


@pytest.mark.parametrize("symbols", [1, 2, 30, 300])
def test_symbols_of_which_few_occur(symbols):
    for cell in ("lstm", TWO_STAGES):
        assert_engines_agree(problem(cell, D=symbols, H=9, ids=True, keep=("d_h",)))


# Not a number
# --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize("where", ["x", "theta", "d_h", "states", "given"])
def test_what_is_not_finite_passes_on(where, value):
    """Whatever the reference engine says is not a number, is none; nothing else becomes one in between."""
    for cell in ("lstm", "slstm", GIVEN) if where != "given" else (GIVEN,):
        one = problem(cell, D=5, H=9, lengths=(4, 4, 2), seed=3)
        array = getattr(one, where)
        array = next(iter(array.values())) if isinstance(array, dict) else array
        array.flat[array.size // 3] = value
        with np.errstate(all="ignore"):
            expected = evaluate(one.bound("reference"), one)
            found = evaluate(one.bound("native"), one)
        for name, right in expected.items():
            np.testing.assert_array_equal(np.isnan(found[name]), np.isnan(right), err_msg=name)
            np.testing.assert_allclose(found[name], right, rtol=1e-9, atol=1e-9, err_msg=name)


def test_not_a_number_passes_through_every_function():
    """In single precision too, and from the first lane to the last."""
    for text in (
        "relu(a)",
        "clip(a, -0.7, 0.9)",
        "max(a, 0.1)",
        "min(a, 0.5)",
        "abs(a)",
        "softplus(a)",
        "exp(-abs(a))",
    ):
        cell = Cell.parse(f"a = W @ x + 0.1 * h\nh' = {text}", name="own")
        for dtype in (np.float32, np.float64):
            one = problem(cell, D=3, H=21, lengths=(2, 2)).cast(dtype)
            kernel = one.bound("native", dtype)
            for lane in (0, 7, 20):
                run = one.run(kernel, save=False)
                kernel.view(one.theta, "W")[...] = 0.5
                kernel.view(one.theta, "W")[lane, 0] = np.nan
                h = run.forward(one.x)
                assert np.isnan(h[:, lane]).all(), (text, lane)
                assert np.isnan(h).sum() == len(h), (text, lane)
