"""A frozen parameter: its gradient stays zero, and every other gradient is what it would be without."""

import numpy as np
import pytest
from layer_checks import built, drawing, features, run_back, token_ids

from noria.layers import (
    BatchNorm,
    Bidirectional,
    CausalAttention,
    Conditioned,
    ConditionedSteps,
    Embedding,
    Linear,
    Recurrent,
    Stack,
    recurrent_stack,
)

LENGTHS = (3, 6, 1, 5)
ROWS, IDS = features(LENGTHS, 4), token_ids(LENGTHS, 7)
VECTORS = {"features": np.random.default_rng(6).normal(size=(len(LENGTHS), 2))}


def tied():
    table = Embedding(7, 4)
    return Stack([table, Recurrent("rnn", 4), Linear(7, weight=table.table)])


LAYERS = {
    "linear": (lambda: Linear(3), ROWS, None),
    "linear of ids": (lambda: Linear(3), IDS, None),
    "embedding": (lambda: Stack([Embedding(7, 4), Linear(3)]), IDS, None),
    "table": (lambda: Stack([Embedding(7, 4, dropout=0.3), Recurrent("gru", 5)]), IDS, None),
    "tied": (tied, IDS, None),
    "batch norm": (lambda: Stack([Linear(5, bias=False), BatchNorm(), Linear(3)]), ROWS, None),
    "cells": (lambda: recurrent_stack(["lstm", "gru"], 5, drop_connect=0.3), ROWS, None),
    "both ways": (lambda: Bidirectional(Recurrent("rnn", 5)), ROWS, None),
    "conditioned": (lambda: Conditioned(Recurrent("lstm", 5), 2), ROWS, VECTORS),
    "told": (lambda: ConditionedSteps(Conditioned(Recurrent("gru", 5), 2), 2), ROWS, VECTORS),
    "dot": (lambda: CausalAttention(3, score="dot"), ROWS, None),
    "general": (lambda: CausalAttention(3, score="general"), ROWS, None),
    "additive": (lambda: CausalAttention(3, score="additive"), ROWS, None),
}


def gradients(make, x, given, frozen=None):
    """Give all gradients of a training call, with one parameter frozen or none."""
    layer, flat = built(make(), 7 if x is IDS else 4)
    if frozen is not None:
        dict(flat.named())[frozen].frozen = True
    done = run_back(layer, x, given=given, mode=drawing(3))
    found = {path: parameter.gradient for path, parameter in flat.named()}
    return found, {"x": done.d_x, **done.backward.d_given}


@pytest.mark.parametrize("case", LAYERS.values(), ids=LAYERS)
def test_each_parameter_can_be_frozen_alone(case):
    expected, outside = gradients(*case)
    for frozen in expected:
        assert expected[frozen].any(), frozen
        found, still_outside = gradients(*case, frozen=frozen)
        for path, gradient in found.items():
            right = np.zeros_like(gradient) if path == frozen else expected[path]
            np.testing.assert_array_equal(gradient, right, err_msg=f"{path} where {frozen} is frozen")
        for name, gradient in outside.items():
            np.testing.assert_array_equal(still_outside[name], gradient)
