"""What a run should cite."""

import re
from importlib.resources import files

import pytest

from noria.equations import cells
from noria.models.citing import BASELINES, CELLS, CHOSEN, OF_TASK, SWITCHED_ON, bibliography, used
from noria.models.loading import MODELS, model_class
from noria.training.options import options_of

OPTIONS = [info for task in MODELS for info in options_of(model_class(task))]
TABLES = (CELLS, CHOSEN, SWITCHED_ON, OF_TASK, BASELINES)
KEYS = {"noria"} | {key for table in TABLES for keys in table.values() for key in keys}


def config(cell="lstm", text=None, **options):
    text = cells.get(cell).text if text is None else text
    return {"task": "text", "options": options, "cells": [{"name": cell, "text": text}]}


def test_every_cell_that_ships_has_its_paper():
    assert set(CELLS) == set(cells.names())


def test_the_table_speaks_of_options_that_there_are():
    assert set(SWITCHED_ON) <= {info.name for info in OPTIONS}
    for option, value in CHOSEN:
        assert any(info.name == option and value in info.option.choices for info in OPTIONS), (option, value)
    assert set(MODELS) <= set(OF_TASK)


def test_a_span_is_cited_where_there_is_attention():
    assert "daniluk2017" in used(config(attention="dot", attention_span=32), {})
    assert "daniluk2017" not in used(config(attention="none", attention_span=32), {})


def test_every_key_has_an_entry_and_every_entry_is_whole():
    text = bibliography(sorted(KEYS))
    for entry in text.strip().split("\n\n"):
        assert re.match(r"@(article|inproceedings|incollection|misc|software)\{\w+,\n  author = \{", entry)
        assert entry.endswith("\n}")
        assert entry.count("{") == entry.count("}")
        assert re.search(r"(year|version) = \{[\d.]+\}\n\}$", entry)
    assert len(re.findall("^@", text, re.M)) == len(KEYS)
    source = (files("noria.models") / "references.bib").read_text(encoding="utf-8")
    assert set(re.findall(r"^@\w+\{(\w+),", source, re.M)) == KEYS


def test_what_a_run_used_is_cited_and_nothing_else():
    run = config(optimizer="adam", schedule="cosine", grad_clip=1.0, zoneout=0.1, dropout=0.0, patience=0)
    found = used(run, {"baseline": {"name": "Kneser-Ney 5-gram"}})
    assert list(found) == [
        "noria", "mikolov2010", "williams1990", "hochreiter1997", "gers2000", "jozefowicz2015", "kingma2015",
        "loshchilov2017", "pascanu2013", "krueger2017", "kneser1995",
        "chen1999",
    ]  # fmt: skip
    assert found["krueger2017"] == ["zoneout"]
    assert found["chen1999"] == ["Kneser-Ney 5-gram"]


@pytest.mark.parametrize("cell", ["mine", "gru"])
def test_a_cell_of_ones_own_has_no_paper_here_whatever_its_name(cell):
    assert "cho2014" not in used(config(cell, "h' = tanh(W @ x + U @ h + b)"), {})


@pytest.mark.parametrize(
    ("options", "cited"),
    [
        ({"attention": "additive", "attention_span": 9}, {"bahdanau2015", "daniluk2017"}),
        ({"attention": "dot"}, {"luong2015"}),
        ({"level": "words"}, {"witten1991"}),
        ({"batch_norm": True}, {"ioffe2015", "laurent2016"}),
        ({"dropout": 0.1}, {"srivastava2014", "zaremba2014"}),
    ],
)
def test_what_the_options_name_is_cited(options, cited):
    assert set(used(config(**options), {})) - set(used(config(), {})) == cited
