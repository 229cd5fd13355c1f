"""What a curve says of over-fitting, and what of a metric follows from the training loss."""

import math
import re

import numpy as np
import pytest

from noria.reports.curves import Curve, drawn_metric
from noria.reports.fit import FIT_SENTENCES, fit_of, mean_fit, mean_metric_fit, metric_fit_of
from noria.reports.prose import LANGUAGES, METRICS, Prose, capitalised


def curve_of(train, validation, measured=None, **figures):
    """Make a curve; ``measured`` are figures of the training sample, by name."""
    points = [
        {
            "step": 10 * k,
            "train": a,
            "validation": {"loss": b, **{key: figures[key][k] for key in figures}},
            "measured": {key: values[k] for key, values in (measured or {}).items()},
        }
        for k, (a, b) in enumerate(zip(train, validation, strict=True))
    ]
    return Curve.of_points(points)


@pytest.mark.parametrize(
    ("train", "validation", "verdict", "said"),
    [
        ([3.0, 2.0, 1.0], [3.0, 2.0, 2.5], "overfits", "at step 10 (2.000) and rose again by 0.500"),
        ([3.0, 2.0, 1.0], [3.0, 2.0, 2.5], "overfits", "while the training loss went from 2.000 to 1.000"),
        ([3.0, 2.0, 1.6], [2.5, 1.2, 1.4], "overfits", "while the training loss went from 2.000 to 1.600"),
        ([3.0, 2.0, 2.03], [2.5, 1.2, 1.4], "overfits", "while the training loss went from 2.000 to 2.030"),
        ([3.0, 2.0, 1.5], [3.0, 2.0, 2.01], "gap", "0.510 (25 %) below"),
        ([3.0, 2.0, 1.95], [3.0, 2.0, 2.01], "close", "0.060 below the validation loss"),
        ([3.0, 2.5, 2.4], [3.0, 2.0, 2.01], "above", "0.390 above the validation loss"),
        ([3.0, 2.5, 2.9], [3.0, 2.0, 2.8], "rises", "by 0.800 after its lowest value (2.000, step 10)"),
        ([3.0, 2.5, 2.9], [3.0, 2.0, 2.8], "rises", "but so did the training loss, from 2.500 to 2.900"),
        ([3.0, 2.5, 2.4], [3.0, 2.0, 2.01], "above", "taken with dropout where there is any"),
        ([3.0], [3.0], "unknown", "cannot be said"),
        ([3.0, 2.0], [math.nan, math.nan], "unknown", "cannot be said"),
        ([math.nan, 2.0], [3.0, 4.0], "unknown", "cannot be said"),
    ],
)
def test_the_sentence_follows_from_the_gap(train, validation, verdict, said):
    fit = fit_of(curve_of(train, validation))
    assert fit.verdict == verdict
    assert said in fit.said(Prose("en", FIT_SENTENCES))
    assert fit.said(Prose("es", FIT_SENTENCES)) != fit.said(Prose("en", FIT_SENTENCES))


def test_a_training_loss_that_was_measured_goes_before_the_running_mean():
    curve = curve_of([3.0, 2.9, 2.8], [3.0, 2.0, 2.01], measured={"loss": [2.9, 1.5, 1.25]})
    fit = fit_of(curve)
    assert curve.is_measured
    assert (fit.verdict, fit.train, fit.train_at_best, fit.measured) == ("gap", 1.25, 1.5, True)
    above = fit_of(curve_of([1.0, 0.5], [3.0, 2.0], measured={"loss": [4.0, 2.5]}))
    said = above.said(Prose("en", FIT_SENTENCES))
    assert said.endswith("training loss is 0.500 above the validation loss.")
    running = fit_of(curve_of([4.0, 2.5], [3.0, 2.0]))
    assert "a running mean" in running.said(Prose("en", FIT_SENTENCES))
    assert not mean_fit([above, running]).measured
    assert mean_fit([above, above]) == above


@pytest.mark.parametrize(
    ("key", "train", "validation", "said"),
    [
        (
            "accuracy",
            [0.5, 0.75, 1.0],
            [0.5, 0.75, 0.625],
            "a gap of 0.375; on the latter it was best at step 10 (0.750)",
        ),
        ("accuracy", [0.5, 0.75, 1.0], [0.5, 0.75, 0.625], "and got worse by 0.125 until the end."),
        ("accuracy", [0.5, 0.75, 1.0], [0.5, 0.875, 0.865], "not worse than at its best (step 10, 0.875) by"),
        ("accuracy", [0.5, 0.75, 0.5], [0.5, 0.625, 0.75], "0.500 on the training part and 0.750 on the"),
        ("accuracy", [0.5, 0.75, 0.5], [0.5, 0.625, 0.75], "where it is no worse; on the latter it is not"),
        ("rmse", [4.0, 2.0, 1.0], [4.0, 2.5, 3.0], "a gap of 2.000; on the latter it was best at step 10"),
        ("rmse", [4.0, 2.0, 3.5], [4.0, 2.5, 3.0], "where it is no worse; on the latter it was best"),
    ],
)
def test_the_sentence_on_the_metric_follows_from_its_gap(key, train, validation, said):
    loss = [3.0, 2.0, 1.0]
    curve = curve_of(loss, loss, measured={"loss": loss, key: train}, **{key: validation})
    fit = metric_fit_of(curve, key)
    english, spanish = (fit.said(Prose(language, FIT_SENTENCES)) for language in LANGUAGES)
    assert said in english
    assert english.startswith(("Accuracy at the end: ", "RMSE at the end: "))
    assert spanish.startswith(("Exactitud al final: ", "RMSE al final: "))


def test_of_a_metric_that_says_what_the_loss_says_there_is_no_sentence():
    loss = [3.0, 2.0, 1.0]
    assert metric_fit_of(curve_of(loss, loss, bits=loss), "bits") is None
    assert metric_fit_of(curve_of(loss, loss, measured={"loss": loss}), "loss") is None
    on_train = curve_of(loss, loss, measured={"loss": loss, "f1": [0.1, math.nan, 0.3]})
    assert metric_fit_of(on_train, "f1") is None
    assert mean_metric_fit([None]) is None


def test_metrics_are_averaged_over_seeds():
    loss = [3.0, 2.0]
    one, other = (
        metric_fit_of(curve_of(loss, loss, measured={"loss": loss, "f1": [0.5, a]}, f1=[0.25, b]), "f1")
        for a, b in ((1.0, 0.75), (0.5, 0.125))
    )
    both = mean_metric_fit([one, None, other])
    assert (both.key, both.train, both.validation) == ("f1", 0.75, 0.4375)
    assert (both.best, both.best_step, both.gap, both.lost) == (0.5, 5.0, 0.3125, 0.0625)


def test_a_loss_below_zero_is_judged_too():
    assert fit_of(curve_of([-1.0, -3.0], [-1.0, -2.0])).verdict == "gap"
    assert fit_of(curve_of([-1.0, -3.0, -5.0], [-1.0, -2.0, -1.5])).verdict == "overfits"


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [
        ([3.0, 1.0, 1.5], "rises"),  # below the validation loss, as it nearly always is
        ([3.0, 1.0, 1.3], "rises"),
        ([3.0, 1.0, 1.2], "overfits"),  # by 0.2, the validation loss by 0.6
        ([3.0, 1.0, 0.5], "overfits"),
    ],
)
def test_a_measured_training_loss_that_rises_likewise_is_no_over_fitting(measured, verdict):
    fit = fit_of(curve_of([3.0, 2.0, 1.0], [3.0, 1.125, 1.725], {"loss": measured}))
    assert (fit.verdict, fit.gap > 0) == (verdict, True)
    assert ("Over-fitting" in fit.said(Prose("en", FIT_SENTENCES))) is (verdict == "overfits")


def test_the_lowest_loss_of_a_run_that_was_measured_only_later_is_not_forgotten():
    points = [
        {"step": 5 * k, "train": train, "validation": {"loss": loss, "accuracy": known}, "measured": found}
        for k, (train, loss, known, found) in enumerate(
            [(3.0, 3.0, 0.25, {}), (2.0, 1.0, 0.5, {}), (1.5, 2.0, 0.125, {"loss": 1.75, "accuracy": 0.5}),
             (1.25, 1.5, 0.375, {"loss": 1.0, "accuracy": 0.75})]
        )
    ]  # fmt: skip
    curve = Curve.of_points(points)
    fit = fit_of(curve)
    assert (fit.best, fit.best_step, fit.verdict) == (1.0, 5.0, "overfits")
    assert (fit.train_at_best, fit.train, fit.measured) == (2.0, 1.25, False)
    assert metric_fit_of(curve, "accuracy") is None
    np.testing.assert_array_equal(curve.on_train("accuracy"), [np.nan, np.nan, 0.5, 0.75])
    whole = Curve.of_points(points[2:])
    assert (fit_of(whole).measured, metric_fit_of(whole, "accuracy").train) == (True, 0.75)


def test_seeds_are_averaged_and_those_without_a_curve_left_out():
    fits = [fit_of(curve_of([3.0, 1.0], [3.0, 2.0])), fit_of(curve_of([3.0, 2.0], [3.0, 4.0]))]
    both = mean_fit([*fits, fit_of(curve_of([1.0], [1.0]))])
    assert (both.train, both.validation, both.best, both.best_step) == (1.5, 3.0, 2.5, 5.0)
    assert both.train_at_best == 2.0
    assert mean_fit([]).verdict == "unknown"


def test_what_is_the_loss_in_another_unit_is_known_of_the_training_part():
    train, loss = np.array([4.0, 3.0, 1.0]), np.array([4.0, 2.0, 1.5])
    curve = curve_of(
        train, loss, bits=loss / math.log(2), perplexity=np.exp(loss), accuracy=np.array([0.1, 0.2, 0.3])
    )
    np.testing.assert_allclose(curve.on_train("bits"), train / math.log(2))
    np.testing.assert_allclose(curve.on_train("perplexity"), np.exp(train))
    np.testing.assert_array_equal(curve.on_train("loss"), train)
    assert np.isnan(curve.on_train("accuracy")).all()
    assert np.isnan(curve.on_validation("nothing")).all()


def test_what_was_measured_of_the_training_part_is_told():
    train, loss = [4.0, 3.0], [4.0, 2.0]
    measured = {"loss": [3.5, 1.0], "accuracy": [0.5, 0.75]}
    curve = curve_of(train, loss, measured, accuracy=[0.25, 0.5])
    assert curve.on_train("accuracy").tolist() == [0.5, 0.75]
    assert curve.on_train("loss").tolist() == [3.5, 1.0]
    assert curve.on_validation("accuracy").tolist() == [0.25, 0.5]
    assert curve.train.tolist() == train
    before = curve_of(train, loss, accuracy=[0.25, 0.5])
    assert not before.is_measured
    assert np.isnan(before.on_train("accuracy")).all()


def test_what_is_drawn_beside_the_loss():
    loss = np.array([4.0, 2.0])
    known = {"bits_per_character": loss, "perplexity": np.exp(loss), "accuracy": [0.1, 0.2]}
    curve = curve_of([4.0, 3.0], loss, **known)
    assert drawn_metric([curve], "bits_per_character") == "perplexity"  # of words, say
    characters = curve_of([4.0, 3.0], loss, bits_per_character=loss / math.log(2))
    assert drawn_metric([characters], "bits_per_character") == "bits_per_character"
    assert drawn_metric([curve, characters], "bits_per_character") == "bits_per_character"
    only = curve_of([4.0, 3.0], loss, accuracy=[0.1, 0.2])
    assert drawn_metric([only], "accuracy") == "accuracy"  # on validation alone
    assert drawn_metric([only], "rmse") == drawn_metric([], "rmse") == "loss"


def test_bits_per_character_of_words_are_not_told_from_the_training_loss():
    train, loss = np.array([4.0, 3.0, 1.0]), np.array([4.0, 2.0, 1.5])
    of_characters = curve_of(train, loss, bits_per_character=loss / math.log(2))
    np.testing.assert_allclose(of_characters.on_train("bits_per_character"), train / math.log(2))
    for tokens in (0.2, 0.45, 1.15):  # for each character: of words, of subwords, of names and their ends
        curve = curve_of(train, loss, bits_per_character=tokens * loss / math.log(2))
        assert np.isnan(curve.on_train("bits_per_character")).all()


def test_a_log_is_read_and_half_a_line_of_it_left_out(tmp_path):
    from noria.reports.run_figures import log_events

    path = tmp_path / "log.jsonl"
    path.write_text(
        '{"event": "Started", "steps": 4}\n'
        '{"event": "Evaluated", "step": 2, "loss": 1.5, "metrics": {"loss": 2.5}}\n'
        '{"event": "Evaluated", "step": 4, "loss": 1.0, "metrics": {"loss": 2.0}, "train": {"loss": 0.5}}\n'
        '{"event": "Evaluated", "st'
    )
    curve = Curve.of_log(log_events(path))
    assert (curve.steps.tolist(), curve.train.tolist()) == ([2.0, 4.0], [1.5, 1.0])
    np.testing.assert_array_equal(curve.measured["loss"], [np.nan, 0.5])
    assert log_events(tmp_path / "none") == []


def test_what_stands_in_the_place_of_a_figure_is_named_as_one():
    english, spanish = (Prose(language, FIT_SENTENCES) for language in LANGUAGES)
    words = "bits_per_character", "perplexity"
    said = english("in_its_place", *map(english.metric, words))
    assert said.startswith("While a model learns, the figure bits per character is measured on")
    said = spanish("in_its_place", *map(spanish.metric, words))
    assert "la cifra bits por carácter se mide solo" in said
    assert "en su lugar está la perplejidad, que" in said


def test_numbers_stand_as_the_language_writes_them():
    english, spanish = (Prose(language) for language in LANGUAGES)
    assert (english.number(12345.6), spanish.number(12345.6)) == ("12,346", "12\u202f346")
    assert english.number(math.nan) == "–"
    assert (capitalised("mean F1"), capitalised("")) == ("Mean F1", "")
    assert (english.listed(["a", "b", "c"]), spanish.listed(["a", "b"])) == ("a, b and c", "a y b")
    assert [english.duration(x) for x in (1.25, 150.0, 9000.0)] == ["1.2 s", "2.5 min", "2.5 h"]
    assert (english.metric("exact_match"), english.metric("own_figure")) == ("exact answers", "own figure")


def test_every_sentence_of_a_run_stands_in_both_languages():
    from noria.reports.gates import GATE_WORDS
    from noria.reports.machine import MACHINE
    from noria.reports.run_words import BASELINES, RUN_WORDS

    for table in (FIT_SENTENCES, GATE_WORDS, MACHINE, RUN_WORDS, BASELINES, METRICS):
        for english, spanish in table.values():
            assert english
            assert spanish
    for table in (FIT_SENTENCES, GATE_WORDS, MACHINE, RUN_WORDS):
        for key, (english, spanish) in table.items():
            assert set(re.findall(r"\{\d\}", english)) == set(re.findall(r"\{\d\}", spanish)), key
