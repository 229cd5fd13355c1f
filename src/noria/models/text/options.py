"""All options of a language model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from noria.errors import OptionError
from noria.training.augmentation_options import AugmentationOptions
from noria.training.optimiser_options import ADAPTIVE, DEFAULT_LR, lr_help
from noria.training.option import Option, Value
from noria.training.optioned import Default, Options, defaults
from noria.training.symbol_options import EMBEDDING, ScoringOptions, TyingOptions
from noria.training.token_options import (
    AUTO,
    CHARACTERS,
    IN_LINE,
    IN_WORD,
    NO_FEATURES,
    SUBWORDS,
    TEXT_FEATURES,
    WORDS,
    TokenOptions,
)
from noria.training.training_options import TrainingOptions
from noria.training.vector_options import VectorOptions

START, STEPS, BOTH = "start", "steps", "both"


@dataclass(kw_only=True)
@defaults(
    cell=Default(
        value="lstm_mogrified",
        reason="An LSTM whose state the input scales before the gates read it: for some 4 % more "
        "time 0.02 to 0.03 nats below the LSTM (benchmarks/defaults.md).",
    ),
    recurrent_dropout=Default(
        value=None,
        help="Probability of dropping a value inside the cell, the same values at every step; none: 0.1 "
        "in a run of 14 passes over the text and more, 0.2 in one of 28, 0.3 in one of 40, otherwise 0.",
        undecided=(None,),
        by_passes=((0.0, 0.0), (14.0, 0.1), (28.0, 0.2), (40.0, 0.3)),
        reason="At 17 to 19 passes 0.1 lowered the validation loss of four texts by 0.02 to 0.04 nats, "
        "at 39 passes 0.2 that of two by 0.08 and 0.14, at 102 passes 0.3 with more dropout that of three by "
        "0.03 to 0.05; at 10 and 11 passes 0.1 raised it by 0.02 and 0.04 (benchmarks/defaults.md).",
    ),
    tie_weights=Default(
        value=False,
        reason="It needs an embedding as wide as the state, and raised the loss of characters "
        "(benchmarks/regularisers.md).",
    ),
)
class TextModelOptions(TyingOptions, ScoringOptions):
    """What the network is."""

    features: Annotated[
        str | list[str],
        Option(
            help="What is told of each symbol besides which one it is: its shape (case, digit, punctuation), "
            "its place in the line (or sequence), its place in the word, or several of these ('shape,line'); "
            "auto: of characters with an embedding the place in the line, otherwise none.",
            group="Model",
            choices=(AUTO, NO_FEATURES, *TEXT_FEATURES),
            reason="What is read of a text is its symbols.",
        ),
    ] = NO_FEATURES
    attention: Annotated[
        str,
        Option(
            help="Attend to the last steps before each one, behind the recurrent layers, with this score.",
            group="Model",
            choices=("none", "dot", "general", "additive"),
            reason="It costs as much as another layer, and the state already carries what came before.",
        ),
    ] = "none"
    attention_span: Annotated[
        int,
        Option(
            help="How many steps back attention looks.",
            group="Model",
            only_with=("attention", ("dot", "general", "additive")),
            minimum=1,
            maximum=65_536,
            reason="Most of the weight lies on a few steps (Daniluk et al. 2017); each costs time.",
        ),
    ] = 32
    conditions_at: Annotated[
        str,
        Option(
            help="Where the network is told what is known of a whole sequence: in the state in which it "
            "begins, beside every symbol, or both.",
            group="Model",
            choices=(START, STEPS, BOTH),
            reason="It costs nothing at a step, and of short sequences the state keeps it.",
        ),
    ] = START

    @property
    def text_features(self) -> list[str]:
        """The features that are told, each once."""
        listed = [self.features] if isinstance(self.features, str) else self.features
        return [name for name in TEXT_FEATURES if name in listed]

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if isinstance(self.features, list) and not set(self.features) <= set(TEXT_FEATURES):
            known = ", ".join(map(repr, TEXT_FEATURES))
            raise OptionError(
                f"The 'features' option of {owner} must be a list of {known}, or one word alone. "
                f"Got {self.features!r}."
            )


@dataclass(kw_only=True)
class TextTrainingOptions(TrainingOptions):
    """How it learns from a text, and what it shows meanwhile."""

    seq_length: Annotated[
        int,
        Option(
            help="Steps in a window of truncated back-propagation through time, in one text; states are "
            "carried over.",
            group="Training",
            minimum=1,
            reason="Longer windows cost updates; the carried state reaches further than the gradient.",
        ),
    ] = 64
    sample_every: Annotated[
        int,
        Option(
            help="Steps between two samples; 0: automatic, at every fifth evaluation and the last.",
            group="Reporting",
            minimum=0,
            reason="Half a dozen samples show how it gets on.",
        ),
    ] = 0
    sample_length: Annotated[
        int,
        Option(
            help="Symbols in a sample; 0: no samples.",
            group="Reporting",
            minimum=0,
            reason="Two or three lines show what has been learnt.",
        ),
    ] = 120

    def sample_interval(self, eval_every: int) -> int:
        """Give the steps between two samples; 0: never."""
        return (self.sample_every or super().sample_interval(eval_every)) if self.sample_length else 0

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if self.sample_every and not self.sample_length:
            raise OptionError(
                f"The 'sample_every' option of {owner} does nothing where samples have no length. Got "
                f"sample_every={self.sample_every} with sample_length=0.\n  Give a length, or leave it out."
            )


@dataclass(kw_only=True)
class TextTableOptions(Options):
    """Which columns of a table are read."""

    text_column: Annotated[
        str,
        Option(
            help="The column of a table (.csv, .tsv, .jsonl, .parquet) that holds texts, each a sequence of "
            "its own; left out, a file is one text, or lines of it.",
            group="Data",
            reason="A file is one text unless somebody says otherwise.",
        ),
    ] = ""
    condition_columns: Annotated[
        str | list[str] | None,
        Option(
            help="Columns that say something of each text, labels or numbers; conditions_at: where they are "
            "told.",
            group="Data",
            reason="Of most texts nothing is known.",
        ),
    ] = None

    @property
    def described_by(self) -> list[str]:
        """The columns that say something of each text."""
        named = self.condition_columns or []
        return [named] if isinstance(named, str) else named

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if self.described_by and not self.text_column:
            raise OptionError(
                f"The 'condition_columns' option of {owner} belongs to a table of texts.\n"
                "  Name the column that holds them, too: text_column."
            )
        if self.text_column in self.described_by:
            raise OptionError(
                f"The 'condition_columns' option of {owner} must not hold the column of texts, "
                f"{self.text_column!r}: a text would be told before it is predicted.\n"
                "  Name columns that say something of it."
            )


def by_level(
    of_characters: float, of_words: float, what: str, reason: str, *, otherwise: str = ""
) -> Default:
    """Make a default that is another one for words; `otherwise` says what else it hangs on."""
    chosen = {CHARACTERS: of_characters, WORDS: of_words, SUBWORDS: of_characters}
    return Default(
        value=None,
        help=f"{what}; none: {of_characters:g}, of words {of_words:g}{otherwise}.",
        undecided=(None,),
        by_level=tuple(chosen.items()),
        reason=reason,
    )


TIED_SIZE = 256
LOCKED_DROPOUT = 0.4
"""What is dropped of words where only the manner is given, however few passes there are."""
DECOUPLED = "adamw"
LR_OF_LEVEL = {CHARACTERS: 0.01, WORDS: 0.005, SUBWORDS: 0.005}
"""The usual learning rate of Adam and AdamW."""
WIDE, LR_OF_WIDE = 384, 0.005
"""From how many units in a layer on that of characters is another one, and which."""


@dataclass(kw_only=True)
@defaults(
    lr=Default(
        value=None,
        help=lr_help(
            {
                name: f"0.01, from {WIDE} units on and of words and subwords {LR_OF_WIDE:g}"
                if name in ADAPTIVE
                else rate
                for name, rate in DEFAULT_LR.items()
            }
        ),
        reason="Of characters, beside 256 units, 0.008 was 0.04 nats below 0.004, and 0.016 no better; "
        "beside 384 units 0.005 was 0.00 to 0.02 below 0.01, which one long run did not survive "
        "(benchmarks/defaults.md).",
    ),
    hidden_size=Default(
        value=None,
        help="Values in the hidden state, for all layers or for each ('256,128'); none: 256, "
        "of characters 384 in a run of 3 minutes and more.",
        undecided=(None,),
        by_level=((CHARACTERS, None), (WORDS, 256), (SUBWORDS, 256)),
        by_minutes=((0.0, 256), (3.0, 384)),
        reason="In the same time 384 were 0.005 to 0.03 nats behind 256 after one minute, 0.017 and 0.025 "
        "ahead after three and 0.014 to 0.040 after ten, on texts of 1 and 10 MB (benchmarks/defaults.md).",
    ),
    embedding_size=by_level(
        64,
        128,
        EMBEDDING,
        "Words mean more.",
        otherwise=", with vectors their width, with tied weights that of what is scored",
    ),
    batch_size=by_level(
        32,
        8,
        "Sequences in a batch, or streams of text that are read side by side",
        "Rows enough for products at full speed; a text has a fifth as many words as characters, and as many "
        "updates are wanted.",
    ),
    features=Default(
        value=AUTO,
        undecided=(AUTO,),
        by_level=((CHARACTERS, IN_LINE), (WORDS, NO_FEATURES), (SUBWORDS, NO_FEATURES)),
        reason="Where lines are broken at one width it tells when they end: 0.02 to 0.035 nats lower on "
        "novels and fortunes, 0.005 on source code, for 4 % of time (benchmarks/defaults.md).",
    ),
    valid_fraction=Default(
        value=None,
        help="Share of the data on which the best weights are chosen; 0: the last weights are kept; none: "
        "0.05, of one text as much as is 500,000 characters at most.",
        undecided=(None,),
        reason=(enough := "The loss on 500,000 characters is known to some 0.003 nats."),
    ),
    test_fraction=Default(
        value=None,
        help="Share of the data on which the final figure is taken, and nothing else; none: 0.05, of one "
        "text as much as is 500,000 characters at most.",
        undecided=(None,),
        reason=enough,
    ),
    dropout=Default(
        value=None,
        help="Probability of dropping a value that a recurrent layer hands on (Zaremba et al. 2014); none: "
        "0.3, in a run of 40 passes over the text and more 0.5; of words 0, in one of 4 passes 0.2, in one "
        "of 8 0.4.",
        undecided=(None,),
        by_level=((CHARACTERS, None), (WORDS, None), (SUBWORDS, None)),
        by_passes=((0.0, 0.3), (40.0, 0.5)),
        passes_of_level=((WORDS, ((0.0, 0.0), (4.0, 0.2), (8.0, 0.4))),),
        reason="A few minutes are many passes over a small text: without it the text is learnt by heart. At "
        "102 passes 0.5, with 0.3 inside the cell, lowered the validation loss of three texts by 0.03 to "
        "0.05; words in fewer than 4 passes were learnt better without, by 0.02 to 0.19 "
        "(benchmarks/defaults.md).",
    ),
    optimizer=Default(
        value="adamw",
        reason="It is Adam, which needs the least search for a learning rate, until it has a weight decay.",
    ),
    weight_decay=Default(
        value=None,
        help="Pull of the weight matrices towards zero, biases and gains left out: decoupled from the "
        "gradient with adamw, else as an L2 penalty; none: with adamw 0.2 of characters in a run of 40 "
        "passes over the text and more, otherwise 0.",
        undecided=(None,),
        by_level=((CHARACTERS, None), (WORDS, 0.0), (SUBWORDS, 0.0)),
        by_passes=((0.0, 0.0), (40.0, 0.2)),
        reason="At 50 passes it lowered the validation loss of three texts by 0.01 to 0.03 nats, beside the "
        "dropout of so long a run (benchmarks/defaults.md).",
    ),
    input_dropout=Default(
        value=None,
        help="Probability of dropping a value of what the first recurrent layer reads; none: 0, of words "
        "that have vectors 0.1 in a run of 4 passes over the text and more, 0.3 in one of 8.",
        undecided=(None,),
        by_level=((CHARACTERS, 0.0), (WORDS, None), (SUBWORDS, 0.0)),
        by_passes=((0.0, 0.0), (4.0, 0.1), (8.0, 0.3)),
        reason="Vectors of words are the larger part of a model, and most words are rare; in few passes "
        "they are not learnt by heart (benchmarks/defaults.md).",
    ),
)
class TextOptions(
    TextModelOptions, TextTrainingOptions, TokenOptions, VectorOptions, AugmentationOptions, TextTableOptions
):
    """What the network is, how it learns, and what it learns from."""

    unwritten: ClassVar[Mapping[str, Any]] = {"features": NO_FEATURES, "softmax_samples": 0}

    bidirectional: Annotated[
        bool,
        Option(
            help="Refused: a language model may not read from the end.",
            group="Model",
            hidden=True,
            reason="What is to be predicted must not be seen.",
        ),
    ] = False

    def by_level(self) -> dict[str, Value]:
        """Give what follows from the level, and contradicts nothing that is given.

        Symbols without vectors stay ids, as they are and alone; tied weights are as wide as what they score;
        an L2 penalty is asked for, and so is something to drop where its mask is the same at all steps.
        """
        chosen = super().by_level()
        if self.weight_decay is None and self.optimizer != DECOUPLED:
            chosen["weight_decay"] = 0.0
        is_open = vars(self)["dropout"] is None and not self.input_dropout
        if self.locked_dropout and self.level == WORDS and is_open:
            chosen["dropout"] = LOCKED_DROPOUT
        if self.tie_weights:
            chosen |= self._tied(chosen)
        if chosen.get("embedding_size", self.embedding_size) == 0:
            of_ids = {"features": NO_FEATURES, "input_dropout": 0.0}
            left_open = {info.name for info in self.undecided()}
            chosen |= {name: value for name, value in of_ids.items() if name in left_open}
        return chosen

    def _tied(self, chosen: Mapping[str, Value]) -> dict[str, Value]:
        """Give the sizes that are left open where one matrix reads symbols and scores them."""
        given, tied = vars(self), {}
        hidden = given["hidden_size"]
        if hidden is None:
            is_free = self.projection_size or not given["embedding_size"]
            hidden = tied["hidden_size"] = TIED_SIZE if is_free else given["embedding_size"]
        if "embedding_size" in chosen:
            last = hidden[-1] if isinstance(hidden, (list, tuple)) else hidden
            tied["embedding_size"] = self.projection_size or last
        return tied

    @property
    def usual_lr(self) -> Mapping[str, float]:
        """The learning rate of each optimiser where none is given: lower, where a layer is wide."""
        is_wide = self.level == CHARACTERS and max(self.layer_sizes) >= WIDE
        rate = LR_OF_WIDE if is_wide else LR_OF_LEVEL[self.level]
        return {**DEFAULT_LR, **dict.fromkeys(ADAPTIVE, rate)}

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if self.bidirectional:
            raise OptionError(
                f"The 'bidirectional' option of {owner} must be False. Got True: what reads from the end has "
                "seen the next symbol, which is what a language model is to predict."
            )
        if IN_WORD in self.text_features and self.level == WORDS:
            raise OptionError(
                f"The 'features' option of {owner} must not hold {IN_WORD!r} with level={WORDS!r}: a word "
                "is one symbol and has no place in itself."
            )
