"""Ctrl-C that lets a run end well: the first one asks, the second one insists."""

import contextlib
import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class GentleInterrupt:
    """While entered, the first SIGINT only sets :attr:`requested`; the second raises KeyboardInterrupt.

    So does SIGTERM in a program that handles it, as the command line does: its handler is told of the first
    one, and what it interrupts waits. In others SIGTERM ends the process, as ever.

    Signals reach the main thread alone, so in any other thread it does nothing; neither does it where SIGINT
    is ignored, as in a job that was started in the background. The handlers from before are put back at the
    end.
    """

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "GentleInterrupt":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                before = signal.getsignal(number)
                if before not in (None, signal.SIG_IGN) and (number == signal.SIGINT or callable(before)):
                    self._before[number] = before
                    signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._put_back()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        again, self.requested = self.requested, True
        if number == signal.SIGTERM:
            with contextlib.suppress(KeyboardInterrupt):
                self._before[number](number, frame)
        if again:
            self._put_back()
            raise KeyboardInterrupt

    def _put_back(self) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
