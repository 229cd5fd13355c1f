"""``noria compare`` stopped by Ctrl-C, killed, and gone on with; a cell that explodes beside others."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SMALL = [
    *("--hidden-size", "4", "--batch-size", "2", "--seq-length", "8", "--eval-every", "2"),
    *("--sample-length", "0", "--engine", "reference"),
]
PATIENCE = 120  # seconds, on a machine that has much else to do
SOURCE = str(Path(__file__).parents[2] / "src")


@pytest.fixture
def begun(book, tmp_path):
    """Begin the study of two cells and two seeds; it is ended with the test."""
    started = []

    def begin():
        words = ["compare", str(book), "--cells", "rnn,gru", "--seeds", "2", "--steps", "4", *SMALL]
        process = subprocess.Popen(
            [sys.executable, "-m", "noria", *words, "--out", str(tmp_path / "study"), "--processes", "1"],
            env={**os.environ, "PYTHONPATH": SOURCE},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin, tmp_path / "study"
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def runs_in(folder):
    return sorted(folder.glob("runs/*.json"))


def wait_for_runs(folder, count):
    until = time.monotonic() + PATIENCE
    while len(runs_in(folder)) < count:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_study_that_is_stopped_and_killed_goes_on(begun):
    begin, folder = begun
    process = begin()
    wait_for_runs(folder, 1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert "have not ended" in out
    assert "Next" in err
    first = {path: path.read_bytes() for path in runs_in(folder)}
    assert 1 <= len(first) < 4

    process = begin()
    wait_for_runs(folder, len(first) + 1)
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL

    out, err = begin().communicate(timeout=PATIENCE)
    assert "goes on" in err
    assert len(runs_in(folder)) == 4
    assert all(path.read_bytes() == content for path, content in first.items())
    results = json.loads((folder / "results.json").read_text())
    assert results["missing"] == 0
    assert [len(line["done"]) for line in results["lines"]] == [2, 2]
    assert not list(folder.glob("runs/*.err"))


def test_a_cell_that_explodes_does_not_stop_the_others(noria, book, tmp_path):
    cell = tmp_path / "explodes.eq"
    cell.write_text("h' = exp(3 + U @ h + W @ x) * exp(h) + b\n", encoding="utf-8")
    words = ["compare", book, "--cells", f"{cell},rnn", "--seeds", 1, "--steps", 2, *SMALL]
    said = noria(*words, "--out", tmp_path / "study")
    assert said.code == 0, said.err
    assert "explodes · seed 0 · diverged: Step 1" in said.err
    assert "0/1" in said.out
    assert "1/1" in said.out
    results = json.loads((tmp_path / "study" / "results.json").read_text())
    assert [(line["done"], line["diverged"]) for line in results["lines"]] == [([], [0]), ([0], [])]
    assert set(results["samples"]) == {"rnn"}
    assert len(results["lines"][1]["gradient"]["norm"]) > 50
    assert "explodes, seed 0: Step 1" in results["messages"][0]
