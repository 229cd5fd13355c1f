"""A language model that is gone on with: same bytes, and refusals that show what differs."""

import json
import shutil
import signal

import numpy as np
import pytest

from noria.equations import Cell
from noria.errors import OptionError, RunError
from noria.models import LanguageModel
from noria.training.report import StepDone
from noria.training.run_folder import RunFolder

TEXT = "".join(
    f"{k} ducks walked to mill {k * k % 97}, and the wheel turned {k % 7} times.\n" for k in range(90)
)
SHORT = TEXT[:800]
"""Read through in fewer steps than a run has."""
LINES = [f"duck {k * 37 % 101}" for k in range(60)]
SMALL = {
    "cell": "lstm",
    "hidden_size": 7,
    "embedding_size": 5,
    "batch_size": 3,
    "seq_length": 11,
    "sample_length": 9,
    "dropout": 0.2,
    "recurrent_dropout": 0.1,
    "eval_every": 6,
    "save_every": 4,
    "warmup": 5,
    "seed": 3,
}
STEPS = 20


READABLE = {**SMALL, "engine": "reference"}
"""Where it does not matter which engine runs, none is compiled."""


def press_after(step):
    def listener(event):
        if isinstance(event, StepDone) and event.step == step:
            signal.raise_signal(signal.SIGINT)

    return listener


def files(path):
    return {name: (path / name).read_bytes() for name in ("best.safetensors", "last.safetensors")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "run"
    LanguageModel(**SMALL).fit(TEXT, steps=STEPS, out=path)
    return path


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """A run that was interrupted after 9 steps; tests that change it take a copy."""
    path = tmp_path_factory.mktemp("cut") / "run"
    LanguageModel(**SMALL).fit(TEXT, steps=STEPS, out=path, listener=press_after(9))
    return path


@pytest.fixture
def copy(cut, tmp_path):
    return shutil.copytree(cut, tmp_path / "run")


@pytest.mark.parametrize("step", [1, 6, 7, 13, 19])
def test_interrupted_and_gone_on_with(whole, tmp_path, step):
    path = tmp_path / "run"
    first = LanguageModel(**SMALL).fit(TEXT, steps=STEPS, out=path, listener=press_after(step))
    assert first.report_["steps"] == step
    second = LanguageModel.resume(path, TEXT)
    assert second.report_["steps"] == STEPS
    assert not second.report_["interrupted"]
    assert files(path) == files(whole)
    again = LanguageModel.load(whole)
    np.testing.assert_array_equal(second.parameters_.values, again.parameters_.values)
    written = [{**json.loads((run / "report.json").read_text()), "seconds": 0} for run in (path, whole)]
    assert json.dumps(written[0]) == json.dumps(written[1]), "the order of its entries is the same, too"
    assert {**second.report_, "seconds": 0} == {**again.report_, "seconds": 0}


def test_weights_from_before_the_cut_are_kept_and_reported_in_the_same_bytes(tmp_path):
    astray = {**SMALL, "optimizer": "sgd", "lr": 1000.0, "grad_clip": 0.0, "eval_every": 1}
    whole = LanguageModel(**astray).fit(TEXT, steps=STEPS, out=tmp_path / "whole")
    assert whole.report_["best_step"] < 13
    LanguageModel(**astray).fit(TEXT, steps=STEPS, out=tmp_path / "run", listener=press_after(13))
    second = LanguageModel.resume(tmp_path / "run", TEXT)
    said, expected = (json.dumps(model.report_["validation"]) for model in (second, whole))
    assert said == expected, "counts are whole numbers in both"
    for name in ("best.safetensors", "last.safetensors"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_separate_sequences_too(tmp_path):
    whole, path = tmp_path / "whole", tmp_path / "run"
    LanguageModel(**READABLE).fit(LINES, epochs=2.5, out=whole)
    LanguageModel(**READABLE).fit(LINES, epochs=2.5, out=path, listener=press_after(25))
    LanguageModel.resume(path, LINES)
    assert files(path) == files(whole)


@pytest.mark.parametrize(
    ("data", "changed"),
    [
        (SHORT, {"character_noise": 0.1}),
        (LINES, {"character_noise": 0.1, "averaging": "ema"}),
        (SHORT, {"level": "words", "accumulate": 2, "layer_norm": True, "zoneout": 0.1}),
        (SHORT, {"softmax_samples": 3, "label_smoothing": 0.1}),
        (SHORT, {"drop_connect": 0.2, "tie_weights": True, "embedding_size": 7, "locked_dropout": True}),
        (SHORT, {"batch_norm": True, "schedule": "plateau", "lr_patience": 1, "lr_decay": 0.5}),
    ],
)
def test_with_all_that_draws_changes_or_remembers_something(tmp_path, data, changed):
    whole, path = tmp_path / "whole", tmp_path / "run"
    options = {**READABLE, **changed}
    LanguageModel(**options).fit(data, steps=24, out=whole)
    LanguageModel(**options).fit(data, steps=24, out=path, listener=press_after(21))
    LanguageModel.resume(path, data)
    assert files(path) == files(whole)


def test_the_text_may_have_moved_and_its_content_counts(copy, tmp_path, whole):
    (tmp_path / "elsewhere.txt").write_text(TEXT, encoding="utf-8")
    LanguageModel.resume(copy, tmp_path / "elsewhere.txt")
    assert files(copy) == files(whole)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (TEXT + "more\n", r"characters: 5,\d+ in the run, from text; 5,\d+ here, from text"),
        (TEXT.replace("ducks", "dücks"), r"vocabulary: 3\d symbols in the run, 3\d here; .*'ü' \(U\+00FC"),
        (TEXT.replace("5 ducks", "7 ducks"), "the data are as many and of the same kinds, but not the same"),
        (LINES, "kind: text in the run, sequences here"),
    ],
)
def test_other_data_are_refused_with_the_difference(copy, data, said):
    before = files(copy)
    with pytest.raises(RunError, match=r"run: was made with other data:\n(.*\n)*.*" + said):
        LanguageModel.resume(copy, data)
    assert files(copy) == before


def test_other_options_are_refused_with_the_difference(copy):
    model = LanguageModel.load(copy)
    model.set_params(hidden_size=8, dropout=0.0, threads=1)
    with pytest.raises(RunError) as caught:
        model.fit(TEXT, resume=copy)
    assert "  dropout: 0.2 in the run, 0.0 here\n  hidden_size: 7 in the run, 8 here\n" in str(caught.value)
    assert "threads" not in str(caught.value)


def test_another_cell_is_refused_with_the_line(copy):
    model = LanguageModel.load(copy)
    model.cell = Cell.parse("h' = tanh(W @ x + U @ h + b)", name="plain")
    with pytest.raises(RunError, match=r"layer 1: lstm in the run, plain here: 'i .*and .h' = tanh"):
        model.fit(TEXT, resume=copy)


def test_a_finished_run_says_how_to_train_on(whole, tmp_path):
    path = shutil.copytree(whole, tmp_path / "run")
    with pytest.raises(
        RunError, match=r"is finished, all of its 20 steps are made\.\n  To train on.*steps=40"
    ):
        LanguageModel.resume(path, TEXT)
    assert LanguageModel.resume(path, TEXT, steps=31).report_["steps"] == 31


def test_a_home_made_cell_is_gone_on_with(tmp_path):
    cell = Cell.parse("z = sigmoid(W @ x + b)\nh' = z * h + (1 - z) * tanh(U @ h)", name="mine")
    LanguageModel(**{**READABLE, "cell": cell}).fit(TEXT, steps=STEPS, out=tmp_path / "whole")
    path = tmp_path / "run"
    LanguageModel(**{**READABLE, "cell": cell}).fit(TEXT, steps=STEPS, out=path, listener=press_after(11))
    LanguageModel.resume(path, TEXT)
    assert files(path) == files(tmp_path / "whole")


def test_what_was_only_saved_has_nothing_to_go_on_from(whole, tmp_path):
    LanguageModel.load(whole).save(tmp_path / "saved")
    with pytest.raises(RunError, match=r"last\.safetensors: the file is missing"):
        LanguageModel.resume(tmp_path / "saved", TEXT, steps=30)
    with pytest.raises(OptionError, match="takes no 'out'"):
        LanguageModel(**SMALL).fit(TEXT, resume=whole, out=tmp_path / "new")


def test_weights_of_another_run_are_taken_over(whole, tmp_path):
    model = LanguageModel(**{**SMALL, "seed": 9, "lr": 1e-12}).fit(TEXT, steps=1, init_from=whole)
    before = LanguageModel.load(whole)
    np.testing.assert_allclose(model.parameters_.values, before.parameters_.values, atol=1e-9)
    # With a run folder of its own it can be gone on with, wherever its weights came from.
    path, other = tmp_path / "a", tmp_path / "b"
    LanguageModel(**SMALL).fit(TEXT, steps=STEPS, init_from=whole, out=path)
    LanguageModel(**SMALL).fit(TEXT, steps=STEPS, init_from=whole, out=other, listener=press_after(5))
    LanguageModel.resume(other, TEXT)
    assert files(path) == files(other)
    assert RunFolder.open(path).config["data"]["weights"] == str(whole)


@pytest.mark.parametrize(
    ("changed", "data", "said"),
    [
        ({"hidden_size": 8}, TEXT, r"output\.\S+: \(\d+, 7\) in the run, \(\d+, 8\) here"),
        ({"cell": "gru"}, TEXT, "cell of layer 1: lstm in the run, gru here"),
        ({}, TEXT.replace("ducks", "dücks"), "vocabulary: .* only here"),
    ],
)
def test_weights_that_do_not_fit_are_refused(whole, tmp_path, changed, data, said):
    with pytest.raises(RunError, match=r"its weights do not fit this model:\n(.*\n)*.*" + said):
        LanguageModel(**{**SMALL, **changed}).fit(data, steps=1, init_from=whole, out=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def interrupted(path, data, **changed):
    options = {**READABLE, **changed}
    return LanguageModel(**options).fit(data, steps=STEPS, out=path, listener=press_after(9))


def test_a_thesaurus_counts_by_its_content_and_may_have_moved(tmp_path):
    words, path, whole = tmp_path / "words.txt", tmp_path / "run", tmp_path / "whole"
    words.write_text("ducks, drakes, geese\nmill, wheel\n", encoding="utf-8")
    changed = {"level": "words", "synonym_rate": 0.4, "thesaurus": str(words)}
    LanguageModel(**{**READABLE, **changed}).fit(SHORT, steps=STEPS, out=whole)
    interrupted(path, SHORT, **changed)
    before = files(path)
    words.write_text("ducks, geese, drakes\nmill, wheel\n", encoding="utf-8")
    with pytest.raises(RunError, match="thesaurus: the synonyms are not those of the run"):
        LanguageModel.resume(path, SHORT)
    assert files(path) == before
    moved = tmp_path / "moved.txt"
    moved.write_text("# the same\nducks, drakes, geese\nmill, wheel\n", encoding="utf-8")
    LanguageModel.load(path).set_params(thesaurus=str(moved)).fit(SHORT, resume=path)
    assert files(path) == files(whole)


def test_pretrained_vectors_are_not_needed_again(tmp_path):
    vectors, path, whole = tmp_path / "vectors.txt", tmp_path / "run", tmp_path / "whole"
    vectors.write_text("the 1 2 3 4 5\nmill 2 -1 0 3 1\n", encoding="utf-8")
    changed = {"level": "words", "vectors": str(vectors), "freeze_embedding": True}
    LanguageModel(**{**READABLE, **changed}).fit(SHORT, steps=STEPS, out=whole)
    interrupted(path, SHORT, **changed)
    vectors.unlink()
    LanguageModel.resume(path, SHORT)
    assert files(path) == files(whole)


def test_an_encoding_that_was_asked_for_is_asked_for_again(tmp_path):
    book, path, whole = tmp_path / "book.txt", tmp_path / "run", tmp_path / "whole"
    book.write_bytes(TEXT.replace("ducks", "señoras").encode("latin-1"))
    LanguageModel(**READABLE).fit(book, steps=STEPS, out=whole, encoding="cp437")
    LanguageModel(**READABLE).fit(book, steps=STEPS, out=path, encoding="cp437", listener=press_after(9))
    assert RunFolder.open(path).config["data"]["asked_encoding"] == "cp437"
    copy = shutil.copytree(path, tmp_path / "copy")
    LanguageModel.resume(path, book)
    assert files(path) == files(whole)
    with pytest.raises(RunError, match=r"encoding: cp437 in the run, latin-1 here\n.*read in the same way"):
        LanguageModel.resume(copy, book, encoding="latin-1")
    # What is decoded already needs none.
    LanguageModel.resume(copy, book.read_bytes().decode("cp437"))
    assert files(copy) == files(whole)


def test_lines_that_were_decoded_may_be_gone_on_with_as_a_list(tmp_path):
    book, path = tmp_path / "book.txt", tmp_path / "run"
    book.write_bytes("\n".join(LINES).encode("cp437"))
    model = LanguageModel(**READABLE)
    model.fit(book, steps=STEPS, out=path, encoding="cp437", lines=True, listener=press_after(9))
    assert LanguageModel.resume(path, LINES).report_["steps"] == STEPS


def test_what_stopped_a_run_as_asked_does_not_stop_it_again(whole, tmp_path):
    path = tmp_path / "run"
    first = LanguageModel(**SMALL, stop_after=9).fit(TEXT, steps=STEPS, out=path)
    assert (first.report_["steps"], first.report_["stopped"]) == (9, "asked")
    assert LanguageModel.resume(path, TEXT).report_["steps"] == STEPS
    assert files(path) == files(whole)


def test_a_model_keeps_its_weights_where_going_on_is_refused(copy):
    model = LanguageModel.load(copy)
    before = model.parameters_
    with pytest.raises(RunError, match="has made 9 steps, and the budget is 5"):
        model.fit(TEXT, resume=copy, steps=5)
    assert model.parameters_ is before
