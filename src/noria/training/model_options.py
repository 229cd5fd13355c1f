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
            maximum=65_536,
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
            maximum=1_000,
            reason="A list of cells or sizes already says it; without one it is a single layer.",
        ),
    ] = None
    projection_size: Annotated[
        int,
        Option(
            help="Size of a linear projection after each recurrent layer; 0: none.",
            group="Model",
            minimum=0,
            maximum=65_536,
            reason="It saves arithmetic in wide layers; those of the defaults need no saving.",
        ),
    ] = 0
    activation: Annotated[
        str | None,
        Option(
            help="The function that takes the place of tanh in the cell, 'relu' for one.",
            group="Model",
            reason="The equations say it.",
        ),
    ] = None
    layer_norm: Annotated[
        bool,
        Option(
            help="Normalise inside the cell (Ba et al. 2016).",
            group="Model",
            reason="It did not lower the loss (benchmarks/regularisers.md).",
        ),
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
            reason="In few passes over a text it learns more slowly (benchmarks/regularisers.md).",
        ),
    ] = False
    input_dropout: Annotated[
        float,
        Option(
            help="Probability of dropping a value of what the first recurrent layer reads.",
            group="Regularisation",
            minimum=0,
            maximum=1,
            closed="left",
            reason="Characters are few, and each of them is met often.",
        ),
    ] = 0.0
    recurrent_dropout: Annotated[
        float | None,
        Option(
            help="Probability of dropping a value inside the cell, the same values at every step.",
            group="Regularisation",
            minimum=0,
            maximum=1,
            closed="left",
            reason="It pays in many passes over a text, and not before (benchmarks/defaults.md).",
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
            reason="It is for small texts that are read many times (benchmarks/regularisers.md).",
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
            reason="It is for small texts that are read many times (benchmarks/regularisers.md).",
        ),
    ] = 0.0
    batch_norm: Annotated[
        bool,
        Option(
            help="Normalise what recurrent layers hand on, over the tokens of a batch (Laurent et al. 2016).",
            group="Regularisation",
            reason="It did not lower the loss of a small text (benchmarks/regularisers.md).",
        ),
    ] = False
    initialiser: Annotated[
        str,
        Option(
            help="How matrices start; 'cell': as the text of the cell says.",
            group="Model",
            choices=("cell", "xavier", "he", "orthogonal", "normal", "zero"),
            reason="How a cell starts is part of it: with an open forget gate, for one.",
        ),
    ] = "cell"
    initial_scale: Annotated[
        float,
        Option(
            help="What the recurrent layers' matrices are multiplied by before training.",
            group="Model",
            minimum=0,
            closed="neither",
            reason="The laws are made for it: states and gradients keep about their size from step to step.",
        ),
    ] = 1.0
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
            reason="Machine code is several times as fast, and NumPy runs everywhere.",
        ),
    ] = "auto"
    threads: Annotated[
        int,
        Option(
            help="Threads; 0: what NORIA_THREADS says, or one a core. The same number gives the same bytes.",
            group="Machine",
            minimum=0,
            reason="More threads than cores would wait for each other.",
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
        sizes = self.decided().hidden_size
        return [int(size) for size in (sizes if isinstance(sizes, (list, tuple)) else [sizes])]

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
