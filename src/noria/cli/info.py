"""``noria info``: what is installed here and which engine runs, or what is in a run."""

import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from noria import __version__
from noria.cli.common import Debug, Json, Threads
from noria.cli.console import give, give_json, table
from noria.cli.threads import origin

EXPLAINED = {"engine": ("processor", ": "), "threads": ("threads_from", ", ")}
"""What stands on one line in words, and joined by what."""


def info(
    run: Annotated[Path | None, Parameter(help="A run folder; left out: this installation.")] = None,
    /,
    *,
    threads: Threads = 0,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say what is installed here, or what is in a run.

    Of the installation: versions, the engine that runs, on which processor and how many threads, and why not
    the fast one where that cannot run. Of a run: its task, data, model, how far it came, and its figures.

    noria info

    noria info runs/first --json
    """
    said = installation(threads) if run is None else _run(run, words=not json)
    if json:
        give_json(said)
    else:
        rows = [(name.replace("_", " "), words) for name, words in _sentences(said).items() if words]
        give(table(rows, indent=0) + "\n")


def installation(threads: int = 0) -> dict[str, Any]:
    """Gather the versions and choices that results and speed depend on.

    Parameters
    ----------
    threads : int
        What was asked for; 0: nothing.
    """
    import numpy as np

    from noria.equations import cells

    return {
        "noria": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "platform": f"{platform.system()} {platform.machine()}",
        "numpy": np.__version__,
        **_products(),
        **_engine(),
        **_threads(threads),
        "cells": list(cells.names()),
    }


def _engine() -> dict[str, str]:
    """Name the engine that runs a cell where none is chosen; say what it computes with, or why not native."""
    from noria.engines import why_not_native
    from noria.engines.native.host import processor

    reason = why_not_native()
    engine = "reference" if reason else "native"
    return {"engine": engine, "processor": "" if reason else processor(), "why_not_native": reason}


def _threads(asked_for: int) -> dict[str, Any]:
    """Say how many threads the engines use, and why so many."""
    from noria.engines.threads import thread_count

    return {"threads": asked_for or thread_count(), "threads_from": origin(asked_for)}


def _products() -> dict[str, str]:
    """Name the library that does NumPy's products, and the number of its threads."""
    from threadpoolctl import threadpool_info

    libraries = [library for library in threadpool_info() if library["user_api"] == "blas"]
    names = [f"{library['internal_api']} {library['version'] or ''}".strip() for library in libraries]
    threads = ", ".join(str(library["num_threads"]) for library in libraries) or "unknown"
    return {"blas": ", ".join(names) or "unknown", "blas_threads": threads}


def _sentences(said: Mapping[str, Any]) -> dict[str, str]:
    """Give each entry in words, some with what explains them behind."""
    words = {name: _words(value) for name, value in said.items()}
    for name, (more, joint) in EXPLAINED.items():
        if name in words and (explanation := words.pop(more)):
            words[name] += joint + explanation
    return words


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _run(folder: Path, *, words: bool) -> dict[str, Any]:
    """Gather what is in a run, figures in words or as they are; opening it checks that it is whole."""
    from noria.models import load
    from noria.training import RunFolder

    model = load(folder)
    run = RunFolder.open(folder)
    config = run.config
    summary, report = model.summary, model.report_
    said: dict[str, Any] = {
        "run": str(folder),
        "noria": config.get("noria", "unknown"),
        "task": config.get("task", "unknown"),
        "cells": list(summary.cells),
        "hidden_sizes": list(summary.hidden_sizes),
        **({"symbols": len(model.vocabulary_)} if hasattr(model, "vocabulary_") else {}),
        "parameters": summary.parameters,
        "dtype": summary.dtype,
        "engines": list(summary.engines),
        "processor": summary.processor,
        "why_not_native": summary.why_not_native,
    }
    if not (folder / "best.safetensors").exists():
        step = int(run.read_arrays("last").get("trainer/step", 0))
        said["state"] = f"stopped after step {step:,}, before the first evaluation" if step else "untrained"
    said |= {name: report[name] for name in ("steps", "best_step", "seconds") if name in report}
    figures = {name: report[name] for name in ("validation", "test", "baseline") if report.get(name)}
    if not words:
        return said | figures
    named = {name: f"{part['name']}: " if "name" in part else "" for name, part in figures.items()}
    return said | {name: f"{named[name]}{model.headline(part)}" for name, part in figures.items()}
