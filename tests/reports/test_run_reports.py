"""The report of a run of every task; of runs that were cut off, damaged, or had no test part."""

import inspect
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from noria.cli.app import run as command_line
from noria.errors import DataError, RunError
from noria.models.loading import load, model_class
from noria.reports import folder
from noria.reports.curves import Curve
from noria.reports.fit import FIT_SENTENCES
from noria.reports.pictures import Picture
from noria.reports.prose import LANGUAGES
from noria.reports.run_figures import log_events
from noria.reports.run_report import LookedAt, write_run_report
from page_checker import checked
from task_data import data_of

SMALL = {"hidden_size": 5, "batch_size": 4, "engine": "reference", "seed": 3, "eval_every": 2}


OPTIONS = {
    "text": {"seq_length": 8, "sample_length": 12},
    "classify": {"pooling": "attention"},
    "forecast": {"horizon": 3, "lookback": 9},
    "translate": {"max_length": 8},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of each task, trained when it is asked for."""
    place, made = tmp_path_factory.mktemp("runs"), {}

    def run_of(task):
        if task not in made:
            made[task] = place / task
            model = model_class(task)(**SMALL, **OPTIONS.get(task, {}))
            model.fit(*data_of(task), steps=6, out=made[task])
        return made[task]

    return run_of


@pytest.fixture(autouse=True)
def drawn_of_one_task(monkeypatch, request):
    """Draw the figures, and write the PDF, of one task only; of the others see that they can be called."""
    if "[text]" in request.node.name:
        return

    def pictures_of(figures):
        for one in figures:
            inspect.signature(one.draw).bind(Path("nowhere"))
            yield one.name, Picture(b"<svg/>", b"")

    monkeypatch.setattr(folder, "drawn", lambda figures: dict(pictures_of(figures)))
    monkeypatch.setattr(folder, "as_pdf", lambda document, pictures: b"%PDF")


OF_TASK = {
    "text": {"curves", "gradient", "gates", "map-i", "map-h", "answers", "network"},
    "classify": {"curves", "confusion", "network"},
    "regress": {"curves", "network"},
    "tag": {"curves", "network"},
    "forecast": {"curves", "horizons", "forecast", "gradient", "gates", "map-i", "map-h", "network"},
    "translate": {"curves", "thirds", "network"},
}


@pytest.mark.parametrize("task", OF_TASK)
def test_the_report_of_a_run(runs, tmp_path, task):
    run, language = runs(task), LANGUAGES[len(task) % 2]
    place, said = write_run_report(run, tmp_path / "report", language=language)
    root = checked((place / "report.html").read_text(encoding="utf-8"))
    assert root.get("lang") == language
    figures = {path.stem.replace("map-z", "map-i") for path in (place / "figures").glob("*.svg")}
    assert figures == OF_TASK[task]
    assert len(root.findall(".//figure")) == len(figures)
    assert (place / "report.pdf").read_bytes().startswith(b"%PDF")
    written = (place / "report.md").read_text(encoding="utf-8")
    found = json.loads((place / "results.json").read_text())
    report = json.loads((run / "report.json").read_text())
    model = load(run)
    key = model.metric.key if model.metric.key in report["test"] else "loss"
    assert (found["task"], found["metric"], found["part"]) == (task, key, "test")
    assert found["value"] == report["test"][key]
    assert found["to_beat"] == report["baseline"].get(key)
    if found["to_beat"] is not None:
        more = found["value"] - found["to_beat"]
        assert found["better_by"] == (more if task in ("classify", "tag", "translate") else -more)
        beaten = found["better_by"] > 0
        word = {"en": "better than", "es": "mejor que"}[language]
        assert (word in said[0] and f"{'not' if language == 'en' else 'no'} {word}" not in said[0]) is beaten
    assert found["parameters"] == report["parameters"]
    assert found["conclusions"][language] == said
    assert set(found["conclusions"]) == set(LANGUAGES)
    assert found["curve"]["steps"] == [2.0, 4.0, 6.0]
    value = format(report["test"][key], model.metric.form.replace(".2g", ".4g"))
    assert value in said[0]
    assert said[0] in "".join(root.find(".//p").itertext())
    for part in (said[0], said[-1], "seed 3" if language == "en" else "semilla 3", "noria train --resume"):
        assert part in written
    assert all(entry["url"].startswith("https") for entry in found["references"][1:])
    assert root.find(".//h1").text


@pytest.mark.parametrize("level", ["characters", "words"])
def test_bits_per_character_are_drawn_of_the_training_part_where_it_has_them(tmp_path, level):
    model = model_class("text")(**SMALL, **OPTIONS["text"], level=level)
    model.fit(*data_of("text"), steps=6, out=tmp_path / "run")
    curve = Curve.of_log(log_events(tmp_path / "run" / "log.jsonl"))
    bits = curve.on_train("bits_per_character")
    expected = curve.train / np.log(2) if level == "characters" else np.full(3, np.nan)
    np.testing.assert_allclose(bits, expected)
    assert np.isfinite(curve.on_validation("bits_per_character")).all()
    place, _ = write_run_report(tmp_path / "run")
    written = (place / "report.md").read_text(encoding="utf-8")
    in_its_place = "bits per character is measured on the validation part only; the perplexity"
    assert (in_its_place in written) is (level == "words")
    drawn = "Loss and perplexity while" if level == "words" else "Loss and bits per character while"
    assert drawn in written
    assert "a running mean over the last steps" in written


MEASURED = {"classify": "accuracy", "tag": "accuracy", "forecast": "rmse", "translate": "exact_match"}


@pytest.mark.parametrize("task", MEASURED)
def test_the_metric_stands_on_both_parts(runs, tmp_path, task):
    run, key, language = runs(task), MEASURED[task], LANGUAGES[len(task) % 2]
    place, said = write_run_report(run, tmp_path / "report", language=language)
    events = [one for one in log_events(run / "log.jsonl") if one["event"] == "Evaluated"]
    found = json.loads((place / "results.json").read_text())
    assert found["curve"]["measured"][key] == [event["train"][key] for event in events]
    best = next(event for event in events if event["step"] == found["best_step"])
    assert found["train"] == best["train"]
    last, fit = events[-1], found["metric_fit"]
    assert (fit["key"], fit["train"], fit["validation"]) == (key, last["train"][key], last["metrics"][key])
    assert found["fit"]["train"] == last["train"]["loss"]
    form = load(run).metric.form
    written = (place / "report.md").read_text(encoding="utf-8")
    ends = [format(fit[part], form) for part in ("train", "validation")]
    of_metric = {
        "en": " at the end: {} on the training part and {} on the validation part",
        "es": " al final: {} en la parte de entrenamiento y {} en la de validación",
    }[language].format(*ends)
    assert of_metric in next(line for line in said if fit_words(language) in line)
    assert {"en": "training (sample)", "es": "entrenamiento (muestra)"}[language] in written
    assert written.count(FIT_SENTENCES["measured"][LANGUAGES.index(language)]) == 2  # curves and table
    first, end = (format(event["train"][key], ".4g") for event in (events[0], last))
    goes = {"en": f" goes from {first} to {end} on the", "es": f" va de {first} a {end} en la"}
    assert goes[language] in written


def fit_words(language):
    return {"en": "on the latter it", "es": "en la segunda"}[language]


def test_a_run_of_before_is_told_by_its_running_mean(runs, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(runs("classify"), run)
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    before = [{key: value for key, value in line.items() if key != "train"} for line in lines]
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in before))
    place, _ = write_run_report(run)
    found = json.loads((place / "results.json").read_text())
    assert (found["train"], found["metric_fit"], found["curve"]["measured"]) == ({}, None, {})
    assert found["fit"]["train"] == found["curve"]["train"][-1]
    written = (place / "report.md").read_text(encoding="utf-8")
    assert "While it learns, accuracy is measured on the validation part only." in written
    assert "training (sample)" not in written


def test_the_report_of_a_run_of_the_first_format(tmp_path):
    folder = Path(__file__).parents[1] / "models" / "run_of_format_1"
    place, said = write_run_report(folder, tmp_path / "report")
    assert "on the test part" in said[0]
    written = (place / "report.md").read_text()
    assert "Loss and bits per character while it learnt." in written
    assert "| features | none |" in written


def test_where_no_study_makes_the_same_run_its_spread_comes_from_other_seeds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("".join(f"a line {k * k}\n" for k in range(99)))
    words = ["train", "a.txt", "--lines", "--hidden-size", "3", "--engine", "reference", "--steps", "2"]
    assert command_line([*words, "--batch-size", "4", "--out", "run"]) == 0
    place, _ = write_run_report(Path("run"))
    written = (place / "report.md").read_text()
    assert "the same one with other seeds (--seed, seed=) gives one" in written
    assert "noria compare" not in written


def test_gates_and_attention_are_drawn_of_an_input(runs, tmp_path):
    looked_at = LookedAt("fine and warm 7", "7 mraw dna enif", said="a line")
    place, _ = write_run_report(runs("translate"), tmp_path / "report", looked_at=looked_at)
    figures = {path.stem for path in (place / "figures").glob("*.png")}
    assert figures >= {"gradient", "gates", "answers", "attention-0", "map-h"}
    assert "What is read: a line." in (place / "report.md").read_text()
    with pytest.raises(DataError):
        write_run_report(runs("classify"), tmp_path / "other", looked_at=LookedAt(Path("nothing.csv")))
    assert not (tmp_path / "other").exists()


def test_a_run_without_a_test_part_says_that_its_figure_is_too_good(tmp_path):
    model = model_class("classify")(**SMALL, test_fraction=0.0, valid_fraction=0.3)
    model.fit(*data_of("classify"), steps=4, out=tmp_path / "run")
    place, said = write_run_report(tmp_path / "run")
    assert place == tmp_path / "run" / "report"
    assert "on the validation part; there is no figure to beat" in said[0]
    assert "too good" in said[1]
    found = json.loads((place / "results.json").read_text())
    assert (found["part"], found["to_beat"]) == ("validation", None)
    assert found["value"] == found["validation"]["accuracy"]
    write_run_report(tmp_path / "run", language="es")  # an earlier report is replaced
    assert "demasiado buena" in (place / "report.md").read_text()


def test_a_run_that_was_cut_off_is_told_as_far_as_it_has_come(runs, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(runs("text"), run)
    (run / "report.json").unlink()
    lines = (run / "log.jsonl").read_text().splitlines()
    kept = [line for line in lines if json.loads(line).get("step", 0) <= 4 and "Finished" not in line]
    (run / "log.jsonl").write_text("\n".join(kept) + '\n{"event": "Evalu')
    _, said = write_run_report(run)
    assert "on the validation part" in said[0]
    assert "4 of 6 planned steps" in said[-1]
    (run / "log.jsonl").unlink()
    _, said = write_run_report(run)
    assert said == ["Nothing was measured yet: the run stopped before its first evaluation."]


@pytest.mark.parametrize("broken", ["config.toml", "schema.json", "report.json", "best.safetensors"])
def test_a_damaged_run_is_named_and_nothing_written(runs, tmp_path, broken):
    run = tmp_path / "run"
    shutil.copytree(runs("classify"), run)
    (run / broken).write_bytes((run / broken).read_bytes()[:40])
    with pytest.raises(RunError, match="damaged"):
        write_run_report(run)
    assert not (run / "report").exists()


def test_a_cell_of_ones_own_is_written_beside_the_report(tmp_path):
    from noria.equations import Cell

    cell = Cell.parse("h' = tanh(W @ x + U @ h + b)\n", name="mine")
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"a {k},{'xy'[k % 2]}\n" for k in range(30)))
    model = model_class("classify")(**SMALL, cell=cell)
    model.fit(tmp_path / "a.csv", steps=2, out=tmp_path / "run")
    place, _ = write_run_report(tmp_path / "run", tmp_path / "report")
    assert Cell.parse((place / "cell.eq").read_text(), name="mine") == model.layer_cells[0]
