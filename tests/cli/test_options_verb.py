"""``noria options``, and the table in docs/options.md, which is what it writes."""

import json
from pathlib import Path

import pytest

from cli_commands import Command
from noria.cli.options import option_table
from noria.models.loading import MODELS, model_class
from noria.training.options import Budget, SamplingOptions, options_of

PAGE = Path(__file__).parents[2] / "docs" / "options.md"


def test_the_page_is_what_the_command_writes(noria: Command):
    assert PAGE.read_text(encoding="utf-8") == noria("options").out, "noria options > docs/options.md"


@pytest.mark.parametrize("task", MODELS)
def test_every_option_stands_there_once_with_a_reason(task: str):
    classes = [model_class(task), Budget, *([SamplingOptions] if task == "text" else [])]
    infos = [info for one in classes for info in options_of(one) if not info.option.hidden]
    rows = option_table([task])
    assert sorted(row.option for row in rows) == sorted(info.name for info in infos)
    assert not [row.option for row in rows if not row.why.strip().endswith(".")]
    assert {row.tasks for row in rows} == {(task,)}


def test_a_default_of_several_tasks_is_one_row():
    rows = [row for row in option_table(MODELS) if row.option == "hidden_size"]
    assert {row.tasks: row.default for row in rows} == {
        ("text",): "256; from 3 minutes 384 (characters), 256 (words, subwords)",
        ("classify", "regress"): "64",
        ("tag",): "128",
        ("forecast",): "32",
        ("translate",): "128",
    }


def test_what_a_default_depends_on_is_said(noria: Command):
    rows = {row["option"]: row for row in json.loads(noria("options", "text", "--json").out)}
    assert rows["embedding_size"]["default"] == "64 (characters, subwords), 128 (words)"
    assert rows["recurrent_dropout"]["default"] == (
        "0; from 14 passes 0.1; from 28 passes 0.2; from 40 passes 0.3"
    )
    assert rows["dropout"]["default"] == (
        "0.3; from 40 passes 0.5 (characters, subwords), 0; from 4 passes 0.2; from 8 passes 0.4 (words)"
    )
    assert rows["lr"]["default"] == "none"
    assert rows["layer_norm"]["default"] == "off"


def test_of_one_task_no_column_says_which(noria: Command):
    said = noria("options", "tag")
    assert said.code == 0
    assert "| `crf` |" in said.out
    assert "`horizon`" not in said.out
    assert "| of |" not in said.out
    assert "| of |" in noria("options").out


def test_an_unknown_task_is_named(noria: Command):
    said = noria("options", "txt")
    assert said.code == 1
    assert "expected a task, one of text, classify, " in said.err
    assert "Got 'txt'. Did you mean 'text'?" in said.err
    assert not said.out
