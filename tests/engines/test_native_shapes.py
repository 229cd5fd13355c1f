"""The native engine in shapes that break engines: one of everything, long, wide, ragged, not a multiple of a vector."""

import numpy as np
import pytest
from engine_problems import (
    GIVEN,
    JOINED,
    NOTHING_TO_LEARN,
    assert_engines_agree,
    counts_of,
    evaluate,
    problem,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.equations import Cell

SHAPES = {
    "one step": {"lengths": (1, 1, 1)},
    "one step of one sequence": {"lengths": (1,)},
    "one sequence": {"lengths": (6,)},
    "40 sequences": {"lengths": (3,) * 40},
    "70 sequences": {"lengths": (2,) * 70},
    "70 ragged sequences": {"lengths": tuple(range(70, 0, -1))},
    "equal lengths among others": {"lengths": (6, 6, 3, 3, 3, 1)},
    "one long among short": {"lengths": (9, 1, 1, 1)},
    "sequences never active": {"lengths": (4, 2), "idle": 3},
    "ever fewer, by many": {"lengths": (7, *(2,) * 33)},
}


@pytest.mark.parametrize("ids", [False, True], ids=["rows", "ids"])
@pytest.mark.parametrize("shape", SHAPES)
def test_lengths(shape, ids):
    """One kernel for all of them: what changes is the batch."""
    for cell in ("lstm", "gru"):
        assert_engines_agree(problem(cell, D=5, H=11, ids=ids, **SHAPES[shape]))


@pytest.mark.parametrize("shape", ["one step", "70 ragged sequences", "sequences never active", "one sequence"])
def test_lengths_with_inputs_per_row_and_per_sequence(shape):
    for cell in (GIVEN, JOINED, NOTHING_TO_LEARN):
        assert_engines_agree(problem(cell, D=5, H=11, **SHAPES[shape]))


def test_a_thousand_steps():
    """Far apart in time; the weights are small enough for gradients to stay of one size."""
    for ids in (False, True):
        assert_engines_agree(problem("lstm", D=3, H=4, lengths=(1000, 999, 400), spread=0.3, ids=ids))


@pytest.mark.parametrize(
    ("D", "H"), [(1, 1), (1, 5), (6, 1), (8, 16), (16, 8), (17, 15), (15, 33), (70, 3), (3, 70), (64, 64)]
)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_sizes(cell, D, H):
    one = problem(cell, D=D, H=H, lengths=(3, 2, 2))
    assert_engines_agree(one, inference=False)
    if cell == "lstm":
        assert_engines_agree(one.with_ids(), inference=False)


@pytest.mark.parametrize("sizes", [{"H": 5, "H_c": 19}, {"H": 19, "H_c": 5}, {"H": 8, "H_c": 1}])
def test_a_state_of_another_size(sizes):
    assert_engines_agree(problem("lstm_projected", D=3, **sizes))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_wide_enough_for_every_part_of_a_tile(dtype):
    """Products of more columns than a panel has and more rows than a tile has, in both precisions."""
    one = problem("gru_reset_after", D=131, H=147, lengths=(3,) * 29, spread=0.05).cast(dtype)
    kernel = one.bound("native", dtype)
    if dtype == np.float64:
        assert_engines_agree(one, inference=False)
        return
    exact = evaluate(one.cast(np.float64).bound("reference"), one.cast(np.float64))
    for name, array in evaluate(kernel, one).items():
        # sums of 147 numbers after 147 others, thrice: 3 sqrt(2 * 147) roundings, each of half a unit
        off = np.linalg.norm(array - exact[name]) / np.linalg.norm(exact[name])
        assert off <= 3 * np.sqrt(2 * 147) * np.finfo(np.float32).eps / 2, name


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    cell=st.sampled_from(["rnn", "lstm", "gru", "lem", "lstm_projected", "janet"]),
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=45),
    idle=st.integers(0, 3),
    D=st.integers(1, 70),
    H=st.integers(1, 70),
    ids=st.booleans(),
)
def test_any_shape(cell, lengths, idle, D, H, ids):
    one = problem(cell, D=D, H=H, lengths=lengths, idle=idle, ids=ids, spread=0.3)
    assert_engines_agree(one, inference=False)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=80), idle=st.integers(0, 9), ids=st.booleans())
def test_any_lengths(lengths, idle, ids):
    """Always the same sizes, so that nothing is compiled anew."""
    assert_engines_agree(problem("lstm", D=4, H=9, lengths=lengths, idle=idle, ids=ids, spread=0.3))


def test_idle_sequences_hand_their_state_through():
    one = problem("lstm", D=4, H=9, lengths=(3, 1), idle=2)
    kernel = one.bound("native")
    found = evaluate(kernel, one)
    for state in ("h", "c"):
        np.testing.assert_array_equal(found[f"final {state}"][2:], one.states[state][2:])
        np.testing.assert_array_equal(found[f"final {state} of inference"][2:], one.states[state][2:])
        np.testing.assert_array_equal(found[f"d_{state}"][2:], one.d_finals[state][2:])


def test_an_input_that_is_not_read():
    assert_engines_agree(problem(Cell.parse("h' = tanh(U @ h + b) + 0 * x", name="deaf"), D=6, H=6))


def test_workspaces_are_used_again_by_other_shapes():
    """What a larger batch left in them is not seen by a smaller one, nor the other way round."""
    shapes = [(9, 7, 2), (2, 1), (9, 7, 2), (9, 9, 9), (1,), (9, 7, 2)]
    ones = [problem("lstm", D=4, H=9, lengths=lengths, seed=seed) for seed, lengths in enumerate(shapes)]
    for one in ones:
        assert_engines_agree(one)
    assert counts_of((9, 7, 2)).tolist() == [3, 3, 2, 2, 2, 2, 2, 1, 1]
