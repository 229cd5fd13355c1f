"""From the options of a network to layers, and back to what they are: the same for every task."""

from collections.abc import Sequence

import numpy as np

from noria.arrays import Array
from noria.compiler import compile_cell
from noria.engines import bind, why_not_native
from noria.engines.native.host import processor
from noria.engines.threads import thread_count
from noria.equations import Cell, Initial, cells, rewrites
from noria.layers import (
    Bidirectional,
    Dropout,
    Embedding,
    Layer,
    OneHot,
    Recurrent,
    Stack,
    recurrent_stack,
)
from noria.models.description import LayerDescription, ModelDescription
from noria.training.model_options import ModelOptions
from noria.training.symbol_options import EmbeddingOptions

RECURRENT = "recurrent"
NATIVE = "native"
MEMBERS = "members"


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


def recurrent_part(
    options: ModelOptions, cells: Sequence[Cell], *, bidirectional: bool = False, name: str = RECURRENT
) -> Stack:
    """Build the recurrent layers with all that stands between them; not yet configured.

    Parameters
    ----------
    options : ModelOptions
    cells : sequence of Cell
        One for each layer, as written; the rewrites of the options are applied here.
    bidirectional : bool, default False
        Whether each layer reads from both ends.
    name : str
    """
    return recurrent_stack(
        [rewritten(cell, options) for cell in cells],
        options.layer_sizes,
        dropout=options.dropout,
        locked=options.locked_dropout,
        batch_norm=options.batch_norm,
        drop_connect=options.drop_connect,
        projection=options.projection_size or None,
        bidirectional=bidirectional,
        engine=options.engine,
        name=name,
    )


def symbol_layer(options: EmbeddingOptions, symbols: int, name: str, *, frozen: bool = False) -> Layer:
    """Give what turns ids into rows: an embedding, or one-hot rows where it has no size."""
    if not options.embedding_size:
        return OneHot(symbols, name=name)
    dropout = options.embedding_dropout
    return Embedding(symbols, options.embedding_size, dropout=dropout, frozen=frozen, name=name)


def dropout_layer(p: float, options: ModelOptions, name: str) -> Dropout | None:
    """Give a dropout layer, locked where the options say so; None where nothing is dropped."""
    return Dropout(p, locked=options.locked_dropout, name=name) if p else None


def initialise_matrices(layer: Layer, options: ModelOptions) -> None:
    """Give every matrix of the recurrent layers inside the law and the scale of the options.

    The law stays the cell's own where the options say so. Normal has variance 1 / inputs. The layers have to
    be configured.
    """
    if options.initialiser == "cell" and options.initial_scale == 1.0:
        return
    for recurrent in recurrent_layers(layer):
        for parameter in recurrent.parameters():
            if len(parameter.shape) == 2:
                if options.initialiser != "cell":
                    arguments = (parameter.shape[1] ** -0.5,) if options.initialiser == "normal" else ()
                    parameter.initial = Initial(options.initialiser, arguments)
                parameter.initial = _scaled(parameter.initial, options.initial_scale)


def _scaled(initial: Initial | Array, scale: float) -> Initial | Array:
    """Multiply what a law gives: every number of a law of matrices is a factor of it, 1 where none stands."""
    if not isinstance(initial, Initial):
        return initial * scale
    if initial.kind == "zero":
        return initial
    return Initial(initial.kind, tuple(scale * number for number in initial.arguments or (1.0,)))


def recurrent_layers(network: Layer) -> list[Recurrent]:
    """Find the recurrent layers, from the input upwards."""
    if isinstance(network, Recurrent):
        return [network]
    return [found for _, child in network.children() for found in recurrent_layers(child)]


def parameters_of_symbol(network: Layer, symbols: int) -> int:
    """Count the parameters that belong to one of so many symbols: rows of what reads and scores them."""
    return sum(
        parameter.size // symbols for parameter in network.parameters() if parameter.shape[0] == symbols
    )


def engines_of(network: Layer, dtype: str) -> list[str]:
    """Name the engine that runs each recurrent layer."""
    bound = [
        bind(compile_cell(layer.cell), layer.sizes, np.dtype(dtype), layer.engine)
        for layer in recurrent_layers(network)
    ]
    return [kernel.engine for kernel in bound]


def describe_model(network: Layer, options: ModelOptions) -> ModelDescription:
    """Describe a configured network; its parameters need no values yet."""
    layers = tuple(_layers(network, set()))
    found = recurrent_layers(network)
    engines = tuple(engines_of(network, options.dtype))
    return ModelDescription(
        cells=tuple(layer.cell.name for layer in found),
        hidden_sizes=tuple(layer.hidden_size for layer in found),
        bidirectional=_bidirectional(network),
        layers=layers,
        parameters=sum(parameter.size for parameter in network.parameters()),
        members=_members(network),
        engines=engines,
        dtype=options.dtype,
        processor=processor(options.dtype) if NATIVE in engines else "",
        why_not_native=_why_not_native(engines, options),
        threads=options.threads or thread_count(),
    )


def _bidirectional(layer: Layer) -> int:
    """Count the layers that read from both ends."""
    below = sum(_bidirectional(child) for _, child in layer.children())
    return below + isinstance(layer, Bidirectional)


def _members(layer: Layer) -> int:
    """Count the networks that stand side by side."""
    if layer.kind == MEMBERS:
        return sum(1 for _ in layer.children())
    return max((_members(child) for _, child in layer.children()), default=1)


def _why_not_native(engines: tuple[str, ...], options: ModelOptions) -> str:
    if set(engines) <= {NATIVE}:
        return ""
    return why_not_native(options.dtype) or f"the 'engine' option is '{options.engine}'."


def _layers(layer: Layer, counted: set[int], path: str = "") -> list[LayerDescription]:
    """Describe the layers that have parameters, in the order in which data pass through them.

    A parameter that stands in two layers is counted in the first.
    """
    own = sum(parameter.size for parameter in layer.own_parameters() if id(parameter) not in counted)
    counted.update(id(parameter) for parameter in layer.own_parameters())
    below = [
        found
        for key, child in layer.children()
        for found in _layers(child, counted, f"{path}.{key}".strip("."))
    ]
    return [LayerDescription(path, layer.kind, layer.output_size, own), *below] if own else below
