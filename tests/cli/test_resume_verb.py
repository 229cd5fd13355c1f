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
    run.update_config({"data": {"source": "nowhere.txt"}})
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
    words = ("--init-from", trained, "--steps", 1, "--lr", 1e-12, "--out", new, *SMALL)
    assert noria("train", book, *words).code == 0
    before, after = LanguageModel.load(trained), LanguageModel.load(new)
    assert abs(before.parameters_.values - after.parameters_.values).max() < 1e-6
    said = noria("train", book, "--init-from", trained, "--out", tmp_path / "other", *SMALL[2:])
    assert said.code == 1
    assert "its weights do not fit this model:\n" in said.err
    assert not (tmp_path / "other").exists()


def test_tensorboard_files_beside_the_log(noria, book, tmp_path, monkeypatch):
    written: list[tuple[str, float, int]] = []

    class SummaryWriter:
        def __init__(self, logdir: str) -> None:
            self.logdir = Path(logdir)

        def add_scalar(self, name: str, value: float, step: int) -> None:
            written.append((name, value, step))

        def add_text(self, name: str, text: str, step: int) -> None:
            written.append((name, 0.0, step))

        def close(self) -> None:
            self.logdir.mkdir()

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
