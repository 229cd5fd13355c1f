"""Learning rates: functions of the step and of the number of steps, and of nothing else.

They read no clock, so that a run can be repeated and resumed to the bit.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from noria.errors import UnknownNameError

PARTS = 4
"""Into how many parts the step schedule cuts a run, a fall between two, where nothing else is asked for."""


@dataclass(frozen=True)
class _Moment:
    """Where a schedule stands, after the warm-up."""

    progress: float
    """From 0 to 1, at the last update."""
    after: int
    """Updates since the warm-up."""
    decay: float
    every: int
    falls: int
    final: float

    def down_to_final(self, left: float) -> float:
        """Bring what is left of 1 into what is left of the rate."""
        return self.final + (1.0 - self.final) * left

    def half_wave_to_final(self) -> float:
        return self.down_to_final(_half_wave(self.progress))

    def not_below_final(self, left: float) -> float:
        return max(self.final, left)


# What is left of the learning rate, from 1 down, after the warm-up.
SCHEDULES: dict[str, Callable[[_Moment], float]] = {
    "constant": lambda at: 1.0,
    "cosine": _Moment.half_wave_to_final,
    "linear": lambda at: at.down_to_final(1.0 - at.progress),
    "step": lambda at: at.not_below_final(at.decay ** (at.after // at.every)),
    "exponential": lambda at: at.not_below_final(at.decay ** (at.after / at.every)),
    "one-cycle": _Moment.half_wave_to_final,
    "plateau": lambda at: at.not_below_final(at.decay**at.falls),
}


def _half_wave(progress: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def learning_rate(
    step: int,
    steps: int,
    *,
    lr: float,
    schedule: str = "constant",
    warmup: int = 0,
    final_fraction: float = 0.0,
    decay: float = 0.5,
    decay_every: int | None = None,
    rise: float = 0.3,
    start_fraction: float = 0.04,
    falls: int = 0,
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
    schedule : {"constant", "cosine", "linear", "step", "exponential", "one-cycle", "plateau"}
        The way after the warm-up. Cosine is half a wave that meets its end at the last update (Loshchilov &
        Hutter 2017, without restarts), linear a straight line to it. Step and exponential multiply by
        ``decay`` for each ``decay_every`` updates, at once or little by little; plateau for each of the
        ``falls``. One-cycle rises and falls in half waves (Smith & Topin 2018).
    warmup : int
        Updates over which the rate rises in equal parts, ``lr / warmup`` at the first one. At most half of
        the run is used, so that a short run still reaches the full rate. One-cycle, which begins with a rise
        of its own, is multiplied by this one.
    final_fraction : float
        The share of ``lr`` at which cosine, linear and one-cycle end, and below which step, exponential and
        plateau do not go.
    decay : float
    decay_every : int, optional
        By default a quarter of the updates after the warm-up.
    rise : float
        The share of the updates over which one-cycle rises.
    start_fraction : float
        The share of ``lr`` at which one-cycle begins.
    falls : int
        How often plateau has lowered the rate by now.

    Returns
    -------
    float
    """
    if schedule not in SCHEDULES:
        raise UnknownNameError(f"There is no schedule {schedule!r}. There are: {', '.join(SCHEDULES)}.")
    warmup = min(warmup, steps // 2)
    warm = (step + 1) / warmup if step < warmup else 1.0
    if schedule == "one-cycle":
        begin = max(0.0, rise * steps - 1.0)
        if step < begin:
            return lr * warm * (1.0 + (start_fraction - 1.0) * _half_wave(step / begin))
    else:
        begin = float(warmup)
        if step < warmup:
            return lr * warm
    # The last update, number steps - 1, has progress 1.
    moment = _Moment(
        progress=min(1.0, (step - begin) / max(1.0, steps - 1 - begin)),
        after=step - warmup,
        decay=decay,
        every=decay_every or max(1, math.ceil((steps - warmup) / PARTS)),
        falls=falls,
        final=final_fraction,
    )
    return lr * warm * SCHEDULES[schedule](moment)
