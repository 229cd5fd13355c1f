"""How far the built-in tasks are learnt, each with the options that stand with its data, over five seeds.

Every line trains ``noria train TASK --data NAME`` anew from each seed, which also draws the data, and shows
the figure of the test part, which neither training nor the choice of the best weights has seen, or of a
harder test part: longer sequences, say. Beside it stands the figure of the baseline on the test part.

    python benchmarks/builtin_tasks.py [NAME ...] [--quick] [--json] [--threads N] [--seeds 5] [--first 0]

Names are those of the lines, ``parity recall:200``; without any, all are trained, which takes hours.
``--quick`` trains from one seed, a tenth of the steps.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from threadpoolctl import threadpool_limits

from noria.data.builtin_tasks import builtin_data, builtin_recipe
from noria.models.loading import model_class

BUDGET = ("minutes", "epochs", "steps")
Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Level:
    """What is asked of the figure that ``path`` leads to in a report: of the median, worst or best seed."""

    path: tuple[str, ...]
    asked: float
    over: str = "median"
    lower_is_better: bool = False

    def figure(self, report: Figures) -> float:
        """Find the figure in a report."""
        found: Any = report
        for key in self.path:
            found = found[key]
        return float(found)

    def of_seeds(self, figures: list[float]) -> float:
        """Give the median, the worst or the best figure."""
        worst, best = (max, min) if self.lower_is_better else (min, max)
        return {"median": statistics.median, "worst": worst, "best": best}[self.over](figures)

    def reached(self, figures: list[float]) -> bool:
        """Whether the seeds come up to the level."""
        found = self.of_seeds(figures)
        return found <= self.asked if self.lower_is_better else found >= self.asked


ACCURACY, EXACT = ("test", "accuracy"), ("test", "exact_match")
REACH = ("test", "right_to_length")  # of a^n b^n twice the n

LEVELS: dict[tuple[str, str], tuple[Level, ...]] = {
    ("text", "anbn"): (Level(REACH, 2000, "best"), Level(REACH, 400)),
    ("text", "anbn-small"): (Level(("extra", "every n", "sequences_right"), 1.0),),
    ("classify", "parity"): (Level(ACCURACY, 1.0), Level(("extra", "length 100", "accuracy"), 1.0)),
    ("classify", "recall"): (Level(ACCURACY, 0.99),),
    ("classify", "recall:200"): (Level(ACCURACY, 0.99),),
    ("classify", "temporal-order"): (Level(ACCURACY, 0.99),),
    ("classify", "number-sum"): (Level(ACCURACY, 0.99),),
    ("classify", "sentiment"): (Level(ACCURACY, 1.0),),
    ("classify", "digits"): (Level(ACCURACY, 0.975),),
    ("regress", "adding"): (Level(("test", "mse"), 1e-3, lower_is_better=True),),
    ("regress", "adding:600"): (Level(("test", "mse"), 1e-3, lower_is_better=True),),
    ("tag", "copy"): (Level(ACCURACY, 0.99),),
    ("tag", "code-tokens"): (Level(ACCURACY, 0.99),),
    ("translate", "numbers-es-en"): (Level(EXACT, 0.99),),
    ("translate", "dates"): (Level(EXACT, 0.99),),
    ("translate", "reverse"): (Level(EXACT, 0.99),),
    ("translate", "sort"): (Level(EXACT, 0.99),),
    ("translate", "pick"): (Level(EXACT, 0.99),),
}


def train(task: str, name: str, seed: int, threads: int, quick: bool) -> dict[str, Any]:
    """Train from one seed; give the report of the run, and its seconds."""
    options = dict(builtin_recipe(name, task).options)
    budget = {key: options.pop(key) for key in BUDGET if key in options}
    if quick:
        budget = {"steps": max(10, int(budget.get("steps", 1000) / 10))}
        options.pop("eval_every", None)
    start = time.perf_counter()
    model = model_class(task)(**options, seed=seed, threads=threads)
    model.fit(builtin_data(name, task, seed), **budget)
    return {**model.report_, "wall": time.perf_counter() - start}


def baseline(level: Level, report: Figures) -> float | None:
    """Give the baseline's figure of the same name, which is on the test part; None where it has none."""
    found = report.get("baseline", {}).get(level.path[-1])
    return None if found is None or level.path[0] != "test" else float(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="lines to train; none: all")
    parser.add_argument("--quick", action="store_true", help="one seed, a tenth of the steps")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--seeds", type=int, default=5, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first of the seeds")
    asked = parser.parse_args()
    unknown = set(asked.names) - {name for _, name in LEVELS}
    if unknown:
        parser.error(
            f"no line {', '.join(sorted(unknown))}; there are {', '.join(name for _, name in LEVELS)}"
        )
    seeds = range(asked.first, asked.first + (1 if asked.quick else asked.seeds))
    rows = []
    with threadpool_limits(asked.threads):
        for (task, name), levels in LEVELS.items():
            if asked.names and name not in asked.names:
                continue
            reports = [train(task, name, seed, asked.threads, asked.quick) for seed in seeds]
            seconds = statistics.median(report["wall"] for report in reports)
            for level in levels:
                figures = [level.figure(report) for report in reports]
                row = {
                    "task": task,
                    "data": name,
                    "figure": " ".join(level.path),
                    "figures": figures,
                    "over": level.over,
                    "found": level.of_seeds(figures),
                    "asked": level.asked,
                    "reached": level.reached(figures),
                    "baseline": baseline(level, reports[0]),
                    "baseline_name": reports[0].get("baseline", {}).get("name"),
                    "seconds": seconds,
                }
                rows.append(row)
                if not asked.json:
                    print(line(row), flush=True)
    if asked.json:
        print(
            json.dumps({"seeds": list(seeds), "quick": asked.quick, "threads": asked.threads, "rows": rows})
        )
    if not asked.quick and not all(row["reached"] for row in rows):
        sys.exit(1)


def line(row: Figures) -> str:
    """Write a row for a reader."""
    beside = "" if row["baseline"] is None else f", {row['baseline_name']} {row['baseline']:.4g}"
    figures = " ".join(f"{figure:.4g}" for figure in row["figures"])
    return (
        f"{row['task']:<9} {row['data']:<14} {row['figure']:<28} {row['over']} {row['found']:.5g} "
        f"(asked {row['asked']:g}: {'reached' if row['reached'] else 'NOT reached'}{beside}) "
        f"{row['seconds']:.0f} s a seed   {figures}"
    )


if __name__ == "__main__":
    main()
