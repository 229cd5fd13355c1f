"""The verbs that look inside: explain, gradient, draw, summary."""

import json
import shutil
from pathlib import Path

import pytest

from cli_commands import Command


def test_explain_says_what_was_read_recorded_and_answered(
    noria: Command, trained: Path, tmp_path: Path
) -> None:
    said = noria("explain", trained, "--text", "-duck")
    assert said.code == 0
    assert "i f g o c h" in said.out
    assert "came: u" in said.out
    assert not list(tmp_path.iterdir())
    said = noria(
        "explain", trained, "--text", "ducks", "--part", "1:4", "--out", tmp_path, "--json", "--units", "0,5"
    )
    found = json.loads(said.out)
    assert found["steps"] == ["^", "u", "c", "k"]
    assert (tmp_path / "values.npz").exists()
    assert (tmp_path / "units-h.html").exists()
    assert len(found["files"]) == len(list(tmp_path.iterdir()))
    whole = json.loads(noria("explain", trained, "--text", "du", "--json").out)
    assert len(whole["arrays"]["recurrent.0/i"]) == 3


def test_explain_reads_a_part_of_a_file(noria: Command, trained: Path, book: Path) -> None:
    found = json.loads(noria("explain", trained, "--data", book, "--part", "0:3", "--json").out)
    assert found["steps"] == ["^", *book.read_text(encoding="utf-8")[:3]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "expected an input to look at"),
        (["--text", "a", "--data", "b"], "--text and --data both name an input"),
        (["--data", "nothing.txt"], "nothing.txt: there is no such file"),
        (["--text", "abc", "--part", "3"], "--part: expected two numbers"),
        (["--text", "abc", "--units", "a"], "--units: expected numbers"),
        (["--text", "abc", "--units", "6"], "the units 0 to 5, got 6"),
        (["--text", "abc", "--value", "hh"], "have no value 'hh'. Did you mean 'h'?"),
        (["--text", "abc", "--layer", "recurrent.1"], "Did you mean 'recurrent.0'?"),
    ],
)
def test_what_cannot_be_looked_at_is_said(
    noria: Command, trained: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    said = noria("explain", trained, *words, "--out", tmp_path / "out")
    assert said.code == 1
    assert message in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "out").exists()


def test_gradient_compares_runs(noria: Command, trained: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(trained, other)
    said = noria("gradient", trained, other, "--text", "the mill turned", "--out", tmp_path / "g")
    assert said.code == 0
    assert f"{trained}: predicting 'd' after 15 steps" in said.out
    assert "below 1/1000 from" in said.out
    figures = json.loads((tmp_path / "g" / "gradient.json").read_text())
    assert len(figures["runs"][str(other)]["layers"][0]["norms"]) == 16
    assert (tmp_path / "g" / "gradient.svg").exists()
    said = noria("gradient", trained, "--text", "the mill", "--at", "2", "--json")
    assert json.loads(said.out)["runs"][str(trained)]["loss_of"].startswith("predicting 'e' after 3")


def test_gradient_shows_what_matrices_do(noria: Command) -> None:
    found = json.loads(noria("gradient", "--spectral", "--json").out)
    assert [round(one["norm"], 6) for one in found["matrices"][:3]] == [0.5, 1.0, 1.5]
    said = noria("gradient")
    assert said.code == 1
    assert "run folders, --spectral or --recall" in said.err


def test_draw_and_summary(noria: Command, trained: Path, tmp_path: Path) -> None:
    said = noria("draw", trained, "--out", tmp_path / "p")
    assert said.code == 0
    assert "many to many" in (tmp_path / "p" / "network.svg").read_text(encoding="utf-8")
    assert (tmp_path / "p" / "network.png").exists()
    said = noria("summary", trained)
    assert "operations: 2 for a multiply-add" in said.err
    assert "nn.LSTM" in said.err
    assert "redundant" in said.err
    found = json.loads(noria("summary", trained, "--json").out)
    info = json.loads(noria("info", trained, "--json").out)
    assert found["parameters"] == info["parameters"] == sum(one["parameters"] for one in found["layers"])
    said = noria("summary", tmp_path)
    assert said.code == 1
    assert "Traceback" not in said.err


@pytest.mark.parametrize("name", ["x.svg", "deep/X.PNG"])
def test_a_picture_that_is_named_is_that_file(
    noria: Command, trained: Path, tmp_path: Path, name: str
) -> None:
    begins = b"\x89PNG" if name.endswith("PNG") else b"<?xml"
    for words in (["draw", trained], ["gradient", trained, "--text", "the mill"]):
        place = tmp_path / words[0] / name
        said = noria(*words, "--out", place)
        assert said.code == 0
        assert said.err.splitlines()[-1] == f"Wrote   {place}"
        assert place.read_bytes().startswith(begins)
        assert list(place.parent.iterdir()) == [place], "nothing else is left there"
    place.write_text("old")
    found = json.loads(noria("draw", trained, "--out", place, "--json").out)
    assert found["files"] == [str(place)]
    assert place.read_bytes().startswith(begins), "it is written over"


def test_a_picture_that_cannot_be_is_refused_before_anything_is_computed(
    noria: Command, trained: Path, tmp_path: Path
) -> None:
    for words, message in (
        (["draw", trained, "--out", "x.pdf"], "a picture is written as .svg or .png, got .pdf"),
        (["gradient", tmp_path / "nowhere", "--text", "a", "--out", "x.gif"], "got .gif"),
        (["explain", tmp_path / "nowhere", "--text", "a", "--out", "x.svg"], "expected a folder, since many"),
    ):
        said = noria(*words)
        assert said.code == 1
        assert message in said.err
    (tmp_path / "file").write_text("no folder")
    said = noria("draw", trained, "--out", tmp_path / "file" / "x.svg")
    assert said.code == 1
    assert "x.svg: cannot be written" in said.err
    assert "Traceback" not in said.err
    assert noria("draw", trained, "--out", tmp_path / "v1.2").code == 0
    assert (tmp_path / "v1.2" / "network.svg").exists(), "a folder may have a point in its name"
