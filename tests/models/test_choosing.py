"""Options that are left open: chosen once, by the passes of a run, said aloud and gone on with."""

import math

import numpy as np
import pytest

from noria import LanguageModel, load
from noria.errors import OptionError, RunError
from noria.models.choosing import PACE, expected_passes
from noria.training.option import Option
from noria.training.options import Budget, options_of
from noria.training.report import Chosen, Started
from noria.training.run_folder import RunFolder

TEXT = "the cat sat on the mat, and the dog lay by the log.\n" * 24
SMALL = {
    "cell": "gru",
    "hidden_size": 6,
    "embedding_size": 5,
    "batch_size": 7,
    "seq_length": 32,
    "sample_length": 0,
    "eval_every": 100,
}
MODEL = LanguageModel(**SMALL)
# 1,123 characters to train on in 7 streams of windows of 32: 5 steps in a pass.
MANY, FEW = 14 * 5, 14 * 5 - 1


@pytest.fixture(scope="module")
def prepared():
    return LanguageModel(**SMALL).prepare(TEXT)


def test_a_value_holds_from_its_passes_on():
    option = Option(help="", group="", by_passes=((0.0, "a"), (3.0, "b"), (9.0, "c")))
    assert [option.chosen(passes) for passes in (0, 2.99, 3, 8, 9, 1e9)] == ["a", "a", "b", "b", "c", "c"]


@pytest.mark.parametrize(
    ("budget", "accumulate", "passes"),
    [({"steps": 10}, 1, 2), ({"steps": 10}, 3, 6), ({"epochs": 2.5}, 3, 2.5)],
)
def test_passes_of_counted_budgets(prepared, budget, accumulate, passes):
    assert prepared.description.steps_per_epoch == 5
    assert expected_passes(MODEL, prepared, Budget(**budget), accumulate) == passes


def test_minutes_are_taken_for_the_same_passes_on_every_machine(prepared):
    work = prepared.corpus.train.tokens * prepared.description.model.parameters
    assert expected_passes(MODEL, prepared, Budget(minutes=3), 1) == pytest.approx(3 * PACE / work)
    assert expected_passes(MODEL, prepared, Budget(), 1) == pytest.approx(2 * PACE / work)


@pytest.mark.parametrize("epochs", [1, 8])
def test_words_with_one_mask_for_all_steps_are_dropped(tmp_path, epochs):
    model = LanguageModel(**SMALL, level="words", locked_dropout=True)
    model.fit(TEXT, epochs=epochs, out=tmp_path / "run")
    assert model.chosen_["dropout"] == 0.4
    assert load(tmp_path / "run").locked_dropout
    given = LanguageModel(**SMALL, level="words", locked_dropout=True, input_dropout=0.2)
    assert given.fit(TEXT, epochs=1).chosen_["dropout"] == 0
    with pytest.raises(OptionError, match="'locked_dropout' option of LanguageModel does nothing without"):
        LanguageModel(level="words", locked_dropout=True, dropout=0.0, input_dropout=0.0).validate()


def test_symbols_that_a_step_leaves_out_cost_it_nothing():
    text = " ".join(f"w{number % 150}" for number in range(900))
    models = [LanguageModel(**SMALL, level="words", softmax_samples=samples) for samples in (0, 10, 10**6)]
    prepared = models[0].prepare(text)
    symbols, parameters = prepared.symbols, prepared.description.model.parameters
    assert symbols == len(prepared.corpus.vocabulary) > 140
    assert prepared.symbol_size == SMALL["embedding_size"] + SMALL["hidden_size"] + 1
    whole, some, all_of_them = (expected_passes(model, prepared, Budget(minutes=3), 1) for model in models)
    assert whole == all_of_them == 3 * PACE / (prepared.tokens * parameters)
    left_out = (symbols - 10) * prepared.symbol_size
    assert some == pytest.approx(3 * PACE / (prepared.tokens * (parameters - left_out)))
    assert some > 2 * whole


def test_every_open_option_has_a_choice_for_every_run():
    for info in options_of(LanguageModel):
        for level in ("characters", "words", "subwords") if info.option.by_passes else ():
            least = [passes for passes, _ in info.option.by_length_of(level)]
            assert least[0] == 0
            assert least == sorted(set(least))
            assert all(info.accepts(info.option.chosen(passes, level)) for passes in (*least, math.inf))
            assert info.option.undecided == (None,)


def test_words_are_dropped_from_fewer_passes_on():
    infos = {info.name: info.option for info in options_of(LanguageModel)}
    dropout, at_input = infos["dropout"], infos["input_dropout"]
    passes = (0, 3.9, 4, 7.9, 8, 100)
    assert [dropout.chosen(count, "words") for count in passes] == [0, 0, 0.2, 0.2, 0.4, 0.4]
    assert [at_input.chosen(count, "words") for count in passes] == [0, 0, 0.1, 0.1, 0.3, 0.3]
    assert [dropout.chosen(count, "subwords") for count in passes] == [0.3] * 5 + [0.5]
    few, many = (LanguageModel(**SMALL, level="words").fit(TEXT, epochs=epochs) for epochs in (1, 8))
    assert (few.chosen_["dropout"], few.chosen_["input_dropout"]) == (0, 0)
    assert (many.chosen_["dropout"], many.chosen_["input_dropout"]) == (0.4, 0.3)


def test_what_follows_from_the_level_has_a_value_for_each():
    infos = {info.name: info for info in options_of(LanguageModel)}
    followed = {name: info for name, info in infos.items() if info.option.by_level}
    assert set(followed) == {
        "hidden_size",
        "embedding_size",
        "batch_size",
        "features",
        "dropout",
        "input_dropout",
        "weight_decay",
    }
    for info in followed.values():
        values = dict(info.option.by_level)
        assert set(values) == set(infos["level"].option.choices)
        assert all(info.accepts(value) for value in values.values())
        assert (info.default,) == info.option.undecided
    assert LanguageModel(dropout=0.1).by_level() == {
        "embedding_size": 64,
        "batch_size": 32,
        "features": "line",
        "input_dropout": 0.0,
    }
    assert LanguageModel(embedding_size=0).by_level()["features"] == "none"
    of_ids = LanguageModel(level="words", embedding_size=0)
    assert (of_ids.by_level()["input_dropout"], of_ids.by_level()["batch_size"]) == (0.0, 8)
    of_ids.validate()
    assert of_ids.by_level()["weight_decay"] == 0
    assert LanguageModel(optimizer="adam").by_level()["weight_decay"] == 0
    with pytest.raises(OptionError, match=r"'input_dropout' option of .* needs an embedding"):
        LanguageModel(level="words", embedding_size=0, input_dropout=0.3).validate()
    rates = {level: LanguageModel(level=level).full_lr for level in infos["level"].option.choices}
    assert rates == {"characters": 0.01, "words": 0.005, "subwords": 0.005}
    assert LanguageModel(level="words", optimizer="sgd").full_lr == 0.5


@pytest.mark.parametrize(
    ("options", "rate"),
    [
        ({"hidden_size": 383}, 0.01),
        ({"hidden_size": 384}, 0.005),
        ({"hidden_size": [100, 400]}, 0.005),
        ({"hidden_size": 400, "level": "words"}, 0.005),
        ({"hidden_size": 400, "optimizer": "adamw"}, 0.005),
        ({"hidden_size": 400, "optimizer": "sgd"}, 0.5),
        ({"hidden_size": 400, "lr": 0.02}, 0.02),
    ],
)
def test_a_wide_layer_has_a_lower_rate(options, rate):
    assert LanguageModel(**options).full_lr == rate


def test_what_follows_from_the_level_is_written_and_gone_on_with(tmp_path):
    options = {"level": "words", "cell": "gru", "hidden_size": 6, "seq_length": 8, "sample_length": 0}
    text = TEXT * 2
    whole = LanguageModel(**options, dropout=0.1).fit(text, steps=6)
    assert whole.network_.layers[0].output_size == 128
    LanguageModel(**options, dropout=0.1, stop_after=2).fit(text, steps=6, out=tmp_path / "run")
    written = RunFolder.open(tmp_path / "run").config["options"]
    names = ("embedding_size", "batch_size", "dropout", "input_dropout")
    assert tuple(written[name] for name in names) == (128, 8, 0.1, 0.0)
    assert whole.chosen_["input_dropout"] == 0.0
    assert whole.input_dropout is None
    resumed = LanguageModel(**options, dropout=0.1).fit(text, resume=tmp_path / "run")
    np.testing.assert_array_equal(resumed.parameters_.values, whole.parameters_.values)


def test_a_run_of_other_sizes_is_gone_on_with_by_a_model_that_leaves_them_open(tmp_path):
    options = {"cell": "gru", "hidden_size": 6, "seq_length": 8, "sample_length": 0}
    sizes = {"embedding_size": 5, "batch_size": 7, "dropout": 0.2, "input_dropout": 0.1}
    whole = LanguageModel(**options, **sizes).fit(TEXT, steps=6)
    LanguageModel(**options, **sizes, stop_after=2).fit(TEXT, steps=6, out=tmp_path / "run")
    resumed = LanguageModel(**options).fit(TEXT, resume=tmp_path / "run")
    np.testing.assert_array_equal(resumed.parameters_.values, whole.parameters_.values)


def test_many_passes_get_recurrent_dropout_and_few_do_not(prepared, tmp_path):
    def begun(name, steps, **options):
        events = []
        model = LanguageModel(**SMALL, stop_after=1, **options)
        model.fit(prepared, steps=steps, out=tmp_path / name, listener=events.append)
        told = [event for event in events if isinstance(event, Chosen)]
        return model, told, RunFolder.open(tmp_path / name).config["options"].get("recurrent_dropout")

    model, told, written = begun("many", MANY)
    assert told == [Chosen({"weight_decay": 0.0, "dropout": 0.3, "recurrent_dropout": 0.1}, 14)]
    assert written == model.chosen_["recurrent_dropout"] == 0.1
    assert model.recurrent_dropout is None
    assert load(tmp_path / "many").recurrent_dropout == 0.1
    _, told, written = begun("few", FEW)
    assert told[0].values == {"weight_decay": 0.0, "dropout": 0.3, "recurrent_dropout": 0.0}
    assert written == 0
    one = {"recurrent_dropout": 0.0, "optimizer": "adam"}
    assert begun("one", MANY, **one)[1:] == ([Chosen({"dropout": 0.3}, 14)], 0)
    assert begun("asked", MANY, **one, dropout=0.1)[1:] == ([], 0)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (0.5, 0.3, 0.2)),
        ({"level": "words", "min_count": 1}, (0.4, 0.3, 0.0)),
        ({"dropout": 0.2}, (0.2, 0.3, 0.2)),
        ({"optimizer": "adam"}, (0.5, 0.3, 0.0)),
    ],
)
def test_very_many_passes_drop_more_where_the_level_does_not_say_how_much(options, expected):
    model = LanguageModel(**{**SMALL, **options, "stop_after": 1}).fit(TEXT, epochs=40)
    chosen = {"dropout": model.dropout, **model.chosen_}
    assert tuple(chosen[name] for name in ("dropout", "recurrent_dropout", "weight_decay")) == expected
    layers = {layer.name: layer for layer in model.network_.layers}
    assert layers["dropout"].p == expected[0]


def test_masks_may_be_locked_where_dropout_is_left_open():
    LanguageModel(**SMALL, locked_dropout=True).fit(TEXT, steps=1)
    with pytest.raises(OptionError, match=r"'locked_dropout'.*does nothing"):
        LanguageModel(**SMALL, locked_dropout=True, dropout=0.0).validate()


def test_a_run_goes_on_with_what_was_chosen_for_it(tmp_path):
    whole = LanguageModel(**SMALL).fit(TEXT, epochs=14)
    LanguageModel(**SMALL, stop_after=40).fit(TEXT, epochs=14, out=tmp_path / "run")
    resumed = LanguageModel(**SMALL).fit(TEXT, resume=tmp_path / "run")
    np.testing.assert_array_equal(resumed.parameters_.values, whole.parameters_.values)
    again = LanguageModel.resume(tmp_path / "run", TEXT, epochs=15)  # more passes change nothing of it
    assert again.recurrent_dropout == 0.1
    with pytest.raises(RunError, match=r"recurrent_dropout: 0\.1 in the run, 0\.3 here"):
        LanguageModel(**SMALL, recurrent_dropout=0.3).fit(TEXT, epochs=16, resume=tmp_path / "run")


def test_a_saved_model_has_what_was_chosen(tmp_path):
    model = LanguageModel(**SMALL).fit(TEXT, epochs=14)
    model.save(tmp_path / "saved")
    assert load(tmp_path / "saved").recurrent_dropout == 0.1
    assert load(tmp_path / "saved").evaluate(TEXT) == model.evaluate(TEXT)
    assert model.recurrent_dropout is None


def test_a_rate_that_was_found_is_gone_on_with(tmp_path):
    options = {**SMALL, "lr": "find"}
    whole = LanguageModel(**options).fit(TEXT, steps=9)
    LanguageModel(**options, stop_after=4).fit(TEXT, steps=9, out=tmp_path / "run")
    assert RunFolder.open(tmp_path / "run").config["options"]["lr"] == whole.chosen_["lr"]
    resumed = LanguageModel(**options).fit(TEXT, resume=tmp_path / "run")
    np.testing.assert_array_equal(resumed.parameters_.values, whole.parameters_.values)


def test_a_rate_can_be_found_without_a_run(prepared):
    options = {
        **SMALL,
        "dropout": 0.5,
        "recurrent_dropout": 0.3,
        "weight_decay": 0.2,
    }  # as after so many passes as fit into minutes
    model = LanguageModel(**SMALL)
    found = model.find_learning_rate(prepared)
    assert not hasattr(model, "network_")
    assert model.lr is None
    assert 1e-4 < found.suggestion < 1
    assert found.suggestion == LanguageModel(**options, lr="find").fit(prepared, steps=1).chosen_["lr"]


LONG = {"cell": "gru", "embedding_size": 5, "sample_length": 0, "stop_after": 1}


def test_a_long_run_of_characters_is_wider(tmp_path):
    prepared = LanguageModel(**LONG).prepare(TEXT)
    assert prepared.description.model.hidden_sizes == (256,)
    model = LanguageModel(**LONG).fit(prepared, minutes=3, out=tmp_path / "run")
    assert model.chosen_["hidden_size"] == 384
    assert model.description_.model.hidden_sizes == (384,)
    assert model.description_.model.parameters == model.parameters_.count
    assert model.hidden_size is None
    assert load(tmp_path / "run").hidden_size == 384
    gone_on = LanguageModel(**{**LONG, "stop_after": 2}).fit(prepared, resume=tmp_path / "run")
    assert gone_on.parameters_.count == model.parameters_.count
    narrow = LanguageModel(**LONG).fit(TEXT, minutes=2.9)
    assert narrow.chosen_["hidden_size"] == 256
    assert prepared.description.model.hidden_sizes == (256,)


def test_weights_of_another_run_settle_how_wide_it_is(tmp_path):
    LanguageModel(**LONG).fit(TEXT, steps=1, out=tmp_path / "run")
    model = LanguageModel(**LONG).fit(TEXT, minutes=5, init_from=tmp_path / "run")
    assert model.chosen_["hidden_size"] == 256
    shape = {"hidden_size": [8, 6], "embedding_size": 9, "features": "none"}
    LanguageModel(**{**LONG, **shape}).fit(TEXT, steps=1, out=tmp_path / "small")
    of_its_shape = {"cell": "gru", "num_layers": 2, "sample_length": 0, "stop_after": 1}
    model = LanguageModel(**of_its_shape).fit(TEXT, minutes=5, init_from=tmp_path / "small")
    assert {name: model.chosen_[name] for name in shape} == shape
    assert model.description_.model.hidden_sizes == (8, 6)


@pytest.mark.parametrize(
    ("options", "sizes"),
    [
        ({"hidden_size": 7}, (7,)),
        ({"level": "words", "min_count": 1}, (256,)),
        ({"tie_weights": True, "embedding_size": None}, (256,)),
        ({"tie_weights": True, "embedding_size": 96}, (96,)),
        ({"tie_weights": True, "embedding_size": 48, "projection_size": 48}, (256,)),
        ({"num_layers": 2}, (384, 384)),
    ],
)
def test_what_is_given_goes_before(options, sizes):
    model = LanguageModel(**{**LONG, **options})
    settled = model.settled(model.prepare(TEXT), Budget(minutes=10))
    assert settled.description.model.hidden_sizes == sizes


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, 256),
        ({"level": "words", "min_count": 1}, 256),
        ({"hidden_size": 7}, 7),
        ({"hidden_size": [9, 7]}, 7),
        ({"hidden_size": 7, "projection_size": 5}, 5),
        ({"embedding_size": 12}, 12),
    ],
)
def test_one_matrix_that_reads_and_scores_has_one_width(options, size):
    model = LanguageModel(**{**LONG, "embedding_size": None, "tie_weights": True, **options})
    model.validate()
    model.fit(TEXT, steps=1)
    weights = model.parameters_.state_dict()
    (table,) = (weights[name] for name in weights if name.endswith("table"))
    assert table.shape[1] == size
    assert "output.W" not in weights


def test_a_run_that_is_wide_because_it_is_long_has_its_rate(tmp_path):
    model = LanguageModel(**LONG)
    prepared = model.prepare(TEXT)
    epochs = 3 * PACE / (prepared.tokens * prepared.description.model.parameters)
    for count, rate in ((0.99 * epochs, 0.01), (1.01 * epochs, 0.005)):
        events, run = [], tmp_path / f"{rate}"
        model.fit(prepared, epochs=count, out=run, listener=events.append)
        assert next(event.lr for event in events if isinstance(event, Started)) == rate
        config = RunFolder.open(run).config
        assert config["options"]["lr"] == config["run"]["lr"] == rate


def test_steps_and_epochs_take_the_minutes_of_the_usual_pace():
    model = LanguageModel(**LONG)
    prepared = model.prepare(TEXT)
    work = prepared.tokens * prepared.description.model.parameters
    epochs = 3 * PACE / work
    for count, size in ((epochs * 1.01, 384), (epochs * 0.99, 256)):
        assert model.settled(prepared, Budget(epochs=count)).description.model.hidden_sizes == (size,)
        steps = Budget(steps=round(count * prepared.description.steps_per_epoch))
        assert model.settled(prepared, steps).description.model.hidden_sizes == (size,)
    settled = model.settled(prepared, Budget(minutes=3))
    assert model.settled(settled, Budget(minutes=1)) is settled
