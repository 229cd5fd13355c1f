"""Layers of layers: mixed stacks, both directions, parameters that stand in several places."""

import numpy as np
import pytest
from layer_checks import MASKED, built, check_gradients, features, inner, like, run_back, token_ids

from noria.errors import BackwardError, NotFittedError, OptionError, ShapeError, UnknownNameError
from noria.layers import (
    INFERENCE,
    Bidirectional,
    Dropout,
    Embedding,
    FlatParameters,
    Linear,
    Mode,
    Recurrent,
    Stack,
    recurrent_stack,
    state_arrays,
)

LENGTHS = [[5, 2, 5, 1, 3], [4, 4, 4], [6], [1]]


def mixed(count, **options):
    cells, sizes = ["rnn", "lstm", "gru"][:count], [7, 5, 6][:count]
    return lambda: recurrent_stack(cells, sizes, engine="reference", **options)


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_stacks_of_mixed_cells_have_exact_gradients(count, lengths):
    check_gradients(mixed(count), 4, features(lengths, 4))


def test_stacks_with_projections_have_exact_gradients():
    worst = check_gradients(mixed(3, projection=[3, None, 8]), 4, features([5, 2, 5, 1], 4))
    assert {
        "recurrent.0.U",
        "recurrent.projection_0.W",
        "recurrent.1.U_i",
        "recurrent.projection_2.b",
    } <= set(worst)


def test_stacks_over_token_ids_and_embeddings_have_exact_gradients():
    def make():
        return Stack(
            [Embedding(6, 4), recurrent_stack(["gru", "lstm"], [7, 5], engine="reference"), Linear(6)]
        )

    worst = check_gradients(make, 6, token_ids([5, 2, 5, 1], 6))
    assert "x" not in worst
    assert {"stack.0.table", "stack.1.0.W_z", "stack.2.b", "initial 1.1.c"} <= set(worst)


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_bidirectional_layers_have_exact_gradients(lengths):
    def make():
        forward, backward = (
            Recurrent(cell, width, engine="reference") for cell, width in (("lstm", 5), ("gru", 3))
        )
        return Bidirectional(forward, backward)

    check_gradients(make, 4, features(lengths, 4))


def test_bidirectional_stacks_have_exact_gradients():
    check_gradients(mixed(2, bidirectional=True), 4, features([4, 1, 3], 4))


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_both_directions_equal_two_one_way_runs_on_flipped_input(lengths):
    x = features(lengths, 4)
    both, _ = built(Bidirectional(Recurrent("lstm", 5)), 4)
    state = like(both.start(x.batch_size), 3)
    done = run_back(both, x, state=state)

    flipped = type(x).from_sequences([sequence[::-1] for sequence in x.to_sequences()])
    y_f, back_f = both.forward(x, state=state[0])
    y_b, back_b = both.backward(flipped, state=state[1])
    for ours, ahead, behind in zip(
        done.y.to_sequences(), y_f.to_sequences(), y_b.to_sequences(), strict=True
    ):
        np.testing.assert_array_equal(ours, np.concatenate([ahead, behind[::-1]], axis=1))
    for ours, theirs in zip(done.backward.state, (back_f.state, back_b.state), strict=True):
        np.testing.assert_array_equal(ours["c"], theirs["c"])
    d_y = x.with_rows(done.d_y)
    d_f = back_f(done.d_y[:, :5], done.d_final[0])
    d_b = x.with_rows(back_b(d_y.reversed().rows[:, 5:], done.d_final[1])).reversed().rows
    np.testing.assert_array_equal(done.d_x, d_f + d_b)


def test_both_directions_have_parameters_of_their_own():
    layer, flat = built(Bidirectional(Recurrent("gru", 5)), 4)
    paths = [path for path, _ in flat.named()]
    assert paths[0] == "bidirectional.forward.W_r"
    assert "bidirectional.backward.W_z" in paths
    assert flat.count == 2 * 3 * (5 * 4 + 5 * 5 + 5)
    assert layer.output_size == 10
    wide, _ = built(Bidirectional(Recurrent("lstm_projected", 4, sizes={"c": 9})), 3)
    assert wide.start(2)[1]["c"].shape == (2, 9)
    with pytest.raises(ShapeError, match="pair of states"):
        layer(features([2], 4), state=({},))


def test_what_reads_ahead_is_refused_where_the_future_is_unknown():
    one_way, both = recurrent_stack("gru", 5), recurrent_stack(["gru"], [5], bidirectional=True)
    assert one_way.causal
    assert not both.causal
    assert not Stack([one_way, both]).causal
    one_way.require_causal("generate text")
    with pytest.raises(
        OptionError, match=r"bidirectional: reads each sequence from both ends.*generate text"
    ):
        Stack([one_way, both]).require_causal("generate text")


def test_row_inputs_lie_beside_the_rows_for_both_directions():
    x = features([4, 1, 3], 3)
    layer, _ = built(Bidirectional(Recurrent(MASKED, 5)), 3)
    rng = np.random.default_rng(0)
    m, s = rng.integers(0, 2, (2, 3, 5)) / 0.6, rng.integers(0, 2, (2, 8, 5)).astype(float)
    given = {
        f"{way}.{name}": array[k]
        for k, way in enumerate(("forward", "backward"))
        for name, array in (("m", m), ("s", s))
    }
    y, _ = layer(x, given=given)
    reversed_s = x.with_rows(s[1]).reversed().rows
    behind, _ = layer.backward(x.reversed(), given={"m": m[1], "s": reversed_s})
    np.testing.assert_array_equal(y.rows[:, 5:], behind.reversed().rows)


def test_auxiliary_inputs_reach_their_layer_by_its_key():
    x = features([3, 2], 3)

    def make():
        return Stack(
            [
                Recurrent(MASKED, 5, engine="reference"),
                Dropout(0.5),
                Stack([Recurrent("gru", 4, engine="reference")]),
            ]
        )

    rng = np.random.default_rng(0)
    given = {
        "0.m": rng.integers(0, 2, (2, 5)) / 0.6,
        "0.s": rng.integers(0, 2, (5, 5)).astype(float),
        "1.mask": rng.integers(0, 2, (5, 5)) * 2.0,
    }
    check_gradients(make, 3, x, given=given)
    layer, _ = built(make(), 3)
    assert (layer(x, given=given)[0].rows != layer(x)[0].rows).any()
    with pytest.raises(UnknownNameError, match=r"begin with one of '0.', '1.', '2.'"):
        layer(x, given={"3.m": given["0.m"]})
    with pytest.raises(UnknownNameError, match="gru: has no auxiliary input 'm'; it has none"):
        layer(x, given={"2.0.m": given["0.m"]})


def test_a_layer_in_several_places_counts_once_and_sums_its_gradients():
    shared = Linear(5)
    stack, flat = built(Stack([shared, shared, shared]), 5)
    assert flat.count == 5 * 5 + 5
    assert [path for path, _ in flat.named()] == ["stack.0.W", "stack.0.b"]
    x = features([4, 2], 5)
    done = run_back(stack, x)
    apart, apart_flat = built(Stack([Linear(5), Linear(5), Linear(5)]), 5)
    apart_flat.values[...] = np.tile(flat.values, 3)
    other = run_back(apart, x)
    np.testing.assert_array_equal(done.y.rows, other.y.rows)
    np.testing.assert_array_equal(done.d_x, other.d_x)
    each = apart_flat.gradients.reshape(3, -1)
    np.testing.assert_allclose(flat.gradients, each.sum(axis=0), rtol=0, atol=1e-12)
    assert all(np.abs(flat.gradients - one).max() > 1e-3 for one in each)
    check_gradients(lambda: Stack([layer := Linear(5), layer, layer]), 5, x)


def test_a_recurrent_layer_may_stand_twice_with_states_of_its_own():
    def make():
        shared = Recurrent("lstm", 4, engine="reference")
        return Stack([shared, shared])

    _layer, flat = built(make(), 4)
    assert flat.count == 4 * (16 + 16 + 4)
    check_gradients(make, 4, features([3, 2], 4))


def test_an_output_layer_may_share_the_table_of_the_embedding():
    def make():
        embedding = Embedding(6, 4)
        return Stack([embedding, Recurrent("gru", 4, engine="reference"), Linear(6, weight=embedding.table)])

    _layer, flat = built(make(), 6)
    assert [path for path, _ in flat.named() if path.endswith(("table", "W"))] == ["stack.0.table"]
    worst = check_gradients(make, 6, token_ids([4, 2, 4], 6))
    assert "stack.0.table" in worst
    with pytest.raises(ShapeError, match=r"shared weight of shape \(6, 5\), got \(6, 4\)"):
        Linear(6, weight=Embedding(6, 4).table, input_size=5)


def test_gradients_add_up_over_calls_and_both_may_be_open_at_once():
    x, z = features([4, 2, 3], 4, seed=1), features([2, 5], 4, seed=2)
    layer, flat = built(mixed(2)(), 4)
    y_x, back_x = layer(x)
    y_z, back_z = layer(z)
    d_x, d_z = (np.random.default_rng(k).normal(size=y.rows.shape) for k, y in enumerate((y_x, y_z)))
    first_x = back_x(d_x)
    first = flat.gradients.copy()
    back_z(d_z)
    both = flat.gradients.copy()
    flat.zero_gradients()
    assert not flat.gradients.any()
    layer(z)[1](d_z)
    np.testing.assert_allclose(both, first + flat.gradients, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(layer(x)[1](d_x), first_x)


def test_a_backward_is_called_once():
    x = features([3, 2], 4)
    for layer in (mixed(2)(), Linear(3), Dropout(0.5), Bidirectional(Recurrent("gru", 3))):
        built(layer, 4)
        y, backward = layer(x)
        d_y = np.ones_like(y.rows)
        backward(d_y)
        with pytest.raises(BackwardError, match="was called before"):
            backward(d_y)
        _, released = layer(x)
        released.release()
        with pytest.raises(BackwardError):
            released(d_y)


def test_inference_saves_nothing():
    x = features([3, 2], 4)
    for layer in (mixed(2)(), Linear(3), Dropout(0.5), Bidirectional(Recurrent("gru", 3))):
        built(layer, 4)
        y, backward = layer(x, mode=INFERENCE)
        np.testing.assert_allclose(y.rows, layer(x)[0].rows, rtol=0, atol=1e-14)
        assert backward._function is None
        with pytest.raises(BackwardError, match="the forward saved nothing"):
            backward(np.ones_like(y.rows))


def test_what_was_saved_is_released_when_called_or_dropped():
    x = features([3, 2], 4)
    layer, _ = built(Recurrent("lstm", 5), 4)
    released = []

    def observed(theta, states, counts, **options):
        run = start(theta, states, counts, **options)
        release = run.release
        run.release = lambda: (released.append(True), release())
        return run

    layer(x)
    (kernel,) = layer._kernels.values()
    start = kernel.start
    kernel.start = observed
    try:
        y, backward = layer(x)
        assert not released
        backward(y.rows)
        assert len(released) == 1
        del backward
        assert len(released) == 1
        y, backward = layer(x)
        kept_rows = y.rows.copy()
        del backward
        assert len(released) == 2
        layer(features([3, 2], 4, seed=9))  # takes the buffers again
        np.testing.assert_array_equal(y.rows, kept_rows)
    finally:
        del kernel.start


def test_states_are_tuples_by_layer():
    layer, _ = built(mixed(2, dropout=0.5)(), 4)
    x = features([3, 2], 4)
    _, backward = layer(x)
    assert set(state_arrays(backward.state)) == {"0.h", "2.h", "2.c"}
    assert inner(layer.start(2), layer.start(2)) == 0
    with pytest.raises(ShapeError, match="state as a tuple of 3 parts, got 2 parts"):
        layer(x, state=(None, None))
    # a part may be left out
    state = like(layer.start(2), 0)
    some = layer(x, state=(state[0], None, None))[0].rows
    np.testing.assert_array_equal(some, layer(x, state=(state[0], None, layer.start(2)[2]))[0].rows)


def test_recorded_values_carry_the_key_of_their_layer():
    layer, _ = built(recurrent_stack(["gru", "lstm"], 5, keep=("h", "d_h")), 4)
    y, backward = layer(features([3, 2], 4))
    assert set(backward.kept) == {"0.h", "1.h"}
    np.testing.assert_array_equal(backward.kept["1.h"], y.rows)
    backward(y.rows)
    assert set(backward.kept) == {"0.h", "1.h", "0.d_h", "1.d_h"}


def test_the_stack_builder_gives_what_was_asked_for():
    layer = recurrent_stack(
        ["rnn", "lstm_projected"], [7, 5], dropout=0.2, projection=[None, 3], sizes={"c": 9}
    )
    assert layer.keys == ("0", "dropout_0", "1", "projection_1")
    assert layer.configure(4) == 3
    FlatParameters.build([layer], np.random.default_rng(0))
    assert layer.start(2)[2]["c"].shape == (2, 9)
    assert len(recurrent_stack("gru", [4, 5, 6], dropout=0.1).layers) == 5
    assert len(recurrent_stack(["gru", "rnn"], 4).layers) == 2
    with pytest.raises(OptionError, match=r"'cells' option of recurrent_stack lists 2 layers, another one 3"):
        recurrent_stack(["gru", "rnn"], [4, 5, 6])
    with pytest.raises(OptionError, match="names 'c', whose size is free in none"):
        recurrent_stack("gru", 4, sizes={"c": 3})
    with pytest.raises(OptionError, match="at least one layer"):
        Stack([])
    with pytest.raises(OptionError, match="2 different names without dots"):
        Stack([Linear(3), Linear(3)], keys=["a", "a"])
    with pytest.raises(NotFittedError, match="stack: has no sizes yet"):
        Stack([Linear(3)])(features([2], 3))


def test_dropout_between_layers_is_off_at_inference_and_drawn_in_training():
    layer, _ = built(mixed(2, dropout=0.5)(), 4)
    plain, _ = built(mixed(2)(), 4)
    x = features([3, 2], 4)
    np.testing.assert_array_equal(layer(x, mode=INFERENCE)[0].rows, plain(x)[0].rows)
    drawn = [
        layer(x, mode=Mode(training=True, rng=np.random.default_rng(seed)))[0].rows for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()


def test_chunks_and_mates_change_nothing_in_a_stack():
    layer, _ = built(mixed(3, dropout=0.5)(), 4)
    x = features([5, 2, 3], 4)
    together = layer(x, mode=INFERENCE)[0].to_sequences()
    for k, sequence in enumerate(x.to_sequences()):
        state, rows = layer.start(), []
        for row in sequence:
            y, backward = layer(type(x).from_sequences([row[None]]), state=state, mode=INFERENCE)
            state = backward.state
            rows.append(y.rows[0])
        np.testing.assert_allclose(rows, together[k], rtol=0, atol=1e-13)
