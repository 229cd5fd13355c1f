"""The runs of a study, side by side in processes of one thread each, at most one for each core."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noria.errors import RunError
from noria.studies.design import Variant
from noria.studies.folder import RUNS, StudyFolder, read_json, write_json
from noria.studies.work import FAILED
from noria.training.holding import held

ONE_THREAD = dict.fromkeys(
    (
        "NORIA_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)
LOOK = 0.05  # seconds between two looks at the processes
PATIENCE = 5.0  # seconds that a process has to end when it is told to
SHOWN = 2000  # characters of what a process that broke down said last

Told = Callable[[dict[str, Any], int, int], None]
"""Gets the result of each run that ends, how many have ended, and how many there are."""


@dataclass
class _Running:
    variant: Variant
    seed: int
    process: subprocess.Popen[bytes]


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side(processes: int | None = None) -> int:
    """Give how many runs are made at once: as many as asked for, and never more than there are cores."""
    return max(1, min(processes or cores(), cores()))


def run_study(folder: StudyFolder, *, processes: int | None = None, told: Told | None = None) -> bool:
    """Make the runs of a study that are missing.

    A run that diverges or fails does not keep the others from being made. Ctrl-C ends those that are under
    way, which are made again the next time; what has ended stays.

    Parameters
    ----------
    folder : StudyFolder
    processes : int, optional
        How many at once; as many as there are cores if left out, and never more.
    told : callable, optional

    Returns
    -------
    bool
        Whether all runs have ended; False after Ctrl-C.

    Raises
    ------
    RunError
        If another process makes the runs of this study.
    """
    slots = side_by_side(processes)
    waiting, running = folder.missing(), list[_Running]()
    total = len(folder.study.variants) * len(folder.study.seeds)
    done = total - len(waiting)
    with held(folder.path):
        try:
            while waiting or running:
                while waiting and len(running) < slots:
                    variant, seed = waiting.pop(0)
                    running.append(_Running(variant, seed, _started(folder, variant, seed)))
                ended = [one for one in running if one.process.poll() is not None]
                for one in ended:
                    running.remove(one)
                    done += 1
                    result = _result(folder, one)
                    if told is not None:
                        told(result, done, total)
                if not ended:
                    time.sleep(LOOK)
        except KeyboardInterrupt:
            return False
        finally:
            _end(running)
            for log in (folder.path / RUNS).glob("*.err"):
                if not log.stat().st_size:
                    log.unlink()
    return True


def _started(folder: StudyFolder, variant: Variant, seed: int) -> subprocess.Popen[bytes]:
    folder.file_of(variant, seed).unlink(missing_ok=True)
    source = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH", ""))))
    with open(folder.log_of(variant, seed), "wb") as said:
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "noria.studies.work", str(folder.path), variant.name, str(seed)],
                stdin=subprocess.PIPE,  # closed when this process ends, however it does
                stdout=said,
                stderr=said,
                env={**os.environ, **ONE_THREAD, "PYTHONPATH": path},
                start_new_session=True,  # Ctrl-C is for this process, which ends the others
            )
        except OSError as error:
            raise RunError(f"{folder.path}: no process can be started: {error.strerror or error}.") from error


def _result(folder: StudyFolder, one: _Running) -> dict[str, Any]:
    """Read the result of a process that has ended; one that left none has failed, which is a result too."""
    file, log = folder.file_of(one.variant, one.seed), folder.log_of(one.variant, one.seed)
    if one.process.stdin is not None:
        one.process.stdin.close()
    if not file.exists():
        code = one.process.returncode
        said = log.read_text(encoding="utf-8", errors="replace")[-SHOWN:].strip()
        why = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        result = {
            "variant": one.variant.name,
            "seed": one.seed,
            "status": FAILED,
            "broke_down": True,
            "curve": [],
        }
        write_json(file, result | {"message": f"The process {why}.\n{said}".strip()})
    return read_json(file)


def _end(running: list[_Running]) -> None:
    """End the processes that are still there; their runs are made again the next time."""
    for one in running:
        one.process.terminate()
    until = time.monotonic() + PATIENCE
    for one in running:
        try:
            one.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            one.process.kill()
            one.process.wait()
        if one.process.stdin is not None:
            one.process.stdin.close()
