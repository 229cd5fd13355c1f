"""One layer of recurrence: exact gradients, states in the caller's order, masks, and batch mates unseen."""

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st
from layer_checks import (
    DRIVEN,
    MASKED,
    START_AT_ONE,
    TINY,
    built,
    check_gradients,
    features,
    like,
    run_back,
    token_ids,
)

from noria.equations import Cell, cells, rewrites
from noria.errors import DataError, NotFittedError, OptionError, ShapeError, UnknownNameError
from noria.layers import INFERENCE, FlatParameters, Mode, OneHot, Recurrent, Stack
from noria.sequences import Ragged

LENGTHS = [[5, 2, 5, 1, 3], [4, 4, 4], [6], [1], [1, 1]]


def masks_for(x, hidden, seed=5):
    rng = np.random.default_rng(seed)
    return {
        "m": rng.integers(0, 2, (x.batch_size, hidden)) / 0.6,
        "s": rng.integers(0, 2, (len(x), hidden)).astype(float),
    }


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "gru_reset_after", "lstm_peephole", "slstm"])
def test_every_gradient_is_exact(cell, lengths):
    x = features(lengths, 4)
    check_gradients(lambda: Recurrent(cell, 7, engine="reference"), 4, x)


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_every_gradient_is_exact_with_a_cell_state_of_its_own_size(lengths):
    x = features(lengths, 4)
    check_gradients(lambda: Recurrent("lstm_projected", 5, sizes={"c": 9}, engine="reference"), 4, x)


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_every_gradient_is_exact_with_token_ids_and_the_initial_state_left_out(lengths):
    x = token_ids(lengths, 6)
    worst = check_gradients(lambda: Recurrent("lstm", 7, engine="reference"), 6, x)
    assert "initial h" in worst
    assert "x" not in worst
    if max(lengths) == 1:
        return  # from an initial state of zeros, the recurrent weights have no gradient
    worst = check_gradients(lambda: Recurrent("lstm", 7, engine="reference"), 6, x, state=False)
    assert "initial h" not in worst


def test_every_gradient_is_exact_with_fixed_masks():
    x = features([5, 2, 5, 1], 4)
    check_gradients(lambda: Recurrent(MASKED, 7, engine="reference"), 4, x, given=masks_for(x, 7))


def test_central_differences_agree():
    x = features([4, 2, 3], 3)
    layer, flat = built(Recurrent("lstm", 5), 3)
    state = like(layer.start(3), 3)
    done = run_back(layer, x, state=state)

    def value():
        y, backward = layer(x, state=state, mode=INFERENCE)
        return (done.d_y * y.rows).sum() + sum(
            (done.d_final[name] * backward.state[name]).sum() for name in state
        )

    numeric = np.empty_like(flat.values)
    for index, at in enumerate(flat.values.copy()):
        flat.values[index] = at + 1e-5
        above = value()
        flat.values[index] = at - 1e-5
        numeric[index] = (above - value()) / 2e-5
        flat.values[index] = at
    np.testing.assert_allclose(flat.gradients, numeric, rtol=0, atol=1e-8 * np.linalg.norm(numeric))


def test_one_step_of_an_lstm_is_what_the_book_says():
    layer, flat = built(Recurrent("lstm", 3), 2)
    p = {path.removeprefix("lstm."): parameter.value for path, parameter in flat.named()}
    x, h, c = np.array([0.3, -1.2]), np.array([0.1, 0.2, -0.4]), np.array([1.0, -0.5, 0.7])

    def gate(name):
        return p[f"W_{name}"] @ x + p[f"U_{name}"] @ h + p[f"b_{name}"]

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    new_c = sigmoid(gate("f")) * c + sigmoid(gate("i")) * np.tanh(gate("g"))
    new_h = sigmoid(gate("o")) * np.tanh(new_c)
    y, backward = layer(Ragged.from_sequences([x[None]]), state={"h": h[None], "c": c[None]})
    np.testing.assert_allclose(y.rows[0], new_h, rtol=1e-14)
    np.testing.assert_allclose(backward.state["c"][0], new_c, rtol=1e-14)


def test_parameters_are_one_block_named_as_in_the_equations():
    layer, flat = built(Recurrent("lstm", 7), 4)
    paths = [path for path, _ in flat.named()]
    assert paths == [f"lstm.{parameter.name}" for parameter in layer.cell.parameters]
    assert flat.count == flat.values.size == 4 * (7 * 4 + 7 * 7 + 7)
    shapes = {path: parameter.shape for path, parameter in flat.named()}
    assert shapes["lstm.W_i"] == (7, 4)
    assert shapes["lstm.U_f"] == (7, 7)
    assert shapes["lstm.b_o"] == (7,)


def test_initial_values_follow_the_cell():
    _layer, flat = built(Recurrent("lstm", 6), 5, spread=None)
    values = flat.state_dict()
    np.testing.assert_array_equal(values["lstm.b_f"], np.ones(6))
    np.testing.assert_array_equal(values["lstm.b_i"], np.zeros(6))
    np.testing.assert_allclose(values["lstm.U_g"] @ values["lstm.U_g"].T, np.eye(6), atol=1e-12)
    counter, _ = built(Recurrent(START_AT_ONE, 3), 2)
    np.testing.assert_array_equal(counter.start(2)["c"], np.ones((2, 3)))
    np.testing.assert_array_equal(counter.start(2)["h"], np.zeros((2, 3)))


def test_states_go_in_and_come_out_in_the_callers_order():
    x = features([2, 5, 1, 4], 4)
    layer, flat = built(Recurrent("lstm", 7), 4)
    state = like(layer.start(4), 3)
    together = run_back(layer, x, state=state)
    summed = flat.gradients.copy()
    flat.zero_gradients()
    d_y, d_x = (x.with_rows(rows).to_sequences() for rows in (together.d_y, together.d_x))
    for k in range(4):
        own = {name: array[k : k + 1] for name, array in state.items()}
        y, backward = layer(x.gather([k]), state=own)
        np.testing.assert_allclose(y.rows, together.y.to_sequences()[k], rtol=0, atol=1e-13)
        d_rows = backward(d_y[k], {name: array[k : k + 1] for name, array in together.d_final.items()})
        np.testing.assert_allclose(d_rows, d_x[k], rtol=0, atol=1e-12)
        for name in ("h", "c"):
            np.testing.assert_allclose(
                backward.state[name][0], together.backward.state[name][k], rtol=0, atol=1e-13
            )
            ours, theirs = backward.d_state[name][0], together.backward.d_state[name][k]
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(flat.gradients, summed, rtol=0, atol=1e-12 * np.linalg.norm(summed))


def test_final_h_is_each_sequences_own_last_output():
    x = features([2, 5, 1, 4], 4)
    layer, _ = built(Recurrent("gru", 7), 4)
    y, backward = layer(x)
    np.testing.assert_array_equal(backward.state["h"], y.last())


@settings(max_examples=20)
@hypothesis_given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.integers(0, 99), st.data())
def test_mates_order_and_chunking_never_change_an_output(lengths, seed, data):
    cell = data.draw(st.sampled_from(["rnn", "lstm", "gru", "masked"]))
    x = features(lengths, 3, seed)
    layer, _ = built(Recurrent(MASKED if cell == "masked" else cell, 5), 3)
    together, _ = layer(x, mode=INFERENCE)
    order = data.draw(st.permutations(range(len(lengths))))
    shuffled = layer(x.gather(order), mode=INFERENCE)[0].to_sequences()
    for k, sequence in enumerate(x.to_sequences()):
        whole = together.to_sequences()[k]
        np.testing.assert_allclose(shuffled[order.index(k)], whole, rtol=0, atol=1e-13)
        alone, _ = layer(Ragged.from_sequences([sequence]), mode=INFERENCE)
        np.testing.assert_allclose(alone.rows, whole, rtol=0, atol=1e-13)
        padded = Ragged.from_sequences([np.concatenate([sequence, np.full((2, 3), 9.0)])])
        longer, _ = layer(padded, mode=INFERENCE)
        np.testing.assert_allclose(longer.rows[:-2], whole, rtol=0, atol=1e-13)
        state, chunks = None, []
        for row in sequence:
            y, backward = layer(Ragged.from_sequences([row[None]]), state=state, mode=INFERENCE)
            state = backward.state
            chunks.append(y.rows[0])
        np.testing.assert_allclose(chunks, whole, rtol=0, atol=1e-13)


def test_windows_with_carried_state_equal_one_long_run():
    x = features([9, 9], 3)
    layer, _ = built(Recurrent("lstm", 5), 3)
    whole, backward_whole = layer(x, mode=INFERENCE)
    state = layer.start(2)
    dense = x.to_dense()
    pieces = []
    for window in (dense[:, :4], dense[:, 4:5], dense[:, 5:]):
        y, backward = layer(Ragged.from_dense(window), state=state, mode=INFERENCE)
        state = backward.state
        pieces.append(y.to_dense())
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole.to_dense(), rtol=0, atol=1e-14)
    np.testing.assert_allclose(state["c"], backward_whole.state["c"], rtol=0, atol=1e-14)


def test_token_ids_are_one_hot_rows():
    ids = token_ids([4, 2, 4], 6)
    one_hot = ids.with_rows(np.eye(6)[ids.rows])
    by_id, flat = built(Recurrent("lstm", 7), 6)
    written, written_flat = built(Recurrent("lstm", 7), 6)
    ours, theirs = run_back(by_id, ids), run_back(written, one_hot)
    np.testing.assert_allclose(ours.y.rows, theirs.y.rows, rtol=0, atol=1e-14)
    np.testing.assert_allclose(flat.gradients, written_flat.gradients, rtol=0, atol=1e-12)
    assert ours.d_x is None


def test_masks_are_drawn_in_training_and_stand_at_their_expectation_otherwise():
    x = features([3, 2], 4)
    layer, _ = built(Recurrent(MASKED, 7), 4)
    expected = {"m": np.ones((2, 7)), "s": np.full((5, 7), 0.3)}
    y, _ = layer(x, mode=INFERENCE)
    np.testing.assert_allclose(y.rows, layer(x, given=expected)[0].rows, rtol=0, atol=1e-14)
    # one of two given: the other one stands at its expectation
    partly, _ = layer(x, given={"s": expected["s"]})
    np.testing.assert_allclose(partly.rows, y.rows, rtol=0, atol=1e-14)

    def training(seed):
        return layer(x, mode=Mode(training=True, rng=np.random.default_rng(seed)))[0].rows

    np.testing.assert_array_equal(training(1), training(1))
    assert np.abs(training(1) - training(2)).max() > 1e-3
    assert np.abs(training(1) - y.rows).max() > 1e-3


def test_drawn_masks_have_the_law_of_the_cell():
    recorder = Recurrent(
        Cell.parse(
            "given:\n  m: sequence = dropout(0.4)\n  s: row = bernoulli(0.3)\n"
            "a = m + 0 * h\nb_ = s + 0 * h\nh' = tanh(W @ x + a + b_)".replace("b_", "q"),
            name="recorder",
        ),
        50,
        keep=("a", "q"),
    )
    layer, _ = built(recorder, 2)
    x = features([20, 7], 2)
    kept = layer(x, mode=Mode(training=True, rng=np.random.default_rng(0)))[1].kept
    m, s = x.with_rows(kept["a"]).to_sequences(), kept["q"]
    assert set(np.unique(kept["a"])) == {0.0, 1 / 0.6}
    for sequence in m:  # one mask for the whole sequence
        np.testing.assert_array_equal(sequence, np.tile(sequence[0], (len(sequence), 1)))
    assert (m[0][0] != m[1][0]).any()
    assert set(np.unique(s)) == {0.0, 1.0}
    assert abs(s.mean() - 0.3) < 0.05


def test_supplied_inputs_are_needed_and_go_by_the_callers_order():
    x = features([1, 3, 2], 2)
    layer, _ = built(Recurrent(DRIVEN, 4), 2)
    rng = np.random.default_rng(0)
    given = {"drive": rng.normal(size=(6, 4)), "scale": rng.normal(size=(3, 4))}
    y, _ = layer(x, given=given)
    drive = x.with_rows(given["drive"]).to_sequences()
    for k in range(3):
        alone, _ = layer(x.gather([k]), given={"drive": drive[k], "scale": given["scale"][k : k + 1]})
        np.testing.assert_allclose(alone.rows, y.to_sequences()[k], rtol=0, atol=1e-14)
    with pytest.raises(
        DataError, match=r"driven: expected the auxiliary input 'scale' of shape \(3, 4\), got none"
    ):
        layer(x, given={"drive": given["drive"]})
    with pytest.raises(UnknownNameError, match="'driv'; it has 'drive', 'scale'"):
        layer(x, given={"driv": given["drive"]})
    with pytest.raises(ShapeError, match=r"'scale' of shape \(3, 4\), got \(2, 4\)"):
        layer(x, given={"drive": given["drive"], "scale": given["scale"][:2]})


def test_training_with_masks_needs_a_generator():
    layer, _ = built(Recurrent(MASKED, 3), 2)
    with pytest.raises(OptionError, match="masked: draws in training, and has no generator"):
        layer(features([2], 2), mode=Mode(training=True))


def test_what_is_kept_has_the_values_and_gradients_asked_for():
    x = features([4, 2, 3], 3)
    layer, _ = built(Recurrent("lstm", 5, keep=("f", "c", "d_c", "d_h")), 3)
    done_y, backward = layer(x)
    assert set(backward.kept) == {"f", "c"}
    np.testing.assert_array_equal(x.with_rows(backward.kept["c"]).last(), backward.state["c"])
    assert backward.kept["f"].shape == (9, 5)
    d_y = np.random.default_rng(0).normal(size=done_y.rows.shape)
    backward(d_y)
    assert set(backward.kept) == {"f", "c", "d_c", "d_h"}
    # behind a sequence's last step nothing else reads h
    np.testing.assert_allclose(
        x.with_rows(backward.kept["d_h"]).last(), x.with_rows(d_y).last(), rtol=0, atol=1e-14
    )
    plain, _ = built(Recurrent("lstm", 5), 3)
    np.testing.assert_allclose(plain(x)[0].rows, done_y.rows, rtol=0, atol=1e-14)
    assert set(layer(x, mode=INFERENCE)[1].kept) == {"f", "c"}


def test_float32_follows_float64():
    x = features([5, 3, 5], 4)
    double, flat_double = built(Recurrent("gru", 7), 4)
    single, flat_single = built(Recurrent("gru", 7), 4, dtype=np.float32)
    ours, theirs = run_back(single, x), run_back(double, x)
    assert ours.y.rows.dtype == ours.d_x.dtype == ours.backward.state["h"].dtype == np.float32
    np.testing.assert_allclose(ours.y.rows, theirs.y.rows, rtol=0, atol=1e-5)
    error = np.linalg.norm(flat_single.gradients - flat_double.gradients)
    assert error < 1e-5 * np.linalg.norm(flat_double.gradients)


def test_a_frozen_layer_gives_gradients_below_and_keeps_its_own_at_zero():
    x = features([3, 2], 4)
    frozen, flat = built(Recurrent("gru", 5, frozen=True), 4)
    open_, _ = built(Recurrent("gru", 5), 4)
    np.testing.assert_array_equal(run_back(frozen, x).d_x, run_back(open_, x).d_x)
    assert not flat.gradients.any()
    assert all(group.frozen for group in flat.groups())


def test_wrong_widths_and_ids_say_who_expected_what():
    layer, _ = built(Recurrent("gru", 5, name="encoder", input_size=32), 32)
    with pytest.raises(
        ShapeError, match=r"gru 'encoder': expected rows of 32 features, got 40\.\n  32 was fixed"
    ):
        layer(features([2], 40))
    with pytest.raises(ShapeError, match="expected rows of 32 features"):
        layer.configure(40)
    with pytest.raises(ShapeError, match="expected rows of 32 features"):
        layer(Ragged.from_sequences([np.ones(3)]))
    with pytest.raises(DataError, match=r"gru 'encoder': row 2 has id 32, there are 32 symbols"):
        layer(Ragged.from_sequences([[1, 31, 32, 40]]))


def test_wrong_states_say_what_was_expected():
    layer, _ = built(Recurrent("lstm", 5), 3)
    x = features([2, 1], 3)
    start = layer.start(2)
    with pytest.raises(ShapeError, match="expected state to hold 'h', 'c', got 'h'"):
        layer(x, state={"h": start["h"]})
    with pytest.raises(ShapeError, match=r"expected state 'h' of shape \(2, 5\), got \(3, 5\)"):
        layer(x, state=layer.start(3))
    with pytest.raises(ShapeError, match="as a dictionary"):
        layer(x, state=(start,))
    # a gradient may leave parts out, which then count as zero
    y, backward = layer(x)
    with pytest.raises(ShapeError, match="expected d_state to hold"):
        backward(y.rows, {"z": start["h"]})
    ours, theirs = layer(x)[1], layer(x)[1]
    d_c = np.ones((2, 5))
    zero = np.zeros((2, 5))
    np.testing.assert_array_equal(ours(y.rows, {"c": d_c}), theirs(y.rows, {"h": zero, "c": d_c}))


def test_sizes_and_options():
    with pytest.raises(OptionError, match=r"names 'f', whose size is not free. Free in this cell: none"):
        Recurrent("lstm", 4, sizes={"f": 3})
    with pytest.raises(OptionError, match="'hidden_size'"):
        Recurrent("lstm", 0)
    with pytest.raises(UnknownNameError, match="lstm"):
        Recurrent("lsmt", 4)
    projected, _ = built(Recurrent("lstm_projected", 4, sizes={"c": 9}), 3)
    assert projected.start(2)["c"].shape == (2, 9)
    assert projected.output_size == 4
    same_width = Recurrent(Cell.parse("h' = tanh(x + U @ h)", name="leak"), 4)
    with pytest.raises(ShapeError, match="leak: expected rows of 4 features, got 3"):
        same_width.configure(3)
    assert same_width.configure(4) == 4


def test_a_layer_is_not_called_before_it_has_sizes_and_values():
    layer = Recurrent("lstm", 4)
    with pytest.raises(NotFittedError, match=r"lstm: has no sizes yet.\n  Call configure"):
        layer(features([2], 3))
    with pytest.raises(NotFittedError, match="has no sizes yet"):
        FlatParameters.build([layer], np.random.default_rng(0))
    layer.configure(3)
    with pytest.raises(NotFittedError, match=r"has no values yet.\n  Call FlatParameters.build"):
        layer(features([2], 3))


def test_one_hot_hands_ids_to_the_engine():
    ids = token_ids([3, 2], 6)
    stack, _ = built(Stack([OneHot(6), Recurrent("gru", 5)]), 6)
    y, backward = stack(ids)
    assert backward(np.ones_like(y.rows)) is None
    alone, _ = built(Recurrent("gru", 5), 6)
    np.testing.assert_array_equal(alone(ids)[0].rows, y.rows)
    with pytest.raises(DataError, match="row 1 has id 9, there are 6 symbols"):
        stack(Ragged.from_sequences([[1, 9]]))


def test_the_smallest_step_is_small_enough():
    assert (1.0 + 1j * TINY).real == 1.0


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_auxiliary_inputs_may_change_between_forward_and_backward(engine):
    layer, flat = built(Recurrent(rewrites.recurrent_dropout(cells.lstm, 0.5), 8, engine=engine), 4)
    x, gradients = features([5, 5], 4), []
    for spoilt in (False, True):
        (name,) = (given.name for given in layer.cell.givens)
        mask = np.random.default_rng(2).random((2, 8))
        flat.zero_gradients()
        y, backward = layer(x, given={name: mask})
        mask[...] = 7.0 if spoilt else mask
        backward(np.ones_like(y.rows))
        gradients.append(flat.gradients.copy())
    assert np.array_equal(*gradients)
