"""Every task goes the same way on the command line: train, predict, evaluate, info, resume."""

import io
import json
from pathlib import Path

import pytest

from cli_commands import Command
from noria.cli.tasks import with_task
from noria.models.loading import MODELS
from noria.training import RunFolder

TINY = ["--hidden-size", "5", "--batch-size", "3", "--steps", "4", "--quiet"]


def table(folder: Path) -> Path:
    path = folder / "reviews.csv"
    rows = [f'"a {word} film, number {k}",{label}' for k in range(20) for word, label in WORDS]
    path.write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


WORDS = (("good", "up"), ("bad", "down"), ("señorial", "up"))


def tagged(folder: Path) -> Path:
    path = folder / "tagged.txt"
    path.write_text("the/D cat/N sat/V\nno/D dog/N ran/V far/R\n" * 20, encoding="utf-8")
    return path


def series(folder: Path) -> Path:
    path = folder / "series.csv"
    rows = [f"{1990 + k // 12}-{k % 12 + 1:02d}-01,{100 + k + 9 * (k % 12) + k * k % 17}" for k in range(96)]
    path.write_text("ds,y\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def pairs(folder: Path) -> Path:
    path = folder / "pairs.tsv"
    rows = [f"{'abcde'[: k % 4 + 1]}{k % 7}\t{k % 7}{'abcde'[: k % 4 + 1][::-1]}" for k in range(60)]
    path.write_text("source\ttarget\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


FILES = {"classify": table, "tag": tagged, "forecast": series, "translate": pairs}


@pytest.mark.parametrize("task", list(FILES))
def test_a_file_is_trained_on_answered_measured_and_gone_on_with(noria: Command, tmp_path: Path, task: str):
    file, run = FILES[task](tmp_path), tmp_path / "run"
    said = noria("train", task, file, "--out", run, *TINY)
    assert said.code == 0, said.err
    assert "Done" in said.err
    assert f"noria predict {run}" in said.err

    config, report = RunFolder.open(run).config, RunFolder.open(run).read_json("report.json")
    assert (config["task"], config["data"]["files"]) == (task, [str(file)])
    assert report["steps"] == 4
    assert report["baseline"]["name"]
    assert isinstance(report["baseline"]["beaten"], bool)

    answered = noria("predict", run, file, "--json")
    assert answered.code == 0, answered.err
    rows = [json.loads(line) for line in answered.out.splitlines()]
    assert rows
    assert all(isinstance(row, dict) for row in rows)
    if task != "forecast":  # which answers with what comes after the file
        assert len(rows) == {"classify": 60, "tag": 40, "translate": 60}[task]

    measured = noria("evaluate", run, file, "--json")
    assert measured.code == 0, measured.err
    assert json.loads(measured.out)["loss"] > -100
    assert noria("evaluate", run, file).code == 0
    assert task in noria("info", run).out
    assert f"a model of task '{task}' does not write" in noria("sample", run).err

    longer = noria("train", "--resume", run, "--steps", 6, "--quiet")
    assert longer.code == 0, longer.err
    assert RunFolder.open(run).read_json("report.json")["steps"] == 6


@pytest.mark.parametrize("task", list(FILES))
def test_a_run_that_is_cut_off_ends_in_the_same_bytes(noria: Command, tmp_path: Path, task: str):
    file = FILES[task](tmp_path)
    options = [9 if word == "4" else word for word in [*TINY, "--threads", 1]]
    assert noria("train", task, file, "--out", tmp_path / "whole", *options).code == 0
    assert noria("train", task, file, "--out", tmp_path / "cut", *options, "--stop-after", 4).code == 0
    assert noria("train", "--resume", tmp_path / "cut", "--quiet").code == 0
    for name in ("best.safetensors", "last.safetensors", "schema.json"):
        whole, cut = (tmp_path / run / name for run in ("whole", "cut"))
        assert whole.read_bytes() == cut.read_bytes(), name


def test_the_run_says_which_task_is_gone_on_with(tmp_path: Path):
    (tmp_path / "config.toml").write_text('task = "tag"\n', encoding="utf-8")
    assert with_task(["train", "--resume", str(tmp_path), "--lr", "1"])[:2] == ["train", "tag"]
    assert with_task(["train", "text", "--resume", str(tmp_path)])[1] == "text"
    assert with_task(["train", "--resume", str(tmp_path / "nowhere")]) == [
        "train",
        "--resume",
        str(tmp_path / "nowhere"),
    ]
    assert with_task(["train", "--resume"]) == ["train", "--resume"]
    assert with_task(["train", f"--resume={tmp_path}"]) == ["train", "tag", f"--resume={tmp_path}"]


@pytest.mark.parametrize("task", list(MODELS))
def test_every_task_has_its_help(noria: Command, task: str):
    said = noria("train", task, "--help")
    assert said.code == 0
    assert "--hidden-size" in said.out
    assert "--seq-length" in said.out or task != "text"
    assert "--resume" in said.out


@pytest.mark.parametrize("task", list(FILES))
def test_what_is_not_there_is_said(noria: Command, tmp_path: Path, task: str):
    said = noria("train", task, tmp_path / "nowhere.csv", *TINY)
    assert said.code == 1
    assert "nowhere.csv" in said.err
    said = noria("train", task, "--data", "nothing-like-it", *TINY)
    assert said.code == 1
    assert "nothing-like-it" in said.err


def test_bytes_that_are_no_utf8_are_said(noria: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run = tmp_path / "run"
    assert noria("train", "classify", table(tmp_path), "--out", run, *TINY).code == 0
    for given, code, words in (
        (b"\xef\xbb\xbfa good film\n", 0, "a good film"),
        (b"a good film\n\xf1and\xfa\n", 1, "standard input: expected UTF-8, got the byte 0xf1"),
    ):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
        said = noria("predict", run, "-")
        assert said.code == code
        assert words in said.out + said.err
        assert "\ufeff" not in said.out


def test_what_was_learnt_from_is_no_test(noria: Command, tmp_path: Path):
    assert noria("train", "forecast", "--out", tmp_path / "run", *TINY).code == 0
    said = noria("evaluate", tmp_path / "run", "--data", "airline")
    assert said.code == 1
    assert "has no test part of its own" in said.err


def test_a_task_that_is_misspelt_is_named(noria: Command):
    said = noria("train", "clasify", "reviews.csv", *TINY)
    assert said.code == 1
    assert "Did you mean the task: noria train classify?" in said.err


def test_the_weights_of_another_task_are_refused(noria: Command, tmp_path: Path):
    assert noria("train", "classify", table(tmp_path), "--out", tmp_path / "run", *TINY).code == 0
    said = noria(
        "train", "tag", tagged(tmp_path), "--out", tmp_path / "new", "--init-from", tmp_path / "run", *TINY
    )
    assert said.code == 1
    assert "expected a run of task 'tag', got 'classify'" in said.err
    assert not (tmp_path / "new").exists()


def test_other_data_cannot_go_on_with_a_run(noria: Command, tmp_path: Path):
    file = table(tmp_path)
    assert noria("train", "classify", file, "--out", tmp_path / "run", *TINY, "--stop-after", 2).code == 0
    file.write_text(file.read_text(encoding="utf-8").replace("down", "sideways"), encoding="utf-8")
    said = noria("train", "--resume", tmp_path / "run", "--quiet")
    assert said.code == 1
    assert "other data" in said.err
    assert "sideways" in said.err


def test_rows_that_are_empty_keep_their_place_and_are_said(noria: Command, tmp_path: Path):
    run = tmp_path / "run"
    assert noria("train", "classify", table(tmp_path), "--out", run, *TINY).code == 0
    new = tmp_path / "new.csv"
    new.write_text("text\na good film\n\na bad film\n\n", encoding="utf-8")
    said = noria("predict", run, new)
    assert said.code == 0
    assert [line.split("\t")[0] for line in said.out.splitlines()][1::2] == ["", ""]
    assert [line.split("\t")[2] for line in said.out.splitlines()] == ["a good film", "", "a bad film", ""]
    assert said.err == "Note    2 of 4 rows are empty and have no answer; the first is row 2\n"
    rows = [json.loads(line) for line in noria("predict", run, new, "--json").out.splitlines()]
    assert [row["text"] for row in rows] == ["a good film", "", "a bad film", ""]
    assert [row["prediction"] is None for row in rows] == [False, True, False, True]


def test_sources_that_are_empty_keep_their_place(noria: Command, tmp_path: Path):
    run = tmp_path / "run"
    assert noria("train", "translate", pairs(tmp_path), "--out", run, *TINY).code == 0
    new = tmp_path / "new.csv"
    new.write_text("source\nab1\n\nab2\n", encoding="utf-8")
    rows = [json.loads(line) for line in noria("predict", run, new, "--json").out.splitlines()]
    assert [row["source"] for row in rows] == ["ab1", "", "ab2"]
    assert rows[1]["translation"] == ""


def test_labels_that_were_not_trained_on_may_be_left_out(noria: Command, tmp_path: Path):
    run = tmp_path / "run"
    assert noria("train", "classify", table(tmp_path), "--out", run, *TINY).code == 0
    new = tmp_path / "new.csv"
    new.write_text("text,label\na good film,up\na bad film,dwn\n", encoding="utf-8")
    said = noria("evaluate", run, new)
    assert said.code == 1
    assert "new.csv, line 3, column 2 ('label'): expected one of the labels down, up, got 'dwn'" in said.err
    assert "Did you mean 'down'?" in said.err
    assert "1 of 2 sequences have labels that are unknown: 'dwn' (1)." in said.err
    figures = json.loads(noria("evaluate", run, new, "--leave-out-unknown", "--json").out)
    assert (figures["sequences"], figures["left_out"], figures["unknown_labels"]) == (1, 1, {"dwn": 1})
    assert "accuracy of all" in noria("evaluate", run, new, "--leave-out-unknown").out
    of_series = tmp_path / "series"
    assert noria("train", "forecast", series(tmp_path), "--out", of_series, *TINY).code == 0
    said = noria("evaluate", of_series, series(tmp_path), "--leave-out-unknown")
    assert said.code == 1
    assert "--leave-out-unknown is for labels and tags" in said.err


def test_numbers_are_written_with_six_digits_for_people(noria: Command, tmp_path: Path):
    file, run = tmp_path / "prices.csv", tmp_path / "run"
    file.write_text("frase;precio\n" + "".join(f"pan {n};{n},25\n" for n in range(30)), encoding="utf-8")
    said = noria("train", "regress", file, "--out", run, *TINY)
    assert said.code == 0, said.err
    assert "'precio' the numbers to be told (guessed from the names and contents)" in said.err
    assert "numbers with a decimal comma: precio" in said.err
    shown = [line.split("\t")[0] for line in noria("predict", run, file).out.splitlines()]
    answers = noria("predict", run, file, "--json").out.splitlines()
    whole = [json.loads(line)["prediction"] for line in answers]
    assert shown == [f"{number:.6g}" for number in whole]
    assert any(len(str(number)) > 10 for number in whole)
