"""One run folder, one process that trains in it."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from noria.errors import RunError
from noria.training.files import HALF


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep others from training in a folder meanwhile; clear away what a killed process left half written.

    The system lets go of the folder when the process ends, however that comes. Where it cannot hold folders,
    as Windows and some network file systems, nothing is held and nothing is cleared away.

    Raises
    ------
    RunError
        If another training holds it.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise RunError(f"{folder}: cannot be opened: {error.strerror or error}.") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"{folder}: is being trained just now, by another process or in another thread.\n"
                "  Wait until that has ended, or end it with Ctrl-C."
            ) from None
        except OSError:
            pass
        else:
            for half in folder.glob(HALF):
                with contextlib.suppress(OSError):
                    half.unlink()
        yield
    finally:
        os.close(handle)
