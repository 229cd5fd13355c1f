"""Built-in data by name: trained on with the options that stand with them, and measured."""

import json
from pathlib import Path

from cli_commands import Command
from noria.data.builtin_tasks import builtin_recipe
from noria.training import RunFolder


def test_a_language_that_counts(noria: Command, tmp_path: Path):
    run = tmp_path / "run"
    said = noria("train", "--data", "anbn-small", "--steps", "6", "--hidden-size", "3", "--out", run)
    assert said.code == 0, said.err
    assert "% of sequences right where it is certain" in said.err

    options = RunFolder.open(run).config["options"]
    recipe = builtin_recipe("anbn-small", "text").options
    assert options["cell"] == recipe["cell"]
    assert (options["lr"], options["hidden_size"]) == (recipe["lr"], 3)  # what is typed goes before it

    figures = json.loads(noria("evaluate", run, "--data", "anbn-small", "--json").out)
    report = RunFolder.open(run).read_json("report.json")
    assert {"certain_accuracy", "sequences_right", "right_to_length"} <= figures.keys()
    assert figures["certain_accuracy"] == report["test"]["certain_accuracy"]
    assert report["extra"]["every n"]["tokens"] == 143


def test_a_number_behind_the_name(noria: Command):
    said = noria("train", "classify", "--data", "recall:9", "--dry-run")
    assert said.code == 0, said.err
    assert "a gap of 9" in said.err
    said = noria("train", "classify", "--data", "recall:nine")
    assert said.code == 1
    assert "recall[:GAP]" in said.err
