"""The command of a report makes the run again, to the byte; its references can be found."""

import re
import shlex
from pathlib import Path

import pytest

from noria.cli.app import run as command_line
from noria.models.citing import used
from noria.models.loading import model_class
from noria.reports import reproduction
from noria.reports.references import plain_text, reference_lines
from noria.reports.reproduction import changed_options, compare_command, own_cell, train_command
from noria.studies.design import OF_THE_STUDY, parse_settings
from noria.training import RunFolder

MINE = "z  = sigmoid(W_z @ x + U_z @ h + b_z)\nh' = z * h + (1 - z) * tanh(W @ x + b)\n"


def made(words):
    assert command_line([str(word) for word in words]) == 0


def test_a_run_with_a_cell_and_options_of_ones_own_is_made_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my text.txt").write_text("".join(f"{k} ducks, {k * k} señoras\n" for k in range(90)))
    (tmp_path / "mine.eq").write_text(MINE)
    words = ["train", "my text.txt", "--cell", "mine.eq", "--hidden-size", 5, "--batch-size", 3, "--lr", 0.02]
    words += ["--seq-length", 9, "--dropout", 0.1, "--embedding-size", 5, "--tie-weights", "--seed", 7]
    words += ["--engine", "reference"]
    made([*words, "--steps", 4, "--out", "a"])
    config = RunFolder.open("a").config
    assert own_cell(config) == "mine"
    command = train_command(config, "b", "mine.eq")
    assert "--cell mine.eq" in command
    assert "--seed 7" in command
    made(shlex.split(command)[1:])
    one, other = ((tmp_path / name / "best.safetensors").read_bytes() for name in ("a", "b"))
    assert one == other
    changed = changed_options(config)
    assert changed["hidden_size"] == 5
    assert "beta1" not in changed
    compared = compare_command(config, ["mine.eq", "gru"], 5)
    assert "--set hidden_size=5" in compared
    assert compared.endswith("--cells mine.eq,gru --seeds 5 --steps 4")


def test_a_run_that_began_with_the_weights_of_another_is_made_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("".join(f"{k} ducks, {k * k} more\n" for k in range(90)))
    words = ["train", "text.txt", "--cell", "gru", "--hidden-size", 5, "--batch-size", 3]
    words += ["--engine", "reference"]
    made([*words, "--steps", 2, "--out", "my first"])
    made([*words, "--steps", 3, "--init-from", "my first", "--out", "a"])
    config = RunFolder.open("a").config
    command = train_command(config, "b", "")
    first = tmp_path / "my first"
    assert f"--init-from {shlex.quote(str(first.resolve()))} " in command
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "text.txt").write_text((tmp_path / "text.txt").read_text())
    monkeypatch.chdir(tmp_path / "elsewhere")
    made(shlex.split(command)[1:])
    runs = (tmp_path / "a", tmp_path / "elsewhere" / "b", first)
    one, other, first = ((run / "best.safetensors").read_bytes() for run in runs)
    assert one == other != first
    assert compare_command(config, ["gru"], 5) == ""  # a study begins with weights of its own


def settings_of(command):
    words = shlex.split(command)
    return [words[place + 1] for place, word in enumerate(words) if word == "--set"]


def test_the_comparison_of_a_run_takes_its_settings():
    options = model_class("text")(
        threads=2, seed=7, hidden_size=[5, 6], tie_weights=True, lr=0.03, cell="gru"
    )
    config = {
        "task": "text",
        "options": options.to_toml_dict(),
        "cells": [],
        "data": {"files": ["a.txt"], "kind": "text"},
        "run": {"steps": 9},
    }
    assert "--threads 2 " in train_command(config, "out", "")
    settings = settings_of(compare_command(config, ["gru"], 5))
    wanted = {"hidden_size": [5, 6], "tie_weights": True, "lr": 0.03, "softmax_samples": 0}
    assert parse_settings("text", settings) == wanted
    assert OF_THE_STUDY.keys() <= reproduction.OF_THE_STUDY


@pytest.mark.parametrize(
    ("data", "flags"),
    [
        ({"files": ["a.txt"], "kind": "sequences"}, "--lines"),
        ({"builtin": "python", "kind": "sequences"}, "--lines"),
        ({"files": ["a.txt"], "kind": "text", "asked_encoding": "latin-1"}, "--encoding latin-1"),
        ({"files": ["a.txt"], "kind": "text"}, ""),
        ({"builtin": "names", "kind": "sequences"}, ""),
    ],
)
def test_what_a_comparison_would_read_otherwise_has_no_command(data, flags):
    usual = {"features": "none" if data.get("builtin") == "names" else "auto"}
    config = {"task": "text", "options": usual, "cells": [], "data": data}
    train, compare = train_command(config, "out", ""), compare_command(config, ["gru"], 5)
    all_symbols = "--softmax-samples 0"  # what runs that do not name it were made with
    assert train == " ".join(f"noria train {_named(data)} {flags} {all_symbols} --out out".split())
    same = f"noria compare text {_named(data)} --set softmax_samples=0 --cells gru --seeds 5"
    assert compare == ("" if flags else same)
    of_table = {
        "options": {"text_column": "name", "features": "auto"},
        "data": {"files": ["a.csv"], "kind": "sequences"},
    }
    assert compare_command({**config, **of_table}, ["gru"], 5).startswith("noria compare text a.csv --set")


def _named(data):
    return f"--data {data['builtin']}" if "builtin" in data else " ".join(data["files"])


def test_what_a_recipe_sets_is_not_said_again(tmp_path, monkeypatch):
    from noria.data.builtin_tasks import builtin_recipe

    recipe = builtin_recipe("parity", "classify").options
    config = {
        "task": "classify",
        "options": {name: value for name, value in recipe.items() if name not in ("epochs", "steps")},
        "cells": [],
        "data": {"builtin": "parity", "source": "parity"},
        "run": {"steps": 9},
    }
    assert train_command(config, "out", "") == "noria train classify --data parity --steps 9 --out out"
    config["options"]["hidden_size"] = 3
    assert "--hidden-size 3 " in train_command(config, "out", "")


def test_options_that_a_run_of_before_does_not_name_stand_at_what_they_were():
    folder = Path(__file__).parents[1] / "models" / "run_of_format_1"
    config = {**RunFolder.open(folder).config, "data": {"files": ["a.txt"], "kind": "text"}}
    assert "features" not in config["options"]
    assert " --features none " in train_command(config, "out", "")
    assert "features=none" in settings_of(compare_command(config, ["gru"], 5))
    assert changed_options(config)["features"] == "none"


def test_what_was_switched_off_is_switched_off_again():
    options = model_class("tag")(bidirectional=False).to_toml_dict()
    config = {"task": "tag", "options": options, "cells": [], "data": {"files": ["a.conll"]}}
    assert train_command(config, "out", "") == "noria train tag a.conll --bidirectional=false --out out"
    assert command_line(["train", "tag", "nothing.conll", "--bidirectional=false"]) == 1  # no such file


def test_data_from_python_have_no_command():
    config = {"task": "tag", "options": {}, "cells": [], "data": {"source": "a list of 3 sequences"}}
    assert train_command(config, "out", "") == ""
    assert compare_command(config, ["gru"], 5) == ""
    piped = {**config, "data": {"files": ["<stdin>"], "source": "standard input"}}
    assert train_command(piped, "out", "") == compare_command(piped, ["gru"], 5) == ""


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"K{\"u}rgen and \v{C}ernock{\'y}", "Kürgen and Černocký"),
        (r"Ha{\c{s}}im {\v{s}} Micha{\l}", "Haşim š Michał"),
        (r"{LSTM}: Optim of {GPU}s \& more 1--2", "LSTM: Optim of GPUs & more 1–2"),
    ],
)
def test_bibtex_is_read(written, read):
    assert plain_text(written) == read


def test_every_paper_has_a_line_and_an_address():
    from importlib.resources import files

    source = (files("noria.models") / "references.bib").read_text(encoding="utf-8")
    keys = re.findall(r"^@\w+\{(\w+),", source, re.M)
    for key, (text, url) in zip(keys, reference_lines(keys), strict=True):
        assert not set(text) & set("{}\\"), text
        assert text.endswith(".")
        assert url.startswith("https://") or key == "noria"
    lines = dict(zip(keys, reference_lines(keys), strict=True))
    assert lines["hochreiter1997"] == (
        "Hochreiter & Schmidhuber 1997. Long short-term memory. Neural Computation.",
        "https://doi.org/10.1162/neco.1997.9.8.1735",
    )
    assert lines["mikolov2010"][0].startswith("Mikolov et al. 2010. ")
    assert next(iter(used({"task": "text"}, {}))) == "noria"
