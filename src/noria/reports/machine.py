"""Which versions and which machine made a report."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import noria
from noria.engines import why_not_native
from noria.engines.native.host import processor
from noria.reports.prose import Sentences

MACHINE: Sentences = {
    "versions": ("Versions", "Versiones"),
    "machine": ("Machine of this report", "Máquina de este informe"),
    "system": ("system", "sistema"),
    "processor": ("processor", "procesador"),
    "cores": ("cores", "núcleos"),
    "memory": ("memory", "memoria"),
    "engine": ("engine", "motor"),
}
LIBRARIES = ("numpy", "llvmlite", "scikit-learn", "matplotlib")


def versions() -> dict[str, str]:
    """Give the versions of Noria, of Python and of the libraries that figures depend on."""
    found = {"Noria": noria.__version__, "Python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str]:
    """Say which system, processor and memory there are, and what the engine computes with."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    reason = why_not_native()
    found = {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": str(cores),
        "memory": _memory(),
        "engine": f"reference: {reason}" if reason else f"native: {processor()}",
    }
    return {name: value for name, value in found.items() if value}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    except (AttributeError, ValueError, OSError):
        return ""
