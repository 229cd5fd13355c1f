import json
import subprocess
import sys
import time

import numpy as np
import pytest

from noria.training.run_folder import RunFolder

PROGRAM = """
import sys
from noria.models.text.options import TextTrainingOptions
from noria.training.run_folder import RunFolder
from noria.training.trainer import Trainer
from quadratic_task import QuadraticTask

options = TextTrainingOptions(optimizer="adam", lr=0.001, eval_every=1, sample_length=0)
Trainer(QuadraticTask(noise=0.01), options, RunFolder.create(sys.argv[1])).fit(steps=100_000_000)
"""


@pytest.mark.parametrize("delay", [0.0, 0.137, 0.291])
def test_killed_while_it_writes_all_the_time_the_run_still_opens(tmp_path, delay):
    path = tmp_path / "run"
    log = path / "log.jsonl"
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(path)])
    try:
        deadline = time.monotonic() + 60
        while not (log.exists() and "Evaluated" in log.read_text(encoding="utf-8")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(delay)
    finally:
        process.kill()
        process.wait()
    run = RunFolder.open(path)
    assert run.config["run"]["steps"] == 100_000_000
    assert np.isfinite(run.read_weights()["second.high"]).all()
    last = run.read_arrays("last")
    assert int(last["trainer/step"]) == int(last["update/optimiser/steps"]) == int(last["carried/counter"][0])
    lines = log.read_text(encoding="utf-8").splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert events[:2] == ["Started", "Evaluated"]
