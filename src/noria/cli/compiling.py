"""A compilation that keeps the user waiting is said; the others are nobody's business."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

from noria.cli.console import say

PATIENCE = 1.0  # seconds


@contextmanager
def compilation_said(tell: Callable[[str, str], None] = say) -> Iterator[None]:
    """Say, inside the block, that a cell is being compiled once that has taken a second, and when it is over.

    Parameters
    ----------
    tell : callable
        Writes a label and a line.
    """
    from noria.engines.native.host import watch_compilation

    @contextmanager
    def watch() -> Iterator[None]:
        begun = time.perf_counter()
        waiting = Timer(PATIENCE, tell, ("Engine", "compiling the cell"))
        waiting.daemon = True
        waiting.start()
        try:
            yield
        finally:
            waiting.cancel()
            waiting.join()  # so that what it says comes first
        if (seconds := time.perf_counter() - begun) > PATIENCE:
            tell("Engine", f"compiled in {seconds:.1f} s")

    with watch_compilation(watch):
        yield
