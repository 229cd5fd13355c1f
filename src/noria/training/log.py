"""The log of a run: its events as JSON, one on a line."""

import errno
import json
import os
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any

from noria.errors import RunError
from noria.training.files import write_atomically
from noria.training.report import Event, Replanned, Resumed, Started, StepDone, as_json

LINES = 1000


class LogWriter:
    """A listener that appends events to a file, each written through so that a killed run has its log.

    Of the steps, about a thousand in a run are written, evenly spread, so that a long run's log stays
    readable. That an unchanged plan is gone on with is no event of the run, and is not written.

    Parameters
    ----------
    path : Path
        The file; it is opened at the first event.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: FileIO | None = None
        self._every = 1

    def __call__(self, event: Event) -> None:
        """Write an event, unless it is one of those that are left out."""
        if isinstance(event, Started | Resumed | Replanned):
            self._every = max(1, event.steps // LINES)
        if isinstance(event, Resumed) and event.steps == event.planned:
            return
        if isinstance(event, StepDone) and event.step % self._every and event.step != event.steps:
            return
        try:
            if self._file is None:
                self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115 - closed by close()
            self._append(self._file, as_json(event).encode() + b"\n")
        except OSError as error:
            raise RunError(f"{self.path}: the log cannot be written: {error.strerror or error}.") from error

    @staticmethod
    def _append(file: FileIO, line: bytes) -> None:
        """Add the whole line or, where the disk is full, nothing of it."""
        end = file.seek(0, os.SEEK_END)
        try:
            if file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            file.truncate(end)
            raise

    def force(self) -> None:
        """Force what was written to the disk, before the checkpoint that it belongs to."""
        if self._file is not None:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> "LogWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class Rewound:
    """A log as it was after so many steps, until :meth:`write` only in memory.

    Attributes
    ----------
    seconds : float
        That the run had taken by then, as far as the log knows.
    """

    path: Path
    before: bytes
    after: bytes
    seconds: float

    def write(self) -> None:
        """Cut the file back.

        Raises
        ------
        RunError
            If it cannot be written.
        """
        if self.after != self.before:
            write_atomically(self.path, self.after)


def rewind(path: Path, step: int) -> Rewound:
    """Cut a log back to what an uninterrupted run has written when it has done so many steps.

    What came after the step goes, and what belongs to the end of a sitting: that it was interrupted or
    finished, its evaluation outside the plan, half a line of a power cut. Back at step 0 nothing is left.

    Parameters
    ----------
    path : Path
        A missing file is an empty log.
    step : int

    Returns
    -------
    Rewound
        The file is as it was until that is written.

    Raises
    ------
    RunError
        If the file cannot be read.
    """
    try:
        before = path.read_bytes()
    except FileNotFoundError:
        return Rewound(path, b"", b"", 0.0)
    except OSError as error:
        raise RunError(f"{path}: the log cannot be read: {error.strerror or error}.") from error
    kept: list[bytes] = []
    seconds, closing = 0.0, False
    for line in before.splitlines(keepends=True) if step else []:
        event = _event(line)
        match event.get("event"):
            case "Interrupted" | "Stopped" | "Diverged":
                closing = True
            case "StepDone" | "Resumed":
                closing = False
        if closing or event.get("event", "Finished") == "Finished" or event.get("step", 0) > step:
            continue
        kept.append(line)
        seconds = event["seconds"] if event["event"] == "StepDone" else seconds
    return Rewound(path, before, b"".join(kept), seconds)


def _event(line: bytes) -> dict[str, Any]:
    """Read a line; one that is not whole is no event."""
    try:
        event = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        event = None
    return event if isinstance(event, dict) else {}
