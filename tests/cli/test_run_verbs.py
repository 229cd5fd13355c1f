"""``noria sample``, ``noria evaluate``, ``noria info``: what is done with a run."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli_commands import Command
from noria import __version__
from noria.cli import app, threads
from noria.compiler import compile_cell
from noria.engines import bind
from noria.engines.native.host import Host, host
from noria.equations import cells
from noria.models import LanguageModel, load


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
    note = "1 of 24 characters is not in the model's vocabulary"
    assert f"{note}: it cannot predict them" in said.err
    figures = dict(re.fullmatch(r"(.*?)  +(\S+)(?:  .*)?", line).groups() for line in said.out.splitlines())
    assert re.match(rf"nats per character +\d\.\d+  {note}\n", said.out), "beside the figure, not only aloud"
    assert said.out.count(note) == 1
    expected = load(trained).evaluate(tmp_path / "other.txt")
    assert float(figures["nats per character"]) == pytest.approx(expected["loss"], abs=1e-4)
    assert float(figures["bits per character"]) == pytest.approx(expected["bits_per_character"], abs=1e-4)
    spelt = math.log(0x110000 - 0x800)  # Ω, one of all the characters that there are
    assert expected["bits_per_character"] * 24 * math.log(2) == pytest.approx(
        expected["loss"] * 24 + spelt, rel=1e-9
    )
    told = json.loads(noria("evaluate", trained, tmp_path / "other.txt", "--json").out)
    assert told["loss"] == expected["loss"]
    assert told["unknown"] == 1
    assert told["note"] == note


def test_a_text_without_unknown_characters_has_no_note(noria: Command, trained: Path, book: Path):
    assert "vocabulary" not in noria("evaluate", trained, book).out
    assert "note" not in json.loads(noria("evaluate", trained, book, "--json").out)


def test_what_is_installed(noria: Command):
    told = json.loads(noria("info", "--json").out)
    assert told["noria"] == __version__
    assert told["python"].startswith(".".join(map(str, sys.version_info[:3])))
    assert {"numpy", "blas", "threads", "engine"} <= set(told)
    assert "lstm" in told["cells"]
    shown = noria("info").out
    assert told["numpy"] in shown
    rows = dict(line.split(maxsplit=1) for line in shown.splitlines())
    assert told["engine"] == bind(compile_cell(cells.rnn), {"D": 2, "H": 3}).engine
    lanes = host().vector_bytes // 4
    assert rows["engine"] == f"native: {told['processor']}"
    assert re.fullmatch(rf"\S+, {lanes} float32 at once, {host().cpu}, LLVM \d+", told["processor"])
    assert told["why_not_native"] == ""
    assert rows["threads"] == f"{told['threads']}, {told['threads_from']}"


@pytest.mark.parametrize(
    ("vector_bytes", "registers", "name"),
    [(64, 32, "AVX-512"), (32, 16, "AVX2"), (16, 32, "NEON"), (16, 16, "SSE2")],
)
def test_vectors_have_the_name_that_people_know(vector_bytes: int, registers: int, name: str):
    assert Host("some", "", vector_bytes, registers).vectors == name


def test_what_is_in_a_run(noria: Command, trained: Path):
    told = json.loads(noria("info", trained, "--json").out)
    model = load(trained)
    assert told["cells"] == ["lstm"]
    assert told["hidden_sizes"] == [6]
    assert told["parameters"] == model.summary.parameters
    assert told["engines"] == ["native"]
    assert told["processor"] == model.summary.processor != ""
    assert told["steps"] == 3
    assert told["test"]["loss"] == model.report_["test"]["loss"]
    assert f"{told['parameters']:,}" in noria("info", trained).out


CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize(
    ("words", "variables", "count", "origin"),
    [
        ([], {}, CORES, "one for each core"),
        ([], {"OMP_NUM_THREADS": "3"}, 3, "from OMP_NUM_THREADS"),
        ([], {"OMP_NUM_THREADS": "3", "NORIA_THREADS": " 5 "}, 5, "from NORIA_THREADS"),
        ([], {"OMP_NUM_THREADS": "3", "NORIA_THREADS": "0"}, 3, "from OMP_NUM_THREADS"),
        (["--threads", "0"], {"NORIA_THREADS": "5"}, 5, "from NORIA_THREADS"),
        (["--threads", "1"], {"OMP_NUM_THREADS": "3", "NORIA_THREADS": "two"}, 1, "as asked for"),
        (["--threads=4"], {"NORIA_THREADS": "5"}, 4, "as asked for"),
    ],
)
def test_threads_are_set_before_numpy_is_loaded(
    words: list[str], variables: dict[str, str], count: int, origin: str
):
    """The number that is said is the engine's own, and where Noria is told one NumPy's library is too."""
    code = (
        "import os, sys\nfrom noria.cli import app, threads\nassert 'numpy' not in sys.modules\n"
        f"assert app.run({['info', '--json', *words]!r}) == 0\n"
        "from noria.engines.threads import thread_count\n"
        "print(thread_count(), *(os.environ.get(name) for name in threads.OF_PRODUCTS))\n"
    )
    own = {threads.OWN, *threads.OF_PRODUCTS}
    environment = {name: value for name, value in os.environ.items() if name not in own}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment | variables, check=True)
    told, end = json.JSONDecoder().raw_decode(done.stdout)
    assert (told["threads"], told["threads_from"]) == (count, origin)
    engine, *products = done.stdout[end:].split()
    assert int(engine) == count
    if origin in ("as asked for", "from NORIA_THREADS"):
        assert products == [str(count)] * 4
        assert told["blas_threads"] == "unknown" or 1 <= int(told["blas_threads"]) <= count


@pytest.mark.parametrize("value", ["two", "-1", "1.5", "²"])
def test_a_number_of_threads_that_is_none(noria: Command, monkeypatch: pytest.MonkeyPatch, value: str):
    monkeypatch.setenv("NORIA_THREADS", value)
    said = noria("info")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: NORIA_THREADS: expected a whole number of threads, 0 for one a core, ")
    assert f"got '{value}'.\n  Set it to a number (NORIA_THREADS=2), remove it" in said.err
    assert noria("info", "--help").code == 0, "help is given to those who need it"


def test_fewer_threads_than_none_are_wrong_usage(noria: Command, trained: Path):
    for words in (["info"], ["evaluate", trained, trained], ["sample", trained]):
        said = noria(*words, "--threads", -1)
        assert said.code == app.USAGE
        assert "--threads" in said.err


@pytest.mark.parametrize("verb", ["evaluate", "sample"])
def test_threads_go_before_those_of_the_run(
    noria: Command, trained: Path, book: Path, monkeypatch: pytest.MonkeyPatch, verb: str
):
    seen = []
    real = {"evaluate": LanguageModel.evaluate, "sample": LanguageModel.stream}[verb]
    monkeypatch.setattr(
        LanguageModel,
        {"evaluate": "evaluate", "sample": "stream"}[verb],
        lambda model, *given, **options: (seen.append(model.threads), real(model, *given, **options))[1],
    )
    monkeypatch.setattr(app, "set_threads", lambda words: None)  # NumPy is there already
    words = [trained, book] if verb == "evaluate" else [trained, "--length", 3]
    for threads_asked_for in (2, 0):
        assert noria(verb, *words, "--threads", threads_asked_for).code == 0
    assert seen == [2, load(trained).threads]


def test_without_llvm_it_is_said_what_runs_and_why(book: Path):
    words = [
        ["info", "--json"],
        ["info"],
        ["cell", "show", "lstm", "--kernel"],
        ["train", str(book), "--dry-run"],
    ]
    code = (
        "import sys\nsys.modules['llvmlite'] = None\nfrom noria.cli import app\n"
        f"codes = [app.run(words) for words in {words!r}]\nassert codes == [0, 0, 1, 0], codes\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told, end = json.JSONDecoder().raw_decode(done.stdout)
    assert (told["engine"], told["processor"]) == ("reference", "")
    assert told["why_not_native"].startswith("llvmlite cannot be loaded")
    rows = dict(line.split(maxsplit=1) for line in done.stdout[end:].strip().splitlines())
    assert rows["engine"] == "reference"
    assert rows["why"] == f"not native  {told['why_not_native']}"
    complaint, *header = done.stderr.splitlines()
    assert complaint == (
        f"error: lstm: no kernel to show, the native engine cannot run here: {told['why_not_native']}"
    )
    engine, why = header[-2:]
    assert engine.startswith("Engine  reference · ")
    assert why == f"        slower than the native engine, which does not run here: {told['why_not_native']}"
    assert "pip install llvmlite" in why


def test_a_reader_that_has_had_enough_is_no_error(trained: Path):
    command = [sys.executable, "-m", "noria", "sample", str(trained), "--length", "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
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
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.startswith("\\xf1")


def test_a_long_text_is_said_to_be_read_in_several_places(
    noria: Command, trained: Path, book: Path, monkeypatch: pytest.MonkeyPatch
):
    assert "places at once" not in noria("evaluate", trained, book).err
    monkeypatch.setattr("noria.models.text.reading.LONG", 2000)
    monkeypatch.setattr("noria.models.text.reading.EACH", 1000)
    places = len(book.read_text(encoding="utf-8")) // 1000
    said = noria("evaluate", trained, book)
    assert f"longer than 2,000 characters: read in {places} places at once" in said.err


def test_a_long_text_of_words_is_counted_in_words(
    noria: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    text = tmp_path / "text.txt"
    text.write_text("the cat ran.\nthe dog ran.\n" * 400, encoding="utf-8")
    LanguageModel(hidden_size=4, level="words").fit(text, steps=1, out=tmp_path / "run")
    monkeypatch.setattr("noria.models.text.reading.LONG", 2000)
    monkeypatch.setattr("noria.models.text.reading.EACH", 1000)
    said = noria("evaluate", tmp_path / "run", text)
    assert "longer than 2,000 words: read in 4 places at once" in said.err
    monkeypatch.setattr("noria.models.text.reading.LONG", 5000)
    assert "places at once" not in noria("evaluate", tmp_path / "run", text).err


def test_the_unit_of_sequences_is_the_token(noria: Command, tmp_path: Path):
    LanguageModel(hidden_size=4).fit(["ana", "bo", "eve"] * 9, steps=1, out=tmp_path / "run")
    (tmp_path / "names.txt").write_text("ana\nbo\n", encoding="utf-8")
    said = noria("evaluate", tmp_path / "run", tmp_path / "names.txt")
    assert said.out.startswith("nats per token ")
    assert "nats per character" not in said.out
