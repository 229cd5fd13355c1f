"""Cells that nobody wrote: which engine runs each, and how near it comes to the LSTM's rate."""

import statistics
import time

import numpy as np
from roofline import Limits
from sides import Point, Subject
from tables import Row
from timing import Budget, alternate

from noria.testing import random_cell

POINT = Point(30, 32, 64, 128)
LEVEL = 0.70
"""Median of their arithmetic rate, as a share of the LSTM's."""

SLOWEST_SHOWN = 3


def measure(count: int, budget: Budget, limits: Limits) -> Row:
    """Run random cells forward and backward beside an LSTM; print and give the figures."""
    lstm = Subject("lstm", POINT)
    lstm_side, lstm_work = lstm.both(), lstm.operations(backward=True)
    shares: dict[int, float] = {}
    fallen: list[int] = []
    times, lstm_times, firsts = [], [], []
    for seed in range(count):
        subject = Subject(random_cell(np.random.default_rng(seed)), POINT)
        if subject.engine != lstm.engine:
            fallen.append(seed)
        side = subject.both()
        with np.errstate(all="ignore"):  # some of them diverge
            start = time.perf_counter()
            side.run()
            firsts.append(time.perf_counter() - start)
            found = alternate({"cell": side.run, "lstm": lstm_side.run}, budget)
        rate = subject.operations(backward=True) / found["cell"].ms
        shares[seed] = rate / (lstm_work / found["lstm"].ms)
        times.append(found["cell"].ms)
        lstm_times.append(found["lstm"].ms)
    median = statistics.median(shares.values())
    slowest = sorted(shares, key=lambda seed: shares[seed])[:SLOWEST_SHOWN]
    lstm_rate = lstm_work / statistics.median(lstm_times) / 1e6
    print(f"\n{count} random cells at {POINT}, forward and backward")
    print(f"  not in the engine of the LSTM ({lstm.engine}): {len(fallen)} {fallen[:10] or ''} (asked 0)")
    print(
        f"  rate as a share of the LSTM's {lstm_rate:.1f} GF/s ({lstm_rate / limits.peak:.0%} of the peak): "
        f"median {median:.2f} (asked {LEVEL:g}), lower quarter "
        f"{np.quantile(list(shares.values()), 0.25):.2f}; slowest seeds "
        + ", ".join(f"{seed}: {shares[seed]:.2f}" for seed in slowest),
        flush=True,
    )
    first = 1e3 * statistics.median(firsts)
    print(f"  first call, in which the cell is compiled: median {first:.0f} ms", flush=True)
    return {
        "first_call_ms": first,
        "contest": "cells",
        "cells": count,
        "engine": lstm.engine,
        "fallen_back": fallen,
        "median_share": median,
        "asked": LEVEL,
        "reached": median >= LEVEL and not fallen,
        "lstm_gflops": lstm_rate,
        "ms": statistics.median(times),
        "shares": [shares[seed] for seed in range(count)],
    }
