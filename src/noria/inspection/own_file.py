"""Reading a Python file that somebody wrote, and calling what is in it: what it raises names its own line.

Reading the file runs it: it is the user's own code, on the user's own command. Neither that nor a call may
take for ever.
"""

import contextlib
import importlib.util
import inspect
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from noria.errors import DataError

SECONDS = 10.0
"""That one call may take."""


def loaded(path: Path) -> ModuleType:
    """Run a file as a module.

    Raises
    ------
    DataError
        If there is none, it raises, or takes longer than :data:`SECONDS`.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.")
    spec = importlib.util.spec_from_file_location(f"own_code_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise DataError(f"{path}: expected a Python file, FILE.py.")
    module = importlib.util.module_from_spec(spec)
    wrote, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # nothing is left beside the user's file
    try:
        with _alarm(SECONDS):
            spec.loader.exec_module(module)
    except SyntaxError as error:
        raise DataError(f"{path}, line {error.lineno}, column {error.offset}: {error.msg}.") from error
    except _TooLongError:
        raise DataError(
            f"{path}: had not been read after {SECONDS:g} seconds. What trains belongs under "
            'if __name__ == "__main__".'
        ) from None
    except Exception as error:
        raise DataError(f"{path}{_line(error, path)}: {_said_by(error)}") from error
    finally:
        sys.dont_write_bytecode = wrote
    return module


def implementation(module: ModuleType, path: Path, which: str) -> Any:
    """Give what has forward and backward: the module, or a class of it, made.

    Raises
    ------
    DataError
        If there is none, there are several and none is named, or the class cannot be made.
    """

    def has_both(thing: Any) -> bool:
        return all(callable(getattr(thing, name, None)) for name in ("forward", "backward"))

    classes = {
        name: thing
        for name, thing in vars(module).items()
        if inspect.isclass(thing) and thing.__module__ == module.__name__ and has_both(thing)
    }
    if not which and has_both(module):
        return module
    if which and which not in classes:
        raise DataError(f"{path}: has no class {which!r} with forward and backward.")
    if not which and len(classes) != 1:
        own = [name for name in ("forward", "backward") if callable(getattr(module, name, None))]
        found = f"{own[0]} only" if own else "neither"
        found = f"{len(classes)} classes with both: {', '.join(classes)}" if classes else found
        advice = f"\n  Name one: {path}:{next(iter(classes))}." if classes else ""
        raise DataError(
            f"{path}: expected functions forward(x, h0, params) and backward(d_h, cache), or a class with "
            f"both; found {found}.{advice}"
        )
    try:
        return classes[which or next(iter(classes))]()
    except Exception as error:
        raise DataError(
            f"{path}{_line(error, path)}: the class cannot be made without arguments: {_said_by(error)}"
        ) from error


@contextlib.contextmanager
def watched(path: Path, what: str, seconds: float, steps: int) -> Iterator[None]:
    """Call what the user wrote in a file, over so many steps, for so many seconds at most.

    Raises
    ------
    DataError
        If it raises, or takes longer.
    """
    try:
        with _alarm(seconds), np.errstate(all="ignore"):
            yield
    except _TooLongError:
        raise DataError(
            f"{path}, {what}: had not ended after {seconds:g} seconds, for {steps} steps."
        ) from None
    except Exception as error:
        raise DataError(f"{path}{_line(error, path)}, {what}: {_said_by(error)}") from error


class _TooLongError(Exception):
    """A call took too long."""


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """End what is done inside after so many seconds, where the system can (POSIX, the main thread)."""
    usable = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if not usable:
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _line(error: BaseException, path: Path) -> str:
    """Say in which line of the user's file an error arose."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    return f", line {own[-1].lineno}" if own else ""


def _said_by(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ") + "."
