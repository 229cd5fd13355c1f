"""Studies: made, interrupted, gone on with; what diverges, what breaks down, and what is said of it all."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from noria.errors import OptionError, RunError
from noria.models.loading import model_class
from noria.studies import Study, Variant, run_study
from noria.studies.conclusions import SENTENCES, conclusions
from noria.studies.design import parse_grid, parse_settings, variants_of
from noria.studies.folder import StudyFolder, read_json, write_json
from noria.studies.report import table_of
from noria.studies.results import _baseline, results_of
from noria.studies.running import _result, _Running
from noria.studies.sizing import equal_sizes, parameters_of
from noria.studies.work import Evaluations, run_one
from noria.training.options import options_of
from noria.training.report import Evaluated, Replanned, Started

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


def test_a_study_that_was_begun_with_other_defaults_is_not_gone_on_with(table, tmp_path, monkeypatch):
    study = study_of(table, ("rnn",), (0,))
    folder = StudyFolder.take(tmp_path / "study", study)
    assert StudyFolder.take(folder.path, study).study == study
    file = folder.path / "study.json"
    kept = read_json(file)
    assert kept["resolved"]["rnn"].keys() == {info.name for info in options_of(model_class("classify"))}
    kept["resolved"]["rnn"] |= {"weight_decay": 0.5, "gone": 1}
    write_json(file, kept)
    with pytest.raises(
        RunError, match=r"other defaults.*weight_decay was 0\.5, is None.*gone was 1, is None"
    ):
        StudyFolder.take(folder.path, study)
    run_one(folder, "rnn", 0)
    assert StudyFolder.take(folder.path, study).missing() == []  # nothing is trained any more


def test_a_study_of_before_has_the_defaults_of_before(tmp_path):
    study = Study("text", (Variant("a", {}), Variant("b", {"features": "line"})), (0,), {"steps": 2})
    folder = StudyFolder.take(tmp_path / "study", study)
    write_json(folder.path / "study.json", study.to_dict())
    with pytest.raises(RunError, match="'none', is 'auto'") as said:
        StudyFolder.take(folder.path, study)
    assert str(said.value).count("features was") == 1
    assert "softmax_samples was 0, is None" in str(said.value)
    named = Study(**{**vars(study), "options": {"features": "none", "softmax_samples": 0}})
    folder = StudyFolder.take(tmp_path / "named", named)
    write_json(folder.path / "study.json", named.to_dict())
    assert StudyFolder.take(folder.path, named).study == named


def test_a_process_ends_with_the_one_that_started_it(table, tmp_path):
    folder = StudyFolder.take(tmp_path / "study", study_of(table, ("rnn",), (0,)))
    words = [sys.executable, "-m", "noria.studies.work", str(folder.path), "rnn", "0"]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, timeout=60, check=False)
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
    results = results_of(folder)
    assert folder.missing() == []
    assert [(line.done, line.diverged) for line in results.lines] == [((0,), ()), ((), (0,))]
    assert any("wild diverged with 1 of 1 seeds" in line for line in conclusions(results))
    assert any("wild divergió con 1 de 1" in line for line in conclusions(results, "es"))
    assert results.messages[0].startswith("wild, seed 0: ")


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
        for point in result["curve"]:
            assert set(point["measured"]) == set(point["validation"])
        assert result["gates"].startswith("sequence of")


def test_a_curve_has_what_was_measured_on_each_part():
    curve = Evaluations()
    curve(Evaluated(8, 0.5, 1.25, {"loss": 2.5}, True, 8, 0.1, {"loss": 0.75}))
    (point,) = curve.points
    assert (point["step"], point["train"]) == (8, 1.25)
    assert (point["validation"], point["measured"]) == ({"loss": 2.5}, {"loss": 0.75})


def test_the_best_figure_to_beat_counts_where_variants_have_several():
    found = {
        (name, seed): {"baseline": {"name": f"guess of {name}", "loss": value + seed}}
        for name, value in (("a", 3.0), ("b", 2.0))
        for seed in (0, 1)
    }
    found["c", 0] = {"baseline": {}}
    assert _baseline(found, "loss", higher_is_better=False) == (2.5, "guess of b")
    assert _baseline(found, "loss", higher_is_better=True) == (3.5, "guess of a")
    assert _baseline({}, "loss", higher_is_better=True)[1] == ""


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


def test_settings_hold_for_all_variants():
    assert parse_settings("text", ["hidden-size=4,8", "dropout=0.5", "features=shape,line"]) == {
        "hidden_size": [4, 8],
        "dropout": 0.5,
        "features": ["shape", "line"],
    }
    with pytest.raises(OptionError, match="Did you mean 'dropout'"):
        parse_settings("text", ["dropuot=0"])
    with pytest.raises(OptionError, match="key=value"):
        parse_settings("text", ["dropout"])
    for read in (parse_settings, parse_grid):
        with pytest.raises(OptionError, match=r"'seed' cannot be set: .* --seeds says how many"):
            read("text", ["seed=3"])
        with pytest.raises(OptionError, match="'threads' cannot be set"):
            read("text", ["threads=2"])
    with pytest.raises(OptionError, match="twice"):
        parse_grid("text", ["lr=0.1", "learning_rate=0.2"])


def test_sizes_that_are_compared_cannot_be_chosen(table):
    study = study_of(table, ("rnn",), (0,))
    study = Study(
        **{**vars(study), "variants": variants_of("classify", ["rnn"], {"hidden_size": [4, 8]}, ())}
    )
    with pytest.raises(OptionError, match="hidden_size out of the grid"):
        equal_sizes(study)


def test_a_study_is_checked_before_it_is_begun(table):
    with pytest.raises(OptionError, match="variant 'rnn'"):
        study_of(table, nesterov=True).check()
    with pytest.raises(OptionError, match="itself"):
        study_of(table, ("rnn", "rnn")).check()
    with pytest.raises(OptionError, match="steps"):
        Study(**{**vars(study_of(table)), "budget": {"steps": 0}}).check()


def test_what_was_planned_is_what_was_planned_last():
    kept = Evaluations()
    kept(Started("text", 9, 3, 6, 1000, 0.002, calibrated=True))
    kept(Replanned(step=4, steps=7, planned=9))
    assert kept.steps == 7
