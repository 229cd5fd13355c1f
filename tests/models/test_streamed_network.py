"""A model that is asked symbol by symbol: weights of the start, any number of sequences, any thread."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from noria.data import Text
from noria.layers import first_sequences, take_sequences
from noria.models import LanguageModel
from noria.models.text.generation import KEPT_STREAMS

SMALL = {"cell": "lstm", "hidden_size": 9, "batch_size": 3, "seq_length": 5, "sample_length": 0}
IDS = [3, 1, 4, 1, 5, 2, 6]


@pytest.fixture
def model():
    return LanguageModel(**SMALL, dtype="float64").fit(Text("the quick brown fox jumps\n" * 40), steps=3)


def read_all(model, ids, state=None):
    state = model.start() if state is None else state
    for symbol in ids:
        row, state = model.step(symbol, state)
    return row


def test_weights_are_those_of_the_start(model):
    row, state = model.step(3, model.start())
    before, _ = model.step(4, state)
    model.parameters_.values[...] *= 1.5
    assert np.array_equal(model.step(4, state)[0], before)
    model.start()
    assert np.abs(model.step(4, state)[0] - before).max() > 1e-3
    assert row.shape == before.shape == (len(model.vocabulary_),)


def test_a_fit_begins_anew(model):
    state = model.start()
    before, _ = model.step(3, state)
    model.fit(Text("the quick brown fox jumps\n" * 40), steps=8)
    again, _ = model.step(3, state)
    assert np.abs(again - before).max() > 1e-3
    assert np.array_equal(model.step(3, model.start())[0], again)


def test_what_is_written_has_the_weights_of_the_moment(model):
    before = model.sample(length=40, temperature=2.0, seed=1)
    assert model.sample(length=40, temperature=2.0, seed=1) == before
    model.parameters_.values[...] *= -2.0
    assert model.sample(length=40, temperature=2.0, seed=1) != before


def test_a_beam_may_have_any_size(model):
    assert len(IDS) > KEPT_STREAMS
    expected = read_all(model, IDS)
    state = model.start(2)
    for position, symbol in enumerate(IDS[:-1]):
        size = 2 + position
        rows, state = model.step(np.full(size, symbol), take_sequences(state, [0] * size))
    rows, _ = model.step(np.array(IDS[-1:]), first_sequences(state, 1))
    assert np.abs(rows[0] - expected).max() < 1e-13


def test_several_threads_may_ask(model, request):
    expected = [read_all(model, IDS[begin:]) for begin in range(4)]
    starts = [model.start() for _ in range(4)]
    interval = sys.getswitchinterval()
    request.addfinalizer(lambda: sys.setswitchinterval(interval))
    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(4) as threads:
        for _ in range(20):
            found = list(threads.map(lambda b: read_all(model, IDS[b:], starts[b]), range(4)))
            assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
