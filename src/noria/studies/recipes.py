"""Studies by name: what is compared, and why it is worth comparing. Each is a grid like any other.

A recipe has tasks (where it does not mean something for all), cells, a grid whose values are combined with
each other, or rows of options that stand together, and options that all of them share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from noria.errors import OptionError
from noria.training.option import did_you_mean

Row = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class StudyRecipe:
    """A study by name.

    Attributes
    ----------
    reason : str
        Why one would compare this.
    grid : mapping
        Values by option, all combinations of them.
    rows : tuple of (name, options)
        Settings in which several options change together.
    cells : tuple of str
    options : mapping
        Shared by all; what the user sets goes before them.
    tasks : tuple of str
        Those that it means something for; empty: every one. The first is taken where none is named.
    equal_parameters : bool
    """

    reason: str
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    cells: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()
    equal_parameters: bool = False


RECIPES: dict[str, StudyRecipe] = {
    "cells": StudyRecipe(
        "Which cell, when all have as many parameters and the same budget.",
        cells=("rnn", "gru", "lstm"),
        equal_parameters=True,
    ),
    "optimisers": StudyRecipe(
        "The rule of the update: each with the rate that is its own default.",
        grid={"optimizer": ["adamw", "adam", "rmsprop", "adagrad", "sgd"]},
    ),
    "rates": StudyRecipe(
        "The learning rate matters more than the rule: half an order of magnitude apart.",
        grid={"lr": [3e-4, 1e-3, 3e-3, 1e-2]},
    ),
    "schedules": StudyRecipe(
        "How the rate goes on: most of the gain comes while it falls.",
        grid={"schedule": ["constant", "linear", "cosine", "exponential", "one-cycle"]},
    ),
    "batch-sizes": StudyRecipe(
        "Small batches make many noisy updates, large ones few good ones; at equal time both cost.",
        grid={"batch_size": [16, 32, 64, 128]},
    ),
    "windows": StudyRecipe(
        "How far back-propagation through time is cut: the state crosses windows, the gradient does not.",
        grid={"seq_length": [8, 16, 32, 64, 128, 256]},
        tasks=("text",),
    ),
    "clipping": StudyRecipe(
        "Clipping acts on the rare exploding step (Pascanu et al. 2013); 0 is none at all.",
        grid={"grad_clip": [0.0, 0.25, 1.0, 5.0]},
    ),
    "sizes": StudyRecipe(
        "Width: more capacity, fewer updates in the same time.",
        grid={"hidden_size": [32, 64, 128, 256]},
    ),
    "depth": StudyRecipe(
        "Layers above each other, of the same width.",
        grid={"num_layers": [1, 2, 3, 4]},
    ),
    "initialisers": StudyRecipe(
        "What the matrices start as: the recurrent ones decide how far the first gradients reach.",
        grid={"initialiser": ["cell", "orthogonal", "xavier", "he", "normal"]},
    ),
    "regularisers": StudyRecipe(
        "What keeps a network from learning its training part by heart, one at a time.",
        rows=(
            ("none", {}),
            ("dropout", {"dropout": 0.3}),
            ("locked dropout", {"dropout": 0.3, "locked_dropout": True}),
            ("recurrent dropout", {"recurrent_dropout": 0.1}),
            ("zoneout", {"zoneout": 0.1}),
            ("drop connect", {"drop_connect": 0.3}),
            ("weight decay", {"weight_decay": 0.1}),
            ("layer norm", {"layer_norm": True}),
            ("batch norm", {"batch_norm": True}),
        ),
        options={"dropout": 0.0, "recurrent_dropout": 0.0, "weight_decay": 0.0},
    ),
    "early-stopping": StudyRecipe(
        "Stopping when the validation loss no longer falls, against training to the end of the plan.",
        rows=(("to the end", {"patience": 0}), ("patience 3", {"patience": 3})),
    ),
    "activations": StudyRecipe(
        "What takes the place of tanh in the cell.",
        rows=(("tanh", {}), ("relu", {"activation": "relu"}), ("softplus", {"activation": "softplus"})),
    ),
    "levels": StudyRecipe(
        "What a symbol is: characters need longer memory, words a larger vocabulary.",
        grid={"level": ["characters", "words"]},
        tasks=("text", "classify"),
    ),
    "class-balance": StudyRecipe(
        "Whether rare classes should weigh as much as frequent ones.",
        rows=(
            ("as they come", {}),
            ("weighted", {"class_weights": "balanced"}),
            ("drawn more often", {"resampling": "over"}),
        ),
        tasks=("classify",),
    ),
    "directions": StudyRecipe(
        "Reading from both ends, against one end: as long as the sequence is whole before it is judged.",
        grid={"bidirectional": [False, True]},
        tasks=("classify", "tag"),
    ),
    "pooling": StudyRecipe(
        "How the steps become one: the true last state of each direction, the mean, the highest, attention.",
        grid={"pooling": ["last", "mean", "max", "attention"]},
        tasks=("classify", "regress"),
    ),
    "attention": StudyRecipe(
        "Looking back at earlier steps, or trusting the state.",
        grid={"attention": ["none", "general", "additive"]},
        tasks=("text", "translate"),
    ),
    "convolution": StudyRecipe(
        "Recurrent layers against convolutions, which see a fixed window.",
        rows=(("recurrent", {}), ("convolution", {"network": "convolution"})),
        tasks=("classify", "regress"),
    ),
    "min-char-rnn": StudyRecipe(
        "RNN, GRU and LSTM in the setting of min-char-rnn: windows of 200, one stream, AdaGrad, gradients "
        "cut at 5 value by value.",
        cells=("rnn", "gru", "lstm"),
        options={
            "hidden_size": 256,
            "seq_length": 200,
            "batch_size": 1,
            "optimizer": "adagrad",
            "lr": 0.1,
            "schedule": "constant",
            "dropout": 0.0,
            "recurrent_dropout": 0.0,
            "grad_clip": 0.0,
            "grad_clip_value": 5.0,
            "embedding_size": 0,
        },
        tasks=("text",),
    ),
}


def recipe_named(name: str) -> StudyRecipe:
    """Give a recipe by its name.

    Raises
    ------
    OptionError
        If there is none of that name: names the nearest, and lists them all.
    """
    if name not in RECIPES:
        near = did_you_mean(name, list(RECIPES))
        raise OptionError(f"There is no recipe {name!r}.{near} There are: {', '.join(RECIPES)}.")
    return RECIPES[name]
