import errno
import json
import os
from io import FileIO

import numpy as np
import pytest

from noria.errors import RunError
from noria.training.log import LogWriter
from noria.training.report import Evaluated, Finished, Result, Sampled, Started, StepDone, all_of, as_json


def started(steps):
    return Started(
        task="t", steps=steps, eval_every=2, steps_per_epoch=3, parameters=4, lr=0.5, calibrated=False
    )


def done(step, steps):
    return StepDone(
        step=step, steps=steps, epoch=0.5, loss=1.5, batch_loss=1.25, gradient_norm=0.5, clipped_share=0.0,
        lr=0.1, tokens=7, tokens_per_second=3.0, seconds=1.0, seconds_left=2.0,
    )  # fmt: skip


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_event_is_one_line_of_json():
    assert json.loads(as_json(Sampled(3, "ñ\n\u2028"))) == {
        "event": "Sampled",
        "step": 3,
        "text": "ñ\n\u2028",
    }
    assert "\n" not in as_json(Sampled(3, "a\nb"))
    event = Evaluated(2, 0.5, 1.0, {"loss": float("nan"), "accuracy": float(np.float32(0.5))}, False, 1, 0.25)
    assert json.loads(as_json(event))["metrics"] == {"loss": None, "accuracy": 0.5}


def test_result_inside_finished_is_nested():
    result = Result(
        steps=3, best_step=2, validation={"loss": 1.0}, test={}, tokens=5, seconds=0.5, clipped_steps=1
    )
    assert json.loads(as_json(Finished(result)))["result"]["validation"] == {"loss": 1.0}


def test_each_line_is_there_at_once(tmp_path):
    path = tmp_path / "log.jsonl"
    with LogWriter(path) as log:
        assert not path.exists()
        for count, event in enumerate([started(2), done(1, 2), done(2, 2)], 1):
            log(event)
            assert len(lines(path)) == count


def test_long_runs_are_thinned_but_not_their_evaluations(tmp_path):
    path = tmp_path / "log.jsonl"
    with LogWriter(path) as log:
        log(started(2007))
        for step in range(1, 2008):
            log(done(step, 2007))
        log(Sampled(2007, "x"))
    steps = [line["step"] for line in lines(path) if line["event"] == "StepDone"]
    assert steps == [*range(2, 2007, 2), 2007]
    assert lines(path)[-1]["event"] == "Sampled"


def test_lines_are_added_to_those_of_before(tmp_path):
    path = tmp_path / "log.jsonl"
    for text in ("one", "two"):
        with LogWriter(path) as log:
            log(Sampled(1, text))
    assert [line["text"] for line in lines(path)] == ["one", "two"]


def test_full_disk_is_an_error_and_leaves_whole_lines(tmp_path):
    path = tmp_path / "log.jsonl"
    with LogWriter(path) as log:
        log(Sampled(1, "kept"))

        class Full(FileIO):
            """A file with room for five more bytes."""

            def write(self, line):
                super().write(line[:5])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        real = log._file
        log._file = Full(path, "ab")
        with pytest.raises(RunError, match=r"log\.jsonl: the log cannot be written: No space left"):
            log(Sampled(2, "lost"))
        log._file.close()
        log._file = real
    assert [line["text"] for line in lines(path)] == ["kept"]


def test_log_in_no_folder(tmp_path):
    with LogWriter(tmp_path / "nowhere" / "log.jsonl") as log, pytest.raises(RunError, match="No such file"):
        log(Sampled(1, "x"))


def test_several_listeners_in_order():
    heard = []
    tell = all_of(lambda event: heard.append(("first", event)), lambda event: heard.append(("second", event)))
    event = Sampled(1, "x")
    tell(event)
    assert heard == [("first", event), ("second", event)]
