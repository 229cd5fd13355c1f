"""One flat vector of values, one of gradients, and what is told apart in them; states by path."""

import tracemalloc

import numpy as np
import pytest
from layer_checks import built, features, like, run_back

from noria.equations import Cell, Initial
from noria.errors import DataError, NotFittedError, OptionError, ShapeError
from noria.layers import (
    Embedding,
    FlatParameters,
    Group,
    Linear,
    Parameter,
    Recurrent,
    Stack,
    first_sequences,
    recurrent_stack,
    restore_state,
    state_arrays,
    take_sequences,
)
from noria.layers.streaming import copy_of
from noria.sequences import Ragged


def test_values_and_gradients_are_views_of_the_flat_vectors():
    _layer, flat = built(recurrent_stack(["gru", "lstm"], [5, 6], projection=[3, None]), 4)
    covered = np.zeros(flat.values.size)
    for _, parameter in flat.named():
        parameter.value[...] = 1.5
        parameter.gradient[...] += 1.0
        covered = covered + flat.gradients
        parameter.gradient[...] = 0.0
    assert (flat.values == 1.5).all()
    np.testing.assert_array_equal(covered, np.ones(flat.values.size))
    assert flat.values.flags.c_contiguous
    assert flat.values.size == flat.count


def test_groups_are_merged_ranges_that_cover_everything():
    layers = [Embedding(5, 4, frozen=True), Stack([Recurrent("lstm", 6), Linear(3)])]
    layers[0].configure(5)
    layers[1].configure(4)
    flat = FlatParameters.build(layers, np.random.default_rng(0))
    matrices = 4 * (6 * 4 + 6 * 6)
    ends = np.cumsum([20, matrices, 24, 18, 3]).tolist()
    expected = [
        Group(0, 20, True, True),
        Group(20, ends[1], True, False),
        Group(ends[1], ends[2], False, False),
        Group(ends[2], ends[3], True, False),
        Group(ends[3], ends[4], False, False),
    ]
    assert flat.groups() == expected


def test_decay_and_frozen_ranges_hold_what_they_say():
    _layer, flat = built(Stack([Recurrent("lstm_peephole", 6), Linear(3)]), 4)
    for group in flat.groups():
        flat.values[group.start : group.stop] = 1.0 if group.decay else 2.0
    for path, parameter in flat.named():
        expected = 1.0 if len(parameter.shape) == 2 else 2.0
        assert (parameter.value == expected).all(), path


def test_state_dict_round_trip_by_path():
    _layer, flat = built(recurrent_stack(["gru", "lstm"], [5, 6]), 4)
    _other, other_flat = built(recurrent_stack(["gru", "lstm"], [5, 6]), 4, seed=2)
    stored = flat.state_dict()
    assert next(iter(stored)) == "recurrent.0.W_r"
    assert stored["recurrent.1.U_f"].shape == (6, 6)
    before = flat.values.copy()
    flat.values[...] = 0  # the stored arrays are copies
    other_flat.load_state_dict(stored)
    np.testing.assert_array_equal(other_flat.values, before)


def test_state_dicts_that_do_not_fit_change_nothing():
    _layer, flat = built(Linear(3), 4)
    before, stored = flat.values.copy(), flat.state_dict()
    stored["linear.W"] += 1
    with pytest.raises(DataError, match=r"missing: linear.b; unknown: linear.c"):
        flat.load_state_dict({"linear.W": stored["linear.W"], "linear.c": stored["linear.b"]})
    with pytest.raises(ShapeError, match=r"'linear.b': expected shape \(3,\), got \(4,\)"):
        flat.load_state_dict({"linear.W": stored["linear.W"], "linear.b": np.ones(4)})
    np.testing.assert_array_equal(flat.values, before)


def test_initial_values_depend_on_the_generator_alone_and_not_on_the_dtype():
    def values(seed, dtype):
        return built(recurrent_stack(["gru", "lstm"], 5), 4, seed=seed, dtype=dtype, spread=None)[1].values

    np.testing.assert_array_equal(values(3, np.float64), values(3, np.float64))
    np.testing.assert_array_equal(values(3, np.float32), values(3, np.float64).astype(np.float32))
    assert (values(3, np.float64) != values(4, np.float64)).any()
    assert values(3, np.float32).dtype == np.float32


def test_a_second_build_gives_fresh_vectors():
    layer, first = built(Linear(3), 4)
    second = FlatParameters.build([layer], np.random.default_rng(9))
    run_back(layer, features([2], 4))
    assert second.gradients.any()
    assert not first.gradients.any()
    assert layer.W.value.dtype == np.float32


def test_a_copy_holds_values_and_gradients_once():
    layer, _ = built(Linear(300, bias=False), 400)
    copy_of(built(Linear(3), 4)[0])  # what is imported on the way
    tracemalloc.start()
    try:
        copy = copy_of(layer)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2.1 * layer.W.value.nbytes
    copy.W.value[...] = 0.0
    assert (next(copy.own_blocks()).values == 0.0).all()
    assert layer.W.value.all()


def test_errors():
    with pytest.raises(NotFittedError, match="linear 'output': has no sizes yet"):
        FlatParameters.build([Linear(3, name="output")], np.random.default_rng(0))
    with pytest.raises(OptionError, match="Two layers are named 'linear'"):
        FlatParameters.build([Linear(3, input_size=2), Linear(3, input_size=2)], np.random.default_rng(0))
    with pytest.raises(OptionError, match=r"'dtype' of parameters must be float32 or float64. Got int64"):
        FlatParameters.build([Linear(3, input_size=2)], np.random.default_rng(0), np.int64)
    with pytest.raises(NotFittedError, match="parameter 'u': has no values yet"):
        _ = Parameter("u", (3,), Initial("zero", ())).value


def test_states_by_path_and_by_sequence():
    layer, _ = built(recurrent_stack(["gru", "lstm"], [5, 6], dropout=0.1), 4)
    state = like(layer.start(3), 0)
    arrays = state_arrays(state)
    assert set(arrays) == {"0.h", "2.h", "2.c"}
    again = restore_state(layer.start(3), arrays)
    for path, array in state_arrays(again).items():
        np.testing.assert_array_equal(array, arrays[path])
    assert again[1] is None
    np.testing.assert_array_equal(take_sequences(state, [2, 0, 2, 1])[2]["c"], arrays["2.c"][[2, 0, 2, 1]])
    np.testing.assert_array_equal(first_sequences(state, 2)[0]["h"], arrays["0.h"][:2])
    with pytest.raises(DataError, match="'c' is missing"):
        restore_state(layer.start(3), {path: array for path, array in arrays.items() if path != "2.c"})
    with pytest.raises(ShapeError, match=r"expected shape \(2, 5\), got \(3, 5\)"):
        restore_state(layer.start(2), arrays)


def test_a_cell_that_learns_nothing_is_a_layer_like_others():
    cell = Cell.parse("h' = 0.5 * h + x", name="smoother")
    stack = Stack([Linear(3), Recurrent(cell, 3)])
    stack.configure(2)
    flat = FlatParameters.build([stack], np.random.default_rng(0), np.float64)
    assert flat.count == 9
    x = Ragged.from_sequences([np.ones((4, 2))])
    y, backward = stack(x)
    first = y.rows[0]
    np.testing.assert_allclose(y.rows[3], first * (1 + 0.5 + 0.25 + 0.125))
    assert backward(np.ones((4, 3))).shape == (4, 2)


@pytest.mark.parametrize("dtype", ["float16", "longdouble", "complex64"])
def test_only_the_types_that_engines_run_in_are_taken(dtype):
    with pytest.raises(OptionError, match="must be float32 or float64"):
        built(Linear(3), 4, dtype=dtype)
