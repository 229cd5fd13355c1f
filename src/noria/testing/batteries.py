"""The batteries: run them against a cell or a layer of your own, as the tests of Noria do against its own."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from noria.arrays import Array
from noria.equations import Cell
from noria.inspection.gradient_check import (
    DEFAULT_LENGTHS,
    DEFAULT_SIZES,
    Problem,
    check_gradients,
    full_sizes,
)
from noria.layers import Layer
from noria.sequences import Ragged


def check_cell(
    cell: Cell,
    *,
    sizes: Mapping[str, int] = DEFAULT_SIZES,
    lengths: Sequence[int] = DEFAULT_LENGTHS,
    float32_tolerance: float = 1e-5,
    engine: str = "auto",
    rng: np.random.Generator | None = None,
) -> None:
    """Check that ``cell`` can be relied on.

    Its text reads back as the same cell; every gradient agrees with the complex step in float64 (1e-12
    relative to the norm of the tensor) and in float32; running it step by step gives what running it over
    the whole batch gives, forward and backward; batch mates change nothing.

    Parameters
    ----------
    cell : Cell
    sizes : mapping of size symbol to int, default D = 4, H = 7
    lengths : sequence of int, default (5, 4, 4, 1)
        Lengths of the ragged sequences.
    float32_tolerance : float, default 1e-5
        Largest error of a gradient in float32, relative to its norm. A cell that cancels large numbers
        needs more.
    engine : {"auto", "native", "reference"}
        The engine whose gradients and runs are checked, by default the one that layers use. Values in
        complex numbers are always the reference engine's.
    rng : numpy.random.Generator, optional

    Raises
    ------
    AssertionError
        With the name of what disagrees, and by how much.
    """
    rng = rng if rng is not None else np.random.default_rng(0)
    again = Cell.parse(cell.text, name=cell.name)
    assert again == cell, f"{cell.name}: its text does not read back as the same cell"
    for dtype, tolerance in (("float64", 1e-12), ("float32", float32_tolerance)):
        report = check_gradients(
            cell, sizes=sizes, lengths=lengths, dtype=dtype, engine=engine, rng=rng, tolerance=tolerance
        )
        assert report.ok, (
            f"{cell.name}: gradient of '{report.worst.name}' in {dtype} "
            f"is off by {report.worst.error:.1e}\n{cell.text}"
        )
    problem = Problem.random(cell, full_sizes(cell, sizes), lengths, "float64", rng)
    _check_stepwise(problem, engine)
    _check_batch_mates(problem, engine)


def _check_stepwise(problem: Problem, engine: str) -> None:
    """Check that step by step, forward and back, is the same as all at once."""
    kernel = problem.kernel("float64", engine)
    theta = problem.theta(kernel)
    states = {state: problem.inputs[state] for state in problem.cell.states}
    whole = kernel.start(theta, states, problem.counts, given=problem.given)
    expected = whole.forward(problem.inputs["x"])
    d_theta = np.zeros_like(theta)
    d_x = whole.backward(problem.weights, problem.final_weights, d_theta)

    per_row = {given.name for given in problem.cell.givens if given.per == "row"}
    offsets = np.concatenate([[0], np.cumsum(problem.counts)])
    spans = [slice(low, high) for low, high in pairwise(offsets)]
    for save in (True, False):
        run = kernel.start(
            theta, states, None, given={k: v for k, v in problem.given.items() if k not in per_row}, save=save
        )
        rows = [
            run.step(problem.inputs["x"][span], {name: problem.given[name][span] for name in per_row})
            for span in spans
        ]
        _same(problem.cell, "stepwise output", np.concatenate(rows), expected)
        for state, last in whole.finals.items():
            _same(problem.cell, f"stepwise final '{state}'", run.finals[state], last)
        if save:
            back = [run.step_back(problem.weights[span], problem.final_weights) for span in reversed(spans)]
            _same(
                problem.cell,
                "stepwise d_x",
                np.concatenate([part for part in reversed(back) if part is not None]),
                d_x,
            )
            stepped = np.zeros_like(theta)
            run.finish(stepped)
            _same(problem.cell, "stepwise d_theta", stepped, d_theta)
            for state, d_state in whole.d_states.items():
                _same(problem.cell, f"stepwise d_{state}", run.d_states[state], d_state)


def _check_batch_mates(problem: Problem, engine: str) -> None:
    """Check that the longest sequence alone gives the rows that it gives among others."""
    kernel = problem.kernel("float64", engine)
    theta = problem.theta(kernel)
    offsets = np.concatenate([[0], np.cumsum(problem.counts)])[:-1]
    per_row = {given.name for given in problem.cell.givens if given.per == "row"}
    together = kernel.start(
        theta,
        {state: problem.inputs[state] for state in problem.cell.states},
        problem.counts,
        given=problem.given,
        save=False,
    ).forward(problem.inputs["x"])
    alone = kernel.start(
        theta,
        {state: problem.inputs[state][:1] for state in problem.cell.states},
        np.ones(len(problem.counts), np.int64),
        given={
            name: array[offsets] if name in per_row else array[:1] for name, array in problem.given.items()
        },
        save=False,
    ).forward(problem.inputs["x"][offsets])
    _same(problem.cell, "output without batch mates", alone, together[offsets])


def _same(cell: Cell, what: str, found: Any, expected: Any) -> None:
    error = float(np.max(np.abs(found - expected), initial=0.0)) / max(
        float(np.max(np.abs(expected), initial=0.0)), 1e-300
    )
    assert error <= 1e-12, f"{cell.name}: {what} is off by {error:.1e}\n{cell.text}"


def check_layer(
    layer: Layer,
    x: Ragged,
    *,
    state: Any = None,
    given: Mapping[str, Array] | None = None,
    training: bool = False,
    tolerance: float = 1e-7,
    rng: np.random.Generator | None = None,
) -> None:
    """Check the backward of ``layer`` against central differences, in float64.

    Compared are the gradients of the input (if it is not token ids) and of every parameter, along random
    directions, under random gradients of all outputs and of the final state; besides, that a second
    backward call is refused, and that gradients of parameters accumulate.

    Parameters
    ----------
    layer : Layer
        Not yet configured, or configured for the width of ``x``.
    x : Ragged
        Rows of float64, or token ids.
    state, given
        Passed on to the layer.
    training : bool, default False
        Check the layer as it is while training (the same random draws in every call).
    tolerance : float, default 1e-7
        Largest difference, relative to the directional derivative's scale.
    rng : numpy.random.Generator, optional

    Raises
    ------
    AssertionError
        With the name of what disagrees, and by how much.
    """
    from noria.testing.layer_battery import LayerBattery

    LayerBattery(
        layer, x, state, given, training, tolerance, rng if rng is not None else np.random.default_rng(0)
    ).run()
