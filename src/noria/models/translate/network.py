"""From options to a network: symbols are read by an encoder, and written by a decoder that looks at it."""

from collections.abc import Sequence

from noria.equations import Cell
from noria.layers import (
    DecoderAttention,
    Embedding,
    EncoderDecoder,
    InputFeeding,
    Layer,
    Linear,
    Stack,
)
from noria.models.translate.options import NONE, TranslatorModelOptions
from noria.models.wiring import RECURRENT, dropout_layer, initialise_matrices, recurrent_part, symbol_layer

INPUT, INPUT_DROPOUT, ATTENTION, DROPOUT, OUTPUT = (
    "input",
    "input_dropout",
    "attention",
    "dropout",
    "output",
)
DECODER = "decoder"


def build_network(
    options: TranslatorModelOptions, cells: Sequence[Cell], source_symbols: int, target_symbols: int
) -> EncoderDecoder:
    """Wire a translator; values come with ``FlatParameters.build([network], rng)``.

    ::

        source -> embedding -> recurrent (both ends) -> memory
                                   | last states, mapped   |
        target -> embedding -> recurrent -> attention -----+ -> linear -> logits

    The table of the target's embedding may be the matrix of the linear map as well (``tie_weights``).

    Parameters
    ----------
    options : TranslatorModelOptions
    cells : sequence of Cell
        One for each recurrent layer, of both sides.
    source_symbols, target_symbols : int
        Sizes of the vocabularies.
    """
    encoder = _stack(
        {
            INPUT: symbol_layer(options, source_symbols, INPUT),
            INPUT_DROPOUT: dropout_layer(options.input_dropout, options, INPUT_DROPOUT),
            RECURRENT: recurrent_part(options, cells, bidirectional=options.bidirectional),
        },
        "encoder",
    )
    memory_size = encoder.configure(source_symbols)
    recurrent: Layer = recurrent_part(options, cells)
    attention: Layer | None = None
    if options.attention != NONE:
        attention = DecoderAttention(memory_size, score=options.attention, name=ATTENTION)
    if options.input_feeding and isinstance(attention, DecoderAttention):
        size = options.projection_size or options.layer_sizes[-1]
        recurrent, attention = InputFeeding(recurrent, attention, size), None
    written = symbol_layer(options, target_symbols, INPUT)
    tied = written.table if options.tie_weights and isinstance(written, Embedding) else None
    decoder = _stack(
        {
            INPUT: written,
            INPUT_DROPOUT: dropout_layer(options.input_dropout, options, INPUT_DROPOUT),
            RECURRENT: recurrent,
            ATTENTION: attention,
            DROPOUT: dropout_layer(options.dropout, options, DROPOUT),
            OUTPUT: Linear(target_symbols, weight=tied, name=OUTPUT),
        },
        DECODER,
    )
    network = EncoderDecoder(encoder, decoder, source_symbols, name="network")
    network.configure(target_symbols)
    initialise_matrices(network, options)
    return network


def _stack(wished: dict[str, Layer | None], name: str) -> Stack:
    layers = {key: layer for key, layer in wished.items() if layer is not None}
    return Stack(list(layers.values()), keys=list(layers), name=name)
