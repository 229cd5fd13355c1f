"""The tagger from files, and to them: columns, word/TAG lines, Python source; in order, as they come."""

import os

import pytest
from tag_sentences import SMALL, sentences

from noria import load
from noria.data.builtin_tasks import BuiltinParts
from noria.errors import DataError
from noria.models.tag.predicting import Predictor
from noria.models.tag.tagger import SequenceTagger


def columns(pairs):
    return "\n".join("".join(f"{w}\t{t}\n" for w, t in zip(*pair, strict=True)) for pair in pairs)


def slashed(pairs):
    return "".join(" ".join(f"{w}/{t}" for w, t in zip(*pair, strict=True)) + "\n" for pair in pairs)


PAIRS = list(zip(*sentences(40), strict=True))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The run folder of a model of words, trained on columns."""
    folder = tmp_path_factory.mktemp("tag")
    (folder / "train.conll").write_text(columns(PAIRS))
    SequenceTagger(**SMALL).fit(folder / "train.conll", steps=40, out=folder / "run")
    return folder / "run"


@pytest.mark.parametrize(("name", "write"), [("a.conll", columns), ("a.txt", slashed)])
def test_a_file_is_learnt_whichever_its_layout(tmp_path, name, write):
    path = tmp_path / name
    path.write_text(write(PAIRS))
    model = SequenceTagger(**SMALL).fit(path, steps=2)
    beside = SequenceTagger(**SMALL).fit(*zip(*PAIRS, strict=True), steps=2)
    assert model.report_["test"] == beside.report_["test"]
    assert model.evaluate(path)["tokens"] == sum(len(words) for words, _ in PAIRS)
    assert model.description_.data.source == str(path)
    assert "40 sequences" in model.description_.data.summary()
    assert model.fit([path, path], steps=1).description_.data.sequences == (68, 4, 8)


def test_rows_are_tagged_in_order_with_tags_or_without(trained, tmp_path):
    model = load(trained)
    with_tags, words_only = tmp_path / "some.conll", tmp_path / "words.conll"
    with_tags.write_text(columns(PAIRS[:9]))
    words_only.write_text("\n".join("".join(f"{w}\n" for w in words) for words, _ in PAIRS[:9]))
    rows = list(model.predict_rows(with_tags))
    assert [row["tokens"] for row in rows] == [words for words, _ in PAIRS[:9]]
    assert [row["tags"] for row in rows] == model.predict([words for words, _ in PAIRS[:9]])
    assert list(model.predict_rows(words_only)) == rows
    assert model.shown(rows[0]).splitlines()[0] == f"{PAIRS[0][0][0]}\t{PAIRS[0][1][0]}"
    assert model.shown({"tokens": ["[b]"], "tags": ["DT"]}, colour=True) == r"\[b][cyan]/DT[/]"


def test_lines_of_words_are_sequences_for_a_model_of_slashed_ones(tmp_path):
    (tmp_path / "a.txt").write_text(slashed(PAIRS))
    model = SequenceTagger(**SMALL, layout="slashed").fit(tmp_path / "a.txt", steps=2)
    (tmp_path / "plain.txt").write_text("the mill turns\nto grinding\n")
    rows = list(model.predict_rows(tmp_path / "plain.txt"))
    assert [row["tokens"] for row in rows] == [["the", "mill", "turns"], ["to", "grinding"]]
    (tmp_path / "tagged.txt").write_text("the/X mill/X turns/X\nto/X grinding/X\n")
    assert list(model.predict_rows(tmp_path / "tagged.txt")) == rows


def test_sentences_of_words_are_tagged_whole_by_a_model_of_columns(trained, tmp_path):
    model = load(trained)
    assert (model.schema_.file_columns, model.schema_.by_tab) == (2, True)
    path = tmp_path / "plain.txt"
    path.write_text("the mill turns\n\nto mill\n")
    rows = list(model.predict_rows(path))
    assert [row["tokens"] for row in rows] == [["the", "mill", "turns"], ["to", "mill"]]
    assert [row["tags"] for row in rows] == model.predict([row["tokens"] for row in rows])
    with path.open() as stream:
        assert list(model.predict_rows(stream)) == rows


def test_a_run_that_does_not_say_its_columns_is_read_and_gone_on_with(trained):
    schema = load(trained).schema_
    data = schema.to_dict()
    del data["file_columns"], data["by_tab"]
    older = type(schema).from_dict(data, "schema.json")
    assert older.file_columns == 0
    assert older.to_dict() == data
    assert older.differences(schema) == []


def test_rows_of_a_stream_are_answered_before_it_ends(trained, monkeypatch):
    model = load(trained)
    monkeypatch.setattr("noria.models.tag.predicting.TOGETHER", 1)
    out, into = os.pipe()
    with os.fdopen(out) as reader, os.fdopen(into, "w") as writer:
        writer.write("the\tX\nmill\tX\n\nto\tX\n\n")
        writer.flush()
        rows = model.predict_rows(reader)
        assert next(rows)["tokens"] == ["the", "mill"]
        writer.close()
        assert next(rows)["tokens"] == ["to"]


def test_an_unknown_tag_is_named_with_file_and_line(trained, tmp_path):
    path = tmp_path / "new.conll"
    path.write_text("the\tDT\n\nthe\tDT\nmill\tNNS\n\nthe\tXY\nthe\tXY\n")
    with pytest.raises(DataError) as caught:
        load(trained).evaluate(path)
    first, *_, counted, advice = str(caught.value).splitlines()
    assert "new.conll, line 4, column 2: the tag 'NNS' is none of those" in first
    assert first.endswith("Did you mean 'NN'?")
    assert counted == "  3 of 5 tokens have tags that are unknown: 'XY' (2), 'NNS' (1)."
    assert "--leave-out-unknown" in advice
    figures = load(trained).evaluate(path, leave_out_unknown=True)
    assert (figures["tokens"], figures["left_out"]) == (1, 2)
    assert figures["unknown_tags"] == {"XY": 2, "NNS": 1}
    path.write_text("the\tXY\nmill\tNN\n")
    for leave_out in (False, True):
        with pytest.raises(DataError, match=r"1 of 2 tokens .*\n  No sequence is left without them: is it"):
            load(trained).evaluate(path, leave_out_unknown=leave_out)
    path.write_text("the\tDT\nmill\tNN\tNN\n")
    with pytest.raises(DataError, match=r"new\.conll, line 2: expected 2 columns"):
        load(trained).evaluate(path)
    with pytest.raises(DataError, match="nowhere"):
        list(load(trained).predict_rows(tmp_path / "nowhere.conll"))


SOURCE = 'def f(x):  # why\n    """Say so,\n    at length."""\n    return x + 17\n\n\n'


@pytest.fixture(scope="module")
def highlighter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("python")
    for number in range(4):
        (folder / f"m{number}.py").write_text(SOURCE.replace("17", str(number)) * 2)
    model = SequenceTagger(**{**SMALL, "hidden_size": 12}, layout="python", valid_fraction=0.25)
    return model.set_params(test_fraction=0.25).fit(folder, steps=40)


def test_python_is_tagged_by_type_of_token_and_cut_by_file(highlighter):
    data = highlighter.description_.data
    assert data.level == "characters"
    assert data.sequences == (2, 1, 1)
    assert list(highlighter.classes_) == [
        "comment", "keyword", "name", "number", "operator", "string", "whitespace",
    ]  # fmt: skip
    assert highlighter.report_["test"]["accuracy"] > highlighter.report_["baseline"]["accuracy"]
    row = {
        "text": "x[0] # a",
        "tags": ["name", "operator", "number", "operator", "whitespace"] + ["comment"] * 3,
    }
    assert highlighter.shown(row, colour=True).startswith("[default]x[/][yellow][[/][cyan]0[/]")
    assert highlighter.shown(row).startswith("x\tname\n[\toperator\n")


def test_lines_of_a_text_are_tagged_with_what_stands_around_them(highlighter, tmp_path, monkeypatch):
    path = tmp_path / "new.py"
    path.write_text(SOURCE * 3)
    rows = list(highlighter.predict_rows(path))
    assert [row["text"] for row in rows] == (SOURCE * 3).splitlines()
    assert all(len(row["tags"]) == len(row["text"]) for row in rows)
    (whole,) = highlighter.predict([SOURCE * 3])
    assert [tag for row in rows for tag in row["tags"]] == [
        tag for tag, sign in zip(whole, SOURCE * 3, strict=True) if sign != "\n"
    ]
    monkeypatch.setattr("noria.models.tag.predicting.BLOCK", 60)
    monkeypatch.setattr("noria.models.tag.predicting.CONTEXT", 400)
    assert list(highlighter.predict_rows(path)) == rows
    predictor = Predictor(highlighter.network_, highlighter.schema_)
    assert [row["text"] for row in predictor.lines(["a\r\n", "b"])] == ["a", "b"]
    assert highlighter.evaluate(path)["tokens"] == len(SOURCE * 3)


def test_what_is_no_python_is_named_with_its_place(highlighter, tmp_path):
    path = tmp_path / "bad.py"
    path.write_text("x = 1\ny = ?\n")
    with pytest.raises(DataError, match=r"bad\.py, line 2, column 5: expected Python"):
        highlighter.evaluate(path)


def test_built_in_parts_are_trained_and_tested_on_as_they_are():
    some = [list(part) for part in zip(*PAIRS, strict=True)]
    parts = BuiltinParts(
        tuple(part[:20] for part in some),
        "forty sentences",
        tuple(part[20:25] for part in some),
        tuple(part[25:] for part in some),
        {"short": tuple(part[:3] for part in some)},
    )
    model = SequenceTagger(**SMALL).fit(parts, steps=5)
    assert model.description_.data.sequences == (20, 5, 15)
    assert model.description_.data.source == "forty sentences"
    assert model.report_["test"]["accuracy"] == model.evaluate(parts.test)["accuracy"]
    assert model.report_["extra"]["short"]["accuracy"] == model.evaluate(parts.extra["short"])["accuracy"]
    assert model.fit(BuiltinParts(parts.train, "twenty"), steps=1).description_.data.sequences == (17, 1, 2)


def test_lines_without_words_keep_their_place(tmp_path, monkeypatch):
    monkeypatch.setattr("noria.models.tag.predicting.TOGETHER", 2)
    path = tmp_path / "a.txt"
    path.write_text(slashed(PAIRS))
    model = SequenceTagger(**SMALL).fit(path, steps=1)
    path.write_text("\nthe mill\n\n \n\nthe\n")
    rows = list(model.predict_rows(path))
    assert [row["tokens"] for row in rows] == [[], ["the", "mill"], [], [], [], ["the"]]
    assert [len(row["tags"]) for row in rows] == [0, 2, 0, 0, 0, 1]
    assert [rows[1]["tags"], rows[5]["tags"]] == model.predict([["the", "mill"], ["the"]])
    path.write_text("the/DT mill/NN\n\nthe/DT\n")
    assert [row["tokens"] for row in model.predict_rows(path)] == [["the", "mill"], [], ["the"]]
    assert model.evaluate(path)["tokens"] == 3
