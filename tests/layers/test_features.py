"""Features from outside: joined to the rows, as the state in which layers begin, or at every step of it."""

import numpy as np
import pytest
from layer_checks import START_AT_ONE, built, check_gradients, features, inner, like, run_back, token_ids

from noria.errors import DataError, OptionError, ShapeError
from noria.layers import (
    INFERENCE,
    Bidirectional,
    CausalAttention,
    Conditioned,
    ConditionedSteps,
    Dropout,
    Embedding,
    Joined,
    Linear,
    OneHot,
    Recurrent,
    Stack,
    first_sequences,
    map_state,
    recurrent_stack,
    restore_state,
    state_arrays,
)
from noria.sequences import Ragged
from noria.testing import check_layer

LENGTHS = (3, 6, 1, 5)
BATCH, ROWS = len(LENGTHS), sum(LENGTHS)


def drawn(*shape, seed=6):
    return np.random.default_rng(seed).normal(size=shape)


# Joined to the rows
# --------------------------------------------------------------------------------------------------------


def fused():
    return Stack([Embedding(7, 4), Joined(3), recurrent_stack(["gru", "lstm"], [5, 6]), Linear(2)])


def test_joined_rows_are_both():
    x, extra = features(LENGTHS, 4), drawn(ROWS, 3)
    layer, _ = built(Joined(3), 4)
    done = run_back(layer, x, given={"features": extra})
    np.testing.assert_array_equal(done.y.rows, np.concatenate([x.rows, extra], axis=1))
    np.testing.assert_array_equal(done.d_x, done.d_y[:, :4])
    np.testing.assert_array_equal(done.backward.d_given["features"], done.d_y[:, 4:])


def test_gradients_of_a_fused_stack_are_exact():
    check_gradients(fused, 7, token_ids(LENGTHS, 7), given={"1.features": drawn(ROWS, 3)})


def test_the_gradient_of_features_arrives_outside():
    x, extra = token_ids(LENGTHS, 7), drawn(ROWS, 3)
    layer, _ = built(fused(), 7)
    done = run_back(layer, x, given={"1.features": extra})

    def value(moved):
        y, backward = layer(x, given={"1.features": moved}, mode=INFERENCE)
        return (y.rows * done.d_y).sum() + inner(done.d_final, backward.state)

    assert_slope(done.backward.d_given["1.features"], extra, value)


def assert_slope(gradient, point, value):
    for seed in range(3):
        direction = drawn(*point.shape, seed=seed)
        slope = (value(point + 1e-5 * direction) - value(point - 1e-5 * direction)) / 2e-5
        norm = np.linalg.norm(gradient) * np.linalg.norm(direction)
        assert norm > 0
        assert abs((gradient * direction).sum() - slope) < 1e-9 * norm


def test_a_fused_stack_streams():
    layer, _ = built(fused(), 7)
    ids, extra = token_ids([5, 5], 7), drawn(10, 3)
    expected = layer(ids, given={"1.features": extra})[0].rows.reshape(5, 2, 2)
    stream, state = layer.stream(2), None
    for t in range(5):
        now = slice(2 * t, 2 * t + 2)
        y, state = stream.step(ids.rows[now], state, given={"1.features": extra[now]})
        np.testing.assert_allclose(y, expected[t], rtol=1e-12, atol=1e-14)


def test_single_precision_stays_single():
    layer, _ = built(Joined(2), 3, dtype=np.float32)
    y, _ = layer(features([2], 3, dtype=np.float32), given={"features": drawn(2, 2)})
    assert y.rows.dtype == np.float32


def test_what_cannot_be_joined_is_refused():
    layer, _ = built(Joined(3), 4)
    with pytest.raises(
        DataError, match=r"expected the auxiliary input 'features' of shape \(2, 3\), got none"
    ):
        layer(features([2], 4))
    with pytest.raises(ShapeError, match=r"'features' of shape \(2, 3\), got \(3, 3\)"):
        layer(features([2], 4), given={"features": np.ones((3, 3))})
    with pytest.raises(DataError, match="Put it behind an embedding"):
        layer(token_ids([2], 4), given={"features": np.ones((2, 3))})
    with pytest.raises(OptionError, match="'size' option of joined must be an int of at least 1"):
        Joined(0)


# The state to begin with
# --------------------------------------------------------------------------------------------------------


def deep():
    return recurrent_stack(["lstm", "gru", "rnn"], [5, 4, 6], projection=[3, None, None], dropout=0.1)


def twice():
    layer = Recurrent("gru", 3)
    return Stack([layer, layer])


INSIDE = {
    "one": lambda: Recurrent("lstm", 5),
    "three": deep,
    "both ways": lambda: Stack([Dropout(0.1), Bidirectional(Recurrent("gru", 4))]),
    "shared": twice,
    "attention": lambda: Stack([Recurrent("lstm", 5), CausalAttention(3), Recurrent("rnn", 4)]),
}


@pytest.mark.parametrize("inside", INSIDE.values(), ids=INSIDE)
def test_gradients_are_exact_from_the_features_on(inside):
    x, vector = features(LENGTHS, 3), drawn(BATCH, 2)
    check_gradients(lambda: Conditioned(inside(), 2), 3, x, given={"features": vector}, state=False)
    layer, _ = built(Conditioned(inside(), 2), 3)
    done = run_back(layer, x, given={"features": vector})

    def value(moved):
        y, backward = layer(x, given={"features": moved}, mode=INFERENCE)
        return (y.rows * done.d_y).sum() + inner(done.d_final, backward.state)

    assert_slope(done.backward.d_given["features"], vector, value)


@pytest.mark.parametrize("inside", INSIDE.values(), ids=INSIDE)
def test_each_state_begins_where_its_map_says(inside):
    x, vector = features(LENGTHS, 3), drawn(BATCH, 2)
    layer, flat = built(Conditioned(inside(), 2), 3)
    of = {path: parameter.value for path, parameter in flat.named()}
    begin = layer.start(BATCH)
    learned = 0
    for path, array in state_arrays(begin).items():
        start = f"conditioned.initial.{path}"
        if path.endswith((".past", ".there")):  # of attention: nothing came before
            continue
        learned += 1
        array[...] = vector @ of[f"{start}.W"].T + of[f"{start}.b"]
    assert learned == sum("initial" in path for path in of) / 2
    expected, _ = layer(x, state=begin)
    np.testing.assert_allclose(layer(x, given={"features": vector})[0].rows, expected.rows, rtol=1e-12)


def test_without_features_it_is_the_layer_inside():
    x = features(LENGTHS, 3)
    layer, _ = built(Conditioned(deep(), 2), 3)
    begin = like(layer.start(BATCH), 4)
    np.testing.assert_array_equal(layer(x)[0].rows, layer.layer(x)[0].rows)
    np.testing.assert_array_equal(layer(x, state=begin)[0].rows, layer.layer(x, state=begin)[0].rows)
    check_layer(Conditioned(Recurrent("gru", 4), 2), x, state={"h": drawn(BATCH, 4)})


def test_one_in_another_begins_with_the_vector_of_the_outer():
    x, outer, inner_vector = features(LENGTHS, 3), drawn(BATCH, 2), drawn(BATCH, 5)
    inside = Conditioned(Recurrent("gru", 4), 5)
    layer, flat = built(Conditioned(Stack([inside]), 2), 3)
    assert {"conditioned.initial.0.h.W", "conditioned.layer.0.initial.h.W"} <= dict(flat.named()).keys()
    of = {path: parameter.value for path, parameter in flat.named()}
    begin = {"h": outer @ of["conditioned.initial.0.h.W"].T + of["conditioned.initial.0.h.b"]}
    expected, _ = inside.layer(x, state=begin)
    np.testing.assert_allclose(layer(x, given={"features": outer})[0].rows, expected.rows, rtol=1e-12)
    found, _ = layer(x, given={"0.features": inner_vector})
    expected, _ = inside(x, given={"features": inner_vector})
    np.testing.assert_array_equal(found.rows, expected.rows)
    direct, flat = built(Conditioned(Conditioned(Recurrent("gru", 4), 5), 2), 3)
    assert "conditioned.initial.h.W" in dict(flat.named())
    assert np.isfinite(direct(x, given={"features": outer})[0].rows).all()


def test_biases_begin_where_the_cell_does():
    _, flat = built(Conditioned(Recurrent(START_AT_ONE, 4), 2), 3, spread=None)
    of = {path: parameter.value for path, parameter in flat.named()}
    np.testing.assert_array_equal(of["conditioned.initial.c.b"], np.ones(4))
    np.testing.assert_array_equal(of["conditioned.initial.h.b"], np.zeros(4))


@pytest.mark.parametrize("inside", [deep, INSIDE["attention"]], ids=["recurrent", "attention"])
def test_it_streams_and_goes_on_in_windows(inside):
    layer, _ = built(Stack([Embedding(7, 4), Conditioned(inside(), 2), Linear(7)]), 7)
    ids, vector = token_ids([6, 6], 7), drawn(2, 2)
    whole = layer(ids, given={"1.features": vector})[0].rows.reshape(6, 2, 7)
    stream, state = layer.stream(2), None
    for t in range(6):
        given = None if t else {"1.features": vector}
        y, state = stream.step(ids.rows[2 * t : 2 * t + 2], state, given=given)
        np.testing.assert_allclose(y, whole[t], rtol=1e-11, atol=1e-13)
    y, _ = layer.stream(2).steps(ids.rows.reshape(6, 2), given={"1.features": vector})
    np.testing.assert_allclose(y, whole, rtol=1e-11, atol=1e-13)
    head, tail = (Ragged.from_dense(ids.rows.reshape(6, 2)[part].T) for part in (slice(2), slice(2, 6)))
    _, backward = layer(head, given={"1.features": vector})
    y, _ = layer(tail, state=backward.state)
    np.testing.assert_allclose(y.rows.reshape(4, 2, 7), whole[2:], rtol=1e-11, atol=1e-13)


def test_what_cannot_begin_is_refused():
    layer, _ = built(Conditioned(Recurrent("gru", 4), 2), 3)
    x = features(LENGTHS, 3)
    with pytest.raises(ShapeError, match=r"'features' of shape \(4, 2\), got \(4, 3\)"):
        layer(x, given={"features": np.ones((4, 3))})
    with pytest.raises(ShapeError, match="expected features or a state to begin with, got both"):
        layer(x, given={"features": np.ones((4, 2))}, state=layer.start(4))
    with pytest.raises(OptionError, match="no recurrent layer inside"):
        Conditioned(Linear(3), 2).configure(4)
    with pytest.raises(OptionError, match="'size' option of conditioned must be an int of at least 1"):
        Conditioned(Recurrent("gru", 4), 0)


# At every step
# --------------------------------------------------------------------------------------------------------


def at_steps(inside, size=2):
    return ConditionedSteps(inside(), size)


def at_both(inside, size=2):
    return ConditionedSteps(Conditioned(inside(), size), size)


BESIDE = {name: INSIDE[name] for name in ("one", "both ways", "attention")}
TOLD = {"steps": at_steps, "both": at_both}
EACH = [(told, inside) for told in TOLD.values() for inside in BESIDE.values()]
NAMES = [f"{told}-{inside}" for told in TOLD for inside in BESIDE]


@pytest.mark.parametrize(("told", "inside"), EACH, ids=NAMES)
def test_gradients_are_exact_where_features_stand_beside_every_row(told, inside):
    x, vector = features(LENGTHS, 3), drawn(BATCH, 2)
    check_gradients(lambda: told(inside), 3, x, given={"features": vector}, state=False)
    layer, _ = built(told(inside), 3)
    done = run_back(layer, x, given={"features": vector})

    def value(moved):
        y, backward = layer(x, given={"features": moved}, mode=INFERENCE)
        return (y.rows * done.d_y).sum() + inner(done.d_final, backward.state)

    assert_slope(done.backward.d_given["features"], vector, value)


@pytest.mark.parametrize("inside", [INSIDE["one"], INSIDE["both ways"]], ids=["one", "both ways"])
def test_gradients_are_exact_where_the_state_brings_the_features(inside):
    worst = check_gradients(lambda: at_steps(inside), 3, features(LENGTHS, 3))
    assert "initial 0.features" in worst
    layer, _ = built(at_steps(inside), 3)
    check_layer(at_steps(inside), features(LENGTHS, 3), state=like(layer.start(BATCH), 5))
    gradients = run_back(layer, features(LENGTHS, 3)).backward.d_state
    assert gradients[0]["features"].shape == (BATCH, 2)


def test_each_row_is_read_beside_the_features_of_its_sequence():
    x, vector = features(LENGTHS, 3), drawn(BATCH, 2)
    layer, _ = built(at_steps(deep), 3)
    wide = Ragged.from_sequences(
        [
            np.hstack([rows, np.tile(told, (len(rows), 1))])
            for rows, told in zip(x.to_sequences(), vector, strict=True)
        ]
    )
    expected, expected_back = layer.layer(wide)
    y, back = layer(x, given={"features": vector})
    np.testing.assert_array_equal(y.rows, expected.rows)
    np.testing.assert_array_equal(back.state[0]["features"], vector)
    d_y = drawn(*y.rows.shape)
    rows = expected_back(d_y)
    np.testing.assert_array_equal(back(d_y), rows[:, :3])
    per_sequence = [part[:, 3:].sum(axis=0) for part in wide.with_rows(rows).to_sequences()]
    np.testing.assert_allclose(back.d_given["features"], per_sequence, rtol=1e-12)


def test_at_both_the_layer_inside_begins_with_them_too():
    x, vector = features(LENGTHS, 3), drawn(BATCH, 2)
    layer, _ = built(at_both(deep), 3)
    y, _ = layer(x, given={"features": vector})
    begin = layer.begin(vector)
    assert inner(begin[1], begin[1]) > 0
    np.testing.assert_array_equal(layer(x, state=begin)[0].rows, y.rows)
    for state in ((begin[0], layer.start(BATCH)[1]), (layer.start(BATCH)[0], begin[1])):
        assert abs(layer(x, state=state)[0].rows - y.rows).max() > 0.01


def test_with_neither_it_reads_zeros():
    x = features(LENGTHS, 3)
    for told in TOLD.values():
        layer, _ = built(told(INSIDE["one"]), 3)
        wide = x.with_rows(np.hstack([x.rows, np.zeros((ROWS, 2))]))
        np.testing.assert_array_equal(layer(x)[0].rows, layer.layer(wide)[0].rows)
        np.testing.assert_array_equal(layer(x, state=layer.start(BATCH))[0].rows, layer(x)[0].rows)


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
def test_gradients_go_on_across_windows(told):
    layer, flat = built(told(deep), 3)
    x, vector = features([6, 6, 6], 3), drawn(3, 2)
    rows = x.rows.reshape(6, 3, 3)
    head, tail = Ragged.from_dense(rows[:2].swapaxes(0, 1)), Ragged.from_dense(rows[2:].swapaxes(0, 1))
    whole = run_back(layer, x, given={"features": vector})
    expected = flat.gradients.copy()
    flat.zero_gradients()
    _, first = layer(head, given={"features": vector})
    y, second = layer(tail, state=first.state)
    np.testing.assert_allclose(y.rows, whole.y.rows[6:], rtol=1e-12, atol=1e-14)
    d_tail = second(whole.d_y[6:], whole.d_final)
    d_head = first(whole.d_y[:6], second.d_state)
    np.testing.assert_allclose(np.concatenate([d_head, d_tail]), whole.d_x, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(flat.gradients, expected, rtol=1e-10, atol=1e-12)
    d_features = first.d_given["features"], whole.backward.d_given["features"]
    np.testing.assert_allclose(*d_features, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("first", [Embedding, OneHot])
def test_it_streams_with_them_and_goes_on_with_fewer_sequences(told, dtype, first):
    table = Embedding(7, 4) if first is Embedding else OneHot(7)
    inside = INSIDE["attention"]
    layer, _ = built(Stack([table, told(inside), Linear(7)]), 7, dtype=dtype)
    close = {"rtol": 1e-11, "atol": 1e-13} if dtype is np.float64 else {"rtol": 1e-4, "atol": 1e-5}
    ids, given = token_ids([6, 6], 7), {"1.features": drawn(2, 2)}
    whole, end = layer(ids, given=given, mode=INFERENCE)
    assert whole.rows.dtype == dtype
    steps, stream, state = whole.rows.reshape(6, 2, 7), layer.stream(2), None
    for t in range(6):
        y, state = stream.step(ids.rows[2 * t : 2 * t + 2], state, given=None if t else given)
        np.testing.assert_allclose(y, steps[t], **close)
    np.testing.assert_allclose(state_arrays(state)["1.0.features"], given["1.features"])
    y, _ = layer.stream(2).steps(ids.rows.reshape(6, 2), given=given)
    np.testing.assert_allclose(y, steps, **close)
    one = Ragged.from_dense(ids.rows.reshape(6, 2)[3:, :1].T)
    _, half = layer(Ragged.from_dense(ids.rows.reshape(6, 2)[:3].T), given=given, mode=INFERENCE)
    y, _ = layer(one, state=first_sequences(half.state, 1), mode=INFERENCE)
    np.testing.assert_allclose(y.rows, steps[3:, 0], **close)
    written = map_state(np.copy, end.state)
    again = restore_state(layer.start(2), state_arrays(written))
    assert inner(again, again) == pytest.approx(inner(written, written))


def test_what_cannot_stand_beside_rows_is_refused():
    layer, _ = built(at_steps(INSIDE["one"]), 3)
    x = features(LENGTHS, 3)
    with pytest.raises(ShapeError, match=r"'features' of shape \(4, 2\), got \(4, 3\)"):
        layer(x, given={"features": np.ones((4, 3))})
    with pytest.raises(ShapeError, match="expected features or a state to begin with, got both"):
        layer(x, given={"features": np.ones((4, 2))}, state=layer.start(4))
    with pytest.raises(ShapeError, match="expected a state of features and of the layer inside"):
        layer(x, state=layer.start(4)[1])
    with pytest.raises(ShapeError, match=r"a state of 'features' \(4, 2\), got another one"):
        layer(x, state=({"features": np.ones((3, 2))}, layer.start(4)[1]))
    with pytest.raises(DataError, match="row 1 has id 3, there are 3 symbols"):
        layer(Ragged.from_sequences([[2, 3]]))
    with pytest.raises(ShapeError, match="expected rows of 3 features, got 5"):
        layer(features(LENGTHS, 5))
    with pytest.raises(OptionError, match="'size' option of conditioned steps must be an int of at least 1"):
        ConditionedSteps(Recurrent("gru", 4), 0)
