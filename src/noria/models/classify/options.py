"""All options of a model that gives one answer for each sequence."""

from dataclasses import dataclass
from typing import Annotated

from noria.equations import Cell
from noria.errors import OptionError
from noria.models.classify.table_options import TableOptions
from noria.training.augmentation_options import AugmentationOptions
from noria.training.model_options import ModelOptions
from noria.training.option import Option
from noria.training.optioned import Default, defaults, options_of
from noria.training.symbol_options import SmoothingOptions, need_embedding
from noria.training.token_options import CHARACTERS, SUBWORDS, WORDS, TokenOptions
from noria.training.training_options import TrainingOptions
from noria.training.vector_options import VectorOptions

AUTO = "auto"
RECURRENT, CONVOLUTION = "recurrent", "convolution"
LAST, MEAN, MAX, ATTENTION = "last", "mean", "max", "attention"
PACKED, PADDED, ONE_BY_ONE = "packed", "padded", "one-by-one"
OF_RECURRENT_LAYERS = (
    "projection_size",
    "activation",
    "layer_norm",
    "recurrent_dropout",
    "zoneout",
    "drop_connect",
    "initialiser",
    "initial_scale",
)
"""Options beside 'cell' that mean nothing to convolutions."""


@dataclass(kw_only=True)
@defaults(
    cell=Default(
        value="gru",
        reason="It keeps what it has to keep with fewer weights than an LSTM, and so learns from less.",
    ),
    hidden_size=Default(
        value=64,
        help="Values in the hidden state of each direction, for all layers or for each ('128,64').",
        reason="One answer for a sequence needs less than every next symbol.",
    ),
    valid_fraction=Default(
        value=0.1, reason="A twentieth of a few hundred sequences would choose by chance."
    ),
    test_fraction=Default(value=0.1, reason="A twentieth of a few hundred sequences would say little."),
)
class SequenceOptions(
    ModelOptions,
    SmoothingOptions,
    TokenOptions,
    VectorOptions,
    AugmentationOptions,
    TableOptions,
    TrainingOptions,
):
    """What the network is, how it learns, and what it learns from."""

    network: Annotated[
        str,
        Option(
            help="What reads the sequence: recurrent layers, or convolutions to compare them with.",
            group="Model",
            choices=(RECURRENT, CONVOLUTION),
            reason="Recurrent layers are what this library is for.",
        ),
    ] = RECURRENT
    bidirectional: Annotated[
        bool,
        Option(
            help="Read every sequence from both ends; such a model cannot be streamed.",
            group="Model",
            reason="The whole sequence is there before it has to be judged.",
        ),
    ] = True
    pooling: Annotated[
        str,
        Option(
            help="How the steps become one: the last of each direction, their mean, their highest values, "
            "or what attention picks.",
            group="Model",
            choices=(LAST, MEAN, MAX, ATTENTION),
            reason="What one step shows may settle it, wherever it stands.",
        ),
    ] = MAX
    attention_score: Annotated[
        str,
        Option(
            help="How attention scores a step: additive (Bahdanau et al. 2015), or as a dot product.",
            group="Model",
            only_with=("pooling", (ATTENTION,)),
            choices=("additive", "dot"),
            reason="That of the first paper; no width has to agree with another.",
        ),
    ] = "additive"
    convolution_width: Annotated[
        int,
        Option(
            help="Steps in the window of a convolution.",
            group="Model",
            only_with=("network", (CONVOLUTION,)),
            minimum=1,
            reason="The narrowest of those in Kim 2014.",
        ),
    ] = 3
    hidden_layers: Annotated[
        int,
        Option(
            help="Rectified layers between pooling and output.",
            group="Model",
            minimum=0,
            reason="Recurrent layers leave little for them to do.",
        ),
    ] = 0
    share_hidden: Annotated[
        bool,
        Option(
            help="Let all of 'hidden_layers' be one and the same layer.",
            group="Model",
            reason="Layers of their own can learn what is different.",
        ),
    ] = False
    level: Annotated[
        str,
        Option(
            help="What a symbol of a text is: a character, a word (or punctuation), a piece of a word; auto: "
            "words, or characters where hardly a text has a space.",
            group="Data",
            choices=(AUTO, CHARACTERS, WORDS, SUBWORDS),
            reason="Words say what a text is about; where there are none, characters do.",
        ),
    ] = AUTO
    lowercase: Annotated[
        bool,
        Option(
            help="Read texts in small letters.",
            group="Data",
            reason="A word at the beginning of a sentence is the same word.",
        ),
    ] = True
    max_length: Annotated[
        int,
        Option(
            help="Symbols of a text that are read, from its beginning; 0: all.",
            group="Data",
            minimum=0,
            reason="The end of a text may be what decides.",
        ),
    ] = 0

    batching: Annotated[
        str,
        Option(
            help="How the sequences of a batch go through the network in training: packed, filled up to the "
            "longest of all (padded), or one by one. The update is the same.",
            group="Training",
            choices=(PACKED, PADDED, ONE_BY_ONE),
            reason="Packed rows compute nothing on filler; the others show what that saves.",
        ),
    ] = PACKED

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        need_embedding(self, owner, "extra_columns")
        if self.share_hidden and self.hidden_layers < 2:
            raise OptionError(
                f"The 'share_hidden' option of {owner} needs two 'hidden_layers' or more. "
                f"Got hidden_layers={self.hidden_layers}.\n  Set hidden_layers, or leave share_hidden out."
            )
        self._refuse_filler(owner)
        if self.network == CONVOLUTION:
            need_embedding(self, owner, "network")
            self._refuse_recurrent(owner)
        elif self.bidirectional and self.projection_size and self.pooling == LAST:
            raise OptionError(
                f"The 'projection_size' option of {owner} mixes both directions, whose last steps are "
                "different ones. Got bidirectional=True with pooling='last'.\n"
                "  Choose another pooling, or leave projection_size out."
            )

    def _refuse_filler(self, owner: str) -> None:
        """Refuse to fill sequences up where a layer would see the filler."""
        seen_by = {
            "network='convolution'": self.network == CONVOLUTION,
            "bidirectional=True": self.bidirectional,
            "batch_norm=True": self.batch_norm,
        }
        if self.batching == PADDED and any(seen_by.values()):
            seeing = next(name for name, sees in seen_by.items() if sees)
            raise OptionError(
                f"The 'batching' option of {owner} fills sequences up behind their end, and with {seeing} "
                "the network would see that. Got batching='padded'.\n"
                "  Choose one-way recurrent layers without batch_norm, or another batching."
            )

    def _refuse_recurrent(self, owner: str) -> None:
        """Refuse what says something of recurrent layers where there are none."""
        defaults = {info.name: info.default for info in options_of(type(self))}
        changed = [name for name in OF_RECURRENT_LAYERS if getattr(self, name) != defaults[name]]
        # a run lists the cell of each layer by its name, the default one too
        named = [cell.name if isinstance(cell, Cell) else cell for cell in self.layer_cells]
        if set(named) != {defaults["cell"]}:
            changed.insert(0, "cell")
        if changed:
            name = changed[0]
            got = ", ".join(named) if name == "cell" else repr(getattr(self, name))
            raise OptionError(
                f"The {name!r} option of {owner} is for recurrent layers; network='convolution' has none. "
                f"Got {got}.\n"
                f"  Leave {' and '.join(changed)} out, or choose network='recurrent'."
            )


@dataclass(kw_only=True)
class ClassifierOptions(SequenceOptions):
    """The options of a classifier."""

    class_weights: Annotated[
        str,
        Option(
            help="What the examples of a class count in the loss: all the same, or each class as much.",
            group="Training",
            choices=("none", "balanced"),
            reason="A rare class is rare in what is to come, too.",
        ),
    ] = "none"
    resampling: Annotated[
        str,
        Option(
            help="Draw as many training examples of every class in an epoch: as the largest has (over), with "
            "repeats, or as the smallest has (under).",
            group="Training",
            choices=("none", "over", "under"),
            reason="A rare class is rare in what is to come, too.",
        ),
    ] = "none"

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if self.class_weights != "none" and self.resampling != "none":
            raise OptionError(
                f"The 'class_weights' and 'resampling' options of {owner} both balance the classes. Got "
                f"class_weights={self.class_weights!r} with resampling={self.resampling!r}.\n  Choose one."
            )


@dataclass(kw_only=True)
class RegressorOptions(SequenceOptions):
    """The options of a regressor."""

    loss: Annotated[
        str,
        Option(
            help="What numbers are learnt by: squared or absolute errors, or Huber's mix of them.",
            group="Training",
            choices=("mse", "mae", "huber"),
            reason="Squared errors are least for the mean, which is what most figures are of.",
        ),
    ] = "mse"

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if self.label_smoothing:
            raise OptionError(
                f"The 'label_smoothing' option of {owner} is for labels, and numbers are told here. "
                f"Got {self.label_smoothing}.\n  Leave it out."
            )
