"""Letting a model read one input while every layer is looked at, forward and backward."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from noria.arrays import Array, Float
from noria.errors import DataError
from noria.layers import Backward, Bidirectional, CausalAttention, Layer, Mode, Recurrent
from noria.layers.recording import Recorder, named_values
from noria.models.explanation import WEIGHTS, Explanation, RecordedAttention, RecordedLayer
from noria.models.gradient_reach import GradientThroughTime, LayerGradient
from noria.sequences import Ragged

MOST = 10
"""Likeliest answers that are listed for each position."""

WHOLE = "the whole sequence"


class Loss(NamedTuple):
    """A loss, its gradient in the rows that the network gave, and what it is of."""

    value: float
    d_rows: Array
    of: str


@dataclass(frozen=True, eq=False)
class Subject:
    """One input of a task, and what is to be done with it.

    Attributes
    ----------
    source : str
        What the input is, in words.
    steps : mapping of str to sequence of str
        What is read at each step by the layers whose path begins with the key; ``""`` are all others. A
        layer that reads several sequences (the words of a sentence, each by its characters) has them all, one
        behind the other.
    forward : callable
        Runs the network: ``forward(network, mode) -> (y, backward)``.
    answers : callable
        Gives what the outputs (rows, in the order of steps) say: see :class:`Explanation`.
    loss : callable
        ``loss(y, at)``: of the answer at a position, by default the last one.
    seen : sequence of str
        What attention of a decoder looks at.
    """

    source: str
    steps: Mapping[str, Sequence[str]]
    forward: Callable[[Layer, Mode], tuple[Ragged, Backward]]
    answers: Callable[[Ragged], list[dict[str, Any]]]
    loss: Callable[[Ragged, int | None], Loss]
    seen: Sequence[str] = field(default=())

    def labels(self, path: str, count: int) -> tuple[str, ...]:
        """Give what a layer reads at each of its steps."""
        fitting = [prefix for prefix in self.steps if path.startswith(prefix)]
        labels = tuple(self.steps[max(fitting, key=len)]) if fitting else ()
        return labels if len(labels) == count else tuple(str(step) for step in range(1, count + 1))

    @property
    def length(self) -> int:
        """Steps that are read, of the longest part."""
        return max(len(labels) for labels in self.steps.values())


def explained(network: Layer, subject: Subject, task: str) -> Explanation:
    """Run a network over an input and record every named value.

    Raises
    ------
    DataError
        If that would not fit into memory: says how much it needs, and how many steps would fit.
    """
    check_memory(network, subject.length)
    recorder = Recorder()
    y, _ = subject.forward(network, Mode(save=False, recorder=recorder))
    layers, attention = [], []
    for path, layer, is_reversed in walked(network):
        if isinstance(layer, Recurrent) and recorder.calls(layer):
            values = _values(recorder, layer, is_reversed=is_reversed)
            steps = subject.labels(path, len(next(iter(values.values()))))
            cell = layer.cell
            layers.append(RecordedLayer(path, cell.name, cell.text, cell.states, steps, values, is_reversed))
        elif recorder.calls(layer):
            attention.append(_attention(path, layer, recorder, subject))
    answers = tuple(subject.answers(y))
    return Explanation(
        task, subject.source, tuple(subject.steps[""]), tuple(layers), tuple(attention), answers
    )


def gradients(network: Layer, subject: Subject, at: int | None) -> GradientThroughTime:
    """Run a network over an input and back from the loss of one answer; record the gradient of each state.

    The gradients of parameters are added to, as in any backward.
    """
    check_memory(network, subject.length)
    recorder = Recorder(values=False, gradients=True)
    y, backward = subject.forward(network, Mode(recorder=recorder))
    loss = subject.loss(y, at)
    backward(np.ascontiguousarray(loss.d_rows, y.rows.dtype))
    found = []
    for path, layer, is_reversed in walked(network):
        calls = recorder.calls(layer) if isinstance(layer, Recurrent) else []
        if (
            not calls or calls[0].layout.batch_size != 1
        ):  # words by their characters: there is no one way back
            continue
        assert isinstance(layer, Recurrent)
        for state in layer.cell.states:
            (rows,) = calls[0].sequences(f"d_{state}")
            rows = rows[::-1] if is_reversed else rows
            norms = _norms(rows)
            steps = subject.labels(path, len(rows))
            found.append(LayerGradient(path, layer.cell.name, state, steps, norms, is_reversed))
    return GradientThroughTime(loss.value, loss.of, tuple(found))


def walked(
    layer: Layer, path: str = "", *, is_reversed: bool = False, known: set[int] | None = None
) -> Iterator[tuple[str, Layer, bool]]:
    """Give each layer with its path and whether it reads backwards; one that stands twice comes once."""
    known = set() if known is None else known
    if id(layer) in known:
        return
    known.add(id(layer))
    yield path, layer, is_reversed
    for key, child in layer.children():
        turned = is_reversed != (isinstance(layer, Bidirectional) and child is layer.backward)
        yield from walked(child, f"{path}.{key}".strip("."), is_reversed=turned, known=known)


def recorded_bytes(network: Layer) -> int:
    """Say how many bytes one step of recording takes, of all layers together."""
    total = 0
    for _, layer, _ in walked(network):
        if isinstance(layer, Recurrent):
            sizes = (layer.sizes.get(layer.cell.size_of[name], 1) for name in named_values(layer.cell))
            total += sum(sizes) * 8
        elif isinstance(layer, CausalAttention):
            total += layer.span * 8
    return total + network.output_size * 8


def check_memory(network: Layer, steps: int) -> None:
    """Refuse to record more than half of the memory that is free."""
    each, free = recorded_bytes(network), free_memory()
    if free is not None and each * steps > free / 2:
        fitting = int(free / 2 // each)
        raise DataError(
            f"recording {steps:,} steps takes about {each * steps / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB "
            f"of memory are free.\n  Take a part of the input: {fitting:,} steps would fit."
        )


def free_memory() -> int | None:
    """Give the bytes of memory that are free; None where the system does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def likeliest(
    logits: Float[Array, "N V"], symbols: Sequence[Any], *, most: int = MOST
) -> list[list[list[Any]]]:
    """Give the likeliest symbols of each row with their probabilities, the best first."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return ranked(powers / powers.sum(axis=1, keepdims=True), symbols, most=most)


def ranked(
    probabilities: Float[Array, "N V"], symbols: Sequence[Any], *, most: int = MOST
) -> list[list[list[Any]]]:
    """Give the likeliest symbols of each row of probabilities, the best first."""
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :most]
    return [
        [[_plain(symbols[place]), float(row[place])] for place in best]
        for row, best in zip(probabilities, order, strict=True)
    ]


def position(at: int | None, count: int) -> int:
    """Give the number of a position; without one, of the last.

    Raises
    ------
    DataError
        If there is none such.
    """
    if at is None:
        return count - 1
    if not -count <= at < count:
        raise DataError(f"expected a position from 0 to {count - 1}, got {at}.")
    return at % count


def chosen_row(rows: Iterable[Any], row: int, source: str) -> Any:
    """Give one of the inputs of a file, by its number from 0.

    Raises
    ------
    DataError
        If there are not as many.
    """
    count = 0
    for count, one in enumerate(rows, 1):
        if count == row + 1:
            return one
    raise DataError(f"{source}: expected input {row} (from 0), there are {count}.")


def network_dtype(network: Layer) -> np.dtype[Any]:
    """Give the precision of a network."""
    found: np.dtype[Any] = next(iter(network.parameters())).value.dtype
    return found


def _values(recorder: Recorder, layer: Recurrent, *, is_reversed: bool) -> dict[str, Array]:
    """Give the values of a layer in the order of steps; several sequences one behind the other."""
    found = {}
    for name in named_values(layer.cell):
        parts = [part for call in recorder.calls(layer) for part in call.sequences(name)]
        found[name] = np.concatenate([part[::-1] if is_reversed else part for part in parts])
    return found


def _attention(path: str, layer: Layer, recorder: Recorder, subject: Subject) -> RecordedAttention:
    call = recorder.calls(layer)[0]
    (weights,) = call.sequences(WEIGHTS)
    if weights.ndim == 1:  # pooling: the whole sequence looks at each of its steps
        labels = subject.labels(path, len(weights))
        return RecordedAttention(path, (WHOLE,), labels, weights[None])
    steps = subject.labels(path, len(weights))
    if isinstance(layer, CausalAttention):
        return RecordedAttention(path, steps, steps, _over_steps(weights))
    seen = tuple(subject.seen) or tuple(str(step) for step in range(1, weights.shape[1] + 1))
    return RecordedAttention(path, steps, seen, weights)


def _over_steps(weights: Float[Array, "T S"]) -> Float[Array, "T T"]:
    """Put weights on the last S steps to the steps themselves: (t, t - S + k) has that of (t, k)."""
    count, span = weights.shape
    full = np.zeros((count, count), weights.dtype)
    for step in range(1, count):
        near = min(span, step)
        full[step, step - near : step] = weights[step, span - near :]
    return full


def _norms(rows: Float[Array, "T H"]) -> Float[Array, " T"]:
    """Give the norm of each row; squares of what is very small do not vanish."""
    highest = np.abs(rows).max(axis=1)
    safe = np.where(highest > 0, highest, 1.0)
    return np.asarray(highest * np.sqrt(((rows / safe[:, None]) ** 2).sum(axis=1)))


def _plain(symbol: Any) -> Any:
    return symbol.item() if isinstance(symbol, np.generic) else symbol
