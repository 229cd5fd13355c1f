"""Step after step: what a stream gives is what the whole layer gives, with the weights it was made with."""

import numpy as np
import pytest
from layer_checks import DRIVEN, MASKED, START_AT_ONE, built, features, token_ids

from noria.engines.native import sharing
from noria.engines.threads import use_threads
from noria.equations import Cell, cells, rewrites
from noria.errors import DataError, OptionError, ShapeError, UnknownNameError
from noria.layers import (
    INFERENCE,
    Bidirectional,
    Dropout,
    Embedding,
    Layer,
    Linear,
    OneHot,
    Recurrent,
    Stack,
    map_state,
    recurrent_stack,
    state_arrays,
    take_sequences,
)

STEPS = 5
EXACT = {np.float32: 2e-6, np.float64: 1e-14}
NORMALISED = rewrites.zoneout(rewrites.layer_normalised(cells.lstm), 0.2, 0.1)
GATED = Cell.parse("h' = tanh(W @ x + U @ h) * x", name="gated")


class Doubled(Layer):
    """A layer of somebody else's, with a recurrent one inside: it has no stream of its own."""

    kind = "doubled"

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def children(self):
        yield "inner", self.inner

    def start(self, batch_size=1):
        return self.inner.start(batch_size)

    def _declare(self, input_size):
        return self.inner.configure(input_size)

    def __call__(self, x, *, state=None, given=None, mode=INFERENCE):
        y, backward = self.inner(x, state=state, given=given, mode=mode)
        return y.with_rows(2.0 * y.rows), backward


def dense(x):
    """Give the rows as (B, T, ...), as they are streamed."""
    return np.stack([np.stack(rows) for rows in x.to_sequences()])


def streamed(layer, rows, state=None, given=None):
    """Stream all steps; give the outputs (B, T, F) and the last state."""
    stream = layer.stream(len(rows))
    state = stream.start() if state is None else state
    outputs = []
    for t in range(rows.shape[1]):
        y, state = stream.step(rows[:, t], state, given=given)
        outputs.append(y)
    return np.stack(outputs, 1), state


def check_stream(layer, x, dtype=np.float64, state=None):
    """Compare with the whole layer: outputs and final states, relative to the largest value."""
    whole, end = layer(x, state=state, mode=INFERENCE)
    y, final = streamed(layer, dense(x), state)
    assert y.dtype == whole.rows.dtype
    assert np.abs(y - dense(whole)).max() <= EXACT[dtype] * max(1, np.abs(whole.rows).max())
    ours, theirs = state_arrays(final), state_arrays(end.state)
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert ours[name].shape == theirs[name].shape
        assert np.abs(ours[name] - theirs[name]).max() <= EXACT[dtype] * max(1, np.abs(theirs[name]).max())


CELLS = [
    ("lstm", {}, (np.float32, np.float64)),
    ("gru", {}, (np.float32,)),
    ("rnn", {}, (np.float32,)),
    ("lstm_projected", {"c": 21}, (np.float32, np.float64)),
    (NORMALISED, {}, (np.float32,)),
    (START_AT_ONE, {}, (np.float64,)),
]
PROBLEMS = [(cell, sizes, dtype) for cell, sizes, dtypes in CELLS for dtype in dtypes]


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize(("cell", "sizes", "dtype"), PROBLEMS)
def test_a_stream_takes_the_steps_of_the_layer(cell, sizes, dtype, engine):
    layer, _ = built(Recurrent(cell, 19, sizes=sizes, engine=engine), 11, dtype=dtype)
    for batch in (1, 3):
        check_stream(layer, features([STEPS] * batch, 11, dtype=dtype), dtype)
    check_stream(layer, token_ids([STEPS] * 3, 11), dtype)


def check_several(layer, rows, dtype=np.float64, given=None):
    """Compare steps taken at once, in two goes, with steps taken one by one: outputs and final states."""
    one_by_one, end = streamed(layer, rows, given=given)
    stream, outputs, state = layer.stream(len(rows)), [], None
    for part in (rows[:, :3], rows[:, 3:]):
        y, state = stream.steps(part.swapaxes(0, 1), state, given=given)
        outputs.append(y)
    assert np.abs(np.concatenate(outputs).swapaxes(0, 1) - one_by_one).max() <= EXACT[dtype]
    for name, array in state_arrays(end).items():
        assert np.abs(state_arrays(state)[name] - array).max() <= EXACT[dtype] * max(1, np.abs(array).max())


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize(("cell", "sizes", "dtype"), PROBLEMS)
def test_several_steps_at_once_are_the_same_steps(cell, sizes, dtype, engine):
    layer, _ = built(Recurrent(cell, 19, sizes=sizes, engine=engine), 11, dtype=dtype)
    for batch in (1, 3):
        check_several(layer, dense(features([STEPS] * batch, 11, dtype=dtype)), dtype)
    check_several(layer, dense(token_ids([STEPS] * 3, 11)), dtype)


def test_several_steps_pass_through_stacks_and_take_auxiliary_inputs():
    rows = dense(token_ids([STEPS] * 3, 11))
    layers = [Embedding(11, 6), Recurrent("lstm", 7), Dropout(0.5), Linear(5)]
    check_several(built(Stack(layers), 11)[0], rows)
    layer, _ = built(Recurrent(DRIVEN, 7), 11)
    rng = np.random.default_rng(1)
    x, scale, drive = rng.normal(size=(4, 2, 11)), rng.normal(size=(2, 7)), rng.normal(size=(4, 2, 7))
    y, end = layer.stream(2).steps(x, given={"scale": scale, "drive": drive})
    stream, state = layer.stream(2), None
    for t in range(4):
        single, state = stream.step(x[t], state, given={"scale": scale, "drive": drive[t]})
        assert np.array_equal(y[t], single)
    assert np.array_equal(end["h"], state["h"])


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 3, 20])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_many_steps_on_several_threads_in_any_number(cell, batch, threads, monkeypatch):
    monkeypatch.setattr(sharing, "WORTH_SHARING", 0)
    monkeypatch.setattr(sharing, "WORTH_MEETING", 0)
    layer, _ = built(Recurrent(cell, 19), 11)
    x = features([90] * batch, 11)
    whole, end = layer(x, mode=INFERENCE)
    rows, expected = dense(x).swapaxes(0, 1), dense(whole).swapaxes(0, 1)
    with use_threads(threads):
        stream, state, begin = layer.stream(batch), None, 0
        for count in (1, 2, 70, 1, 16):
            y, state = stream.steps(rows[begin : begin + count], state)
            assert np.abs(y - expected[begin : begin + count]).max() < 1e-14
            begin += count
    for name, array in end.state.items():
        assert np.abs(state[name] - array).max() < 1e-14


def test_a_stream_opened_late_has_the_weights_of_its_making():
    layer, flat = built(Recurrent("lstm", 7), 11)
    rows = dense(features([5, 5], 11)).swapaxes(0, 1)
    stream, expected = layer.stream(2), layer.stream(2).steps(rows)[0]
    flat.values[...] += 1.0
    assert np.array_equal(stream.steps(rows)[0], expected)


def test_one_sequence_may_come_without_its_own_dimension():
    layer, _ = built(Recurrent("lstm", 7), 11)
    rows = dense(features([5], 11))[0]
    stream = layer.stream()
    assert np.array_equal(stream.steps(rows)[0], stream.steps(rows[:, None])[0])
    ids = np.array([3, 1, 10, 0])
    assert np.array_equal(stream.steps(ids)[0], stream.steps(ids[:, None])[0])
    whole = np.arange(44).reshape(4, 1, 11) % 5
    assert np.array_equal(stream.steps(whole)[0], stream.steps(whole.astype(float))[0])


def test_several_steps_of_another_form_are_refused():
    layer, _ = built(Recurrent("lstm", 7), 11)
    stream = layer.stream(3)
    for wrong in (np.zeros((0, 3, 11)), np.zeros((4, 2, 11)), np.zeros((4, 3)), np.zeros((4, 3, 10))):
        with pytest.raises(ShapeError, match="expected"):
            stream.steps(wrong)
    with pytest.raises(DataError, match="11"):
        stream.steps(np.full((4, 3), 11))
    driven, _ = built(Recurrent(DRIVEN, 7), 11)
    with pytest.raises(ShapeError, match="'drive' for 4 steps, got 3"):
        driven.stream(3).steps(
            np.zeros((4, 3, 11)), given={"scale": np.ones((3, 7)), "drive": np.ones((3, 3, 7))}
        )
    with pytest.raises(ShapeError, match="'c'"):
        stream.steps(np.zeros((4, 3, 11)), {"h": np.zeros((3, 7)), "c": np.zeros((2, 7))})


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_ids_are_one_hot_rows_also_where_a_cell_does_more_than_multiply_them(engine):
    layer, _ = built(Recurrent(GATED, 7, engine=engine), 7)
    check_stream(layer, token_ids([STEPS] * 2, 7))
    check_stream(layer, features([STEPS], 7))


NETWORKS = {
    "one-hot": Stack([OneHot(), recurrent_stack(["lstm", "gru"], [17, 9], dropout=0.3), Linear(13)]),
    "embedding": Stack(
        [Embedding(13, 5), recurrent_stack("lstm", 17, projection=6), Dropout(0.2), Linear(13)]
    ),
    "linear": Stack([Linear(8, bias=False), Recurrent("rnn", 6)]),
    "unknown": Doubled(Recurrent("gru", 6)),
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_stacks_stream(network):
    layer, _ = built(network, 13, dtype=np.float32)
    for batch in (1, 3):
        check_stream(layer, token_ids([STEPS] * batch, 13), np.float32)
    if not isinstance(network, Doubled):
        return
    check_stream(layer, features([STEPS] * 3, 13, dtype=np.float32), np.float32)


@pytest.mark.parametrize("batch", [1, 2, 3, 4])
def test_linear_maps_rows(batch):
    layer, _ = built(Linear(70), 33, dtype=np.float64)
    check_stream(layer, features([STEPS] * batch, 33))
    layer, _ = built(Linear(3), 700, dtype=np.float32)
    check_stream(layer, features([STEPS] * batch, 700, dtype=np.float32), np.float32)


def test_large_weights_stream():
    layer, _ = built(Recurrent("lstm", 250), 90, dtype=np.float32, spread=0.05)
    for batch in (1, 2):
        check_stream(layer, features([STEPS] * batch, 90, dtype=np.float32), np.float32)


@pytest.fixture(scope="module")
def lstm():
    return built(Recurrent("lstm", 19), 11)[0]


def test_it_begins_where_it_is_told(lstm):
    state = map_state(lambda array: np.random.default_rng(3).normal(size=array.shape), lstm.start(3))
    check_stream(lstm, features([STEPS] * 3, 11), state=state)


def test_no_state_is_the_initial_one():
    layer, _ = built(Recurrent(START_AT_ONE, 6), 4)
    stream, x = layer.stream(2), np.random.default_rng(0).normal(size=(2, 4))
    assert np.array_equal(stream.step(x)[0], stream.step(x, stream.start())[0])
    assert stream.start()["c"].tolist() == np.ones((2, 6)).tolist()


def test_one_sequence_may_come_as_a_row_or_as_a_number(lstm):
    stream, row = lstm.stream(), np.random.default_rng(0).normal(size=11)
    assert np.array_equal(stream.step(row)[0], stream.step(row[None])[0])
    for one in (7, np.int32(7), [7], np.array([7], np.uint8)):
        assert np.array_equal(stream.step(one)[0], stream.step(np.array([7]))[0])
    assert stream.step(7)[0].shape == (1, 19)


def test_an_earlier_state_can_be_gone_on_from_again(lstm):
    stream, rows = lstm.stream(3), np.random.default_rng(0).normal(size=(4, 3, 11))
    begin = stream.start()
    states, outputs = [begin], []
    for x in rows:
        y, state = stream.step(x, states[-1])
        states.append(state)
        outputs.append(y)
    before = [state_arrays(map_state(np.copy, state)) for state in states]
    beam = [2, 0, 0]
    stream.step(rows[3], take_sequences(states[2], beam))
    branched, _ = stream.step(rows[2][beam], take_sequences(states[2], beam))
    again, _ = stream.step(rows[2], states[2])
    assert np.array_equal(again, outputs[2])
    assert np.abs(branched - outputs[2][beam]).max() < 1e-14
    for state, copy in zip(states, before, strict=True):
        for name, array in state.items():
            assert np.array_equal(array, copy[name])


def test_what_it_gives_is_the_callers(lstm):
    stream, x = lstm.stream(2), np.random.default_rng(0).normal(size=(2, 11))
    y, state = stream.step(x)
    kept = {name: array.copy() for name, array in state.items()}
    expected, _ = stream.step(x, state)
    y[...] = 100.0
    assert all(np.array_equal(state[name], kept[name]) for name in state)
    assert np.array_equal(stream.step(x, state)[0], expected)


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize("before_a_step", [True, False])
def test_weights_that_change_afterwards_do_not_reach_it(engine, before_a_step):
    inner = Recurrent("gru", 7, engine=engine)
    network, flat = built(Stack([Embedding(9, 4), inner, Linear(6), Doubled(Recurrent("rnn", 5))]), 9)
    ids = np.array([3, 8])
    expected = network.stream(2).step(ids)[0]
    stream = network.stream(2)
    if before_a_step:
        stream.step(ids)
    flat.values[...] *= -1.5
    assert np.array_equal(stream.step(ids)[0], expected)
    assert np.abs(network.stream(2).step(ids)[0] - expected).max() > 0.01


def test_streams_of_one_layer_do_not_meet(lstm):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2, 3, STEPS, 11))
    expected = [streamed(lstm, part)[0] for part in rows]
    streams = [lstm.stream(3), lstm.stream(3)]
    states = [stream.start() for stream in streams]
    for t in range(STEPS):
        for number, stream in enumerate(streams):
            y, states[number] = stream.step(rows[number, :, t], states[number])
            assert np.array_equal(y, expected[number][:, t])


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_nan_passes_and_stays_with_its_sequence(engine):
    layer, _ = built(Stack([Recurrent("lstm", 19, engine=engine), Linear(5)]), 11)
    stream, x = layer.stream(3), np.random.default_rng(0).normal(size=(3, 11))
    x[1, 4] = np.nan
    y, state = stream.step(x)
    assert np.isnan(y).any(1).tolist() == [False, True, False]
    assert np.isnan(state[0]["c"]).all(1).tolist() == [False, True, False]
    y, _ = stream.step(np.zeros((3, 11)), state)
    assert np.isnan(y).all(1).tolist() == [False, True, False]
    assert np.isfinite(stream.step(np.zeros((3, 11)))[0]).all()


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_masks_stand_at_their_expectation_unless_they_are_given(engine):
    layer, _ = built(Recurrent(MASKED, 7, engine=engine), 4)
    x = features([1, 1, 1], 4)
    check_stream(layer, features([STEPS] * 3, 4))
    rng = np.random.default_rng(5)
    given = {"m": rng.random((3, 7)), "s": rng.random((3, 7))}
    for names in (("m", "s"), ("m",), ("s",)):
        some = {name: given[name] for name in names}
        whole, end = layer(x, given=some, mode=INFERENCE)
        y, state = layer.stream(3).step(x.rows, given=some)
        assert np.abs(y - whole.rows).max() < 1e-14
        assert np.abs(state["h"] - end.state["h"]).max() < 1e-14


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_what_must_be_supplied_is_handed_in_at_every_step(engine):
    layer, _ = built(Stack([Recurrent(DRIVEN, 7, engine=engine)]), 4)
    x, rng = features([STEPS] * 3, 4), np.random.default_rng(5)
    drive, scale = rng.normal(size=(STEPS, 3, 7)), rng.normal(size=(3, 7))
    whole, _ = layer(x, given={"0.drive": drive.reshape(-1, 7), "0.scale": scale}, mode=INFERENCE)
    stream, rows = layer.stream(3), dense(x)
    state = stream.start()
    for t in range(STEPS):
        y, state = stream.step(rows[:, t], state, given={"0.drive": drive[t], "0.scale": scale})
        assert np.abs(y - dense(whole)[:, t]).max() < 1e-14
    with pytest.raises(DataError, match="expected the auxiliary input 'scale' of shape"):
        stream.step(rows[:, 0], state, given={"0.drive": drive[0]})
    with pytest.raises(ShapeError, match=r"auxiliary input 'drive' of shape \(3, 7\), got \(2, 7\)"):
        stream.step(rows[:, 0], state, given={"0.drive": drive[0, :2], "0.scale": scale})


def test_dropout_takes_a_mask():
    layer, _ = built(Stack([Linear(4), Dropout(0.5)]), 3)
    x, mask = np.random.default_rng(0).normal(size=(2, 2, 4))
    stream = layer.stream(2)
    plain, _ = stream.step(x[:, :3])
    assert np.array_equal(stream.step(x[:, :3], given={"1.mask": mask})[0], plain * mask)


def test_what_reads_ahead_is_refused():
    layer, _ = built(Stack([Linear(4), Bidirectional(Recurrent("gru", 3))]), 5)
    with pytest.raises(OptionError, match="not known where one wants to stream"):
        layer.stream()


def test_what_does_not_fit_is_refused(lstm):
    stream = lstm.stream(3)
    good = stream.start()
    with pytest.raises(ShapeError, match="expected rows of 11 features, got 12"):
        stream.step(np.zeros((3, 12)))
    with pytest.raises(ShapeError, match=r"expected a step of 3 sequences.*shape \(2, 11\)"):
        stream.step(np.zeros((2, 11)))
    with pytest.raises(ShapeError, match=r"expected a step of 3 sequences.*shape \(11,\)"):
        stream.step(np.zeros(11))
    with pytest.raises(ShapeError, match=r"expected a step of 3 sequences.*shape \(3, 11, 1\)"):
        stream.step(np.zeros((3, 11, 1)))
    with pytest.raises(DataError, match="row 2 has id 11, there are 11 symbols"):
        stream.step([0, 1, 11])
    with pytest.raises(DataError, match="row 0 has id -1"):
        stream.step([-1, 1, 10])
    with pytest.raises(DataError, match="expected token ids"):
        stream.step(np.zeros(3))
    with pytest.raises(ShapeError, match=r"state 'c' of shape \(3, 19\), got \(1, 19\)"):
        stream.step(np.zeros((3, 11)), {**good, "c": good["c"][:1]})
    with pytest.raises(ShapeError, match="expected state to hold 'h', 'c', got 'h'"):
        stream.step(np.zeros((3, 11)), {"h": good["h"]})
    with pytest.raises(ShapeError, match="expected state to hold"):
        stream.step(np.zeros((3, 11)), {**good, "d": good["c"]})
    with pytest.raises(ShapeError, match="expected state as a dictionary"):
        stream.step(np.zeros((3, 11)), (good,))
    with pytest.raises(UnknownNameError, match="has no auxiliary input 'mask'"):
        stream.step(np.zeros((3, 11)), good, given={"mask": np.ones((3, 19))})
    with pytest.raises(ShapeError, match="at least 1 sequence, got 0"):
        lstm.stream(0)


def test_layers_without_memory_refuse_states():
    layer, _ = built(Linear(4), 5)
    with pytest.raises(ShapeError, match="has no state, got one"):
        layer.stream().step(np.zeros((1, 5)), {"h": np.zeros((1, 4))})
    with pytest.raises(ShapeError, match="expected rows of 5 features, got 6"):
        layer.stream().step(np.zeros((1, 6)))
    with pytest.raises(UnknownNameError, match="no auxiliary input 'mask'"):
        layer.stream().step(np.zeros((1, 5)), given={"mask": np.zeros((1, 5))})
    layer, _ = built(Embedding(7, 3), 7)
    with pytest.raises(DataError, match="row 0 has id 7"):
        layer.stream().step(7)
    with pytest.raises(DataError, match="expected token ids"):
        layer.stream().step(np.zeros((1, 7)))
