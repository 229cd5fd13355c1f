"""The seam to the trainer: what a step trains on, what it carries, and what it says of gradients."""

import numpy as np
import pytest

from noria.data import Text
from noria.layers import FlatParameters, Mode
from noria.models.text.baseline import baseline_figures
from noria.models.text.corpus import corpus_of_sequences, corpus_of_text
from noria.models.text.kneser_ney import KneserNey
from noria.models.text.network import build_network
from noria.models.text.options import TextModelOptions
from noria.models.text.scoring import score_readings
from noria.models.text.task import SequenceTask, StreamTask
from noria.models.wiring import chosen_cells, rewritten

SENTENCE = "a rose is a rose is a rose, said she\n"
SEED = np.random.default_rng


def network_and_parameters(corpus, **options):
    options = TextModelOptions(
        **{"cell": "lstm", "hidden_size": 6, "dropout": 0.0, "dtype": "float64", **options}
    )
    network = build_network(options, chosen_cells(options), len(corpus.vocabulary))
    return network, FlatParameters.build(network.layers, SEED(0), np.float64)


def stream_task(batch_size=2, window=7):
    corpus = corpus_of_text(Text(SENTENCE * 6), 0.1, 0.1)
    network, parameters = network_and_parameters(corpus)
    return StreamTask(network, parameters, corpus, batch_size, window, lambda rng: "sample")


@pytest.mark.parametrize(("tied", "deviation"), [(False, 1.0), (True, 120**-0.5)])
def test_vectors_begin_large_unless_they_score_symbols(tied, deviation):
    corpus = corpus_of_text(Text(SENTENCE * 6), 0.1, 0.1)
    network, _ = network_and_parameters(corpus, hidden_size=120, embedding_size=120, tie_weights=tied)
    assert network.layers[0].table.value.std() == pytest.approx(deviation, rel=0.06)


def test_windows_carry_the_state_and_an_epoch_begins_afresh():
    task = stream_task(batch_size=1)
    windows = task.steps_per_epoch
    losses = [task.step(step, Mode(training=True, rng=SEED(0))).loss for step in range(windows + 1)]
    readings = task.corpus.train.readings
    assert np.mean(losses[:windows]) == pytest.approx(_mean_over(task, readings, windows * 7), rel=1e-12)
    assert losses[windows] == losses[0]


def _mean_over(task, readings, predictions):
    (reading,) = readings
    cut = type(reading)(reading.ids[: predictions + 1])
    return score_readings(task.network, [cut]).nats


def test_going_on_from_a_carried_state_is_going_on():
    task = stream_task()
    mode = Mode(training=True, rng=SEED(0))
    for step in range(3):
        task.step(step, mode)
    carried = {name: array.copy() for name, array in task.carried().items()}
    assert all(array.shape == (2, 6) for array in carried.values())
    expected = task.step(3, mode).loss
    other = stream_task()
    assert other.carried() == {}
    other.restore_carried(carried)
    assert other.step(3, mode).loss == expected
    other.restore_carried({})
    assert other.step(3, mode).loss != expected


def test_evaluating_leaves_the_carried_state_alone():
    task = stream_task()
    task.step(0, Mode())
    before = {name: array.copy() for name, array in task.carried().items()}
    figures = task.evaluate("validation")
    assert figures["tokens"] == task.corpus.validation.tokens
    for name, array in task.carried().items():
        np.testing.assert_array_equal(array, before[name])


def test_gradient_norms_by_layer_make_up_the_whole():
    task = stream_task()
    task.step(0, Mode())
    norms = task.layer_norms()
    assert list(norms) == ["input", "recurrent.0", "output"]
    whole = np.linalg.norm(task.parameters.gradients)
    assert np.linalg.norm(list(norms.values())) == pytest.approx(whole, rel=1e-12)
    assert min(norms.values()) > 0


def test_the_gradient_is_that_of_the_loss():
    task = stream_task()
    task.step(0, Mode())
    analytic = task.parameters.gradients.copy()
    direction = SEED(1).standard_normal(len(analytic))
    values, step = task.parameters.values, 1e-6
    losses = []
    for sign in (1, -1):
        values += sign * step * direction
        losses.append(task.step(0, Mode()).loss)
        values -= sign * step * direction
    numeric = (losses[0] - losses[1]) / (2 * step)
    assert analytic @ direction == pytest.approx(numeric, rel=1e-6)


def test_every_sequence_is_trained_on_once_in_an_epoch_and_the_order_changes(monkeypatch):
    words = ["ab" * k for k in range(1, 12)]
    corpus = corpus_of_sequences(words, 0.0, 0.0, SEED(0))
    network, parameters = network_and_parameters(corpus)
    task = SequenceTask(network, parameters, corpus, 3, 5, lambda rng: "")
    seen = []
    original = task._forward_backward

    def spy(inputs, targets, state, mode, given):
        assert state is given is None
        seen.append([corpus.vocabulary.decode(ids) for ids in inputs.to_sequences()])
        following = inputs.with_rows(targets).to_sequences()
        for ids, after in zip(inputs.to_sequences(), following, strict=True):
            assert list(ids[1:]) == list(after[:-1])
            assert ids[0] == after[-1] == corpus.vocabulary.end_id
        return original(inputs, targets, state, mode, given)

    monkeypatch.setattr(task, "_forward_backward", spy)
    assert task.steps_per_epoch == 4
    for step in range(8):
        task.step(step, Mode())
    first, second = ([word for batch in part for word in batch] for part in (seen[:4], seen[4:]))
    assert sorted(first) == sorted(second) == sorted(words)
    assert first != second
    task.step(1, Mode())
    assert seen[-1] == seen[1]


def test_a_step_of_sequences_scores_what_evaluation_scores():
    corpus = corpus_of_sequences(["aba", "b", "abba"], 0.0, 0.0, SEED(0))
    network, parameters = network_and_parameters(corpus)
    result = SequenceTask(network, parameters, corpus, 3, 5, lambda rng: "").step(0, Mode())
    assert result.tokens == 11
    assert result.loss == pytest.approx(score_readings(network, corpus.train.readings).nats, rel=1e-12)


def test_the_baseline_is_trained_on_the_training_part_and_reads_what_stands_before():
    corpus = corpus_of_text(Text(SENTENCE * 9 + "no rose is she, a rose said\n" * 2), 0.1, 0.1)
    size, vocabulary = len(corpus.vocabulary), corpus.vocabulary
    text = SENTENCE * 9 + "no rose is she, a rose said\n" * 2
    ids = vocabulary.encode(text)
    begin = len(ids) - corpus.test.tokens
    expected = KneserNey.fit(ids[: corpus.train.tokens], vocabulary_size=size).nats(
        ids[begin:], context=ids[:begin]
    )
    figures = baseline_figures(corpus, corpus.test, loss=99.0)
    assert figures["loss"] == pytest.approx(expected, rel=1e-12)
    spelt = expected + corpus.test.spelling / corpus.test.characters  # d is unknown: it is spelt
    assert corpus.test.spelling > 0
    assert figures["bits_per_character"] == pytest.approx(spelt / np.log(2), rel=1e-12)
    assert figures["beaten"] is False
    assert baseline_figures(corpus, corpus.test) == {
        key: figures[key] for key in ("name", "loss", "bits_per_character", "perplexity")
    }


def test_parts_without_data_have_no_figures():
    corpus = corpus_of_text(Text(SENTENCE * 5), 0.0, 0.0)
    network, parameters = network_and_parameters(corpus)
    task = StreamTask(network, parameters, corpus, 2, 5, lambda rng: "")
    assert task.evaluate("validation") == task.evaluate("test") == {}
    assert baseline_figures(corpus, corpus.test) == {}


def test_each_option_rewrites_the_cell():
    (lstm,) = chosen_cells(TextModelOptions(cell="lstm"))
    assert rewritten(lstm, TextModelOptions()) == lstm
    assert "relu(" in rewritten(lstm, TextModelOptions(activation="relu")).text
    assert "layer_norm(" in rewritten(lstm, TextModelOptions(layer_norm=True)).text
    dropped = rewritten(lstm, TextModelOptions(recurrent_dropout=0.2))
    laws = {given.law: given.probability for given in dropped.givens}
    assert laws == {"dropout": 0.2}
    zones = rewritten(lstm, TextModelOptions(zoneout=0.3)).givens
    assert [(given.law, given.probability) for given in zones] == [("bernoulli", 0.3)] * 2
    both = rewritten(
        lstm, TextModelOptions(zoneout=0.3, recurrent_dropout=0.2, layer_norm=True, activation="relu")
    )
    assert {given.law for given in both.givens} == {"dropout", "bernoulli"}
    assert "tanh(" not in both.text


def test_lists_and_projections_shape_the_network():
    corpus = corpus_of_text(Text(SENTENCE * 5), 0.1, 0.1)
    options = {
        "cell": ["rnn", "lstm"],
        "hidden_size": [8, 5],
        "projection_size": 3,
        "embedding_size": 4,
        "dropout": 0.5,
    }
    network, parameters = network_and_parameters(corpus, **options)
    shapes = {path: parameter.shape for path, parameter in parameters.named()}
    symbols = len(corpus.vocabulary)
    assert shapes["input.table"] == (symbols, 4)
    assert shapes["recurrent.0.W"] == (8, 4)
    assert shapes["recurrent.projection_0.W"] == (3, 8)
    assert shapes["recurrent.1.W_i"] == (5, 3)
    assert shapes["output.W"] == (symbols, 3)
    assert network.output_size == symbols


@pytest.mark.parametrize(("share", "read"), [(1 / 256, 1), (0.3, 7), (1.0, 22)])
def test_a_rehearsal_reads_the_beginning_of_the_test_part(monkeypatch, share, read):
    seen = []
    scored = score_readings
    monkeypatch.setattr(
        "noria.models.text.task.score_readings",
        lambda network, readings, **given: (seen.append(readings), scored(network, readings, **given)),
    )
    task = stream_task()
    (test,) = task.corpus.test.readings
    assert test.predictions == 22
    lead = test.lead
    assert task.rehearse("test", share) == pytest.approx((lead + read) / (lead + 22))
    ((reading,),) = seen
    assert (reading.lead, reading.predictions) == (test.lead, read)
    np.testing.assert_array_equal(reading.ids, test.ids[: test.lead + read])


def test_a_rehearsal_of_sequences_reads_as_many_as_are_read_together():
    words = ["ab" * (1 + k % 5) for k in range(400)]
    corpus = corpus_of_sequences(words, 0.1, 0.5, SEED(0))
    network, parameters = network_and_parameters(corpus)
    task = SequenceTask(network, parameters, corpus, 3, 5, lambda rng: "")
    assert len(corpus.test.readings) == 200
    lengths = sorted((len(reading.ids) for reading in corpus.test.readings), reverse=True)
    batches = [lengths[begin : begin + 64] for begin in range(0, 200, 64)]
    read = [task.rehearse("test", share) for share in (0.01, 0.5, 1.0)]
    of_middle_lengths, two = sum(batches[1]), sum(batches[0] + batches[2])
    assert read == pytest.approx([of_middle_lengths / sum(lengths), two / sum(lengths), 1.0])
    assert task.rehearse("validation", 0.01) == 1.0
    nothing = corpus_of_sequences(words, 0.1, 0.0, SEED(0))
    assert SequenceTask(network, parameters, nothing, 3, 5, lambda rng: "").rehearse("test", 0.5) == 1.0
