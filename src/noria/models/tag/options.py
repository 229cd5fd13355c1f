"""All options of a tagger."""

from dataclasses import dataclass
from typing import Annotated

from noria.data.tag_layout import AUTO, COLUMNS, SLASHED, TagLayout
from noria.errors import OptionError
from noria.training.model_options import ModelOptions
from noria.training.option import Option
from noria.training.optioned import Default, Options, defaults
from noria.training.symbol_options import SmoothingOptions
from noria.training.training_options import TrainingOptions
from noria.training.vector_options import VectorOptions

PYTHON = "python"


@dataclass(kw_only=True)
class TagReadingOptions(Options):
    """How files of tagged sequences are read."""

    layout: Annotated[
        str,
        Option(
            help="How files are laid out: columns with blank lines between sequences, word/TAG lines, or "
            "Python source, whose characters are tagged by type of token; auto: by the first lines.",
            group="Data",
            choices=(AUTO, COLUMNS, SLASHED, PYTHON),
            reason="The first lines give it away, and what was guessed is said.",
        ),
    ] = AUTO
    word_column: Annotated[
        int,
        Option(
            help="The column of the words, from 1; 0: the first, in CoNLL-U the second.",
            group="Data",
            minimum=0,
            reason="Formats in use have it there.",
        ),
    ] = 0
    tag_column: Annotated[
        int,
        Option(
            help="The column of the tags, from 1; 0: the last, in CoNLL-U the fourth.",
            group="Data",
            minimum=0,
            reason="Formats in use have it there.",
        ),
    ] = 0
    feature_columns: Annotated[
        int | list[int] | None,
        Option(
            help="Further columns that are read beside the words: numbers, or one of several values.",
            group="Data",
            minimum=1,
            reason="Most files have words and tags alone.",
        ),
    ] = None
    separator: Annotated[
        str,
        Option(
            help="What stands between word and tag in word/TAG lines.",
            group="Data",
            reason="That of the Brown corpus.",
        ),
    ] = "/"
    comment: Annotated[
        str,
        Option(
            help="What a line before a sequence of columns begins with that is left out; empty: none is.",
            group="Data",
            reason="CoNLL-U has such lines; what was left out is said.",
        ),
    ] = "#"

    @property
    def tag_layout(self) -> TagLayout:
        """The options as reading takes them."""
        features = self.feature_columns or []
        return TagLayout(
            self.layout,
            self.word_column or None,
            self.tag_column or None,
            features if isinstance(features, list) else [features],
            self.separator,
            self.comment,
        )


@dataclass(kw_only=True)
@defaults(
    hidden_size=Default(
        value=128,
        help="Values in the hidden state of each direction, for all layers or for each ('256,128').",
        reason="Twice as many stand side by side where both directions are read.",
    ),
)
class TaggerOptions(ModelOptions, SmoothingOptions, TrainingOptions, VectorOptions, TagReadingOptions):
    """What the network is, how it learns, and what it learns from."""

    bidirectional: Annotated[
        bool,
        Option(
            help="Read each sequence from both ends; without, tags can be given while words come in.",
            group="Model",
            reason="What a word is depends on those behind it as on those before it.",
        ),
    ] = True
    crf: Annotated[
        bool,
        Option(
            help="Score tags as a sequence, by a conditional random field (Lafferty et al. 2001); of tags "
            "that write spans (IOB2, IOBES) only legal sequences are then predicted.",
            group="Model",
            reason="It helps where tags depend on each other, as in spans, and costs time elsewhere.",
        ),
    ] = False
    spelling_size: Annotated[
        int,
        Option(
            help="Values of each direction in a reading of a word's characters, beside its vector; 0: none. "
            "Sequences of characters have none.",
            group="Model",
            minimum=0,
            maximum=65_536,
            reason="It tells what a word is that was never seen, and each word is read once in a batch.",
        ),
    ] = 32
    word_shape: Annotated[
        bool,
        Option(
            help="Say beside a word's vector how it looks: capitals, digits, signs, its ending.",
            group="Model",
            reason="Capitals and endings tell the kind of a word that was never seen.",
        ),
    ] = True
    lowercase: Annotated[
        bool,
        Option(
            help="Look up the vectors of words in lower case; characters and shape keep the capitals.",
            group="Data",
            reason="Capitals tell names.",
        ),
    ] = False
    min_count: Annotated[
        int,
        Option(
            help="How often a token must occur in the training part to have a vector of its own.",
            group="Data",
            minimum=1,
            reason="From those that occur once it is learnt what to make of unknown ones.",
        ),
    ] = 2

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if self.crf and self.label_smoothing:
            raise OptionError(
                f"The 'label_smoothing' option of {owner} is for tags that are scored one by one. Got "
                f"label_smoothing={self.label_smoothing:g} with crf=True.\n  Leave one of them out."
            )
        if len(self.separator) != 1 or self.separator.isspace() or self.separator == "\\":
            raise OptionError(
                f"The 'separator' option of {owner} must be one character, no space and no backslash. "
                f"Got {self.separator!r}."
            )
