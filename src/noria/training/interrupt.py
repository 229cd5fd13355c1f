"""Ctrl-C that lets a run end well: the first one asks, the second one insists."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class GentleInterrupt:
    """While entered, the first SIGINT only sets :attr:`requested`; the second raises KeyboardInterrupt.

    Signals reach the main thread alone, so in any other thread it does nothing; neither does it where SIGINT
    is ignored, as in a job that was started in the background. The handler from before is put back at the
    end.
    """

    def __init__(self) -> None:
        self.requested = False
        self._before: Any = None

    def __enter__(self) -> "GentleInterrupt":
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            if before not in (None, signal.SIG_IGN):
                self._before = before
                signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._put_back()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            self._put_back()
            raise KeyboardInterrupt
        self.requested = True

    def _put_back(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None
