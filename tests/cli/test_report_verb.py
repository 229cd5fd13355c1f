"""``noria report``, as it is typed."""

import json
import shutil
from pathlib import Path

import pytest

from cli_commands import Command


def test_a_report_is_written_and_said(noria: Command, trained: Path, tmp_path: Path) -> None:
    place, read = tmp_path / "report", tmp_path / "read.txt"
    read.write_text("3 señoras walked")
    said = noria("report", trained, "--out", place, "--lang", "es", "--data", read, "--threads", 1, "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert found["report"] == str(place)
    assert "en la parte de prueba" in found["conclusions"][0]
    assert sorted(path.name for path in place.iterdir()) == [
        "figures", "report.html", "report.md", "report.pdf", "results.json",
    ]  # fmt: skip
    assert f"Qué se lee: {read}, 0." in (place / "report.md").read_text(encoding="utf-8")
    assert "report.pdf" in said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--text", "a", "--data", "b"], "--text and --data both name an input"),
        (["--data", "nothing.txt"], "nothing.txt"),
        (["--out", "taken"], "holds more than a report (thesis.tex)"),
        (["--lang", "fr"], "fr"),
    ],
)
def test_what_cannot_be_reported_is_said(
    noria: Command,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.tex").write_text("")
    said = noria("report", trained, *words)
    assert said.code != 0
    assert message in said.err
    assert "Traceback" not in said.err
    assert not (trained / "report").exists()


def test_folders_of_another_kind_are_refused(noria: Command, trained: Path, tmp_path: Path) -> None:
    said = noria("report", tmp_path / "nowhere")
    assert (said.code, "there is no such run" in said.err) == (1, True)
    said = noria("report", tmp_path)
    assert (said.code, "is not a run" in said.err) == (1, True)
    (tmp_path / "study.json").write_text("{}")
    said = noria("report", tmp_path)
    assert (said.code, "damaged" in said.err) == (1, True)
    said = noria("report", tmp_path, "--text", "a")
    assert "of a run, not of a study" in said.err
    broken = tmp_path / "broken"
    shutil.copytree(trained, broken)
    (broken / "config.toml").write_text("format = 1\ntask = 'text'\n")
    said = noria("report", broken)
    assert (said.code, "damaged" in said.err) == (1, True)
    assert not (broken / "report").exists()


@pytest.mark.parametrize(
    "words", [["explain", "--text", "a"], ["gradient", "--text", "a"], ["draw"], ["summary"], ["cite"]]
)
def test_folders_that_are_no_run_are_not_looked_into(
    noria: Command, tmp_path: Path, words: list[str]
) -> None:
    verb, *rest = words
    (tmp_path / "study.json").write_text("{}")
    for folder, message in (("nowhere", "there is no such run"), (".", "is not a run")):
        said = noria(verb, tmp_path / folder, *rest)
        assert said.code == 1
        assert message in said.err
        assert "Traceback" not in said.err
