"""How a budget of time is kept: where the machine is not as was foretold, the rest is planned anew."""

from noria.training.calibration import steps_within
from noria.training.plan import Plan
from noria.training.progress import Average, Progress

AIM = 0.99
"""The share of a time that is planned: at the end, nothing can be planned anew."""
LOOKS = 32
"""How often in its time a run is looked at."""
MEMORY = 4
"""So many looks count, those before them less and less: a machine is slow for a while, not for one step."""
WRONG = 0.1
"""The share of the time left by which a plan may be wrong and stay: it may come right by itself."""
LEAST_WRONG = 0.01
"""The share of the whole time by which it may."""


class Replanning:
    """Looks, again and again, whether a run will end with its time, and changes its number of steps if not.

    The schedule goes on as that of a run of the new length: it reaches its end, however fast the machine is.

    Parameters
    ----------
    seconds : float or None
        When the run has to end, by the clock of `progress`; None: there is no limit.
    progress : Progress
        With what a calibration has found.
    """

    def __init__(self, seconds: float | None, progress: Progress) -> None:
        self._progress, self._is_timed = progress, seconds is not None
        left = (seconds or 0.0) - progress.seconds
        self._end = progress.seconds + AIM * left
        self._interval, self._least_wrong = left / LOOKS, LEAST_WRONG * left
        self._seconds, self._tokens = Average(MEMORY), Average(MEMORY)
        self._seconds.add(self._interval)
        self._tokens.add(self._interval / progress.expected.pace if progress.expected.pace else 0.0)
        self._read, self._worked, self._looked = progress.tokens, progress.worked, progress.seconds

    def looked(self, step: int, plan: Plan) -> Plan:
        """Give the plan to go on with after a step, before its evaluation; the same one, where it fits."""
        progress, now = self._progress, self._progress.seconds
        if not self._is_timed or step >= plan.steps or now - self._looked < self._interval:
            return plan
        self._looked = now
        self._seconds.add(progress.worked - self._worked)
        self._tokens.add(progress.tokens - self._read)
        self._worked, self._read = progress.worked, progress.tokens
        timing = progress.timing(self._seconds.value / max(1.0, self._tokens.value))

        def evaluations(more: int) -> int:
            return plan.changed(step, step + more).evaluations_after(step - 1)

        left, more = self._end - now, plan.steps - step
        wrong = abs(left - timing.predicted(more, evaluations(more)))
        is_lost = left < timing.predicted(1, evaluations(1))  # the run stops, and can be gone on with
        if is_lost or wrong <= max(self._least_wrong, WRONG * left):
            return plan
        fitting = steps_within(left, timing, evaluations)
        return plan if fitting == more else plan.changed(step, step + fitting)
