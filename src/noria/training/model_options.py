"""The options of the network itself: what it is built of."""

from dataclasses import dataclass
from typing import Annotated, TypeVar

from noria.equations import Cell
from noria.errors import OptionError
from noria.training.option import Option
from noria.training.optioned import Options

T = TypeVar("T")


@dataclass(kw_only=True)
class ModelOptions(Options):
    """What the network is."""

    cell: Annotated[
        str | Cell | list[str | Cell],
        Option(
            help="The recurrent cell: a name, a file of equations, or one for each layer ('rnn,lstm').",
            group="Model",
            aliases=("model",),
            reason="On half a megabyte of text in two minutes the LSTM ended ahead of the GRU.",
        ),
    ] = "lstm"
    hidden_size: Annotated[
        int | list[int],
        Option(
            help="Values in the hidden state, for all layers or for each ('256,128').",
            group="Model",
            minimum=1,
            aliases=("rnn_size",),
            reason="As much as a laptop trains on a megabyte of text in minutes.",
        ),
    ] = 256
    num_layers: Annotated[
        int | None,
        Option(
            help="Recurrent layers, one above the other; none: as many as 'cell' and 'hidden_size' list.",
            group="Model",
            minimum=1,
            reason="A list of cells or sizes already says it; without one it is a single layer.",
        ),
    ] = None
    embedding_size: Annotated[
        int,
        Option(
            help="Values in the learnt vector of a symbol; 0: one-hot.",
            group="Model",
            minimum=0,
            reason="Each symbol is multiplied once, not each token, so that it costs no more than one-hot.",
        ),
    ] = 64
    projection_size: Annotated[
        int,
        Option(
            help="Size of a linear projection after each recurrent layer; 0: none.",
            group="Model",
            minimum=0,
        ),
    ] = 0
    activation: Annotated[
        str | None,
        Option(help="The function that takes the place of tanh in the cell, 'relu' for one.", group="Model"),
    ] = None
    layer_norm: Annotated[
        bool,
        Option(help="Normalise inside the cell (Ba et al. 2016).", group="Model"),
    ] = False
    dropout: Annotated[
        float,
        Option(
            help="Probability of dropping a value that a recurrent layer hands on (Zaremba et al. 2014).",
            group="Regularisation",
            minimum=0,
            maximum=1,
            closed="left",
            reason="A few minutes are many passes over a small text: without it the text is learnt by heart.",
        ),
    ] = 0.3
    locked_dropout: Annotated[
        bool,
        Option(
            help="Drop the same values at every step of a sequence (Gal & Ghahramani 2016), in 'dropout' and "
            "'input_dropout'.",
            group="Regularisation",
        ),
    ] = False
    input_dropout: Annotated[
        float,
        Option(
            help="Probability of dropping a value of a symbol's vector before the first recurrent layer.",
            group="Regularisation",
            minimum=0,
            maximum=1,
            closed="left",
        ),
    ] = 0.0
    embedding_dropout: Annotated[
        float,
        Option(
            help="Probability of dropping a symbol wherever it stands in a batch (Gal & Ghahramani 2016).",
            group="Regularisation",
            minimum=0,
            maximum=1,
            closed="left",
        ),
    ] = 0.0
    recurrent_dropout: Annotated[
        float,
        Option(
            help="Probability of dropping a value inside the cell, the same values at every step.",
            group="Regularisation",
            minimum=0,
            maximum=1,
            closed="left",
        ),
    ] = 0.0
    zoneout: Annotated[
        float,
        Option(
            help="Probability that a value of the state keeps what it was (Krueger et al. 2017).",
            group="Regularisation",
            minimum=0,
            maximum=1,
            closed="left",
        ),
    ] = 0.0
    drop_connect: Annotated[
        float,
        Option(
            help="Probability of dropping a recurrent weight, for all steps of a batch (Merity et al. 2018).",
            group="Regularisation",
            minimum=0,
            maximum=1,
            closed="left",
        ),
    ] = 0.0
    batch_norm: Annotated[
        bool,
        Option(
            help="Normalise what recurrent layers hand on, over the tokens of a batch (Laurent et al. 2016).",
            group="Regularisation",
        ),
    ] = False
    label_smoothing: Annotated[
        float,
        Option(
            help="Part of each target that is spread evenly over all symbols (Szegedy et al. 2016).",
            group="Regularisation",
            minimum=0,
            maximum=1,
            closed="left",
        ),
    ] = 0.0
    tie_weights: Annotated[
        bool,
        Option(
            help="Score symbols with the table of their vectors, one matrix in two places (Press & Wolf).",
            group="Model",
        ),
    ] = False
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
            reason="Most of the weight lies on a few steps (Daniluk et al. 2017); each costs time.",
        ),
    ] = 32
    initialiser: Annotated[
        str,
        Option(
            help="How matrices start; 'cell': as the text of the cell says.",
            group="Model",
            choices=("cell", "xavier", "he", "orthogonal", "normal", "zero"),
        ),
    ] = "cell"
    dtype: Annotated[
        str,
        Option(
            help="Precision of weights and arithmetic.",
            group="Machine",
            choices=("float32", "float64"),
            reason="Half the memory traffic, twice the values in a vector register.",
        ),
    ] = "float32"
    engine: Annotated[
        str,
        Option(
            help="What runs the cell: machine code where it can (auto) or must (native), or plain NumPy.",
            group="Machine",
            choices=("auto", "native", "reference"),
        ),
    ] = "auto"
    threads: Annotated[
        int,
        Option(
            help="Threads; 0: what NORIA_THREADS says, or one a core. The same number gives the same bytes.",
            group="Machine",
            minimum=0,
        ),
    ] = 0

    @property
    def layer_cells(self) -> list[str | Cell]:
        """The cell of each recurrent layer, from the first to the last."""
        return self._per_layer(self._listed_cells())

    @property
    def layer_sizes(self) -> list[int]:
        """The hidden size of each recurrent layer, from the first to the last."""
        return self._per_layer(self._listed_sizes())

    def _listed_cells(self) -> list[str | Cell]:
        cells: list[str | Cell] = []
        for entry in self.cell if isinstance(self.cell, (list, tuple)) else [self.cell]:
            cells += [part.strip() for part in entry.split(",")] if isinstance(entry, str) else [entry]
        return cells

    def _listed_sizes(self) -> list[int]:
        listed = self.hidden_size if isinstance(self.hidden_size, (list, tuple)) else [self.hidden_size]
        return [int(size) for size in listed]

    def _layer_count(self) -> int:
        return self.num_layers or max(len(self._listed_cells()), len(self._listed_sizes()))

    def _per_layer(self, listed: list[T]) -> list[T]:
        return listed * self._layer_count() if len(listed) == 1 else listed

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        count = self._layer_count()
        for name, listed in (("cell", self._listed_cells()), ("hidden_size", self._listed_sizes())):
            if len(listed) not in (1, count):
                raise OptionError(
                    f"The {name!r} option of {owner} lists {len(listed)} layers where there are {count}. "
                    f"Give one for all layers or one for each."
                )
        if self.locked_dropout and not (self.dropout or self.input_dropout):
            raise OptionError(
                f"The 'locked_dropout' option of {owner} does nothing without 'dropout' or 'input_dropout'. "
                "Set one of them, or leave it out."
            )
        self._check_embedding(owner)

    def _check_embedding(self, owner: str) -> None:
        """Refuse what needs an embedding, or one of another size."""
        for name in ("embedding_dropout", "input_dropout", "tie_weights"):
            if getattr(self, name) and not self.embedding_size:
                raise OptionError(
                    f"The {name!r} option of {owner} needs an embedding. Got embedding_size=0 (one-hot).\n"
                    f"  Set embedding_size, or leave {name} out."
                )
        width = self.projection_size or self.layer_sizes[-1]
        if self.tie_weights and width != self.embedding_size:
            raise OptionError(
                f"The 'tie_weights' option of {owner} needs an embedding as wide as what is scored. Got "
                f"embedding_size={self.embedding_size} and {width} values that the last layer hands on.\n"
                f"  Set projection_size={self.embedding_size} or embedding_size={width}."
            )
