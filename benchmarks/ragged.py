"""Training on sequences of different lengths three ways: one by one, padded to the longest, packed.

All three make the same update from the same weights: the gradient of the mean loss over the batch, which is
compared first. Costs are per real token, forward and backward of an LSTM whose last state is classified,
beside a dense batch of as many tokens, which is the least there is.
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from launch import launch, parser_of
from timing import Budget, alternate

from noria.layers import FlatParameters, Linear, Recurrent, Stack
from noria.sequences import Ragged
from noria.training.losses import sequence_cross_entropy

FEATURES, HIDDEN, CLASSES, LONGEST = 40, 128, 9, 100
BATCHES = (4, 16, 32, 64)
WAYS = ("packed", "padded", "one by one")
ALLOWED, LEAST = 1.15, 16
"""Packed may cost so many times the dense batch per token, from so many sequences on."""


def network() -> tuple[Stack, FlatParameters]:
    """Give the layers and their weights, the same at every call."""
    stack = Stack([Recurrent("lstm", HIDDEN), Linear(CLASSES)], keys=["recurrent", "output"])
    stack.configure(FEATURES)
    return stack, FlatParameters.build([stack], np.random.default_rng(0))


def step(stack: Stack, flat: FlatParameters, x: Ragged, ends: np.ndarray, labels: np.ndarray) -> float:
    """Run one batch forward and backward; the loss is that of the row at each sequence's end."""
    flat.zero_gradients()
    y, backward = stack(x)
    loss, loss_backward = sequence_cross_entropy(y.rows[ends], labels)
    d_y = np.zeros_like(y.rows)
    d_y[ends] = loss_backward()
    backward(d_y)
    return loss


def ways(count: int, rng: np.random.Generator) -> tuple[dict[str, Callable[[], float]], dict[str, Any]]:
    """Give the ways of training on the same batch, and what there is to know about it."""
    lengths = rng.integers(LONGEST // 10, LONGEST + 1, count)
    sequences = [rng.standard_normal((length, FEATURES)).astype(np.float32) for length in lengths]
    labels = rng.integers(0, CLASSES, count)
    stack, flat = network()

    packed = Ragged.from_sequences(sequences)
    ends = packed.layout.last_rows
    of_packed = labels[packed.layout.order]

    filled = np.zeros((count, lengths.max(), FEATURES), np.float32)
    for number, sequence in enumerate(sequences):
        filled[number, : len(sequence)] = sequence
    padded = Ragged.from_dense(filled)
    # Rows of a dense layout stand step by step, the caller's sequences in their own order.
    ends_of_padded = (lengths - 1) * count + np.arange(count)

    alone = [Ragged.from_sequences([sequence]) for sequence in sequences]

    def one_by_one() -> float:
        total, gathered = 0.0, np.zeros_like(flat.gradients)
        for x, label in zip(alone, labels, strict=True):
            total += step(stack, flat, x, x.layout.last_rows, np.array([label])) / count
            gathered += flat.gradients / count
        flat.gradients[...] = gathered
        return total

    steps = max(1, round(lengths.sum() / count))
    dense = Ragged.from_dense(rng.standard_normal((count, steps, FEATURES)).astype(np.float32))
    found: dict[str, Callable[[], float]] = {
        "packed": lambda: step(stack, flat, packed, ends, of_packed),
        "padded": lambda: step(stack, flat, padded, ends_of_padded, labels),
        "one by one": one_by_one,
        "dense": lambda: step(stack, flat, dense, dense.layout.last_rows, labels),
    }
    gradients = {}
    for name in WAYS:
        loss = found[name]()
        gradients[name] = (loss, flat.gradients.copy())
    scale = float(np.linalg.norm(gradients["packed"][1]))
    differ = max(
        float(np.linalg.norm(gradients[name][1] - gradients["packed"][1])) / scale for name in WAYS[1:]
    )
    tokens = {name: int(lengths.sum()) for name in gradients} | {"dense": steps * count}
    return found, {"tokens": tokens, "differ": differ, "padding": float(filled[..., 0].size / lengths.sum())}


def work(arguments: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Measure all batch sizes and print a line for each."""
    budget = Budget(repeats=5 if arguments.quick else 21, seconds=1 if arguments.quick else 5)
    print(f"\nLSTM {FEATURES} -> {HIDDEN}, lengths {LONGEST // 10} to {LONGEST}, {threads} thread(s)")
    print("microseconds a real token, and how many times the dense batch's")
    print(f"{'B':>3} {'dense':>10}" + "".join(f" {name:>10} {'ratio':>6}" for name in WAYS))
    rows = []
    for count in BATCHES[1:3] if arguments.quick else BATCHES:
        runs, about = ways(count, np.random.default_rng(count))
        timings = alternate(runs, budget)
        cost = {name: 1e3 * timing.ms / about["tokens"][name] for name, timing in timings.items()}
        ratio = {name: value / cost["dense"] for name, value in cost.items()}
        columns = "".join(f" {cost[name]:>10.3f} {ratio[name]:>6.2f}" for name in WAYS)
        print(f"{count:>3} {cost['dense']:>10.3f}{columns}", flush=True)
        reached = count < LEAST or ratio["packed"] <= ALLOWED
        measured = {"sequences": count, "microseconds_a_token": cost, "times_dense": ratio}
        rows.append({**measured, **about, "reached": reached, "wrong": about["differ"] > 1e-4})
    differ = max(row["differ"] for row in rows)
    print(f"packed may cost {ALLOWED} times the dense batch from {LEAST} sequences on")
    print(f"gradients of the three ways differ by at most {differ:.1e} of their norm")
    return {"rows": rows}


if __name__ == "__main__":
    launch(parser_of(__doc__).parse_args(), work)
