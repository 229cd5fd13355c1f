"""Programs in a process of their own, in which tests have loaded, changed and checked nothing."""

import subprocess
import sys
from collections.abc import Sequence


def output_of(code: str, *words: object, options: Sequence[str] = (), seconds: float = 120) -> str:
    """Run a program with these words to its end, which has to be a good one, and give what it wrote."""
    command = [sys.executable, *options, "-c", code, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stderr or f"ended by signal {-done.returncode}"
    return done.stdout
