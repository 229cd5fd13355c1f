"""What runs are looked at for at their end: the text that they write, and how far their gradient reaches."""

from dataclasses import replace

import numpy as np
import pytest

from noria.models.explanation import Explanation
from noria.models.loading import model_class
from noria.reports.gates import STEPS
from noria.studies import Study, Variant, looking
from noria.studies.data import prepared_of
from noria.studies.folder import StudyFolder
from noria.studies.lines import Line
from noria.studies.looking import averaged, gradient_of, keep_gates, looked_at, sample_of
from noria.studies.results import results_of
from noria.studies.work import run_one

TINY = {"hidden_size": 5, "batch_size": 4, "dropout": 0.0, "eval_every": 2, "engine": "reference"}
ONE_WAY = {"bidirectional": False, "pooling": "last"}


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Look at less, so that it is quick."""
    monkeypatch.setattr(looking, "SPAN", 40)
    monkeypatch.setattr(looking, "INPUTS", 3)
    monkeypatch.setattr(looking, "SAMPLE", 50)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    place = tmp_path_factory.mktemp("looking")
    lines = [f"{k} ducks and {k * k % 97} geese walked to the mill" for k in range(120)]
    written = {
        "text.txt": "\n".join(lines),
        "names.csv": "\n".join(["name,land", *(f"ab{k % 7}cd{k % 3},land{k % 3}" for k in range(60))]),
        "classify.csv": "\n".join(["text,label", *(f"{line},{'ab'[k % 2]}" for k, line in enumerate(lines))]),
        "sized.csv": "\n".join(
            ["text,size,label", *(f"{one},{k},{'ab'[k % 2]}" for k, one in enumerate(lines))]
        ),
        "tag.txt": "\n".join(" ".join(f"{word}/{word[0]}" for word in line.split()) for line in lines),
        "forecast.csv": "\n".join(["ds,y", *(f"{1990 + k},{k % 5 + k / 9}" for k in range(80))]),
        "translate.tsv": "\n".join(["source\ttarget", *(f"{line}\t{line[:3]}" for line in lines)]),
    }
    for name, text in written.items():
        (place / name).write_text(text + "\n", encoding="utf-8")
    return place


def trained(files, task, name, **options):
    study = Study(task, (Variant("a", {}),), (3,), {"steps": 3}, (str(files / name),), options=TINY | options)
    model = model_class(task)(**study.options_of(study.variants[0], 3))
    prepared = prepared_of(study, model)
    return model.fit(prepared, steps=3), prepared


def test_where_a_known_curve_falls_below_a_tenth_and_a_thousandth():
    halves = averaged([3.0 * 0.5 ** np.arange(20), 1.0 * 0.5 ** np.arange(15)])
    assert halves["distance"] == list(range(15))
    assert halves["norm"][:3] == [2.0, 1.0, 0.5]
    assert (halves["tenth"], halves["thousandth"]) == (4, 10)  # 2^-4 < 1/10, 2^-10 < 1/1000
    short = averaged([0.5 ** np.arange(6)])
    assert (short["tenth"], short["thousandth"]) == (4, None)
    assert averaged([]) is None
    assert averaged([np.array([1.0, np.nan])]) is None


def test_the_gradient_is_that_of_the_first_layer_with_all_its_states(files):
    model, prepared = trained(files, "text", "text.txt", cell="lstm", num_layers=2, seq_length=9)
    found = gradient_of(model, prepared)
    (reading,) = prepared.corpus.validation.readings
    ids = reading.ids[reading.lead :]
    starts = np.unique(np.linspace(0, len(ids) - looking.SPAN, looking.INPUTS).astype(int))
    curves = []
    for start in starts:
        text = prepared.corpus.vocabulary.decode(ids[start : start + looking.SPAN])
        layers = model.gradient_through_time(text).layers
        first = {layer.state: layer for layer in layers if layer.path == layers[0].path}
        assert set(first) == {"h", "c"}
        assert len(layers) == 4
        # the loss is of the last symbol, which is predicted before it is read
        curves.append(np.hypot(first["h"].norms, first["c"].norms)[:-1][::-1])
    assert len(curves) == looking.INPUTS
    np.testing.assert_allclose(found["norm"], np.mean(curves, axis=0), rtol=1e-12)
    assert found["distance"] == list(range(looking.SPAN))


@pytest.mark.parametrize(
    ("task", "name", "options", "length"),
    [
        ("text", "names.csv", {"text_column": "name", "condition_columns": "land"}, 6),
        ("classify", "classify.csv", {**ONE_WAY, "level": "words"}, 9),
        ("classify", "classify.csv", {**ONE_WAY, "level": "characters"}, 40),
        ("classify", "sized.csv", {**ONE_WAY, "level": "words", "extra_columns": ["size"]}, 9),
        ("regress", "sized.csv", {**ONE_WAY, "label_column": "size", "level": "characters"}, 40),
        ("tag", "tag.txt", {"spelling_size": 2}, 9),
        ("forecast", "forecast.csv", {"lookback": 11, "members": 2}, 11),
        ("translate", "translate.tsv", {"embedding_size": 3, "attention": "none"}, 40),
    ],
)
def test_every_task_has_a_gradient_and_gates(files, tmp_path, task, name, options, length):
    model, prepared = trained(files, task, name, **options)
    found = gradient_of(model, prepared)
    assert len(found["norm"]) == len(found["distance"])
    assert len(found["norm"]) == length
    assert np.isfinite(found["norm"]).all()
    assert found["norm"][0] > 0
    assert (sample_of(model) is None) == (task != "text")
    said = keep_gates(model, prepared, tmp_path / "gates")
    kept = Explanation.load(tmp_path / "gates")
    (layer,) = kept.layers
    assert (kept.source, kept.attention, kept.predictions) == (said, (), ())
    data, target, row = next(looking.INPUTS_OF[task](model, prepared, STEPS))
    of_model = model.explain(data, target, row=row).layers[-1]
    assert (layer.path, layer.steps) == (of_model.path, of_model.steps)
    assert 1 < len(layer.steps) <= STEPS + 1  # of a text what stands before it is read too
    for value, recorded in of_model.values.items():
        np.testing.assert_array_equal(layer.values[value], recorded)


def test_no_gradient_and_no_gates_where_there_is_no_recurrent_layer(files, tmp_path):
    model, prepared = trained(files, "classify", "classify.csv", network="convolution", level="words")
    assert gradient_of(model, prepared) is None
    assert keep_gates(model, prepared, tmp_path / "gates") is None
    assert not (tmp_path / "gates").exists()


def test_what_stands_beside_a_text_is_read_with_it(files):
    model, prepared = trained(files, "classify", "sized.csv", **ONE_WAY, extra_columns=["size"])
    (record, target, row), *_ = looking.INPUTS_OF["classify"](model, prepared, STEPS)
    assert record.extras in [one.extras for one in prepared.validation.records]
    other = replace(record, extras=(record.extras[0] + 100.0,))
    losses = [model.explain(one, target, row=row).predictions[0]["top"] for one in (record, other)]
    assert losses[0] != losses[1]


def test_where_there_is_nothing_to_read_there_are_no_gates(files, tmp_path, monkeypatch):
    model, prepared = trained(files, "text", "text.txt")
    monkeypatch.setattr(looking, "INPUTS_OF", {"text": lambda *words: iter(())})
    assert keep_gates(model, prepared, tmp_path / "gates") is None
    found = looked_at(model, prepared, tmp_path / "gates")
    assert (found["gates"], found["gradient"], found["looking"]) == (None, None, {})


def test_samples_are_written_from_the_same_seed_whatever_that_of_the_run(files):
    options = {"text_column": "name", "condition_columns": "land"}
    for name, more in (("text.txt", {}), ("names.csv", options)):
        model, _ = trained(files, "text", name, **more)
        assert model.seed == 3
        said = sample_of(model)
        for model.seed in range(4, 9):  # so many, that one of them draws another condition
            assert sample_of(model) == said


def test_the_gates_of_a_run_are_in_its_study(files, tmp_path):
    study = Study(
        "text", (Variant("lr=0.1 a", {}),), (0, 3), {"steps": 2}, (str(files / "text.txt"),), options=TINY
    )
    folder = StudyFolder.take(tmp_path / "study", study)
    runs = [run_one(folder, "lr=0.1 a", seed) for seed in (0, 3)]
    assert [run["gates"] for run in runs] == ["text of 46 characters"] * 2
    assert results_of(folder).gates == {"lr=0.1 a": str(folder.gates_of(study.variants[0], 0))}
    one, other = (Explanation.load(folder.gates_of(study.variants[0], seed)) for seed in (0, 3))
    assert one.steps == other.steps
    assert len(one.steps) == 47
    assert not np.array_equal(one.layer().value("h"), other.layer().value("h"))


def test_what_goes_wrong_in_looking_stops_nothing_and_is_said(files, tmp_path, monkeypatch, capsys):
    model, prepared = trained(files, "text", "text.txt")
    monkeypatch.setattr(type(model), "gradient_through_time", None)
    found = looked_at(model, prepared, tmp_path / "gates")
    assert found["gradient"] is None
    assert len(found["sample"]) == 50
    assert found["sample"] == sample_of(model)
    assert list(found["looking"]) == ["gradient"]
    first, *where = found["looking"]["gradient"].splitlines()
    assert first.startswith("TypeError: ")
    assert where[0].startswith("Traceback")
    assert capsys.readouterr() == ("", "")
    monkeypatch.undo()
    assert looked_at(model, prepared, tmp_path / "gates")["looking"] == {}


def test_what_a_run_could_not_be_looked_at_for_stands_in_its_results(files, tmp_path, monkeypatch):
    study = Study("text", (Variant("a", {}),), (0,), {"steps": 2}, (str(files / "text.txt"),), options=TINY)
    folder = StudyFolder.take(tmp_path / "study", study)
    monkeypatch.setattr(looking, "gradient_of", None)
    run_one(folder, "a", 0)
    results = results_of(folder)
    assert results.lines[0].done == (0,)
    assert results.messages == ()
    ((name, seed, look, why),) = results.unseen
    assert (name, seed, look) == ("a", 0, "gradient")
    assert why.startswith("TypeError: ")


def test_results_carry_samples_and_reach(files, tmp_path):
    study = Study(
        "text",
        (Variant("small", {}), Variant("wild", {"cell": "rnn_relu", "lr": 1e30, "grad_clip": 0.0})),
        (0, 1),
        {"steps": 3},
        (str(files / "text.txt"),),
        options=TINY | {"warmup": 0},
    )
    folder = StudyFolder.take(tmp_path / "study", study)
    runs = {(one.name, seed): run_one(folder, one.name, seed) for one, seed in folder.missing()}
    assert [runs["wild", seed]["gradient"] for seed in (0, 1)] == [None, None]
    results = results_of(folder)
    small, wild = results.lines
    norms = [np.array(runs["small", seed]["gradient"]["norm"]) for seed in (0, 1)]
    np.testing.assert_allclose(small.gradient["norm"], np.mean([one / one[0] for one in norms], axis=0))
    assert wild.gradient is None
    assert wild.reaches("tenth") == ""
    assert results.samples == {"small": runs["small", 0]["sample"]}
    assert runs["small", 0]["sample"] != runs["small", 1]["sample"]
    written = results.to_dict()
    assert written["lines"][0]["gradient"]["tenth"] == small.gradient["tenth"]


def test_how_reach_is_said():
    line = Line("a", *(0.0,) * 3, {}, *(0.0,) * 9, (), (), (), {"distance": [0, 1, 2], "tenth": 2, "x": None})
    assert line.reaches("tenth") == "2"
    assert line.reaches("x") == ">2"
