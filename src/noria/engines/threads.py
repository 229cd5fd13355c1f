"""How many threads the engines use, and the library behind NumPy's products.

A product over all rows of a batch is worth sharing among the cores. The small product of one time step is
not, where a library shares it: the threads wait for each other at every step, and where another process
holds a core they wait very long. So NumPy's time loops run on one thread, whatever the limit is, and so does
all of NumPy beside compiled products: they do the large work, and between two products the threads of its
library spin, on the cores that the engines' threads need.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from threading import RLock, get_ident
from typing import Any
from weakref import WeakSet

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


class _Block:
    """One block that holds the products at one thread, in one Python thread."""

    def __init__(self) -> None:
        self.thread = get_ident()


class _Held:
    """The blocks that are open, and the limits that the first of them found.

    A block that an interrupt kept from ending goes with its last reference.
    """

    def __init__(self, blocks: Iterable[_Block] = (), found: Iterable[int] = ()) -> None:
        self.lock = RLock()
        self.blocks = WeakSet(blocks)
        self.found = list(found)

    def open(self, block: _Block) -> None:
        """Set the limit to one thread."""
        _libraries()  # looked for once, and not under the lock
        with self.lock:
            now = _limits()
            if not self.blocks and (not self.found or now != [1] * len(now)):
                self.found = now
            self.blocks.add(block)
            _set_limits([1] * len(now))

    def close(self, block: _Block) -> None:
        """Give the limits back behind the last block; what the library does not take is kept."""
        with self.lock:
            self.blocks.discard(block)
            if not self.blocks:
                _set_limits(self.found)
                if _limits() == self.found:
                    self.found = []


_held = _Held()


def _after_fork() -> None:
    """Keep what belongs to this thread: the others are not in this process."""
    global _held
    own = [block for block in _held.blocks if block.thread == get_ident()]
    _held = _Held(own, _held.found)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit NumPy's products to one thread inside the block.

    The limit is that of the process. Where blocks overlap in several Python threads, the last to end gives
    back what the first found; if the library does not listen to that thread, a later block does.
    """
    block = _Block()
    try:
        _held.open(block)
        yield
    finally:
        _held.close(block)


def _limits() -> list[int]:
    return [library.get_num_threads() for library in _libraries()]


def _set_limits(counts: list[int]) -> None:
    for library, count in zip(_libraries(), counts, strict=False):
        library.set_num_threads(count)


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Let the engines use ``count`` threads inside the block; 0 leaves that as it is.

    NumPy's products run on one thread there, those of a reference engine that was asked for as well: it is
    there to compare with. Where nothing can be compiled they do all the work, and have as many threads.
    """
    token = _limit.set(count or _limit.get())
    try:
        with blas_threads(count) if why_not_native() else one_blas_thread():
            yield
    finally:
        _limit.reset(token)
