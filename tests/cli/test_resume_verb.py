"""``noria train --resume``, ``--init-from``, ``--tensorboard`` and ``noria cite``."""

import json
import shutil
import sys
import types
from pathlib import Path

import pytest

from cli_commands import SMALL, Command
from noria.models import LanguageModel
from noria.training.loop import Loop
from noria.training.run_folder import RunFolder

FILES = ("best.safetensors", "last.safetensors")


@pytest.fixture
def cut(noria: Command, book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of 9 planned steps that was cut off after 5 of them."""
    take_step = Loop._take_step

    def cut_off(self: Loop, step: int, plan: object) -> None:
        if step == 5:
            raise KeyboardInterrupt
        take_step(self, step, plan)  # type: ignore[arg-type]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Loop, "_take_step", cut_off)
    words = ("--steps", 9, "--eval-every", 3, "--save-every", 1, "--out", "cut", *SMALL)
    assert noria("train", book, *words).code == 130
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cut"


def test_it_is_gone_on_with_by_its_folder_alone(noria: Command, cut: Path, book: Path):
    said = noria("train", "--resume", cut)
    assert said.code == 0
    assert f"Text    {book} · UTF-8" in said.err
    assert "Plan    going on after step 5 of 9, as planned" in said.err
    assert noria("train", book, "--steps", 9, "--eval-every", 3, "--out", "whole", *SMALL).code == 0
    for name in FILES:
        assert (cut / name).read_bytes() == (cut.parent / "whole" / name).read_bytes()
    again = noria("train", "--resume", cut)
    assert again.code == 1
    assert f"error: {cut}: is finished, all of its 9 steps are made.\n" in again.err


def test_more_steps_are_said_to_stretch_the_schedule(noria: Command, cut: Path):
    said = noria("train", "--resume", cut, "--steps", 20)
    assert said.code == 0
    assert "Plan    going on after step 5 of 20; 9 steps were planned\n" in said.err
    assert "the schedule goes on as that of a run of 20 steps: learning rate " in said.err
    assert RunFolder.open(cut).read_json("report.json")["steps"] == 20


def test_another_plan_is_told_to_the_quiet_as_well(noria: Command, cut: Path):
    said = noria("train", "--resume", cut, "--steps", 12, "--quiet")
    assert "Plan    going on after step 5 of 12; 9 steps were planned\n" in said.err
    assert "|grad|" not in said.err


def test_text_that_moved_is_named_and_another_refused(noria: Command, cut: Path, book: Path, tmp_path: Path):
    moved = tmp_path / "moved.txt"
    shutil.copy(book, moved)
    text = moved.read_text(encoding="utf-8")
    other = tmp_path / "other.txt"
    other.write_text(text.replace("mill", "milk"), encoding="utf-8")
    said = noria("train", "text", other, "--resume", cut)
    assert said.code == 1
    assert f"error: {cut}: was made with other data:\n" in said.err
    assert "Traceback" not in said.err
    assert noria("train", "text", moved, "--resume", cut).code == 0


def test_a_text_that_is_gone_is_asked_for(noria: Command, cut: Path):
    run = RunFolder.open(cut)
    run.update_config({"data": {"source": "nowhere.txt", "files": ["nowhere.txt"]}})
    said = noria("train", "--resume", cut)
    assert said.code == 1
    assert "was made with 'nowhere.txt', which is not to be found here.\n" in said.err
    assert f"noria train FILE --resume {cut}" in said.err


def test_other_options_are_refused_and_threads_are_not(noria: Command, cut: Path):
    said = noria("train", "--resume", cut, "--hidden-size", 9, "--threads", 1)
    assert said.code == 1
    assert "  hidden_size: 6 in the run, 9 here\n" in said.err
    assert "threads" not in said.err
    assert noria("train", "--resume", cut, "--hidden-size", 6, "--threads", 1).code == 0


@pytest.mark.parametrize("words", [("--out", "new"), ("--init-from", "cut")])
def test_a_resumed_run_has_its_folder_and_its_weights(noria: Command, cut: Path, words):
    said = noria("train", "--resume", cut, *words)
    assert said.code == 1
    assert f"leave out {words[0]}" in said.err


def test_no_such_run(noria: Command):
    said = noria("train", "--resume", "nowhere")
    assert (said.code, said.err) == (1, "error: nowhere: there is no such run.\n")


def test_weights_are_taken_over(noria: Command, trained: Path, book: Path, tmp_path: Path):
    new = tmp_path / "new"
    words = ("--init-from", trained, "--cell", "lstm", "--steps", 1, "--lr", 1e-12, "--out", new, *SMALL)
    assert noria("train", book, *words).code == 0
    before, after = LanguageModel.load(trained), LanguageModel.load(new)
    assert abs(before.parameters_.values - after.parameters_.values).max() < 1e-6
    words = ("--init-from", trained, "--cell", "lstm", "--steps", 1, *SMALL[2:])
    assert noria("train", book, *words, "--out", tmp_path / "as wide").code == 0
    assert LanguageModel.load(tmp_path / "as wide").hidden_size == before.hidden_size
    said = noria("train", book, *words, "--hidden-size", 7, "--out", tmp_path / "other")
    assert said.code == 1
    assert "its weights do not fit this model:\n" in said.err
    assert not (tmp_path / "other").exists()


def test_tensorboard_files_beside_the_log(noria, book, tmp_path, monkeypatch):
    written: list[tuple[str, float, int]] = []

    class SummaryWriter:
        def __init__(self, logdir: str, purge_step: int) -> None:
            self.logdir = Path(logdir)

        def add_scalar(self, name: str, value: float, step: int) -> None:
            written.append((name, value, step))

        def add_text(self, name: str, text: str, step: int) -> None:
            written.append((name, 0.0, step))

        def close(self) -> None:
            self.logdir.mkdir(exist_ok=True)

    module = types.ModuleType("tensorboardX")
    module.SummaryWriter = SummaryWriter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tensorboardX", module)
    run = tmp_path / "run"
    assert (
        noria("train", book, "--steps", 12, "--eval-every", 6, "--tensorboard", "--out", run, *SMALL).code
        == 0
    )
    assert (run / "tensorboard").is_dir()
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    losses = {line["step"]: line["metrics"]["loss"] for line in lines if line["event"] == "Evaluated"}
    assert {step: value for name, value, step in written if name == "validation/loss"} == losses
    assert [step for name, _, step in written if name == "train/loss"] == [1, 10, 12]
    assert "sample" in {name for name, *_ in written}
    assert noria("train", "--resume", run, "--steps", 20).code == 0  # with the files that the run has
    assert [step for name, _, step in written if name == "train/loss"] == [1, 10, 12, 20]


def test_tensorboard_that_is_not_installed_is_one_line(noria, book, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    said = noria("train", book, "--steps", 2, "--tensorboard", "--out", tmp_path / "run", *SMALL)
    assert said.code == 1
    assert "pip install 'noria[tensorboard]'" in said.err
    assert not (tmp_path / "run").exists()


def test_cite_gives_bibtex_and_says_what_for(noria: Command, trained: Path):
    said = noria("cite", trained)
    assert said.code == 0
    assert said.out.startswith("@software{noria,\n  author = {{The Noria authors}},\n")
    assert "@inproceedings{kingma2015,\n" in said.out
    assert "Cite    noria" in said.err
    assert "cell lstm" in said.err
    found = json.loads(noria("cite", trained, "--json").out)["references"]
    assert found["hochreiter1997"]["for"] == ["cell lstm"]
    assert noria("cite", trained / "nowhere").code == 1


def test_a_damaged_run_is_no_fault_of_norias_to_cite(noria: Command, trained: Path, tmp_path: Path):
    run = shutil.copytree(trained, tmp_path / "run")
    RunFolder.open(run).update_config({"cells": [{"text": "h' = tanh(W @ x + b)"}]})
    said = noria("cite", run)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"error: {run}: the run is damaged: 'name' is missing\n")


def test_what_was_asked_to_stop_goes_on_without_being_asked_again(noria: Command, book: Path, tmp_path: Path):
    run = tmp_path / "run"
    said = noria("train", book, "--steps", 9, "--stop-after", 4, "--out", run, *SMALL)
    assert f"4 of 9 planned steps were made; noria train --resume {run} goes on with the others." in said.err
    assert noria("train", "--resume", run).code == 0
    assert RunFolder.open(run).read_json("report.json")["steps"] == 9


def test_a_run_without_improvement_is_told_what_new_patience_takes(noria, book, tmp_path):
    run = tmp_path / "run"
    words = ("--steps", 9, "--eval-every", 1, "--patience", 2, "--min-delta", 9, "--out", run, *SMALL)
    said = noria("train", book, *words)
    assert (
        f"3 of 9 planned steps were made; noria train --resume {run} --steps 12 trains on, with new patience."
        in said.err
    )
    assert noria("train", "--resume", run, "--steps", 12).code == 0
    assert RunFolder.open(run).read_json("report.json")["steps"] > 3


def test_the_encoding_is_that_of_the_run(noria: Command, tmp_path: Path):
    book, run = tmp_path / "book.txt", tmp_path / "run"
    book.write_bytes("".join(f"{k} señoras and {k * k % 97} ducks.\n" for k in range(90)).encode("latin-1"))
    words = ("--steps", 9, "--stop-after", 4, "--encoding", "cp437", "--out", run, *SMALL)
    assert noria("train", book, *words).code == 0
    said = noria("train", "--resume", run)
    assert (said.code, "cp437" in said.err) == (0, True)


def test_other_threads_are_said_even_where_little_is(noria: Command, cut: Path):
    RunFolder.open(cut).update_config({"run": {"threads": 7}})
    said = noria("train", "--resume", cut, "--threads", 1, "--quiet")
    assert "Threads 1 now, 7 when the run was begun" in said.err
    assert "Plan" not in said.err


def test_the_plan_counts_epochs_in_updates(noria: Command, book: Path, tmp_path: Path):
    said = noria("train", book, "--epochs", 0.2, "--accumulate", 4, "--out", tmp_path / "run", *SMALL)
    assert " steps (0.21 epochs) · " in said.err
    assert " batches an epoch, 4 in a step\n" in said.err


def test_tensorboard_hides_what_comes_again(noria, cut, monkeypatch):
    purged = []

    class SummaryWriter:
        def __init__(self, logdir: str, purge_step: int) -> None:
            purged.append(purge_step)

        def add_scalar(self, name: str, value: float, step: int) -> None:
            assert step >= purged[0]

        def add_text(self, name: str, text: str, step: int) -> None:
            assert step >= purged[0]

        def close(self) -> None:
            pass

    module = types.ModuleType("tensorboardX")
    module.SummaryWriter = SummaryWriter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tensorboardX", module)
    assert noria("train", "--resume", cut, "--tensorboard").code == 0
    assert purged == [6]
