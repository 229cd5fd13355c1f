"""SIGTERM, as ``kill`` and schedulers send it: for the command line it is Ctrl-C from elsewhere."""

import signal
from types import FrameType


class Termination:
    """Takes SIGTERM for Ctrl-C.

    Attributes
    ----------
    came : bool
        Whether it came.
    """

    def __init__(self) -> None:
        self.came = False

    def heed(self) -> None:
        """Begin to listen, unless somebody else does or it is to be ignored."""
        if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        raise KeyboardInterrupt
