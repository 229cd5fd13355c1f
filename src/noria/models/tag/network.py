"""From options to a network: words and what is told beside them, a recurrent stack, a score for every tag."""

from collections.abc import Sequence

from noria.data.word_shape import SHAPE_SIZE
from noria.equations import Cell
from noria.errors import OptionError
from noria.layers import BatchNorm, Bidirectional, Embedding, Joined, Layer, Linear, Recurrent, Stack
from noria.layers.crf import ConditionalRandomField
from noria.layers.pooling import LastPooling
from noria.layers.spelt import Spelt
from noria.models.tag.options import TaggerOptions
from noria.models.tag.schema import TagSchema
from noria.models.wiring import RECURRENT, dropout_layer, initialise_matrices, recurrent_part, symbol_layer

INPUT, SPELT, FEATURES, INPUT_DROPOUT, NORM, DROPOUT, OUTPUT, CRF = (
    "input",
    "spelt",
    "features",
    "input_dropout",
    "norm",
    "dropout",
    "output",
    "crf",
)
CHARACTER_SIZE = 32
"""Values in the vector of a character of a word."""


def build_network(options: TaggerOptions, cells: Sequence[Cell], schema: TagSchema) -> Stack:
    """Build the layers of a tagger; values come with ``FlatParameters.build(network.layers, rng)``.

    Parameters
    ----------
    options : TaggerOptions
    cells : sequence of Cell
        One for each recurrent layer, as written; the first one also reads the characters of words.
    schema : TagSchema

    Raises
    ------
    OptionError
        If something is to be told beside words that have no vectors.
    """
    beside = schema.feature_size + SHAPE_SIZE * schema.word_shape
    if not options.embedding_size and (beside or schema.characters):
        raise OptionError(
            "The 'embedding_size' option must be at least 1 where more is told of words than which they are. "
            "Got 0 (one-hot).\n  Set it, or spelling_size=0, word_shape=False and no feature_columns."
        )
    stack = recurrent_part(options, cells, bidirectional=options.bidirectional)
    wished: dict[str, Layer | None] = {
        INPUT: symbol_layer(options, schema.symbols, INPUT, frozen=options.freeze_embedding),
        SPELT: _spelling(options, cells[0], schema),
        FEATURES: Joined(beside, name=FEATURES) if beside else None,
        INPUT_DROPOUT: dropout_layer(options.input_dropout, options, INPUT_DROPOUT),
        RECURRENT: stack,
        NORM: BatchNorm(name=NORM) if options.batch_norm else None,
        DROPOUT: dropout_layer(options.dropout, options, DROPOUT),
        OUTPUT: Linear(len(schema.tags), name=OUTPUT),
        CRF: ConditionalRandomField(name=CRF) if options.crf else None,
    }
    layers = {key: layer for key, layer in wished.items() if layer is not None}
    network = Stack(list(layers.values()), keys=list(layers))
    network.configure(schema.symbols)
    initialise_matrices(stack, options)
    return network


def _spelling(options: TaggerOptions, cell: Cell, schema: TagSchema) -> Spelt | None:
    """Give what reads the characters of each word from both ends."""
    if not schema.characters:
        return None
    symbols, size = len(schema.characters) + 1, options.spelling_size
    reader: list[Layer] = [
        Embedding(symbols, CHARACTER_SIZE),
        Bidirectional(Recurrent(cell, size, engine=options.engine)),
        LastPooling(backward_size=size),
    ]
    return Spelt(Stack(reader), symbols, name=SPELT)
