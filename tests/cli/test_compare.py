"""``noria compare`` and ``noria check FILE.py``, as they are typed."""

import json
from pathlib import Path

import pytest

OWN = Path(__file__).parents[1] / "inspection" / "own_code"


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_recipes_are_listed(noria):
    said = noria("compare", "--recipes")
    assert said.code == 0
    assert "min-char-rnn" in said.out
    assert len(json.loads(noria("compare", "--recipes", "--json").out)) > 15


def test_a_dry_run_says_what_would_be_compared(noria, in_folder, book):
    words = ["compare", book, "--cells", "rnn,gru", "--grid", "hidden_size=4,8", "--steps", 3, "--seeds", 2]
    said = noria(*words, "--dry-run", "--json")
    assert said.code == 0
    assert "4 variants x 2 seeds · 8 runs" in said.err
    study = json.loads(said.out)
    assert (study["task"], study["budget"], study["seeds"]) == ("text", {"steps": 3}, [0, 1])
    assert not list(in_folder.iterdir())


def test_a_study_from_end_to_end(noria, in_folder, book):
    small = ["--set", "hidden_size=4", "--batch-size", 2, "--seq_length", 8, "--engine=reference"]
    words = ["compare", book, "--cells", "rnn", "--steps", 2, "--seeds", 1, *small, "--out=study"]
    said = noria(*words)
    assert said.code == 0, said.err
    assert "over one seed" in said.out
    assert (in_folder / "study" / "report.html").exists()
    shown = (in_folder / "study" / "report.md").read_text()
    assert shown.count("--out") == 1
    again = noria(*words, "--lang", "es")
    assert again.code == 0
    assert "1 runs have ended" in again.err
    assert "sobre una semilla" in again.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--recipe", "optimizers"], "Did you mean 'optimisers'"),
        (["--grid", "hiden_size=1,2"], "Did you mean 'hidden_size'"),
        (["--seeds", "0"], "--seeds must be at least 1"),
        (["tag", "--recipe", "pooling"], "is for classify and regress, not for tag"),
        (["--cells", "rnn,gruu", "--steps", "2"], "gru"),
        (["--steps", "2", "--minutes", "1"], "Only one of"),
        (["--cells", "rnn,./mine.eq", "--steps", "2"], "mine.eq"),
        (["--hiden-size", "8"], "no option '--hiden-size'. Did you mean '--hidden-size'"),
        (["--minute", "2"], "no option '--minute'. Did you mean '--minutes'"),
        (["--set", "dropuot=0"], "no option '--dropuot'. Did you mean '--dropout'"),
        (["--seed", "3"], "'seed' cannot be set: every variant has the same seeds"),
        (["--threads", "2"], "'threads' cannot be set"),
        (["--dropout", "2"], "must be a float in [0, 1)"),
        (["--grid", "lr=0.1", "--grid", "lr=0.2"], "stands in the grid twice"),
        (["--grid", "hidden_size=4,8", "--equal-parameters", "--steps", "2"], "hidden sizes cannot be"),
        (["clasify", "--steps", "2"], "clasify: there is no such file. Did you mean 'classify'"),
        (["tag", "--recipe", "features"], "noria compare tag FILE --recipe features"),
        (["classify", "--recipe", "features"], "it needs --set extra_columns"),
        (["nothing.txt", "--steps", "2", "--seeds", "1", "--cells", "rnn"], "nothing.txt"),
    ],
)
def test_what_cannot_be_compared_is_said(noria, in_folder, words, said):
    found = noria("compare", *words)
    assert found.code == 1
    assert said in " ".join(found.err.split())
    assert "Traceback" not in found.err
    assert not list(in_folder.iterdir())


TAGGED = "the/D cat/N sat/V\nno/D old/A dog/N ran/V\n" * 20


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["tag", "tags.txt", "--crf"], {"crf": True}),
        (["tag", "--crf", "tags.txt", "--hidden-size", "4"], {"crf": True, "hidden_size": 4}),
        (["tag", "tags.txt", "--word_shape", "--lr", "0.1"], {"word_shape": True, "lr": 0.1}),
        (["tag", "tags.txt", "--crf", "false", "--word-shape", "ON"], {"crf": False, "word_shape": True}),
        (["tag", "tags.txt", "--crf=no"], {"crf": False}),
        (["--seeds", "2", "tag", "tags.txt", "--set", "crf"], {"crf": True}),
        (["tags.txt", "--locked-dropout", "--dropout", "0.5"], {"locked_dropout": True, "dropout": 0.5}),
        (
            ["tags.txt", "--embedding-size", "8", "--hidden-size=8", "--tie-weights", "--out", "classify"],
            {"embedding_size": 8, "hidden_size": 8, "tie_weights": True},
        ),
    ],
)
def test_a_switch_alone_is_on(noria, in_folder, words, options):
    (in_folder / "tags.txt").write_text(TAGGED)
    said = noria("compare", *words, "--steps", 3, "--dry-run", "--json")
    assert said.code == 0, said.err
    study = json.loads(said.out)
    assert study["options"] == options
    assert [Path(file).name for file in study["files"]] == ["tags.txt"]


def test_a_switch_of_another_task_is_named(noria, in_folder):
    said = noria("compare", "classify", "--data", "parity", "--crf", "--steps", 2, "--dry-run")
    assert "noria compare classify has no option '--crf'" in said.err


def test_what_is_no_switch_needs_its_value(noria, in_folder):
    (in_folder / "tags.txt").write_text(TAGGED)
    for words in (["--hidden-size"], ["--set", "hidden_size"], ["--grid", "crf"]):
        said = noria("compare", "tag", "tags.txt", *words)
        assert said.code != 0
        assert "Traceback" not in said.err


def test_ragged_training_three_ways(noria, in_folder):
    (in_folder / "films.csv").write_text("text,label\n" + "a good film,good\nbad,bad\n" * 20)
    words = ["compare", "films.csv", "--recipe", "ragged", "--steps", 2, "--dry-run", "--json"]
    study = json.loads(noria(*words).out)
    assert study["task"] == "classify"
    assert study["options"]["bidirectional"] is False
    assert [one["options"]["batching"] for one in study["variants"]] == ["packed", "padded", "one-by-one"]
    refused = noria("compare", "regress", "--recipe", "ragged")
    assert "noria compare regress FILE --recipe ragged" in refused.err


def test_parameters_that_cannot_be_equal(noria, in_folder, book):
    words = ["compare", book, "--cells", "rnn,lstm", "--hidden-size", 1, "--equal-parameters", "--steps", 2]
    said = noria(*words)
    assert said.code == 1
    assert "variant 'lstm': has" in said.err
    assert "Leave --equal-parameters out" in said.err


def test_what_a_recipe_needs_and_takes_is_said(noria, in_folder, book):
    said = noria("compare", book, "--recipe", "augmentation", "--seeds", 1, "--steps", 2, "--dry-run")
    assert said.code == 0
    assert "'20 % of words' is left out: it needs --set thesaurus=" in said.err
    thesaurus = in_folder / "words.txt"
    thesaurus.write_text("mill, windmill\n")
    words = ["--recipe", "augmentation", "--thesaurus", thesaurus, "--steps", 2, "--dry-run", "--json"]
    study = json.loads(noria("compare", book, *words).out)
    assert [variant["options"].get("thesaurus") for variant in study["variants"]] == [
        *(None,) * 3,
        str(thesaurus),
    ]
    assert "thesaurus" not in study["options"]
    study = json.loads(noria("compare", "--recipe", "class-balance", "--dry-run", "--json").out)
    assert (study["task"], study["data"], study["metric"]) == ("classify", "sentiment-rare", "macro_f1")


def test_own_code_is_checked(noria):
    said = noria("check", OWN / "rnn.py")
    assert said.code == 0
    assert "all agree" in said.err


def test_what_is_wrong_in_own_code_is_said(noria, tmp_path):
    path = tmp_path / "rnn.py"
    path.write_text(
        (OWN / "rnn.py").read_text().replace('["Wxh"] += d_a', '["Wxh"] = d_a') + "print('hello')\n"
    )
    said = noria("check", path)
    assert said.code == 1
    assert "Wxh" in said.out
    assert "not accumulated over time" in said.out
    assert "hello" not in said.out
    spanish = noria("check", path, "--language", "es")
    assert "no se acumula en el tiempo" in spanish.out
    assert "desde el paso" in spanish.out
    sheet = json.loads(noria("check", path, "--json").out)
    assert (sheet["points"], sheet["of"]) == (5, 6)
    assert [entry["cause"] for entry in sheet["gradients"] if not entry["points"]] == ["kept_first"]


def test_the_protocol_stands_in_the_help(noria):
    said = noria("check", "--help")
    for word in ("forward(x, h0, params)", "backward(d_h, cache)", "LAYOUT", "SHAPES", "which is run"):
        assert word in " ".join(said.out.replace("│", " ").split())
