"""How far a run has come: its smoothed loss, which is part of it, and its speed, which foretells the rest."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from noria.arrays import Array
from noria.training.calibration import HELD_UP, Timing


class Average:
    """A running mean in which the last ``memory`` values count most, right from the first one on."""

    def __init__(self, memory: int) -> None:
        self._decay = 1.0 - 1.0 / memory
        self.total = 0.0
        self.weight = 0.0

    def add(self, value: float) -> None:
        """Take in one more value."""
        self.total = self._decay * self.total + value
        self.weight = self._decay * self.weight + 1.0

    @property
    def value(self) -> float:
        """The mean; 0 before the first value."""
        return self.total / self.weight if self.weight else 0.0


class Progress:
    """Loss, tokens and time of a run so far.

    Parameters
    ----------
    clock : callable
        Seconds that only rise. By it alone a run of minutes is planned anew, and ends.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._start = self._before = clock()
        self._loss = Average(50)
        self._step_seconds = Average(50)
        self._step_tokens = Average(50)
        self._evaluation_seconds = Average(3)  # at the pace that was expected
        self._longer = Average(3)  # how many times as long as was expected a part is read, at that pace
        self._evaluating = 0.0
        self._expected: Timing | None = None
        self.tokens = 0

    @property
    def loss(self) -> float:
        """Smoothed training loss."""
        return self._loss.value

    @property
    def seconds(self) -> float:
        """Since the start."""
        return self._clock() - self._start

    @property
    def worked(self) -> float:
        """Seconds since the start in which it was not evaluated."""
        return self.seconds - self._evaluating

    @property
    def tokens_per_second(self) -> float:
        """Speed of the last steps, at first of those of the calibration; evaluations not counted."""
        return self._step_tokens.value / self._step_seconds.value if self._step_seconds.value else 0.0

    def step_begins(self) -> None:
        """Look at the clock."""
        self._before = self._clock()

    def step_ends(self, loss: float, tokens: int) -> None:
        """Count one step."""
        self._step_seconds.add(self._clock() - self._before)
        self._step_tokens.add(tokens)
        self._loss.add(loss)
        self.tokens += tokens

    def evaluation_took(self, seconds: float, reading: float | None = None) -> None:
        """Count one evaluation.

        What takes several times as long as it should was held up, and says little of the next one.

        Parameters
        ----------
        seconds : float
            That it took in all.
        reading : float, optional
            That the validation part took in it, where there is one.
        """
        self._evaluating += seconds
        slower, usual = self._slower(self._pace), self._evaluation_seconds.value
        self._evaluation_seconds.add(min(seconds / slower, HELD_UP * usual or math.inf))
        if reading is not None and self.expected.evaluation:
            self._longer.add(min(reading / slower / self.expected.evaluation, HELD_UP))

    def calibrated(self, timing: Timing) -> None:
        """Begin with what a calibration found: one long batch is not taken for a slow machine then."""
        for _ in range(timing.timed):
            self._step_seconds.add(timing.step)
            self._step_tokens.add(timing.tokens)
        self._evaluation_seconds.add(timing.evaluation)
        self._longer.add(1.0)
        self._expected = timing

    @property
    def expected(self) -> Timing:
        """What a calibration found; without one, what was seen last."""
        if self._expected is not None:
            return self._expected
        evaluation = self._evaluation_seconds.value
        return Timing(self._step_seconds.value, evaluation, evaluation, self._step_tokens.value)

    def timing(self, pace: float) -> Timing:
        """Give what is expected where a token takes so many seconds, with all that is around a step.

        The test takes as many times as long as was expected as reading the validation part did last.
        """
        expected, slower = self.expected, self._slower(pace)
        return replace(
            expected,
            step=pace * expected.tokens,
            evaluation=slower * self._evaluation_seconds.value,
            test=slower * (self._longer.value or 1.0) * expected.test,
        )

    def _slower(self, pace: float) -> float:
        """How many times as long as was expected a token takes at this pace."""
        expected = 0.0 if self._expected is None else self._expected.pace
        return pace / expected if pace and expected else 1.0

    def seconds_left(self, steps: int, evaluations: int) -> float:
        """Estimate what so many more steps and evaluations will take, and the test at the end."""
        timing = self.timing(self._pace)
        return replace(timing, step=self._step_seconds.value).predicted(steps, evaluations)

    def closing(self, evaluations: int) -> float:
        """Estimate what so many more evaluations and the test will take, as fast as the machine is by now."""
        return self.timing(self._pace).predicted(0, evaluations)

    @property
    def _pace(self) -> float:
        """Seconds of a token in the last steps: of a step, they would follow the lengths of sequences."""
        return self._step_seconds.value / self._step_tokens.value if self._step_tokens.value else 0.0

    def state(self) -> dict[str, Array]:
        """Give what belongs to the run and not to the machine's speed."""
        return {
            "loss_total": np.array(self._loss.total),
            "loss_weight": np.array(self._loss.weight),
            "tokens": np.array(self.tokens, dtype=np.int64),
        }

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Go on from what :meth:`state` gave."""
        self._loss.total, self._loss.weight = float(state["loss_total"]), float(state["loss_weight"])
        self.tokens = int(state["tokens"])

    def spent_before(self, seconds: float) -> None:
        """Count the time of an earlier sitting."""
        self._start -= seconds
