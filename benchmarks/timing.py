"""Timing several ways of doing the same thing, in turn, in one process."""

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

SAMPLE = 2e-3
"""Seconds that one sample lasts at least; what is quicker is done several times in it."""

MOST = 101

SETTLING = 0.05
"""Seconds until the threads of a pool that has just worked are asleep: those of OpenMP spin for 20 ms."""


@dataclass(frozen=True)
class Budget:
    """How often to measure: at least ``repeats`` rounds, more of them while ``seconds`` last.

    With several ``threads`` the pool of the side before has to settle first, or its spinning threads take a
    core; caches and clock are warmed up again by a sample that does not count.
    """

    repeats: int
    seconds: float
    threads: int = 1


@dataclass(frozen=True)
class Timing:
    """The median in milliseconds, of how many samples, and how many cores were busy meanwhile."""

    ms: float
    samples: int
    busy: float


def alternate(runs: Mapping[str, Callable[[], object]], budget: Budget) -> dict[str, Timing]:
    """Run A, B, ..., A, B, ... and give each one's median; two calls of each come before and do not count."""
    inner = {name: _calls_in_a_sample(run) for name, run in runs.items()}
    walls: dict[str, list[float]] = {name: [] for name in runs}
    busy = dict.fromkeys(runs, 0.0)
    collecting = gc.isenabled()
    gc.disable()
    try:
        start, rounds = time.perf_counter(), 0
        while rounds < budget.repeats or (rounds < MOST and time.perf_counter() - start < budget.seconds):
            for name, run in runs.items():
                if budget.threads > 1:
                    time.sleep(SETTLING)
                    _sample(run, inner[name])
                wall, worked = _sample(run, inner[name])
                walls[name].append(wall)
                busy[name] += worked
            rounds += 1
    finally:
        if collecting:
            gc.enable()
    return {
        name: Timing(
            ms=1e3 * statistics.median(walls[name]) / inner[name],
            samples=rounds,
            busy=busy[name] / sum(walls[name]),
        )
        for name in runs
    }


def _sample(run: Callable[[], object], calls: int) -> tuple[float, float]:
    """Give the seconds on the clock and on all cores."""
    before, worked = time.perf_counter(), time.process_time()
    for _ in range(calls):
        run()
    return time.perf_counter() - before, time.process_time() - worked


def _calls_in_a_sample(run: Callable[[], object]) -> int:
    run()
    before = time.perf_counter()
    run()
    return max(1, math.ceil(SAMPLE / (time.perf_counter() - before)))


def geometric_mean(values: Iterable[float]) -> float:
    """Give exp(mean(log(values)))."""
    return math.exp(statistics.fmean(math.log(value) for value in values))
