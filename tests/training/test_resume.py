"""A run that was cut off, wherever it was, and gone on with ends as if nothing had happened."""

import json
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from quadratic_task import QuadraticTask

from noria.engines.threads import use_threads
from noria.errors import DivergenceError, RunError
from noria.models.text.options import TextTrainingOptions
from noria.training.files import write_arrays
from noria.training.log import rewind
from noria.training.report import Interrupted, Resumed, Started
from noria.training.run_folder import RunFolder
from noria.training.trainer import Trainer

STEPS = 23
GIVEN = {
    "optimizer": "adam",
    "lr": 0.3,
    "warmup": 4,
    "grad_clip": 1.0,
    "eval_every": 5,
    "sample_every": 10,
    "save_every": 3,
    "seed": 4,
}
VARIANTS = {
    "adam": {},
    "ema": {"averaging": "ema", "averaging_decay": 0.7},
    "nt-asgd": {"averaging": "nt-asgd", "averaging_patience": 1, "optimizer": "sgd"},
    "plateau": {"schedule": "plateau", "lr_patience": 1, "optimizer": "rmsprop"},
    "accumulated": {"accumulate": 3},
}


def bumpy(task, part, loss):
    """Losses that go up and down by the weights alone, so that the best are not the last."""
    return loss + 3.0 * np.sin(40.0 * float(task.parameters.values.sum()))


def trainer(path, *, create=False, listener=lambda event: None, **changed):
    on_step = changed.pop("on_step", None)
    run = RunFolder.create(path, task="quadratic") if create else RunFolder.open(path)
    task = QuadraticTask(noise=0.3, dtype=np.float32, on_step=on_step, on_evaluate=bumpy)
    return Trainer(task, TextTrainingOptions(**{**GIVEN, **changed}), run, listener)


def press_in(sitting):
    """Ctrl-C in the batch that is the so many-th of this sitting."""

    def on_step(task, step):
        if len(task.steps_seen) == sitting:
            signal.raise_signal(signal.SIGINT)

    return on_step


def told(path):
    """The log without what depends on the clock."""
    timed = {"seconds", "seconds_left", "tokens_per_second"}
    lines = [json.loads(line) for line in (path / "log.jsonl").read_text().splitlines()]
    for line in lines:
        line.get("result", {}).pop("seconds", None)
        # It counts calls, and a sitting that was interrupted has made one more.
        for figures in (line.get("metrics"), *map(line.get("result", {}).get, ("validation", "test"))):
            if figures:
                figures.pop("count", None)
    return [{key: value for key, value in line.items() if key not in timed} for line in lines]


def contents(path):
    """Every file, byte by byte."""
    return {file.name: file.read_bytes() for file in path.iterdir()}


def state(path):
    arrays = {which: RunFolder.open(path).read_arrays(which) for which in ("best", "last")}
    return {
        f"{which}/{name}": (array.dtype, array.shape, array.tobytes())
        for which, named in arrays.items()
        for name, array in named.items()
    }


@pytest.fixture(scope="module", params=VARIANTS)
def whole(request, tmp_path_factory):
    """An uninterrupted run, and the options that it was made with."""
    path = tmp_path_factory.mktemp("whole") / "run"
    trainer(path, create=True, **VARIANTS[request.param]).fit(steps=STEPS)
    return path, VARIANTS[request.param]


def test_interrupted_after_any_step_it_ends_in_the_same_bytes(whole, tmp_path):
    reference, changed = whole
    calls = (STEPS - 1) * changed.get("accumulate", 1)
    for at in range(1, calls + 1, 5 if changed else 1):
        path = tmp_path / f"run{at}"
        first = trainer(path, create=True, on_step=press_in(at), **changed).fit(steps=STEPS)
        assert first.interrupted
        second = trainer(path, **changed).resume()
        assert (second.steps, second.interrupted) == (STEPS, False)
        assert state(path) == state(reference), at
        assert told(path) == told(reference), at


def test_interrupted_again_and_again(whole, tmp_path):
    reference, changed = whole
    path = tmp_path / "run"
    result = trainer(path, create=True, on_step=press_in(2), **changed).fit(steps=STEPS)
    sittings = 1
    while result.interrupted:
        result = trainer(path, on_step=press_in(2), **changed).resume()
        sittings += 1
    assert sittings > 5
    assert (state(path), told(path)) == (state(reference), told(reference))


@pytest.mark.parametrize("variant", ["adam", "ema"])
def test_cut_off_between_any_two_writes(tmp_path, monkeypatch, variant):
    """After each file that a run writes, as a kill would find the folder, it is copied and gone on with."""
    reference, changed = tmp_path / "whole", VARIANTS[variant]
    trainer(reference, create=True, **changed).fit(steps=STEPS)
    path, copies = tmp_path / "run", []

    def write(file, arrays, note):
        write_arrays(file, arrays, note)
        copies.append(tmp_path / f"copy{len(copies)}")
        shutil.copytree(path, copies[-1])

    monkeypatch.setattr("noria.training.run_folder.write_arrays", write)
    trainer(path, create=True, **changed).fit(steps=STEPS)
    monkeypatch.undo()
    assert len(copies) > 12
    for copy in copies[1:]:
        trainer(copy, **changed).resume()
        assert state(copy) == state(reference)
        assert told(copy) == told(reference)
    # The first copy was made before there was a plan, and before anything was asked for.
    trainer(copies[0], **changed).resume(steps=STEPS)
    assert (state(copies[0]), told(copies[0])) == (state(reference), told(reference))


PROGRAM = """
import sys
import numpy as np
from noria.models.text.options import TextTrainingOptions
from noria.training.run_folder import RunFolder
from noria.training.trainer import Trainer
from test_resume import GIVEN, bumpy
from quadratic_task import QuadraticTask

def main(path, steps, verb):
    options = TextTrainingOptions(**{**GIVEN, "save_every": 7})
    run = RunFolder.create(path, task="quadratic") if verb == "fit" else RunFolder.open(path)
    trainer = Trainer(QuadraticTask(noise=0.3, dtype=np.float32, on_evaluate=bumpy), options, run)
    trainer.fit(steps=steps) if verb == "fit" else trainer.resume()

main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
"""


def start(path, steps, verb):
    command = [sys.executable, "-c", PROGRAM, str(path), str(steps), verb]
    return subprocess.Popen(command)


def kill_and_go_on(path, steps, delays):
    """Kill the run after each delay, counted from its first line in the log; then let it come to its end."""
    verb = "fit"
    for delay in delays:
        process = start(path, steps, verb)
        before = (path / "log.jsonl").stat().st_mtime_ns if verb == "resume" else None
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            log = path / "log.jsonl"
            if log.exists() and log.stat().st_mtime_ns != before and log.stat().st_size:
                break
            time.sleep(0.005)
        time.sleep(delay)
        process.kill()
        process.wait()
        verb = "resume"
    assert start(path, steps, "resume").wait(60) == 0


def test_killed_at_random_instants(tmp_path):
    reference, path = tmp_path / "whole", tmp_path / "run"
    assert start(reference, 600, "fit").wait(60) == 0
    kill_and_go_on(path, 600, np.random.default_rng(11).uniform(0.0, 0.12, 5))
    assert (state(path), told(path)) == (state(reference), told(reference))


def test_an_evaluation_outside_the_plan_leaves_the_best_of_the_plan_alone(tmp_path, monkeypatch):
    """Ctrl-C evaluates where the plan does not; better weights found there are no part of the run."""
    path = tmp_path / "run"
    losses = {5: 4.0, 10: 3.0, 12: 1.0, 15: 3.5, 20: 2.8, 23: 2.9}

    def fit(verb, on_step=None):
        def on_evaluate(task, part, loss):
            return losses[int(task.counter[0])] if part == "validation" else loss

        run = RunFolder.create(path) if verb == "fit" else RunFolder.open(path)
        task = QuadraticTask(on_step=on_step, on_evaluate=on_evaluate)
        made = Trainer(task, TextTrainingOptions(**GIVEN), run)
        return made.fit(steps=STEPS) if verb == "fit" else made.resume()

    first = fit("fit", press_in(12))
    assert (first.best_step, first.validation["loss"]) == (12, 1.0)
    assert RunFolder.open(path).read_note("best")["step"] == 12
    assert "best/first.low" in RunFolder.open(path).read_arrays("last")

    def killed(task, step):
        if step == 17:
            raise RuntimeError("killed")

    order = []

    def write(file, arrays, note):
        order.append(file.name)
        write_arrays(file, arrays, note)

    monkeypatch.setattr("noria.training.run_folder.write_arrays", write)
    with pytest.raises(RuntimeError, match="killed"):
        fit("resume", killed)
    assert order[0] == "best.safetensors", "before the only other copy of these weights is written over"
    assert RunFolder.open(path).read_note("best")["step"] == 10
    second = fit("resume")
    assert (second.best_step, second.validation["loss"]) == (20, 2.8)
    assert "best/first.low" not in RunFolder.open(path).read_arrays("last")


def test_events_of_a_run_that_is_gone_on_with(tmp_path):
    path, heard = tmp_path / "run", []
    trainer(path, create=True, on_step=press_in(7)).fit(steps=STEPS)
    trainer(path, listener=heard.append).resume()
    assert not [event for event in heard if isinstance(event, (Started, Interrupted))]
    first = heard[0]
    assert isinstance(first, Resumed)
    assert (first.step, first.steps, first.planned) == (7, STEPS, STEPS)
    assert first.lr == first.lr_before == pytest.approx(heard[1].lr)


def test_a_finished_run_is_extended_and_says_what_that_does_to_its_rate(tmp_path):
    path, heard = tmp_path / "run", []
    trainer(path, create=True).fit(steps=STEPS)
    done = state(path)
    result = trainer(path, listener=heard.append).resume(steps=2 * STEPS)
    assert (result.steps, result.planned) == (2 * STEPS, 2 * STEPS)
    assert (heard[0].planned, heard[0].steps) == (STEPS, 2 * STEPS)
    assert heard[0].lr_before == pytest.approx(0.05 * 0.3), "the cosine of the first run has come to its end"
    assert heard[0].lr > 8 * heard[0].lr_before, "and begins its way down anew, from where a longer one is"
    assert state(path) != done
    events = [line["event"] for line in told(path)]
    assert (events.count("Started"), events.count("Resumed"), events.count("Finished")) == (1, 1, 1)
    assert events.count("StepDone") == 2 * STEPS


def test_an_extended_run_that_is_interrupted_is_gone_on_with_too(tmp_path):
    reference, path = tmp_path / "whole", tmp_path / "run"
    trainer(reference, create=True).fit(steps=STEPS)
    shutil.copytree(reference, path)
    trainer(reference).resume(steps=2 * STEPS)
    for at in (1, 8):
        shutil.rmtree(path)
        trainer(path, create=True).fit(steps=STEPS)
        trainer(path, on_step=press_in(at)).resume(steps=2 * STEPS)
        trainer(path).resume()
        assert (state(path), told(path)) == (state(reference), told(reference))


def test_minutes_count_from_now_and_steps_from_the_start(tmp_path):
    path = tmp_path / "run"
    trainer(path, create=True).fit(steps=STEPS)
    assert trainer(path).resume(minutes=0.02).steps > STEPS
    before = contents(path)
    with pytest.raises(RunError, match=r"has made \d[\d,]* steps, and the budget is 7\.\n.*count from"):
        trainer(path).resume(steps=7)
    assert contents(path) == before


def better_later(task, part, loss):
    """Losses of which the lowest is found at step 12, where only an interruption evaluates."""
    return abs(int(task.counter[0]) - 12.0) if part == "validation" else loss


def test_what_is_refused_leaves_the_run_alone(tmp_path):
    path = tmp_path / "run"
    run = RunFolder.create(path, task="quadratic")
    task = QuadraticTask(on_step=press_in(12), on_evaluate=better_later)
    first = Trainer(task, TextTrainingOptions(**GIVEN), run).fit(steps=STEPS)
    assert (first.steps, first.best_step) == (12, 12)
    assert "best/first.low" in run.read_arrays("last"), "of step 10, which is the best of the plan"
    before = contents(path)
    with pytest.raises(RunError, match=r"the budget is 12\."):
        trainer(path).resume(steps=12)
    assert contents(path) == before

    def broken(task, step):
        raise ValueError("no data")

    with pytest.raises(ValueError, match="no data"):  # while steps are timed
        trainer(path, on_step=broken).resume(minutes=1)
    assert contents(path) == before


def test_ctrl_c_while_steps_are_timed_keeps_the_plan(tmp_path):
    path = tmp_path / "run"
    trainer(path, create=True, on_step=press_in(7)).fit(steps=STEPS)
    result = trainer(path, on_step=press_in(2)).resume(minutes=1)
    assert (result.steps, result.planned, result.stopped) == (7, STEPS, "interrupt")
    assert RunFolder.open(path).read_json("report.json")["planned"] == STEPS
    assert trainer(path).resume().steps == STEPS


def test_stopping_at_once_where_the_weights_are_spoilt_says_so(tmp_path):
    path = tmp_path / "run"
    trainer(path, create=True, on_step=press_in(7)).fit(steps=STEPS)
    task = QuadraticTask(on_evaluate=lambda task, part, loss: np.nan)
    spoilt = Trainer(task, TextTrainingOptions(**GIVEN, stop_after=7), RunFolder.open(path))
    with pytest.raises(DivergenceError, match="Step 7: the validation loss is not finite"):
        spoilt.resume()


def test_an_average_of_an_extended_run_is_not_that_of_its_first_part(tmp_path):
    path, evaluated = tmp_path / "run", []
    asgd = {**GIVEN, "averaging": "asgd", "averaging_start": 0.5}

    def on_evaluate(task, part, loss):
        evaluated.append(loss)
        return loss

    def of(run):
        task = QuadraticTask(noise=0.3, on_evaluate=on_evaluate)
        return Trainer(task, TextTrainingOptions(**asgd), run)

    of(RunFolder.create(path, task="quadratic")).fit(steps=20)
    evaluated.clear()
    of(RunFolder.open(path)).resume(steps=200)
    assert len(set(evaluated[:16])) == 16, "evaluations of an average that stands still"


def test_halves_of_a_killed_process_are_cleared_away(tmp_path):
    path = tmp_path / "run"
    trainer(path, create=True, on_step=press_in(7)).fit(steps=STEPS)
    (path / ".last.safetensors.4711.new").write_bytes(b"half")
    trainer(path).resume()
    assert not list(path.glob(".*"))


def test_two_cannot_train_in_one_folder(tmp_path):
    path, refused = tmp_path / "run", []
    trainer(path, create=True, on_step=press_in(7)).fit(steps=STEPS)

    def on_step(task, step):
        if step == 9:
            with pytest.raises(RunError, match="run: is being trained just now"):
                trainer(path).resume()
            refused.append(step)

    assert trainer(path, on_step=on_step).resume().steps == STEPS
    assert refused == [9]


def test_another_number_of_threads_is_told(tmp_path):
    path, heard = tmp_path / "run", []
    with use_threads(1):
        trainer(path, create=True, on_step=press_in(7)).fit(steps=STEPS)
    assert RunFolder.open(path).config["run"]["threads"] == 1
    with use_threads(2):
        trainer(path, listener=heard.append).resume(steps=2 * STEPS)
    assert (heard[0].threads_before, heard[0].threads) == (1, 2)
    assert RunFolder.open(path).config["run"]["threads"] == 1


def test_going_on_with_other_sizes_or_another_optimiser_is_refused(tmp_path):
    path = tmp_path / "run"
    trainer(path, create=True, on_step=press_in(7)).fit(steps=STEPS)
    with pytest.raises(RunError, match=r"last\.safetensors: does not belong to config\.toml.*slots|state"):
        trainer(path, optimizer="adagrad").resume()
    with pytest.raises(RunError, match="no run folder"):
        Trainer(QuadraticTask(), TextTrainingOptions()).resume()


def test_best_weights_of_another_run_are_noticed(tmp_path):
    path = tmp_path / "run"
    trainer(path, create=True, on_step=press_in(13)).fit(steps=STEPS)
    run = RunFolder.open(path)
    last = {name: array for name, array in run.read_arrays("last").items() if not name.startswith("best/")}
    run.write_arrays("last", last, **run.read_note("last"))
    run.write_arrays("best", run.read_arrays("best"), step=2)
    with pytest.raises(RunError, match="is not that of step"):
        trainer(path).resume()


def cut_back(log, step):
    rewound = rewind(log, step)
    rewound.write()
    return rewound.seconds


def test_log_is_cut_back_to_whole_lines_of_steps_that_are_done(tmp_path):
    log = tmp_path / "log.jsonl"
    assert cut_back(log, 3) == 0.0
    lines = [
        {"event": "Started", "steps": 9},
        {"event": "StepDone", "step": 3, "seconds": 1.5},
        {"event": "Interrupted", "step": 3},
        {"event": "Evaluated", "step": 3},
        {"event": "Finished", "result": {}},
        {"event": "StepDone", "step": 4, "seconds": 2.5},
        {"event": "Evaluated", "step": 4},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    log.write_text(text + '{"event": "StepDone", "st')
    assert rewind(log, 4).seconds == 2.5
    assert log.read_text().endswith('"st'), "nothing is cut off before it is written"
    assert cut_back(log, 4) == 2.5
    assert [json.loads(line) for line in log.read_text().splitlines()] == [lines[0], lines[1], *lines[5:]]
    assert cut_back(log, 3) == 1.5
    assert [json.loads(line) for line in log.read_text().splitlines()] == lines[:2]
    cut_back(log, 0)
    assert log.read_text() == ""
