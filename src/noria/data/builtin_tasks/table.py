"""The table of built-in data sets: one line each, in the order in which they are listed."""

from noria.data.builtin_tasks import recipes
from noria.data.builtin_tasks.entry import Entry, Number

TABLE: tuple[Entry, ...] = (
    # texts, as separate sequences
    Entry(
        "anbn",
        "text",
        "counting",
        "anbn",
        "a^n b^n: as many b as a, then the end; tested far beyond the n that was trained on",
        number=Number("n", 50, 3, "the largest n of the training part"),
        recipes=(recipes.COUNTING,),
    ),
    Entry(
        "anbn-small",
        "text",
        "counting",
        "anbn_small",
        "a^n b^n in 100 sequences with n up to 11",
        recipes=(recipes.COUNTING_LITTLE,),
    ),
    Entry(
        "anbncn",
        "text",
        "counting",
        "anbncn",
        "a^n b^n c^n, which no context-free grammar writes",
        number=Number("n", 40, 3, "the largest n of the training part"),
        recipes=(recipes.COUNTING,),
    ),
    Entry(
        "dyck",
        "text",
        "dyck",
        "dyck",
        "well-nested brackets of two kinds, up to a depth",
        number=Number("depth", 3, 1, "how deep brackets are nested"),
    ),
    Entry("names", "text", "names", "names", "invented names, one a sequence"),
    # one label for each sequence
    Entry(
        "parity",
        "classify",
        "parity",
        "parity",
        "is the sum of the digits even or odd? tested at length 100",
        recipes=(recipes.PARITY,),
    ),
    Entry(
        "recall",
        "classify",
        "recall",
        "recall",
        "which symbol came first, before a gap of noise?",
        number=Number("gap", 20, 1, "symbols of noise behind the first one"),
        recipes=(recipes.RECALL,),
    ),
    Entry(
        "temporal-order",
        "classify",
        "temporal_order",
        "temporal_order",
        "in which order did two signals come, far apart in noise?",
        number=Number("length", 100, 20, "symbols in a sequence, about"),
    ),
    Entry(
        "number-sum", "classify", "number_sum", "number_sum", "is the sum of a series of numbers positive?"
    ),
    Entry(
        "sentiment", "classify", "sentiment", "sentiment", "positive or negative words, turned round by 'not'"
    ),
    Entry("digits", "classify", "digits", "digits", "handwritten digits, read row by row (scikit-learn)"),
    # one number for each sequence
    Entry(
        "adding",
        "regress",
        "adding",
        "adding",
        "the sum of the two numbers that are marked in a long series",
        number=Number("length", 100, 2, "steps in a sequence"),
        recipes=(recipes.ADDING,),
    ),
    # one tag for each token
    Entry(
        "copy",
        "tag",
        "copying",
        "copying",
        "ten symbols to be written again after a gap",
        number=Number("gap", 20, 1, "blanks between reading and writing"),
    ),
    Entry(
        "code-tokens",
        "tag",
        "code_tokens",
        "code_tokens",
        "Python source: the type of token of each character",
    ),
    # series
    Entry("airline", "forecast", "airline", "airline", "monthly airline passengers, 1949 to 1960"),
    Entry("sines", "forecast", "sines", "sines", "a noisy sum of sines"),
    Entry(
        "mackey-glass",
        "forecast",
        "mackey_glass",
        "mackey_glass",
        "the chaotic series of a delay equation",
        number=Number("delay", 17, 1, "the delay of the equation"),
    ),
    # one sequence into another
    Entry(
        "numbers-es-en", "translate", "numbers_es_en", "numbers_es_en", "numbers in words, Spanish to English"
    ),
    Entry("dates", "translate", "dates", "dates", "dates in many languages to ISO 8601"),
    Entry("reverse", "translate", "transductions", "reverse", "symbols in reverse"),
    Entry("sort", "translate", "transductions", "sort", "symbols in order"),
    Entry(
        "pick",
        "translate",
        "transductions",
        "pick",
        "the five most important of twenty symbols, in their order",
    ),
    Entry("names", "translate", "names", "labelled_names", "from a language to a name that sounds like it"),
)
