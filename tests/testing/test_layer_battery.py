"""The battery for layers: ours pass it, and layers with the usual mistakes do not."""

import numpy as np
import pytest

from noria.layers import (
    Bidirectional,
    Dropout,
    Embedding,
    Gradients,
    Linear,
    OneHot,
    Recurrent,
    Stack,
    recurrent_stack,
)
from noria.layers.backward import Backward
from noria.sequences import Ragged
from noria.testing import check_layer

LENGTHS = (5, 2, 5, 1)


def rows(width, seed=0):
    rng = np.random.default_rng(seed)
    return Ragged.from_sequences([rng.standard_normal((length, width)) for length in LENGTHS])


def ids(symbols, seed=0):
    rng = np.random.default_rng(seed)
    return Ragged.from_sequences([rng.integers(0, symbols, length) for length in LENGTHS])


def state(width, *names):
    rng = np.random.default_rng(5)
    return {name: rng.standard_normal((len(LENGTHS), width)) for name in names}


@pytest.mark.parametrize(
    ("layer", "start"),
    [
        (Linear(3), None),
        (Recurrent("lstm", 7), state(7, "h", "c")),
        (Recurrent("gru", 7), None),
        (Bidirectional(Recurrent("gru_reset_after", 3)), (state(3, "h"), state(3, "h"))),
        (recurrent_stack(["rnn", "lstm"], [6, 5], projection=[3, None]), None),
    ],
    ids=["linear", "lstm", "gru", "bidirectional", "stack"],
)
def test_our_layers_pass(layer, start):
    check_layer(layer, rows(4), state=start)


def test_layers_on_token_ids_pass():
    for first in (OneHot(6), Embedding(6, 3)):
        layer = Stack([first, Recurrent("mgu", 5), Linear(6)])
        layer.configure(6)
        check_layer(layer, ids(6))


def test_layers_that_draw_pass_with_the_same_draws():
    check_layer(Stack([Linear(5), Dropout(0.4), Linear(3)]), rows(4), training=True)


class WrongLinear(Linear):
    """A linear layer whose backward is changed."""

    def wrong(self, backward, d_y):
        raise AssertionError("each mistake says what it does")

    def __call__(self, x, **rest):
        y, right = super().__call__(x, **rest)
        return y, Backward(lambda d_y, d_state: Gradients(self.wrong(right, d_y)), self.title)


class LosesTheBias(WrongLinear):
    def wrong(self, backward, d_y):
        before = self.b.gradient.copy()
        d_x = backward(d_y)
        self.b.gradient[...] = before
        return d_x


class DoesNotAccumulate(WrongLinear):
    def wrong(self, backward, d_y):
        self.W.gradient[...] = 0
        return backward(d_y)


class TurnsTheSign(WrongLinear):
    def wrong(self, backward, d_y):
        return -backward(d_y)


@pytest.mark.parametrize(
    ("layer", "complaint"),
    [
        (LosesTheBias(3), "gradient of 'linear.b' is off"),
        (DoesNotAccumulate(3), "gradients of two calls differ"),
        (TurnsTheSign(3), "gradient of 'x' is off"),
    ],
)
def test_the_usual_mistakes_are_seen(layer, complaint):
    with pytest.raises(AssertionError, match=complaint):
        check_layer(layer, rows(4))


def test_a_backward_that_runs_twice_is_seen():
    class Twice(Linear):
        def __call__(self, x, **rest):
            y, right = super().__call__(x, **rest)
            kept = []
            backward = Backward(lambda d_y, d_state: None, self.title)

            class Forgiving(type(backward)):
                def __call__(self, d_y, d_state=None):
                    kept.append(kept[0] if kept else right(d_y))
                    return kept[-1]

            backward.__class__ = Forgiving
            return y, backward

    with pytest.raises(AssertionError, match="a second call of the same backward was not refused"):
        check_layer(Twice(3), rows(4))
