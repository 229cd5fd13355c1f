"""The log of a run: its events as JSON, one on a line."""

import errno
import os
from io import FileIO
from pathlib import Path
from types import TracebackType

from noria.errors import RunError
from noria.training.report import Event, Started, StepDone, as_json

LINES = 1000


class LogWriter:
    """A listener that appends events to a file, each written through so that a killed run has its log.

    Of the steps, about a thousand in a run are written, evenly spread, so that a long run's log stays
    readable.

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
        """Write an event, unless it is one of the steps that are left out."""
        if isinstance(event, Started):
            self._every = max(1, event.steps // LINES)
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
