"""Greedy and beam search: against every sequence there is, and against what the whole call says."""

import itertools

import numpy as np
import pytest

from noria.layers import (
    INFERENCE,
    DecoderAttention,
    Embedding,
    EncoderDecoder,
    FlatParameters,
    InputFeeding,
    Linear,
    Stack,
    recurrent_stack,
)
from noria.models.translate.scheduled_sampling import own_inputs
from noria.models.translate.search import Writer
from noria.sequences import Ragged

S, V, H, END = 5, 4, 6, 1


def network(feeding=False, seed=0):
    recurrent = recurrent_stack("gru", H, engine="reference")
    looks = DecoderAttention(2 * 3)
    between = [InputFeeding(recurrent, looks, H)] if feeding else [recurrent, looks]
    encoder = Stack([Embedding(S, 4), recurrent_stack("gru", 3, bidirectional=True, engine="reference")])
    made = EncoderDecoder(encoder, Stack([Embedding(V, 4), *between, Linear(V)]), S)
    made.configure(V)
    flat = FlatParameters.build([made], np.random.default_rng(seed), np.float64)
    flat.values[...] = np.random.default_rng(seed).normal(size=flat.values.size)
    return made


SOURCES = [np.array(ids) for ids in ([2, 3], [4, 0, 1, 2], [1])]


def log_probabilities(made, source, targets):
    """Give the log-probability of each target of one source, by the whole call."""
    written = Ragged.from_sequences(targets)
    before = Ragged.from_sequences([[END, *target[:-1]] for target in targets])
    read = Ragged.from_sequences([source] * len(targets))
    logits = made(before, source=read, mode=INFERENCE)[0].rows
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    rows = written.with_rows(log_p[np.arange(len(log_p)), written.rows])
    return [float(one.sum()) for one in rows.to_sequences()]


def everything(limit, banned):
    """List all targets of up to `limit` symbols, the end included; those that have no end are as long."""
    symbols = [s for s in range(V) if s != END and s not in banned]
    ended = [[*p, END] for n in range(limit) for p in itertools.product(symbols, repeat=n)]
    return ended, [list(p) for p in itertools.product(symbols, repeat=limit)]


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0])
@pytest.mark.parametrize(("banned", "seed"), [((), 0), ((0,), 3)])
def test_a_wide_beam_finds_the_best_of_all(penalty, banned, seed):
    made, limit = network(seed=seed), 3
    ended, _ = everything(limit, banned)
    writer = Writer(made, begin=END, end=END, banned=banned, limit=limit, beam=60, penalty=penalty)
    found = writer.write(Ragged.from_sequences(SOURCES))
    for source, one in zip(SOURCES, found, strict=True):
        scores = log_probabilities(made, source, ended)
        best = max(range(len(ended)), key=lambda i: scores[i] / len(ended[i]) ** penalty)
        assert one.ended
        assert [*one.ids, END] == ended[best]
        assert abs(one.log_probability - scores[best]) < 1e-12


@pytest.mark.parametrize("feeding", [False, True])
def test_greedy_is_a_beam_of_one_and_takes_the_likeliest_symbol(feeding):
    made = network(feeding, seed=1)
    found = Writer(made, begin=END, end=END, limit=6).write(Ragged.from_sequences(SOURCES))
    for source, one in zip(SOURCES, found, strict=True):
        inputs = [END]
        while len(inputs) < 7:
            x = Ragged.from_sequences([inputs])
            logits, _ = made(x, source=Ragged.from_sequences([source]), mode=INFERENCE)
            symbol = int(logits.rows[-1].argmax())
            if symbol == END:
                break
            inputs.append(symbol)
        assert one.ids == inputs[1:]
        assert one.ended == (len(inputs) < 7)


def test_a_beam_that_holds_everything_is_not_behind_the_likeliest_symbols():
    made, source = network(seed=1), Ragged.from_sequences(SOURCES)
    greedy, wide = (
        Writer(made, begin=END, end=END, limit=5, beam=beam, penalty=0).write(source) for beam in (1, 300)
    )
    assert any(one.ended for one in greedy)
    for narrow, best in zip(greedy, wide, strict=True):
        assert best.log_probability >= narrow.log_probability - 1e-12 or not narrow.ended


@pytest.mark.parametrize("beam", [1, 3])
def test_batch_mates_change_nothing_and_order_is_kept(beam):
    made = network(True, seed=1)
    writer = Writer(made, begin=END, end=END, limit=5, beam=beam)
    together = [one.ids for one in writer.write(Ragged.from_sequences(SOURCES))]
    alone = [writer.write(Ragged.from_sequences([source]))[0].ids for source in SOURCES]
    assert together == alone
    assert len({tuple(ids) for ids in together}) > 1


def test_what_goes_on_at_the_limit_is_given_as_it_is():
    made = network(seed=0)
    made.decoder.layers[-1].b.value[END] = -1e9
    (one,) = Writer(made, begin=END, end=END, limit=4, beam=2).write(Ragged.from_sequences(SOURCES[:1]))
    assert not one.ended
    assert len(one.ids) == 4
    assert END not in one.ids


def test_what_is_banned_is_never_written():
    made, source = network(seed=0), Ragged.from_sequences(SOURCES)
    made.decoder.layers[-1].b.value[0] = 50.0
    for beam in (1, 2):
        free, kept = (
            Writer(made, begin=END, end=END, banned=banned, limit=4, beam=beam).write(source)
            for banned in ((), (0,))
        )
        assert all(0 in one.ids for one in free)
        assert not any(0 in one.ids for one in kept)


def test_own_inputs_are_those_of_the_free_running_decoder():
    made = network(True, seed=1)
    source = Ragged.from_sequences(SOURCES)
    inputs = Ragged.from_sequences([[END, 2, 3, 2, 0], [END, 3], [END, 0, 2]])
    rng = np.random.default_rng(0)
    assert np.array_equal(own_inputs(made, source, inputs, 0.0, rng).rows, inputs.rows)
    free = own_inputs(made, source, inputs, 1.0, rng)
    logits, _ = made(free, source=source, mode=INFERENCE)
    for read, scores in zip(free.to_sequences(), logits.to_sequences(), strict=True):
        assert read[0] == END
        assert np.array_equal(read[1:], scores.argmax(1)[:-1])


def test_own_inputs_are_mixed_with_their_probability():
    made = network(seed=1)
    made.decoder.layers[-1].b.value[0] = 1e9  # its own symbol is always 0
    source = Ragged.from_sequences([SOURCES[0]] * 50)
    inputs = Ragged.from_sequences([[END] + [2] * 40] * 50)
    mixed = own_inputs(made, source, inputs, 0.25, np.random.default_rng(0)).to_dense()
    assert set(mixed[:, 0]) == {END}
    assert abs((mixed[:, 1:] == 0).mean() - 0.25) < 0.03
    assert set(np.unique(mixed[:, 1:])) == {0, 2}
