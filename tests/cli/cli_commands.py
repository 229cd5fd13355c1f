"""What the tests of the command line share."""

from collections.abc import Callable
from dataclasses import dataclass

# A model that trains in a blink.
SMALL = ["--hidden-size", "6", "--batch-size", "2", "--seq-length", "8", "--sample-length", "10"]


@dataclass(frozen=True)
class Said:
    """What a command left behind: its exit code, its results and its talk."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]
