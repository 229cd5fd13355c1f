"""What a check of somebody's code found: a row for each gradient, its causes, and the score sheet."""

from dataclasses import dataclass
from typing import Any

from noria.inspection.sentences import sentence


@dataclass(frozen=True)
class Cause:
    """Why a gradient is wrong: the key of a sentence and what it names.

    ``certain`` says whether the mistake gives the very numbers that were found.
    """

    key: str
    words: tuple[str, ...] = ()
    certain: bool = True

    def said(self, language: str = "en") -> str:
        """Say it in a sentence."""
        return sentence(self.key, self.words, language)


@dataclass(frozen=True)
class OwnRow:
    """One gradient of somebody's backward, or the forward as a whole.

    Attributes
    ----------
    name : str
    shape : tuple of int
    error : float
        Norm of the difference relative to the norm of the gradient; infinite where it is not finite.
    tolerance : float
    from_step : int
        The first step, counted from 1, whose output alone shows the error; 0: none does.
    causes : tuple of Cause
        The likeliest first.
    given : bool
        Whether it was given at all; what may be left out is not looked at then.
    """

    name: str
    shape: tuple[int, ...]
    error: float
    tolerance: float
    from_step: int = 0
    causes: tuple[Cause, ...] = ()
    given: bool = True

    @property
    def ok(self) -> bool:
        """Whether there is nothing to complain of."""
        return not self.given or (self.error <= self.tolerance and not self.causes)

    @property
    def points(self) -> int:
        """One for a right gradient; one that was not given gets none."""
        return int(self.given and self.ok)


@dataclass(frozen=True)
class OwnReport:
    """What was found in somebody's code.

    Attributes
    ----------
    path : str
    cell : str
        The textbook's cell; empty where there is none like it.
    variant : str
        Which of the textbook's conventions it follows.
    steps : int
    rows : tuple of OwnRow
        The forward first where it was compared with a textbook, then every gradient.
    notes : tuple of Cause
        What is to be said and is no mistake.
    """

    path: str
    cell: str
    variant: str
    steps: int
    rows: tuple[OwnRow, ...]
    notes: tuple[Cause, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything is right."""
        return all(row.ok for row in self.rows)

    @property
    def causes(self) -> list[Cause]:
        """Every cause once, in the order in which rows name them."""
        return list(dict.fromkeys(cause for row in self.rows for cause in row.causes))

    def to_score(self, language: str = "en") -> dict[str, Any]:
        """Give the score sheet, for JSON: an entry for each gradient."""
        rows = [row for row in self.rows if row.given]
        entries = [
            {
                "name": row.name,
                "points": row.points,
                "of": 1,
                "error": row.error,
                "tolerance": row.tolerance,
                "from_step": row.from_step or None,
                "cause": row.causes[0].key if row.causes else None,
                "words": list(row.causes[0].words) if row.causes else [],
                "certain": row.causes[0].certain if row.causes else None,
                "said": [cause.said(language) for cause in row.causes],
            }
            for row in rows
        ]
        return {
            "file": self.path,
            "cell": self.cell or None,
            "variant": self.variant or None,
            "steps": self.steps,
            "ok": self.ok,
            "points": sum(row.points for row in rows),
            "of": len(rows),
            "notes": [note.said(language) for note in self.notes],
            "gradients": entries,
        }
