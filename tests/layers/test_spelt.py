"""Words read by their characters: what is read, how often, and every gradient."""

import numpy as np
import pytest
from layer_checks import built, check_gradients, features

from noria.errors import DataError, ShapeError
from noria.layers import INFERENCE, Bidirectional, Embedding, Recurrent, Stack
from noria.layers.pooling import LastPooling
from noria.layers.spelt import Spelt

LENGTHS = [2, 5, 1, 4]
ROWS = sum(LENGTHS)
CHARACTERS = np.array([[3, 1, 4, -1, -1], [1, 5, -1, -1, -1], [2, 6, 5, 3, 5], [0, -1, -1, -1, -1]])
WORDS = np.random.default_rng(2).integers(0, 4, ROWS)
GIVEN = {"characters": CHARACTERS, "words": WORDS}


def layer(cell="lstm"):
    reader = [
        Embedding(7, 3),
        Bidirectional(Recurrent(cell, 2, engine="reference")),
        LastPooling(backward_size=2),
    ]
    return Spelt(Stack(reader), 7)


def test_every_gradient_is_that_of_the_complex_step():
    check_gradients(layer, 6, features(LENGTHS, 6), given=GIVEN, state=False)


def test_each_row_has_the_reading_of_its_word_behind_it():
    spelt, _ = built(layer("gru"), 6)
    x = features(LENGTHS, 6)
    y, _ = spelt(x, given=GIVEN, mode=INFERENCE)
    assert spelt.output_size == 10
    assert np.array_equal(y.rows[:, :6], x.rows)
    for word in range(4):
        alone = {"characters": CHARACTERS[word : word + 1], "words": np.zeros(1, int)}
        (expected,) = spelt(features([1], 6), given=alone, mode=INFERENCE)[0].rows[:, 6:]
        assert np.abs(y.rows[word == WORDS, 6:] - expected).max() < 1e-14


def test_a_stream_reads_the_word_that_comes():
    spelt, _ = built(Stack([layer("gru"), Recurrent("gru", 3, engine="reference")]), 6)
    x = features([4], 6)
    given = {"0.characters": CHARACTERS, "0.words": np.array([2, 0, 1, 2])}
    whole, _ = spelt(x, given=given, mode=INFERENCE)
    stream, state = spelt.stream(), None
    for step, row in enumerate(x.rows):
        now = {"0.characters": CHARACTERS, "0.words": given["0.words"][step : step + 1]}
        y, state = stream.step(row, state, given=now)
        assert np.abs(y[0] - whole.rows[step]).max() < 1e-14


def test_what_does_not_fit_is_refused():
    spelt, _ = built(layer(), 6)
    x = features(LENGTHS, 6)
    with pytest.raises(DataError, match="'characters', got none"):
        spelt(x, given={"words": WORDS})
    with pytest.raises(ShapeError, match=r"'words' of shape \(12,\), got \(3,\)"):
        spelt(x, given={"characters": CHARACTERS, "words": WORDS[:3]})
    with pytest.raises(ShapeError, match=r"whole numbers \(U, L\), got float64"):
        spelt(x, given={"characters": CHARACTERS * 1.0, "words": WORDS})
    with pytest.raises(DataError, match=r"\[0, 3\), got 0 to 3"):
        spelt(x, given={"characters": CHARACTERS[:3], "words": WORDS})
    with pytest.raises(DataError, match="length 0"):
        spelt(x, given={"characters": CHARACTERS - 1, "words": WORDS})
