"""What holds for every test: shapes and types are checked while the tests run, and BLAS uses one thread."""

import atexit
import os
import shutil
import signal
import tempfile
from pathlib import Path

import hypothesis
import jaxtyping
import threadpoolctl

# From here on annotations such as Float[Array, "N H"] are assertions in the rooms through which arrays flow.
# Equations and compiler hold no arrays, and the inside of an engine runs thousands of times for each gradient
# that is checked: their types are left to mypy.
ROOMS = ("sequences", "layers", "training", "data", "models", "inspection.gradient_check", "engines.binding")
jaxtyping.install_import_hook([f"noria.{room}" for room in ROOMS], "shape_checker.check")

# A machine that has much else to do makes no test red.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# A plugin may have loaded NumPy before this file: its pool is limited directly; children read variables.
threadpoolctl.threadpool_limits(limits=1)
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

os.environ.pop("NORIA_THREADS", None)

# Processes that tests start find the package, and what lies beside the tests, where this one does.
TESTS = Path(__file__).parent
PLACES = [TESTS.parent / "src", TESTS, *sorted(path for path in TESTS.iterdir() if path.is_dir())]
os.environ["PYTHONPATH"] = os.pathsep.join([*map(str, PLACES), *filter(None, [os.environ.get("PYTHONPATH")])])

# A shell lets its background jobs ignore Ctrl-C; tests that send it would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Compiled code is kept for this session alone, where all workers find it.
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["NORIA_CACHE"] = tempfile.mkdtemp(prefix="noria-tests-")
    atexit.register(shutil.rmtree, os.environ["NORIA_CACHE"], ignore_errors=True)
