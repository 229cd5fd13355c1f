"""From options to a network: symbols, a recurrent stack, and a score for every symbol that may come next."""

from collections.abc import Sequence

import numpy as np

from noria.compiler import compile_cell
from noria.engines import bind
from noria.equations import Cell, Initial, cells, rewrites
from noria.errors import OptionError
from noria.layers import (
    BatchNorm,
    CausalAttention,
    Dropout,
    Embedding,
    Layer,
    Linear,
    OneHot,
    Recurrent,
    Stack,
    recurrent_stack,
)
from noria.training.model_options import ModelOptions

INPUT, INPUT_DROPOUT, RECURRENT, NORM, ATTENTION, DROPOUT, OUTPUT = (
    "input",
    "input_dropout",
    "recurrent",
    "norm",
    "attention",
    "dropout",
    "output",
)


def chosen_cells(options: ModelOptions) -> list[Cell]:
    """Give the cell of each layer as it was written, before any rewrite."""
    return [cells.get(cell) for cell in options.layer_cells]


def rewritten(cell: Cell, options: ModelOptions) -> Cell:
    """Write the activation, normalisation and regularisers of the options into a cell's equations.

    The order is fixed: what a function is comes before where masks stand.
    """
    if options.activation is not None:
        cell = rewrites.replace(cell, tanh=options.activation)
    if options.layer_norm:
        cell = rewrites.layer_normalised(cell)
    if options.recurrent_dropout:
        cell = rewrites.recurrent_dropout(cell, options.recurrent_dropout)
    if options.zoneout:
        cell = rewrites.zoneout(cell, options.zoneout, options.zoneout)
    return cell


def build_network(
    options: ModelOptions, cells: Sequence[Cell], symbols: int, *, frozen_embedding: bool = False
) -> Stack:
    """Build the layers of a language model; values come with ``FlatParameters.build(network.layers, rng)``.

    Parameters
    ----------
    options : ModelOptions
    cells : sequence of Cell
        One for each recurrent layer, as written; the rewrites of the options are applied here.
    symbols : int
        Number of symbols, V: of the input, and of the logits (N, V) that come out.
    frozen_embedding : bool, default False
        Whether training leaves the vectors of the symbols as they are.
    """
    first: Layer = OneHot(symbols, name=INPUT)
    tied = None
    if options.embedding_size:
        first = Embedding(
            symbols,
            options.embedding_size,
            dropout=options.embedding_dropout,
            frozen=frozen_embedding,
            name=INPUT,
        )
        tied = first.table if options.tie_weights else None
    stack = recurrent_stack(
        [rewritten(cell, options) for cell in cells],
        options.layer_sizes,
        dropout=options.dropout,
        locked=options.locked_dropout,
        batch_norm=options.batch_norm,
        drop_connect=options.drop_connect,
        projection=options.projection_size or None,
        engine=options.engine,
        name=RECURRENT,
    )
    wished: dict[str, Layer | None] = {
        INPUT: first,
        INPUT_DROPOUT: _dropout(options.input_dropout, options, INPUT_DROPOUT),
        RECURRENT: stack,
        NORM: BatchNorm(name=NORM) if options.batch_norm else None,
        ATTENTION: _attention(options),
        DROPOUT: _dropout(options.dropout, options, DROPOUT),
        OUTPUT: Linear(symbols, weight=tied, name=OUTPUT),
    }
    layers = {key: layer for key, layer in wished.items() if layer is not None}
    network = Stack(list(layers.values()), keys=list(layers))
    network.configure(symbols)
    refuse_lookahead(network)
    if options.initialiser != "cell":
        _initialise_matrices(stack, options.initialiser)
    return network


def _dropout(p: float, options: ModelOptions, name: str) -> Dropout | None:
    return Dropout(p, locked=options.locked_dropout, name=name) if p else None


def _attention(options: ModelOptions) -> CausalAttention | None:
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


def engines_of(network: Layer, dtype: str) -> list[str]:
    """Name the engine that runs each recurrent layer."""
    bound = [
        bind(compile_cell(layer.cell), layer.sizes, np.dtype(dtype), layer.engine)
        for layer in recurrent_layers(network)
    ]
    return [kernel.engine for kernel in bound]


def recurrent_layers(network: Layer) -> list[Recurrent]:
    """Find the recurrent layers, from the input upwards."""
    if isinstance(network, Recurrent):
        return [network]
    return [found for _, child in network.children() for found in recurrent_layers(child)]


def _initialise_matrices(stack: Layer, kind: str) -> None:
    """Give every matrix of the recurrent layers one law; normal has variance 1 / inputs."""
    for layer in recurrent_layers(stack):
        for parameter in layer.parameters():
            if len(parameter.shape) == 2:
                arguments = (parameter.shape[1] ** -0.5,) if kind == "normal" else ()
                parameter.initial = Initial(kind, arguments)
