"""From options to a network: symbols, a recurrent stack, and a score for every symbol that may come next."""

from collections.abc import Sequence

from noria.arrays import Array
from noria.data.text_features import TextFeatures
from noria.equations import Cell, Initial
from noria.errors import OptionError
from noria.layers import (
    BatchNorm,
    CausalAttention,
    Conditioned,
    ConditionedSteps,
    Embedding,
    Layer,
    Linear,
    OneHot,
    Stack,
    State,
    SymbolFeatures,
)
from noria.models.text.options import BOTH, START, STEPS, TextModelOptions
from noria.models.wiring import RECURRENT, dropout_layer, initialise_matrices, recurrent_part

INPUT, INPUT_DROPOUT, NORM, ATTENTION, DROPOUT, OUTPUT = (
    "input",
    "input_dropout",
    "norm",
    "attention",
    "dropout",
    "output",
)

OF_SYMBOLS = Initial("normal", (1.0,))
"""Law of vectors that are only read. Steps of Adam are as long whatever a weight is multiplied by: inputs as
large as these let the gates learn what a symbol means as fast as what the state does. Vectors that score
symbols as well begin at length 1, for logits of that size."""

BEGINS = f"{RECURRENT}.features"
"""What the network calls the features of whole sequences among its auxiliary inputs."""


def build_network(
    options: TextModelOptions,
    cells: Sequence[Cell],
    symbols: int,
    *,
    features: TextFeatures | None = None,
    conditions: int = 0,
    frozen_embedding: bool = False,
) -> Stack:
    """Build the layers of a language model; values come with ``FlatParameters.build(network.layers, rng)``.

    Parameters
    ----------
    options : TextModelOptions
    cells : sequence of Cell
        One for each recurrent layer, as written; the rewrites of the options are applied here.
    symbols : int
        Number of symbols, V: of the input, and of the logits (N, V) that come out.
    features : TextFeatures, optional
        What is told of the symbols beside their vectors.
    conditions : int, default 0
        How many features of a whole sequence are told, where the options say.
    frozen_embedding : bool, default False
        Whether training leaves the vectors of the symbols as they are.
    """
    first: Layer = OneHot(symbols, name=INPUT)
    tied = None
    if options.embedding_size:
        first = Embedding(
            symbols,
            options.embedding_size,
            initial=None if options.tie_weights else OF_SYMBOLS,
            dropout=options.embedding_dropout,
            frozen=frozen_embedding,
            name=INPUT,
        )
        tied = first.table if options.tie_weights else None
    if features is not None:
        first = SymbolFeatures(first, *features, name=INPUT)
    stack = recurrent_part(options, cells)
    wished: dict[str, Layer | None] = {
        INPUT: first,
        INPUT_DROPOUT: dropout_layer(options.input_dropout, options, INPUT_DROPOUT),
        RECURRENT: _conditioned(stack, conditions, options.conditions_at),
        NORM: BatchNorm(name=NORM) if options.batch_norm else None,
        ATTENTION: _attention(options),
        DROPOUT: dropout_layer(options.dropout, options, DROPOUT),
        OUTPUT: Linear(symbols, weight=tied, name=OUTPUT),
    }
    layers = {key: layer for key, layer in wished.items() if layer is not None}
    network = Stack(list(layers.values()), keys=list(layers))
    network.configure(symbols)
    refuse_lookahead(network)
    initialise_matrices(stack, options)
    return network


def begun_states(network: Layer, begins: Array) -> State:
    """Give the states in which a network begins sequences with features (B, F) of each."""
    assert isinstance(network, Stack)
    return tuple(
        layer.begin(begins) if isinstance(layer, Conditioned | ConditionedSteps) else layer.start(len(begins))
        for layer in network.layers
    )


def _conditioned(layer: Layer, size: int, at: str) -> Layer:
    """Tell layers so many features of a sequence: in the state in which it begins, at every step, or both."""
    if size and at in (START, BOTH):
        layer = Conditioned(layer, size, name=RECURRENT)
    if size and at in (STEPS, BOTH):
        layer = ConditionedSteps(layer, size, name=RECURRENT)
    return layer


def _attention(options: TextModelOptions) -> CausalAttention | None:
    if options.attention == "none":
        return None
    return CausalAttention(options.attention_span, score=options.attention, name=ATTENTION)


def refuse_lookahead(network: Layer) -> None:
    """Refuse a network that would be shown what it is to predict.

    Raises
    ------
    OptionError
        If an output depends on later symbols.
    """
    if not network.causal:
        raise OptionError(
            "A language model cannot be bidirectional: what reads from the end has seen the next symbol.\n"
            "  Bidirectional layers are for tagging and classifying."
        )
