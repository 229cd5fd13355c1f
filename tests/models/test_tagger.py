"""The tagger from lists of tokens: what it learns, gives back, keeps and refuses."""

import itertools

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from tag_sentences import SMALL, sentences

from noria import load
from noria.data.tagged import TaggedSequence
from noria.errors import DataError, NotFittedError, OptionError, RunError
from noria.layers import FlatParameters, Mode
from noria.models.tag.lexicon import Lexicon
from noria.models.tag.network import build_network
from noria.models.tag.output import output_of
from noria.models.tag.schema import TagSchema
from noria.models.tag.tagger import SequenceTagger
from noria.models.wiring import chosen_cells

X, Y = sentences()
SPANS = [["B-N" if tag == "NN" else "I-N" if tag == "VB" else "O" for tag in tags] for tags in Y]


@pytest.fixture(scope="module", params=[{"crf": True}, {"bidirectional": False, "lowercase": True}], ids=str)
def model(request):
    return SequenceTagger(**SMALL, **request.param).fit(X, Y, steps=40)


def test_it_learns_what_hangs_on_the_word_before(model):
    assert model.report_["test"]["accuracy"] == 1.0
    assert model.report_["baseline"]["name"] == "most frequent tag per word"
    assert model.predict([["to", "mill"], ["the", "mill", "turns"]]) == [["TO", "VB"], ["DT", "NN", "VB"]]
    assert model.score(X, Y) > 0.98
    assert list(model.classes_) == ["DT", "NN", "TO", "VB"]


def test_probabilities_are_in_the_order_of_the_classes_and_of_the_sequences(model):
    some = [X[3], ["to", "unheard-of"], X[5][:2]]
    together = model.predict_proba(some)
    assert [one.shape for one in together] == [(len(words), 4) for words in some]
    for words, found in zip(some, together, strict=True):
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_allclose(model.predict_proba([words])[0], found, atol=1e-5)
    assert model.predict(some) == [tags for words in some for tags in model.predict([words])]
    if not model.crf:
        best = [[model.classes_[k] for k in found.argmax(axis=1)] for found in together]
        assert model.predict(some) == best


def test_evaluating_counts_what_predicting_says(model):
    figures = model.evaluate(X[:20], Y[:20])
    predicted = list(itertools.chain(*model.predict(X[:20])))
    gold = list(itertools.chain(*Y[:20]))
    right = [one == other for one, other in zip(predicted, gold, strict=True)]
    assert figures["accuracy"] == sum(right) / len(right)
    assert figures["tokens"] == len(gold)
    assert figures["unknown"] == 0
    verbs = figures["classes"]["VB"]
    assert verbs["count"] == gold.count("VB")
    assert verbs["recall"] == sum(r for r, tag in zip(right, gold, strict=True) if tag == "VB") / gold.count(
        "VB"
    )
    assert verbs["precision"] == sum(r for r, tag in zip(right, predicted, strict=True) if tag == "VB") / max(
        predicted.count("VB"), 1
    )
    assert "f1" not in figures
    assert model.evaluate((X[:20], Y[:20])) == figures
    assert figures["loss"] >= 0
    if not model.crf:
        shares = model.predict_proba(X[:20])
        numbers = [[list(model.classes_).index(tag) for tag in tags] for tags in Y[:20]]
        nats = [-np.log(p[range(len(p)), k]) for p, k in zip(shares, numbers, strict=True)]
        assert figures["loss"] == pytest.approx(np.concatenate(nats).mean(), rel=1e-5)


def test_a_saved_model_answers_as_before_and_goes_on_bit_for_bit(model, tmp_path):
    model.save(tmp_path / "run")
    again = load(tmp_path / "run")
    assert isinstance(again, SequenceTagger)
    assert again.predict(X[:5]) == model.predict(X[:5])
    assert again.schema_ == model.schema_
    for one, other in zip(again.predict_proba(X[:5]), model.predict_proba(X[:5]), strict=True):
        assert np.array_equal(one, other)


def test_an_interrupted_run_ends_in_the_same_bytes(tmp_path):
    options = {**SMALL, "crf": True}
    whole = SequenceTagger(**options).fit(X, Y, steps=12, out=tmp_path / "whole")
    SequenceTagger(**options, stop_after=5).fit(X, Y, steps=12, out=tmp_path / "cut")
    resumed = SequenceTagger.resume(tmp_path / "cut", X, Y)
    assert np.array_equal(whole.parameters_.values, resumed.parameters_.values)
    assert resumed.report_["test"] == whole.report_["test"]


def test_a_causal_model_tags_word_by_word_what_it_tags_at_once():
    model = SequenceTagger(**SMALL, bidirectional=False, num_layers=2).fit(X, Y, steps=10)
    for words in X[:5]:
        state, tags = model.start(), []
        for word in words:
            tag, state = model.step(word, state)
            tags.append(tag)
        assert [tags] == model.predict([words])
    letters = SequenceTagger(**SMALL, bidirectional=False).fit(
        ["abba", "baa"] * 8, ["xyyx", "yxx"] * 8, steps=10
    )
    tag, state = letters.step("a")
    assert [tag, letters.step("b", state)[0]] == letters.predict(["ab"])[0]


def test_what_sees_the_future_cannot_be_streamed():
    both = SequenceTagger(**SMALL).fit(X, Y, steps=1)
    with pytest.raises(OptionError, match="stream"):
        both.step("the")
    chained = SequenceTagger(**SMALL, bidirectional=False, crf=True).fit(X, Y, steps=1)
    with pytest.raises(OptionError, match="crf=False and bidirectional=False"):
        chained.start()


def test_a_chain_predicts_legal_spans_only_and_spans_are_measured():
    model = SequenceTagger(**SMALL, crf=True).fit(X, SPANS, steps=3)
    for tags in model.predict(X):
        for before, tag in itertools.pairwise(["O", *tags]):
            assert tag != "I-N" or before in ("B-N", "I-N")
    figures = model.evaluate(X, SPANS)
    assert figures["f1"] == figures["spans"]["all"]["f1"] == figures["spans"]["N"]["f1"]
    assert figures["strict_spans"]["all"]["gold"] <= figures["spans"]["all"]["gold"]
    assert {"loss", "accuracy", "f1"} == set(model.report_["test"])
    assert set(model.report_["baseline"]) == {"name", "accuracy", "f1", "beaten"}
    assert "F1 of spans" in model.headline(model.report_["test"])


def test_strings_are_sequences_of_characters():
    texts = ["ab12", "7a", "b", "a1b2c3"] * 10
    tags = [["d" if sign.isdigit() else "l" for sign in text] for text in texts]
    model = SequenceTagger(**SMALL).fit(texts, tags, steps=40)
    assert model.schema_.level == "characters"
    assert model.schema_.characters == ()
    assert model.predict(["a1", "22b"]) == [["l", "d"], ["d", "d", "l"]]
    with pytest.raises(DataError, match="expected a string of characters"):
        model.predict([["a", "1"]])


def test_a_long_sequence_is_read_in_pieces_that_fit_together():
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ab1("), 30)) for _ in range(40)]
    tags = [["d" if sign in "1(" else "l" for sign in text] for text in texts]
    model = SequenceTagger(**SMALL).fit(texts, tags, steps=30)
    long = "".join(rng.choice(list("ab1("), 10_500))
    (found,) = model.predict([long])
    assert found == ["d" if sign in "1(" else "l" for sign in long]
    (shares,) = model.predict_proba([long])
    assert shares.shape == (10_500, 2)


def test_further_columns_tell_what_words_do_not():
    rng = np.random.default_rng(1)
    data = []
    for _ in range(60):
        sides = [str(side) for side in rng.choice(["left", "right"], 4)]
        numbers = rng.normal(50, 20, 4)
        tags = [
            f"{side[0]}{'+' if number > 50 else '-'}" for side, number in zip(sides, numbers, strict=True)
        ]
        features = list(zip(sides, numbers.astype(str), strict=True))
        data.append(TaggedSequence(["x"] * 4, tags, features, "here"))
    model = SequenceTagger(**{**SMALL, "lr": 0.05}).fit(data, steps=60)
    assert model.score(data) > 0.95
    assert [column.values for column in model.schema_.columns] == [("left", "right"), ()]
    with pytest.raises(DataError, match="expected 2 further columns, as those trained on have, got 0"):
        model.predict([["x", "x"]])
    wrong = TaggedSequence(["x"], None, [("left", "high")], "file.txt, line 3", [3])
    with pytest.raises(
        DataError, match=r"file\.txt, line 3: expected a number in a further column, got 'high'"
    ):
        model.predict([wrong])


def test_it_has_the_manners_of_an_estimator():
    model = SequenceTagger(**SMALL, crf=True)
    assert clone(model).get_params() == model.get_params()
    search = GridSearchCV(
        SequenceTagger(**SMALL, max_steps=3)
        if "max_steps" in model.get_params()
        else SequenceTagger(**SMALL),
        {"cell": ["gru", "rnn"], "hidden_size": [3, 5]},
        cv=2,
        error_score="raise",
    )
    search.fit(X[:16], Y[:16], steps=3)
    assert set(search.best_params_) == {"cell", "hidden_size"}
    with pytest.raises(NotFittedError):
        model.predict(X)


@pytest.mark.parametrize("options", [{"cell": "rnn", "num_layers": 2}, {"crf": True}], ids=str)
def test_the_gradient_of_a_whole_batch_is_that_of_its_loss(options):
    """Central differences through words, spelling, shape, both directions and the chain, together."""
    model = SequenceTagger(**{**SMALL, **options}, dtype="float64")
    sequences = [TaggedSequence(words, tags) for words, tags in zip(X[:3], Y[:3], strict=True)]
    schema = TagSchema.of(sequences, model)
    network = build_network(model, chosen_cells(model), schema)
    parameters = FlatParameters.build(network.layers, np.random.default_rng(0), np.float64)
    lexicon = Lexicon.of(schema, sequences)
    batch = lexicon.batch([lexicon.example(one) for one in sequences])
    output = output_of(network, schema)

    def loss(*, back=False):
        scores, backward = network(batch.ids, given=batch.given, mode=Mode(save=back))
        value, d_scores = output.loss(scores, batch.tags)
        if back:
            backward(d_scores())
        return value

    parameters.zero_gradients()
    loss(back=True)
    rng = np.random.default_rng(1)
    before, gradient = parameters.values.copy(), parameters.gradients
    for path, parameter in parameters.named():
        assert parameter.gradient.any(), path
    for _ in range(4):
        direction = rng.normal(size=before.shape)
        slopes = []
        for step in (1e-5, -1e-5):
            parameters.values[...] = before + step * direction
            slopes.append(loss())
        slope = (slopes[0] - slopes[1]) / 2e-5
        scale = np.linalg.norm(gradient) * np.linalg.norm(direction)
        assert abs(slope - gradient @ direction) < 1e-8 * scale


@pytest.mark.parametrize(
    ("data", "tags", "message"),
    [
        ([], [], "expected sequences of tokens, got none"),
        ([["a"], []], [["X"], []], "sequence 1: expected tokens, got"),
        ([["a", ""]], [["X", "Y"]], "sequence 0: expected tokens that are strings and not empty"),
        ([["a", 3]], [["X", "Y"]], "got 3"),
        ([["a"], ["b"]], [["X"]], "expected tags for 2 sequences, got those of 1"),
        ([["a", "b"]], [["X"]], "expected a tag for each of 2 tokens, got 1"),
        ([["a", "b"]], [["X", ""]], "one of them empty"),
        ([["a", "b"]], None, "expected a tag for each token, got none"),
        ([["a"], "b"], [["X"], ["Y"]], "expected strings of characters or lists of words, got both"),
        ([["a"]] * 40, [["X"]] * 40, "expected at least two different tags, got 'X' only"),
    ],
)
def test_data_that_cannot_be_learnt_from_are_refused(data, tags, message):
    with pytest.raises(DataError, match=message):
        SequenceTagger(**SMALL).fit(data, tags, steps=1)


def test_a_tag_that_was_not_trained_on_is_named_with_its_place_and_the_nearest(model):
    with pytest.raises(DataError, match=r"sequence 1, token 2: the tag 'NNP' is none .* Did you mean 'NN'\?"):
        model.evaluate([["the"], ["the", "mill"]], [["DT"], ["DT", "NNP"]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crf": True, "label_smoothing": 0.1}, "'label_smoothing' option of SequenceTagger"),
        ({"separator": "ab"}, "'separator' option"),
        ({"embedding_size": 0, "vectors": "x.txt"}, "'vectors' option of SequenceTagger needs an embedding"),
        ({"layout": "rows"}, "'layout' option of SequenceTagger must be one of"),
        ({"embedding_size": 0}, "'embedding_size' option must be at least 1"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        SequenceTagger(**{**SMALL, **options}).fit(X, Y, steps=1)


def test_without_vectors_words_are_one_hot():
    model = SequenceTagger(**{**SMALL, "embedding_size": 0, "spelling_size": 0}, word_shape=False)
    assert model.fit(X, Y, steps=40).score(X, Y) > 0.98


def test_vectors_of_words_are_where_they_begin(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("the 1 2 3 4 5\nmill 5 4 3 2 1\n")
    model = SequenceTagger(**SMALL, vectors=str(path), freeze_embedding=True).fit(X, Y, steps=2)
    table = dict(model.network_.children())["input"].table.value
    assert table[model.schema_.word_id("mill")].tolist() == [5, 4, 3, 2, 1]
    assert any("vectors for 2 of" in note for note in model.description_.notes)
    with pytest.raises(OptionError, match="must be the width of the vectors, 5"):
        SequenceTagger(**{**SMALL, "embedding_size": 6}, vectors=str(path)).fit(X, Y, steps=1)


def test_a_damaged_schema_is_named(model):
    for name, value in (("words", ["mill", "mill"]), ("tags", [1, 2]), ("columns", None), ("level", 3)):
        data = {**model.schema_.to_dict(), name: value}
        with pytest.raises(RunError, match=rf"schema\.json: the file is damaged: '{name}'"):
            TagSchema.from_dict(data, "schema.json")
