"""Every gradient against the complex step.

Of every cell that ships, every rewrite, 300 cells that nobody wrote, and one from a file. Shipped and
rewritten cells run on the engine that layers use, which has to compile each of them thrice, the many on the
reference engine, and a few of the many on both.
"""

import numpy as np
import pytest

from noria.compiler import _compile, derivatives
from noria.equations import Cell, cells, layer_normalised, recurrent_dropout, replace, zoneout
from noria.testing import check_cell, random_cell

REWRITES = {
    "layer_normalised": layer_normalised,
    "recurrent_dropout": lambda cell: recurrent_dropout(cell, 0.3),
    "zoneout": lambda cell: zoneout(cell, 0.2, 0.4),
    "leaky": lambda cell: replace(cell, tanh="leaky(z) = max(z, 0.01 * z)"),
    "all": lambda cell: zoneout(recurrent_dropout(layer_normalised(cell), 0.3), 0.2, 0.4),
}
REWRITTEN = ("rnn", "lstm", "lstm_peephole", "lstm_projected", "gru", "gru_reset_after", "mgu", "janet")

OWN = """
# a cell of one's own: a gate of two stages, a state wider than h, a constant, an input per row
dt = 0.1
leaky(v) = max(v, 0.2 * v)
r  = sigmoid(W_r @ [h_{t-1}, x_t] + b_r)
q  = leaky(U_q @ (r ⊙ h) + V_q @ c + gap * p_q)
c' = (1 - dt) * c + dt * tanh(U_c @ q + b_c)
h' = P @ tanh(c') + dt * q
given:
    gap: row
init:
    b_r = 1
    c = 0.5
"""


@pytest.mark.parametrize("name", cells.names())
def test_shipped_cell(name):
    check_cell(cells[name])


@pytest.mark.parametrize("name", REWRITTEN)
@pytest.mark.parametrize("rewrite", REWRITES)
def test_rewritten_cell(name, rewrite):
    # leaky units grow without bound, and layer norm divides by what may be small: float32 shows it
    check_cell(REWRITES[rewrite](cells[name]), float32_tolerance=1e-4)


def check_random_cells(seeds, engine):
    for seed in seeds:
        rng = np.random.default_rng(seed)
        check_cell(
            random_cell(rng),
            sizes={"D": 2, "H": 3},
            lengths=(4, 3, 3, 1),
            float32_tolerance=1e-4,
            engine=engine,
            rng=rng,
        )


@pytest.mark.parametrize("block", range(10))
def test_random_cells(block):
    check_random_cells(range(30 * block, 30 * block + 30), "reference")


@pytest.mark.parametrize("block", range(3))
def test_random_cells_on_the_engine_of_layers(block):
    check_random_cells(range(300 + 5 * block, 305 + 5 * block), "auto")


def test_random_cells_reach_the_whole_language():
    """Together they have one to three states and call every function."""
    made = [random_cell(np.random.default_rng(seed)) for seed in range(300)]
    assert {len(cell.states) for cell in made} == {1, 2, 3}
    text = "\n".join(cell.text for cell in made)
    for word in (
        "sigmoid",
        "tanh",
        "relu",
        "softplus",
        "sin",
        "cos",
        "exp",
        "log",
        "sqrt",
        "abs",
        "clip",
        "max",
        "min",
        "layer_norm",
    ):
        assert f"{word}(" in text
    assert "[h, x]" in text
    assert {given.per for cell in made for given in cell.givens} == {"row", "sequence"}
    reads_h = [
        any(" h" in line.split("=", 1)[1] for line in cell.text.splitlines() if "=" in line) for cell in made
    ]
    assert sum(reads_h) > 250
    read_late = [c for c in made if any(f"{s}'" not in c.text.replace(f"{s}' =", "") for s in c.states[1:])]
    assert len(read_late) > 30


def test_own_cell_from_a_file(tmp_path):
    path = tmp_path / "own.eq"
    path.write_text(OWN, encoding="utf-8")
    check_cell(Cell.load(path))
    check_cell(Cell.load(path), sizes={"D": 5, "H": 3, "H_c": 8}, lengths=(1,))
    check_cell(Cell.load(path), sizes={"D": 1, "H": 1, "H_c": 1}, lengths=(2, 2))


UNUSUAL = {
    "a learned state": "c' = b_c\nh' = tanh(W_h @ x + U_h @ h + c)",
    "the input before": "d' = x\nh' = tanh(W_h @ [x, d] + U_h @ h)",
    "the projected input before": "d' = W_d @ x\nh' = tanh(W_h @ x + U_h @ h + U_d @ d)",
    "a leaky integrator": "c' = 0.9 * c + W_c @ x\nh' = tanh(U_h @ c + b_h)",
    "a state under two names": "c' = W_c @ x\nh' = c'",
    "a delay line": "m' = c\nc' = h\nh' = tanh(W_h @ x + U_h @ m)",
    "a residual": "c' = h\nh' = c + tanh(W_h @ x)",
    "an output that nothing reads": "c' = tanh(W_c @ x + U_c @ c)\nh' = tanh(W_h @ x) * c",
    "a sign that turns": "c' = -c\nh' = tanh(W_h @ x + U_h @ c)",
    "no recurrence": "h' = W @ x",
    "nothing to learn": "h' = 0.5 * h + tanh(x)",
    "a sum of inputs": "h' = h + W @ x",
    "a matrix used twice": "q = W @ x\nh' = tanh(V @ q + V @ h)",
    "a product of what is given": "h' = tanh(U @ g + W @ x)\ngiven:\n    g: sequence",
    "a product of what is given at each step": "h' = tanh(U @ g + W @ x + U_h @ h)\ngiven:\n    g: row",
    "a masked input": "h' = 0.5 * h + U @ (mask * x)\ngiven:\n    mask: sequence",
}


@pytest.mark.parametrize("text", UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_cells(text):
    """Whatever is carried, read late, read by nothing, or never recurs."""
    for lengths in ((5, 4, 4, 1), (1,), (2, 2)):
        check_cell(Cell.parse(text, name="unusual"), lengths=lengths)


@pytest.mark.parametrize("lengths", [(1,), (6,), (3, 3, 3), (5, 1, 1, 1), (1, 1)])
@pytest.mark.parametrize("name", ["lstm", "gru", "lem"])
def test_shapes_that_broke_other_libraries(name, lengths):
    check_cell(cells[name], sizes={"D": 3, "H": 5}, lengths=lengths)


# The battery itself: it has to go red
# ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "wrong"),
    [
        ("tanh", lambda g, y, d: (g.apply("mul", d, g.apply("sub", g.number(1.0), y)),)),
        ("mul", lambda g, y, d: (g.apply("mul", d, y.arguments[1]), d)),
        ("sub", lambda g, y, d: (d, d)),
        ("sigmoid", lambda g, y, d: (d,)),
    ],
)
def test_a_wrong_rule_is_seen(monkeypatch, op, wrong):
    monkeypatch.setitem(derivatives.DERIVATIVES, op, wrong)
    cell = Cell.parse(cells.gru.text, name=f"gru with a wrong {op}")
    with pytest.raises(AssertionError, match="is off by"):
        check_cell(cell)
    _compile.cache_clear()


def test_a_state_read_one_step_off_is_seen(monkeypatch):
    """The classic: the backward reads the cell state after the step where the one before it belongs."""
    from noria.engines.rows import Rows

    monkeypatch.setattr(Rows, "previous_start", lambda self, t: self.batch + self.offsets[t])
    with pytest.raises(AssertionError, match="is off by"):
        check_cell(cells.lstm, lengths=(5, 5, 5), engine="reference")
