"""A sum of sines under noise: what can be forecast is the signal, and the noise is the error that remains."""

import numpy as np

from noria.arrays import Array, Float
from noria.data.builtin_tasks.parts import BuiltinParts, drawing

LEARNT, TESTED = 2_000, 10_000
NOISE = 0.1
WAVES = ((1.0, 25.0), (0.5, 60.0))  # amplitude and period; their sum repeats itself every 300 steps


def sines(seed: int) -> BuiltinParts:
    """Make one series of 12,000 steps: 2,000 to learn and to choose from, 10,000 to be tested on.

    Returns
    -------
    BuiltinParts
        A table with columns ``ds`` (the number of the step) and ``y``. In ``extra``, under ``"signal"``, the
        same table without noise: the mean square of the difference is what no forecast can do without.
    """
    import pandas

    signal, noise = drawn(seed)
    steps = np.arange(len(signal))
    return BuiltinParts(
        pandas.DataFrame({"ds": steps, "y": signal + noise}),
        f"sum of sines: {LEARNT:,} steps and {TESTED:,} to be tested on, noise {NOISE:g}",
        extra={"signal": pandas.DataFrame({"ds": steps, "y": signal})},
    )


def drawn(seed: int) -> tuple[Float[Array, " T"], Float[Array, " T"]]:
    """Draw the phases and the noise; give the signal and the noise, whose sum is the series."""
    rng = drawing(seed, "train")
    steps = np.arange(LEARNT + TESTED)
    phases = rng.uniform(0.0, 2.0 * np.pi, len(WAVES))
    signal = np.sum(
        [
            amplitude * np.sin(2.0 * np.pi * steps / period + phase)
            for (amplitude, period), phase in zip(WAVES, phases, strict=True)
        ],
        axis=0,
    )
    return signal, NOISE * rng.standard_normal(len(steps))
