"""From options to a network: steps, what reads them, pooling, and an output for the whole sequence."""

from collections.abc import Sequence

from noria.equations import Cell
from noria.errors import OptionError
from noria.layers import (
    AttentionPooling,
    BatchNorm,
    Convolution,
    Dropout,
    Joined,
    LastPooling,
    Layer,
    Linear,
    Pooling,
    Stack,
)
from noria.layers.pooling import POOLINGS
from noria.models.classify.inputs import Inputs, SeriesInputs
from noria.models.classify.options import ATTENTION, CONVOLUTION, LAST, SequenceOptions
from noria.models.classify.schema import SequenceSchema
from noria.models.wiring import dropout_layer, initialise_matrices, recurrent_part, symbol_layer

INPUT, EXTRAS, INPUT_DROPOUT, RECURRENT, CONVOLUTIONS, NORM, POOLING, HIDDEN, DROPOUT, OUTPUT = (
    "input",
    "extras",
    "input_dropout",
    "recurrent",
    "convolutions",
    "norm",
    "pooling",
    "hidden",
    "dropout",
    "output",
)


def build_network(options: SequenceOptions, cells: Sequence[Cell], schema: SequenceSchema) -> Stack:
    """Build and configure the layers: from ids or rows of each step to one row of outputs a sequence.

    Parameters
    ----------
    options : SequenceOptions
    cells : sequence of Cell
        One for each recurrent layer, as written; the rewrites of the options are applied here.
    schema : SequenceSchema
        What comes in, and what is told.
    """
    inputs, extras = schema.inputs, schema.extras
    reading: Stack
    if options.network == CONVOLUTION:
        reading = _convolutions(options)
    else:
        reading = recurrent_part(options, cells, bidirectional=options.bidirectional, name=RECURRENT)
    wished: dict[str, Layer | None] = {
        INPUT: _input(inputs, options),
        EXTRAS: None if extras is None else Joined(len(extras.names), name=EXTRAS),
        INPUT_DROPOUT: dropout_layer(options.input_dropout, options, INPUT_DROPOUT),
        reading.name: reading,
        NORM: BatchNorm(name=NORM) if options.batch_norm else None,
        POOLING: _pooling(options),
        HIDDEN: _hidden(options),
        DROPOUT: Dropout(options.dropout, name=DROPOUT) if options.dropout else None,
        OUTPUT: Linear(schema.targets.size, name=OUTPUT),
    }
    layers = {key: layer for key, layer in wished.items() if layer is not None}
    network = Stack(list(layers.values()), keys=list(layers))
    network.configure(inputs.size)
    initialise_matrices(reading, options)
    return network


def _input(inputs: Inputs, options: SequenceOptions) -> Layer | None:
    """Give the layer that turns ids into rows; series are rows already."""
    if isinstance(inputs, SeriesInputs):
        if options.embedding_dropout:
            raise OptionError("The 'embedding_dropout' option is for symbols. The sequences here are series.")
        return None
    return symbol_layer(options, inputs.size, INPUT, frozen=options.freeze_embedding)


def _convolutions(options: SequenceOptions) -> Stack:
    layers: dict[str, Layer] = {}
    for level, size in enumerate(options.layer_sizes):
        if level and options.dropout:
            layers[f"dropout_{level - 1}"] = Dropout(options.dropout, locked=options.locked_dropout)
        layers[str(level)] = Convolution(size, width=options.convolution_width, rectified=True)
    return Stack(list(layers.values()), keys=list(layers), name=CONVOLUTIONS)


def _pooling(options: SequenceOptions) -> Pooling:
    if options.pooling == LAST:
        return LastPooling(backward_size=options.layer_sizes[-1] * (_ways(options) - 1), name=POOLING)
    if options.pooling == ATTENTION:
        return AttentionPooling(score=options.attention_score, name=POOLING)
    return POOLINGS[options.pooling](name=POOLING)


def _hidden(options: SequenceOptions) -> Stack | None:
    """Give rectified layers as wide as what is pooled, or one that stands in every place; None: none."""
    if not options.hidden_layers:
        return None
    size = options.projection_size or options.layer_sizes[-1] * _ways(options)

    def layer() -> Layer:
        return Convolution(size, width=1, rectified=True, name=HIDDEN)

    one, count = layer(), options.hidden_layers
    layers = [one if options.share_hidden else layer() for _ in range(count)]
    return Stack(layers, keys=[str(number) for number in range(count)], name=HIDDEN)


def _ways(options: SequenceOptions) -> int:
    """Count the directions in which the sequence is read."""
    return 2 if options.bidirectional and options.network != CONVOLUTION else 1
