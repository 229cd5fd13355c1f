"""Studies: made, interrupted, gone on with; what diverges, what breaks down, and what is said of it all."""

import json
import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest

from noria.errors import OptionError, RunError
from noria.models.loading import MODELS, model_class
from noria.studies import Study, Variant, run_study
from noria.studies.conclusions import LANGUAGES, SENTENCES, conclusions
from noria.studies.design import parse_grid, variants_of
from noria.studies.folder import StudyFolder, read_json, write_json
from noria.studies.recipes import RECIPES, recipe_named
from noria.studies.report import WORDS, table_of, write_report
from noria.studies.results import results_of
from noria.studies.running import _result, _Running
from noria.studies.sizing import equal_sizes, parameters_of
from noria.studies.work import run_one

SMALL = {
    "hidden_size": 3,
    "embedding_size": 2,
    "batch_size": 4,
    "dropout": 0.0,
    "eval_every": 2,
    "engine": "reference",  # nothing is compiled
}


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    """Texts of two kinds, a few of each."""
    path = tmp_path_factory.mktemp("study-data") / "texts.csv"
    rows = [f"{'good fine' if k % 2 else 'bad poor'} {k},{'up' if k % 2 else 'down'}" for k in range(40)]
    path.write_text("\n".join(["text,label", *rows]) + "\n")
    return path


def study_of(table: Path, cells=("rnn", "gru"), seeds=(0, 1), **options) -> Study:
    return Study(
        task="classify",
        variants=variants_of("classify", cells, {}),
        seeds=tuple(seeds),
        budget={"steps": 4},
        files=(str(table),),
        options={**SMALL, **options},
    )


@pytest.fixture(scope="module")
def whole(table, tmp_path_factory) -> StudyFolder:
    """A study whose runs were made one after the other, in this process."""
    folder = StudyFolder.take(tmp_path_factory.mktemp("studies") / "whole", study_of(table))
    for variant, seed in folder.missing():
        run_one(folder, variant.name, seed)
    return folder


def test_an_interrupted_study_goes_on_and_gives_the_same_table(whole, table, tmp_path):
    folder = StudyFolder.take(tmp_path / "study", study_of(table))

    def ctrl_c(result, done, total):
        raise KeyboardInterrupt

    assert not run_study(folder, processes=1, told=ctrl_c)
    assert len(folder.results()) == 1
    partial = results_of(StudyFolder.open(folder.path))
    assert partial.missing == 3
    assert "3 runs have not ended" in conclusions(partial)[0]
    told = []
    again = StudyFolder.take(folder.path, study_of(table))
    assert run_study(again, processes=2, told=lambda result, done, total: told.append((done, total)))
    assert told == [(2, 4), (3, 4), (4, 4)]
    assert table_of(results_of(again)) == table_of(results_of(whole))
    assert not list((folder.path / "runs").glob("*.err"))
    assert run_study(again)  # there is nothing left to do


def test_a_process_ends_with_the_one_that_started_it(table, tmp_path):
    folder = StudyFolder.take(tmp_path / "study", study_of(table, ("rnn",), (0,)))
    words = [sys.executable, "-m", "noria.studies.work", str(folder.path), "rnn", "0"]
    source = str(Path(__file__).parents[2] / "src")
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, timeout=60, check=False, env={**os.environ, "PYTHONPATH": source}
    )
    assert done.returncode == 1
    assert folder.results() == {}


def test_a_process_that_is_killed_is_recorded_and_gets_another_chance(table, tmp_path):
    folder = StudyFolder.take(tmp_path / "study", study_of(table, ("rnn",), (0,)))
    variant = folder.study.variants[0]
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdin=subprocess.PIPE)
    folder.log_of(variant, 0).write_text("out of memory")
    process.send_signal(signal.SIGKILL)
    process.wait()
    result = _result(folder, _Running(variant, 0, process))
    assert result["status"] == "failed"
    assert "signal 9" in result["message"]
    assert "out of memory" in result["message"]
    assert len(folder.missing()) == 1
    assert results_of(folder).lines[0].failed == (0,)


def test_a_run_that_diverges_is_recorded_and_the_others_stand(table, tmp_path):
    study = study_of(table, ("gru",), (0,))
    wild = {"cell": "rnn_relu", "optimizer": "sgd", "lr": 1e30, "grad_clip": 0.0, "warmup": 0}
    study = Study(**{**vars(study), "variants": (*study.variants, Variant("wild", wild))})
    folder = StudyFolder.take(tmp_path / "study", study)
    for variant, seed in folder.missing():
        run_one(folder, variant.name, seed)
    results = write_report(folder, "noria compare")
    assert folder.missing() == []
    assert [(line.done, line.diverged) for line in results.lines] == [((0,), ()), ((), (0,))]
    assert any("wild diverged with 1 of 1 seeds" in line for line in conclusions(results))
    assert any("wild divergió con 1 de 1" in line for line in conclusions(results, "es"))
    assert "wild, seed 0: " in (folder.path / "report.md").read_text()


def test_what_cannot_be_trained_is_recorded_too(tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("text,label\na,x\n")
    folder = StudyFolder.take(tmp_path / "study", study_of(bad, ("rnn",), (0,)))
    result = run_one(folder, "rnn", 0)
    assert result["status"] == "failed"
    assert result["message"]
    assert conclusions(results_of(folder))[0] == SENTENCES["nothing"][0]


def test_a_result_has_what_a_report_needs(whole):
    for result in whole.results().values():
        assert result["status"] == "done"
        assert result["steps"] == 4
        assert [point["step"] for point in result["curve"]] == [2, 4]
        assert result["peak_bytes"] > 1e6
        assert result["tokens_per_second"] > 0
        assert result["parameters"] > 0
        assert 0 <= result["test"]["accuracy"] <= 1


def test_equal_numbers_of_parameters(table):
    study = study_of(table, ("gru", "rnn", "lstm", "mgu"), (0,), hidden_size=40, embedding_size=8)
    fitted = Study(**{**vars(study), "variants": equal_sizes(study)})
    counts = [parameters_of(fitted, variant) for variant in fitted.variants]
    assert counts[0] == parameters_of(study, study.variants[0])
    assert all(abs(count / counts[0] - 1) <= 0.02 for count in counts)
    sizes = [variant.options.get("hidden_size") for variant in fitted.variants]
    assert sizes[0] is None
    assert sizes[1] > 40 > sizes[2]


def test_too_few_parameters_to_be_equal(table):
    study = study_of(table, ("rnn", "lstm"), (0,), hidden_size=1)
    with pytest.raises(OptionError, match="variant 'lstm'"):
        equal_sizes(study)


def test_a_folder_of_another_study_is_refused(whole, table, tmp_path):
    with pytest.raises(RunError, match="seeds"):
        StudyFolder.take(whole.path, study_of(table, seeds=(0, 1, 2)))
    (tmp_path / "thing").write_text("")
    with pytest.raises(RunError, match="not a study"):
        StudyFolder.take(tmp_path, study_of(table))


def test_a_study_reads_back_as_it_was(table):
    study = study_of(table)
    assert Study.from_dict(json.loads(json.dumps(study.to_dict())), "here").to_dict() == study.to_dict()
    with pytest.raises(RunError, match="damaged"):
        Study.from_dict({"format": 1}, "here")


# What is said.


def made(whole, tmp_path, figures, higher=False):
    """A study whose figures are these: by variant, one for each seed."""
    study = Study(
        task="classify" if higher else "text",
        variants=tuple(Variant(name, {}) for name in figures),
        seeds=tuple(range(len(next(iter(figures.values()))))),
        budget={"steps": 1},
    )
    folder = StudyFolder.take(tmp_path / "made", study)
    example = next(iter(whole.results().values()))
    key = "accuracy" if higher else "bits_per_character"
    for variant in study.variants:
        for seed, value in enumerate(figures[variant.name]):
            result = {**example, "variant": variant.name, "seed": seed, "test": {"loss": value, key: value}}
            write_json(folder.file_of(variant, seed), {**result, "baseline": {"name": "guess", key: 0.5}})
    return folder


CLEAR = {"a": [1.0, 1.1, 1.2, 1.1], "b": [2.0, 2.1, 2.2, 2.2]}
MIXED = {"a": [1.0, 1.4, 1.2, 1.1], "b": [1.2, 1.1, 1.3, 1.2]}


def test_better_is_said_where_the_interval_leaves_zero_out(whole, tmp_path):
    said = conclusions(results_of(made(whole, tmp_path, CLEAR)))
    assert said[0].startswith("a is better than every other variant (bits_per_character 1.100)")
    assert said[1].startswith("a is better than b: bits_per_character by 1.025")


def test_better_is_never_said_where_it_holds_zero(whole, tmp_path):
    results = results_of(made(whole, tmp_path, MIXED))
    for language, word in (("en", "better"), ("es", "mejor que")):
        said = conclusions(results, language)
        assert not any(word in line for line in said)
    assert "no difference was seen between it and b" in conclusions(results)[0]
    assert results.to_dict()["differences"][0]["verdict"] == "no difference"


def test_higher_is_better_of_accuracy(whole, tmp_path):
    said = conclusions(results_of(made(whole, tmp_path, CLEAR, higher=True)))
    assert said[0].startswith("b is better than every other")
    assert said[1].startswith("b is better than a: accuracy by 1.025")


def test_a_single_seed_claims_nothing(whole, tmp_path):
    said = conclusions(results_of(made(whole, tmp_path, {"a": [1.0], "b": [9.0]})))
    assert said[0] == SENTENCES["one_seed"][0]
    assert not any("better" in line or "seen between" in line for line in said)


def test_the_figure_to_beat(whole, tmp_path):
    results = results_of(made(whole, tmp_path, {"a": [0.1, 0.2], "b": [0.8, 0.7]}))
    assert "The figure to beat (guess) is 0.500: a beat it." in conclusions(results)


def test_every_sentence_stands_in_both_languages():
    for english, spanish in [*SENTENCES.values(), *WORDS.values()]:
        assert set(re.findall(r"\{\d\}", english)) == set(re.findall(r"\{\d\}", spanish))
    assert len(LANGUAGES) == 2


class Balanced(HTMLParser):
    """Complains of elements that are not closed in order, and of anything from elsewhere."""

    def __init__(self):
        super().__init__()
        self.open, self.ids = [], []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids += [attributes["id"]] if "id" in attributes else []
        assert "src" not in attributes
        assert not str(attributes.get("href", "#")).startswith("http")
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report(whole, language):
    write_report(whole, "noria compare <classify>", language=language, reason="to see")
    page = (whole.path / "report.html").read_text()
    reader = Balanced()
    reader.feed(page)
    assert reader.open == []
    assert len(set(reader.ids)) == len(reader.ids)
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 2
    for picture in pictures:
        ElementTree.fromstring(picture)
        assert 'role="img" aria-label="' in picture
    assert page.count("<figcaption>") == 2
    assert f'<html lang="{language}">' in page
    assert "&lt;classify&gt;" in page
    assert "http" not in page
    written = (whole.path / "report.md").read_text()
    for line in conclusions(results_of(whole), language):
        assert f"- {line}" in written
    content = read_json(whole.path / "results.json")
    assert content["metric"] == "accuracy"
    assert len(content["lines"]) == 2
    assert set(content["conclusions"]) == set(LANGUAGES)


# What is compared.


def test_cells_and_grids_are_combined():
    variants = variants_of("text", ["rnn", "gru"], {"hidden_size": [4, 8], "lr": [0.1]})
    assert [variant.name for variant in variants] == [
        "rnn hidden_size=4 lr=0.1",
        "rnn hidden_size=8 lr=0.1",
        "gru hidden_size=4 lr=0.1",
        "gru hidden_size=8 lr=0.1",
    ]
    assert variants[1].options == {"cell": "rnn", "hidden_size": 8, "lr": 0.1}
    assert len({variant.slug for variant in variants}) == 4


def test_grids_are_read_by_the_table_of_options():
    assert parse_grid("text", ["rnn-size=4,8", "tie_weights=yes,no"]) == {
        "hidden_size": [4, 8],
        "tie_weights": [True, False],
    }
    assert parse_grid("text", ["hidden_size=4,8;16"]) == {"hidden_size": [[4, 8], 16]}
    with pytest.raises(OptionError, match="Did you mean 'dropout'"):
        parse_grid("text", ["dropuot=0,1"])
    with pytest.raises(OptionError, match="must be a float"):
        parse_grid("text", ["dropout=0,2"])
    with pytest.raises(OptionError, match="key=a,b,c"):
        parse_grid("text", ["dropout"])


def test_a_study_is_checked_before_it_is_begun(table):
    with pytest.raises(OptionError, match="variant 'rnn'"):
        study_of(table, nesterov=True).check()
    with pytest.raises(OptionError, match="itself"):
        study_of(table, ("rnn", "rnn")).check()
    with pytest.raises(OptionError, match="steps"):
        Study(**{**vars(study_of(table)), "budget": {"steps": 0}}).check()


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_hold_for_every_task_that_they_name(name):
    recipe = recipe_named(name)
    assert recipe.reason.endswith(".")
    for task in recipe.tasks or MODELS:
        variants = variants_of(task, recipe.cells, recipe.grid, recipe.rows)
        assert len(variants) > 1
        for variant in variants:
            model_class(task)(**{**recipe.options, **variant.options}).validate(variant.name)


def test_an_unknown_recipe_names_the_nearest():
    with pytest.raises(OptionError, match="Did you mean 'optimisers'"):
        recipe_named("optimizers")
