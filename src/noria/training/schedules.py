"""Learning rate schedules: functions of the step and of the number of steps, and of nothing else.

They read no clock, no loss and no state, so that a run can be repeated and resumed to the bit.
"""

import math
from collections.abc import Callable

from noria.errors import UnknownNameError

# What is left of the learning rate, from 1 down, at a progress in [0, 1] through the steps after the warm-up.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda progress: 1.0,
    "cosine": lambda progress: 0.5 * (1.0 + math.cos(math.pi * progress)),
}


def learning_rate(
    step: int,
    steps: int,
    *,
    lr: float,
    schedule: str = "constant",
    warmup: int = 0,
    final_fraction: float = 0.0,
) -> float:
    """Give the learning rate of one update.

    Parameters
    ----------
    step : int
        Which update, counted from 0.
    steps : int
        Updates in the whole run.
    lr : float
        The full rate, reached at the end of the warm-up.
    schedule : {"constant", "cosine"}
        The way after the warm-up; cosine is half a wave that meets its end at the last update (Loshchilov &
        Hutter 2017, without restarts).
    warmup : int
        Updates over which the rate rises in equal parts, ``lr / warmup`` at the first one. At most half of
        the run is used, so that a short run still reaches the full rate.
    final_fraction : float
        The share of ``lr`` at which a falling schedule ends.

    Returns
    -------
    float
    """
    if schedule not in SCHEDULES:
        raise UnknownNameError(f"There is no schedule {schedule!r}. There are: {', '.join(SCHEDULES)}.")
    warmup = min(warmup, steps // 2)
    if step < warmup:
        return lr * ((step + 1) / warmup)
    # The last update, number steps - 1, has progress 1.
    progress = (step - warmup) / max(1, steps - 1 - warmup)
    return lr * (final_fraction + (1.0 - final_fraction) * SCHEDULES[schedule](min(1.0, progress)))
