"""``noria sample``, ``noria evaluate``, ``noria info``: what is done with a run."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli_commands import Command
from noria import __version__
from noria.cli import app
from noria.models import LanguageModel, load

SOURCE = Path(__file__).parents[2] / "src"


def test_a_sample_is_what_the_model_writes(noria: Command, trained: Path):
    words = [
        "--prompt",
        "the señora ",
        "--length",
        20,
        "--temperature",
        "1.3",
        "--top-k",
        9,
        "--top-p",
        "0.95",
        "--seed",
        4,
    ]
    said = noria("sample", trained, *words)
    expected = load(trained).sample("the señora ", length=20, temperature=1.3, top_k=9, top_p=0.95, seed=4)
    assert (said.code, said.out, said.err) == (0, expected + "\n", "")
    assert noria("sample", trained, *words[:-1], 5).out != said.out


def test_a_sample_comes_in_pieces(noria: Command, trained: Path, monkeypatch: pytest.MonkeyPatch):
    pieces: list[str] = []
    monkeypatch.setattr("noria.cli.sample.give", pieces.append)
    assert noria("sample", trained, "--length", 12).code == 0
    assert len(pieces) > 6


def test_greedy_writes_the_same_whatever_the_seed(noria: Command, trained: Path):
    first, second = (
        noria("sample", trained, "--greedy", "--length", 15, "--seed", seed).out for seed in (1, 2)
    )
    assert first == second


def test_a_sample_as_json(noria: Command, trained: Path):
    told = json.loads(noria("sample", trained, "--prompt", "duck", "--length", 6, "--json").out)
    assert told["text"].startswith("duck")
    assert told["options"]["length"] == 6
    assert told["run"] == str(trained)


def test_a_prompt_may_begin_with_a_dash(noria: Command, trained: Path):
    said = noria("sample", trained, "--prompt", "-x", "--length", 3)
    assert said.code == 1, "the text has no dash"
    assert "U+002D" in said.err


def test_figures_of_another_text(noria: Command, trained: Path, tmp_path: Path):
    (tmp_path / "other.txt").write_text("the wheel turned Ω times", encoding="utf-8")
    said = noria("evaluate", trained, tmp_path / "other.txt")
    assert said.code == 0
    assert "1 character is not in the model's vocabulary" in said.err
    figures = dict(line.rsplit(maxsplit=1) for line in said.out.splitlines())
    expected = load(trained).evaluate(tmp_path / "other.txt")
    assert float(figures["nats per character"]) == pytest.approx(expected["loss"], abs=1e-4)
    assert float(figures["bits per character"]) == pytest.approx(expected["loss"] / math.log(2), abs=1e-4)
    told = json.loads(noria("evaluate", trained, tmp_path / "other.txt", "--json").out)
    assert told["loss"] == expected["loss"]
    assert told["unknown"] == 1


def test_what_is_installed(noria: Command):
    told = json.loads(noria("info", "--json").out)
    assert told["noria"] == __version__
    assert told["python"].startswith(".".join(map(str, sys.version_info[:3])))
    assert {"numpy", "blas", "threads", "engine"} <= set(told)
    assert "lstm" in told["cells"]
    shown = noria("info").out
    assert told["engine"] in shown
    assert told["numpy"] in shown


def test_what_is_in_a_run(noria: Command, trained: Path):
    told = json.loads(noria("info", trained, "--json").out)
    model = load(trained)
    assert told["cells"] == ["gru"]
    assert told["hidden_sizes"] == [6]
    assert told["parameters"] == model.summary.parameters
    assert told["steps"] == 3
    assert told["test"]["loss"] == model.report_["test"]["loss"]
    assert f"{told['parameters']:,}" in noria("info", trained).out


def test_threads_are_set_before_numpy_is_loaded(tmp_path: Path):
    code = (
        "import os, sys\nfrom noria.cli import app\nfrom noria.cli.info import installation\n"
        "assert 'numpy' not in sys.modules\napp.set_threads(['info', '--threads', '1'])\n"
        "print(installation()['threads'], *(os.environ[name] for name in app.THREAD_VARIABLES))\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in app.THREAD_VARIABLES}
    environment |= {"PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.startswith("1 of ")
    assert done.stdout.split()[-4:] == ["1"] * 4


def test_a_reader_that_has_had_enough_is_no_error(trained: Path):
    command = [sys.executable, "-m", "noria", "sample", str(trained), "--length", "100000"]
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as child:
        assert child.stdout is not None
        assert child.stdout.read(3)
        child.stdout.close()
        assert child.stderr is not None
        complaint = child.stderr.read()
        child.wait(timeout=60)
    assert complaint == ""
    assert child.returncode == app.BROKEN_PIPE


def test_symbols_that_an_output_cannot_write_are_escaped(trained: Path):
    command = [sys.executable, "-m", "noria", "sample", str(trained), "--prompt", "ñ", "--length", "1"]
    environment = os.environ | {"PYTHONPATH": str(SOURCE), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.startswith("\\xf1")


def test_a_long_text_is_said_to_be_read_in_several_places(
    noria: Command, trained: Path, book: Path, monkeypatch: pytest.MonkeyPatch
):
    assert "places at once" not in noria("evaluate", trained, book).err
    monkeypatch.setattr("noria.models.reading.LONG", 2000)
    monkeypatch.setattr("noria.models.reading.EACH", 1000)
    places = len(book.read_text(encoding="utf-8")) // 1000
    said = noria("evaluate", trained, book)
    assert f"longer than 2,000 characters: read in {places} places at once" in said.err


def test_the_unit_of_sequences_is_the_token(noria: Command, tmp_path: Path):
    LanguageModel(hidden_size=4).fit(["ana", "bo", "eve"] * 9, steps=1, out=tmp_path / "run")
    (tmp_path / "names.txt").write_text("ana\nbo\n", encoding="utf-8")
    said = noria("evaluate", tmp_path / "run", tmp_path / "names.txt")
    assert said.out.startswith("nats per token ")
    assert "nats per character" not in said.out
