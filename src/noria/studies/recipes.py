"""Studies by name: what is compared, and why it is worth comparing. Each is a grid like any other."""

from noria.errors import OptionError
from noria.studies.made_vectors import OF_TRAINING, RANDOM
from noria.studies.recipe import Asked, Row, StudyRecipe
from noria.training.option import did_you_mean

TEXTS = ("text", "classify")
SPAN = 256
"""Steps that an update of the recipe ``bptt`` sees, wherever the gradient is cut."""

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
        grid={"schedule": ["constant", "linear", "cosine", "step", "exponential", "one-cycle"]},
    ),
    "batch-sizes": StudyRecipe(
        "Small batches make many noisy updates, large ones few good ones; at equal time both cost.",
        grid={"batch_size": [16, 32, 64, 128]},
    ),
    "windows": StudyRecipe(
        "How much is seen at once. Of a text: where back-propagation through time is cut, while the state is "
        "carried on; of a series: how far a forecast looks back.",
        rows=(
            *(Row(f"seq_length={n}", {"seq_length": n}, ("text",)) for n in (8, 16, 32, 64, 128, 256)),
            *(Row(f"lookback={n}", {"lookback": n}, ("forecast",)) for n in (4, 13, 25, 37)),
        ),
        tasks=("text", "forecast"),
    ),
    "bptt": StudyRecipe(
        f"Truncated against full back-propagation through time. Every update sees the same {SPAN} steps of "
        "each reading; what differs is where in them the gradient is cut. Full means that it is cut nowhere "
        "in them: back to the beginning of a long text no memory reaches. (Separate sequences are read "
        "whole in any case, with the full gradient.)",
        rows=tuple(
            Row(
                f"cut every {n} steps" if n < SPAN else f"full, {n} steps",
                {"seq_length": n, "accumulate": SPAN // n},
            )
            for n in (4, 16, 64, SPAN)
        ),
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
    "initial-scale": StudyRecipe(
        "How large the recurrent layers' matrices start: too small and the first gradients die out, too "
        "large and they explode or the squashing functions saturate.",
        grid={"initial_scale": [0.01, 0.1, 0.5, 1.0, 2.0]},
    ),
    "regularisers": StudyRecipe(
        "What keeps a network from learning its training part by heart, one at a time.",
        rows=(
            Row("none"),
            Row("dropout", {"dropout": 0.3}),
            Row("locked dropout", {"dropout": 0.3, "locked_dropout": True}),
            Row("recurrent dropout", {"recurrent_dropout": 0.1}),
            Row("zoneout", {"zoneout": 0.1}),
            Row("drop connect", {"drop_connect": 0.3}),
            Row("weight decay", {"weight_decay": 0.1}),
            Row("layer norm", {"layer_norm": True}),
            Row("batch norm", {"batch_norm": True}),
        ),
        options={
            "dropout": 0.0,
            "input_dropout": 0.0,
            "recurrent_dropout": 0.0,
            "weight_decay": 0.0,
            "optimizer": "adamw",
        },
    ),
    "early-stopping": StudyRecipe(
        "Stopping when the validation loss no longer falls, against training to the end of the plan.",
        rows=(Row("to the end", {"patience": 0}), Row("patience 3", {"patience": 3})),
        options={"valid_fraction": 0.1},  # some built-in data are learnt without a validation part
    ),
    "activations": StudyRecipe(
        "What takes the place of tanh in the cell.",
        rows=(Row("tanh"), Row("relu", {"activation": "relu"}), Row("softplus", {"activation": "softplus"})),
    ),
    "levels": StudyRecipe(
        "What a symbol is: characters need longer memory, words a larger vocabulary, subwords lie between.",
        rows=(
            Row("characters", {"level": "characters"}),
            Row("words", {"level": "words"}),
            Row("subwords", {"level": "subwords"}, library="tokenizers:text"),
        ),
        tasks=(*TEXTS, "translate"),
        data={"classify": "sentiment"},
    ),
    "class-balance": StudyRecipe(
        "Whether rare classes should weigh as much as frequent ones: compared by the F1 that counts every "
        "class the same, since accuracy hardly sees a rare one.",
        rows=(
            Row("as they come"),
            Row("weighted", {"class_weights": "balanced"}),
            Row("drawn more often", {"resampling": "over"}),
            Row("others drawn less often", {"resampling": "under"}),
        ),
        tasks=("classify",),
        data={"classify": "sentiment-rare"},
        metric="macro_f1",
    ),
    "augmentation": StudyRecipe(
        "Learning from changed copies of the training part: slips of the pen, and synonyms where a thesaurus "
        "is named. Validation and test stay as they are, so that clean texts may well be read worse.",
        rows=(
            Row("none"),
            Row("2 % of characters", {"character_noise": 0.02}),
            Row("10 % of characters", {"character_noise": 0.1}),
            Row("20 % of words", {"synonym_rate": 0.2, "thesaurus": Asked()}),
        ),
        tasks=TEXTS,
        data={"classify": "sentiment"},
    ),
    "features": StudyRecipe(
        "What is told beside the symbols or values: shape, place in line and word; capitals and spelling; "
        "calendar and season; columns of numbers.",
        rows=(
            Row("symbols alone", {"features": "none"}, ("text",)),
            Row("with their shape", {"features": ["shape"]}, ("text",)),
            Row("with the place in the line", {"features": ["line"]}, ("text",)),
            Row("with the place in the word", {"features": ["word"]}, ("text",)),
            Row("with all three", {"features": ["shape", "line", "word"]}, ("text",)),
            Row("words alone", {"word_shape": False, "spelling_size": 0}, ("tag",)),
            Row("with their shape", {"word_shape": True, "spelling_size": 0}, ("tag",)),
            Row("with their spelling", {"word_shape": False, "spelling_size": 32}, ("tag",)),
            Row("with both", {"word_shape": True, "spelling_size": 32}, ("tag",)),
            Row("values alone", {"calendar": "off", "season_lag": False}, ("forecast",)),
            Row("with the calendar", {"calendar": "on", "season_lag": False}, ("forecast",)),
            Row("with the season before", {"calendar": "off", "season_lag": True}, ("forecast",)),
            Row("texts alone", {"extra_columns": None}, ("classify",)),
            Row("with the columns", {"extra_columns": Asked()}, ("classify",)),
        ),
        tasks=("text", "tag", "forecast", "classify"),
        files=("tag", "classify"),
    ),
    "vectors": StudyRecipe(
        "What the vectors of words begin with, and whether they go on learning. Pretrained are those of a "
        "file (--set vectors=FILE) or, without one, made of the training part of each run before it begins: "
        "how often words stand near each other (PPMI), in as many dimensions as the vectors have (truncated "
        "SVD). So nothing is fetched, and nothing of validation or test is seen. Those that are made are as "
        "large as those that are drawn: what differs is what they know. Those of a file stay as they are, so "
        "that their size differs too.",
        rows=(
            Row("random, tuned"),
            Row("random, frozen", {"vectors": RANDOM, "freeze_embedding": True}),
            Row("pretrained, tuned", {"vectors": Asked(OF_TRAINING)}),
            Row("pretrained, frozen", {"vectors": Asked(OF_TRAINING), "freeze_embedding": True}),
        ),
        options={"level": "words"},
        tasks=TEXTS,
        data={"classify": "sentiment"},
    ),
    "directions": StudyRecipe(
        "Reading from both ends, against one end: as long as the sequence is whole before it is judged.",
        grid={"bidirectional": [False, True]},
        tasks=("classify", "regress", "tag", "translate"),
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
    "ragged": StudyRecipe(
        "Training on sequences of different lengths three ways: packed, filled up to the longest of the "
        "training part, one by one. The updates are the same, so that with as many (--steps) so are the "
        "losses, to rounding, and what differs is the time; with the same --minutes it is how far one gets. "
        "(Without dropout, whose draws would differ.)",
        grid={"batching": ["packed", "padded", "one-by-one"]},
        options={
            "bidirectional": False,  # read from the other end, filler would come first
            "dropout": 0.0,
            "input_dropout": 0.0,
            "recurrent_dropout": 0.0,
        },
        tasks=("classify", "regress"),
        data={"classify": "sentiment"},
        files=("regress",),
    ),
    "convolution": StudyRecipe(
        "Recurrent layers against convolutions, which see a fixed window.",
        rows=(Row("recurrent"), Row("convolution", {"network": "convolution", "cell": "gru"})),
        tasks=("classify", "regress"),
    ),
    "min-char-rnn": StudyRecipe(
        "RNN, GRU and LSTM in the setting of min-char-rnn: one stream in windows of 200, AdaGrad, small "
        "initial weights. It sums the loss of a window and cuts each value of the gradient at 5; here the "
        "loss is a mean, and the cut is at 5 / 200. Its rate of 0.1 drives a GRU of 256 units into "
        "saturation, so that it is 0.03 here.",
        cells=("rnn", "gru", "lstm"),
        options={
            "hidden_size": 256,
            "seq_length": 200,
            "batch_size": 1,
            "optimizer": "adagrad",
            "lr": 0.03,
            "schedule": "constant",
            "dropout": 0.0,
            "recurrent_dropout": 0.0,
            "grad_clip": 0.0,
            "grad_clip_value": 5.0 / 200,
            "embedding_size": 0,
            "initialiser": "normal",
            "initial_scale": 0.16,  # deviation 1 / 16 of the recurrent matrices becomes 0.01
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
