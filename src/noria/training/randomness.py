"""Where random draws come from: a generator for each purpose and step, whatever was drawn before."""

import numpy as np

STREAMS = {
    "initial": 0,
    "order": 1,
    "step": 2,
    "sample": 3,
    "augmentation": 4,
    "vectors": 5,
    "data": 6,
    "measured": 7,
}


def generator(seed: int, stream: str, step: int = 0) -> np.random.Generator:
    """Make the generator of one purpose at one step.

    Parameters
    ----------
    seed : int
        The seed of the run.
    stream : {"initial", "order", "step", "sample", "augmentation", "vectors", "data", "measured"}
        The purpose: initial weights, the order of the data, the draws within a step (dropout), samples,
        changes of the training text, rows for what has no pretrained vector, data that are drawn themselves,
        which training examples are measured.
    step : int
        The step, epoch or whatever the purpose counts.
    """
    return np.random.default_rng([seed, STREAMS[stream], step])
