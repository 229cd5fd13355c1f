"""``noria train``: what it says, what it writes, and how it stops."""

import io
import json
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cli_commands import SMALL, Command
from noria.cli import compiling, progress
from noria.cli.app import INTERRUPTED, TERMINATED
from noria.compiler import compile_cell
from noria.engines import bind
from noria.engines.native import host as native_host
from noria.engines.native.host import host
from noria.engines.threads import thread_count
from noria.equations import cells
from noria.models import LanguageModel, load
from noria.reports.reproduction import train_command
from noria.training import RunFolder, replanning
from noria.training.report import (
    Chosen,
    Evaluated,
    Finished,
    Interrupted,
    Result,
    Sampled,
    Started,
    StepDone,
)


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_was_understood_comes_first_and_the_next_commands_last(
    noria: Command, desk: Path, book: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(compiling, "PATIENCE", 60.0)  # on a busy machine a cell may take longer than a second
    said = noria("train", book, "--steps", 4, "--eval-every", 2, *SMALL)
    assert said.code == 0
    assert said.out == ""
    lines = said.err.splitlines()
    size = len(book.read_text(encoding="utf-8"))
    assert lines[0].startswith(f"Text    {book} · UTF-8 · {size:,} characters · ")
    assert "train/validation/test 90/5/5" in lines[0]
    assert lines[1].startswith("Model   lstm_mogrified · 1 layer x 6 · ")
    engine = re.fullmatch(r"Engine  native: \S+, (\d+) float32 at once, .* · (\d+) threads?, \S.*", lines[3])
    assert engine is not None
    assert int(engine[1]) == host().vector_bytes // 4
    assert int(engine[2]) == thread_count()
    assert lines[4].startswith("Chosen  weight decay 0, dropout 0.3, recurrent dropout 0, for a run of ")
    assert lines[5] == "Run     runs/text-lstm_mogrified-0001 · seed 0 · Ctrl-C saves and stops"
    assert lines[6].startswith("Plan    4 steps")
    assert "compil" not in said.err, "what takes no time is not worth a word"
    header = next(line for line in lines if "|grad|" in line)
    assert header.split() == ["step", "epoch", "train", "valid", "bpc", "|grad|", "tokens/s", "left"]
    rows = [line.split() for line in lines[lines.index(header) + 1 :] if re.match(r" +\d", line)]
    assert [row[0] for row in rows] == ["2", "4"]
    assert rows[0][-1] == "+"
    assert abs(float(rows[0][4]) - float(rows[0][3]) / 0.6931) < 0.01, "bpc is the validation loss in bits"
    assert any(line.startswith("  sample: ") for line in lines)
    done = next(line for line in lines if line.startswith("Done"))
    assert re.search(
        r"test \d\.\d{3} nats \(\d\.\d{3} bits per character\) · Kneser-Ney 5-gram \d\.\d{3} nats", done
    )
    assert lines[-3:] == [
        "Next    noria sample runs/text-lstm_mogrified-0001 --temperature 0.7",
        "        noria evaluate runs/text-lstm_mogrified-0001 FILE",
        "        noria info runs/text-lstm_mogrified-0001",
    ]
    assert sorted(path.name for path in (desk / "runs/text-lstm_mogrified-0001").iterdir()) == [
        "best.safetensors",
        "config.toml",
        "last.safetensors",
        "log.jsonl",
        "report.json",
        "vocab.json",
    ]


def test_an_engine_that_was_chosen_is_said_to_be(noria: Command, book: Path):
    words = ["train", book, "--dry-run", "--threads", 0, *SMALL]
    said = noria(*words, "--engine", "reference")
    engine, why = said.err.splitlines()[3:]
    assert engine.startswith("Engine  reference · ")
    assert why.endswith("which does not run here: the 'engine' option is 'reference'.")
    model = json.loads(noria(*words, "--engine", "reference", "--json").out)["model"]
    assert (model["processor"], model["why_not_native"]) == ("", "the 'engine' option is 'reference'.")
    model = json.loads(noria(*words, "--dtype", "float64", "--json").out)["model"]
    assert model["why_not_native"] == ""
    assert f" {host().vector_bytes // 8} float64 at once, " in model["processor"]
    assert model["threads"] == thread_count()


def test_the_option_says_how_many_threads(noria: Command, desk: Path, book: Path):
    (desk / "options.toml").write_text("threads = 7\n")
    said = noria("train", book, "--config", "options.toml", "--dry-run", *SMALL)
    assert said.err.splitlines()[3].endswith(" · 7 threads, as asked for")


def test_a_compilation_that_takes_long_is_said(
    noria: Command, book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("NORIA_CACHE", "off")
    real = native_host._parsed

    def slowly(*given: object) -> object:
        time.sleep(0.2)
        return real(*given)

    monkeypatch.setattr(native_host, "_parsed", slowly)
    monkeypatch.setattr(compiling, "PATIENCE", 0.1)
    words = ["train", book, "--cell", "rnn", "--steps", 2, "--hidden-size", 13, *SMALL[2:]]
    said = noria(*words, "--out", "slow", "--quiet")
    assert said.code == 0
    lines = [line for line in said.err.splitlines() if "compil" in line]
    assert lines[0] == "Engine  compiling the cell"
    assert re.fullmatch(r"Engine  compiled in \d\.\d s", lines[1])
    again = noria(*words, "--out", "again", "--quiet")
    assert "compil" not in again.err, "it is compiled once in a process"
    kernel = bind(compile_cell(cells.rnn), {"D": 5, "H": 17})
    kernel.variant(saves=False, symbols=False)
    assert capsys.readouterr().err == "", "the library says nothing of its own accord"


def test_the_next_run_has_the_next_number(noria: Command, desk: Path, book: Path):
    for cell in ("gru", "gru", "rnn"):
        assert noria("train", book, "--steps", 2, "--cell", cell, "--quiet", *SMALL).code == 0
    assert sorted(path.name for path in (desk / "runs").iterdir()) == [
        "text-gru-0001",
        "text-gru-0002",
        "text-rnn-0001",
    ]


def test_a_dry_run_writes_nothing(noria: Command, desk: Path, book: Path):
    said = noria("train", "text", book, "--dry-run", "--cell", "rnn,lstm", "--hidden-size", "5,3")
    assert said.code == 0
    assert "Model   rnn, lstm · 2 layers x 5, 3 · " in said.err
    assert list(desk.iterdir()) == []
    understood = json.loads(noria("train", book, "--dry-run", "--json", *SMALL).out)
    assert understood["model"]["cells"] == ["lstm_mogrified"]
    assert understood["data"]["encoding"] == "UTF-8"


def test_json_is_the_whole_of_standard_output(noria: Command, book: Path):
    said = noria("train", book, "--steps", 3, "--json", "--quiet", "--out", "here", *SMALL)
    told = json.loads(said.out)
    assert told["run"] == "here"
    assert told["report"]["steps"] == 3
    assert told["report"]["test"]["loss"] > 0
    assert told["report"]["baseline"]["name"] == "Kneser-Ney 5-gram"
    assert told["understood"]["data"]["symbols"] == len(load("here").vocabulary_)
    assert "|grad|" not in said.err, "quiet: no table"


def test_names_that_hands_know(noria: Command, book: Path):
    words = [
        "--rnn_size",
        5,
        "--seq_length",
        8,
        "--batch_size",
        2,
        "--learning_rate",
        "0.01",
        "--max_epochs",
        "0.1",
    ]
    assert noria("train", book, *words, "--out", "known", "--quiet").code == 0
    model = load("known")
    assert (model.hidden_size, model.seq_length, model.batch_size, model.lr) == (5, 8, 2, 0.01)
    said = noria("sample", "known", "--primetext", "wheel ", "--length", 3)
    assert said.out.startswith("wheel ")


def test_options_from_a_file(noria: Command, desk: Path, book: Path):
    (desk / "options.toml").write_text(
        'cell = ["rnn", "lstm"]\nhidden_size = 5\nseq-length = 8\nbatch_size = 2\n'
        "minutes = 100\nlearning_rate = 0.1\n"
    )
    words = ["--config", "options.toml", "--steps", 2, "--lr", "0.01", "--out", "filed", "--quiet"]
    assert noria("train", book, *words).code == 0
    model = load("filed")
    assert (model.hidden_size, model.seq_length, model.lr) == (5, 8, 0.01)
    assert model.summary.cells == ("rnn", "lstm")
    assert model.report_["steps"] == 2


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("hiden_size = 5\n", ["hiden_size", "hidden_size"]),
        ("dropout = 1.5\n", ["dropout", "[0, 1)", "1.5"]),
        ("dropout = \n", ["expected TOML"]),
        (None, ["options.toml"]),
    ],
)
def test_mistakes_in_a_file_of_options(
    noria: Command, desk: Path, book: Path, content: str | None, named: list[str]
):
    if content is not None:
        (desk / "options.toml").write_text(content)
    said = noria("train", book, "--config", "options.toml", "--steps", 2)
    assert said.code == 1
    assert said.err.startswith("error: options.toml")
    for words in named:
        assert words in said.err
    assert not (desk / "runs").exists()


def test_a_cell_of_ones_own(noria: Command, desk: Path, book: Path):
    (desk / "mine.eq").write_text(
        "z  = sigmoid(W_z @ x + U_z @ h + b_z)\nh' = z * h + (1 - z) * tanh(W_h @ x + b_h)\n"
    )
    assert (
        noria("train", book, "--cell", "mine.eq", "--steps", 2, "--out", "mine", "--quiet", *SMALL).code == 0
    )
    (desk / "mine.eq").unlink()
    assert len(noria("sample", "mine", "--length", 5).out) >= 5, "the text of the cell is in the run"


class Terminal(io.TextIOWrapper):
    """Standard input with given bytes."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8")


def test_standard_input(noria: Command, book: Path, trained: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", Terminal(book.read_bytes()))
    said = noria("train", "-", "--steps", 2, "--out", "piped", "--quiet", *SMALL)
    assert said.code == 0
    assert said.err.startswith("Text    standard input · UTF-8")
    monkeypatch.setattr(sys, "stdin", Terminal(b""))
    assert noria("evaluate", trained, "-").err.startswith("error: standard input: expected text")


def test_several_files_and_folders_are_one_text(noria: Command, desk: Path, book: Path):
    (desk / "shelf").mkdir()
    shutil.copy(book, desk / "shelf" / "a.txt")
    shutil.copy(book, desk / "b.txt")
    said = noria("train", "shelf", "b.txt", "--dry-run", *SMALL)
    characters = 2 * len(book.read_text(encoding="utf-8")) + 2
    assert f"{characters:,} characters" in said.err


def test_without_a_file_it_is_the_text_of_python(noria: Command):
    said = noria("train", "--dry-run", *SMALL)
    assert said.err.startswith("Text    Python language reference (pydoc_data.topics)")
    assert noria("train", "--data", "python", "--dry-run", *SMALL).err == said.err


def test_ctrl_c_saves_evaluates_and_says_how_to_go_on(desk: Path, book: Path):
    command = [
        sys.executable,
        "-m",
        "noria",
        "train",
        str(book),
        "--steps",
        "1000000",
        "--eval-every",
        "20",
        *SMALL,
    ]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as child:
        said = ""
        assert child.stderr is not None
        for line in child.stderr:
            said += line
            if line.rstrip().endswith("+"):  # the first evaluation
                child.send_signal(signal.SIGINT)
                break
        out, rest = child.communicate(timeout=60)
    assert child.returncode == INTERRUPTED
    assert out == ""
    assert "Traceback" not in rest
    assert "Stop    after step" in rest
    assert "Done" in rest
    assert "Next    noria sample runs/text-lstm_mogrified-0001" in rest
    model = load("runs/text-lstm_mogrified-0001")
    assert model.report_["interrupted"] is True
    assert len(model.sample(length=5)) >= 5


def begun(words: list[str], said: str = "+") -> subprocess.Popen[str]:
    """Start a command in the background, where Ctrl-C does not reach it, and wait for the end of a line."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    child = subprocess.Popen(
        [sys.executable, "-m", "noria", *words],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert child.stderr is not None
    for line in child.stderr:
        if line.rstrip().endswith(said):
            return child
    raise AssertionError(f"it never said {said!r}")


def test_being_terminated_is_ctrl_c_from_elsewhere(noria: Command, desk: Path, book: Path):
    words = ["train", str(book), "--steps", "1000000", "--eval-every", "20", "--out", "run", *SMALL]
    with begun(words) as child:
        child.terminate()
        out, rest = child.communicate(timeout=60)
    assert child.returncode == TERMINATED
    assert out == ""
    assert "Traceback" not in rest
    assert "Stop    after step" in rest
    assert "noria train --resume run goes on with the others" in rest
    steps = load("run").report_["steps"]
    assert 20 <= steps < 1_000_000
    assert int(RunFolder.open("run").read_arrays("last")["trainer/step"]) == steps
    assert noria("train", "--resume", "run", "--stop-after", steps + 2, "--quiet").code == 0
    assert load("run").report_["steps"] == steps + 2


def test_being_terminated_twice_ends_it_at_once_and_says_how_to_go_on(desk: Path, book: Path):
    words = ["train", str(book), "--steps", "1000000", "--eval-every", "20", "--out", "run", *SMALL]
    slow = (
        "import time, sys\n"
        "from noria.training.loop import Loop\n"
        "really = Loop._stop_early\n"
        "def waiting(self, *given):\n"
        "    self.save(given[0])\n"
        "    print('waiting', file=sys.stderr, flush=True)\n"
        "    time.sleep(60)\n"
        "Loop._stop_early = waiting\n"
        f"from noria.cli.app import main\nmain({words!r})\n"
    )
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", slow], stderr=subprocess.PIPE, text=True, env=environment
    ) as child:
        assert child.stderr is not None
        for line in child.stderr:
            if line.rstrip().endswith("+") or line == "waiting\n":
                child.terminate()
            if line == "waiting\n":
                break
        rest = child.communicate(timeout=30)[1]
    assert child.returncode == TERMINATED
    assert rest.splitlines() == ["Next    noria train --resume run", "Interrupted."]
    assert int(RunFolder.open("run").read_arrays("last")["trainer/step"]) >= 20


def test_a_comparison_that_is_terminated_says_how_to_go_on(desk: Path, book: Path):
    words = ["compare", str(book), "--cells", "rnn", "--seeds", "1", "--steps", "1000000"]
    words += ["--grid", "stop_after=20,0"]  # the second run does not end by itself
    settings = ["--set", "hidden_size=4", "--set", "batch_size=2", "--processes", "1", "--out", "study"]
    with begun([*words, *settings], said=" s") as child:  # the first of two has ended
        child.terminate()
        _, rest = child.communicate(timeout=60)
    assert child.returncode == TERMINATED
    assert "Traceback" not in rest
    assert "Next    noria compare" in rest


@pytest.mark.parametrize("refused", ["weights", "taken"])
def test_a_run_that_is_not_made_is_not_announced(
    noria: Command, desk: Path, book: Path, trained: Path, refused: str
):
    if refused == "weights":
        words = ["--init-from", trained, "--cell", "gru"]
    else:
        (desk / "file").write_text("no folder", encoding="utf-8")
        words = ["--out", "file/run"]
    said = noria("train", book, "--steps", 3, *SMALL, *words)
    assert said.code == 1
    assert "Run  " not in said.err
    assert "Plan" not in said.err
    assert not (desk / "runs").exists()
    fits = noria("train", book, "--steps", 3, *SMALL, "--cell", "lstm", "--init-from", trained)
    assert fits.code == 0
    assert "Run     runs/text-lstm-0001 · " in fits.err


def shown_in_a_terminal(words: list[str], *, code: int = 0, **variables: str) -> str:
    """Run a command whose standard error is a terminal, and give all that the terminal was sent."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "noria", *words]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "200"} | variables
    environment.pop("FORCE_COLOR", None)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env=environment) as child:
        os.close(theirs)
        sent = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # how a terminal says that nobody is left on the other side
                break
            if not piece:
                break
            sent += piece
    os.close(ours)
    assert child.returncode == code
    return sent.decode()


def test_a_terminal_sees_a_line_that_moves(desk: Path, book: Path):
    words = ["train", str(book), "--steps", "40", "--out", "run", *SMALL]
    sent = shown_in_a_terminal(words)
    assert re.search(r"%  step \d+ of 40 · train \d", sent)
    assert "\x1b[1mText    \x1b[0m" in sent, "labels stand out"
    shutil.rmtree("run")
    assert "\x1b" not in shown_in_a_terminal(words, TERM="dumb")


def test_no_colour_where_none_is_wanted():
    assert "\x1b[1;31merror: \x1b[0m" in shown_in_a_terminal(["info", "nowhere"], code=1)
    assert "\x1b[1merror: \x1b[0m" in shown_in_a_terminal(["info", "nowhere"], code=1, NO_COLOR="1")


STEP = StepDone(
    step=3, steps=9, epoch=0.5, loss=1.5, batch_loss=1.6, gradient_norm=0.25, clipped_share=0.0, lr=0.1,
    tokens=300, tokens_per_second=12345.6, seconds=1.0, seconds_left=125.0,
)  # fmt: skip


def test_rows_line_up_with_their_titles(capsys: pytest.CaptureFixture[str]):
    with progress.Progress(LanguageModel.metric) as draw:
        draw(Chosen({"hidden_size": [384, 128], "dropout": 0.3}, 2.5))
        draw(Started("text", 9, 3, 6, 1000, 0.002, calibrated=True))
        draw(STEP)
        draw(
            Evaluated(
                3, 0.5, 1.5, {"loss": 2.0, "bits_per_character": 2.5}, improved=True, best_step=3, seconds=0.1
            )
        )
        draw(Sampled(3, "one\ntwo\x1b[31m" + "x" * 1000))
        draw(Interrupted(3))
    chosen, plan, titles, row, sample, stop = capsys.readouterr().err.splitlines()
    assert (
        chosen == "Chosen  hidden size 384,128, dropout 0.3, for a run of 2.5 passes over the training part"
    )
    assert plan.endswith("from the time budget, fitted to it on the way")
    assert row.split() == ["3", "0.50", "1.500", "2.000", "2.500", "0.25", "12,346", "2:05", "+"]
    ends = [[match.end() for match in re.finditer(r"\S+", line)] for line in (titles, row)]
    assert ends[0] == ends[1][:-1]
    assert sample.startswith("  sample: one⏎two␛[31mxxx")
    assert len(sample) < 450
    assert stop.startswith("Stop    after step 3")


@pytest.mark.parametrize(
    ("changed", "flags"),
    [
        ({}, "--steps 9 --hidden-size 384,128"),
        ({"replanned": ["2:7", "5:12"]}, "--steps 9 --replanned 2:7,5:12 --hidden-size 384,128"),
        ({"steps": 6, "stopped": "time"}, "--steps 9 --stop-after 6 --hidden-size 384,128"),
    ],
)
def test_the_end_of_a_run_of_minutes_says_how_to_repeat_it(
    capsys: pytest.CaptureFixture[str], changed: dict[str, Any], flags: str
):
    whole = {"steps": 9, "best_step": 3, "validation": {}, "test": {}, "tokens": 5, "seconds": 1.0}
    result = Result(**{**whole, "clipped_steps": 0, "planned": 9, **changed})
    for calibrated in (False, True):
        with progress.Progress(LanguageModel.metric) as draw:
            draw(Chosen({"hidden_size": [384, 128]}, 2.5))
            draw(Started("text", 9, 3, 6, 1000, 0.002, calibrated=calibrated))
            capsys.readouterr()
            draw(Finished(result))
        assert capsys.readouterr().err == (f"Repeat  {flags}\n" if calibrated else "")


def test_a_run_of_minutes_is_repeated_by_what_it_says(
    noria: Command, desk: Path, book: Path, monkeypatch: pytest.MonkeyPatch
):
    for share in ("WRONG", "LEAST_WRONG"):  # however quiet the machine is, it is planned anew
        monkeypatch.setattr(replanning, share, 0.0)
    compiled = noria("train", book, "--epochs", 99, "--stop-after", 1, "--out", "first", *SMALL)
    assert compiled.code == 0
    said = noria("train", book, "--minutes", 0.05, "--out", "a", *SMALL)
    assert said.code == 0
    (line,) = [line for line in said.err.splitlines() if line.startswith("Repeat")]
    assert "--replanned " in line
    assert noria("train", book, *SMALL, *line.split()[1:], "--out", "b").code == 0
    command = train_command(RunFolder.open("a").config, "c", "")
    assert noria(*shlex.split(command)[1:]).code == 0
    for name in ("best.safetensors", "last.safetensors"):
        assert len({(desk / run / name).read_bytes() for run in "abc"}) == 1
    again = train_command(RunFolder.open("b").config, "c", "")
    assert again == command, "the option and what became of it are not both written"
    stopped = train_command(RunFolder.open("a").config, "c", "", {"stopped": "time", "steps": 7})
    assert stopped == command.replace(" --out", " --stop-after 7 --out")


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--steps", 30, "--replanned", "12"], "must be STEP:STEPS, two whole numbers"),
        (
            ["--steps", 30, "--replanned", "40:50"],
            "below those of the run. Got replanned=40:50 with steps=30",
        ),
        (["--minutes", 1, "--replanned", "12:50"], "belongs to a budget of steps"),
    ],
)
def test_a_plan_that_no_run_can_have_had_is_refused(
    noria: Command, desk: Path, book: Path, flags: list[str | int], complaint: str
):
    said = noria("train", book, *flags, "--out", "run", *SMALL)
    assert said.code == 1
    assert complaint in said.err
    assert not (desk / "run").exists()


def test_quiet_draws_nothing_but_the_stop(capsys: pytest.CaptureFixture[str]):
    with progress.Progress(LanguageModel.metric, quiet=True) as draw:
        draw(STEP)
        draw(
            Evaluated(
                3, 0.5, 1.5, {"loss": 2.0, "bits_per_character": 2.5}, improved=True, best_step=3, seconds=0.1
            )
        )
        draw(Interrupted(3))
    assert capsys.readouterr().err.startswith("Stop")


def test_each_line_can_be_a_sequence_of_its_own(noria: Command, desk: Path):
    """Names, one per line: the model learns where they end, and is read line by line afterwards."""
    names = desk / "names.txt"
    names.write_text(
        "".join(f"{name}\n" for name in ("anna", "bo", "", "carla", "Íñigo", "eve") * 12), encoding="utf-8"
    )
    said = noria("train", names, "--lines", "--steps", 3, "--out", "run", *SMALL)
    assert said.code == 0
    assert said.err.startswith(f"Text    {names} · UTF-8 · 60 sequences · ")
    assert "sequences drawn for each part" in said.err
    assert "batches of 2 sequences" in said.err
    assert load("run").vocabulary_.end_id is not None
    figures = json.loads(noria("evaluate", "run", names, "--json").out)
    assert figures["tokens"] == figures["characters"] + 60


def test_ctrl_c_before_the_first_step(noria: Command, book: Path, monkeypatch: pytest.MonkeyPatch):
    from noria.training import budgeting

    def pressed(*arguments: object, **options: object) -> None:
        signal.raise_signal(signal.SIGINT)
        options["check"]()  # type: ignore[operator]

    monkeypatch.setattr(budgeting, "calibrate", pressed)
    said = noria("train", book, "--minutes", 1, "--out", "run", "--quiet", *SMALL)
    assert said.code == INTERRUPTED
    assert "nothing was trained yet" in said.err
    assert "Next    noria train --resume run" in said.err
    assert load("run").report_["steps"] == 0
    assert json.loads(noria("info", "run", "--json").out)["state"] == "untrained"
    assert "untrained" in noria("info", "run").out


def test_a_run_that_was_killed_before_its_first_evaluation(noria: Command, book: Path, monkeypatch):
    monkeypatch.setattr("noria.training.plan.STEPS_UNSAVED", 2)
    monkeypatch.setattr("noria.training.loop.Loop._evaluate", lambda self, step: 1 / 0)
    assert noria("train", book, "--steps", 5, "--eval-every", 5, "--out", "run", *SMALL).code == 1
    state = json.loads(noria("info", "run", "--json").out)["state"]
    assert state == "stopped after step 4, before the first evaluation"


def test_what_is_always_refused_is_no_flag(noria: Command, book: Path):
    assert "bidirectional" not in noria("train", "--help").out
    assert noria("train", book, "--bidirectional").code == 2
