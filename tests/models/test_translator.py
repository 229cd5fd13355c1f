"""The translator: what it learns, what it gives back, keeps, says and refuses."""

import io
import json
import shutil

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from noria import load
from noria.data.builtin_tasks import BuiltinParts
from noria.errors import DataError, NotFittedError, OptionError, RunError
from noria.layers import Mode
from noria.models.translate.baseline import baseline_figures
from noria.models.translate.scoring import bleu, exactness
from noria.models.translate.translator import Translator
from noria.models.wiring import chosen_cells

SMALL = {
    "cell": "gru",
    "engine": "reference",
    "hidden_size": 12,
    "embedding_size": 6,
    "batch_size": 16,
    "dropout": 0.0,
    "lr": 0.04,
    "warmup": 5,
    "valid_fraction": 0.1,
    "test_fraction": 0.1,
    "eval_every": 40,
}


def strings(count=120, seed=0):
    """Strings of one to four letters, and the same in capitals from the end."""
    rng = np.random.default_rng(seed)
    sources = ["".join(rng.choice(list("abc"), rng.integers(1, 4))) for _ in range(count)]
    return sources, [source[::-1].upper() for source in sources]


X, Y = strings()


@pytest.fixture(scope="module")
def fitted():
    return Translator(**SMALL).fit(X, Y, steps=120)


def test_it_learns_and_beats_its_baseline(fitted):
    report = fitted.report_
    assert report["test"]["exact_match"] > 0.9
    assert fitted.score(X, Y) > 0.9
    assert report["baseline"]["name"] in {"nearest source", "source as it is", "commonest target"}
    assert report["test"]["loss"] < 0.2


def test_predictions_keep_their_order_and_number(fitted):
    answers = fitted.predict(X[:20])
    assert answers == [fitted.predict([source])[0] for source in X[:20]]
    assert fitted.predict([X[0], "", " ", X[1]]) == [answers[0], "", "", answers[1]]
    assert fitted.predict([]) == []
    with pytest.raises(DataError, match=r"Pass \[source\]"):
        fitted.predict("abc")


def test_evaluating_counts_what_it_says(fitted):
    figures = fitted.evaluate(X[:30], Y[:30])
    answers = fitted.predict(X[:30])
    right = [answer == target for answer, target in zip(answers, Y, strict=False)]
    assert figures["exact_match"] == pytest.approx(np.mean(right))
    assert figures["pairs"] == 30
    assert figures["tokens"] == sum(len(target) + 1 for target in Y[:30])
    assert figures["unknown"] == 0
    assert fitted.evaluate((["abz"], ["ZB"]))["unknown"] == 2
    assert 0 <= figures.get("bleu", 0) < 100.1
    assert "% exact" in fitted.headline(figures)
    assert fitted.headline(fitted.report_["baseline"])


def test_a_saved_model_answers_alike(fitted, tmp_path):
    fitted.save(tmp_path / "run")
    again = load(tmp_path / "run")
    assert isinstance(again, Translator)
    assert again.predict(X) == fitted.predict(X)
    assert again.evaluate(X, Y) == fitted.evaluate(X, Y)
    schema = json.loads((tmp_path / "run" / "schema.json").read_text("utf-8"))
    assert schema["source"]["symbols"][1:] == ["a", "b", "c"]
    del schema["longest"]
    (tmp_path / "run" / "schema.json").write_text(json.dumps(schema), "utf-8")
    with pytest.raises(RunError, match="longest"):
        load(tmp_path / "run")


def test_a_run_that_was_cut_ends_as_one_that_was_not(tmp_path):
    options = {**SMALL, "scheduled_sampling": 0.5, "dropout": 0.2, "input_feeding": True, "eval_every": 4}
    options |= {"softmax_samples": 2, "label_smoothing": 0.1}
    whole = Translator(**options).fit(X, Y, steps=8, out=tmp_path / "whole")
    Translator(**options, stop_after=5).fit(X, Y, steps=8, out=tmp_path / "cut")
    shutil.copytree(tmp_path / "cut", tmp_path / "again")
    resumed = Translator.resume(tmp_path / "cut", X, Y)
    assert np.array_equal(resumed.parameters_.values, whole.parameters_.values)
    with pytest.raises(RunError, match="in the run"):
        Translator.resume(tmp_path / "again", ["abcx", *X[1:]], Y)


def test_rows_of_files_and_streams_come_as_they_are_read(fitted, tmp_path):
    path = tmp_path / "s.txt"
    path.write_text("\n".join([*X[:300], "", X[0]]) + "\n", "utf-8")
    rows = list(fitted.predict_rows(path))
    assert [row["source"] for row in rows] == [*X[:300], "", X[0]]
    assert [row["translation"] for row in rows] == [*fitted.predict(X[:300]), "", fitted.predict(X[:1])[0]]
    assert list(fitted.predict_rows(io.StringIO("ab\n"))) == [
        {"source": "ab", "translation": fitted.predict(["ab"])[0]}
    ]
    assert fitted.shown({"source": "x", "translation": "[b] c"}) == "[b] c"
    assert fitted.shown({"source": "x", "translation": "[b] c"}, colour=True) == "\\[b] c"
    with pytest.raises(OptionError, match="standard input"):
        next(fitted.predict_rows(None))


def test_attention_weights_have_a_row_for_each_symbol(fitted):
    alignment = fitted.attention_weights("abc")
    written = fitted.predict(["abc"])[0]
    assert alignment.source == ["a", "b", "c"]
    assert alignment.target == [*written, "<end>"]
    assert alignment.weights.shape == (len(written) + 1, 3)
    assert np.allclose(alignment.weights.sum(1), 1)
    assert fitted.attention_weights("abc", "A").weights.shape == (2, 3)
    without = Translator(**SMALL, attention="none").fit(X, Y, steps=2)
    with pytest.raises(OptionError, match="no weights"):
        without.attention_weights("abc")


def test_while_it_trains_it_shows_what_it_writes():
    shown = []
    listener = lambda event: shown.append(event.text) if type(event).__name__ == "Sampled" else None  # noqa: E731
    Translator(**{**SMALL, "eval_every": 2}).fit(X, Y, steps=10, listener=listener)
    assert shown
    for line in shown[-1].split("\n"):
        source, _, rest = line.partition(" → ")
        target, mark, *_ = rest.split(" ")
        assert target == Y[X.index(source)]
        assert mark in ("✓", "✗")


@pytest.mark.parametrize("level", ["words", "subwords"])
def test_words_and_subwords(level):
    if level == "subwords":
        pytest.importorskip("tokenizers")
    sources = [" ".join(source) for source in X]
    model = Translator(**SMALL, level=level, beam_size=3).fit(sources, Y, steps=20)
    assert len(model.predict(sources[:5])) == 5
    assert model.source_vocabulary_.kind == level


def test_built_in_parts_are_taken_as_they_are():
    parts = BuiltinParts((X[:60], Y[:60]), "strings", (X[60:80], Y[60:80]), (X[80:], Y[80:]))
    prepared = Translator(**SMALL).prepare(parts)
    assert [example.source for example in prepared.test] == X[80:]
    assert len(prepared.train) == 60
    assert "strings" in prepared.description.data.summary()
    other = BuiltinParts((X[:60], Y[:60]), "strings", (X[60:80], Y[60:80]), (X[80:], Y[:40]))
    assert Translator(**SMALL).prepare(other).content() != prepared.content()
    split = Translator(**SMALL).prepare(BuiltinParts((X, Y), "strings"))
    assert [len(part) for part in (split.train, split.validation, split.test)] == [96, 12, 12]


def test_a_copy_and_a_search_over_options():
    model = Translator(**SMALL)
    assert clone(model).get_params() == model.get_params()
    search = GridSearchCV(model, {"hidden_size": [4, 6]}, cv=2, refit=False)
    search.fit(X[:40], Y[:40], steps=2)
    assert len(search.cv_results_["mean_test_score"]) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attention": "dot"}, "Use 'general' or 'additive'"),
        ({"input_feeding": True, "embedding_size": 0}, "Set embedding_size"),
        ({"input_feeding": True, "batch_norm": True}, "Use layer_norm"),
        ({"input_feeding": True, "attention": "none"}, "input_feeding"),
        ({"scheduled_sampling": 1.5}, "scheduled_sampling"),
        ({"beam_size": 0}, "beam_size"),
    ],
)
def test_options_that_do_not_go_together(options, message):
    with pytest.raises(OptionError, match=message):
        Translator(**{**SMALL, **options}).fit(X, Y, steps=1)


def test_data_that_do_not_do():
    with pytest.raises(DataError, match="at least 3 pairs"):
        Translator(**SMALL).fit(["a", "b"], ["A", "B"], steps=1)
    with pytest.raises(DataError, match="3 sources and 2 targets"):
        Translator(**SMALL).fit(["a", "b", "c"], ["A", "B"], steps=1)
    with pytest.raises(NotFittedError):
        Translator().predict(["a"])


def test_own_symbols_are_read_where_that_is_asked_for():
    prepared = Translator(**SMALL).prepare(X, Y)
    losses = []
    for probability in (0.0, 1.0):
        model = Translator(**SMALL, scheduled_sampling=probability)
        fitted = model._built(chosen_cells(model), prepared.schema, {})
        task = model._trained(fitted, prepared)
        mode = Mode(training=True, rng=np.random.default_rng(0))
        losses.append(task.step(0, mode).loss)
    assert losses[0] != losses[1]


def test_figures_by_hand():
    prepared = Translator(**SMALL).prepare(["a", "bb", "ccc", "abc"] * 3, ["x", "y", "z", "w"] * 3)
    examples = [*prepared.train, *prepared.validation, *prepared.test]
    answers = [example.target if len(example.source) < 3 else "?" for example in examples]
    figures = exactness(answers, examples)
    assert figures["exact_match"] == 0.5
    assert figures["exact_match_short"] == 1.0
    assert figures["exact_match_long"] == 0.0
    baseline = baseline_figures(examples, examples, 0.5)
    assert baseline["exact_match"] == 1.0
    assert baseline["name"] == "nearest source"
    assert not baseline["beaten"]


def test_bleu_is_that_of_the_field_where_targets_are_long_enough():
    sacrebleu = pytest.importorskip("sacrebleu")
    targets = ["the cat sat on the mat", "two", "a dog ran up the hill"]
    answers = ["the cat sat on a mat", "two", "the dog ran up the hill"]
    assert bleu(targets, targets) == {"bleu": pytest.approx(100)}
    assert bleu(answers, targets) == {"bleu": sacrebleu.corpus_bleu(answers, [targets], force=True).score}
    assert bleu(["abcd"], ["abce"]) == bleu(["a b c d"], ["a b c e"])


def test_bleu_of_short_targets_looks_at_as_many_words_as_they_have(fitted):
    pytest.importorskip("sacrebleu")
    targets = ["dos tres"] * 6 + ["tres dos"]
    assert bleu(targets, targets) == {"bleu": pytest.approx(100), "bleu_order": 2}
    some = bleu([*targets[:6], "dos uno"], targets)
    assert some == {"bleu": pytest.approx(100 * np.sqrt(13 / 14 * 6 / 7)), "bleu_order": 2}
    # one answer that is too long costs what it adds: three and four in a row are asked of nobody
    long = bleu([*targets[:6], "tres dos a b c"], targets)
    assert long == {"bleu": pytest.approx(100 * np.sqrt(14 / 17 * 7 / 10)), "bleu_order": 2}
    # and one that is too short does not make nothing of all the others
    short = bleu([*targets, "a b c"], [*targets, "a b c d"])
    assert list(short) == ["bleu"]
    assert short["bleu"] == pytest.approx(100 * np.exp(1 - 18 / 17))
    assert bleu([""] * 7, targets)["bleu"] == 0
    assert bleu(["x"], ["y"]) == {"bleu": 0, "bleu_order": 1}
    said = fitted.headline({"exact_match": 6 / 7, **some})
    assert said == f"85.71 % exact, BLEU-2 {some['bleu']:.1f}"
    assert fitted.headline({"exact_match": 0.5, "bleu": 31.25}) == "50.00 % exact, BLEU 31.2"


TIED = {**SMALL, "tie_weights": True, "embedding_size": 12}


def test_tied_weights_are_one_matrix_counted_saved_and_gone_on_with_once(tmp_path):
    free = Translator(**{**TIED, "tie_weights": False}).prepare(X, Y).description.model
    made = Translator(**TIED).prepare(X, Y)
    symbols = len(made.schema.target)
    assert free.parameters - made.description.model.parameters == 12 * symbols
    assert (
        sum(layer.parameters for layer in made.description.model.layers) == made.description.model.parameters
    )
    whole = Translator(**TIED).fit(X, Y, steps=8, out=tmp_path / "whole")
    weights = whole.parameters_.state_dict()
    assert "network.decoder.input.table" in weights
    assert "network.decoder.output.W" not in weights
    assert weights["network.encoder.input.table"].shape == (
        len(made.schema.source),
        12,
    )  # the source's is its own
    layers = dict(whole.network_.decoder.children())
    assert layers["output"].W is layers["input"].table
    Translator(**TIED, stop_after=5).fit(X, Y, steps=8, out=tmp_path / "cut")
    resumed = Translator.resume(tmp_path / "cut", X, Y)
    assert np.array_equal(resumed.parameters_.values, whole.parameters_.values)
    best = [(tmp_path / name / "best.safetensors").read_bytes() for name in ("cut", "whole")]
    assert best[0] == best[1]
    loaded = load(tmp_path / "whole")
    assert loaded.tie_weights
    assert loaded.evaluate(X[:30], Y[:30]) == whole.evaluate(X[:30], Y[:30])
    assert loaded.predict(X[:9]) == whole.predict(X[:9])


@pytest.mark.parametrize("more", [{}, {"input_feeding": True}, {"attention": "none"}])
def test_tied_gradients_are_the_sum_of_both_places_and_exact(more):
    """Against the network that ties nothing, and against central differences, in double precision."""
    nets = {}
    for tied in (True, False):
        model = Translator(**{**TIED, "tie_weights": tied, "dtype": "float64", "hidden_size": 9, **more})
        model = model.set_params(projection_size=12)
        prepared = model.prepare(X, Y)
        fitted = model._built(chosen_cells(model), prepared.schema, {})
        nets[tied] = fitted.parameters, model._trained(fitted, prepared)
    (one, task), (two, free_task) = nets[True], nets[False]
    paths = dict(one.named())
    table = paths["network.decoder.input.table"]
    rng = np.random.default_rng(4)
    one.values[...] += 0.1 * rng.standard_normal(one.values.shape)
    for path, parameter in two.named():
        parameter.value[...] = paths.get(path, table).value
    for flat, a_task in ((one, task), (two, free_task)):
        flat.zero_gradients()
        a_task.step(0, Mode(training=True))
    apart = {path: parameter.gradient for path, parameter in two.named()}
    read, scored = apart["network.decoder.input.table"], apart.pop("network.decoder.output.W")
    assert min(np.abs(read).max(), np.abs(scored).max()) > 1e-3
    for path, gradient in {**apart, "network.decoder.input.table": read + scored}.items():
        np.testing.assert_allclose(paths[path].gradient, gradient, rtol=1e-10, atol=1e-13)
    exact, step = table.gradient.copy(), 1e-5
    for place in ((0, 3), (2, 0), (3, 11)):
        losses = []
        for sign in (1, -1):
            before = table.value[place]
            table.value[place] = before + sign * step
            losses.append(task.step(0, Mode(training=True)).loss)
            table.value[place] = before
        assert exact[place] == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-6, abs=1e-9)


def test_tied_weights_of_other_widths_are_refused():
    with pytest.raises(
        OptionError, match=r"embedding_size=6 and 12 values.*\n  Set projection_size=6 or embed"
    ):
        Translator(**SMALL, tie_weights=True).validate()
    with pytest.raises(
        OptionError, match=r"'tie_weights' option of Translator needs an embedding. Got embedd"
    ):
        Translator(**{**TIED, "embedding_size": 0}).validate()
    Translator(**SMALL, tie_weights=True, projection_size=6).validate()
