"""The classifier: texts, series and symbols in, labels out, with the manners of scikit-learn."""

import io
import json

import numpy as np
import pytest

import noria
from noria.data.builtin_tasks import BuiltinParts
from noria.errors import DataError, NotFittedError, OptionError, RunError
from noria.layers import INFERENCE, Mode
from noria.models.classify.classifier import SequenceClassifier
from noria.models.classify.regressor import SequenceRegressor
from noria.models.classify.targets import sorted_labels
from noria.models.classify.task import Example, batch_of, outputs_of
from noria.sequences import Ragged
from noria.training import RunFolder

SMALL = {"hidden_size": 8, "embedding_size": 6, "batch_size": 32, "dropout": 0.0, "lr": 0.05, "warmup": 3}
GOOD, BAD = ["good", "great", "nice"], ["bad", "dull", "poor"]


def reviews(count=80, seed=0):
    rng = np.random.default_rng(seed)
    labels = ["pos" if number % 2 else "neg" for number in range(count)]
    texts = [
        " ".join(
            [
                *rng.choice(["a", "film", "the"], rng.integers(1, 5)),
                rng.choice(GOOD if label == "pos" else BAD),
            ]
        )
        for label in labels
    ]
    return texts, labels


def waves(count=60, seed=0, channels=2):
    rng = np.random.default_rng(seed)
    labels = [int(number % 3) for number in range(count)]
    series = [
        rng.normal(2 * label, 0.5, (rng.integers(3, 9), channels)).astype(np.float32) for label in labels
    ]
    return series, labels


@pytest.fixture(scope="module")
def fitted():
    return SequenceClassifier(**SMALL).fit(*reviews(), epochs=12)


def test_it_learns_texts_and_names_its_baseline(fitted):
    texts, labels = reviews(40, seed=9)
    assert fitted.score(texts, labels) == 1.0
    assert fitted.predict(texts).tolist() == labels
    assert fitted.classes_.tolist() == ["neg", "pos"]
    probabilities = fitted.predict_proba(texts)
    assert probabilities.shape == (40, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (fitted.classes_[probabilities.argmax(axis=1)] == labels).all()
    baseline = fitted.report_["baseline"]
    assert baseline["name"] == "logistic regression on a bag of words"
    assert set(baseline["majority"]) == {"loss", "accuracy", "macro_f1"}
    assert np.sum(fitted.report_["confusion"]["counts"]) == 8
    assert set(fitted.report_["classes"]) == {"neg", "pos"}
    assert fitted.description_.data.summary().startswith("80 sequences · 2 to 5 words, half up to 3")


@pytest.mark.parametrize(
    ("network", "pooling"),
    [("recurrent", name) for name in ("last", "mean", "max", "attention")] + [("convolution", "max")],
)
def test_every_pooling_and_network_learns_series(network, pooling):
    model = SequenceClassifier(**SMALL, pooling=pooling, network=network).fit(*waves(), epochs=6)
    assert model.score(*waves(30, seed=5)) > 0.8
    assert model.predict(waves(3)[0]).dtype.kind == "i", "labels are of the type that they were"


def test_the_last_step_of_each_direction_is_pooled():
    series, labels = waves()
    model = SequenceClassifier(**SMALL, pooling="last").fit(series, labels, steps=1)
    layers = dict(model.network_.children())
    x = Ragged.from_sequences([model.schema_.inputs.encode(one, "") for one in series[:5]])
    read, _ = layers["recurrent"](x, mode=INFERENCE)
    pooled, _ = layers["pooling"](read, mode=INFERENCE)
    expected = [np.concatenate([rows[-1, :8], rows[0, 8:]]) for rows in read.to_sequences()]
    np.testing.assert_array_equal(pooled.rows, expected)


def test_lists_of_symbols_are_read_too():
    rng = np.random.default_rng(0)
    sequences = [rng.integers(0, 9, rng.integers(1, 5)).tolist() for _ in range(96)]
    labels = [7 in sequence for sequence in sequences]
    model = SequenceClassifier(**SMALL).fit(sequences, labels, epochs=12)
    assert model.score(sequences, labels) > 0.9
    assert model.predict([[7, 1], [2], [99]]).tolist()[:2] == [True, False]


def test_series_of_one_length_may_be_an_array():
    series, labels = np.random.default_rng(0).normal(size=(30, 5, 2)), [0, 1] * 15
    model = SequenceClassifier(**SMALL).fit(series, labels, steps=2)
    assert model.predict(series).shape == (30,)
    assert SequenceClassifier(**SMALL).fit(series[:, :, 0], labels, steps=2).predict(
        series[:, :, 0]
    ).shape == (30,)


def test_batch_mates_and_order_change_nothing(fitted):
    texts, _ = reviews(20, seed=4)
    together = fitted.predict_proba(texts)
    alone = np.concatenate([fitted.predict_proba([text]) for text in texts])
    np.testing.assert_allclose(alone, together, atol=1e-6)
    np.testing.assert_allclose(fitted.predict_proba(texts[::-1])[::-1], together, atol=1e-6)


def test_figures_for_each_class_and_the_confusion(fitted):
    texts, labels = reviews(40, seed=9)
    wrong = ["pos", *labels[1:]]
    figures = fitted.evaluate(texts, wrong)
    assert figures["confusion"] == {"labels": ["neg", "pos"], "counts": [[19, 0], [1, 20]]}
    assert figures["classes"]["neg"]["precision"] == pytest.approx(19 / 20)
    assert figures["classes"]["pos"]["recall"] == pytest.approx(20 / 21)
    assert figures["accuracy"] == pytest.approx(39 / 40)
    assert figures["macro_f1"] == pytest.approx(np.mean([one["f1"] for one in figures["classes"].values()]))
    assert fitted.evaluate((texts, wrong)) == figures


def test_saved_and_loaded_it_answers_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "run")
    model = noria.load(tmp_path / "run")
    texts, _ = reviews(10, seed=3)
    np.testing.assert_array_equal(model.predict_proba(texts), fitted.predict_proba(texts))
    assert model.schema_ == fitted.schema_
    schema = tmp_path / "run" / "schema.json"
    schema.write_text(schema.read_text().replace('"pos"', '"good"'))
    with pytest.raises(RunError, match=r"schema\.json"):
        noria.load(tmp_path / "run")


def test_an_interrupted_run_ends_as_the_whole_one(tmp_path):
    data = reviews()
    options = {**SMALL, "dropout": 0.3, "pooling": "attention"}
    whole = SequenceClassifier(**options).fit(*data, steps=24)
    SequenceClassifier(**options, stop_after=10).fit(*data, steps=24, out=tmp_path / "run")
    resumed = SequenceClassifier.resume(tmp_path / "run", *data)
    assert np.array_equal(whole.parameters_.values, resumed.parameters_.values)
    with pytest.raises(RunError, match="other"):
        SequenceClassifier.resume(tmp_path / "run", data[0], data[1][::-1], steps=48)


def test_a_thesaurus_counts_by_its_content_and_may_have_moved(tmp_path):
    words, moved, run = (tmp_path / name for name in ("a.txt", "b.txt", "run"))
    words.write_text("film, movie, picture\ngood, great\n")
    options = {**SMALL, "synonym_rate": 0.5, "thesaurus": str(words)}
    whole = SequenceClassifier(**options).fit(*reviews(), steps=8)
    SequenceClassifier(**options, stop_after=4).fit(*reviews(), steps=8, out=run)
    moved.write_text("film, picture, movie\ngood, great\n")
    model = SequenceClassifier(**{**options, "thesaurus": str(moved)})
    with pytest.raises(RunError, match="thesaurus: the synonyms are not those of the run"):
        model.fit(*reviews(), resume=run)
    moved.write_text("# the same\nfilm, movie, picture\ngood, great\n")
    model.fit(*reviews(), resume=run)
    np.testing.assert_array_equal(model.parameters_.values, whole.parameters_.values)


def test_a_table_is_read_and_columns_are_guessed_and_said(tmp_path):
    texts, labels = reviews()
    path = tmp_path / "reviews.tsv"
    path.write_text(
        "source\treview\tsentiment\n"
        + "".join(f"x\t{text}\t{label}\n" for text, label in zip(texts, labels, strict=True))
    )
    model = SequenceClassifier(**SMALL).fit(path, epochs=12, out=tmp_path / "run")
    notes = " ".join(model.description_.notes)
    assert "'review' holds the texts, 'sentiment' the labels (guessed" in notes
    assert model.evaluate(path)["accuracy"] > 0.9
    loaded = noria.load(tmp_path / "run")
    assert loaded.report_ == model.report_
    rows = list(loaded.predict_rows(path))
    assert [row["prediction"] for row in rows] == loaded.predict(texts).tolist()
    assert list(rows[0]) == ["prediction", "probability", "probabilities", "text"]
    json.dumps(rows)
    lines = io.StringIO("\n".join(texts[:5]))
    assert [row["prediction"] for row in loaded.predict_rows(lines)] == [
        row["prediction"] for row in rows[:5]
    ]
    unlabelled = io.StringIO("review\nnice film\n")
    assert [row["text"] for row in loaded.predict_rows(unlabelled)] == ["nice film"]
    assert RunFolder.open(tmp_path / "run").config["data"]["source"] == str(path)


def test_rows_are_answered_as_they_come(fitted):
    taken = []

    class Endless(io.TextIOBase):
        def __iter__(self):
            return self

        def __next__(self):
            taken.append(0)
            return "a good film\n"

    rows = fitted.predict_rows(Endless())
    for _ in range(300):
        assert next(rows)["prediction"] == "pos"
    assert len(taken) < 600


def test_extra_columns_are_joined(tmp_path):
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=60)
    path = tmp_path / "t.csv"
    rows = [
        f"{'the ' * (index % 4)}film,{'high' if number > 0 else 'low'},{number}"
        for index, number in enumerate(numbers)
    ]
    path.write_text("text,label,score\n" + "\n".join(rows))
    model = SequenceClassifier(**SMALL, extra_columns=["score"]).fit(path, epochs=10, out=tmp_path / "run")
    assert model.evaluate(path)["accuracy"] > 0.9
    loaded = noria.load(tmp_path / "run")
    frame = {"text": ["the film"] * 2, "score": [2.0, -2.0]}
    assert loaded.predict(frame).tolist() == ["high", "low"]
    with pytest.raises(DataError, match="score"):
        loaded.predict(["the film"])


def test_what_is_joined_stands_beside_every_step_of_its_own_sequence():
    lengths = (2, 4, 1, 3)
    examples = [Example(np.full(n, n), 0, np.array([10.0 * n], np.float32)) for n in lengths]
    inputs, given = batch_of(examples)
    np.testing.assert_array_equal(given["extras.features"][:, 0], 10 * inputs.rows)


def test_weights_of_attention_lie_on_words(fitted):
    model = SequenceClassifier(**SMALL, pooling="attention").fit(*reviews(), epochs=10)
    (pairs,) = model.attention_weights(["The film, great"])
    assert [token for token, _ in pairs] == ["the", "film", ",", "great"]
    assert sum(weight for _, weight in pairs) == pytest.approx(1)
    attended = model.most_attended(reviews()[0], top=3)
    assert {token for token, _ in attended["pos"]} & set(GOOD)
    row = next(model.predict_rows(io.StringIO("the film great\n")))
    assert [token for token, _ in row["attention"]] == ["the", "film", "great"]
    assert "great" in model.shown(row, colour=True)
    assert model.shown(row).split("\t")[0] == "pos"
    assert set(model.report_["attended"]) == {"pos", "neg"}
    with pytest.raises(OptionError, match="pooling='attention'"):
        fitted.attention_weights(["a"])


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_a_causal_model_is_streamed(pooling):
    series, labels = waves()
    model = SequenceClassifier(**SMALL, bidirectional=False, pooling=pooling).fit(series, labels, steps=10)
    state = model.start()
    for t, x in enumerate(series[0]):
        answer, state = model.step(x, state)
        np.testing.assert_allclose(answer, model.predict_proba([series[0][: t + 1]])[0], atol=1e-5)


def test_words_are_streamed_and_what_reads_backward_is_not(fitted):
    model = SequenceClassifier(**SMALL, bidirectional=False).fit(*reviews(), steps=10)
    state = model.start()
    for word in ("the", "film", "good"):
        answer, state = model.step(word, state)
    np.testing.assert_allclose(answer, model.predict_proba(["the film good"])[0], atol=1e-6)
    with pytest.raises(DataError, match="expected one word, got 2"):
        model.step("two words", state)
    with pytest.raises(OptionError, match="both ends"):
        fitted.start()


def test_characters_are_streamed_over_the_spaces_between_words(fitted):
    options = {**SMALL, "bidirectional": False, "level": "characters"}
    model = SequenceClassifier(**options).fit(*reviews(), steps=2)
    state = model.start()
    for character in "a good":
        answer, state = model.step(character, state)
    np.testing.assert_allclose(answer, model.predict_proba(["a good"])[0], atol=1e-6)
    for wrong in ("ab", "  "):
        with pytest.raises(DataError, match="step: expected one character, got 2"):
            model.step(wrong, state)
    with pytest.raises(DataError, match="step: expected a text, got nothing"):
        model.step("", state)
    with pytest.raises(DataError, match="step: expected a text, got int"):
        model.step(3, state)
    words = SequenceClassifier(**SMALL, bidirectional=False).fit(*reviews(), steps=1)
    with pytest.raises(DataError, match="nothing but white space"):
        words.step(" ", words.start())


@pytest.mark.parametrize("resampling", ["over", "under"])
def test_an_epoch_has_as_many_of_every_class(resampling):
    texts, labels = reviews(60)
    texts, labels = texts + ["good"] * 40, labels + ["pos"] * 40
    model = SequenceClassifier(**SMALL, resampling=resampling, valid_fraction=0, test_fraction=0)
    prepared = model.prepare(texts, labels)
    task = _task(model, prepared)
    batches = task.epoch_of(0)
    found = np.array([prepared.train.examples[index].target for batch in batches for index in batch])
    expected = {"over": 70, "under": 30}[resampling]
    assert np.bincount(found).tolist() == [expected, expected]
    assert len(batches) == task.steps_per_epoch == prepared.description.steps_per_epoch
    again = np.concatenate(task.epoch_of(1))
    assert not np.array_equal(np.concatenate(batches), again)
    assert np.array_equal(np.concatenate(task.epoch_of(1)), again)


def _task(model, prepared):
    from noria.models.wiring import chosen_cells

    return model._trained(model._built(chosen_cells(model), prepared.schema, {}), prepared)


def test_balanced_weights_make_classes_count_the_same():
    texts, labels = reviews(60)
    texts, labels = texts + ["good"] * 60, labels + ["pos"] * 60
    model = SequenceClassifier(**SMALL, class_weights="balanced", valid_fraction=0, test_fraction=0)
    prepared = model.prepare(texts, labels)
    weights = model._terms(prepared).class_weights
    assert (weights * [30, 90]).tolist() == pytest.approx([60, 60])


def test_noise_changes_the_training_part_alone_and_anew_in_every_epoch():
    model = SequenceClassifier(**SMALL, character_noise=0.3)
    prepared = model.prepare(*reviews())
    task = _task(model, prepared)
    clean = [example.sequence.tolist() for example in prepared.train.examples]
    epochs = [[example.sequence.tolist() for example in task.examples_of(epoch)] for epoch in (0, 1, 0)]
    assert clean != epochs[0] != epochs[1]
    assert epochs[0] == epochs[2]
    assert task.validation is prepared.validation.examples


def test_one_layer_in_several_places_is_counted_once_and_sums_its_gradients():
    data = waves()
    shared = SequenceClassifier(**SMALL, hidden_layers=3, share_hidden=True).fit(*data, epochs=8)
    apart = SequenceClassifier(**SMALL, hidden_layers=3).fit(*data, steps=1)
    one = 16 * 16 + 16
    assert apart.parameters_.count - shared.parameters_.count == 2 * one
    assert shared.score(*waves(30, seed=5)) > 0.9


def test_pretrained_vectors_are_begun_with(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("good 1 2 3\nbad -1 -2 -3\n")
    options = {**SMALL, "embedding_size": 3, "vectors": str(path), "freeze_embedding": True}
    model = SequenceClassifier(**options).fit(*reviews(), steps=2)
    table = dict(model.network_.children())["input"].table.value
    ids = model.schema_.inputs.encode("good bad", "here")
    assert table[ids].tolist() == [[1, 2, 3], [-1, -2, -3]]
    with pytest.raises(OptionError, match="width of the vectors, 3"):
        SequenceClassifier(**{**options, "embedding_size": 4}).fit(*reviews(), steps=1)


def test_scales_and_vocabulary_are_those_of_the_training_part():
    series, labels = waves()
    model = SequenceClassifier(**SMALL)
    prepared = model.prepare(series, labels)
    rows = np.concatenate([record.sequence for record in prepared.train.records]).astype(np.float64)
    np.testing.assert_allclose(prepared.schema.inputs.scales.means, rows.mean(axis=0), rtol=1e-6)
    texts, labels = reviews()
    texts = [f"{text} w{number}" for number, text in enumerate(texts)]
    prepared = SequenceClassifier(**SMALL, min_count=1).prepare(texts, labels)
    learnt = set(" ".join(record.sequence for record in prepared.train.records).split())
    assert {symbol.strip() for symbol in prepared.schema.inputs.vocabulary.symbols[1:]} == learnt


def test_scikit_learn_takes_it_as_one_of_its_own():
    from sklearn.base import clone, is_classifier
    from sklearn.model_selection import GridSearchCV, cross_val_score

    series, labels = waves()
    model = SequenceClassifier(**SMALL, engine="reference")
    assert is_classifier(model)
    assert clone(model).get_params() == model.get_params()
    grid = GridSearchCV(model, {"cell": ["gru", "rnn"], "hidden_size": [4, 6]}, cv=2)
    grid.fit(series, labels, steps=2)
    assert set(grid.best_params_) == {"cell", "hidden_size"}
    assert grid.predict(series).shape == (60,)
    texts, labels = reviews()
    assert cross_val_score(model, texts, labels, cv=2, params={"steps": 2}).shape == (2,)


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        ((["a"] * 9, ["x"] * 9), {}, DataError, "at least two classes to tell apart, got one, 'x'"),
        ((["a b", ""], ["x", "y"]), {}, DataError, "sequence 1: expected a text"),
        ((["a b"], None), {}, DataError, "expected a target for each sequence"),
        ((["a b"], ["x", "y"]), {}, DataError, "1 sequences, got 2 targets"),
        (waves(), {"vectors": "v.txt"}, OptionError, "'vectors' option is for texts"),
        (waves(), {"embedding_dropout": 0.5}, OptionError, "'embedding_dropout' option is for symbols"),
        (waves(), {"share_hidden": True}, OptionError, "needs two 'hidden_layers'"),
        (waves(), {"class_weights": "balanced", "resampling": "over"}, OptionError, "both balance"),
        (waves(), {"attention_score": "dot"}, OptionError, "pooling='attention'"),
        (waves(), {"pooling": "last", "projection_size": 4}, OptionError, "mixes both directions"),
        (reviews(), {"network": "convolution", "embedding_size": 0}, OptionError, "needs an embedding"),
    ],
)
def test_what_cannot_be_trained_is_refused(data, options, error, message):
    with pytest.raises(error, match=message):
        SequenceClassifier(**{**SMALL, **options}).fit(*data, steps=1)


@pytest.mark.parametrize(
    ("name", "value", "got"),
    [
        ("cell", "lstm", "lstm"),
        ("cell", ["gru", "rnn"], "gru, rnn"),
        ("zoneout", 0.1, "0.1"),
        ("recurrent_dropout", 0.1, "0.1"),
        ("layer_norm", True, "True"),
        ("drop_connect", 0.1, "0.1"),
        ("activation", "relu", "'relu'"),
        ("initialiser", "he", "'he'"),
        ("projection_size", 5, "5"),
    ],
)
def test_convolutions_refuse_what_says_something_of_recurrent_layers(name, value, got):
    message = rf"The '{name}' option of {{}} is for recurrent layers.* Got {got}\.\n  Leave {name} out"
    for kind in (SequenceClassifier, SequenceRegressor):
        with pytest.raises(OptionError, match=message.format(kind.__name__)):
            kind(network="convolution", **{name: value}).validate()
        kind(**{name: value}).validate()


def test_a_run_of_convolutions_is_opened_again(tmp_path):
    data = waves()
    options = {**SMALL, "network": "convolution", "num_layers": 2}
    model = SequenceClassifier(**options).fit(*data, steps=1, out=tmp_path / "run")
    loaded = noria.load(tmp_path / "run")
    loaded.validate()
    np.testing.assert_array_equal(loaded.predict_proba(data[0]), model.predict_proba(data[0]))


def test_numbers_have_no_labels_to_smooth():
    with pytest.raises(OptionError, match=r"'label_smoothing' option of SequenceRegressor .* Got 0\.3"):
        SequenceRegressor(label_smoothing=0.3).validate()
    SequenceClassifier(label_smoothing=0.3).validate()


@pytest.mark.parametrize(
    ("loss", "by_hand"),
    [
        ("mse", lambda errors: errors**2),
        ("mae", np.abs),
        ("huber", lambda errors: np.where(np.abs(errors) < 1, errors**2 / 2, np.abs(errors) - 0.5)),
    ],
)
def test_numbers_are_learnt_by_the_errors_that_are_named(loss, by_hand):
    rng = np.random.default_rng(2)
    series = [rng.normal(size=(3 + k % 3, 2)) for k in range(60)]
    numbers = 5 + 4 * rng.standard_t(2, size=60)
    model = SequenceRegressor(**SMALL, dtype="float64", loss=loss).fit(series, numbers, steps=4)
    scales = model.schema_.targets.scales
    errors = (np.array(model.predict(series)) - numbers) / scales.spreads[0]
    assert np.abs(errors).max() > 1.5
    figures = model.evaluate(series, numbers)
    assert figures["loss"] == pytest.approx(by_hand(errors).mean(), rel=1e-6)
    assert figures["mse"] == pytest.approx((errors**2).mean() * scales.spreads[0] ** 2, rel=1e-6)
    assert model.report_["baseline"]["loss"] > 0
    prepared = model.prepare(series, numbers)
    task = model._trained(model._fitted, prepared)
    batch = [task.train[place] for place in task.epoch_of(0)[0]]
    learnt = task.forward_backward(batch, Mode(training=True, rng=rng)).loss
    rows = outputs_of(model.network_, batch)[:, 0] - [example.target for example in batch]
    assert learnt == pytest.approx(by_hand(rows).mean(), rel=1e-5)


def test_errors_that_there_are_not_are_refused():
    with pytest.raises(OptionError, match=r"'loss' option of .* must be one of 'mse', 'mae', 'huber'"):
        SequenceRegressor(loss="log").validate()


def test_labels_stand_by_size_where_all_are_whole_numbers():
    assert sorted_labels(["10", "-2", "9"]) == ("-2", "9", "10")
    assert sorted_labels([10, -2, 9]) == (-2, 9, 10)
    for odd in ("--1", "-", "²", "1\n"):
        assert sorted_labels(["2", "10", odd]) == tuple(sorted(["2", "10", odd]))


def test_unknown_labels_and_unfitted_models_are_refused(fitted):
    with pytest.raises(
        DataError, match=r"sequence 1: expected one of the labels neg, pos, got 'poss'.*'pos'"
    ):
        fitted.evaluate(["a", "b"], ["neg", "poss"])
    with pytest.raises(DataError, match="expected a file"):
        next(fitted.predict_rows(None))
    with pytest.raises(NotFittedError):
        SequenceClassifier().predict(["a"])
    series = SequenceClassifier(**SMALL).fit(*waves(), steps=1)
    with pytest.raises(DataError, match="expected a series of 2 channels"):
        series.predict(waves(3, channels=4)[0])


def test_a_file_of_its_own_may_be_tested_on(tmp_path):
    for name, seed in (("train.csv", 0), ("test.csv", 1)):
        texts, labels = reviews(40 + seed, seed)
        rows = "".join(f"{text},{label}\n" for text, label in zip(texts, labels, strict=True))
        (tmp_path / name).write_text("text,label\n" + rows)
    prepared = SequenceClassifier(**SMALL, test_file=str(tmp_path / "test.csv")).prepare(
        tmp_path / "train.csv"
    )
    assert [len(part.records) for part in (prepared.train, prepared.validation, prepared.test)] == [36, 4, 41]


def test_data_with_a_test_part_refuse_a_second_one(tmp_path):
    part = reviews(12)
    (tmp_path / "t.csv").write_text("text,label\nnice,pos\nbad,neg\n")
    model = SequenceClassifier(**SMALL, test_file=str(tmp_path / "t.csv"), valid_fraction=0.25)
    with pytest.raises(OptionError, match=r"'test_file' option .*\. R has one\. Got '.*t\.csv'"):
        model.prepare(BuiltinParts(part, "R", part, part))
    prepared = model.prepare(BuiltinParts(part, "R"))
    assert [len(one.records) for one in (prepared.train, prepared.validation, prepared.test)] == [9, 3, 2]
