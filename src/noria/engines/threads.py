"""How many threads the engines use, and the library behind NumPy's products.

A product over all rows of a batch is worth sharing among the cores. The small product of one time step is
not, where a library shares it: the threads wait for each other at every step, and where another process
holds a core they wait very long. So NumPy's time loops run on one thread, whatever the limit is.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
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
    before = [library.get_num_threads() for library in _libraries()] if count else []
    for library in _libraries() if count else ():
        library.set_num_threads(count)
    try:
        yield
    finally:
        for library, number in zip(_libraries(), before, strict=False):
            library.set_num_threads(number)


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Let the engines use ``count`` threads inside the block; 0 leaves that as it is.

    NumPy's products run on one thread there, unless nothing is compiled on this machine and they do all the
    work: between two products the threads of their library spin, on the cores that the engines' threads need.
    """
    token = _limit.set(count or _limit.get())
    try:
        with blas_threads(count if why_not_native() else 1):
            yield
    finally:
        _limit.reset(token)
