"""Who runs against whom: one layer of ours with its data, and what a peer has to bring."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from roofline import compulsory_bytes, multiply_add_chains, product_operations

from noria.arrays import Array
from noria.compiler import compile_cell
from noria.engines import bind, why_not_native, workers
from noria.engines.threads import thread_count
from noria.equations import Cell, Given
from noria.layers import FlatParameters, Mode, Recurrent, State, Stream
from noria.layers.auxiliary import auxiliary_input
from noria.sequences import Ragged

Arrays = Mapping[str, Array]
TOLERANCE = 1e-4
"""Largest difference between two libraries in float32, as a share of the largest value of an array."""

STREAMED = 3
"""Steps that are compared before single steps are timed."""


class Point(NamedTuple):
    """Steps, sequences, input size and hidden size."""

    steps: int
    batch: int
    inputs: int
    hidden: int

    def __str__(self) -> str:
        return ",".join(str(size) for size in self)


def _as_they_are(results: Arrays) -> Arrays:
    return results


@dataclass(frozen=True)
class Side:
    """One way of doing the work.

    Parameters
    ----------
    run : callable
        What is timed.
    results : callable, optional
        Gives what a run finds: ``y``, ``d_x`` and gradients by the names of parameters.
    in_its_words : callable
        Our results, as this side names and stacks them.
    tokens : int, optional
        Real tokens in a run, where they are not as many as on the first side.
    """

    run: Callable[[], object]
    results: Callable[[], Arrays] | None = None
    in_its_words: Callable[[Arrays], Arrays] = _as_they_are
    tokens: int | None = None


class Subject:
    """A layer of ours at one point of the grid: weights, input, and the gradient of its output.

    Parameters
    ----------
    cell : Cell or str
    point : Point
    dtype : numpy.dtype
        Values are drawn in float64, so that they are the same in every precision.
    ragged : bool
        Whether lengths are drawn evenly from 1 to T; otherwise all are T.
    masked : bool
        Whether it runs as in training, with masks that were drawn beforehand.
    """

    def __init__(
        self,
        cell: "Cell | str",
        point: Point,
        *,
        dtype: Any = np.float32,
        ragged: bool = False,
        masked: bool = False,
    ) -> None:
        rng = np.random.default_rng(0)
        self.point, self.dtype = point, np.dtype(dtype)
        self.layer = Recurrent(cell, point.hidden, input_size=point.inputs)
        self.cell = self.layer.cell
        self.flat = FlatParameters.build([self.layer], rng, dtype)
        for parameter in self.layer.parameters():
            if len(parameter.shape) == 1:  # biases at zero would hide it if they were left out
                parameter.value[...] += 0.1 * rng.standard_normal(parameter.shape)
        dense = rng.standard_normal((point.steps, point.batch, point.inputs)).astype(dtype)
        lengths = rng.integers(1, point.steps + 1, point.batch) if ragged else None
        self.x = Ragged.from_dense(dense.swapaxes(0, 1), lengths)
        self.d_y = rng.standard_normal((len(self.x), point.hidden)).astype(dtype)
        self._rng = rng
        self.given = self.draw() if masked or "supplied" in {g.law for g in self.cell.givens} else {}
        self.mode = Mode(training=masked)

    @property
    def parameters(self) -> dict[str, Array]:
        """The values of the parameters by the names of the equations."""
        return {parameter.name: parameter.value for parameter in self.layer.parameters()}

    @property
    def engine(self) -> str:
        """What runs it."""
        program = compile_cell(self.cell, expected=bool(self.cell.givens) and not self.given)
        return bind(program, self.layer.sizes, self.dtype, self.layer.engine).engine

    def draw(self) -> dict[str, Array]:
        """Draw all auxiliary inputs."""
        return {given.name: self._drawn(given) for given in self.cell.givens}

    def _drawn(self, given: Given) -> Array:
        count = len(self.x) if given.per == "row" else self.point.batch
        shape = (count, self.layer.sizes[self.cell.size_of[given.name]])
        if given.law == "supplied":
            return self._rng.random(shape).astype(self.dtype)
        return auxiliary_input("benchmark", given, {}, shape, self.dtype, training=True, rng=self._rng)

    def operations(self, *, backward: bool) -> int:
        """Count the operations of all products of a run."""
        program = compile_cell(self.cell)
        return len(self.x) * product_operations(program, self.layer.sizes, backward=backward)

    def bytes(self, *, backward: bool) -> int:
        """Count the bytes that a run cannot do without."""
        return compulsory_bytes(self.flat.values, self.x.rows, self.d_y, backward=backward)

    def both(self) -> Side:
        """Forward and backward: the gradient of the input and of all parameters."""

        def run() -> dict[str, Array]:
            self.flat.zero_gradients()
            y, backward = self.layer(self.x, given=self.given, mode=self.mode)
            d_x = backward(self.d_y)
            assert d_x is not None
            return {"y": y.rows, "d_x": d_x}

        def results() -> Arrays:
            found = run()
            return found | {p.name: p.gradient.copy() for p in self.layer.parameters()}

        return Side(run, results, tokens=len(self.x))

    def forward(self) -> Side:
        """Forward alone, all steps at once, with weights that stay as they are: as a model is used."""
        stream = self.layer.stream(self.point.batch)
        x = self.x.rows.reshape(self.point.steps, self.point.batch, -1)

        def run() -> Array:
            return stream.steps(x)[0].reshape(len(self.x), -1)

        return Side(run, lambda: {"y": run()}, tokens=len(self.x))

    def stream(self) -> Side:
        """One step after another, as a text is written."""
        stream = self.layer.stream(self.point.batch)
        holder = {"state": stream.start()}

        def run() -> Array:
            h, holder["state"] = one_step(stream, self.x.rows, holder["state"])
            return h

        return Side(run, lambda: {"h": [run() for _ in range(STREAMED)][-1]}, tokens=len(self.x))


def one_step(stream: Stream, x: Array, state: State) -> tuple[Array, State]:
    """Take one step of every sequence; the only place that knows how that is done."""
    return stream.step(x, state)


def largest_difference(ours: Arrays, theirs: Arrays) -> float:
    """Compare all arrays; give the largest difference as a share of the largest value of its array."""
    if set(ours) != set(theirs):
        raise ValueError(f"expected results {sorted(ours)}, got {sorted(theirs)}.")
    return max(
        float(np.abs(ours[name] - theirs[name]).max() / max(np.abs(ours[name]).max(), 1e-30)) for name in ours
    )


# Sides that are ours too: what a variant is measured by
# --------------------------------------------------------------------------------------------------------


def plain(subject: Subject) -> Side:
    """Give the LSTM that a rewrite began with; it computes something else."""
    return replace(Subject("lstm", subject.point).both(), results=None)


def drawing(subject: Subject) -> Side:
    """Give nothing but the drawing of the masks."""
    return Side(subject.draw)


def dense(subject: Subject) -> Side:
    """Give the same layer with all sequences as long as the longest may be; it computes something else."""
    return replace(Subject(subject.cell, subject.point).both(), results=None)


def single_precision(subject: Subject) -> Side:
    """Give the same layer in float32."""
    return Subject(subject.cell, subject.point).both()


def multiply_adds(subject: Subject) -> Side | str:
    """Give as many multiply-adds in registers, on as many threads: what the processor does in that minute."""
    if reason := why_not_native(subject.dtype):
        return reason
    threads = thread_count()
    chains, operations = multiply_add_chains(1)
    wanted = subject.operations(backward=True) * subject.dtype.itemsize / np.dtype(np.float32).itemsize
    return Side(partial(workers.run, [partial(chains, round(wanted / operations / threads))] * threads))
