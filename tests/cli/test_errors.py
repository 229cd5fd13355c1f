"""Bad input is answered in one paragraph and by an exit code, with no traceback and nothing left behind."""

import json
import shutil
from pathlib import Path

import pytest

from cli_commands import SMALL, Command, Said
from noria.cli import app


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def complaint(said: Said, code: int = 1) -> str:
    """Check the manners of a refusal, and give its words."""
    assert said.code == code, said
    assert said.out == ""
    assert "Traceback" not in said.err
    assert "fault of Noria" not in said.err
    assert said.err.count("error: ") == 1
    message = said.err[said.err.index("error: ") :]
    assert message.strip().count("\n\n") == 0
    return message


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the working folder too, so that nothing can be left elsewhere."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


TEXTS = {
    "empty": (b"", "empty"),
    "mark-only": (b"\xef\xbb\xbf", "no characters"),
    "binary": (b"PK\x03\x04\x00\x00wheel" * 50, "binary"),
    "tiny": (b"abc\n", "characters"),
    "one-symbol": (b"a" * 5000, "symbol"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_texts_that_cannot_be_learnt(noria: Command, desk: Path, kind: str):
    content, word = TEXTS[kind]
    (desk / "in.txt").write_bytes(content)
    message = complaint(noria("train", "in.txt", "--steps", 3, *SMALL))
    assert word in message
    assert files_of(desk) == {"in.txt": content}


def test_a_missing_file_and_the_one_beside_it(noria: Command, desk: Path):
    (desk / "novel.txt").write_text("It turned. " * 50)
    message = complaint(noria("train", "novle.txt", "--steps", 3))
    assert "novle.txt" in message
    assert "novel.txt" in message
    assert set(files_of(desk)) == {"novel.txt"}


def test_a_folder_without_a_text(noria: Command, desk: Path):
    (desk / "shelf").mkdir()
    assert "shelf" in complaint(noria("train", "shelf", "--steps", 3))
    assert files_of(desk) == {}


@pytest.mark.parametrize(("encoding", "word"), [("utf-8", "0xf1"), ("latin-one", "latin-one")])
def test_an_encoding_that_does_not_fit(noria: Command, desk: Path, encoding: str, word: str):
    (desk / "old.txt").write_bytes("La señora y el agua.\n".encode("latin-1") * 40)
    message = complaint(noria("train", "old.txt", "--encoding", encoding, "--steps", 3, *SMALL))
    assert "old.txt" in message
    assert word in message
    assert set(files_of(desk)) == {"old.txt"}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--hidden-size", "0"], ["hidden_size", "'0'"]),
        (["--dropout", "1.2"], ["dropout", "[0, 1)", "'1.2'"]),
        (["--lr", "nan"], ["lr", "nan"]),
        (["--cell", "gruu"], ["gruu", "gru?"]),
        (["--optimizer", "adan"], ["optimizer", "Did you mean 'adam'?"]),
        (["--steps", "3", "--minutes", "2"], ["steps=3", "minutes=2"]),
        (["--data", "pyhton"], ["pyhton", "python"]),
    ],
)
def test_impossible_options(noria: Command, desk: Path, book: Path, words: list[str], named: list[str]):
    source = [] if "--data" in words else [book]
    budget = [] if "--steps" in words else ["--steps", "3"]
    message = complaint(noria("train", *source, *words, *budget))
    for name in named:
        assert name in message
    assert files_of(desk) == {}


def test_a_mistake_in_a_cell_is_shown_where_it_is(noria: Command, desk: Path, book: Path):
    (desk / "mine.eq").write_text(
        "z = sigmoid(W_z @ x + U_z @ h + b_z)\nh' = z * h + (1 - z) * tahn(W_n @ x)\n"
    )
    for command in (
        ["train", book, "--cell", "mine.eq", "--steps", 3],
        ["cell", "show", "mine.eq"],
        ["check", "mine.eq"],
    ):
        message = complaint(noria(*command))
        assert message.startswith("error: mine.eq, line 2, column 24: ")
        assert "^^^^" in message
        assert "tanh" in message
    assert set(files_of(desk)) == {"mine.eq"}


def test_a_mistake_in_a_cell_names_its_file(noria: Command, desk: Path, book: Path):
    (desk / "own").mkdir()
    (desk / "own" / "bad.v2.eq").write_text("z = sigmoid(W_z @ x)\nh = z\n")
    (desk / "own" / "empty.eq").write_text("")
    for name, start in (
        ("own/bad.v2.eq", "own/bad.v2.eq, line 2, column 1: "),
        ("own/empty.eq", "own/empty.eq, line 1, column 1: "),
        ("own/bad.eq", "own/bad.eq: there is no such file"),
        ("gone.eq", "gone.eq: there is no such file"),
    ):
        for command in (
            ["train", desk / "no.txt", "--cell", f"rnn,{name}"],
            ["cell", "show", name],
            ["check", name],
        ):
            assert complaint(noria(*command)).startswith(f"error: {start}")


def test_a_run_is_never_written_over(noria: Command, desk: Path, book: Path):
    (desk / "taken").mkdir()
    (desk / "taken" / "mine.txt").write_text("precious")
    assert "taken" in complaint(noria("train", book, "--out", "taken", "--steps", 3, *SMALL))
    assert files_of(desk) == {"taken/mine.txt": b"precious"}


def test_a_run_that_is_there_is_seen_before_the_text_is_read(
    noria: Command, desk: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copytree(trained, desk / "taken")
    (desk / "a file").write_text("precious")
    before = files_of(desk)
    monkeypatch.setattr("noria.cli.tasks.large_or_read", lambda *given, **options: pytest.fail("it was read"))
    for folder in ("taken", "a file"):
        message = complaint(noria("train", "--out", folder, "--steps", 3))
        assert message.startswith(f"error: {folder}: is already there")
        assert "Choose another folder" in message
    assert files_of(desk) == before


def test_an_empty_folder_may_be_filled(noria: Command, desk: Path, book: Path):
    (desk / "empty").mkdir()
    assert noria("train", book, "--out", "empty", "--steps", 2, "--quiet", *SMALL).code == 0
    assert "empty/best.safetensors" in files_of(desk)


def test_a_folder_that_cannot_be_made(noria: Command, desk: Path, book: Path):
    (desk / "file").write_text("no folder")
    assert "file" in complaint(noria("train", book, "--out", "file/run", "--steps", 3, *SMALL))
    assert files_of(desk) == {"file": b"no folder"}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--prompt", "the 水 wheel"], ["水", "U+6C34"]),
        (["--temperature", "0"], ["temperature", "'0'"]),
        (["--temperature", "-1"], ["temperature", "'-1'"]),
        (["--top-p", "1.5"], ["top_p", "(0, 1]"]),
        (["--top-k", "-2"], ["top_k"]),
        (["--length", "none"], ["length"]),
    ],
)
def test_samples_that_cannot_be_drawn(noria: Command, trained: Path, words: list[str], named: list[str]):
    message = complaint(noria("sample", trained, *words))
    for name in named:
        assert name in message


VERBS_ON_RUNS = (["sample"], ["evaluate"], ["info"])


@pytest.mark.parametrize("verb", VERBS_ON_RUNS, ids=lambda words: words[0])
@pytest.mark.parametrize(
    "damage",
    [
        "missing",
        "a file",
        "empty folder",
        "no weights",
        "cut weights",
        "broken config",
        "newer format",
        "broken vocabulary",
    ],
)
def test_runs_that_cannot_be_opened(
    noria: Command, desk: Path, trained: Path, book: Path, verb: list[str], damage: str
):
    run = desk / "damaged"
    if damage not in ("missing", "a file", "empty folder"):
        shutil.copytree(trained, run)
    match damage:
        case "a file":
            run.write_text("not a folder")
        case "empty folder":
            run.mkdir()
        case "no weights":
            (run / "best.safetensors").unlink()
            (run / "last.safetensors").unlink()
        case "cut weights":
            weights = (run / "best.safetensors").read_bytes()
            (run / "best.safetensors").write_bytes(weights[: len(weights) // 2])
        case "broken config":
            (run / "config.toml").write_text("format = = 1\n")
        case "newer format":
            config = (run / "config.toml").read_text(encoding="utf-8")
            assert "format = 1" in config
            (run / "config.toml").write_text(config.replace("format = 1", "format = 99", 1), encoding="utf-8")
        case "broken vocabulary":
            (run / "vocab.json").write_text("{")
    before = files_of(desk)
    message = complaint(noria(*verb, run, *([book] if verb == ["evaluate"] else [])))
    assert "damaged" in message
    if damage == "newer format":
        assert "99" in message
    assert files_of(desk) == before


def test_a_run_close_by_is_named(noria: Command, desk: Path, trained: Path):
    shutil.copytree(trained, desk / "wheel-0001")
    assert "wheel-0001" in complaint(noria("sample", "wheel-001"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "--hiden-size", "3"], "Did you mean --hidden-size?"),
        (["sample", "somewhere", "--temprature", "1"], "Did you mean --temperature?"),
        (["trian"], 'Did you mean "train"?'),
        (["sample"], "RUN"),
        (["cell", "shwo"], "show"),
    ],
)
def test_wrong_usage_is_code_2(noria: Command, desk: Path, words: list[str], said: str):
    message = complaint(noria(*words), app.USAGE)
    assert said in message
    assert "--help" in message
    assert files_of(desk) == {}


def test_unknown_cells_name_the_nearest(noria: Command):
    assert "lstm" in complaint(noria("cell", "show", "lsmt"))
    assert "lstm" in complaint(noria("check", "lsmt"))


def test_evaluating_what_is_not_there(noria: Command, trained: Path, tmp_path: Path):
    assert "nowhere.txt" in complaint(noria("evaluate", trained, tmp_path / "nowhere.txt"))


def test_debug_raises(noria: Command, tmp_path: Path):
    with pytest.raises(OSError, match="nowhere"):
        noria("info", tmp_path / "nowhere", "--debug")


def test_a_fault_of_ours_is_said_to_be_ours(noria: Command, monkeypatch: pytest.MonkeyPatch):
    def fail(called: object) -> None:
        raise ZeroDivisionError("in the dark")

    monkeypatch.setattr(app, "build", fail)
    said = noria("info")
    assert said.code == app.FAILED
    assert "ZeroDivisionError: in the dark" in said.err
    assert "fault of Noria" in said.err
    assert "Traceback" not in said.err


def test_ctrl_c_outside_training(noria: Command, monkeypatch: pytest.MonkeyPatch):
    def interrupt(called: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "build", interrupt)
    assert noria("info").code == app.INTERRUPTED


def test_errors_are_plain_text_for_machines_too(noria: Command, tmp_path: Path):
    said = noria("info", tmp_path / "nowhere", "--json")
    assert said.out == ""
    with pytest.raises(json.JSONDecodeError):
        json.loads(said.err)


def test_a_file_of_another_name_is_no_cell(noria: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("cell.txt").write_text("h' = tanh(U @ h)\n", encoding="utf-8")
    said = noria("check", "cell.txt")
    assert said.code == 1
    assert "cell.txt: a file of equations ends in .eq" in said.err


def test_a_config_may_begin_with_a_mark_and_says_nothing_twice(noria: Command, tmp_path: Path):
    config = tmp_path / "options.toml"
    config.write_text("\ufeffhidden_size = 6\n", encoding="utf-8")
    assert noria("train", "--config", config, "--dry-run").code == 0
    config.write_text("hidden_size = 6\nrnn_size = 7\n", encoding="utf-8")
    said = noria("train", "--config", config, "--dry-run")
    assert said.code == 1
    assert "'rnn_size' stands there twice, under two names of one option" in said.err


def test_rows_are_not_trained_on_from_standard_input(noria: Command):
    assert "reads files, not standard input" in noria("train", "tag", "-").err


@pytest.mark.parametrize(
    ("option", "most"), [("hidden-size", 65536), ("embedding-size", 65536), ("num-layers", 1000)]
)
def test_sizes_that_no_machine_has_are_out_of_range(noria: Command, desk: Path, option: str, most: int):
    (desk / "in.txt").write_text("a rose is a rose. " * 60)
    message = complaint(noria("train", "in.txt", "--steps", 3, f"--{option}", 10**12))
    assert f", {most}]" in message
    assert [path.name for path in desk.iterdir()] == ["in.txt"]


def test_a_machine_without_enough_memory_is_no_fault_of_ours(
    noria: Command, desk: Path, monkeypatch: pytest.MonkeyPatch
):
    def none_left(self: object, *given: object, **named: object) -> None:
        raise MemoryError("Unable to allocate 9 GiB")

    (desk / "in.txt").write_text("a rose is a rose. " * 60)
    monkeypatch.setattr("noria.models.LanguageModel.prepare", none_left)
    said = noria("train", "in.txt", "--steps", 3, *SMALL)
    assert "not enough memory for this: Unable to allocate 9 GiB.\n" in complaint(said)
    assert "batches, windows or files need less" in said.err


def test_a_run_that_went_astray_is_not_told_to_go_on(noria: Command, desk: Path):
    (desk / "in.txt").write_text("a rose is a rose, and no more. " * 60)
    words = ["--steps", 30, "--optimizer", "sgd", "--lr", "100000", "--grad-clip", 0, *SMALL]
    said = noria("train", "in.txt", *words)
    assert said.code == 0
    assert "so does guessing, training went astray, try a lower lr." in said.err
    assert "more time" not in said.err
