"""The report of a study: what it may say, and that the first screen says what one wants to know."""

import contextlib
import errno
import inspect
import json
import math
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from noria.errors import DataError, RunError
from noria.models.explanation import Explanation, RecordedLayer
from noria.reports import folder as report_folder
from noria.reports.curves import Curve
from noria.reports.fit import FIT_SENTENCES
from noria.reports.gates import GATE_WORDS
from noria.reports.prose import LANGUAGES, MISSING, Prose
from noria.studies import Study, Variant
from noria.studies.conclusions import SENTENCES, beaten, conclusions, fits
from noria.studies.figures import together
from noria.studies.folder import StudyFolder, read_json, write_json
from noria.studies.report import rewrite_report, write_report
from noria.studies.results import compared, results_of
from noria.studies.study_words import BOTH, WORDS
from page_checker import checked

CLEAR = {"a": [1.0, 1.1, 1.2, 1.1], "b": [2.0, 2.1, 2.2, 2.2]}
MIXED = {"a": [1.0, 1.4, 1.2, 1.1], "b": [1.2, 1.1, 1.3, 1.2]}


def made(path, figures, *, higher=False, **more):
    """A study whose figures are these: by variant, one for each seed."""
    study = Study(
        task="classify" if higher else "text",
        variants=tuple(Variant(name, {"cell": "gru"}) for name in figures),
        seeds=tuple(range(len(next(iter(figures.values()))))),
        budget={"steps": 40},
    )
    folder = StudyFolder.take(path / "made", study)
    key = "accuracy" if higher else "bits_per_character"
    for place, variant in enumerate(study.variants):
        for seed, value in enumerate(figures[variant.name]):
            losses = [3.0, value, value + (0.2 if variant.name == "b" else 0.0)]
            result = {
                "variant": variant.name,
                "seed": seed,
                "status": "done",
                "test": {"loss": value, key: value},
                "curve": [
                    {"step": 20 * k, "train": loss - 0.3, "validation": {"loss": loss, key: loss}}
                    for k, loss in enumerate(losses)
                ],
                "parameters": 1000 * (place + 1),
                "steps": 40,
                "seconds": 60.0,
                "tokens_per_second": 5000.0 / (place + 1),
                "peak_bytes": 2e8,
                "data": "a <book>",
                "baseline": {"name": "Kneser-Ney 5-gram", key: 0.5},
                **more,
            }
            write_json(folder.file_of(variant, seed), result)
    return folder


def test_better_is_said_where_the_interval_leaves_zero_out(tmp_path):
    said = conclusions(results_of(made(tmp_path, CLEAR)))
    assert said[0].startswith("a is better than every other variant (bits per character 1.100)")
    assert said[1].startswith("a is better than b: bits per character by 1.025")


# b was better wherever both ended well, and alone had the two seeds that went badly
LOST = {"a": [1.0, 1.02, 0.98, None, None], "b": [0.9, 0.91, 0.89, 1.5, 1.5]}


def lost(path, figures):
    """A study in which some runs diverged."""
    folder = made(path, {name: [one or 9.0 for one in values] for name, values in figures.items()})
    for variant in folder.study.variants:
        for seed, value in enumerate(figures[variant.name]):
            if value is None:
                failed = {"variant": variant.name, "seed": seed, "status": "diverged", "message": "nan"}
                write_json(folder.file_of(variant, seed), {**failed, "curve": []})
    return folder


def test_variants_are_ranked_over_the_seeds_that_all_of_them_have(tmp_path):
    folder = lost(tmp_path, LOST)
    results = results_of(folder)
    assert [(line.name, round(line.figure, 9)) for line in results.ranked] == [("b", 0.9), ("a", 1.0)]
    assert [round(line.figure, 3) for line in results.lines] == [1.0, 1.14]
    said = conclusions(results)
    assert said[0].startswith("b is better than every other variant (bits per character 0.900)")
    assert said[1].endswith("over the seeds with which all of them ended well: 0, 1, 2.")
    assert said[2].startswith("b is better than a: bits per character by 0.100")
    assert not any("a is better" in line or "a has the best" in line for line in said)
    assert "se comparan sobre las semillas con que todas terminaron bien: 0, 1, 2." in " ".join(
        conclusions(results, "es")
    )
    assert not any("ended well: 0" in line for line in conclusions(results_of(made(tmp_path / "all", CLEAR))))


@pytest.mark.usefixtures("quick")
def test_the_first_screen_has_the_figures_of_the_shared_seeds(tmp_path):
    folder = lost(tmp_path, LOST)
    write_report(folder, "noria compare")
    screen = words_of(checked((folder.path / "report.html").read_text()).find("body/main/dl"))
    assert "b: bits per character 0.900 on the test part (mean of 3 seeds" in screen
    assert "0.100 better than a" in screen
    assert "yes, against every other" in screen


def test_a_variant_with_few_seeds_takes_nothing_from_the_others(tmp_path):
    figures = {
        "c": [0.5, None, None, None, None],
        "a": [1.0, 1.1, 1.2, 1.1, 1.0],
        "b": [2.0, 2.1, 2.2, 2.2, 2.1],
    }
    results = results_of(lost(tmp_path, figures))
    assert [line.name for line in results.ranked] == ["a", "b"]
    assert [(one.one, one.other, one.seeds) for one in results.differences] == [("a", "b", 5)]
    said = conclusions(results)
    assert said[0].startswith("a is better than every other")
    assert said[1] == "c is not compared: too few seeds ended well both with it and with the others."


def test_what_is_compared_shares_half_of_the_most_seeds():
    one = dict.fromkeys(range(5), 1.0)
    three, two = {0: 2.0, 1: 2.0, 4: 2.0}, {1: 3.0, 4: 3.0}
    assert {name: list(kept) for name, kept in compared({"a": one, "b": three}).items()} == {
        "a": [0, 1, 4], "b": [0, 1, 4],
    }  # fmt: skip
    assert list(compared({"c": two, "a": one, "b": three})) == ["a", "b"]
    assert compared({"a": {0: 1.0}, "b": {1: 2.0}}) == {"a": {0: 1.0}}
    assert compared({"a": {}, "b": {}}) == {}


def test_better_is_never_said_where_it_holds_zero(tmp_path):
    results = results_of(made(tmp_path, MIXED))
    for language, word in (("en", "better"), ("es", "mejor que")):
        assert not any(word in line for line in conclusions(results, language))
    assert "no difference was seen between it and b" in conclusions(results)[0]
    assert results.to_dict()["differences"][0]["verdict"] == "no difference"


def test_higher_is_better_of_accuracy(tmp_path):
    said = conclusions(results_of(made(tmp_path, CLEAR, higher=True)))
    assert said[0].startswith("b is better than every other")
    assert said[1].startswith("b is better than a: accuracy by 1.025")


def test_a_single_seed_claims_nothing(tmp_path):
    folder = made(tmp_path, {"a": [1.0], "b": [9.0]})
    said = conclusions(results_of(folder))
    assert said[0] == SENTENCES["one_seed"][0]
    assert not any("better" in line or "seen between" in line for line in said)


def test_the_figure_to_beat(tmp_path):
    results = results_of(made(tmp_path, {"a": [0.1, 0.2], "b": [0.8, 0.7]}))
    # its interval reaches from -0.49 to 0.79
    within = "better in the mean, but within the spread: a"
    assert f"The figure to beat (Kneser-Ney 5-gram) is 0.500; {within}." in conclusions(results)
    clear = results_of(
        made(tmp_path / "clear", {"a": [0.1, 0.11, 0.12], "b": [0.1, 0.99, 0.1], "c": [1.0] * 3})
    )
    both = "beaten by a; better in the mean, but within the spread: b"
    assert f"The figure to beat (Kneser-Ney 5-gram) is 0.500; {both}." in conclusions(clear)
    single = results_of(made(tmp_path / "single", {"a": [0.1], "b": [0.6]}))
    assert any("better, but with no spread to judge by: a." in line for line in conclusions(single))
    higher = results_of(made(tmp_path / "higher", {"a": [0.1, 0.99], "b": [0.9, 0.901]}, higher=True))
    assert any(line.endswith("0.500; beaten by b; " + within + ".") for line in conclusions(higher))
    none = results_of(made(tmp_path / "none", {"a": [0.8, 0.7], "b": [0.5, 0.5]}))
    assert any(line.endswith("0.500; beaten by none.") for line in conclusions(none))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("language", "name"), [("en", "persistence"), ("es", "persistencia")])
def test_the_first_screen_and_the_conclusions_say_the_same_of_the_figure_to_beat(tmp_path, language, name):
    baseline = {"name": "persistence", "bits_per_character": 0.5}
    folder = made(tmp_path, {"a": [0.1, 0.2], "b": [0.1, 0.101]}, baseline=baseline)
    results = write_report(folder, "noria compare", language=language)
    screen = words_of(checked((folder.path / "report.html").read_text()).find("body/main/dl"))
    said = beaten(results, Prose(language, BOTH))
    assert f"{name}: 0.500; {said}" in screen
    assert any(f"({name})" in line and f"0.500; {said}." in line for line in conclusions(results, language))


def test_of_many_variants_only_the_pairs_with_the_best_are_told(tmp_path):
    figures = {name: [1.0 + place, 1.1 + place, 1.2 + 1.01 * place] for place, name in enumerate("abcde")}
    for language in LANGUAGES:
        said = conclusions(results_of(made(tmp_path / language, figures)), language)
        pairs = [line for line in said if "(interv" in line]
        assert len(pairs) == 4
        assert all("a " in line for line in pairs)
    said = conclusions(results_of(made(tmp_path / "more", figures)))
    assert "Of the 6 other pairs, 6 differ; the table has them all." in said
    results = results_of(made(tmp_path / "beaten", {name: [0.1, 0.11] for name in "abcde"}))
    said = "The figure to beat (Kneser-Ney 5-gram) is 0.500; beaten by 5 of 5 variants."
    assert said in conclusions(results)


def test_over_fitting_is_told_from_the_gap_and_averaged_over_seeds(tmp_path):
    results = results_of(made(tmp_path, CLEAR))
    found = fits(results)
    assert (found["a"].verdict, found["b"].verdict) == ("gap", "overfits")
    assert math.isclose(found["b"].rise, 0.2)
    assert "b over-fits." in conclusions(results)
    assert "b sobreajusta." in conclusions(results, "es")


def test_how_far_gradients_reach_is_compared(tmp_path):
    short = {"distance": [0, 1, 2], "norm": [1.0, 0.05, 0.0005], "tenth": 1, "thousandth": 2}
    far = {"distance": [0, 1, 2], "norm": [1.0, 0.9, 0.8], "tenth": None, "thousandth": None}
    folder = made(tmp_path, CLEAR, gradient=short)
    same = conclusions(results_of(folder))
    assert "The gradient reaches as far in all variants: 1 step back until a tenth of it is left." in same
    for seed in range(4):
        file = folder.file_of(folder.study.variants[1], seed)
        write_json(file, {**read_json(file), "gradient": far})
    said = conclusions(results_of(folder))
    assert any(line.startswith("The gradient reaches furthest in b, >2 steps back") for line in said)


def test_all_variants_whose_gradients_reach_furthest_are_named(tmp_path):
    folder = made(tmp_path, {"a": [1.0], "b": [2.0], "c": [3.0], "d": [4.0]})
    reaches = {
        "a": [1.0, 0.9, 0.8],
        "b": [1.0, 0.9, 0.8, 0.7],
        "c": [1.0, 0.05, 0.001],
        "d": [1.0, 0.01, 0.0],
    }
    for variant in folder.study.variants:
        norms = reaches[variant.name]
        file = folder.file_of(variant, 0)
        write_json(file, {**read_json(file), "gradient": {"norm": norms, "distance": [*range(len(norms))]}})
    for language, line in (
        (
            "en",
            "furthest in a and b, >2 steps back until a tenth of it is left, and least far in c and d, 1.",
        ),
        ("es", "más lejos en a y b, >2 pasos atrás hasta quedar un décimo, y menos lejos en c y d, 1."),
    ):
        assert any(said.endswith(line) for said in conclusions(results_of(folder), language))


def test_every_sentence_stands_in_both_languages():
    for english, spanish in [*SENTENCES.values(), *WORDS.values(), *BOTH.values()]:
        assert set(re.findall(r"\{\d\}", english)) == set(re.findall(r"\{\d\}", spanish))
    written = [both for table in (SENTENCES, BOTH, FIT_SENTENCES) for both in table.values()]
    assert len(set(written)) == len(written)
    assert not set(written) & set(WORDS.values())


def test_what_is_said_of_samples_is_so():
    english, spanish = WORDS["samples_note"]
    assert "with the weights that were kept, of its first run that ended well" in english
    assert "con los pesos que quedaron de su primera ejecución que terminó bien" in spanish


def test_a_figure_that_is_missing_is_the_same_dash_everywhere(tmp_path):
    results = results_of(made(tmp_path, {"a": [1.0], "b": [9.0]}))
    assert results.said(results.lines[0].deviation) == MISSING == Prose("en").number(math.nan)


def test_curves_of_several_seeds_are_brought_together():
    one = np.array([2.0, 4.0, 6.0]), np.array([3.0, 2.0, 1.0])
    other = np.array([4.0, 5.0]), np.array([4.0, np.nan])
    third = np.array([3.0, 7.0]), np.array([1.0, 5.0])
    steps, values = together([one, third])
    assert steps.tolist() == [3.0, 4.0, 6.0]
    assert values.tolist() == [[2.5, 2.0, 1.0], [1.0, 2.0, 4.0]]
    assert together([one, other])[0].tolist() == [4.0]
    assert together([(other[0][1:], other[1][1:])])[0].size == 0


def words_of(element):
    return "".join(element.itertext())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_screen_says_what_won_by_how_much_at_what_cost_and_how_to_repeat_it(tmp_path, language):
    reach = {"distance": [0, 1, 2], "norm": [1.0, 0.05, 0.0005], "tenth": 1, "thousandth": 2}
    folder = made(tmp_path, CLEAR, gradient=reach, sample="so <it> wrote\n")
    results = write_report(folder, "noria compare <text>", language=language, reason="To see.")
    root = checked((folder.path / "report.html").read_text(encoding="utf-8"))
    main = root.find("body/main")
    assert [child.tag for child in main][:5] == ["h1", "p", "dl", "pre", "section"]
    screen = " ".join(words_of(child) for child in main[:4])
    for said in ("a", "1.100", "1.025", "b", "0.082", "0.500", "60.0 s", "200 MB", "noria compare <text>"):
        assert said in screen
    assert "-1.025" not in screen
    assert {"en": "yes, against every other", "es": "sí, frente a todas"}[language] in screen
    assert root.get("lang") == language
    names = {file.name for file in (folder.path / "figures").iterdir()}
    assert names == {f"{name}.{kind}" for name in ("figures", "curves", "reach") for kind in ("svg", "png")}
    assert len(root.findall(".//figure")) == 3
    assert words_of(main).count("so <it> wrote") == 2
    written = (folder.path / "report.md").read_text(encoding="utf-8")
    for line in conclusions(results, language):
        assert line in written
    assert "To see." in written
    content = read_json(folder.path / "results.json")
    assert (content["kind"], content["metric"], len(content["lines"])) == ("study", "bits_per_character", 2)
    assert set(content["conclusions"]) == set(LANGUAGES)
    assert content["fits"]["b"]["verdict"] == "overfits"
    assert (folder.path / "report.pdf").read_bytes().count(b"/Alt ") == 3
    assert any("Student 1908" in entry["text"] for entry in content["references"])


@pytest.fixture
def quick(monkeypatch):
    """Reports whose figures and PDF are made elsewhere."""
    from noria.reports.pictures import Picture

    def pictures_of(figures):
        for one in figures:
            inspect.signature(one.draw).bind(Path("nowhere"))
            yield one.name, Picture(b"<svg/>", b"")

    monkeypatch.setattr(report_folder, "drawn", lambda figures: dict(pictures_of(figures)))
    monkeypatch.setattr(report_folder, "as_pdf", lambda document, pictures: b"%PDF")


@pytest.mark.usefixtures("quick")
def test_what_was_not_better_is_said_not_to_be(tmp_path):
    folder = made(tmp_path, MIXED)
    write_report(folder, "noria compare")
    screen = words_of(checked((folder.path / "report.html").read_text()).find("body/main/dl"))
    assert "no, not against b: the interval of the difference holds zero; the standard deviation of" in screen
    assert 'class="marked"' not in (folder.path / "report.html").read_text()


@pytest.mark.usefixtures("quick")
def test_results_of_before_have_no_samples_and_no_gradients(tmp_path):
    folder = made(tmp_path, {"a": [1.0], "b": [9.0]})
    write_report(folder, "noria compare")
    page = (folder.path / "report.html").read_text()
    assert "there is no spread to judge by, as one seed has none" in page
    assert WORDS["gradients"][0] not in page
    assert WORDS["samples"][0] not in page


@pytest.mark.usefixtures("quick")
def test_a_study_in_which_nothing_ended_well_has_a_report_too(tmp_path):
    folder = made(
        tmp_path, {"a": [1.0], "b": [9.0]}, status="diverged", message="loss is\nnan", test={}, curve=[]
    )
    write_report(folder, "noria compare")
    written = (folder.path / "report.md").read_text()
    assert SENTENCES["nothing"][0] in written
    assert "a, seed 0: loss is" in written


WHY = "TypeError: no\nTraceback (most recent call last)"
UNSEEN = {
    "sample": ("what it writes is not known", "no se sabe qué escribe"),
    "gradient": ("how far its gradient reaches is not known", "no se sabe hasta dónde llega su gradiente"),
    "gates": ("what its gates and states do is not known", "no se sabe qué hacen sus puertas y estados"),
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("look", UNSEEN)
def test_what_could_not_be_shown_of_a_run_is_said(tmp_path, look, language):
    seed = {"en": "seed", "es": "semilla"}[language]
    before = [f"its {look} is missing: {WHY}"]
    for place, looking in (("now", {look: WHY}), ("before", before)):
        folder = made(tmp_path / place, {"a": [1.0], "b": [9.0]}, looking=looking)
        write_report(folder, "noria compare", language=language)
        written = (folder.path / "report.md").read_text(encoding="utf-8")
        assert f"b, {seed} 0: {UNSEEN[look][LANGUAGES.index(language)]}: TypeError: no" in written
        assert "Traceback" not in written


@pytest.mark.usefixtures("quick")
def test_the_curves_of_runs_that_diverged_are_left_out(tmp_path):
    figures = {"a": [1.0, 1.1, 1.2], "b": [2.0, 2.1, 2.2]}
    folder = made(tmp_path, figures)
    before = fits(results_of(folder))["a"]
    file = folder.file_of(folder.study.variants[0], 1)
    wild = [
        {"step": 5 * k, "train": 3.0, "validation": {"loss": loss, "bits_per_character": loss}}
        for k, loss in enumerate([3.0, 1.0, 90.0])
    ]
    write_json(file, {"variant": "a", "seed": 1, "status": "diverged", "message": "nan", "curve": wild})
    results = write_report(folder, "noria compare")
    assert [len(many) for many in results.curves.values()] == [2, 3]
    found = fits(results)["a"]
    assert (found.verdict, before.verdict) == ("gap", "gap")
    assert (found.validation, found.train) == (results.lines[0].validation, results.lines[0].train)
    assert not any("a over-fits" in line for line in conclusions(results))
    everywhere = [Curve.of_points(one) for one in results.curves["a"]]
    steps, values = together([(one.steps, one.on_validation("loss")) for one in everywhere])
    assert steps.tolist() == [0.0, 20.0, 40.0]
    assert values[:, -1].tolist() == [1.0, 1.2]


@pytest.mark.usefixtures("quick")
def test_a_metric_is_told_of_where_the_loss_is_not(tmp_path):
    folder = measured(made(tmp_path, {"a": [1.0], "b": [2.0]}, higher=True), "accuracy")
    file = folder.file_of(folder.study.variants[1], 0)
    run = read_json(file)
    for point in run["curve"][1:]:
        point["validation"]["loss"] = None  # it was not finite
    write_json(file, run)
    results = write_report(folder, "noria compare")
    assert fits(results)["b"].verdict == "unknown"
    written = (folder.path / "report.md").read_text(encoding="utf-8")
    assert "b: Accuracy at the end: 1.000 on the training part and 2.200 on the validation part" in written
    assert "a: No over-fitting seen" in written or "a: A gap" in written


@pytest.mark.usefixtures("quick")
def test_training_losses_that_stand_side_by_side_are_of_one_kind(tmp_path):
    folder = measured(made(tmp_path, CLEAR), "bits_per_character")
    file = folder.file_of(folder.study.variants[0], 2)
    run = read_json(file)
    write_json(file, {**run, "curve": [{**point, "measured": {}} for point in run["curve"]]})
    results = write_report(folder, "noria compare")
    written = (folder.path / "report.md").read_text(encoding="utf-8")
    assert FIT_SENTENCES["running"][0] in written
    assert FIT_SENTENCES["measured"][0] not in written
    curves = [Curve.of_points(one) for many in results.curves.values() for one in many]
    assert not any(curve.is_measured for curve in curves)
    assert results.lines[1].train == pytest.approx(2.025)  # 2.125 + 0.2 - 0.3 and not twice 1
    assert not any(fit.measured for fit in fits(results).values())


def test_squared_errors_have_four_digits_as_in_the_report_of_a_run(tmp_path):
    study = Study("regress", (Variant("a", {}),), (0,), {"steps": 4})
    results = results_of(StudyFolder.take(tmp_path / "study", study))
    assert results.said(0.0123456) == "0.01235"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("language", LANGUAGES)
def test_differences_without_a_spread_claim_nothing(tmp_path, language):
    folder = made(tmp_path, {"a": [0.98, 0.97], "b": [0.97, 0.96]}, higher=True)
    results = write_report(folder, "noria compare", language=language)
    said = conclusions(results, language)
    assert said[0] == SENTENCES["no_spread"][LANGUAGES.index(language)]
    assert not any("better than" in line or "mejor que" in line for line in said)
    assert WORDS["unknown"][LANGUAGES.index(language)] in (folder.path / "report.md").read_text()


@pytest.mark.usefixtures("quick")
def test_a_report_is_written_anew_in_another_language_and_place(tmp_path):
    folder = made(tmp_path, CLEAR)
    write_report(folder, "noria compare --seeds 4", reason="To see.")
    place, said = rewrite_report(folder.path, tmp_path / "es", language="es")
    assert place == tmp_path / "es"
    assert said == conclusions(results_of(folder), "es")
    written = (place / "report.md").read_text(encoding="utf-8")
    assert "noria compare --seeds 4" in written
    assert "por qué" in written
    assert json.loads((place / "results.json").read_text())["reason"] == "To see."
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("")
    with pytest.raises(RunError, match=r"thesis\.tex"):
        rewrite_report(folder.path, tmp_path / "other")
    with pytest.raises(RunError, match="cannot be read"):
        rewrite_report(tmp_path / "nothing")


MEASURED = {"a": [3.0, 0.75, 0.5], "b": [3.0, 1.5, 1.0]}


def measured(folder, key):
    """Let the runs have measured a sample of the training part."""
    for variant in folder.study.variants:
        for seed in folder.study.seeds:
            file = folder.file_of(variant, seed)
            run = read_json(file)
            for point, value in zip(run["curve"], MEASURED[variant.name], strict=True):
                point["measured"] = {"loss": 2 * value, key: value}
            write_json(file, run)
    return folder


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("language", LANGUAGES)
def test_loss_and_metric_stand_for_both_parts(tmp_path, language):
    folder = measured(made(tmp_path, CLEAR, higher=True), "accuracy")
    results = write_report(folder, "noria compare", language=language)
    a, b = results.lines
    assert (a.train, a.train_figure, b.train, b.train_figure) == (1.0, 0.5, 2.0, 1.0)
    assert math.isclose(a.validation_figure, 1.1)
    assert math.isclose(b.validation_figure, 2.325)
    written = (folder.path / "report.md").read_text(encoding="utf-8")
    heads = {"en": "train accuracy | valid. accuracy", "es": "exactitud entren. | exactitud valid."}
    assert heads[language] in written
    assert "| a | 1.000 | 1.100 | 0.500 | 1.100 |" in written
    said = {
        "en": "Accuracy at the end: 0.500 on the training part and 1.100 on the validation part, where",
        "es": "Exactitud al final: 0.500 en la parte de entrenamiento y 1.100 en la de validación, donde",
    }
    assert said[language] in written
    assert FIT_SENTENCES["measured"][LANGUAGES.index(language)] in written
    assert FIT_SENTENCES["running"][LANGUAGES.index(language)] not in written
    content = read_json(folder.path / "results.json")
    assert content["metric_fits"]["b"]["best"] == pytest.approx(3.0)
    assert content["fits"]["b"]["measured"] is True


@pytest.mark.usefixtures("quick")
def test_studies_of_before_say_that_their_training_loss_is_a_running_mean(tmp_path):
    folder = made(tmp_path, CLEAR)
    results = write_report(folder, "noria compare")
    written = (folder.path / "report.md").read_text(encoding="utf-8")
    assert FIT_SENTENCES["running"][0] in written
    assert "at the end: " not in written.replace("loss at the end: ", "")
    assert math.isclose(results.lines[0].train, 0.8)
    assert read_json(folder.path / "results.json")["metric_fits"] == {}


STEPS, UNITS = 6, 4


@contextlib.contextmanager
def full_disk():
    """Let arrays end in the middle, as on a disk without room."""

    def half(file, **arrays):
        file.write(b"PK")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(np, "savez", half)
        yield


def with_gates(folder, names):
    """Let the first run of some variants have left what its gates did."""
    for place, variant in enumerate(folder.study.variants):
        if variant.name in names:
            gate = np.full((STEPS, UNITS), 0.125 * (place + 1))
            values = {"n": gate - 1, "z": gate, "h": 2 - gate}
            equations = "z = sigmoid(W_z @ x)\nn = tanh(W_n @ x)\nh' = z * h + (1 - z) * n\n"
            layer = RecordedLayer("recurrent.1", "mine", equations, ("h",), tuple("a word"), values)
            said = f"text of {STEPS} characters"
            Explanation("text", said, tuple("a word"), (layer,), (), ()).save(folder.gates_of(variant, 0))
            file = folder.file_of(variant, 0)
            write_json(file, {**read_json(file), "gates": said})
    return folder


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_gates_of_every_variant_are_drawn(tmp_path, language):
    folder = with_gates(made(tmp_path, CLEAR), "ab")
    write_report(folder, "noria compare", language=language)
    place = LANGUAGES.index(language)
    root = checked((folder.path / "report.html").read_text(encoding="utf-8"))
    (section,) = (one for one in root.iter("section") if words_of(one[0]) == WORDS["gates"][place])
    assert words_of(section.find("p")) == WORDS["gates_note"][place]
    figures = section.findall("figure")
    captions = [words_of(figure.find("figcaption")) for figure in figures]
    for name, of_variant in (("a", captions[:3]), ("b", captions[3:])):
        begin = f"{name}: "
        bars = GATE_WORDS["gates_caption"][place].format("recurrent.1", "mine")
        maps = [GATE_WORDS["map_caption"][place].format(value, "recurrent.1", "mine", 6) for value in "zh"]
        assert of_variant == [begin + caption for caption in (bars, *maps)]
    alternatives = [figure.find("img").get("alt") for figure in figures]
    for mean, alternative in (("0.12", alternatives[0]), ("0.25", alternatives[3])):
        said = f"n {float(mean) - 1:.2f}, z {mean}"
        assert said in alternative
        assert "4" in alternative
    names = {file.name for file in (folder.path / "figures").glob("*.svg")}
    assert {f"{name}-{k}.svg" for name in ("gates", "map-z", "map-h") for k in (0, 1)} <= names


@pytest.mark.usefixtures("quick")
def test_of_many_variants_the_gates_of_the_best_are_drawn(tmp_path):
    figures = {name: [8.0 - place, 8.5 - place] for place, name in enumerate("abcdefgh")}
    folder = with_gates(made(tmp_path, figures), "abcdefgh")
    write_report(folder, "noria compare")
    written = (folder.path / "report.md").read_text(encoding="utf-8")
    assert "Of 8 variants the 6 with the best means are shown." in written
    shown = re.findall(r"\*(\w): Every named value", written)
    assert shown == ["h", "g", "f", "e", "d", "c"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("kept", [0, 40])
@pytest.mark.parametrize("language", LANGUAGES)
def test_gates_that_are_gone_or_damaged_are_left_out_and_the_latter_named(tmp_path, kept, language):
    folder = with_gates(made(tmp_path, {**CLEAR, "c": [3.0] * 4}), "abc")
    shutil.rmtree(folder.gates_of(folder.study.variants[0], 0))
    damaged = folder.gates_of(folder.study.variants[1], 0)
    values = damaged / "values.npz"
    values.write_bytes(values.read_bytes()[:kept])
    write_report(folder, "noria compare", language=language)
    written = (folder.path / "report.md").read_text(encoding="utf-8")
    begins = {"en": "Every named value", "es": "Cada valor con nombre"}[language]
    assert re.findall(rf"\*(\w): {begins}", written) == ["c"]
    said = WORDS["gates_damaged"][LANGUAGES.index(language)].partition("{1}")[0].format("b")
    assert f"{said}{damaged}: expected a saved explanation" in written.replace("\\", "")
    values.write_bytes(b"")
    layer = RecordedLayer("r", "rnn", "", ("h",), ("a",), {"h": np.ones((1, 2))})
    explanation = Explanation("text", "", ("a",), (layer,), (), ())
    explanation.save(damaged)
    assert Explanation.load(damaged).layer().value("h").tolist() == [[1.0, 1.0]]
    with full_disk(), pytest.raises(DataError, match="No space left"):
        explanation.save(damaged)
    assert {file.name for file in damaged.iterdir()} == {"explanation.json", "values.npz"}
    assert Explanation.load(damaged).layers


@pytest.mark.usefixtures("quick")
def test_of_many_variants_without_means_the_first_are_drawn(tmp_path):
    figures = {name: [math.nan] for name in "abcdefgh"}
    folder = with_gates(made(tmp_path, figures), "abcdefgh")
    write_report(folder, "noria compare")
    written = (folder.path / "report.md").read_text(encoding="utf-8")
    assert "Of 8 variants the first 6 are shown." in written
    assert re.findall(r"\*(\w): Every named value", written) == list("abcdef")
