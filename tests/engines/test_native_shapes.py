"""The native engine in shapes that break engines: one of everything, long, wide, ragged, part of a vector."""

import numpy as np
import pytest
from engine_problems import (
    GIVEN,
    JOINED,
    NOTHING_TO_LEARN,
    TWO_STAGES,
    assert_engines_agree,
    assert_same,
    counts_of,
    evaluate,
    problem,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from child_process import output_of
from noria.engines.native.design import Design
from noria.engines.native.kernel import NativeKernel
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


@pytest.mark.parametrize(
    "shape", ["one step", "70 ragged sequences", "sequences never active", "one sequence"]
)
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


@settings(max_examples=25, derandomize=True)
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


@settings(max_examples=40, derandomize=True)
@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=80), idle=st.integers(0, 9), ids=st.booleans()
)
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


@pytest.mark.parametrize("ids", [False, True], ids=["rows", "ids"])
@pytest.mark.parametrize("cell", ["lstm", GIVEN, TWO_STAGES], ids=["lstm", "given", "two stages"])
def test_chunks_of_steps(monkeypatch, cell, ids):
    """However many steps are worked on at a time: one, a few, not a divisor of their number."""
    bound = problem(cell, D=5, H=9, keep=("h", "d_h")).bound("native")
    kernel = NativeKernel(bound.program, bound.sizes, bound.dtype)
    for idle, rows in enumerate((1, 9, 15)):  # another batch size takes other memory
        monkeypatch.setattr(Design, "chunk_rows", lambda design, name, rows=rows: rows)
        for lengths in ((8, 7, 5), (6, 6, 6), (11,)):
            one = problem(cell, D=5, H=9, lengths=lengths, idle=idle, ids=ids, keep=("h", "d_h"))
            found = evaluate(kernel, one, inference=False)
            assert_same(found, evaluate(one.bound("reference"), one, inference=False))


NARROW = """
import dataclasses, sys
from noria.engines.native import host
real = host.host()
host.host = lambda: dataclasses.replace(real, vector_bytes=int(sys.argv[1]), registers=16)
import numpy as np
from engine_problems import GIVEN, TWO_STAGES, assert_engines_agree, assert_single_precision_is_right, problem
from noria.engines.native.code import Numbers
assert Numbers(np.dtype(np.float64)).lanes == int(sys.argv[1]) // 8
for cell, D, H in (("lstm", 5, 19), ("gru", 17, 16), ("lem", 3, 33), (GIVEN, 5, 9), (TWO_STAGES, 5, 7)):
    for lengths, ids in (((5, 4, 4, 1), False), ((3,) * 30, True)):
        one = problem(cell, D=D, H=H, lengths=lengths, ids=ids)
        assert_engines_agree(one)
    assert_single_precision_is_right(one)
print("right")
"""


@pytest.mark.parametrize("width", [16, 32])
def test_narrower_vectors_and_fewer_registers(width):
    """As on processors with AVX2, or with SSE or NEON alone."""
    assert output_of(NARROW, width) == "right\n"
