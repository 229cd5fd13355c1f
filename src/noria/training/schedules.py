"""Learning rate schedules: functions of the step and of the number of steps, and of nothing else.

They read no clock, so that a run can be repeated and resumed to the bit. One has a state besides: plateau
counts how often the validation loss has stopped falling.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Shaped
from noria.errors import UnknownNameError
from noria.training.states import check_state
from noria.training.training_options import TrainingOptions

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


class Schedule:
    """The learning rate of a run, with what the plateau schedule remembers of its evaluations.

    Parameters
    ----------
    options : TrainingOptions
    steps : int
        Updates in the whole run; may be set later.
    """

    def __init__(self, options: TrainingOptions, steps: int = 0) -> None:
        self.steps = steps
        self._options = options
        self._best = math.inf
        self._waited = 0
        self._falls = 0

    def rate(self, step: int) -> float:
        """Give the learning rate of an update, counted from 0."""
        options = self._options
        return learning_rate(
            step,
            self.steps,
            lr=options.full_lr,
            schedule=options.schedule,
            warmup=options.warmup,
            final_fraction=float(options.final_lr_fraction),
            decay=float(options.lr_decay),
            decay_every=options.lr_decay_every,
            rise=float(options.one_cycle_rise),
            start_fraction=float(options.one_cycle_start),
            falls=self._falls,
        )

    def observe(self, validation_loss: float) -> bool:
        """Hear of an evaluation; only plateau minds.

        Returns
        -------
        bool
            Whether the rate falls because of it.
        """
        if self._options.schedule != "plateau":
            return False
        margin = self._options.lr_threshold * abs(self._best) if math.isfinite(self._best) else 0.0
        if validation_loss < self._best - margin:
            self._best, self._waited = validation_loss, 0
        else:
            self._waited += 1
        if self._waited <= self._options.lr_patience:
            return False
        self._waited = 0
        self._falls += 1
        return True

    def state(self) -> dict[str, Shaped[Array, "..."]]:
        """Give all that the next rates depend on besides the options."""
        return {
            "best": np.array(self._best, dtype=np.float64),
            "waited": np.array(self._waited, dtype=np.int64),
            "falls": np.array(self._falls, dtype=np.int64),
        }

    def load_state(self, state: Mapping[str, Shaped[Array, "..."]]) -> None:
        """Go on from a state that :meth:`state` gave.

        Raises
        ------
        RunError
            If the names are not those of a schedule.
        """
        check_state("a schedule", self.state(), state, "version of Noria")
        self._best = float(state["best"])
        self._waited = int(state["waited"])
        self._falls = int(state["falls"])
