"""The command line in this process, its output caught; and a small text and a small run to use it on."""

from pathlib import Path

import pytest

from cli_commands import SMALL, Command, Said
from noria.cli.app import run


@pytest.fixture
def noria(capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line: ``noria("train", "book.txt")``."""

    def command(*words: object) -> Said:
        capsys.readouterr()
        code = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return command


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text of a few thousand characters, with a letter beyond ASCII."""
    path = tmp_path_factory.mktemp("texts") / "book.txt"
    lines = [
        f"{k} señoras and {k * k % 97} ducks walked to the mill, and the wheel turned {k % 7} times.\n"
        for k in range(60)
    ]
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def trained(book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of three steps. Tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    assert run(["train", str(book), "--cell", "lstm", "--steps", "3", "--out", str(folder), *SMALL]) == 0
    return folder
