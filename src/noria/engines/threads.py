"""How many threads the engines use, and the library behind NumPy's products.

A product over all rows of a batch is worth sharing among the cores. The small product of one time step is
not, where a library shares it: the threads wait for each other at every step, and where another process
holds a core they wait very long. So NumPy's time loops run on one thread, whatever the limit is, and so does
all of NumPy beside compiled products: they do the large work, and between two products the threads of its
library spin, on the cores that the engines' threads need.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from threading import Lock
from typing import Any

from noria.engines.binding import why_not_native

VARIABLES = ("NORIA_THREADS", "OMP_NUM_THREADS")
"""Environment variables that say how many threads to use; the first that is a number from 1 counts."""

WORTH_SHARING = 1 << 22
"""Floating-point operations of a call from which on a second thread is worth waking."""

NUMBERS_WORTH_SHARING = 1 << 16
"""Numbers of a call that reads and writes each once, from which on it is."""

_limit: ContextVar[int] = ContextVar("threads", default=0)


def thread_count() -> int:
    """Give how many threads the engines may use.

    What a surrounding :func:`use_threads` says; else the environment variable ``NORIA_THREADS``, else
    ``OMP_NUM_THREADS``, else as many as there are cores for this process.
    """
    return _limit.get() or _threads_of_machine()


def variable_in_force(environment: Mapping[str, str] = os.environ) -> str:
    """Name the environment variable that says how many threads to use; empty if none does."""
    for name in VARIABLES:
        value = environment.get(name, "").strip()
        if value.isascii() and value.isdecimal() and int(value):
            return name
    return ""


@cache
def _threads_of_machine() -> int:
    name = variable_in_force()
    if name:
        return int(os.environ[name])
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _libraries() -> tuple[Any, ...]:
    """Give the handles of the libraries that do NumPy's products.

    Where they are unknown there are none, and then nothing is limited.
    """
    from threadpoolctl import ThreadpoolController

    return tuple(ThreadpoolController().select(user_api="blas").lib_controllers)


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Limit NumPy's products to ``count`` threads inside the block; 0 leaves them as they are.

    A library with one pool for the whole process listens to the first Python thread that limits it, for as
    long as that thread lives; blocks in other threads then change nothing.
    """
    before = _limits() if count else []
    _set_limits([count] * len(before))
    try:
        yield
    finally:
        _set_limits(before)


class _Held:
    """Who holds the products at one thread: how many blocks, and the limits that the first of them found."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.blocks = 0
        self.found: list[int] = []


_held = _Held()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit NumPy's products to one thread inside the block.

    The limit is that of the process. Where blocks overlap in several Python threads, the last to end gives
    back what the first found; if the library does not listen to that thread, a later block does.
    """
    with _held.lock:
        if not _held.blocks and not _held.found:
            _held.found = _limits()
        _held.blocks += 1
        _set_limits([1] * len(_held.found))
    try:
        yield
    finally:
        with _held.lock:
            _held.blocks -= 1
            if not _held.blocks:
                _set_limits(_held.found)
                if _limits() == _held.found:
                    _held.found = []


def _limits() -> list[int]:
    return [library.get_num_threads() for library in _libraries()]


def _set_limits(counts: list[int]) -> None:
    for library, count in zip(_libraries(), counts, strict=False):
        library.set_num_threads(count)


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Let the engines use ``count`` threads inside the block; 0 leaves that as it is.

    NumPy's products run on one thread there. Where nothing is compiled on this machine they do all the work,
    and have as many threads.
    """
    token = _limit.set(count or _limit.get())
    try:
        with blas_threads(count) if why_not_native() else one_blas_thread():
            yield
    finally:
        _limit.reset(token)
