"""Several Python threads call one model at once: each call has its own draws and its own way back."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from layer_checks import built, drawing, features

from noria.layers import BatchNorm, CausalAttention, Dropout, Linear, Recurrent, Stack, recurrent_stack

CALLS, ROUNDS = 4, 5
BATCHES = [features(lengths, 6, seed) for seed, lengths in enumerate([(5, 9, 2), (7,), (3, 3), (8, 1, 4, 6)])]


def regularised(engine):
    below = recurrent_stack(["lstm", "gru"], [17, 9], dropout=0.2, drop_connect=0.4, engine=engine)
    return Stack([below, Dropout(0.3), Recurrent("rnn", 7, drop_connect=0.5, engine=engine), Linear(5)])


def forward(model, number):
    y, backward = model(BATCHES[number], mode=drawing(number))
    return y.rows.copy(), backward


def backward_of(backward, number, y):
    return backward(np.random.default_rng(100 + number).normal(size=y.shape))


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_draws_and_dropped_weights_do_not_meet(engine):
    model, flat = built(regularised(engine), 6)
    ends = [forward(model, number) for number in range(CALLS)]
    expected = [(y, backward_of(back, number, y)) for number, (y, back) in enumerate(ends)]
    gradients = flat.gradients.copy()
    barrier = Barrier(CALLS)

    def call(number):
        barrier.wait()
        return forward(model, number)

    with ThreadPoolExecutor(CALLS) as threads:
        for _ in range(ROUNDS):
            flat.zero_gradients()
            ends = list(threads.map(call, range(CALLS)))
            # gradients add up in one vector, which takes one call after the other
            found = [(y, backward_of(back, number, y)) for number, (y, back) in enumerate(ends)]
            for (y, d_x), (right, d_right) in zip(found, expected, strict=True):
                np.testing.assert_array_equal(y, right)
                np.testing.assert_array_equal(d_x, d_right)
            np.testing.assert_array_equal(flat.gradients, gradients)


def test_calls_that_save_nothing_do_not_meet_either():
    model, _ = built(Stack([BatchNorm(), regularised("auto"), CausalAttention(3, score="additive")]), 6)
    expected = [model(x)[0].rows for x in BATCHES]
    barrier = Barrier(CALLS)

    def call(number):
        barrier.wait()
        return [model(BATCHES[number])[0].rows for _ in range(ROUNDS)]

    with ThreadPoolExecutor(CALLS) as threads:
        for found, right in zip(threads.map(call, range(CALLS)), expected, strict=True):
            for rows in found:
                np.testing.assert_array_equal(rows, right)
