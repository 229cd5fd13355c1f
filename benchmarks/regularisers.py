"""What each regulariser does for a small text that the plain model learns by heart.

A piece of the built-in text, 85 % to train on, 5 % to choose the best weights on, 10 % that nothing else saw.
Every line trains the same number of updates from the same seeds; differences to the plain model are taken
seed by seed, so that what they share does not hide them. Beside the loss stands the time of a step in
multiples of the plain model's, measured in turn.

    python benchmarks/regularisers.py [--quick] [--json] [--threads N] [--seeds 3] [--steps 1200]
"""

import argparse
import json
import statistics
import time
from itertools import pairwise
from typing import Any

from threadpoolctl import threadpool_limits

from noria import LanguageModel
from noria.data import builtin_text

CHARACTERS, HIDDEN, EMBEDDING, STREAMS, WINDOW = 60_000, 128, 64, 16, 32
PLAIN = "plain"
WITHOUT = {"dropout": 0.0, "recurrent_dropout": 0.0, "weight_decay": 0.0}
"""What the defaults would choose for a run of many passes."""
LINES: dict[str, dict[str, Any]] = {
    PLAIN: {},
    "dropout 0.4": {"dropout": 0.4},
    "locked dropout 0.4": {"dropout": 0.4, "locked_dropout": True},
    "input dropout 0.2": {"input_dropout": 0.2},
    "embedding dropout 0.1": {"embedding_dropout": 0.1},
    "recurrent dropout 0.3": {"recurrent_dropout": 0.3},
    "zoneout 0.1": {"zoneout": 0.1},
    "DropConnect 0.4": {"drop_connect": 0.4},
    "layer norm": {"layer_norm": True},
    "batch norm": {"batch_norm": True},
    "label smoothing 0.05": {"label_smoothing": 0.05},
    "weight tying": {"tie_weights": True, "projection_size": EMBEDDING},
    "weight decay 0.05": {"optimizer": "adamw", "weight_decay": 0.05},
    "averaging (EMA)": {"averaging": "ema"},
    "all dropouts": {"dropout": 0.4, "input_dropout": 0.2, "recurrent_dropout": 0.2, "drop_connect": 0.2},
}
QUICK = (PLAIN, "dropout 0.4", "recurrent dropout 0.3")
TIMED = 60


def train(options: dict[str, Any], text: str, seed: int, steps: int, threads: int) -> dict[str, float]:
    """Train one model; give the figures of its best weights, and the time of a step in ms."""
    chosen = {**WITHOUT, **options}
    model = LanguageModel(
        hidden_size=HIDDEN, embedding_size=EMBEDDING, batch_size=STREAMS, seq_length=WINDOW, seed=seed,
        test_fraction=0.1, sample_length=0, threads=threads, **chosen,
    )  # fmt: skip
    model.fit(text, steps=steps)
    report = model.report_
    return {
        "validation": report["validation"]["loss"],
        "test": report["test"]["loss"],
        "best_step": report["best_step"],
        "steps": report["steps"],
    }


def milliseconds(options: dict[str, Any], text: str, threads: int) -> float:
    """Time steps of training alone."""
    start = time.perf_counter()
    model = LanguageModel(
        hidden_size=HIDDEN, embedding_size=EMBEDDING, batch_size=STREAMS, seq_length=WINDOW, threads=threads,
        sample_length=0, eval_every=TIMED, **{**WITHOUT, **options},
    )  # fmt: skip
    ticks: list[float] = []
    model.fit(text, steps=TIMED, listener=lambda event: ticks.append(time.perf_counter()))
    gaps = [after - before for before, after in pairwise(ticks)]
    return 1e3 * statistics.median(gaps[10:-5]) if len(gaps) > 15 else 1e3 * (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="three lines, one seed, 150 updates")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--steps", type=int, default=1200, metavar="N")
    asked = parser.parse_args()
    seeds, steps = (1, 150) if asked.quick else (asked.seeds, asked.steps)
    lines = {name: LINES[name] for name in (QUICK if asked.quick else LINES)}
    text = builtin_text().text[:CHARACTERS]
    with threadpool_limits(asked.threads):
        found = {
            name: [train(options, text, seed, steps, asked.threads) for seed in range(seeds)]
            for name, options in lines.items()
        }
        times: dict[str, list[float]] = {name: [] for name in lines}
        for _ in range(1 if asked.quick else 3):
            for name, options in lines.items():
                times[name].append(milliseconds(options, text, asked.threads))
    cost = {name: statistics.median(each) for name, each in times.items()}
    rows = []
    for name, runs in found.items():
        differences = [
            run["validation"] - plain["validation"] for run, plain in zip(runs, found[PLAIN], strict=True)
        ]
        rows.append(
            {
                "name": name,
                "validation": statistics.fmean(run["validation"] for run in runs),
                "test": statistics.fmean(run["test"] for run in runs),
                "difference": statistics.fmean(differences),
                "spread": statistics.stdev(differences) if seeds > 1 else None,
                "lower": sum(difference < 0 for difference in differences),
                "best_step": statistics.fmean(run["best_step"] for run in runs),
                "cost": cost[name] / cost[PLAIN],
            }
        )
    if asked.json:
        print(json.dumps({"characters": CHARACTERS, "seeds": seeds, "steps": steps, "rows": rows}))
        return
    print(f"{CHARACTERS:,} characters, {seeds} seeds, {steps} updates; losses in nats a character")
    print(f"{'':<24} validation    test   difference  spread  lower  best step  cost")
    for row in rows:
        spread = "" if row["spread"] is None else f"{row['spread']:.4f}"
        print(
            f"{row['name']:<24} {row['validation']:10.4f} {row['test']:7.4f} {row['difference']:+12.4f} "
            f"{spread:>7} {row['lower']:>4}/{seeds} {row['best_step']:>9.0f} {row['cost']:6.2f}"
        )


if __name__ == "__main__":
    main()
