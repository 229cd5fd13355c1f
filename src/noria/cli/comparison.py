"""What ``noria compare`` says: what it is going to do, how each run ended, and what came out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noria.cli.console import give, say, table


def say_study(study: Any, path: Path, processes: int | None) -> None:
    """Say what will be compared, for how long, and where it is kept."""
    from noria.studies.running import side_by_side

    runs, slots = len(study.variants) * len(study.seeds), side_by_side(processes)
    budget = ", ".join(f"{value:g} {name}" for name, value in study.budget.items())
    say("Study", f"{study.task} · {len(study.variants)} variants x {len(study.seeds)} seeds · {runs} runs")
    for variant in study.variants:
        options = ", ".join(f"{name}={value}" for name, value in variant.options.items())
        say("", f"{variant.name}: {options}" if options else variant.name)
    minutes = study.budget.get("minutes", 0.0) * -(-runs // slots)
    together = f" · some {minutes:,.0f} minutes in all" if minutes >= 1 else ""
    say("Budget", f"{budget} for each run · {slots} side by side{together}")
    say("Folder", f"{path} · Ctrl-C stops, the same command goes on")


def say_run(result: Mapping[str, Any], done: int, total: int) -> None:
    """Say that a run has ended, and how."""
    named = f"{done}/{total}  {result['variant']} · seed {result['seed']}"
    if result["status"] != "done":
        say("", f"{named} · {result['status']}: {str(result.get('message', '')).splitlines()[0]}")
        return
    test = result["test"].get("loss")
    say("", f"{named} · test loss {test:.4f} · {result['steps']:,} steps in {result['seconds']:.1f} s")


def give_results(results: Any, language: str) -> None:
    """Give a line for each variant, and the conclusions."""
    from noria.reports.prose import MISSING
    from noria.studies.conclusions import conclusions

    titles = (
        "variant",
        results.metric,
        "spread",
        "parameters",
        "steps",
        "tokens/s",
        "seconds",
        "reach",
        "runs",
    )
    lines = [titles]
    for line in results.lines:
        count = len(line.done) + len(line.diverged) + len(line.failed)
        numbers = (line.parameters, line.steps, line.tokens_per_second, line.seconds)
        lines.append(
            (
                line.name,
                results.said(line.figure),
                results.said(line.deviation),
                *(f"{number:,.0f}" if number == number else MISSING for number in numbers),
                line.reaches("tenth") or MISSING,
                f"{len(line.done)}/{count}",
            )
        )
    give(table(lines, right=range(1, len(titles)), indent=0) + "\n")
    if any(line.gradient for line in results.lines):
        give("(reach: from so many steps back on, less than a tenth of the gradient's norm is left)\n")
    give("\n")
    for sentence in conclusions(results, language):
        give(sentence + "\n")
