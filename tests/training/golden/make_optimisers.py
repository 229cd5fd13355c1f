"""Make optimisers.npz: the updates of PyTorch, so that a machine without it still checks ours for value.

Run it with ``python tests/training/golden/make_optimisers.py`` where PyTorch is installed.
"""

from pathlib import Path

import numpy as np
import torch

STEPS = 100
KEPT = (1, 2, 10, 100)
LR = 0.03
RULES = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=LR),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=LR, momentum=0.9),
    "nesterov": lambda parameters: torch.optim.SGD(parameters, lr=LR, momentum=0.8, nesterov=True),
    "adagrad": lambda parameters: torch.optim.Adagrad(parameters, lr=LR),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=LR),
    "adam_set": lambda parameters: torch.optim.Adam(parameters, lr=LR, betas=(0.8, 0.95), eps=1e-3),
}


def main() -> None:
    rng = np.random.default_rng(11)
    start = rng.standard_normal(7)
    # Gradients of very different sizes, some of them zero: where a misplaced epsilon shows.
    gradients = rng.standard_normal((STEPS, 7)) * np.array([1e-6, 1e-3, 0.1, 1.0, 10.0, 1.0, 0.0])
    gradients[:50, 5] = 0.0
    arrays = {"start": start, "gradients": gradients, "kept": np.array(KEPT), "lr": np.array(LR)}
    for name, make in RULES.items():
        values = torch.tensor(start, requires_grad=True)
        optimiser = make([values])
        path = []
        for step, gradient in enumerate(gradients, 1):
            values.grad = torch.tensor(gradient)
            optimiser.step()
            if step in KEPT:
                path.append(values.detach().numpy().copy())
        arrays[name] = np.stack(path)
    np.savez_compressed(Path(__file__).with_name("optimisers.npz"), **arrays)


if __name__ == "__main__":
    main()
