"""One training iteration in the setting of min-char-rnn.

Hidden size 256, one window of 200 characters, batch 1, 121 symbols, AdaGrad.

The peer is what a notebook writes: a loop over the steps in float64, one-hot columns, an outer product per
weight matrix and step. Both do the same work on the same text: forward, backward, clipping to [-5, 5],
AdaGrad. Both run in this process, a few iterations in turn, on the same number of threads.

    python benchmarks/min_char_rnn.py [--quick] [--json] [--threads 1 2]
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from launch import launch, parser_of

from noria.engines.threads import use_threads
from noria.layers import FlatParameters, Linear, Mode, OneHot, Recurrent, Stack
from noria.sequences import Ragged
from noria.training.losses import sequence_cross_entropy

HIDDEN, WINDOW, SYMBOLS, LEARNING_RATE, CLIP = 256, 200, 121, 0.01, 5.0
IN_A_ROW = 4
"""Iterations of one side; the first does not count, as in training an iteration follows its own kind."""

Iteration = Callable[[np.ndarray, np.ndarray], float]


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-a))


def one_hot(symbol: int) -> np.ndarray:
    column = np.zeros((SYMBOLS, 1))
    column[symbol] = 1.0
    return column


class Loop:
    """What the two notebook networks share: output layer, clipping, AdaGrad, the carried state."""

    def __init__(self, shapes: dict[str, tuple[int, int]], rng: np.random.Generator) -> None:
        shapes = {**shapes, "W_y": (SYMBOLS, HIDDEN), "b_y": (SYMBOLS, 1)}
        self.p = {k: rng.standard_normal(s) * (0.0 if k.startswith("b") else 0.05) for k, s in shapes.items()}
        self.memory = {k: np.zeros_like(v) for k, v in self.p.items()}
        self.h = np.zeros((HIDDEN, 1))

    def output(self, h: np.ndarray, target: int) -> tuple[np.ndarray, float]:
        """Give the probabilities of the next symbol, and what the right one costs."""
        logits = self.p["W_y"] @ h + self.p["b_y"]
        probabilities = np.exp(logits - logits.max())
        probabilities /= probabilities.sum()
        return probabilities, -float(np.log(probabilities[target, 0]))

    def output_back(
        self, g: dict[str, np.ndarray], probabilities: np.ndarray, target: int, h: np.ndarray
    ) -> np.ndarray:
        """Add the output layer's gradients to ``g``; give that of ``h``."""
        d_y = probabilities.copy()
        d_y[target] -= 1.0
        g["W_y"] += d_y @ h.T
        g["b_y"] += d_y
        return self.p["W_y"].T @ d_y

    def update(self, g: dict[str, np.ndarray]) -> None:
        """Clip and take one step of AdaGrad."""
        for name, gradient in g.items():
            np.clip(gradient, -CLIP, CLIP, out=gradient)
            self.memory[name] += gradient * gradient
            self.p[name] -= LEARNING_RATE * gradient / np.sqrt(self.memory[name] + 1e-8)


class LoopRNN(Loop):
    """A vanilla RNN, step by step."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__({"W": (HIDDEN, SYMBOLS), "U": (HIDDEN, HIDDEN), "b": (HIDDEN, 1)}, rng)

    def __call__(self, inputs: np.ndarray, targets: np.ndarray) -> float:
        """Run one iteration; give the mean loss of a step."""
        p, xs, hs, ps, loss = self.p, {}, {-1: self.h}, {}, 0.0
        for t in range(WINDOW):
            xs[t] = one_hot(inputs[t])
            hs[t] = np.tanh(p["W"] @ xs[t] + p["U"] @ hs[t - 1] + p["b"])
            ps[t], nats = self.output(hs[t], targets[t])
            loss += nats
        g = {k: np.zeros_like(v) for k, v in p.items()}
        d_next = np.zeros((HIDDEN, 1))
        for t in reversed(range(WINDOW)):
            d_h = self.output_back(g, ps[t], targets[t], hs[t]) + d_next
            d_a = (1 - hs[t] * hs[t]) * d_h
            g["b"] += d_a
            g["W"] += d_a @ xs[t].T
            g["U"] += d_a @ hs[t - 1].T
            d_next = p["U"].T @ d_a
        self.update(g)
        self.h = hs[WINDOW - 1]
        return loss / WINDOW


class LoopGRU(Loop):
    """A GRU with the reset before the product, step by step."""

    def __init__(self, rng: np.random.Generator) -> None:
        shapes = {f"W_{k}": (HIDDEN, SYMBOLS) for k in "zrn"} | {f"U_{k}": (HIDDEN, HIDDEN) for k in "zrn"}
        super().__init__(shapes | {f"b_{k}": (HIDDEN, 1) for k in "zrn"}, rng)

    def __call__(self, inputs: np.ndarray, targets: np.ndarray) -> float:
        """Run one iteration; give the mean loss of a step."""
        p, xs, hs, ps, loss = self.p, {}, {-1: self.h}, {}, 0.0
        zs, rs, ns = {}, {}, {}
        for t in range(WINDOW):
            x = xs[t] = one_hot(inputs[t])
            h = hs[t - 1]
            zs[t] = sigmoid(p["W_z"] @ x + p["U_z"] @ h + p["b_z"])
            rs[t] = sigmoid(p["W_r"] @ x + p["U_r"] @ h + p["b_r"])
            ns[t] = np.tanh(p["W_n"] @ x + p["U_n"] @ (rs[t] * h) + p["b_n"])
            hs[t] = (1 - zs[t]) * ns[t] + zs[t] * h
            ps[t], nats = self.output(hs[t], targets[t])
            loss += nats
        g = {k: np.zeros_like(v) for k, v in p.items()}
        d_next = np.zeros((HIDDEN, 1))
        for t in reversed(range(WINDOW)):
            z, r, n, h = zs[t], rs[t], ns[t], hs[t - 1]
            d_h = self.output_back(g, ps[t], targets[t], hs[t]) + d_next
            d_n = d_h * (1 - z) * (1 - n * n)
            d_rh = p["U_n"].T @ d_n
            d_z = d_h * (h - n) * z * (1 - z)
            d_r = d_rh * h * r * (1 - r)
            for k, d, operand in (("z", d_z, h), ("r", d_r, h), ("n", d_n, r * h)):
                g[f"W_{k}"] += d @ xs[t].T
                g[f"U_{k}"] += d @ operand.T
                g[f"b_{k}"] += d
            d_next = d_h * z + d_rh * r + p["U_z"].T @ d_z + p["U_r"].T @ d_r
        self.update(g)
        self.h = hs[WINDOW - 1]
        return loss / WINDOW


class Ours:
    """The same iteration with the library's layers, in float32, from the weights of the loop."""

    def __init__(self, cell: str, weights: dict[str, np.ndarray]) -> None:
        self.model = Stack([OneHot(), Recurrent(cell, HIDDEN), Linear(SYMBOLS)], name="model")
        self.model.configure(SYMBOLS)
        self.flat = FlatParameters.build([self.model], np.random.default_rng(0), np.float32)
        for path, parameter in self.flat.named():
            layer, name = path.split(".")[-2:]
            parameter.value[...] = weights[f"{name}_y" if layer == "2" else name].reshape(parameter.shape)
        self.memory = np.zeros_like(self.flat.values)
        self.scratch = np.empty_like(self.memory)
        self.state = self.model.start(1)

    def __call__(self, inputs: np.ndarray, targets: np.ndarray) -> float:
        """Run one iteration, under the limits of a training; give the mean loss of a step."""
        with use_threads(0):
            return self._iteration(inputs, targets)

    def _iteration(self, inputs: np.ndarray, targets: np.ndarray) -> float:
        self.flat.zero_gradients()
        logits, backward = self.model(
            Ragged.from_sequences([inputs]), state=self.state, mode=Mode(training=True)
        )
        loss, loss_backward = sequence_cross_entropy(logits.rows, targets)
        backward(loss_backward(float(WINDOW)))  # the loop sums its loss over the window
        self.state = backward.state
        g = self.flat.gradients
        np.clip(g, -CLIP, CLIP, out=g)
        np.multiply(g, g, out=self.scratch)
        self.memory += self.scratch
        np.add(self.memory, 1e-8, out=self.scratch)
        np.sqrt(self.scratch, out=self.scratch)
        np.divide(g, self.scratch, out=self.scratch)
        self.scratch *= LEARNING_RATE
        self.flat.values -= self.scratch
        return loss


def compare(cell: str, rounds: int) -> dict[str, float | str]:
    """Time both in turn; give medians in milliseconds, their ratio, and the two losses at the end."""
    rng = np.random.default_rng(0)
    loop = LoopRNN(rng) if cell == "rnn" else LoopGRU(rng)
    iterations: dict[str, Iteration] = {"loop": loop, "noria": Ours(cell, loop.p)}
    steps = rng.integers(0, 5, WINDOW * IN_A_ROW * (rounds + 1) + 1)
    text = np.cumsum(steps) % SYMBOLS  # something that can be learnt
    times: dict[str, list[float]] = {name: [] for name in iterations}
    losses = {}
    for start in range(0, len(steps) - 1, WINDOW * IN_A_ROW):
        for name, iteration in iterations.items():
            for k in range(IN_A_ROW):
                window = text[start + k * WINDOW : start + (k + 1) * WINDOW + 1]
                before = time.perf_counter()
                losses[name] = iteration(window[:-1], window[1:])
                if start and k:
                    times[name].append((time.perf_counter() - before) * 1e3)
    loop_ms, ours_ms = (statistics.median(times[name]) for name in ("loop", "noria"))
    return {
        "cell": cell,
        "loop_ms": loop_ms,
        "noria_ms": ours_ms,
        "ratio": loop_ms / ours_ms,
        "loop_loss": losses["loop"],
        "noria_loss": losses["noria"],
    }


def work(arguments: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Time both cells."""
    rows = [compare(cell, 4 if arguments.quick else 20) for cell in ("rnn", "gru")]
    print(
        f"hidden {HIDDEN}, window {WINDOW}, batch 1, {SYMBOLS} symbols, AdaGrad; {threads} thread(s); medians"
    )
    print("cell   NumPy loop   noria       ratio   loss after the last iteration (loop, noria)")
    for row in rows:
        print(
            f"{row['cell']:<6} {row['loop_ms']:8.1f} ms {row['noria_ms']:8.1f} ms {row['ratio']:7.1f}   "
            f"{row['loop_loss']:.3f}, {row['noria_loss']:.3f}",
            flush=True,
        )
    return {"rows": rows}


if __name__ == "__main__":
    launch(parser_of(__doc__).parse_args(), work)
