"""A network as rows of boxes, from its layers: what it is made of, and how it is laid out in time."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from noria.layers import (
    Bidirectional,
    CausalAttention,
    Conditioned,
    ConditionedSteps,
    DecoderAttention,
    Dropout,
    Embedding,
    EncoderDecoder,
    InputFeeding,
    Layer,
    OneHot,
    Recurrent,
    Stack,
    SymbolFeatures,
)
from noria.layers.crf import ConditionalRandomField
from noria.layers.pooling import LastPooling, Pooling
from noria.layers.spelt import Spelt
from noria.models.forecast.network import DecoderNetwork, DirectNetwork, Members

FORWARD, BACKWARD, BOTH, LINKED, NONE = "forward", "backward", "both", "linked", ""
LAST, BOTH_LAST = "last state", "last state of both directions"
PAST, MEMORY = "past", "memory"

MANY_TO_ONE, MANY_TO_MANY, SEQUENCE_TO_SEQUENCE = "many to one", "many to many", "sequence to sequence"


@dataclass(frozen=True)
class Row:
    """One layer: a box at each step, or one box for the whole sequence.

    Attributes
    ----------
    title : str
        What the layer is: ``"lstm"``.
    path : str
        Where it stands in the network.
    size : int
        Width of its output.
    parameters : int
        Its own and those of layers inside that have no row; shared ones are counted where they stand first.
    flow : str
        How it goes through time: ``"forward"``, ``"backward"``, ``"both"``, ``"linked"`` (each step with the
        next, as in a chain of tags), or not at all.
    whole : bool
        Whether it stands once for the whole sequence.
    looks : str
        What it attends to: the ``"past"`` of its own part, the ``"memory"`` of the other, or nothing.
    feeds : bool
        Whether its output is read at the next step, below.
    """

    title: str
    path: str
    size: int
    parameters: int
    flow: str = NONE
    whole: bool = False
    looks: str = ""
    feeds: bool = False


@dataclass(frozen=True)
class Part:
    """Rows that have one time.

    Attributes
    ----------
    name : str
        Empty where there is one part only.
    reads : str
        What comes in at each step, in words.
    width : int
        Its size; 0 for the number of a symbol.
    rows : tuple of Row
        From the input upwards.
    steps : str
        What the number of steps is called.
    """

    name: str
    reads: str
    width: int
    rows: tuple[Row, ...]
    steps: str = "T"


@dataclass(frozen=True)
class Unrolled:
    """A whole network.

    Attributes
    ----------
    title : str
    kind : {"many to one", "many to many", "sequence to sequence"}
    parts : tuple of Part
        One, or encoder and decoder.
    parameters : int
    between : int
        Parameters between the encoder's last state and the decoder's first.
    copies : int
        How many networks like this stand side by side.
    """

    title: str
    kind: str
    parts: tuple[Part, ...]
    parameters: int
    between: int = 0
    copies: int = 1


@dataclass
class _Counted:
    """Parameters that have been counted."""

    known: set[int] = field(default_factory=set)

    def own(self, layer: Layer) -> int:
        """Count the parameters of a layer and of those inside that were not counted before."""
        total = 0
        for _, parameter in layer.named_parameters():
            if id(parameter) not in self.known:
                self.known.add(id(parameter))
                total += parameter.size
        return total


def unrolled(network: Layer, title: str = "") -> Unrolled:
    """Lay a configured network out.

    Parameters
    ----------
    network : Layer
        What stands in ``model.network_``.
    title : str, optional
        What is written above it.
    """
    counted = _Counted()
    total = sum(parameter.size for parameter in network.parameters())
    copies, inside, path = 1, network, ""
    if isinstance(network, Members):
        copies, inside, path = len(network.members), network.members[0], "0"
    if isinstance(inside, EncoderDecoder):
        encoder = _part("encoder", inside.encoder, "encoder", counted, "S")
        decoder = _part("decoder", inside.decoder, "decoder", counted)
        between = sum(parameter.size for parameter in inside.own_parameters())
        return Unrolled(title, SEQUENCE_TO_SEQUENCE, (encoder, decoder), total, between, copies)
    if isinstance(inside, DecoderNetwork):
        encoder = _part("encoder", inside.encoder, f"{path}.encoder".strip("."), counted, "S")
        below = list(_rows(inside.decoder, f"{path}.decoder".strip("."), counted))
        below += _rows(inside.output, f"{path}.output".strip("."), counted)
        width = inside.decoder.input_size
        decoder = Part("decoder", f"row of {width}", width, tuple(below))
        return Unrolled(title, SEQUENCE_TO_SEQUENCE, (encoder, decoder), total, 0, copies)
    part = _part("", inside, path, counted)
    kind = MANY_TO_ONE if part.rows and part.rows[-1].whole else MANY_TO_MANY
    return Unrolled(title, kind, (part,), total, 0, copies)


def reads_symbols(layer: Layer) -> bool:
    """Whether a network reads the numbers of symbols, and not rows of features."""
    if isinstance(layer, Embedding | OneHot | SymbolFeatures):
        return True
    first = next(iter(layer.children()), None)
    return first is not None and not isinstance(layer, Recurrent) and reads_symbols(first[1])


def _part(name: str, layer: Layer, path: str, counted: _Counted, steps: str = "T") -> Part:
    size = layer.input_size
    symbols = reads_symbols(layer)
    reads = f"one of {size:,} symbols" if symbols else f"row of {size:,}"
    return Part(name, reads, 0 if symbols else size, tuple(_rows(layer, path, counted)), steps)


def _rows(layer: Layer, path: str, counted: _Counted, *, whole: bool = False) -> Iterator[Row]:
    """Give the rows of a layer and of those inside, from the input upwards."""

    def row(title: str, flow: str = NONE, *, looks: str = "", feeds: bool = False) -> Row:
        own = counted.own(layer)
        return Row(title, path, layer.output_size, own, flow, whole, looks, feeds)

    match layer:
        case Recurrent():
            yield row(layer.cell.name, FORWARD)
        case Bidirectional():
            yield row(layer.forward.cell.name, BOTH)
        case CausalAttention():
            yield row(f"attention, {layer.span} back", looks=PAST)
        case DecoderAttention():
            yield row("attention", looks=MEMORY)
        case Pooling():
            whole = True
            yield row(_pooled(layer))
        case ConditionalRandomField():
            yield row("CRF", LINKED)
        case Dropout():
            yield row(f"dropout {layer.p:g}")
        case Embedding() | Spelt() | OneHot():
            yield row(layer.kind)
        case SymbolFeatures():
            yield row(f"{layer.layer.kind} + {layer.kind}")
        case InputFeeding():
            yield from _rows(layer.recurrent, f"{path}.recurrent", counted)
            inside = layer.attention
            own = counted.own(inside)
            at = f"{path}.attention"
            yield Row("attention", at, inside.output_size, own, looks=MEMORY, feeds=True)
        case Conditioned():
            begun = sum(parameter.size for parameter in layer.own_parameters())
            counted.known.update(id(parameter) for parameter in layer.own_parameters())
            inside_rows = list(_rows(layer.layer, path, counted))
            yield Row(
                f"first state from {layer.size} features", f"{path}.initial", layer.size, begun, whole=True
            )
            yield from inside_rows
        case ConditionedSteps():
            told, width = f"joined with {layer.size} features", layer.input_size + layer.size
            yield Row(told, f"{path}.features".strip("."), width, 0)
            yield from _rows(layer.layer, path, counted)
        case DirectNetwork():
            yield from _rows(layer.recurrent, f"{path}.recurrent".strip("."), counted)
            width = layer.output.input_size
            ahead = width - layer.recurrent.output_size
            beside = f" and {ahead} numbers beside it" if ahead else ""
            yield Row(f"{LAST}{beside}", f"{path}.last".strip("."), width, 0, whole=True)
            yield from _rows(layer.output, f"{path}.output".strip("."), counted, whole=True)
        case _:
            yield from _others(layer, path, counted, row(layer.kind) if _is_leaf(layer) else None, whole)


def _others(layer: Layer, path: str, counted: _Counted, own: Row | None, whole: bool) -> Iterator[Row]:
    """Give the box of a layer that holds no others, or the rows of those that it holds, in their order."""
    if own is not None:
        yield own
        return
    if not isinstance(layer, Stack) and (count := _without_children(layer, counted)):
        yield Row(layer.kind, path, layer.output_size, count, whole=whole)
    for key, child in layer.children():
        for row in _rows(child, f"{path}.{key}".strip("."), counted, whole=whole):
            whole = whole or (row.whole and isinstance(child, Pooling))
            yield row


def _pooled(layer: Pooling) -> str:
    if isinstance(layer, LastPooling):
        return BOTH_LAST if layer.backward_size else LAST
    return f"{layer.kind} pooling"


def _is_leaf(layer: Layer) -> bool:
    return next(iter(layer.children()), None) is None


def _without_children(layer: Layer, counted: _Counted) -> int:
    own = [parameter for parameter in layer.own_parameters() if id(parameter) not in counted.known]
    counted.known.update(id(parameter) for parameter in own)
    return sum(parameter.size for parameter in own)
