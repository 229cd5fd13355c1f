"""All options of a translator."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from noria.errors import OptionError
from noria.training.option import Option
from noria.training.optioned import Default, Options, defaults
from noria.training.symbol_options import ScoringOptions, TyingOptions, need_embedding
from noria.training.token_options import TokenOptions
from noria.training.training_options import TrainingOptions

NONE, DOT = "none", "dot"
SCORES = (NONE, "dot", "general", "additive")


@dataclass(kw_only=True)
class PairOptions(Options):
    """Where the two sides of a pair stand in a table."""

    source_column: Annotated[
        str,
        Option(
            help="The column of sources; empty: guessed from the names, and said.",
            group="Data",
            reason="Most tables name it, and what was guessed is said.",
        ),
    ] = ""
    target_column: Annotated[
        str,
        Option(
            help="The column of targets; empty: guessed from the names, and said.",
            group="Data",
            reason="Most tables name it, and what was guessed is said.",
        ),
    ] = ""
    encoding: Annotated[
        str,
        Option(
            help="The encoding of files of text; empty: detected, and said.",
            group="Data",
            reason="Files seldom say it, and UTF-8 is hardly taken for anything else.",
        ),
    ] = ""


@dataclass(kw_only=True)
@defaults(
    hidden_size=Default(
        value=128,
        help="Values in the hidden state, for all layers or for each ('256,128'); of each direction.",
        reason="Encoder and decoder are two networks, each read step by step.",
    ),
    dropout=Default(
        value=0.1, reason="A rule that is learnt exactly needs little of it; small parallel texts need more."
    ),
    tie_weights=Default(
        value=False,
        help="Score the symbols of the target with the table of their vectors, one matrix in two places "
        "(Press & Wolf).",
        reason="",
    ),
)
class TranslatorModelOptions(TyingOptions, ScoringOptions):
    """What encoder and decoder are; both have the same cells and sizes."""

    bidirectional: Annotated[
        bool,
        Option(
            help="Read the source from both ends; a linear map of both last states begins the decoder.",
            group="Model",
            reason="Every word is then known with what stands before and after it (Bahdanau et al. 2015).",
        ),
    ] = True
    attention: Annotated[
        str,
        Option(
            help="How each step of the decoder looks at what was read; none: it begins with the last state.",
            group="Model",
            choices=SCORES,
            reason="One vector does not hold a long source; 'general' costs one product more than 'dot' and "
            "lets both sides have widths of their own.",
        ),
    ] = "general"
    input_feeding: Annotated[
        bool,
        Option(
            help="Let each step of the decoder read where the one before it looked (Luong et al. 2015).",
            group="Model",
            only_with=("attention", SCORES[1:]),
            reason="It takes the steps of the decoder one by one, and twice the time.",
        ),
    ] = False

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if self.attention == DOT and self.bidirectional and not self.projection_size:
            raise OptionError(
                f"The 'attention' option of {owner} must not be 'dot' with bidirectional=True: what two "
                "directions give is twice as wide as the decoder.\n"
                "  Use 'general' or 'additive', or bidirectional=False."
            )
        need_embedding(self, owner, "input_feeding")
        if self.input_feeding and self.batch_norm:
            raise OptionError(
                f"The 'batch_norm' option of {owner} needs all steps of a batch at once. Got "
                "input_feeding=True.\n  Use layer_norm, or leave input_feeding out."
            )


@dataclass(kw_only=True)
class SearchOptions(Options):
    """How a translation is found."""

    beam_size: Annotated[
        int,
        Option(
            help="Translations that are followed side by side; 1: the likeliest symbol at each step.",
            group="Translating",
            minimum=1,
            reason="Where one answer is right a beam finds no other; 4 gains a little on free text.",
        ),
    ] = 1
    length_penalty: Annotated[
        float,
        Option(
            help="Translations are compared by their log-probability over length to this power; 0: as it is.",
            group="Translating",
            minimum=0,
            reason="The mean of its symbols: without it the shortest wins (Wu et al. 2016, section 7).",
        ),
    ] = 1.0
    max_length: Annotated[
        int,
        Option(
            help="Symbols in a translation at most; 0: twice as many as in the longest of the training part.",
            group="Translating",
            minimum=0,
            reason="What is longer than that goes round in circles.",
        ),
    ] = 0


@dataclass(kw_only=True)
@defaults(
    batch_size=Default(
        value=64,
        help="Pairs in a batch.",
        reason="Sentences are short: this many of them are rows enough for products at full speed.",
    ),
)
class TranslatorOptions(TranslatorModelOptions, TrainingOptions, SearchOptions, TokenOptions, PairOptions):
    """What the network is, how it learns, what it learns from, and how it translates."""

    unwritten: ClassVar[Mapping[str, Any]] = {"softmax_samples": 0}

    scheduled_sampling: Annotated[
        float,
        Option(
            help="Probability of reading, in training, the decoder's own last symbol and not the right one; "
            "0: teacher forcing, 1: free running (Bengio et al. 2015).",
            group="Training",
            minimum=0,
            maximum=1,
            reason="It writes every batch once more, symbol by symbol; a rule is learnt without it.",
        ),
    ] = 0.0
