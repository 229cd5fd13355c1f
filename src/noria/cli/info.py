"""``noria info``: what is installed here and which engine runs, or what is in a run."""

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from noria import __version__
from noria.cli.common import Debug, Json, Threads
from noria.cli.console import give, give_json, table


def info(
    run: Annotated[Path | None, Parameter(help="A run folder; left out: this installation.")] = None,
    /,
    *,
    threads: Threads = 0,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say what is installed here, or what is in a run."""
    said = installation() if run is None else _run(run)
    if json:
        give_json(said)
    else:
        rows = [(name.replace("_", " "), _words(value)) for name, value in said.items()]
        give(table(rows, indent=0) + "\n")


def installation() -> dict[str, Any]:
    """Gather the versions and choices that results and speed depend on."""
    import numpy as np

    from noria.equations import cells

    return {
        "noria": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "platform": f"{platform.system()} {platform.machine()}",
        "numpy": np.__version__,
        **_products(),
        "engine": _engine(),
        "cells": list(cells.names()),
    }


def _engine() -> str:
    """Name the engine that runs a cell here when nobody chooses one."""
    import numpy as np

    from noria.compiler import compile_cell
    from noria.engines import bind
    from noria.equations import cells

    return bind(compile_cell(cells.get("rnn")), {"D": 1, "H": 1}, np.float32).engine


def _products() -> dict[str, str]:
    """Name the library that does NumPy's products, and the number of its threads."""
    from threadpoolctl import threadpool_info

    libraries = [library for library in threadpool_info() if library["user_api"] == "blas"]
    names = [f"{library['internal_api']} {library['version'] or ''}".strip() for library in libraries]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = ", ".join(str(library["num_threads"]) for library in libraries) or "unknown"
    return {"blas": ", ".join(names) or "unknown", "threads": f"{threads} of {cores} cores"}


def _words(value: Any) -> str:
    if isinstance(value, Mapping) and "loss" in value:
        figures = f"{value['loss']:.3f} nats, {value['bits_per_character']:.3f} bits per character"
        return f"{value['name']}: {figures}" if "name" in value else figures
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _run(folder: Path) -> dict[str, Any]:
    """Gather what is in a run; opening it checks that it is whole."""
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
        "symbols": len(model.vocabulary_),
        "parameters": summary.parameters,
        "dtype": summary.dtype,
        "engines": list(summary.engines),
    }
    if not (folder / "best.safetensors").exists():
        step = int(run.read_arrays("last").get("trainer/step", 0))
        said["state"] = f"stopped after step {step:,}, before the first evaluation" if step else "untrained"
    return said | {
        name: report[name]
        for name in ("steps", "best_step", "seconds", "validation", "test", "baseline")
        if name in report
    }
