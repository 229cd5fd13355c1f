import errno
import json
import os

import numpy as np
import pytest

import noria
from noria.errors import RunError
from noria.training import files
from noria.training.run_folder import RunFolder

CELL = '# a comment, with "quotes" and \\ backslash\nh\' = tanh(W @ x + U @ h + b)\n'


def arrays():
    rng = np.random.default_rng(4)
    return {
        "b": rng.standard_normal((3, 4)).astype(np.float32),
        "a.W": rng.standard_normal((5, 2)).T,
        "count": np.array(7, dtype=np.int64),
    }


def test_config_is_written_and_read_back(tmp_path):
    run = RunFolder.create(
        tmp_path / "mine",
        task="text",
        config={"options": {"lr": 0.5, "activation": None}, "cells": {"mine": CELL}},
    )
    again = RunFolder.open(tmp_path / "mine")
    assert again.config == run.config
    assert again.config == {
        "format": 1,
        "noria": noria.__version__,
        "task": "text",
        "options": {"lr": 0.5},
        "cells": {"mine": CELL},
    }


def test_config_tables_are_merged(tmp_path):
    run = RunFolder.create(tmp_path / "mine", config={"run": {"minutes": 2.0}})
    run.update_config({"run": {"steps": 30}, "more": 1})
    assert RunFolder.open(run.path).config["run"] == {"minutes": 2.0, "steps": 30}
    assert RunFolder.open(run.path).config["more"] == 1


def test_default_names_count_up(tmp_path):
    root = tmp_path / "runs"
    names = [RunFolder.create(task="text", cell="lstm", root=root).path.name for _ in range(2)]
    RunFolder.create(task="text", cell="gru", root=root)
    (root / "text-lstm-0009").mkdir()
    names.append(RunFolder.create(task="text", cell="lstm", root=root).path.name)
    assert names == ["text-lstm-0001", "text-lstm-0002", "text-lstm-0010"]
    assert (root / "text-gru-0001" / "config.toml").is_file()


def test_default_name_stays_inside_the_root(tmp_path):
    run = RunFolder.create(task="text", cell="cells/my own.eq", root=tmp_path)
    assert run.path == tmp_path / "text-cells_my_own.eq-0001"


def test_default_root_is_runs_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    RunFolder.create(task="text", cell="rnn")
    assert (tmp_path / "runs" / "text-rnn-0001" / "config.toml").is_file()


def test_what_a_run_left_that_was_killed_in_its_first_instant_is_nothing(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".config.toml.4711.new").write_text("format", encoding="utf-8")
    run = RunFolder.create(folder)
    assert RunFolder.open(folder).config == run.config
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.new").touch()
    with pytest.raises(RunError, match="never writes over"):
        RunFolder.create(other)


def test_name_taken_at_the_same_moment_is_passed_over(tmp_path, monkeypatch):
    from noria.training import run_folder

    free = iter([tmp_path / "text-rnn-0001", tmp_path / "text-rnn-0002"])
    (tmp_path / "text-rnn-0001").mkdir()
    monkeypatch.setattr(run_folder, "_next_path", lambda root, name: next(free))
    assert RunFolder.create(task="text", cell="rnn", root=tmp_path).path.name == "text-rnn-0002"


def test_old_run_is_never_written_over(tmp_path):
    RunFolder.create(tmp_path / "mine", task="text", cell="lstm")
    before = (tmp_path / "mine" / "config.toml").read_bytes()
    with pytest.raises(RunError) as caught:
        RunFolder.create(tmp_path / "mine", task="other", cell="lstm", root=tmp_path / "runs")
    assert "already there" in str(caught.value)
    assert "other-lstm-0001" in str(caught.value)
    assert (tmp_path / "mine" / "config.toml").read_bytes() == before


def test_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "mine").write_text("a letter")
    with pytest.raises(RunError, match="already there"):
        RunFolder.create(tmp_path / "mine")
    with pytest.raises(RunError, match=r"mine.*cannot be made: Not a directory"):
        RunFolder.create(tmp_path / "mine" / "inside")


def test_empty_folder_may_be_used(tmp_path):
    (tmp_path / "mine").mkdir()
    assert RunFolder.create(tmp_path / "mine", task="text").config["task"] == "text"


def test_arrays_come_back_equal_and_the_bytes_are_always_the_same(tmp_path):
    first = RunFolder.create(tmp_path / "first")
    second = RunFolder.create(tmp_path / "second")
    first.write_arrays("best", arrays(), step=3, validation={"loss": 0.1})
    second.write_arrays("best", dict(reversed(arrays().items())), validation={"loss": 0.1}, step=3)
    read = first.read_arrays("best")
    assert set(read) == set(arrays())
    for name, array in arrays().items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype
        assert read[name].shape == array.shape
    assert (first.path / "best.safetensors").read_bytes() == (second.path / "best.safetensors").read_bytes()


def test_weights_are_the_best_or_else_the_last(tmp_path):
    run = RunFolder.create(tmp_path / "mine")
    with pytest.raises(RunError, match=r"best\.safetensors: the file is missing"):
        run.read_weights()
    run.write_arrays("last", {"weights/a.W": np.ones(3), "optimiser/mean": np.zeros(3)})
    assert list(run.read_weights()) == ["a.W"]
    run.write_arrays("best", {"a.W": np.full(3, 2.0)})
    np.testing.assert_array_equal(run.read_weights()["a.W"], [2.0, 2.0, 2.0])


def test_json_files_and_the_report(tmp_path):
    run = RunFolder.create(tmp_path / "mine")
    run.write_json("vocab.json", {"symbols": ["ñ", "\n", "👩‍🚀"]})
    assert run.read_json("vocab.json") == {"symbols": ["ñ", "\n", "👩‍🚀"]}
    run.update_report({"steps": 3, "test": {"loss": np.float32(0.5)}})
    run.update_report({"baseline": float("inf")})
    assert run.read_json("report.json") == {"steps": 3, "test": {"loss": 0.5}, "baseline": None}


def test_nothing_there(tmp_path):
    RunFolder.create(tmp_path / "text-gru-0001")
    with pytest.raises(RunError, match="there is no such run") as caught:
        RunFolder.open(tmp_path / "text-gru-0002")
    assert "text-gru-0001" in str(caught.value)


def test_folder_that_is_not_a_run(tmp_path):
    with pytest.raises(RunError, match=r"is not a run: it has no config\.toml"):
        RunFolder.open(tmp_path)


@pytest.mark.parametrize("content", [b"format = ", b"format = 1\n\xff", b"[run"])
def test_damaged_config(tmp_path, content):
    (tmp_path / "config.toml").write_bytes(content)
    with pytest.raises(RunError, match=r"config\.toml: the file is damaged"):
        RunFolder.open(tmp_path)


@pytest.mark.parametrize("content", ["[project]\nname = 'other'", "format = 'one'", "format = 0"])
def test_config_of_something_else(tmp_path, content):
    (tmp_path / "config.toml").write_text(content)
    with pytest.raises(RunError, match="not the config of a run"):
        RunFolder.open(tmp_path)


def test_newer_format(tmp_path):
    (tmp_path / "config.toml").write_text('format = 2\nnoria = "7.5"\n')
    with pytest.raises(RunError, match=r"made by Noria 7\.5 with format 2; .* reads up to 1.\n.*Upgrade"):
        RunFolder.open(tmp_path)


@pytest.mark.parametrize("keep", [0, 4, 40, -1])
def test_truncated_weights(tmp_path, keep):
    run = RunFolder.create(tmp_path / "mine")
    run.write_arrays("best", arrays())
    file = run.path / "best.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(RunError, match=r"best\.safetensors: the file is damaged"):
        run.read_weights()


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff"])
def test_damaged_json(tmp_path, content):
    run = RunFolder.create(tmp_path / "mine")
    (run.path / "vocab.json").write_bytes(content)
    with pytest.raises(RunError, match=r"vocab\.json: the file is damaged"):
        run.read_json("vocab.json")


def full_disk(*arguments, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_full_disk_keeps_the_old_file_and_leaves_no_half_one(tmp_path, monkeypatch, failing):
    run = RunFolder.create(tmp_path / "mine")
    run.write_arrays("last", {"weights/a": np.ones(3)})
    run.write_json("report.json", {"steps": 1})
    before = {file.name: file.read_bytes() for file in run.path.iterdir()}
    monkeypatch.setattr(files.os, failing, full_disk)
    with pytest.raises(RunError, match=r"last\.safetensors: cannot be written: No space left on device"):
        run.write_arrays("last", {"weights/a": np.zeros(3)})
    with pytest.raises(RunError, match=r"report\.json: cannot be written"):
        run.update_report({"steps": 2})
    with pytest.raises(RunError, match=r"config\.toml: cannot be written"):
        run.update_config({"steps": 2})
    assert {file.name: file.read_bytes() for file in run.path.iterdir()} == before
    assert "steps" not in run.config


def test_full_disk_at_the_start_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "fsync", full_disk)
    with pytest.raises(RunError, match="No space left"):
        RunFolder.create(tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


def test_killed_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    run = RunFolder.create(tmp_path / "mine")
    run.write_json("report.json", {"steps": 1})

    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        run.write_json("report.json", {"steps": 2})
    assert sorted(file.name for file in run.path.iterdir()) == ["config.toml", "report.json"]
    assert json.loads((run.path / "report.json").read_text()) == {"steps": 1}


def test_error_is_an_os_error_too(tmp_path):
    with pytest.raises(OSError, match="no such run"):
        RunFolder.open(tmp_path / "nowhere")


def test_old_words_are_said_where_there_was_something(tmp_path, monkeypatch):
    run = RunFolder.create(tmp_path / "mine")
    monkeypatch.setattr(files.os, "fsync", full_disk)
    with pytest.raises(RunError) as new:
        run.write_json("report.json", {})
    with pytest.raises(RunError) as old:
        run.update_config({"steps": 2})
    assert "untouched" not in str(new.value)
    assert "What was there before is untouched. Make room" in str(old.value)


def test_folders_that_were_made_for_a_run_that_failed_are_removed_and_no_others(tmp_path, monkeypatch):
    (tmp_path / "old").mkdir()
    monkeypatch.setattr(files.os, "replace", full_disk)
    for make in (
        lambda: RunFolder.create(tmp_path / "old" / "a" / "b" / "mine"),
        lambda: RunFolder.create(tmp_path / "old"),
        lambda: RunFolder.create(task="text", root=tmp_path / "old" / "runs" / "deep"),
    ):
        with pytest.raises(RunError, match="No space left"):
            make()
        assert [path.name for path in tmp_path.rglob("*")] == ["old"]


def test_a_folder_that_cannot_be_made_leaves_no_parents(tmp_path):
    with pytest.raises(RunError, match="cannot be made: File name too long"):
        RunFolder.create(tmp_path / "a" / "b" / ("x" * 400))
    assert list(tmp_path.iterdir()) == []


def test_what_fails_in_a_complete_run_stays_and_what_others_wrote_always(tmp_path):
    run = RunFolder.create(tmp_path / "a" / "mine")
    (run.path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="no"), run.complete_or_removed():
        raise ValueError("no")
    assert [path.name for path in run.path.iterdir()] == ["notes.txt"]
    run = RunFolder.create(tmp_path / "b")
    run.is_complete()
    with pytest.raises(ValueError, match="no"), run.complete_or_removed():
        raise ValueError("no")
    assert (run.path / "config.toml").exists()


def test_a_failing_clean_up_does_not_hide_the_error(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "replace", full_disk)
    monkeypatch.setattr("pathlib.Path.rmdir", full_disk)
    with pytest.raises(RunError, match=r"config\.toml: cannot be written: No space left"):
        RunFolder.create(tmp_path / "mine")
