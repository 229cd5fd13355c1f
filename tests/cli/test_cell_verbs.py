"""``noria cell`` and ``noria check``: what is derived from a cell, shown."""

import json
import math
import re

import numpy as np
import pytest

from cli_commands import Command
from noria.engines.native.code import Numbers
from noria.engines.native.host import host
from noria.engines.native.tiles import tile_shape
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


def test_the_kernel_that_runs(noria: Command):
    said = noria("cell", "show", "lstm", "--kernel", "--input-size", 5, "--hidden-size", 19)
    assert (said.code, said.err) == (0, "")
    heading, *rest = said.out.splitlines()
    lanes, shape = host().vector_bytes // 4, tile_shape(Numbers(np.dtype(np.float32)))
    assert re.fullmatch(
        rf"; lstm · native: \S+, {lanes} float32 at once, .* · D = 5, H = 19 · float32 · "
        rf"register tile {shape.rows} rows x {shape.vectors} vectors · compiled in \d+ ms",
        heading,
    )
    ir, assembly = "\n".join(rest).split("\n; Assembly\n")
    assert ir.startswith("\n; LLVM IR, as generated\n")
    for function in ("forward", "backward"):
        assert re.search(rf'^define void @"{function}"\(', ir, re.MULTILINE)
        assert re.search(rf"^_?{function}:", assembly, re.MULTILINE)
    assert f"<{lanes} x float>" in ir
    assert f"<{lanes} x double>" not in ir


def test_the_kernel_as_json(noria: Command):
    told = json.loads(
        noria("cell", "show", "indrnn", "--kernel", "--hidden-size", 21, "--dtype", "float64", "--json").out
    )
    lanes = host().vector_bytes // 8
    assert (told["cell"], told["engine"], told["dtype"], told["sizes"]) == (
        "indrnn",
        "native",
        "float64",
        {"D": 64, "H": 21},
    )
    assert told["milliseconds"] > 0
    assert f"{lanes} float64 at once" in told["processor"]
    assert f"<{lanes} x double>" in told["ir"]
    assert re.search(r'define void @"?backward"?\(', told["ir"])
    assert "float>" not in told["ir"]
    assert re.search(r"^_?backward:", told["assembly"], re.MULTILINE)


def test_latex_and_kernel_are_two_answers(noria: Command):
    said = noria("cell", "show", "rnn", "--kernel", "--latex")
    assert (said.code, said.out) == (1, "")
    assert "expected --latex or --kernel, got both" in said.err


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
