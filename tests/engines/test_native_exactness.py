"""The native engine gives what the reference gives: shipped cells, rewritten ones, ones that nobody wrote."""

import os

import numpy as np
import pytest
from engine_problems import (
    GIVEN,
    JOINED,
    NOTHING_TO_LEARN,
    TWO_STAGES,
    assert_engines_agree,
    assert_same,
    assert_single_precision_is_right,
    evaluate,
    problem,
)

from noria.equations import cells, layer_normalised, recurrent_dropout, replace, zoneout
from noria.inspection import check_gradients
from noria.testing import random_cell

RANDOM_CELLS = int(os.environ.get("NORIA_RANDOM_CELLS", "40"))

REWRITES = {
    "layer norm": layer_normalised,
    "dropout": lambda cell: recurrent_dropout(cell, 0.3),
    "zoneout": lambda cell: zoneout(cell, 0.2, 0.4),
    "leaky": lambda cell: replace(cell, tanh="leaky(z) = max(z, 0.01 * z)"),
    "dropout and layer norm": lambda cell: recurrent_dropout(layer_normalised(cell), 0.3),
    "layer norm and zoneout": lambda cell: zoneout(layer_normalised(cell), 0.2, 0.4),
}


def names_to_keep(cell):
    """Give every value and state of a cell, and their gradients."""
    values = [name for name in cell.size_of if name.isidentifier() and name != "x"]
    learned = {parameter.name for parameter in cell.parameters} | {given.name for given in cell.givens}
    values = [name for name in values if name not in learned]
    return (*values, *(f"d_{name}" for name in values))


@pytest.mark.parametrize("name", cells.names())
def test_shipped_cell(name):
    """Every size is different, and none a multiple of the vector width."""
    assert_engines_agree(problem(name, D=5, H=19))


@pytest.mark.parametrize("name", cells.names())
def test_token_ids(name):
    assert_engines_agree(problem(name, D=11, H=6, ids=True), inference=name in ("lstm", "gru", "lem"))


@pytest.mark.parametrize("name", cells.names())
def test_kept_values(name):
    keep = names_to_keep(cells[name])
    assert len(keep) >= 2 * len(cells[name].states)
    found = assert_engines_agree(problem(name, D=3, H=9, keep=keep), inference=False)
    assert {f"kept {name}" for name in keep} <= found.keys()


@pytest.mark.parametrize("name", cells.names())
def test_float32(name):
    assert_single_precision_is_right(problem(name, D=5, H=19, lengths=(9, 7, 7, 2)))


@pytest.mark.parametrize("rewrite", REWRITES)
@pytest.mark.parametrize("name", ["lstm_projected", "gru", "gru_reset_after"])
def test_rewritten_cell(name, rewrite):
    assert_engines_agree(problem(REWRITES[rewrite](cells[name]), D=5, H=10), inference=name == "gru")


@pytest.mark.parametrize("cell", [GIVEN, JOINED, NOTHING_TO_LEARN, TWO_STAGES], ids=lambda cell: cell.name)
def test_own_cells(cell):
    """Inputs per row and per sequence, an input joined element by element, no parameters, two stages."""
    assert_engines_agree(problem(cell, D=5, H=9))
    assert_engines_agree(problem(cell, D=5, H=9, ids=True, lengths=(3, 3, 2)))


@pytest.mark.parametrize("seed", range(RANDOM_CELLS))
def test_random_cell(seed):
    rng = np.random.default_rng(1000 + seed)
    cell = random_cell(rng)
    lengths = np.sort(rng.integers(1, 7, rng.integers(1, 6)))[::-1]
    sizes = {"D": int(rng.integers(1, 9)), "H": int(rng.integers(1, 12))}
    one = problem(cell, lengths=lengths, seed=seed, ids=seed % 3 == 0, idle=seed % 2, **sizes)
    assert_engines_agree(one, inference=seed % 4 == 0)


@pytest.mark.parametrize("cell", ["lstm", "gru", "slstm", "lem", "lstm_projected", TWO_STAGES], ids=str)
def test_gradients_against_the_complex_step(cell):
    """Not by comparison with an engine: values in complex numbers, gradients by the compiled backward."""
    cell = cells[cell] if isinstance(cell, str) else cell
    report = check_gradients(cell, engine="native")
    assert report.engine == "native"
    assert report.ok, report.worst


@pytest.mark.parametrize("name", ["lstm", "gru_reset_after"])
def test_gradients_accumulate_and_d_x_is_left_out_where_unwanted(name):
    one = problem(name, D=3, H=5)
    kernel = one.bound("native")
    expected = evaluate(kernel, one, inference=False)
    d_theta = np.full_like(one.theta, 3.0)
    run = one.run(kernel)
    run.forward(one.x)
    assert run.backward(one.d_h, one.d_finals, d_theta, want_d_x=False) is None
    assert_same({"d_theta": d_theta - 3.0}, {"d_theta": expected["d_theta"]})
    run = one.run(kernel)
    run.forward(one.x)
    missing = {name: array for name, array in one.d_finals.items() if name == "c"}
    run.backward(one.d_h, missing, d_theta)
    reference = one.run(one.bound("reference"))
    reference.forward(one.x)
    d_reference = np.zeros_like(d_theta)
    reference.backward(one.d_h, missing, d_reference)
    assert_same({"d_theta": d_theta - 3.0 - expected["d_theta"]}, {"d_theta": d_reference}, 2e-12)
