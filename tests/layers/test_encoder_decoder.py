"""Sequence to sequence: every gradient, on both sides and between them; and that a stream does the same."""

import numpy as np
import pytest
from layer_checks import built, check_gradients, features, run_back, token_ids

from noria.equations import cells as known
from noria.equations import rewrites
from noria.errors import DataError, OptionError, ShapeError
from noria.layers import (
    INFERENCE,
    BatchNorm,
    DecoderAttention,
    Dropout,
    Embedding,
    EncoderDecoder,
    InputFeeding,
    Layer,
    Linear,
    Stack,
    recurrent_stack,
    take_sequences,
)
from noria.sequences import Ragged

SCORES = ["dot", "general", "additive"]
READ, WRITTEN = [2, 7, 5, 1], [4, 1, 6, 6]  # nobody stands where he stood on the other side
D, H, V = 4, 7, 6


def decoder(attention, feeding, memory, cells=("rnn", "gru"), engine="reference", tied=False, **more):
    """An embedding, recurrent layers, attention, logits."""
    recurrent = recurrent_stack(cells, H, engine=engine, **more)
    reads = Embedding(V, H if tied else 5)
    scores = Linear(V, weight=reads.table if tied else None)
    if attention is None:
        return Stack([reads, recurrent, scores])
    looks = DecoderAttention(memory, score=attention, keep=True)
    if feeding:
        return Stack([reads, InputFeeding(recurrent, looks, H), scores])
    return Stack([reads, recurrent, looks, scores])


def network(
    attention,
    *,
    feeding=False,
    bidirectional=False,
    cells=("rnn", "gru"),
    below=None,
    engine="reference",
    **more,
):
    """Built for features (N, D) to be read and ids of V symbols to be written."""
    width = H if attention == "dot" else 3
    encoder = recurrent_stack(below or cells, width, bidirectional=bidirectional, engine=engine)
    memory = width * (2 if bidirectional else 1)
    return EncoderDecoder(encoder, decoder(attention, feeding, memory, cells, engine=engine, **more), D)


class FromSource(Layer):
    """The network as a function of what it reads, so that this gradient is checked like any other."""

    def __init__(self, inside, written):
        super().__init__("outer")
        self.inside, self.written = inside, written

    def children(self):
        yield "inside", self.inside

    def _declare(self, input_size):
        assert input_size == D
        return self.inside.configure(V)

    def __call__(self, x, *, state=None, given=None, mode=INFERENCE):
        y, back = self.inside(self.written, source=x, given=given, mode=mode)
        inner = back._function

        def backward(d_y, d_state):
            gradients = inner(d_y, d_state)
            return gradients.given["source"]

        back._function = backward if mode.save else None
        return y, back


@pytest.mark.parametrize("feeding", [False, True])
@pytest.mark.parametrize("score", SCORES)
def test_every_gradient_is_that_of_the_complex_step(score, feeding):
    written = token_ids(WRITTEN, V)
    check_gradients(
        lambda: FromSource(network(score, feeding=feeding), written),
        D,
        features(READ, D),
        state=False,
        directions=1,
    )


@pytest.mark.parametrize(("score", "feeding"), [(None, False), ("general", False), ("general", True)])
def test_gradients_of_a_table_that_reads_and_scores(score, feeding):
    written = token_ids(WRITTEN, V)
    check_gradients(
        lambda: FromSource(network(score, feeding=feeding, tied=True), written),
        D,
        features(READ, D),
        state=False,
        directions=1,
    )


@pytest.mark.parametrize("feeding", [False, True])
def test_gradients_with_compiled_code(feeding):
    written = token_ids(WRITTEN, V)

    def make():
        return FromSource(network("general", feeding=feeding, cells=("gru",), engine="auto"), written)

    check_gradients(make, D, features(READ, D), state=False, directions=1)


@pytest.mark.parametrize(
    ("score", "feeding", "cells", "below"),
    [
        (None, False, ("gru",), ("lstm",)),
        ("general", False, ("rnn", "gru"), ("gru",)),
        ("general", True, ("gru",), ("rnn", "gru")),
    ],
)
def test_gradients_from_two_directions_through_other_cells_and_another_depth(score, feeding, cells, below):
    written = token_ids(WRITTEN, V)

    def make():
        made = network(score, feeding=feeding, bidirectional=True, cells=cells, below=below)
        return FromSource(made, written)

    check_gradients(make, D, features(READ, D), state=False, directions=1)


@pytest.mark.parametrize("feeding", [False, True])
def test_gradients_with_everything_that_is_drawn(feeding):
    """Dropout between layers, the same at all steps, dropped weights, and masks inside the recurrence."""
    written = token_ids(WRITTEN, V)
    masked = rewrites.zoneout(rewrites.recurrent_dropout(known.gru, 0.3), 0.2, 0.2)
    options = {"dropout": 0.3, "locked": True, "drop_connect": 0.2}

    def make():
        return FromSource(network("general", feeding=feeding, cells=("rnn", masked), **options), written)

    check_gradients(make, D, features(READ, D), state=False, drawn=5, directions=1)


@pytest.mark.parametrize("score", SCORES)
def test_gradients_of_the_parts_alone(score):
    rng = np.random.default_rng(3)
    given = {"attention.memory": rng.normal(size=(4, 5, H)), "attention.lengths": np.array([2, 5, 1, 4])}

    def make():
        recurrent = recurrent_stack(["rnn", "lstm"], H, engine="reference")
        return InputFeeding(recurrent, DecoderAttention(H, score=score), H)

    check_gradients(make, D, features(WRITTEN, D), given=given, directions=1)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("feeding", [False, True])
def test_the_gradient_of_a_memory_that_is_handed_in(score, feeding):
    rng = np.random.default_rng(4)
    start = "1.attention." if feeding else "2."
    made, _ = built(decoder(score, feeding, H), V)
    x, lengths = token_ids(WRITTEN, V), np.array([2, 5, 1, 4])
    memory, step = rng.normal(size=(2, 4, 5, H))
    done = run_back(made, x, given={f"{start}memory": memory, f"{start}lengths": lengths})

    def value(rows):
        y, back = made(x, given={f"{start}memory": rows, f"{start}lengths": lengths}, mode=INFERENCE)
        return (y.rows * done.d_y).sum() + sum(
            (array * done_array).sum()
            for array, done_array in zip(leaves(back.state), leaves(done.d_final), strict=True)
        )

    slope = (value(memory + 1e-6 * step) - value(memory - 1e-6 * step)) / 2e-6
    gradient = done.backward.d_given[f"{start}memory"]
    assert abs(slope - (gradient * step).sum()) < 1e-7 * abs(slope)
    for sequence, length in enumerate(lengths):
        assert np.all(gradient[sequence, length:] == 0), "what is filled up is not read"
        assert np.all(gradient[sequence, :length] != 0)


def leaves(state):
    if isinstance(state, tuple):
        return [array for part in state for array in leaves(part)]
    return [] if state is None else list(state.values())


def by_hand(layer, query, memory):
    """Attend as the formulas are written."""
    score, W, b = layer.score, layer.W.value, layer.b.value
    if layer.score.__class__.__name__ == "AdditiveScore":
        one = [
            score.v.value @ np.tanh(score.W_q.value @ query + score.W_k.value @ key + score.b.value)
            for key in memory
        ]
    elif hasattr(score, "W"):
        one = [query @ score.W.value @ key for key in memory]
    else:
        one = [query @ key for key in memory]
    a = np.exp(one - np.max(one))
    a /= a.sum()
    return np.tanh(W @ np.concatenate([query, a @ memory]) + b), a


@pytest.mark.parametrize("score", SCORES)
def test_it_is_what_the_formulas_say_and_records_its_weights(score):
    A = 5 if score == "dot" else 3
    layer, _ = built(DecoderAttention(A, score=score, keep=True), 5)
    queries, memory = features(WRITTEN, 5), features(READ, A, seed=2)
    given = {"memory": memory.to_dense(), "lengths": np.array(READ)}
    y, back = layer(queries, given=given)
    weights = queries.with_rows(back.kept["weights"]).to_sequences()
    all_rows = zip(queries.to_sequences(), memory.to_sequences(), y.to_sequences(), weights, strict=True)
    for some, read, found, shares in all_rows:
        for query, out, share in zip(some, found, shares, strict=True):
            expected, a = by_hand(layer, query, read)
            assert np.abs(out - expected).max() < 1e-14
            assert np.abs(share[: len(a)] - a).max() < 1e-14
            assert np.all(share[len(a) :] == 0)


def test_blocks_of_queries_change_nothing(monkeypatch):
    layer, flat = built(DecoderAttention(3, score="additive"), 5)
    given = {"memory": features(READ, 3).to_dense(), "lengths": np.array(READ)}
    whole = run_back(layer, features(WRITTEN, 5), given=given)
    once = flat.gradients.copy()
    flat.zero_gradients()
    monkeypatch.setattr("noria.layers.attention_scores.ROOM", 4 * 7 * 5 * 2)
    cut = run_back(layer, features(WRITTEN, 5), given=given)
    assert np.abs(cut.y.rows - whole.y.rows).max() < 1e-14
    assert np.abs(cut.d_x - whole.d_x).max() < 1e-13
    assert np.abs(cut.backward.d_given["memory"] - whole.backward.d_given["memory"]).max() < 1e-13
    assert np.abs(flat.gradients - once).max() < 1e-13


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("score", "feeding"), [(None, False), ("general", False), ("additive", True)])
def test_a_stream_writes_what_the_whole_call_writes_and_a_beam_can_be_gathered(score, feeding, bidirectional):
    made, _ = built(network(score, feeding=feeding, bidirectional=bidirectional), V)
    source, written = features(READ, D), token_ids([6, 6, 6, 6], V)
    whole, back = made(written, source=source, mode=INFERENCE)
    chosen = np.array([3, 1, 1, 0, 2])
    encoded = made.encode(source).take(chosen)
    stream, state = made.stream(5), encoded.state
    dense, logits = written.to_dense()[chosen], whole.to_dense()[chosen]
    for t in range(6):
        y, state = stream.step(dense[:, t], state, given=encoded.given or None)
        assert np.abs(y - logits[:, t]).max() < 1e-12
        if score:
            (found,) = stream.kept.values()
            (kept,) = back.kept.values()
            assert np.abs(found - written.with_rows(kept).to_dense()[chosen, t]).max() < 1e-12
        state = take_sequences(state, range(5))


@pytest.mark.parametrize("feeding", [False, True])
def test_batch_mates_change_nothing(feeding):
    made, _ = built(network("general", feeding=feeding, bidirectional=True), V)
    source, written = features(READ, D), token_ids(WRITTEN, V)
    together = made(written, source=source, mode=INFERENCE)[0].to_sequences()
    for number, expected in enumerate(together):
        alone, _ = made(written.gather([number]), source=source.gather([number]), mode=INFERENCE)
        assert np.abs(alone.rows - expected).max() < 1e-13


def test_steps_one_by_one_are_the_whole_call():
    """Feeding nothing back is no feeding: the stepwise way gives what the fused one gives."""
    plain, flat = built(network("general"), V)
    fed, other = built(network("general", feeding=True), V)
    theirs = dict(other.named())
    for path, parameter in flat.named():
        path = path.replace("decoder.1.", "decoder.1.recurrent.").replace(
            "decoder.2.", "decoder.1.attention."
        )
        path = path.replace("decoder.3.", "decoder.2.").replace("bridge.1.", "bridge.1.0.")
        value = parameter.value
        if theirs[path].shape != value.shape:  # the columns that read what is fed
            value = np.concatenate([value, np.zeros((len(value), H))], 1)
        theirs[path].value[...] = value
    source, written = features(READ, D), token_ids(WRITTEN, V)
    one = run_back_from(plain, written, source)
    two = run_back_from(fed, written, source)
    assert np.abs(one[0] - two[0]).max() < 1e-13
    assert np.abs(one[1] - two[1]).max() < 1e-12


def run_back_from(made, written, source):
    y, back = made(written, source=source)
    back(np.sin(np.arange(y.rows.size)).reshape(y.rows.shape))
    return y.rows, back.d_given["source"]


def test_a_state_is_copied_where_it_can_be():
    encoder, written = recurrent_stack("lstm", [3, H], engine="reference"), token_ids(WRITTEN, V)
    made, flat = built(EncoderDecoder(encoder, decoder(None, False, 3, ("lstm",)), D), V)
    assert not any("bridge" in path for path, _ in flat.named())
    source = features(READ, D)
    _, back = encoder(source, mode=INFERENCE)
    begun = made.encode(source).state
    assert np.array_equal(begun[1][0]["c"], back.state[1]["c"])
    y, _ = made(written, source=source, mode=INFERENCE)
    expected, _ = made.decoder(written, state=(None, (back.state[1],), None), mode=INFERENCE)
    assert np.array_equal(y.rows, expected.rows)


def test_errors_say_what_to_do():
    made, _ = built(network("general", feeding=True), V)
    with pytest.raises(DataError, match="got none"):
        made(token_ids([3], V))
    with pytest.raises(ShapeError, match="as many sequences to read as to write, 1, got 2"):
        made(token_ids([3], V), source=features([1, 2], D))
    with pytest.raises(OptionError, match="Use 'general' or 'additive'"):
        DecoderAttention(3, score="dot").configure(5)
    layer, _ = built(DecoderAttention(3), 5)
    x = features([2, 1], 5)
    with pytest.raises(DataError, match="expected the auxiliary input 'memory'"):
        layer(x)
    with pytest.raises(ShapeError, match="lengths of 1 to 4"):
        layer(x, given={"memory": np.zeros((2, 4, 3)), "lengths": np.array([5, 1])})
    with pytest.raises(OptionError, match="no recurrent layer inside"):
        EncoderDecoder(Linear(3), decoder(None, False, 3), D).configure(V)
    recurrent = Stack([*recurrent_stack("gru", H).layers, BatchNorm()])
    fed, _ = built(InputFeeding(recurrent, DecoderAttention(3), H), D)
    with pytest.raises(OptionError, match="use layer_norm"):
        fed(
            features([2], D),
            given={"attention.memory": np.zeros((1, 2, 3)), "attention.lengths": np.array([2])},
        )
    with pytest.raises(OptionError, match="feed outputs back"):
        InputFeeding(recurrent_stack("gru", 4, bidirectional=True), DecoderAttention(8), 8)


def test_dropout_in_steps_masks_what_the_whole_call_masks():
    x = features(WRITTEN, D)
    for locked in (False, True):
        layer, _ = built(Dropout(0.4, locked=locked), D)
        mask = np.random.default_rng(1).normal(size=(len(WRITTEN), D) if locked else x.rows.shape)
        whole, _ = layer(x, given={"mask": mask})
        steps = layer.stepwise(x.layout, None, {"mask": mask}, INFERENCE)
        spans = zip(x.layout.offsets, x.layout.offsets[1:], strict=False)
        assert np.array_equal(np.concatenate([steps.step(x.rows[a:b]) for a, b in spans]), whole.rows)


def test_the_ragged_batch_may_be_dense_too():
    made, _ = built(network("general"), V)
    written = Ragged.from_dense(np.arange(6).reshape(2, 3) % V)
    y, _ = made(written, source=features([3, 3], D), mode=INFERENCE)
    assert y.rows.shape == (6, V)
