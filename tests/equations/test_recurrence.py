"""Which matrices multiply what depends on the state."""

import pytest

from noria.equations import Cell, cells, recurrent_columns, rewrites


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (cells.rnn, "U"),
        (cells.lstm, "U_i U_f U_g U_o"),
        (cells.get("lstm_projected"), "U_i U_f U_g U_o P"),
        (rewrites.layer_normalised(rewrites.zoneout(cells.lstm, 0.1, 0.2)), "U_i U_f U_g U_o"),
        (rewrites.recurrent_dropout(cells.lstm, 0.3), "U_i U_f U_g U_o"),
        (cells.get("indrnn"), ""),
    ],
    ids=["rnn", "lstm", "projected", "normalised", "masked", "indrnn"],
)
def test_they_are_found_in_cells_that_ship(cell, expected):
    assert sorted(recurrent_columns(cell)) == sorted(expected.split())


def test_every_cell_with_a_matrix_named_u_has_it_in_its_recurrence():
    for name in cells.names():
        found = recurrent_columns(cells.get(name))
        matrices = [p.name for p in cells.get(name).parameters if p.kind == "matrix"]
        assert {matrix for matrix in matrices if matrix.startswith("U")} <= set(found), name
        assert not set(found) & {"W_i", "W_f", "W_z", "W"}, name


def test_columns_of_one_matrix_are_told_apart():
    cell = Cell.parse("h' = tanh(W @ [x, h, x] + V @ x)")
    assert recurrent_columns(cell) == {"W": (False, True, False)}


def test_values_hand_on_that_they_depend_on_the_state():
    cell = Cell.parse("e = tanh(W_e @ x)\nm = c * e\nk = W_m @ m + W_k @ e\nc' = k\nh' = tanh(c' + W_c @ c')")
    assert list(recurrent_columns(cell)) == ["W_m", "W_c"]


def test_own_functions_hide_nothing():
    cell = Cell.parse("gate(v) = sigmoid(U @ v)\nh' = gate(h) * tanh(W @ x)")
    assert list(recurrent_columns(cell)) == ["U"]
