"""``noria compare`` stopped by Ctrl-C, killed, and gone on with; a cell that explodes beside others."""

import json
import signal
import subprocess
import sys
import time

import pytest

TWO = ["--cells", "rnn,gru", "--seeds", "2", "--steps", "4"]
ENDLESS = ["--cells", "rnn", "--seeds", "2", "--steps", "1000000", "--grid", "stop_after=2,0"]
"""Of the two runs of each seed the first ends by itself, and the second does not."""
SMALL = [
    *("--hidden-size", "4", "--batch-size", "2", "--seq-length", "8", "--eval-every", "2"),
    *("--sample-length", "0", "--engine", "reference"),
]
PATIENCE = 120  # seconds, on a machine that has much else to do


@pytest.fixture
def begun(book, tmp_path):
    """Begin a study of two variants and two seeds; it is ended with the test."""
    started = []

    def begin(of=TWO):
        words = ["compare", str(book), *of, *SMALL]
        process = subprocess.Popen(
            [sys.executable, "-m", "noria", *words, "--out", str(tmp_path / "study"), "--processes", "1"],
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


def table_in(folder):
    results = json.loads((folder / "results.json").read_text())
    assert results["missing"] == 0
    assert [len(line["done"]) for line in results["lines"]] == [2, 2]
    return [(line["name"], line["by_seed"]) for line in results["lines"]]


def wait_for_runs(folder, count):
    until = time.monotonic() + PATIENCE
    while len(runs_in(folder)) < count:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_study_that_is_stopped_before_anything_has_ended_says_how_to_go_on(begun):
    begin, folder = begun
    process = begin(["--cells", "rnn", "--seeds", "2", "--steps", "1000000"])
    until = time.monotonic() + PATIENCE
    while not (folder / "study.json").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    time.sleep(0.5)  # the signal is to find it waiting for its runs; found earlier it ends all the same
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert not runs_in(folder)
    assert not (folder / "report.html").exists()


def test_a_study_that_is_stopped_or_killed_keeps_what_has_ended(begun):
    begin, folder = begun
    process = begin(ENDLESS)
    wait_for_runs(folder, 1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert "3 runs have not ended" in out
    assert "Next    noria compare" in err
    (first,) = runs_in(folder)
    content = first.read_bytes()

    process = begin(ENDLESS)
    assert any("goes on: 1 runs have ended" in line for line in process.stderr)
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL
    assert runs_in(folder) == [first]
    assert first.read_bytes() == content


def test_a_study_goes_on_with_the_runs_that_are_missing(begun):
    begin, folder = begun
    _, err = begin().communicate(timeout=PATIENCE)
    assert "goes on: " not in err
    kept, *others = runs_in(folder)
    assert len(others) == 3
    content, before = kept.read_bytes(), table_in(folder)
    for file in others:
        file.unlink()
    _, err = begin().communicate(timeout=PATIENCE)
    assert "goes on: 1 runs have ended" in err
    assert kept.read_bytes() == content
    assert table_in(folder) == before
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
