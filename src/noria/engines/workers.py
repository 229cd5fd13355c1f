"""The one pool of threads. It never competes with itself: one call at a time has it, others wait.

To go on alone instead would be as fast, but would add numbers up in another order.
"""

import os
import threading
from _thread import LockType, allocate_lock
from collections.abc import Callable, Sequence
from operator import call

Task = Callable[[], object]


class _Worker:
    """A thread that waits for tasks. Plain locks wake it faster than anything built upon them."""

    def __init__(self) -> None:
        self.begin: LockType = allocate_lock()
        self.end: LockType = allocate_lock()
        self.begin.acquire()
        self.end.acquire()
        self.task: Task | None = None
        self.error: BaseException | None = None
        threading.Thread(target=self._work, name="noria-worker", daemon=True).start()

    def _work(self) -> None:
        while True:
            self.begin.acquire()
            try:
                if self.task is not None:
                    self.task()
            except BaseException as error:  # handed to the caller, who raises it
                self.error = error
            self.task = None
            self.end.release()


class _Workers:
    """The threads besides the caller's, made when first needed; a forked process makes its own."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.busy = allocate_lock()
        self.workers: list[_Worker] = []


_pool = _Workers()


def run(tasks: Sequence[Task]) -> None:
    """Run tasks at the same time, the first of them here.

    All of them are running before any has to end, so that they may wait for each other. A task must not call
    this function, nor may a signal handler.
    """
    global _pool
    if _pool.process != os.getpid():
        _pool = _Workers()
    with _pool.busy:
        _run(_pool.workers, tasks)


def _run(workers: list[_Worker], tasks: Sequence[Task]) -> None:
    while len(workers) < len(tasks) - 1:
        workers.append(_Worker())
    used = workers[: len(tasks) - 1]
    for worker, task in zip(used, tasks[1:], strict=True):
        worker.task = task
    # Each step is a call of compiled code, noted by compiled code: no interrupt comes between the two, and
    # so what is in ``done`` is done, once. The workers may be writing to the caller's arrays until the end.
    steps = [*(worker.begin.release for worker in used), tasks[0], *(worker.end.acquire for worker in used)]
    done: list[object] = []
    error: BaseException | None = None
    while len(done) < len(steps):
        try:
            done.extend(map(call, steps[len(done) :]))
        except BaseException as raised:
            error = error or raised
            if len(done) == len(used):
                done.append(None)  # the task here has ended, with this error
    for worker in used:
        error, worker.error = worker.error or error, None
    if error is not None:
        raise error
