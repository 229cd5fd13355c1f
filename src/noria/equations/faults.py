"""Where and how a text is at fault: the line, a caret under the culprit, what was expected.

Every fault has a ``kind``, one word of :data:`KINDS`, so that a test or an editor can tell them apart without
reading the message.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from noria.equations.expression import NOWHERE, Place
from noria.errors import EquationError

KINDS = {
    "empty": "the text holds no equation",
    "syntax": "the text cannot be read",
    "size": "the text is too long or too deeply nested",
    "section": "a section is unknown, empty or misplaced",
    "given": "a line under given: cannot be read",
    "init": "an initial value is wrong or belongs to nothing",
    "reserved": "x, a function or a constant is assigned to",
    "no_output": "no line gives h'",
    "no_input": "no line reads x",
    "never_written": "a state is read but never written",
    "written_twice": "a state is written twice",
    "defined_twice": "a name is defined twice",
    "used_before": "a name is used before it is defined",
    "unknown_name": "a name is unknown",
    "unknown_function": "a function is unknown",
    "function_alone": "a function stands without arguments",
    "arity": "a function is given too many or too few arguments",
    "recursion": "a function calls itself",
    "unused": "something is defined and never used",
    "number": "a number stands where a vector must, or the reverse",
    "matrix_alone": "a matrix stands without '@'",
    "not_a_matrix": "something that is no matrix stands left of '@'",
    "concatenation": "[a, b] stands elsewhere than right of '@'",
    "sizes": "two sizes disagree",
    "earlier_step": "a step is named that a cell does not remember",
    "file": "a file is missing, is not text or cannot be read",
}

_LONGEST_LINE = 110
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class LocatedEquationError(EquationError):
    """An error that knows its ``kind``, ``line`` and ``column`` (from 1; 0 where it has no place)."""

    def __init__(self, message: str, *, kind: str, place: Place = NOWHERE) -> None:
        super().__init__(message)
        self.kind = kind
        self.line = place.line
        self.column = place.column


@dataclass(frozen=True)
class Source:
    """The text of one cell under its name; makes the errors that point into it."""

    name: str
    text: str

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Give the lines as written; a line's number is its index plus 1."""
        return tuple(self.text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n"))

    def fault(self, kind: str, place: Place, problem: str, advice: str = "") -> LocatedEquationError:
        """Make the error of this ``kind`` at ``place``; the caller raises it."""
        assert kind in KINDS, kind
        if place.line == 0:
            return LocatedEquationError(
                f"{self.name}: {problem}" + (f"\n  {advice}" if advice else ""), kind=kind
            )
        line, carets = self._shown(place)
        message = (
            f"{self.name}, line {place.line}, column {place.column}: {problem}\n  {line}\n  {carets} {advice}"
        )
        return LocatedEquationError(message.rstrip(), kind=kind, place=place)

    def _shown(self, place: Place) -> tuple[str, str]:
        """Give the line at ``place``, cut to what fits, and the carets below; tabs stay tabs, to align."""
        line = _UNPRINTABLE.sub("\ufffd", self.lines[place.line - 1].rstrip())
        before, start = place.column - 1, 0
        if len(line) > _LONGEST_LINE:
            start = max(0, min(before - _LONGEST_LINE // 2, len(line) - _LONGEST_LINE))
        shown = line[start : start + _LONGEST_LINE]
        passed = shown[: before - start].ljust(before - start)
        marked = shown[before - start : before - start + place.width]
        padding = "".join("\t" if sign == "\t" else " " * _width(sign) for sign in passed)
        return shown, padding + "^" * max(1, sum(map(_width, marked)))


def _width(sign: str) -> int:
    """How many columns a sign takes on the screen: none for an accent that stands on the sign before it."""
    return 0 if unicodedata.combining(sign) else 1


def nearest(name: str, known: Iterable[str]) -> str:
    """Give the known name that looks most like ``name``, or an empty string."""
    found = get_close_matches(name, sorted(set(known) - {name}), n=1, cutoff=0.6)
    return found[0] if found else ""


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Give a question that names the nearest known name, or the words ``otherwise``."""
    near = nearest(name, known)
    return f"did you mean '{near}'?" if near else otherwise
