"""``noria cell`` and ``noria check``: what is derived from a cell, shown."""

import json
import math

import pytest

from cli_commands import Command
from noria.equations import Cell, cells
from noria.inspection import GradientReport, GradientRow


def test_the_list_has_every_cell_and_its_paper(noria: Command):
    said = noria("cell", "list")
    rows = {line.split()[0]: line for line in said.out.splitlines()[1:]}
    assert set(rows) == set(cells.names())
    assert "h, c" in rows["lstm"]
    assert "Hochreiter & Schmidhuber 1997" in rows["lstm"]
    told = json.loads(noria("cell", "list", "--json").out)
    assert {entry["name"]: entry["text"] for entry in told} == {
        name: cells[name].text for name in cells.names()
    }


@pytest.mark.parametrize("name", cells.names())
def test_everything_that_is_derived_is_shown(noria: Command, name: str):
    said = noria("cell", "show", name)
    assert said.code == 0
    for title in ("Equations", "Parameters", "LaTeX", "Backward", "Program", "Cost of one step"):
        assert f"\n{title}" in said.out
    for parameter in cells[name].parameters:
        assert f"\n  {parameter.name} " in said.out


def test_the_counts_follow_the_sizes(noria: Command):
    told = json.loads(noria("cell", "show", "lstm", "--input-size", 3, "--hidden-size", 5, "--json").out)
    counts = {row["name"]: row["count"] for row in told["parameters"]}
    assert counts["W_i"] == 15
    assert counts["U_o"] == 25
    assert counts["b_f"] == 5
    assert told["cost"]["parameters"] == sum(counts.values()) == 4 * (15 + 25 + 5)
    assert {row["name"]: row["initial"] for row in told["parameters"]}["b_f"] == "constant(1)"
    assert Cell.parse(told["text"], name="lstm") == cells.lstm


def test_latex_alone(noria: Command):
    out = noria("cell", "show", "rnn", "--latex").out
    assert out.startswith(r"\begin{aligned}")
    assert r"\tanh" in out
    assert r"\delta" in out
    assert "Parameters" not in out


def test_sizes_below_one_are_refused(noria: Command):
    said = noria("cell", "show", "rnn", "--hidden-size", 0)
    assert said.code == 1
    assert "'hidden_size'" in said.err


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_right_gradient_passes(noria: Command, dtype: str):
    said = noria("check", "gru", "--dtype", dtype, "--seed", 3)
    assert said.code == 0
    names = {line.split()[0] for line in said.out.splitlines()}
    assert {parameter.name for parameter in cells.gru.parameters} <= names
    assert "all agree" in said.err
    told = json.loads(noria("check", "gru", "--json").out)
    assert told["ok"] is True
    assert all(row["error"] <= row["tolerance"] for row in told["rows"])


def test_a_wrong_gradient_is_code_1(noria: Command, monkeypatch: pytest.MonkeyPatch):
    wrong = GradientRow("W_z", (7, 4), 1.0, 0.5, 1e-12)
    unknown = GradientRow("U_z", (7, 7), 1.0, math.nan, 1e-12)
    right = GradientRow("b_z", (7,), 1.0, 0.0, 1e-12)
    report = GradientReport("gru", "float64", "reference", (wrong, unknown, right))
    monkeypatch.setattr("noria.inspection.check_gradients", lambda *_, **__: report)
    said = noria("check", "gru")
    assert said.code == 1
    assert [line.split()[-1] for line in said.out.splitlines()[1:]] == ["WRONG", "WRONG", "ok"]
    assert "2 of 3 are wrong" in said.err
    told = noria("check", "gru", "--json")
    assert told.code == 1
    assert [row["ok"] for row in json.loads(told.out)["rows"]] == [False, False, True]
