"""What each layer of a network costs: parameters, arithmetic and memory, for each token that is read.

A multiply-add of a product counts as two operations, anything elementwise as one a number. Looking up a row
costs none: the product of a matrix with one-hot rows is such a look-up.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from noria.compiler import compile_cell
from noria.compiler.cost import cost
from noria.layers import (
    BatchNorm,
    Bidirectional,
    CausalAttention,
    ConditionedSteps,
    DecoderAttention,
    Dropout,
    Embedding,
    EncoderDecoder,
    Joined,
    Layer,
    Linear,
    OneHot,
    Recurrent,
    SymbolFeatures,
)
from noria.layers.attention_scores import AdditiveScore, GeneralScore, Score
from noria.layers.convolution import Convolution
from noria.layers.crf import ConditionalRandomField
from noria.layers.pooling import AttentionPooling, LastPooling, Pooling
from noria.layers.spelt import Spelt
from noria.models.forecast.network import DecoderNetwork, DirectNetwork

TOKEN, SEQUENCE, SOURCE, CHARACTER, WORD = "token", "sequence", "source token", "character", "word"
ATTENDED = 20
"""Steps of a source that a decoder's attention is taken to look at."""


@dataclass(frozen=True)
class LayerCost:
    """One layer.

    Attributes
    ----------
    path, kind : str
    output : int
        Width of what it gives.
    parameters : int
        Its own; one that stands in several layers is counted where it stands first.
    forward, backward : int
        Operations for one token (or what `per` says).
    weight_bytes : int
    saved_bytes : int
        Memory that training keeps of one token for the backward.
    per : str
        What the operations are for: a ``"token"``, a whole ``"sequence"``, ...
    """

    path: str
    kind: str
    output: int
    parameters: int
    forward: int
    backward: int
    weight_bytes: int
    saved_bytes: int
    per: str = TOKEN

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values."""
        return asdict(self)


def layer_costs(network: Layer, *, itemsize: int = 4, attended: int = ATTENDED) -> list[LayerCost]:
    """Count what a configured network costs, layer by layer in the order in which data pass through them.

    Parameters
    ----------
    network : Layer
    itemsize : int, default 4
        Bytes of a number.
    attended : int, default 20
        Steps of the source that a decoder's attention looks at.
    """
    return list(_Count(itemsize, attended).of(network, "", TOKEN))


def totals(costs: list[LayerCost]) -> dict[str, Any]:
    """Add up: parameters and bytes of all, operations and saved bytes for each thing they are for."""
    by: dict[str, dict[str, int]] = {}
    for one in costs:
        into = by.setdefault(one.per, {"forward": 0, "backward": 0, "saved_bytes": 0})
        for name in into:
            into[name] += getattr(one, name)
    return {
        "parameters": sum(one.parameters for one in costs),
        "weight_bytes": sum(one.weight_bytes for one in costs),
        "per": by,
    }


class _Count:
    def __init__(self, itemsize: int, attended: int) -> None:
        self.itemsize, self.attended = itemsize, attended
        self._known: set[int] = set()
        self._ids = False  # whether what comes in are the numbers of symbols

    def of(self, layer: Layer, path: str, per: str) -> Iterator[LayerCost]:
        """Give the costs of a layer and of those inside."""
        row = self._row(layer, path, per)
        if row is not None:
            yield row
        if isinstance(layer, Recurrent | ConditionedSteps):
            self._ids = False
        for key, child in layer.children():
            inside = _per_inside(layer, key, per)
            begins_with_ids = self._ids
            if isinstance(layer, Spelt):
                self._ids = False
            yield from self.of(child, f"{path}.{key}".strip("."), inside)
            if isinstance(layer, SymbolFeatures):
                self._ids = False
            if isinstance(layer, Bidirectional) and child is layer.forward:
                self._ids = begins_with_ids
            if isinstance(child, Pooling):
                per = WORD if per == CHARACTER else SEQUENCE

    def _row(self, layer: Layer, path: str, per: str) -> LayerCost | None:
        own = [one for one in layer.own_parameters() if id(one) not in self._known]
        self._known.update(id(one) for one in own)
        count = sum(one.size for one in own)
        is_leaf = next(iter(layer.children()), None) is None
        if not count and not is_leaf:
            return None
        forward, backward, saved = self._operations(layer)
        kind = layer.kind if layer.kind != "last" else "last state"
        if isinstance(layer, EncoderDecoder):
            kind, per = "bridge", SEQUENCE
        return LayerCost(
            path or layer.name,
            kind,
            layer.output_size,
            count,
            forward,
            backward,
            self.itemsize * count,
            self.itemsize * saved,
            per,
        )

    def _operations(self, layer: Layer) -> tuple[int, int, int]:
        """Give operations forward and backward, and numbers that are saved."""
        size, out = layer.input_size, layer.output_size
        match layer:
            case Recurrent():
                return self._recurrent(layer)
            case OneHot():
                self._ids = True
                return 0, 0, 0
            case Embedding():
                return 0, out, 0  # a row is looked up; its gradient is added to the table's
            case SymbolFeatures() | Joined() | Dropout() | LastPooling():
                return 0, 0, 0
            case Linear() | Convolution():
                product = 2 * sum(one.size for one in layer.own_parameters() if len(one.shape) == 2)
                bias = sum(one.size for one in layer.own_parameters() if len(one.shape) == 1)
                rectified = out if isinstance(layer, Convolution) and layer.rectified else 0
                return product + bias + rectified, 2 * product + bias + rectified, size + rectified
            case BatchNorm():
                return 2 * size, 5 * size, size
            case CausalAttention():
                return self._attention(layer.score, size, size, layer.span)
            case DecoderAttention():
                return self._attention(layer.score, size, layer.memory_size, self.attended)
            case AttentionPooling():
                keys = 2 * size * size + 2 * size if layer.additive else 0
                forward = keys + 2 * size + 3 + 2 * size
                return forward, 2 * forward, 2 * size + 1
            case Pooling():
                return size, size, 0
            case ConditionalRandomField():
                return 2 * size * size + 2 * size, 4 * size * size + 4 * size, 2 * size
            case _:  # products with the matrices, and whatever has vectors elementwise
                weights = sum(one.size for one in layer.own_parameters() if len(one.shape) == 2)
                vectors = sum(one.size for one in layer.own_parameters() if len(one.shape) == 1)
                return 2 * weights + vectors, 4 * weights + vectors, size if weights else 0

    def _recurrent(self, layer: Recurrent) -> tuple[int, int, int]:
        program = compile_cell(layer.cell, expected=True)
        found = cost(program, layer.sizes, self.itemsize)
        saved = found.saved_bytes // self.itemsize
        if not self._ids:
            return found.forward_operations, found.backward_operations, saved
        # Of one-hot rows the products with the input are rows that are looked up, forward and backward.
        size = layer.input_size
        of_input = [one for one in layer.cell.parameters if one.kind == "matrix" and one.columns == ("D",)]
        looked_up = sum(layer.sizes[one.rows] for one in of_input)
        back = found.backward_operations - 2 * looked_up * size + looked_up
        back -= 2 * looked_up * size if program.derived.d_x is not None else 0
        return found.forward_operations - 2 * looked_up * size, back, saved

    def _attention(self, score: Score, size: int, attended: int, steps: int) -> tuple[int, int, int]:
        """Count keys (once for each row that is looked at), scores, softmax, context, what joins them."""
        keys = scores = 0
        if isinstance(score, AdditiveScore):
            keys = 2 * size * attended
            scores = 2 * size * size + steps * (3 * size + 2 * size)
        else:
            keys = 2 * size * attended if isinstance(score, GeneralScore) else 0
            scores = 2 * steps * size
        softmax, context = 3 * steps, 2 * steps * attended
        joined = 2 * size * (size + attended) + 2 * size
        forward = keys + scores + softmax + context + joined
        return forward, 2 * forward, size + attended + 2 * steps


def _per_inside(layer: Layer, key: str, per: str) -> str:
    if isinstance(layer, Spelt):
        return CHARACTER
    if isinstance(layer, EncoderDecoder | DecoderNetwork) and key == "encoder":
        return SOURCE
    if isinstance(layer, DirectNetwork) and key == "output":
        return SEQUENCE
    return per
