"""A task small enough to be solved by hand: fit targets by a noisy quadratic, with a carried counter."""

import numpy as np

from noria.layers import FlatParameters, Mode, Parameter
from noria.training.task import StepResult

LOW = np.array([1.0, -2.0, 0.5])
HIGH = np.array([[3.0, 0.25], [-1.0, 4.0]])


class QuadraticTask:
    """Loss 0.5 * |values - (LOW, HIGH)|**2 plus noise in the gradient from the mode's generator."""

    name = "quadratic"
    steps_per_epoch = 10
    tokens_per_epoch = 50

    def __init__(self, *, noise=0.0, dtype=np.float64, on_step=None, on_evaluate=None, validation=True):
        low = Parameter("low", (3,), np.zeros(3, dtype))
        high = Parameter("high", (2, 2), np.zeros((2, 2), dtype))
        flat = np.zeros(7, dtype)
        self.parameters = FlatParameters(
            flat, [low.block, high.block], {"first.low": low, "second.high": high}, {}
        )
        self.noise = noise
        self.on_step = on_step or (lambda task, step: None)
        self.on_evaluate = on_evaluate or (lambda task, part, loss: loss)
        self.validation = validation
        self.targets = np.concatenate([LOW, HIGH.ravel()])
        self.counter = np.zeros(2, np.int64)
        self.steps_seen = []
        self.parts_seen = []

    def step(self, step, mode: Mode):
        assert mode.training
        assert mode.save
        assert not self.parameters.gradients.any()
        self.steps_seen.append(step)
        self.counter += 1
        distance = self.parameters.values - self.targets
        self.parameters.gradients += distance + self.noise * mode.rng.standard_normal(7)
        self.on_step(self, step)
        return StepResult(loss=self.loss(), tokens=5)

    def loss(self):
        return float(0.5 * np.sum((self.parameters.values - self.targets) ** 2))

    def evaluate(self, part):
        self.parts_seen.append(part)
        if part == "validation" and not self.validation:
            return {}
        return {"loss": self.on_evaluate(self, part, self.loss()), "count": float(len(self.parts_seen))}

    def rehearse(self, part, share):
        self.evaluate(part)
        return 1.0

    def sample(self, rng):
        return f"drawn {rng.integers(1_000_000)}"

    def carried(self):
        return {"counter": self.counter}

    def restore_carried(self, carried):
        self.counter = carried["counter"].copy()

    def layer_norms(self):
        gradients = self.parameters.gradients
        return {"first": float(np.linalg.norm(gradients[:3])), "second": float(np.linalg.norm(gradients[3:]))}
