"""Is the derived backward of a cell right? Compared, number by number, with the complex step.

The complex step takes the derivative of a real function f at x as Im f(x + ih) / h with h = 1e-30: there is
no difference of nearly equal numbers in it, so it is exact to rounding (Squire & Trapp 1998; Martins,
Sturdza & Alonso 2003).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array
from noria.compiler import compile_cell
from noria.engines import Kernel, bind
from noria.equations import Cell

STEP = 1e-30
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
"""Largest difference allowed, relative to the norm of the tensor."""

DEFAULT_SIZES = {"D": 4, "H": 7}
DEFAULT_LENGTHS = (5, 4, 4, 1)


@dataclass(frozen=True)
class GradientRow:
    """The comparison for one tensor.

    ``error`` is the norm of the difference relative to the norm of the gradient.
    """

    name: str
    shape: tuple[int, ...]
    norm: float
    error: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether the two gradients agree; a gradient that is not a number never does."""
        return bool(self.error <= self.tolerance)


@dataclass(frozen=True)
class GradientReport:
    """The comparison for every parameter, the input and every initial state of a cell."""

    cell: str
    dtype: str
    engine: str
    rows: tuple[GradientRow, ...]

    @property
    def ok(self) -> bool:
        """Whether every gradient agrees."""
        return all(row.ok for row in self.rows)

    @property
    def worst(self) -> GradientRow:
        """The row with the largest error, where "not a number" is the largest."""
        return max(self.rows, key=lambda row: np.inf if np.isnan(row.error) else row.error)


def check_gradients(
    cell: Cell,
    *,
    sizes: Mapping[str, int] | None = None,
    lengths: Sequence[int] = DEFAULT_LENGTHS,
    dtype: str = "float64",
    engine: str = "auto",
    rng: np.random.Generator | None = None,
    tolerance: float | None = None,
) -> GradientReport:
    """Compare every gradient of ``cell`` with the complex step.

    The loss is a random weighting of all outputs and all final states, over ragged sequences that start
    from random states, with random parameters and random auxiliary inputs.

    Parameters
    ----------
    cell : Cell
    sizes : mapping of size symbol to int, optional
        D = 4 and H = 7 if left out; each free size is one wider than the one before.
    lengths : sequence of int, default (5, 4, 4, 1)
        The length of each sequence.
    dtype : {"float64", "float32"}
        The precision of the backward that is checked; the complex step is always taken in double precision.
    engine : {"auto", "native", "reference"}
        The engine whose backward is checked, by default the one that layers use. The complex step always
        goes through the reference engine, the only one that computes in complex numbers.
    rng : numpy.random.Generator, optional
        Where the random numbers come from; seeded with 0 if left out.
    tolerance : float, optional
        Largest difference allowed, relative to the norm of the tensor; 1e-12 in float64 and 1e-5 in float32
        if left out.

    Returns
    -------
    GradientReport
    """
    rng = rng if rng is not None else np.random.default_rng(0)
    problem = Problem.random(cell, full_sizes(cell, sizes or DEFAULT_SIZES), lengths, dtype, rng)
    kernel = problem.kernel(dtype, engine)
    allowed = TOLERANCE[dtype] if tolerance is None else tolerance
    rows = compare(problem.backward(kernel, dtype), problem.complex_step(), allowed)
    return GradientReport(cell.name, dtype, kernel.engine, rows)


def compare(
    found: Mapping[str, Array], expected: Mapping[str, Array], tolerance: float
) -> tuple[GradientRow, ...]:
    """Compare gradients by name, each relative to the norm of the expected one.

    What is too small for the dtype to resolve counts as zero.
    """
    rows = []
    for name, right in expected.items():
        info = np.finfo(found[name].dtype)
        norm = float(np.linalg.norm(right))
        difference = float(np.linalg.norm(np.asarray(found[name], np.float64) - right))
        error = difference / max(norm, float(info.tiny / info.eps))
        rows.append(GradientRow(name, right.shape, norm, error, tolerance))
    return tuple(rows)


def full_sizes(cell: Cell, sizes: Mapping[str, int]) -> dict[str, int]:
    """Make every size of ``cell`` different, so that no transposed or swapped axis goes unseen."""
    full = {symbol: size for symbol, size in sizes.items() if symbol in cell.sizes}
    for symbol in cell.sizes:
        full.setdefault(symbol, max(sizes.values()) + 1 + len(full))
    return full


@dataclass(frozen=True, eq=False)
class Problem:
    """A cell with numbers for everything, and a loss.

    The loss is ``sum(weights * outputs) + sum(final_weights * final states)``.
    """

    cell: Cell
    sizes: Mapping[str, int]
    counts: Array
    inputs: dict[str, Array]
    given: dict[str, Array]
    weights: Array
    final_weights: dict[str, Array]

    @classmethod
    def random(
        cls,
        cell: Cell,
        sizes: Mapping[str, int],
        lengths: Sequence[int],
        dtype: str,
        rng: np.random.Generator,
    ) -> "Problem":
        """Draw everything from ``rng``, rounded to ``dtype`` so that both sides see the same numbers."""
        ordered = np.sort(np.asarray(lengths))[::-1]
        counts = (ordered[:, None] > np.arange(ordered[0])).sum(axis=0)
        batch, total = len(ordered), int(ordered.sum())

        def draw(*shape: int, centre: float = 0.0, scale: float = 0.5) -> Array:
            return (centre + scale * rng.standard_normal(shape)).astype(dtype).astype(np.float64)

        width = {name: sizes[symbol] for name, symbol in cell.size_of.items()}
        inputs = {"x": draw(total, width["x"], scale=1.0)}
        for state in cell.states:
            initial = cell.initial.get(state)
            centre = initial.arguments[0] if initial is not None and initial.arguments else 0.0
            inputs[state] = draw(batch, width[state], centre=centre, scale=0.3)
        for parameter in cell.parameters:
            shape: tuple[int, ...] = (sizes[parameter.rows],)
            if parameter.kind == "matrix":
                shape += (sum(sizes[symbol] for symbol in parameter.columns),)
            inputs[parameter.name] = draw(*shape)
        given = {}
        for one in cell.givens:
            shape = (batch if one.per == "sequence" else total, width[one.name])
            if one.law == "supplied":
                given[one.name] = draw(*shape, centre=1.0)
            else:
                drawn = rng.random(shape) < (
                    one.probability if one.law == "bernoulli" else 1 - one.probability
                )
                given[one.name] = drawn / (1.0 if one.law == "bernoulli" else 1 - one.probability)
        finals = {state: draw(batch, width[state], scale=1.0) for state in cell.states}
        return cls(cell, sizes, counts, inputs, given, draw(total, width["h"], scale=1.0), finals)

    def kernel(self, dtype: str, engine: str) -> Kernel:
        """Bind the cell's program."""
        return bind(compile_cell(self.cell), self.sizes, dtype, engine)

    def theta(self, kernel: Kernel, inputs: Mapping[str, Array] | None = None) -> Array:
        """Give the parameters as one block, empty for a cell that learns nothing."""
        values = self.inputs if inputs is None else inputs
        return np.concatenate([np.empty(0), *(values[name].ravel() for name, _, _ in kernel.layout)])

    def backward(self, kernel: Kernel, dtype: str) -> dict[str, Array]:
        """Give all gradients by the derived backward, in ``dtype``."""
        theta, states, given = self._arguments(kernel, self.inputs, dtype)
        run = kernel.start(theta, states, self.counts, given=given, save=True)
        run.forward(self.inputs["x"].astype(dtype))
        d_theta = np.zeros_like(theta)
        finals = {state: weight.astype(dtype) for state, weight in self.final_weights.items()}
        d_x = run.backward(self.weights.astype(dtype), finals, d_theta)
        assert d_x is not None
        result = {"x": d_x, **run.d_states}
        for name, offset, shape in kernel.layout:
            result[name] = d_theta[offset : offset + int(np.prod(shape))].reshape(shape)
        return result

    def loss(self, kernel: Kernel, inputs: Mapping[str, Array]) -> complex:
        """Give the loss, in double complex precision."""
        theta, states, given = self._arguments(kernel, inputs, "complex128")
        run = kernel.start(theta, states, self.counts, given=given, save=False)
        with np.errstate(all="ignore"):  # what is not finite shows in the report
            total = np.sum(self.weights * run.forward(inputs["x"].astype(np.complex128)))
            for state, last in run.finals.items():
                total = total + np.sum(self.final_weights[state] * last)
        return complex(total)

    def complex_step(self) -> dict[str, Array]:
        """Give all gradients by the complex step, through the reference engine."""
        kernel = self.kernel("complex128", "reference")
        gradients = {}
        for name, array in self.inputs.items():

            def loss_of(value: Array, name: str = name) -> complex:
                return self.loss(kernel, {**self.inputs, name: value})

            gradients[name] = complex_gradient(loss_of, array)
        return gradients

    def _arguments(
        self, kernel: Kernel, inputs: Mapping[str, Array], dtype: str
    ) -> tuple[Array, dict[str, Array], dict[str, Array]]:
        theta = self.theta(kernel, inputs).astype(dtype)
        states = {state: inputs[state].astype(dtype) for state in self.cell.states}
        return theta, states, {name: array.astype(dtype) for name, array in self.given.items()}


def complex_gradient(function: Callable[[Array], complex], point: Array) -> Array:
    """Give the gradient of a real function at ``point`` by the complex step, one number at a time."""
    gradient = np.empty(point.shape)
    shifted = point.astype(np.complex128)
    for index in np.ndindex(point.shape):
        shifted[index] += 1j * STEP
        gradient[index] = function(shifted).imag / STEP
        shifted[index] = point[index]
    return gradient
