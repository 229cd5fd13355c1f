"""What it costs to record every value that the equations name, beside a plain forward.

python benchmarks/recording.py [--quick] [--json] [--threads 1 2]
"""

import argparse
from typing import Any

import numpy as np
from launch import launch, parser_of
from timing import Budget, alternate

from noria.layers import FlatParameters, Mode, Recurrent
from noria.layers.recording import Recorder
from noria.sequences import Layout, Ragged

CELLS = ("rnn", "gru", "gru_reset_after", "lstm", "lstm_peephole")
SHAPES = ((200, 1), (50, 16))
FEATURES, HIDDEN = 64, 128
ALLOWED = 2.0
"""Recording may make a forward so many times as dear."""


def measure(cell: str, steps: int, batch: int, budget: Budget) -> dict[str, Any]:
    """Time both."""
    layer = Recurrent(cell, HIDDEN)
    layer.configure(FEATURES)
    FlatParameters.build([layer], np.random.default_rng(0), np.float32)
    rows = np.random.default_rng(1).standard_normal((steps * batch, FEATURES)).astype(np.float32)
    x = Ragged(rows, Layout.dense(batch, steps))
    found = alternate(
        {
            "plain": lambda: layer(x, mode=Mode(save=False)),
            "recorded": lambda: layer(x, mode=Mode(save=False, recorder=Recorder())),
        },
        budget,
    )
    ms = {name: timing.ms for name, timing in found.items()}
    return {"cell": cell, "steps": steps, "batch": batch, **ms, "times": ms["recorded"] / ms["plain"]}


def work(arguments: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Go through cells and shapes."""
    budget = Budget(5, 0.3) if arguments.quick else Budget(25, 2.0)
    print(f"\nrecording, {threads} thread(s), D = {FEATURES}, H = {HIDDEN}")
    print(f"{'cell':<18} {'T,B':>8} {'plain':>10} {'recorded':>10} {'times':>6}", flush=True)
    rows = []
    for cell in CELLS:
        for steps, batch in SHAPES:
            row = measure(cell, steps, batch, budget)
            rows.append(row)
            print(
                f"{cell:<18} {f'{steps},{batch}':>8} {row['plain']:>7.3f} ms {row['recorded']:>7.3f} ms "
                f"{row['times']:>6.2f}",
                flush=True,
            )
    worst = max(row["times"] for row in rows)
    reached = worst < ALLOWED
    print(f"  dearest {worst:.2f} (asked below {ALLOWED:g}): {'reached' if reached else 'NOT reached'}")
    return {"rows": rows, "dearest": worst, "reached": reached}


if __name__ == "__main__":
    launch(parser_of(__doc__).parse_args(), work)
