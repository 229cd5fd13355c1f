"""Running a benchmark once for each number of threads, each time in a process of its own.

Thread pools are made when a library is loaded and cannot be made smaller afterwards, so the limits stand in
the environment before anything is imported. XLA sizes its pool by ``NPROC``; its own flags for it are set too
but do not hold by themselves.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULT, THREADS = "NORIA_BENCHMARK_RESULT", "NORIA_THREADS"
LIMITS = (THREADS, "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
PACKAGES = ("numpy", "llvmlite", "torch", "jax", "jaxlib", "onnx", "onnxruntime")

DISTURBING = 0.2
"""Cores that other processes may keep busy before a line says that the figures are worth nothing."""

Work = Callable[[argparse.Namespace, int], dict[str, Any]]


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """Make a parser with the arguments that all benchmarks have."""
    parser = argparse.ArgumentParser(description=(description or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few points and repeats, under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument(
        "--threads", type=int, nargs="+", default=[1], metavar="N", help="numbers of threads (default 1)"
    )
    return parser


def launch(arguments: argparse.Namespace, work: Work) -> None:
    """Do the work in one process for each number of threads; print one JSON object if that is asked for.

    ``work`` prints as it goes, and gives plain values. Exits with 1 if one of its rows is ``wrong``.
    """
    if RESULT in os.environ:
        from threadpoolctl import threadpool_limits

        threads = int(os.environ[THREADS])
        with threadpool_limits(threads), others() as found_others:
            found = work(arguments, threads)
        found |= found_others
        if found["others_busy"] > DISTURBING:
            print(
                f"\nother processes kept {found['others_busy']:.1f} cores busy: do not trust these figures,\n"
                "least of all with several threads, which wait for each other"
            )
        Path(os.environ[RESULT]).write_text(json.dumps(found), "utf-8")
        return
    here, taking_part = machine(), versions()
    if not arguments.json:
        print("  ".join(f"{name} {value}" for name, value in [*here.items(), *taking_part.items()]))
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for threads in arguments.threads:
            path = Path(folder, f"{threads}.json")
            done = subprocess.run(
                [sys.executable, *sys.argv],
                env=environment(threads) | {RESULT: str(path)},
                stdout=subprocess.DEVNULL if arguments.json else None,
            )
            if done.returncode:
                sys.exit(done.returncode)
            results.append({"threads": threads, **json.loads(path.read_text("utf-8"))})
    if arguments.json:
        print(
            json.dumps(
                {"machine": here, "versions": taking_part, "quick": arguments.quick, "results": results}
            )
        )
    if any(row.get("wrong") for result in results for row in result["rows"]):
        sys.exit(1)


@contextmanager
def others() -> Iterator[dict[str, float]]:
    """Measure how many cores other processes keep busy during the block; 0 where the system does not say."""
    found = {"others_busy": 0.0}
    wall, busy, own = time.perf_counter(), _seconds_of_all(), sum(os.times()[:4])
    yield found
    of_others = _seconds_of_all() - busy - (sum(os.times()[:4]) - own)
    found["others_busy"] = max(0.0, of_others) / (time.perf_counter() - wall)


def _seconds_of_all() -> float:
    """Give the seconds that all cores have been busy since the machine started."""
    path = Path("/proc/stat")
    if not path.exists():
        return 0.0
    user, nice, system = path.read_text("utf-8").split()[1:4]
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")


def environment(threads: int) -> dict[str, str]:
    """Give the environment of a process in which every library uses so many threads."""
    flags = f"--xla_cpu_multi_thread_eigen={str(threads > 1).lower()} intra_op_parallelism_threads={threads}"
    fixed = {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "TORCHINDUCTOR_COMPILE_THREADS": "1"}
    return {**os.environ, **dict.fromkeys(LIMITS, str(threads)), **fixed}


def machine() -> dict[str, str | int]:
    """Name the machine."""
    names = [line.partition(":")[2].strip() for line in _processor_lines() if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count() or 0,
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _processor_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text("utf-8").splitlines() if path.exists() else []


def versions() -> dict[str, str]:
    """Give the versions of what takes part; what is not installed is said to be so."""
    import noria

    found = {"noria": noria.__version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
