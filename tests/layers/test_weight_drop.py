"""DropConnect on recurrent weights: one mask for all steps, gradients masked alike, nothing in inference."""

import numpy as np
import pytest
from layer_checks import built, check_gradients, drawing, features, run_back, token_ids

from noria.equations import Cell, cells, rewrites
from noria.errors import OptionError, ShapeError, UnknownNameError
from noria.layers import INFERENCE, Bidirectional, Mode, Recurrent, recurrent_stack

LENGTHS = (4, 6, 1)
JOINED = Cell.parse("r = sigmoid(R @ [h, x] + b_r)\nh' = tanh(W @ [x, r * h] + b)", name="joined")


@pytest.mark.parametrize("engine", ["auto", "reference"])
@pytest.mark.parametrize(
    "cell", ["rnn", "lstm", "gru", "lstm_projected", JOINED], ids=lambda cell: getattr(cell, "name", cell)
)
def test_gradients_are_exact_with_what_was_drawn(cell, engine):
    check_gradients(
        lambda: Recurrent(cell, 5, engine=engine, drop_connect=0.4),
        3,
        features(LENGTHS, 3),
        drawn=4,
    )


def test_gradients_are_exact_in_stacks_with_other_regularisers():
    cell = rewrites.zoneout(rewrites.recurrent_dropout(rewrites.layer_normalised(cells.lstm), 0.3), 0.2, 0.1)
    check_gradients(
        lambda: recurrent_stack(
            [cell, "gru", "rnn"], [5, 4, 6], dropout=0.2, locked=True, batch_norm=True, drop_connect=0.3
        ),
        7,
        token_ids(LENGTHS, 7),
        drawn=1,
        tolerance=2e-12,
    )


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_weights_are_dropped_as_if_they_were_zero(engine):
    x = features(LENGTHS, 3)
    layer, flat = built(Recurrent("lstm", 5, drop_connect=0.25, engine=engine), 3)
    masks = {f"mask.U_{gate}": drawn_mask((5, 5), 0.25, seed) for seed, gate in enumerate("ifgo")}
    done = run_back(layer, x, given=masks)
    plain, plain_flat = built(Recurrent("lstm", 5, engine=engine), 3)
    for parameter in plain.parameters():
        if f"mask.{parameter.name}" in masks:
            parameter.value[...] *= masks[f"mask.{parameter.name}"]
    expected = run_back(plain, x)
    np.testing.assert_allclose(done.y.rows, expected.y.rows, rtol=1e-13)
    np.testing.assert_allclose(done.d_x, expected.d_x, rtol=1e-12)
    for ours, theirs in zip(layer.parameters(), plain.parameters(), strict=True):
        mask = masks.get(f"mask.{ours.name}", 1.0)
        np.testing.assert_allclose(ours.gradient, theirs.gradient * mask, rtol=1e-12, atol=1e-15)
    assert flat.gradients.any()
    assert plain_flat.gradients.any()


def drawn_mask(shape, p, seed):
    return np.where(np.random.default_rng(seed).random(shape) < p, 0.0, 1 / (1 - p))


def test_only_what_multiplies_the_state_is_drawn_and_as_often_as_asked():
    layer, _ = built(Recurrent(JOINED, 60, drop_connect=0.3), 40)
    factors = layer.weight_drop.factors(
        {p.name: p for p in layer.parameters()},
        next(layer.own_blocks()),
        layer.sizes,
        {},
        drawing(3),
        np.float64,
    )
    of = {p.name: next(layer.own_blocks()).piece_of(p, factors) for p in layer.parameters()}
    for whole in (of["b"], of["b_r"], of["R"][:, 60:], of["W"][:, :40]):
        np.testing.assert_array_equal(whole, 1.0)
    for dropped in (of["R"][:, :60], of["W"][:, 40:]):
        np.testing.assert_allclose(np.unique(dropped), [0.0, 1 / 0.7], rtol=1e-7)
        assert abs((dropped == 0).mean() - 0.3) < 0.03


def test_gradients_add_up_over_calls():
    x = features(LENGTHS, 3)
    layer, flat = built(Recurrent("gru", 5, drop_connect=0.5), 3)
    run_back(layer, x, mode=drawing(2))
    once = flat.gradients.copy()
    run_back(layer, x, mode=drawing(2))
    np.testing.assert_allclose(flat.gradients, 2 * once, rtol=1e-13)
    run_back(layer, x, mode=drawing(3))
    assert not np.allclose(flat.gradients, 3 * once)


def test_nothing_is_dropped_outside_of_training_and_streams_say_the_same():
    x = features([6, 6], 3)
    layer, flat = built(Recurrent("lstm", 5, drop_connect=0.5), 3)
    plain, plain_flat = built(Recurrent("lstm", 5), 3)
    plain_flat.values[...] = flat.values
    for mode in (INFERENCE, Mode()):
        np.testing.assert_array_equal(layer(x, mode=mode)[0].rows, plain(x, mode=mode)[0].rows)
    stream, state = layer.stream(2), None
    for t, step in enumerate(x.rows.reshape(6, 2, 3)):
        y, state = stream.step(step, state)
        np.testing.assert_allclose(y, plain(x)[0].rows[2 * t : 2 * t + 2], rtol=1e-13)


def test_both_directions_drop_weights_of_their_own():
    check_gradients(
        lambda: Bidirectional(Recurrent("gru", 4, drop_connect=0.4)), 3, features(LENGTHS, 3), drawn=2
    )
    layer, _ = built(Bidirectional(Recurrent("gru", 4, drop_connect=0.4)), 3)
    assert layer.backward.weight_drop.p == 0.4


def test_what_is_drawn_does_not_depend_on_the_precision():
    x = features(LENGTHS, 3)
    double, flat = built(Recurrent("gru", 5, drop_connect=0.5), 3)
    single, single_flat = built(Recurrent("gru", 5, drop_connect=0.5), 3, dtype=np.float32)
    single_flat.values[...] = flat.values
    found = single(x.with_rows(x.rows.astype(np.float32)), mode=drawing(5))[0].rows
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, double(x, mode=drawing(5))[0].rows, rtol=0, atol=2e-6)


@pytest.mark.parametrize("inside", ["W @ (x + h)", "W @ x + W @ h"])
def test_one_matrix_for_input_and_state_is_dropped_for_both(inside):
    cell = Cell.parse(f"n = x * h\nh' = tanh({inside}) + 0 * n", name="one_matrix")
    layer, _ = built(Recurrent(cell, 4, drop_connect=0.5), 4)
    y, _ = layer(features(LENGTHS, 4), given={"mask.W": np.zeros((4, 4))}, mode=INFERENCE)
    assert not y.rows.any()


def test_what_does_not_fit_is_refused():
    with pytest.raises(OptionError, match=r"'drop_connect' option of lstm must be a float in \[0, 1\)"):
        Recurrent("lstm", 4, drop_connect=1.0)
    with pytest.raises(OptionError, match="indrnn: drop_connect has nothing to drop"):
        Recurrent("indrnn", 4, drop_connect=0.1)
    layer, _ = built(Recurrent("rnn", 4, drop_connect=0.1), 3)
    with pytest.raises(ShapeError, match=r"'mask.U' of shape \(4, 4\), got \(4,\)"):
        layer(features([2], 3), given={"mask.U": np.ones(4)})
    with pytest.raises(UnknownNameError, match=r"'mask\.W'"):
        layer(features([2], 3), given={"mask.W": np.ones((4, 3))})
    with pytest.raises(UnknownNameError, match=r"has no auxiliary input 'mask\.U'"):
        layer.stream(2).step(np.zeros((2, 3)), given={"mask.U": np.ones((4, 4))})
    with pytest.raises(OptionError, match="has no generator"):
        layer(features([2], 3), mode=Mode(training=True))
