"""Make optimisers.npz: the updates of PyTorch, so that a machine without it still checks ours for value.

Run it with ``python tests/training/golden/make_optimisers.py`` where PyTorch is installed.
"""

from pathlib import Path

import numpy as np
import torch

STEPS = 100
KEPT = (1, 2, 10, 100)
LR = 0.03
DECAYED = 4  # of the 7 values; the others are a group with weight_decay=0
RULES = {
    "sgd": (torch.optim.SGD, {}),
    "sgd_decay": (torch.optim.SGD, {"weight_decay": 0.2}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}),
    "momentum_decay": (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.1}),
    "nesterov": (torch.optim.SGD, {"momentum": 0.8, "nesterov": True}),
    "nesterov_decay": (torch.optim.SGD, {"momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    "adagrad": (torch.optim.Adagrad, {}),
    "adagrad_set": (torch.optim.Adagrad, {"eps": 1e-3, "weight_decay": 0.05}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "rmsprop_set": (torch.optim.RMSprop, {"alpha": 0.9, "eps": 1e-3, "weight_decay": 0.05}),
    "rmsprop_momentum": (torch.optim.RMSprop, {"momentum": 0.7, "weight_decay": 0.05}),
    "adam": (torch.optim.Adam, {}),
    "adam_set": (torch.optim.Adam, {"betas": (0.8, 0.95), "eps": 1e-3}),
    "adam_decay": (torch.optim.Adam, {"weight_decay": 0.05}),
    "adamw": (torch.optim.AdamW, {}),
    "adamw_set": (torch.optim.AdamW, {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.4}),
}


def main() -> None:
    rng = np.random.default_rng(11)
    start = rng.standard_normal(7)
    # Gradients of very different sizes, some of them zero: where a misplaced epsilon shows.
    gradients = rng.standard_normal((STEPS, 7)) * np.array([1e-6, 1e-3, 0.1, 1.0, 10.0, 1.0, 0.0])
    gradients[:50, 5] = 0.0
    arrays = {"start": start, "gradients": gradients, "kept": np.array(KEPT), "lr": np.array(LR)}
    arrays["decayed"] = np.array(DECAYED)
    for name, (rule, options) in RULES.items():
        decayed, others = (torch.tensor(part) for part in (start[:DECAYED], start[DECAYED:]))
        groups = [{"params": [decayed]}, {"params": [others], "weight_decay": 0.0}]
        optimiser = rule(groups, lr=LR, **options)
        path = []
        for step, gradient in enumerate(gradients, 1):
            decayed.grad, others.grad = torch.tensor(gradient[:DECAYED]), torch.tensor(gradient[DECAYED:])
            optimiser.step()
            if step in KEPT:
                path.append(torch.cat([decayed, others]).numpy().copy())
        arrays[name] = np.stack(path)
    np.savez_compressed(Path(__file__).with_name("optimisers.npz"), **arrays)


if __name__ == "__main__":
    main()
