"""How long a run is, and what was taken for its length where that has changed on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from noria.errors import OptionError


@dataclass(frozen=True)
class Length:
    """Updates of a run. One that was planned anew takes another number for its length until then.

    Attributes
    ----------
    steps : int
        Of the whole run.
    earlier : tuple of pairs
        Until which step how many steps were planned, in order.
    """

    steps: int = 0
    earlier: tuple[tuple[int, int], ...] = ()

    def at(self, step: int) -> int:
        """Give what an update, counted from 0, takes for the length of the run."""
        return next((steps for until, steps in self.earlier if step < until), self.steps)

    def updates_in(self, share: float) -> int:
        """Give the updates in a share of the run. What is over once is over, whatever is planned then."""
        begin = 0
        for until, steps in self.earlier:
            over = max(begin, int(share * steps))
            if over < until:
                return over
            begin = until
        return max(begin, int(share * self.steps))

    def changed(self, step: int, steps: int) -> "Length":
        """Give the length of a run that has so many steps in all, as it is known from a step on."""
        return Length(steps, (*self.earlier, (step, self.steps)))

    def written(self) -> list[str]:
        """Write what was planned earlier, as the option ``replanned`` takes it: ``["438:2190"]``."""
        return [f"{until}:{steps}" for until, steps in self.earlier]

    @classmethod
    def read(cls, steps: int, written: Sequence[str]) -> "Length":
        """Undo :meth:`written`.

        Raises
        ------
        OptionError
            If that can be no run of so many steps.
        """
        earlier = tuple(_pair(entry) for entry in written)
        ends = [0, *(until for until, _ in earlier), steps]
        rises = all(before < after for before, after in pairwise(ends))
        if not rises or any(until >= planned for until, planned in earlier):
            raise OptionError(
                "The 'replanned' option must be STEP:STEPS, until which step how many were planned: steps "
                "that rise from 1, each below what was planned and below those of the run. Got "
                f"replanned={','.join(written)} with steps={steps}."
            )
        return cls(steps, earlier)


def _pair(entry: str) -> tuple[int, int]:
    until, mark, planned = entry.partition(":")
    if not (mark and until.isdecimal() and planned.isdecimal()):
        raise OptionError(
            f"The 'replanned' option must be STEP:STEPS, two whole numbers, as in 438:2190. Got {entry!r}."
        )
    return int(until), int(planned)
