"""Tagging on the command line: from a file of columns to tags for another one."""

import json
import re

import pytest

from cli_commands import Command

SMALL = ["--hidden-size", "4", "--embedding-size", "3", "--spelling-size", "2", "--engine", "reference"]
COLUMNS = "the\tDT\nmill\tNN\n\nit\tPRP\nturns\tVB\n\n" * 10


@pytest.fixture(scope="module")
def columns(tmp_path_factory):
    path = tmp_path_factory.mktemp("tagged") / "some.conll"
    path.write_text(COLUMNS)
    return path


def test_a_file_is_learnt_measured_and_tagged(noria: Command, columns, tmp_path):
    run, new = tmp_path / "run", tmp_path / "new.conll"
    said = noria("train", "tag", columns, "--steps", 2, "--out", run, *SMALL)
    assert said.code == 0, said.err
    assert "20 sequences" in said.err
    assert "words in column 1 of 2, tags in column 2" in said.err
    assert "of tokens right" in said.err
    figures = json.loads(noria("evaluate", run, columns, "--json").out)
    assert figures["tokens"] == 40
    assert set(figures["classes"]) == {"DT", "NN", "PRP", "VB"}
    new.write_text("the\nturns\n\nmill\n")
    said = noria("predict", run, new)
    assert [line.split("\t")[0] for line in said.out.splitlines()] == ["the", "turns", "", "mill", ""]
    rows = [json.loads(line) for line in noria("predict", run, new, "--json").out.splitlines()]
    assert [row["tokens"] for row in rows] == [["the", "turns"], ["mill"]]
    new.write_text("the\tDT\nmill\tXX\n")
    said = noria("evaluate", run, new)
    assert said.code != 0
    assert "new.conll, line 2, column 2: the tag 'XX' is none of those" in said.err
    assert "Traceback" not in said.err
    new.write_text("the\tDT\n\nmill\tXX\n")
    said = noria("evaluate", run, new, "--leave-out-unknown")
    assert said.code == 0
    assert re.search(r"left out +1\n", said.out)
    assert re.search(r"unknown tags\n +XX +1\n", said.out)


def test_a_file_that_is_not_as_it_should_be_is_named_with_its_line(noria: Command, tmp_path):
    path = tmp_path / "ragged.conll"
    path.write_text("the\tDT\nmill\tNN\tx\n")
    said = noria("train", "tag", path, "--steps", 1)
    assert said.code != 0
    assert "ragged.conll, line 2: expected 2 columns, as the first line has, got 3" in said.err
