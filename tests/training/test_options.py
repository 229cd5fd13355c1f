from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import pytest

from noria.equations import Cell
from noria.errors import OptionError
from noria.models.text.options import TextModelOptions, TextTrainingOptions
from noria.training.options import (
    Budget,
    Default,
    ModelOptions,
    Option,
    Options,
    SamplingOptions,
    TrainingOptions,
    defaults,
    options_of,
    unknown_option,
)

TABLES = [TextModelOptions, TextTrainingOptions, Budget, SamplingOptions]


@dataclass(kw_only=True)
class LanguageModel(TextModelOptions, TextTrainingOptions):
    pass


def complaint(made, **values):
    """Set values past the constructor, as set_params does, and give the message of validate."""
    for name, value in values.items():
        assert hasattr(made, name)
        setattr(made, name, value)
    with pytest.raises(OptionError) as caught:
        made.validate()
    return str(caught.value)


def info_of(cls, name):
    (info,) = [info for info in options_of(cls) if info.name == name]
    return info


def test_message_of_the_house():
    assert complaint(LanguageModel(), dropout=1.2) == (
        "The 'dropout' option of LanguageModel must be a float in [0, 1). Got 1.2."
    )


def test_owner_can_be_named():
    options = TrainingOptions()
    options.batch_size = 0
    with pytest.raises(OptionError, match="option of Tagger must be an int in"):
        options.validate("Tagger")


@pytest.mark.parametrize("cls", TABLES)
def test_defaults_are_valid_and_explained(cls):
    cls().validate()
    for info in options_of(cls):
        assert info.accepts(info.default), info.name
        assert info.option.help.endswith("."), info.name
        assert info.option.group, info.name


def test_tables_share_no_flag_that_a_verb_would_take_twice():
    flags = [
        flag
        for cls in (TextModelOptions, TextTrainingOptions, Budget)
        for info in options_of(cls)
        for flag in info.flags
    ]
    assert len(flags) == len(set(flags))


def test_another_default_keeps_all_that_is_not_said_anew():
    @dataclass(kw_only=True)
    @defaults(dropout=Default(value=0.25, reason="Because."), seed=Default(value=3, reason="", help="Luck."))
    class Own(ModelOptions, TrainingOptions):
        pass

    declared, own = info_of(ModelOptions, "dropout"), info_of(Own, "dropout")
    assert (Own().dropout, own.default, declared.default) == (0.25, 0.25, 0.3)
    assert own.option == replace(declared.option, reason="Because.") != declared.option
    assert info_of(Own, "seed").option == replace(info_of(TrainingOptions, "seed").option, help="Luck.")
    assert [info.name for info in options_of(Own)] == [
        info.name for cls in (TrainingOptions, ModelOptions) for info in options_of(cls)
    ]
    assert "in [0, 1)" in complaint(Own(), dropout=1.0)
    assert ModelOptions().dropout == 0.3


def test_names_of_char_rnn_are_aliases():
    aliases = {
        alias: info.name
        for cls in TABLES
        for info in options_of(cls)
        for alias in (info.name, *info.option.aliases)
    }
    expected = {
        "rnn_size": "hidden_size",
        "num_layers": "num_layers",
        "seq_length": "seq_length",
        "batch_size": "batch_size",
        "learning_rate": "lr",
        "primetext": "prompt",
        "max_epochs": "epochs",
    }
    assert {name: aliases[name] for name in expected} == expected
    assert info_of(ModelOptions, "hidden_size").flags == ("--hidden-size", "--hidden_size", "--rnn_size")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("dropout", 1.0, "a float in [0, 1)"),
        ("dropout", -1e-9, "a float in [0, 1)"),
        ("dropout", float("nan"), "a float in [0, 1)"),
        ("dropout", "0.5", "a float in [0, 1)"),
        ("dropout", True, "a float in [0, 1)"),
        ("lr", 0.0, "a float in (0, inf), one of 'find' or None"),
        ("lr", float("inf"), "a float in (0, inf), one of 'find' or None"),
        ("batch_size", 0, "an int in [1, inf)"),
        ("batch_size", 2.0, "an int in [1, inf)"),
        ("hidden_size", [16, 0], "an int in [1, 65536] or a list of these"),
        ("hidden_size", [], "an int in [1, 65536] or a list of these"),
        ("layer_norm", 1, "a bool"),
        ("num_layers", 0, "an int in [1, 1000] or None"),
        ("final_lr_fraction", 1.01, "a float in [0, 1]"),
        ("activation", 3, "a str or None"),
        ("cell", 3, "a str, a Cell or a list of these"),
    ],
)
def test_wrong_values(name, value, expected):
    message = complaint(LanguageModel(), **{name: value})
    assert message == f"The {name!r} option of LanguageModel must be {expected}. Got {value!r}."


def test_wrong_choice_lists_the_choices_and_the_nearest():
    assert complaint(TrainingOptions(), optimizer="adma") == (
        "The 'optimizer' option of TrainingOptions must be one of 'adam', 'adamw', 'sgd', 'rmsprop', "
        "'adagrad'. Got 'adma'. Did you mean 'adam'?"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dropout", 0),
        ("dropout", np.float32(0.5)),
        ("hidden_size", np.int64(5)),
        ("hidden_size", (3, 4)),
        ("lr", 1e-300),
        ("final_lr_fraction", 1),
        ("activation", None),
    ],
)
def test_values_at_the_edge_are_fine(name, value):
    made = LanguageModel()
    setattr(made, name, value)
    made.validate()


def test_ends_of_an_interval_open_and_closed():
    words = {}
    for closed in ("both", "left", "right", "neither"):
        option = Option(help="", group="", minimum=-1, maximum=2, closed=closed)
        words[closed] = (
            option.interval,
            option.allows(-1),
            option.allows(2),
            option.allows(0),
            option.allows(3),
        )
    assert words == {
        "both": ("[-1, 2]", True, True, True, False),
        "left": ("[-1, 2)", True, False, True, False),
        "right": ("(-1, 2]", False, True, True, False),
        "neither": ("(-1, 2)", False, False, True, False),
    }
    assert Option(help="", group="").interval == ""
    assert Option(help="", group="", maximum=0).interval == "(-inf, 0]"


@pytest.mark.parametrize(
    ("options", "home"),
    [
        ({"momentum": 0.9}, "optimizer='sgd' or optimizer='rmsprop'"),
        ({"momentum": 0.9, "optimizer": "adagrad"}, "optimizer='sgd' or optimizer='rmsprop'"),
        ({"nesterov": True}, "optimizer='sgd'"),
        ({"nesterov": True, "momentum": 0.9, "optimizer": "rmsprop"}, "optimizer='sgd'"),
        ({"beta1": 0.5, "optimizer": "sgd"}, "optimizer='adam' or optimizer='adamw'"),
        ({"beta2": 0.5, "optimizer": "rmsprop"}, "optimizer='adam' or optimizer='adamw'"),
        ({"alpha": 0.5}, "optimizer='rmsprop'"),
        ({"epsilon": 0.5, "optimizer": "sgd"}, "optimizer='rmsprop' or optimizer='adagrad'"),
        ({"lr_decay": 0.7}, "schedule='step' or schedule='exponential' or schedule='plateau'"),
        ({"lr_decay_every": 7, "schedule": "plateau"}, "schedule='step' or schedule='exponential'"),
        ({"lr_patience": 7}, "schedule='plateau'"),
        ({"lr_threshold": 0.7, "schedule": "step"}, "schedule='plateau'"),
        ({"one_cycle_rise": 0.7}, "schedule='one-cycle'"),
        ({"one_cycle_start": 0.7, "schedule": "linear"}, "schedule='one-cycle'"),
        ({"averaging_decay": 0.7}, "averaging='ema'"),
        ({"averaging_start": 0.7, "averaging": "nt-asgd"}, "averaging='asgd'"),
        ({"averaging_patience": 7, "averaging": "asgd"}, "averaging='nt-asgd'"),
    ],
)
def test_options_that_belong_to_another_choice(options, home):
    message = complaint(TrainingOptions(), **options)
    name = next(iter(options))
    assert message.startswith(f"The {name!r} option of TrainingOptions belongs to ")
    assert f"{home}. Got {name}={options[name]} with " in message
    assert f"Leave {name} out, or choose " in message


def test_options_in_their_places_are_fine():
    for options in (
        {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        {"optimizer": "rmsprop", "momentum": 0.9, "alpha": 0.5, "epsilon": 1e-4},
        {"optimizer": "adamw", "beta1": 0.0, "beta2": 0.5, "weight_decay": 0.1},
        {"schedule": "plateau", "lr_patience": 0, "lr_threshold": 0.0, "lr_decay": 0.9},
        {"averaging": "nt-asgd", "averaging_patience": 1},
        {"accumulate": 3, "averaging": "ema", "averaging_decay": 0.0},
    ):
        TrainingOptions(**options).validate()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("momentum", 1.0, "a float in [0, 1)"),
        ("nesterov", 1, "a bool"),
        ("beta1", 1.0, "a float in [0, 1)"),
        ("beta2", -0.1, "a float in [0, 1)"),
        ("alpha", 1.0, "a float in [0, 1)"),
        ("epsilon", 0.0, "a float in (0, inf) or None"),
        ("weight_decay", -1e-9, "a float in [0, inf) or None"),
        ("warmup", -1, "an int in [0, inf)"),
        ("lr_decay", 1.0, "a float in (0, 1)"),
        ("lr_decay_every", 0, "an int in [1, inf) or None"),
        ("lr_patience", -1, "an int in [0, inf)"),
        ("lr_threshold", 1.0, "a float in [0, 1)"),
        ("one_cycle_rise", 1.0, "a float in (0, 1)"),
        ("one_cycle_start", 0.0, "a float in (0, 1]"),
        ("grad_clip", -1.0, "a float in [0, inf)"),
        ("grad_clip_value", float("nan"), "a float in [0, inf)"),
        ("accumulate", 0, "an int in [1, inf)"),
        ("averaging_decay", 1.0, "a float in [0, 1)"),
        ("averaging_start", 1.0, "a float in [0, 1)"),
        ("averaging_patience", 0, "an int in [1, 10000]"),
    ],
)
def test_optimiser_options_out_of_range(name, value, expected):
    message = complaint(TrainingOptions(), **{name: value})
    assert message == f"The {name!r} option of TrainingOptions must be {expected}. Got {value!r}."


def test_nesterov_needs_momentum():
    assert "'nesterov' option of TrainingOptions needs momentum" in complaint(
        TrainingOptions(), optimizer="sgd", nesterov=True
    )


@pytest.mark.parametrize(("name", "value"), [("schedule", "plateau"), ("averaging", "nt-asgd")])
def test_what_waits_for_evaluations_needs_a_validation_part(name, value):
    message = complaint(TrainingOptions(), **{name: value, "valid_fraction": 0.0})
    assert f"The {name!r} option of TrainingOptions needs a validation part" in message


def test_something_is_left_to_train_on():
    assert "sum must be below 1. Got 0.5 + 0.5" in complaint(
        TrainingOptions(), valid_fraction=0.5, test_fraction=0.5
    )


def test_one_budget_at_most():
    assert "Got minutes=2.0 and steps=10" in complaint(Budget(), minutes=2.0, steps=10)
    Budget(epochs=0.5).validate()


def test_rate_is_that_of_the_optimiser_unless_given():
    assert [TrainingOptions(optimizer=name).full_lr for name in ("adam", "sgd", "adagrad")] == [
        0.004,
        0.5,
        0.05,
    ]
    assert TrainingOptions(optimizer="sgd", lr=0.125).full_lr == 0.125


def test_layers_follow_from_lists_or_their_number():
    def layers(**options):
        made = ModelOptions(**options)
        made.validate()
        return list(zip(made.layer_cells, made.layer_sizes, strict=True))

    assert layers(cell="lstm", hidden_size=8) == [("lstm", 8)]
    assert layers(cell="rnn, lstm", hidden_size=[8, 5]) == [("rnn", 8), ("lstm", 5)]
    assert layers(cell=["rnn", "lstm"], hidden_size=8) == [("rnn", 8), ("lstm", 8)]
    assert layers(cell="gru", hidden_size=[8, 5, 3], num_layers=3) == [("gru", 8), ("gru", 5), ("gru", 3)]
    assert layers(cell="gru", hidden_size=7, num_layers=2) == [("gru", 7), ("gru", 7)]


def test_cell_of_ones_own_is_a_cell():
    cell = Cell.parse("h' = tanh(W @ x + U @ h + b)", name="mine")
    made = ModelOptions(cell=[cell, "lstm"], hidden_size=8)
    made.validate()
    assert made.layer_cells == [cell, "lstm"]
    assert made.to_toml_dict()["cell"] == ["mine", "lstm"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"cell": "rnn,lstm", "num_layers": 3},
            "'cell' option of ModelOptions lists 2 layers where there are 3",
        ),
        (
            {"hidden_size": [3, 4], "num_layers": 1},
            "'hidden_size' option of ModelOptions lists 2 layers where there are 1",
        ),
        (
            {"cell": "rnn,lstm,gru", "hidden_size": [3, 4]},
            "'hidden_size' option of ModelOptions lists 2 layers where there are 3",
        ),
    ],
)
def test_contradicting_numbers_of_layers(options, words):
    assert words in complaint(ModelOptions(**options))


def test_toml_there_and_back():
    made = LanguageModel(
        cell=["rnn", "lstm"], hidden_size=[8, 5], lr=0.25, layer_norm=True, optimizer="sgd", momentum=0.5
    )
    values = made.to_toml_dict()
    assert "activation" not in values
    assert list(values)[:3] == [info.name for info in options_of(LanguageModel)][:3]
    assert LanguageModel.from_toml_dict(values) == made
    assert LanguageModel.from_toml_dict({}) == LanguageModel()


def test_toml_survives_the_file():
    tomli_w = pytest.importorskip("tomli_w")
    import tomllib

    made = LanguageModel()
    made.hidden_size, made.dropout, made.lr = np.int64(12), np.float32(0.25), np.float64(0.1)
    again = LanguageModel.from_toml_dict(tomllib.loads(tomli_w.dumps(made.to_toml_dict())))
    assert (again.hidden_size, again.dropout, again.lr) == (12, 0.25, 0.1)
    assert type(again.hidden_size) is int


def test_whole_numbers_in_toml_are_floats_where_floats_are_meant():
    made = LanguageModel.from_toml_dict({"dropout": 0, "lr": 1, "hidden_size": [4, 5]})
    assert type(made.dropout) is float
    assert type(made.lr) is float
    assert made.hidden_size == [4, 5]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"hiden_size": 3}, "LanguageModel has no option 'hiden_size'. Did you mean 'hidden_size'?"),
        ({"rnn_sizes": 3}, "LanguageModel has no option 'rnn_sizes'. Did you mean 'hidden_size'?"),
        ({"learning_rate": 3}, "Did you mean 'lr'?"),
        (
            {"batch_size": "32"},
            "The 'batch_size' option of LanguageModel must be an int in [1, inf). Got '32'.",
        ),
        ({"optimizer": "adam", "momentum": 0.5}, "belongs to optimizer='sgd'"),
    ],
)
def test_wrong_toml(values, words):
    with pytest.raises(OptionError) as caught:
        LanguageModel.from_toml_dict(values)
    assert words in str(caught.value)


def test_unknown_name_near_nothing_lists_all():
    assert unknown_option(Budget, "xyz") == "Budget has no option 'xyz'. It has epochs, minutes, steps."


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("hidden_size", "256", 256),
        ("hidden_size", "256, 128", [256, 128]),
        ("cell", "lstm", "lstm"),
        ("cell", "rnn,lstm", ["rnn", "lstm"]),
        ("dropout", "0", 0.0),
        ("layer_norm", "Yes", True),
        ("layer_norm", "off", False),
        ("lr", "none", None),
        ("lr", "3e-3", 0.003),
        ("lr", "find", "find"),
        ("activation", "relu", "relu"),
        ("activation", "none", None),
        ("dtype", "float64", "float64"),
    ],
)
def test_reading_from_the_command_line(name, text, value):
    got = info_of(LanguageModel, name).parse(text)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hidden_size", "8,x"),
        ("hidden_size", "0"),
        ("dropout", "1"),
        ("layer_norm", "2"),
        ("dtype", "float16"),
    ],
)
def test_text_that_means_nothing(name, text):
    with pytest.raises(OptionError, match=f"The '{name}' option of the command line must be .* Got '{text}'"):
        info_of(LanguageModel, name).parse(text)


def test_fields_without_an_option_are_left_out():
    @dataclass(kw_only=True)
    class Small(Options):
        width: Annotated[int, Option(help="How wide.", group="Form", minimum=2, reason="Two eyes.")] = 3
        note: str = "free"

    (info,) = options_of(Small)
    assert (info.name, info.type, info.default, info.option.reason) == ("width", int, 3, "Two eyes.")
    assert Small(note="x").to_toml_dict() == {"width": 3}
    assert complaint(Small(), width=1) == "The 'width' option of Small must be an int in [2, inf). Got 1."


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"min_delta": 0.1}, "'min_delta' option of LanguageModel does nothing without 'patience'"),
        ({"sample_every": 5, "sample_length": 0}, "'sample_every' option of LanguageModel does nothing"),
        ({"locked_dropout": True, "dropout": 0.0}, "'locked_dropout' option of LanguageModel does nothing"),
        ({"final_lr_fraction": 0.1, "schedule": "constant"}, "belongs to schedule='cosine' or"),
    ],
)
def test_what_would_do_nothing_is_refused(options, words):
    assert words in complaint(LanguageModel(**options))


def test_what_does_something_is_not():
    LanguageModel(min_delta=0.1, patience=3, sample_every=5, final_lr_fraction=0.1).validate()
    LanguageModel(locked_dropout=True, dropout=0.0, input_dropout=0.1).validate()
    LanguageModel(sample_length=0, schedule="constant").validate()
