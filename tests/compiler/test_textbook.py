"""The derived backward as a textbook prints it, and the forward in LaTeX."""

import re

import pytest

from noria.compiler import compile_cell, cost, parameter_table, textbook_backward
from noria.equations import Cell, cells, latex


def equations(text):
    """Give left side to right side, without numbers and paths."""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("(")]
    bodies = [line.split(")", 1)[1].strip() for line in lines]
    return {body.split(" = ")[0]: body.split(" = ", 1)[1].split("   ")[0].strip() for body in bodies}


def test_the_lstm_is_what_textbooks_derive_by_hand():
    found = equations(textbook_backward(cells.lstm).text)
    assert found["δh'"] == "∂L/∂h' + δh(t+1)"
    assert found["δc'"] == "δc(t+1) + δh' ⊙ o ⊙ (1 - tanh(c')²)"
    assert found["δo"] == "δh' ⊙ tanh(c')"
    assert found["δf"] == "δc' ⊙ c"
    assert found["δa_g"] == "δg ⊙ (1 - g²)"
    assert found["δc"] == "δc' ⊙ f"
    assert found["δW_f"] == "Σ δa_f xᵀ"
    assert found["δb_o"] == "Σ δa_o"


def test_each_term_of_the_gru_names_its_path():
    text = textbook_backward(cells.gru).text
    line = next(line for line in text.splitlines() if " δh = " in line)
    assert "δh' ⊙ z + (U_nᵀ δa_n) ⊙ r" in line
    assert "through h', through n, through z, r" in line
    assert "from the output, from the next step" in text


def test_every_cell_is_written_down_in_both_forms():
    for name in cells.names():
        book = textbook_backward(cells[name])
        assert "δh'" in book.text
        assert book.latex.startswith("\\begin{align}")
        assert book.latex.count("{") == book.latex.count("}")
        assert latex(cells[name]).count("{") == latex(cells[name]).count("}")


@pytest.mark.parametrize("name", cells.names())
def test_one_count_of_numbers_goes_through_forward_backward_and_parameters(name):
    book = textbook_backward(cells[name])
    numbers = [int(number) for number in re.findall(r"^  \((\d+)\) ", book.text, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [int(number) for number in re.findall(r"\\tag\{(\d+)\}", book.latex)] == numbers
    forward, backward, parameters = (part.count("\n  (") for part in f"\n{book.text}".split("\n\n"))
    assert forward >= len(cells[name].equations)
    assert backward >= forward - 1
    assert parameters == len(cells[name].parameters)


def test_latex_of_the_forward():
    assert latex(cells.rnn) == (
        "\\begin{aligned}\nh_{t} &= \\tanh\\left(W x_{t} + U h_{t-1} + b\\right)\n\\end{aligned}"
    )


def test_a_cell_shows_itself_as_equations_in_a_notebook():
    assert "h_{t}" in cells.rnn._repr_latex_()


@pytest.mark.parametrize(
    ("name", "count"), [("lstm", 448), ("rnn", 112), ("gru", 336), ("gru_reset_after", 344)]
)
def test_parameter_counts(name, count):
    """D = 5, H = 8; by hand: the LSTM has 4 (8·5 + 8·8 + 8)."""
    rows = parameter_table(cells[name], {"D": 5, "H": 8})
    assert sum(row.count for row in rows) == count


def test_cost_of_an_lstm_step():
    """8 H (D + H) operations in the products, twice that backward; five H saved besides the states."""
    found = cost(compile_cell(cells.lstm), {"D": 5, "H": 8}, itemsize=8)
    products = 8 * 8 * (5 + 8)
    assert found.parameters == 448
    assert products < found.forward_operations < products + 25 * 8
    assert 2 * products < found.backward_operations < 2 * products + 35 * 8
    assert found.saved_bytes == 5 * 8 * 8
    assert found.weight_bytes == 448 * 8


def test_a_cell_of_ones_own_with_parts_and_functions():
    cell = Cell.parse(
        "q = tanh(W_q @ [h, x])\nleaky(v) = max(v, 0.1 * v)\nh' = leaky(q) / (1 + q ** 2)", name="own"
    )
    text = textbook_backward(cell).text
    assert "W_q[1]ᵀ" in text
    assert "W_q[2]ᵀ" in text
