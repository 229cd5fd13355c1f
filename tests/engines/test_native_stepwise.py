"""Step by step through the native engine: the same numbers as all at once, however many steps."""

import numpy as np
import pytest
from engine_problems import GIVEN, JOINED, TWO_STAGES, assert_same, evaluate, problem

from noria.errors import BackwardError, ShapeError

CELLS = {
    "lstm": "lstm",
    "projected": "lstm_projected",
    "given": GIVEN,
    "joined": JOINED,
    "two stages": TWO_STAGES,
}


def steps(kernel, one, *, save=True, in_between=None):
    """Give all that a run hands out as ``evaluate`` does, going step by step."""
    per_row = {given.name for given in one.cell.givens if given.per == "row"}
    given = {name: array for name, array in one.given.items() if name not in per_row}
    run = kernel.start(one.theta, one.states, None, given=given, save=save)
    rows = []
    for span in one.spans:
        rows.append(run.step(one.x[span], {name: one.given[name][span] for name in per_row}))
        if in_between:
            in_between(run)
    found = {"h": np.concatenate(rows)}
    found |= {f"final {name}": array for name, array in run.finals.items()}
    if not save:
        return found
    back = [run.step_back(one.d_h[span], one.d_finals) for span in reversed(one.spans)]
    found |= {f"kept {name}": np.array(array) for name, array in run.kept.items()}
    found["d_theta"] = np.zeros_like(one.theta)
    run.finish(found["d_theta"])
    if back[0] is not None:
        found["d_x"] = np.concatenate(back[::-1])
    found |= {f"d_{name}": array for name, array in run.d_states.items()}
    found |= {f"d_{name}": kernel.view(found["d_theta"], name) for name, _, _ in kernel.layout}
    return found


@pytest.mark.parametrize("ids", [False, True], ids=["rows", "ids"])
@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_stepwise_is_the_whole_batch(cell, ids):
    one = problem(cell, D=5, H=9, lengths=(6, 4, 4, 1), idle=1, ids=ids, seed=2)
    kernel = one.bound("native")
    found, whole = steps(kernel, one), evaluate(kernel, one, inference=False)
    if whole.keys() - found.keys() == {"d_x"}:
        pytest.fail("no gradient of the input")
    assert_same(found, whole)
    streamed = steps(kernel, one, save=False)
    assert_same(streamed, {name: whole[name] for name in streamed})


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 33, 140])
@pytest.mark.parametrize("ids", [False, True], ids=["rows", "ids"])
def test_buffers_grow(count, ids):
    """Room for rows doubles on the way; everything from earlier steps comes along."""
    one = problem("lstm", D=4, H=9, lengths=(count, count, (count + 1) // 2), ids=ids, spread=0.3)
    one.keep = ("i", "d_i", "c")
    kernel = one.bound("native")
    assert_same(steps(kernel, one), evaluate(kernel, one, inference=False))


def test_many_steps_with_inputs_per_row():
    one = problem(GIVEN, D=4, H=9, lengths=(90, 70, 1))
    kernel = one.bound("native")
    assert_same(steps(kernel, one), evaluate(kernel, one, inference=False))


def test_looking_at_states_on_the_way():
    """After every step the last states are those of a run that ends there."""
    one = problem("lstm_projected", D=4, H=9, lengths=(5, 3, 3, 1), idle=1)
    for save in (True, False):
        seen = []
        steps(one.bound("native"), one, save=save, in_between=lambda run, seen=seen: seen.append(run.finals))
        for t, finals in enumerate(seen):
            reference = one.bound("reference").start(one.theta, one.states, one.counts[: t + 1])
            reference.forward(one.x[: int(one.counts[: t + 1].sum())])
            assert_same(finals, reference.finals, 1e-13)


def test_gradients_of_states_on_the_way_back():
    """After every step back the gradient of the states is that of the steps gone back through."""
    one = problem("lstm", D=4, H=9, lengths=(5, 5, 5))
    found = []
    for engine in ("native", "reference"):
        run = one.bound(engine).start(one.theta, one.states, None)
        for span in one.spans:
            run.step(one.x[span])
        seen = []
        for span in reversed(one.spans):
            run.step_back(one.d_h[span], one.d_finals)
            seen.append({name: np.array(array) for name, array in run.d_states.items()})
        found.append(seen)
    for ours, theirs in zip(*found, strict=True):
        assert_same(ours, theirs)


def test_streams_of_one_kernel_do_not_meet():
    """Two runs, a step each in turn: each has its own states."""
    ones = [problem("gru", D=4, H=9, lengths=(40, 40), seed=seed) for seed in range(3)]
    kernel = ones[0].bound("native")
    runs = [kernel.start(one.theta, one.states, None, save=number != 2) for number, one in enumerate(ones)]
    rows = [[run.step(one.x[span]) for run, one in zip(runs, ones, strict=True)] for span in ones[0].spans]
    for number, one in enumerate(ones):
        whole = evaluate(kernel, one, inference=False)
        assert_same({"h": np.concatenate([row[number] for row in rows])}, {"h": whole["h"]})


def test_rows_given_by_a_step_are_the_callers():
    one = problem("gru", D=4, H=9, lengths=(3, 3))
    run = one.bound("native").start(one.theta, one.states, None, save=False)
    first = run.step(one.x[:2])
    before = first.copy()
    x = one.x[2:4].copy()
    run.step(x)
    np.testing.assert_array_equal(first, before)
    run = one.bound("native").start(one.theta, one.states, None)
    run.step(x)
    x[...] = np.nan  # the run has what it needs
    run.step_back(one.d_h[:2])
    d_theta = np.zeros_like(one.theta)
    run.finish(d_theta)
    assert np.isfinite(d_theta).all()


def test_what_makes_no_sense_is_refused():
    one = problem("lstm", D=4, H=9, lengths=(3, 3, 2))
    kernel = one.bound("native")
    d_theta = np.zeros_like(one.theta)

    def begun(count=2, *, save=True):
        run = kernel.start(one.theta, one.states, None, save=save)
        for span in one.spans[:count]:
            run.step(one.x[span])
        return run

    with pytest.raises(ShapeError, match="a sequence that has ended cannot go on"):
        begun(3).step(one.x[:3])
    with pytest.raises(ShapeError, match="1 to 3 rows"):
        begun().step(one.x[:0])
    with pytest.raises(ShapeError, match="rows of 4 features"):
        begun().step(one.x[:3, :3])
    with pytest.raises(ShapeError, match="token ids at every step of a run, or at none"):
        begun().step(np.zeros(3, np.int64))
    with pytest.raises(BackwardError, match="2 steps have not been gone back through"):
        begun().finish(d_theta)
    with pytest.raises(BackwardError, match="saved nothing"):
        begun(save=False).step_back(one.d_h[:3])
    with pytest.raises(ShapeError, match="expected 3 rows of d_h"):
        begun().step_back(one.d_h[:2])
    with pytest.raises(BackwardError):
        kernel.start(one.theta, one.states, None).step_back(one.d_h[:3])
    with pytest.raises(BackwardError):
        kernel.start(one.theta, one.states, None).finish(d_theta)
    run = begun()
    run.step_back(one.d_h[:3])
    run.step_back(one.d_h[:3])
    with pytest.raises(BackwardError, match="all 2 steps have been gone back through"):
        run.step_back(one.d_h[:3])
    run.finish(d_theta)
    assert np.abs(d_theta).max() > 0
