"""What stands in the figures of reports: the values themselves, at their places."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from noria.reports import run_pictures
from noria.reports.curves import Curve, drawn_metric
from noria.studies import figures as study_figures
from noria.studies.lines import Line
from noria.studies.results import Results

NOWHERE = Path("nowhere")


@pytest.fixture
def panels(monkeypatch):
    """What was drawn last, in the place of files."""
    kept = []
    for module in (run_pictures, study_figures):
        monkeypatch.setattr(module, "written", lambda drawn, path: kept.append(drawn) or [])
    return lambda: kept[-1].axes


def lines_of(panel):
    return {line.get_label(): line.get_ydata() for line in panel.lines}


def points(loss, train, measured=None, **figures):
    return [
        {
            "step": 5 * k,
            "train": train[k],
            "validation": {"loss": loss[k], **{n: v[k] for n, v in figures.items()}},
            "measured": {n: v[k] for n, v in (measured or {}).items()},
        }
        for k in range(len(loss))
    ]


def test_curves_of_a_run(panels):
    curve = Curve.of_points(points([3.0, 2.0, 2.5], [3.5, 2.5, 1.0], accuracy=[0.1, 0.5, 0.4]))
    words = {name: name for name in ("step", "loss", "train", "validation", "kept", "baseline")}
    words["metric"] = "accuracy"
    run_pictures.draw_curves(NOWHERE, curve, "accuracy", words, kept=5.0, baseline=0.45)
    loss, metric = panels()
    assert lines_of(loss)["train"].tolist() == [3.5, 2.5, 1.0]
    assert lines_of(loss)["validation"].tolist() == [3.0, 2.0, 2.5]
    assert lines_of(metric)["validation"].tolist() == [0.1, 0.5, 0.4]
    assert "train" not in lines_of(metric)
    assert lines_of(metric)["baseline"] == [0.45, 0.45]
    kept = next(line for line in loss.lines if line.get_label() == "kept")
    assert kept.get_xdata() == [5.0, 5.0]
    assert (loss.get_ylabel(), metric.get_ylabel()) == ("loss", "accuracy")
    looks = {(line.get_linestyle(), line.get_marker()) for line in loss.lines[:2]}
    assert len(looks) == 2, "they differ in black and white"


def test_curves_of_a_run_whose_training_part_was_measured(panels):
    measured = {"loss": [3.25, 1.5, 0.5], "accuracy": [0.2, 0.7, 0.9]}
    curve = Curve.of_points(points([3.0, 2.0, 2.5], [3.5, 2.5, 1.0], measured, accuracy=[0.1, 0.5, 0.4]))
    words = {name: name for name in ("step", "loss", "train", "validation", "kept", "baseline", "metric")}
    run_pictures.draw_curves(NOWHERE, curve, "accuracy", words, kept=5.0, baseline=0.45)
    loss, metric = panels()
    assert lines_of(loss)["train"].tolist() == measured["loss"]
    assert lines_of(metric)["train"].tolist() == measured["accuracy"]
    assert lines_of(metric)["validation"].tolist() == [0.1, 0.5, 0.4]


def test_curves_of_a_run_whose_metric_was_never_measured(panels):
    words = dict.fromkeys(("step", "loss", "train", "validation", "kept", "baseline", "metric"), "x")
    curve = Curve.of_points(points([math.nan, math.nan], [3.0, 2.0]))
    run_pictures.draw_curves(
        NOWHERE, curve, drawn_metric([curve], "rmse"), words, kept=math.nan, baseline=math.nan
    )
    (only,) = panels()
    assert len(only.lines) == 1


def test_a_confusion_matrix(panels):
    words = {"true": "true", "told": "told", "share": "share"}
    counts = [[6, 2, 0], [1, 0, 3], [0, 0, 0]]
    run_pictures.draw_confusion(NOWHERE, ["a", "bb", "c"], counts, words)
    panel = panels()[0]
    shares = np.asarray(panel.images[0].get_array())
    np.testing.assert_allclose(shares, [[0.75, 0.25, 0.0], [0.25, 0.0, 0.75], [0.0, 0.0, 0.0]])
    found = {(text.get_position(), text.get_text()) for text in panel.texts}
    assert {((1, 0), "2"), ((2, 1), "3"), ((0, 1), "1")} <= found
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("told", "true")
    assert [tick.get_text() for tick in panel.get_yticklabels()] == ["a", "bb", "c"]


def test_of_many_classes_the_most_frequent_are_drawn(panels):
    counts = np.diag(np.arange(1, 51))
    words = {"true": "true", "told": "told", "share": "share"}
    run_pictures.draw_confusion(NOWHERE, [str(k) for k in range(50)], counts, words)
    panel = panels()[0]
    assert [tick.get_text() for tick in panel.get_yticklabels()] == [str(k) for k in range(10, 50)]
    assert not panel.texts


def test_errors_by_horizon_forecasts_and_bars(panels):
    horizons = {str(h): {"rmse": 1.0 * h, "mae": 9.0, "drift": 2.0 * h} for h in (1, 2, 3)}
    run_pictures.draw_horizons(NOWHERE, horizons, {"ahead": "ahead", "error": "RMSE", "model": "mine"})
    found = lines_of(panels()[0])
    assert {name: values.tolist() for name, values in found.items()} == {
        "mine": [1.0, 2.0, 3.0], "drift": [2.0, 4.0, 6.0],
    }  # fmt: skip
    rows = [{"step": k, "forecast": 10.0 + k, "low": 9.0, "high": 13.0} for k in (1, 2)]
    words = dict.fromkeys(("step", "value"), "") | {n: n for n in ("observed", "forecast", "interval")}
    run_pictures.draw_forecast(NOWHERE, [7.0, 8.0, 9.0], rows, words)
    past, ahead = panels()[0].lines[:2]
    assert (past.get_xdata().tolist(), past.get_ydata().tolist()) == ([-2, -1, 0], [7.0, 8.0, 9.0])
    assert (ahead.get_xdata().tolist(), ahead.get_ydata().tolist()) == ([1.0, 2.0], [11.0, 12.0])
    (shaded,) = panels()[0].collections
    assert shaded.get_paths()[0].get_extents().extents.tolist() == [1.0, 9.0, 2.0, 13.0]
    run_pictures.draw_bars(NOWHERE, [("short", 0.5), ("long", 0.25)], "exact")
    assert [bar.get_width() for bar in panels()[0].patches] == [0.5, 0.25]


def results_of(**gradients):
    lines = [
        Line(
            name=name,
            figure=2.0 + place,
            deviation=1.0,
            half_width=0.5,
            by_seed={0: 1.0 + place, 1: 3.0 + place},
            gradient=gradient,
            **dict.fromkeys(("loss", "train", "validation", "best_validation", "parameters", "steps"), 1.0),
            **dict.fromkeys(("seconds", "tokens_per_second", "peak_bytes"), 1.0),
            **dict.fromkeys(("done", "diverged", "failed"), ()),
        )
        for place, (name, gradient) in enumerate(gradients.items())
    ]
    curves = {
        "a": [
            points([3.0, 1.0], [4.0, 2.0], bits=[6.0, 2.0]),
            points([5.0, 1.0], [4.0, 4.0], bits=[10.0, 2.0]),
        ],
        "b": [points([9.0, 8.0], [9.0, 7.0], bits=[18.0, 16.0])],
    }
    return Results("bits", ".3f", False, tuple(lines), (), curves, 1.5, "guess", "", 0)


def test_the_figures_of_every_seed(panels):
    study_figures.draw_figures(NOWHERE, results_of(a=None, b=None), {"metric": "bits, test"})
    (panel,) = panels()
    marks = [line for line in panel.lines if len(line.get_xdata()) == 2 and line.get_marker() in "os"]
    assert [list(line.get_xdata()) for line in marks] == [[1.0, 3.0], [2.0, 4.0]]
    assert len({line.get_marker() for line in marks}) == 2
    assert panel.lines[-1].get_xdata() == [1.5, 1.5]
    ends = [bar.get_segments()[0][:, 0].tolist() for bar in panel.collections]
    assert ends == [[1.5, 2.5], [2.5, 3.5]]


def test_the_curves_of_a_study(panels):
    words = {name: name for name in ("step", "loss", "metric", "train", "validation", "unmeasured")}
    study_figures.draw_curves(NOWHERE, results_of(a=None, b=None), words)
    train, validation, bits_train, bits_validation = panels()
    assert lines_of(train)["a"].tolist() == [4.0, 3.0]
    assert lines_of(validation)["a"].tolist() == [4.0, 1.0]
    assert lines_of(validation)["b"].tolist() == [9.0, 8.0]
    assert lines_of(bits_train)["a"].tolist() == [8.0, 6.0]
    assert lines_of(bits_validation)["b"].tolist() == [18.0, 16.0]
    assert (train.get_title(), validation.get_title()) == ("train", "validation")
    assert len(validation.collections) == 1, "between the seeds of the one that has several"


def test_the_curves_of_a_study_whose_training_part_was_measured(panels):
    results = results_of(a=None)
    measured = [{"loss": [2.0, 0.5], "bits": [7.0, 1.0]}, {"loss": [4.0, 1.5], "bits": [9.0, 3.0]}]
    curves = {"a": [points([3.0, 1.0], [4.0, 2.0], one, bits=[6.0, 5.0]) for one in measured]}
    words = {name: name for name in ("step", "loss", "metric", "train", "validation", "unmeasured")}
    study_figures.draw_curves(NOWHERE, replace(results, curves=curves), words)
    train, _, bits_train, bits_validation = panels()
    assert lines_of(train)["a"].tolist() == [3.0, 1.0]
    assert lines_of(bits_train)["a"].tolist() == [8.0, 2.0]
    assert lines_of(bits_validation)["a"].tolist() == [6.0, 5.0]


def test_of_a_metric_that_was_never_measured_no_panel_is_drawn(panels):
    words = {name: name for name in ("step", "loss", "metric", "train", "validation", "unmeasured")}
    study_figures.draw_curves(NOWHERE, replace(results_of(a=None), metric="macro_f1"), words)
    assert len(panels()) == 2


def test_how_far_gradients_reach(panels):
    words = {name: name for name in ("back", "norm", "tenth", "thousandth")}
    gradient = {"distance": [0, 1, 2], "norm": [4.0, 2.0, 1e-9]}
    study_figures.draw_reach(NOWHERE, results_of(a=gradient, b=None), words)
    (panel,) = panels()
    np.testing.assert_allclose(lines_of(panel)["a"], [1.0, 0.5, 2.5e-10])
    assert "b" not in lines_of(panel)
    assert panel.get_ylim()[0] == pytest.approx(1e-6)
    assert panel.get_xlim()[1] == pytest.approx(1.04)


def test_of_many_variants_no_two_lines_look_alike():
    looks = [study_figures._look(place, 5) for place in range(20)]
    assert len({(one["color"], str(one["linestyle"])) for one in looks}) == 20
